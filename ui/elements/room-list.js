/**
 * `<room-list>`: the rooms, favourites first, then the latest word.
 *
 * data: {rooms, open, name, now}; emits `room-open` (room id), `make-room`, `scan-open`, `name-open`,
 * `settings-open`, `room-menu` (room id).
 *
 * @typedef {import('../ipc/types.js').Room} Room
 * @typedef {{rooms: Room[], open: string | null, name: string, now: number}} RoomListData
 */
import { avatar } from '../lib/avatar.js';
import { h, icon, iconButton } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { nearText } from '../lib/near.js';
import { shortTime } from '../lib/time.js';
import { number, t } from '../strings/index.js';

/** A finger that rests on a row for this long asks for its menu. */
const LONG_PRESS_MS = 500;

/** A count beyond this is only "many". */
const MANY = 99;

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
      h('div', { class: 'bar' },
        h('h1', { class: 'bar-title' }, t('rooms.title')),
        iconButton('settings', t('settings.open'), { 'data-test': 'settings-open', onclick: () => this.emit('settings-open') }),
        iconButton('plus', t('rooms.make'), { 'data-test': 'make-room', onclick: () => this.emit('make-room') }),
        this.#me),
      h('nav', { class: 'room-scroll', 'aria-label': t('rooms.title') }, this.#list),
      h('div', { class: 'room-foot' },
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
    const content = [
      avatar(room.room, room.name, 'avatar-room'),
      h('span', { class: 'room-item-text' },
        h('span', { class: 'room-item-line' },
          h('bdi', { class: 'room-item-name' }, room.name),
          room.favourite && mark('starred', t('rooms.isFavourite')),
          room.muted && mark('muted', t('rooms.isMuted')),
          h('span', { class: 'room-item-time' }, time)),
        h('span', { class: 'room-item-line' },
          h('bdi', { class: 'room-item-last' }, lastWords(room)),
          room.directUnread > 0 && h('span', { class: room.muted ? 'badge badge-direct is-quiet' : 'badge badge-direct', 'data-test': 'room-direct' },
            icon('person'),
            h('span', { 'aria-hidden': 'true' }, short(room.directUnread)),
            h('span', { class: 'visually-hidden' }, t('rooms.unreadDirect', { n: room.directUnread }))),
          room.unread > 0 && h('span', { class: room.muted ? 'badge is-quiet' : 'badge' },
            h('span', { 'aria-hidden': 'true' }, short(room.unread)),
            h('span', { class: 'visually-hidden' }, t('rooms.unread', { n: room.unread })))),
        h('span', { class: room.near > 0 ? 'room-item-near is-near' : 'room-item-near' }, nearText(room))),
    ];
    // The button stays the same element, so that focus and a click under way survive an update.
    const element = known?.element ?? this.#row(room.room);
    const [button, more] = /** @type {[HTMLButtonElement, HTMLButtonElement]} */ (/** @type {unknown} */ (element.children));
    button.replaceChildren(...content.filter((part) => part instanceof Node));
    more.setAttribute('aria-label', t('rooms.more', { name: room.name }));
    if (open) button.setAttribute('aria-current', 'page');
    else button.removeAttribute('aria-current');
    this.#items.set(room.room, { room, open, time, element });
    return element;
  }

  /**
   * @param {string} room
   * @returns {HTMLLIElement}
   */
  #row(room) {
    const ask = () => this.emit('room-menu', room);
    let pressed = 0;
    let asked = false;
    const release = () => clearTimeout(pressed);
    return h('li', { class: 'room-row' },
      h('button', {
        type: 'button', class: 'room-item', 'data-test': 'room-item', 'data-room': room,
        onclick: () => {
          if (!asked) this.emit('room-open', room);
          asked = false;
        },
        oncontextmenu: (/** @type {Event} */ event) => {
          event.preventDefault();
          release();
          asked = false;
          ask();
        },
        onpointerdown: (/** @type {PointerEvent} */ event) => {
          asked = false;
          if (event.pointerType === 'mouse') return;
          pressed = window.setTimeout(() => {
            asked = true;
            ask();
          }, LONG_PRESS_MS);
        },
        onpointerup: release,
        onpointercancel: release, // the finger scrolls
        onpointerleave: release,
      }),
      iconButton('more', '', { class: 'icon-button room-more', 'data-test': 'room-menu', 'data-room': room, title: null, onclick: ask }));
  }
}

/** @param {number} n */
const short = (n) => (n > MANY ? `${number(MANY)}+` : number(n));

/**
 * @param {'starred' | 'muted'} name
 * @param {string} words
 */
function mark(name, words) {
  return h('span', { class: `room-item-mark is-${name}` }, icon(name), h('span', { class: 'visually-hidden' }, words));
}

/**
 * @param {Room} room
 * @returns {string} The last word in it.
 */
function lastWords({ last }) {
  if (!last) return t('rooms.empty');
  if (last.deleted) return t('rooms.lastDeleted', { name: last.name });
  if (last.newer) return t('rooms.lastNewer', { name: last.name });
  if (last.text === '') return t('rooms.lastHidden', { name: last.name });
  return t('rooms.last', { name: last.name, text: last.text });
}
customElements.define('room-list', RoomList);
