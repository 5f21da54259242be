/**
 * `<room-view>`: one room: its head, a notice where something is wrong, its messages, the composer.
 *
 * data: what the state knows of the room; emits `room-close`, `invite-open`, `people-open` and what its
 * parts emit.
 *
 * @typedef {object} RoomData
 * @property {import('../ipc/types.js').Room} room
 * @property {import('../state/model.js').Timeline} timeline
 * @property {import('../state/model.js').Pending[]} pending
 * @property {import('../ipc/types.js').Member[]} members
 * @property {string} draft
 * @property {number} unreadAtOpen What was unread when the room was opened.
 * @property {number} now
 * @property {() => Promise<void>} moveOn Asks to go on under a new key.
 */
import { h, icon, iconButton, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { nearText } from '../lib/near.js';
import { namesOf } from '../lib/people.js';
import { keptLine } from '../lib/power.js';
import { firstUnread, toRows } from '../state/timeline.js';
import { t } from '../strings/index.js';
import './message-composer.js';
import './message-list.js';
import './room-notice.js';

/** @extends {ViewElement<RoomData>} */
export class RoomView extends ViewElement {
  #name = h('bdi', { class: 'bar-title' });
  #near = h('span', { class: 'bar-note' });
  #unread = h('span', { class: 'badge bar-badge', hidden: true });
  #people = iconButton('people', t('room.people'), { 'data-test': 'people-open', onclick: () => this.emit('people-open') });
  #invite = h('button', {
    type: 'button', class: 'button button-soft', 'data-test': 'invite-open', 'aria-label': t('room.invite'),
    onclick: () => this.emit('invite-open'),
  }, icon('code'), h('span', { class: 'only-wide' }, t('room.invite')));
  #empty = h('div', { class: 'room-empty', hidden: true });
  #notice = /** @type {import('./room-notice.js').RoomNotice} */ (document.createElement('room-notice'));
  #list = /** @type {import('./message-list.js').MessageList} */ (document.createElement('message-list'));
  #composer = /** @type {import('./message-composer.js').MessageComposer} */ (document.createElement('message-composer'));
  /** The message under the new-message line; undefined until the first page is there. @type {string | null | undefined} */
  #newFrom = undefined;

  setup() {
    this.#people.append(this.#unread);
    this.replaceChildren(
      h('header', { class: 'bar' },
        iconButton('back', t('action.back'), { class: 'icon-button only-narrow', 'data-test': 'room-back', onclick: () => this.emit('room-close') }),
        h('h2', { class: 'bar-titles' }, this.#name, this.#near),
        this.#invite,
        this.#people),
      this.#notice,
      this.#empty,
      this.#list,
      this.#composer);
  }

  /**
   * @param {RoomData} data
   * @param {RoomData | undefined} previous
   */
  render(data, previous) {
    const { room, timeline, pending, members, draft, now } = data;
    const same = previous?.room.room === room.room;
    if (!same) this.#newFrom = undefined;
    if (this.#newFrom === undefined && timeline.loading === 'idle') {
      this.#newFrom = firstUnread(timeline.messages, data.unreadAtOpen);
    }
    this.#name.textContent = room.name;
    this.#near.textContent = nearText(room);
    this.#near.classList.toggle('is-near', room.near > 0);
    this.#notice.data = { removed: room.removed, me: members.find((m) => m.me), moveOn: data.moveOn };
    this.#composer.hidden = room.removed;
    this.#invite.hidden = room.removed;

    const unread = members.reduce((sum, member) => sum + member.directUnread, 0);
    setLine(this.#unread, unread > 0 ? String(unread) : '');
    this.#people.setAttribute('aria-label', unread > 0 ? `${t('room.people')}, ${t('direct.unread', { n: unread })}` : t('room.people'));

    const empty = timeline.complete && timeline.messages.length === 0 && pending.length === 0;
    this.#renderEmpty(empty, room.members <= 1);
    this.#list.hidden = empty;

    const changed = !same || previous.timeline !== timeline || previous.pending !== pending || previous.members !== members
      || previous.room.near !== room.near || previous.room.members !== room.members || previous.room.retentionS !== room.retentionS;
    // Setting the data renders a list of thousands: only when something of it changed.
    if (changed && !empty) {
      const beginning = keptLine(room) || undefined; // what is gone did not begin here
      this.#list.data = { room, rows: toRows(timeline, pending, this.#newFrom ?? null), names: namesOf(members), now, beginning };
    }
    if (!same || previous.draft !== draft || previous.room.name !== room.name) {
      this.#composer.data = { room: room.room, name: room.name, draft };
    }
  }

  /**
   * @param {boolean} empty
   * @param {boolean} alone
   */
  #renderEmpty(empty, alone) {
    const shows = String(empty && alone);
    if (this.#empty.hidden === !empty && this.#empty.dataset.alone === shows) return;
    this.#empty.hidden = !empty;
    this.#empty.dataset.alone = shows;
    if (!empty) return;
    this.#empty.replaceChildren(...[
      h('p', { class: 'room-empty-title' }, t('room.emptyTitle')),
      h('p', {}, alone ? t('room.emptyAlone') : t('room.emptyText')),
      alone ? h('button', { type: 'button', class: 'button button-primary', onclick: () => this.emit('invite-open') },
        icon('code'), t('room.invite')) : null,
    ].filter((part) => part !== null));
  }
}
customElements.define('room-view', RoomView);
