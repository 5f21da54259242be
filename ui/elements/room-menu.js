/**
 * `<room-menu>`: what a row of the list of rooms can do besides opening: its network, favourite, mute, leave.
 *
 * data: {room, setPrefs, leave}; see `<room-prefs>` and `<room-leave>`; emits `network-open` (room)
 *
 * @typedef {import('./room-prefs.js').RoomPrefsData & import('./room-leave.js').RoomLeaveData} RoomMenuData
 */
import { h, icon } from '../lib/dom.js';
import { ModalElement } from '../lib/modal.js';
import { t } from '../strings/index.js';
import './room-leave.js';
import './room-prefs.js';

/** @extends {ModalElement<RoomMenuData>} */
export class RoomMenu extends ModalElement {
  #network = h('button', { type: 'button', class: 'button', 'data-test': 'network-open', onclick: () => this.#openNetwork() });
  #prefs = /** @type {import('./room-prefs.js').RoomPrefs} */ (document.createElement('room-prefs'));
  #leave = /** @type {import('./room-leave.js').RoomLeave} */ (document.createElement('room-leave'));

  setup() {
    super.setup();
    this.listen(this.#leave, 'left', () => this.close());
    this.#network.replaceChildren(icon('network'), t('network.open'));
    this.body.replaceChildren(h('div', { class: 'row' }, this.#network), this.#prefs, this.#leave);
  }

  /** @param {RoomMenuData} data */
  render(data) {
    this.heading = data.room.name;
    this.#network.hidden = data.room.removed;
    this.#prefs.data = data;
    this.#leave.data = data;
  }

  #openNetwork() {
    this.emit('network-open', this.data.room.room); // while this element is still in the page
    this.close();
  }
}
customElements.define('room-menu', RoomMenu);
