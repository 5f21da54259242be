/**
 * `<room-list>`: the rooms, the latest word first.
 *
 * data: {rooms, open, name, now}; emits `room-open` (room id), `make-room`, `scan-open`, `name-open`,
 * `settings-open`.
 *
 * @typedef {import('../ipc/types.js').Room} Room
 * @typedef {{rooms: Room[], open: string | null, name: string, now: number}} RoomListData
 */
import { avatar } from '../lib/avatar.js';
import { h, icon, iconButton } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { nearText } from '../lib/near.js';
import { shortTime } from '../lib/time.js';
import { t } from '../strings/index.js';

/** @extends {ViewElement<RoomListData>} */
export class RoomList extends ViewElement {
  #me = h('button', {
    type: 'button', class: 'me-button', 'data-test': 'name-open', 'aria-label': t('name.change'), title: t('name.change'),
    onclick: () => this.emit('name-open'),
  });
  #list = h('ul', { class: 'room-items' });
  /** @type {Map<string, {room: Room, open: boolean, time: string, element: HTMLLIElement}>} */
  #items = new Map();

  setup() {
    this.replaceChildren(
      h('header', { class: 'bar' },
        h('h1', { class: 'bar-title' }, t('rooms.title')),
        iconButton('settings', t('settings.open'), { 'data-test': 'settings-open', onclick: () => this.emit('settings-open') }),
        iconButton('plus', t('rooms.make'), { 'data-test': 'make-room', onclick: () => this.emit('make-room') }),
        this.#me),
      h('nav', { class: 'room-scroll', 'aria-label': t('rooms.title') }, this.#list),
      h('footer', { class: 'room-foot' },
        h('button', {
          type: 'button', class: 'button button-primary button-wide', 'data-test': 'scan-open',
          onclick: () => this.emit('scan-open'),
        }, icon('scan'), t('start.scan'))));
  }

  /**
   * @param {RoomListData} data
   * @param {RoomListData | undefined} previous
   */
  render({ rooms, open, name, now }, previous) {
    if (previous?.name !== name) this.#me.replaceChildren(avatar(name, name));
    const items = rooms.map((room) => this.#item(room, room.room === open, room.last ? shortTime(room.last.timeMs, now) : ''));
    const shown = this.#list.children;
    if (items.length === shown.length && items.every((item, index) => item === shown[index])) return;
    const focused = document.activeElement;
    this.#list.replaceChildren(...items);
    // Moving an element loses its focus; a room that rises to the top keeps it.
    if (focused instanceof HTMLElement && this.#list.contains(focused)) focused.focus();
  }

  /**
   * @param {Room} room
   * @param {boolean} open
   * @param {string} time
   * @returns {HTMLLIElement}
   */
  #item(room, open, time) {
    const known = this.#items.get(room.room);
    if (known && known.room === room && known.open === open && known.time === time) return known.element;
    const { last } = room;
    const content = [
      avatar(room.room, room.name, 'avatar-room'),
      h('span', { class: 'room-item-text' },
        h('span', { class: 'room-item-line' },
          h('bdi', { class: 'room-item-name' }, room.name),
          h('span', { class: 'room-item-time' }, time)),
        h('span', { class: 'room-item-line' },
          h('bdi', { class: 'room-item-last' }, last ? t('rooms.last', { name: last.name, text: last.text }) : t('rooms.empty')),
          room.unread > 0 && h('span', { class: 'badge' },
            h('span', { 'aria-hidden': 'true' }, room.unread > 99 ? '99+' : String(room.unread)),
            h('span', { class: 'visually-hidden' }, t('rooms.unread', { n: room.unread })))),
        h('span', { class: room.near > 0 ? 'room-item-near is-near' : 'room-item-near' }, nearText(room))),
    ];
    // The button stays the same element, so that focus and a click under way survive an update.
    const element = known?.element ?? h('li', {}, h('button', {
      type: 'button', class: 'room-item', 'data-test': 'room-item', 'data-room': room.room,
      onclick: () => this.emit('room-open', room.room),
    }));
    const button = /** @type {HTMLButtonElement} */ (element.firstElementChild);
    button.replaceChildren(...content.filter((part) => part instanceof Node));
    if (open) button.setAttribute('aria-current', 'page');
    else button.removeAttribute('aria-current');
    this.#items.set(room.room, { room, open, time, element });
    return element;
  }
}
customElements.define('room-list', RoomList);
