/**
 * `<room-notice>`: why nothing more can be said in a room on this device, and the way on where there is one.
 *
 * data: {removed, left, me, moveOn() -> Promise}
 *
 *   removed, or left                     only told
 *   frozen --go on--> asked              until somebody confirms it: then `me` is a member like any other
 *
 * @typedef {object} NoticeData
 * @property {boolean} removed
 * @property {boolean} left I went myself; `removed` is true, too.
 * @property {import('../ipc/types.js').Member | undefined} me Undefined before the members are loaded.
 * @property {() => Promise<void>} moveOn
 */
import { errorLine, h, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { silence } from '../lib/people.js';
import { t } from '../strings/index.js';

/** @extends {ViewElement<NoticeData>} */
export class RoomNotice extends ViewElement {
  #words = h('p', { role: 'status', tabindex: '-1', 'data-test': 'own-fork', hidden: true });
  #error = errorLine();
  #go = h('button', { type: 'button', class: 'button', 'data-test': 'move-on', hidden: true, onclick: () => void this.#moveOn() }, t('move.go'));

  setup() {
    this.replaceChildren(this.#words, this.#error, this.#go);
  }

  /** @param {NoticeData} data */
  render({ removed, left, me }) {
    const words = silence({ removed, left }, me);
    this.hidden = words === '';
    setLine(this.#words, words);
    const offered = !removed && me?.forked === true && !me.moving;
    const held = document.activeElement === this.#go;
    this.#go.hidden = !offered;
    if (offered) return;
    setLine(this.#error, '');
    if (held) this.#words.focus(); // what was pressed is gone: the answer stands where it was
  }

  async #moveOn() {
    if (this.#go.disabled) return;
    this.#go.disabled = true;
    setLine(this.#error, '');
    try {
      await this.data.moveOn();
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
    } finally {
      this.#go.disabled = false;
    }
  }
}
customElements.define('room-notice', RoomNotice);
