/**
 * `<room-view>`: one room: its head, a notice where something is wrong, what is said in it.
 *
 * data: what the state knows of the room; emits `room-close`, `invite-open`, `people-open`, `search-open`.
 *
 * @typedef {object} RoomData
 * @property {import('../state/session.js').Session} session
 * @property {import('../ipc/types.js').Room} room
 * @property {import('../state/model.js').Timeline} timeline
 * @property {import('../state/model.js').Pending[]} pending
 * @property {import('../ipc/types.js').Member[]} members
 * @property {Record<string, import('../ipc/types.js').Message | null>} quoted
 * @property {string} draft
 * @property {number} unreadAtOpen What was unread when the room was opened.
 * @property {number} now
 * @property {() => Promise<void>} moveOn Asks to go on under a new key.
 */
import { h, icon, iconButton, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { nearText } from '../lib/near.js';
import { keptLine } from '../lib/power.js';
import { NewLine } from '../state/timeline.js';
import { number, t } from '../strings/index.js';
import './chat-pane.js';
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
  #pane = /** @type {import('./chat-pane.js').ChatPane} */ (document.createElement('chat-pane'));
  #newLine = new NewLine(0);

  setup() {
    this.#people.append(this.#unread);
    this.replaceChildren(
      h('div', { class: 'bar' },
        iconButton('back', t('action.back'), { class: 'icon-button only-narrow', 'data-test': 'room-back', onclick: () => this.emit('room-close') }),
        h('h1', { class: 'bar-titles' }, this.#name, this.#near),
        iconButton('search', t('search.open'), { 'data-test': 'search-open', onclick: () => this.emit('search-open') }),
        this.#invite,
        this.#people),
      this.#notice,
      this.#empty,
      this.#pane);
  }

  /**
   * @param {RoomData} data
   * @param {RoomData | undefined} previous
   */
  render(data, previous) {
    const { room, timeline, pending, members, draft, now } = data;
    const same = previous?.room.room === room.room;
    if (!same) this.#newLine = new NewLine(data.unreadAtOpen);
    this.#name.textContent = room.name;
    this.#near.textContent = nearText(room);
    this.#near.classList.toggle('is-near', room.near > 0);
    this.#notice.data = { removed: room.removed, left: room.left, me: members.find((m) => m.me), moveOn: data.moveOn };
    this.#invite.hidden = room.removed;

    const unread = members.reduce((sum, member) => sum + member.directUnread, 0);
    setLine(this.#unread, unread > 0 ? number(unread) : '');
    this.#people.setAttribute('aria-label', unread > 0 ? `${t('room.people')}, ${t('direct.unread', { n: unread })}` : t('room.people'));

    const empty = timeline.complete && timeline.messages.length === 0 && pending.length === 0;
    this.#renderEmpty(empty, room.members <= 1);
    this.#pane.data = {
      session: data.session,
      talk: room.room,
      room,
      timeline,
      pending,
      members,
      quoted: data.quoted,
      draft,
      firstUnread: this.#newLine.in(timeline, members),
      now,
      beginning: keptLine(room) || undefined, // what is gone did not begin here
      direct: false,
    };
  }

  /**
   * Brings a message into view, loading what lies between.
   * @param {string} message
   */
  show(message) {
    void this.#pane.show(message);
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
