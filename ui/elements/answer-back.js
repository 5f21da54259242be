/**
 * `<answer-back>`: the screen of a joiner was scanned who could not get through. Their packets are let in from now on, and
 * the person is told that their friend is coming.
 *
 * data: {link, answer(link), title(words)}; emits `answer-done`, and `answer-ended` (another code is to be scanned).
 *
 * @typedef {object} AnswerData
 * @property {string} link
 * @property {(link: string) => Promise<void>} answer
 * @property {(words: string) => void} title
 */
import { errorLine, h, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { t } from '../strings/index.js';

/** The shell's own sentences are for whoever wants to join; here the code is this device's to know. @type {ReadonlyMap<string, () => string>} */
const REFUSED = new Map([
  ['invite_unknown', () => t('answer.unknown')],
  ['invite_expired', () => t('answer.expired')],
]);

/** @extends {ViewElement<AnswerData>} */
export class AnswerBack extends ViewElement {
  #words = h('p', { class: 'join-stage', role: 'status', 'data-test': 'answer-words' });
  #hint = h('p', { class: 'hint', hidden: true });
  #error = errorLine();
  #ways = h('div', { class: 'row row-center' });

  setup() {
    this.replaceChildren(h('div', { class: 'join is-still' }, this.#words, this.#hint, this.#error, this.#ways));
    void this.#answer();
  }

  async #answer() {
    const { link, answer, title } = this.data;
    title(t('answer.title'));
    setLine(this.#hint, '');
    setLine(this.#error, '');
    setLine(this.#words, t('answer.waiting'));
    this.#ways.replaceChildren();
    try {
      await answer(link);
      setLine(this.#words, t('answer.done'));
      setLine(this.#hint, t('answer.hint'));
      this.#offer(h('button', { type: 'button', class: 'button button-primary', 'data-test': 'answer-done', onclick: () => this.emit('answer-done') }, t('action.done')), this.#again(''));
    } catch (error) {
      const { code, message } = /** @type {import('../ipc/index.js').IpcError} */ (error);
      title(t('answer.failed'));
      setLine(this.#words, '');
      setLine(this.#error, REFUSED.get(code)?.() ?? message);
      this.#offer(this.#again('button-primary'));
    }
  }

  /** @param {string} kind */
  #again(kind) {
    return h('button', { type: 'button', class: `button ${kind}`.trim(), 'data-test': 'scan-again', onclick: () => this.emit('answer-ended') }, t('scan.again'));
  }

  /** @param {...HTMLElement} ways The first is the likely one. */
  #offer(...ways) {
    this.#ways.replaceChildren(...ways);
    ways[0].focus();
  }
}
customElements.define('answer-back', AnswerBack);
