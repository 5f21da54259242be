/**
 * `<room-prefs>`: favourite and muted, for a room, on this device only.
 *
 * data: {room, setPrefs(prefs) -> Promise}
 *
 * @typedef {object} RoomPrefsData
 * @property {import('../ipc/types.js').Room} room
 * @property {(prefs: {favourite?: boolean, muted?: boolean}) => Promise<void>} setPrefs
 */
import { errorLine, h, icon, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { t } from '../strings/index.js';

/** @extends {ViewElement<RoomPrefsData>} */
export class RoomPrefs extends ViewElement {
  #favourite = this.#button('room-favourite', () => ({ favourite: !this.data.room.favourite }));
  #mute = this.#button('room-mute', () => ({ muted: !this.data.room.muted }));
  #error = errorLine();

  setup() {
    this.replaceChildren(h('div', { class: 'row row-wrap' }, this.#favourite, this.#mute), this.#error);
  }

  /** @param {RoomPrefsData} data */
  render({ room: { favourite, muted } }) {
    this.#favourite.replaceChildren(icon(favourite ? 'starred' : 'star'), favourite ? t('rooms.unfavourite') : t('rooms.favourite'));
    this.#mute.replaceChildren(icon(muted ? 'bell' : 'muted'), muted ? t('rooms.unmute') : t('rooms.mute'));
  }

  /**
   * @param {string} hook
   * @param {() => {favourite?: boolean, muted?: boolean}} next
   */
  #button(hook, next) {
    return h('button', { type: 'button', class: 'button', 'data-test': hook, onclick: () => void this.#set(next()) });
  }

  /** @param {{favourite?: boolean, muted?: boolean}} prefs */
  async #set(prefs) {
    setLine(this.#error, '');
    try {
      await this.data.setPrefs(prefs);
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
    }
  }
}
customElements.define('room-prefs', RoomPrefs);
