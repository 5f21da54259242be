/**
 * `<room-door>`: whether the room takes new people; who moderates it closes and opens it here.
 *
 * data: {closed, mayClose, setClosed(closed) -> Promise}
 *
 * @typedef {object} DoorData
 * @property {boolean} closed
 * @property {boolean} mayClose
 * @property {(closed: boolean) => Promise<void>} setClosed
 */
import { errorLine, h, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { t } from '../strings/index.js';

/** @extends {ViewElement<DoorData>} */
export class RoomDoor extends ViewElement {
  #state = h('p', { class: 'hint', role: 'status', 'data-test': 'room-closed', hidden: true });
  #buttons = h('div', { class: 'row row-wrap' });
  #hint = h('p', { class: 'hint' });
  #error = errorLine();
  #busy = false;

  setup() {
    this.replaceChildren(this.#state, this.#error, this.#buttons, this.#hint);
  }

  /**
   * @param {DoorData} data
   * @param {DoorData | undefined} previous
   */
  render({ closed, mayClose }, previous) {
    this.hidden = !mayClose && !closed;
    if (previous?.closed === closed && previous.mayClose === mayClose) return;
    setLine(this.#state, closed ? t('door.closed') : '');
    setLine(this.#hint, mayClose && !closed ? t('door.hint') : '');
    const held = this.#buttons.contains(document.activeElement);
    const button = () => (closed ? this.#button('room-reopen', t('door.open'), false) : this.#button('room-close', t('door.close'), true));
    this.#buttons.replaceChildren(...(mayClose ? [button()] : []));
    if (held) /** @type {HTMLElement | null} */ (this.#buttons.firstElementChild)?.focus();
  }

  /**
   * @param {string} hook
   * @param {string} words
   * @param {boolean} closed
   */
  #button(hook, words, closed) {
    return h('button', { type: 'button', class: 'button', 'data-test': hook, onclick: () => void this.#set(closed) }, words);
  }

  /** @param {boolean} closed */
  async #set(closed) {
    if (this.#busy) return;
    this.#busy = true;
    setLine(this.#error, '');
    try {
      await this.data.setClosed(closed);
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
    } finally {
      this.#busy = false;
    }
  }
}
customElements.define('room-door', RoomDoor);
