/**
 * `<room-pass>`: by whose box copies of a room are kept, where its organiser gave the room's owner a pass; the owner enters it
 * here. Everybody is told until when it holds.
 *
 * data: {untilMs, may, enter(pass) -> Promise}
 *
 * @typedef {object} PassData
 * @property {number | null} untilMs When the last day of the pass ends; null without one.
 * @property {boolean} may This person decides it.
 * @property {(pass: string) => Promise<void>} enter
 */
import { errorLine, h, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { moment } from '../lib/time.js';
import { t } from '../strings/index.js';

/** Longer than any pass, with the blanks that chat programs put in. */
const PASS_MAX = 2048;

/** @extends {ViewElement<PassData>} */
export class RoomPass extends ViewElement {
  #state = h('p', { class: 'hint', role: 'status', 'data-test': 'room-pass-state', hidden: true });
  #form = h('div', { class: 'stack' });
  #error = errorLine();

  setup() {
    this.replaceChildren(this.#state, this.#form);
  }

  /**
   * @param {PassData} data
   * @param {PassData | undefined} previous
   */
  render({ untilMs, may }, previous) {
    this.hidden = !may && untilMs === null;
    setLine(this.#state, this.#words(untilMs));
    const other = (untilMs === null) !== (previous?.untilMs === null);
    if (!previous || previous.may !== may || other) this.#offer();
  }

  /**
   * @param {number | null} untilMs
   * @returns {string}
   */
  #words(untilMs) {
    if (untilMs === null) return '';
    const time = moment(untilMs);
    return untilMs > Date.now() ? t('pass.until', { time }) : t('pass.over', { time });
  }

  #offer() {
    const { may, untilMs } = this.data;
    this.#form.hidden = !may;
    const words = untilMs === null ? t('pass.enter') : t('pass.enterOther');
    this.#form.replaceChildren(...(may ? [h('button', { type: 'button', class: 'button', 'data-test': 'room-pass', onclick: () => this.#ask() }, words)] : []));
  }

  #ask() {
    const input = h('textarea', {
      id: 'room-pass', class: 'field', rows: 3, maxlength: PASS_MAX, autocomplete: 'off', autocapitalize: 'characters', spellcheck: 'false', dir: 'ltr',
      placeholder: t('pass.placeholder'), 'aria-describedby': 'room-pass-hint', 'data-test': 'room-pass-text',
    });
    setLine(this.#error, '');
    this.#form.replaceChildren(h('form', {
      class: 'stack', novalidate: true,
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        void this.#enter(input);
      },
    },
    h('label', { class: 'label', for: 'room-pass' }, t('pass.label')),
    input,
    h('p', { class: 'hint', id: 'room-pass-hint' }, t('pass.hint')),
    this.#error,
    h('div', { class: 'row row-wrap' },
      h('button', { type: 'submit', class: 'button button-primary', 'data-test': 'room-pass-save' }, t('action.save')),
      h('button', { type: 'button', class: 'button', onclick: () => this.#done() }, t('action.cancel')))));
    input.focus();
  }

  #done() {
    this.#offer();
    /** @type {HTMLElement | null} */ (this.#form.firstElementChild)?.focus();
  }

  /** @param {HTMLTextAreaElement} input */
  async #enter(input) {
    const pass = input.value.trim();
    if (pass === '') {
      setLine(this.#error, t('pass.needed'));
      input.focus();
      return;
    }
    try {
      await this.data.enter(pass);
      this.#done();
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
      input.focus();
    }
  }
}
customElements.define('room-pass', RoomPass);
