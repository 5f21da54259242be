/**
 * `<room-menu>`: what a row of the list of rooms can do besides opening: favourite, mute, leave.
 *
 * data: {room, setPrefs, leave}; see `<room-prefs>` and `<room-leave>`
 *
 * @typedef {import('./room-prefs.js').RoomPrefsData & import('./room-leave.js').RoomLeaveData} RoomMenuData
 */
import { ModalElement } from '../lib/modal.js';
import './room-leave.js';
import './room-prefs.js';

/** @extends {ModalElement<RoomMenuData>} */
export class RoomMenu extends ModalElement {
  #prefs = /** @type {import('./room-prefs.js').RoomPrefs} */ (document.createElement('room-prefs'));
  #leave = /** @type {import('./room-leave.js').RoomLeave} */ (document.createElement('room-leave'));

  setup() {
    super.setup();
    this.listen(this.#leave, 'left', () => this.close());
    this.body.replaceChildren(this.#prefs, this.#leave);
  }

  /** @param {RoomMenuData} data */
  render(data) {
    this.heading = data.room.name;
    this.#prefs.data = data;
    this.#leave.data = data;
  }
}
customElements.define('room-menu', RoomMenu);
