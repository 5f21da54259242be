/**
 * A rule of a room that some decide and everybody reads: whether it holds, in words; a button for who may change
 * it; what it means. What it says is said by the elements that are one.
 *
 * data: {on, may, decide(on) -> Promise}
 *
 * @typedef {object} RuleData
 * @property {boolean} on It holds.
 * @property {boolean} may This person decides it.
 * @property {(on: boolean) => Promise<void>} decide
 *
 * @typedef {object} RuleWords
 * @property {string} state For everybody; empty where there is nothing to say.
 * @property {{hook: string, words: string}} button What changes it.
 * @property {string[]} hints
 */
import { errorLine, h, setLine } from './dom.js';
import { ViewElement } from './element.js';

/** @extends {ViewElement<RuleData>} */
export class RuleElement extends ViewElement {
  #state;
  #words;
  #buttons = h('div', { class: 'row row-wrap' });
  #hints = h('div', { class: 'rule-hints' });
  #error = errorLine();
  #busy = false;

  /**
   * @param {string} hook Of the line that says whether it holds.
   * @param {(on: boolean, may: boolean) => RuleWords} words
   */
  constructor(hook, words) {
    super();
    this.#state = h('p', { class: 'hint', role: 'status', 'data-test': hook, hidden: true });
    this.#words = words;
  }

  setup() {
    this.replaceChildren(this.#state, this.#error, this.#buttons, this.#hints);
  }

  /**
   * @param {RuleData} data
   * @param {RuleData | undefined} previous
   */
  render({ on, may }, previous) {
    this.hidden = !may && !on;
    if (previous?.on === on && previous.may === may) return;
    const { state, button, hints } = this.#words(on, may);
    setLine(this.#state, state);
    this.#hints.replaceChildren(...hints.map((words) => h('p', { class: 'hint' }, words)));
    const held = this.#buttons.contains(document.activeElement);
    this.#buttons.replaceChildren(...(may ? [this.#button(button, !on)] : []));
    // No gap where none stands.
    this.#buttons.hidden = !may;
    this.#hints.hidden = hints.length === 0;
    if (held) /** @type {HTMLElement | null} */ (this.#buttons.firstElementChild)?.focus();
  }

  /**
   * @param {RuleWords['button']} button
   * @param {boolean} on
   */
  #button({ hook, words }, on) {
    return h('button', { type: 'button', class: 'button', 'data-test': hook, onclick: () => void this.#decide(on) }, words);
  }

  /** @param {boolean} on */
  async #decide(on) {
    if (this.#busy) return;
    this.#busy = true;
    setLine(this.#error, '');
    try {
      await this.data.decide(on);
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
    } finally {
      this.#busy = false;
    }
  }
}
