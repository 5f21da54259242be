/**
 * `<app-shell>`: the whole window. Watches the store, passes data down, turns the events that come up
 * into calls of the session; `dialogs.js` opens what lies over it.
 *
 * data: the session
 *
 *   [data-view]  starting | locked | failed | start | rooms | room       (narrow: one of list and room; wide: both)
 */
import { h } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { applyLook, lookOf, rememberLook, rememberedLook } from '../lib/look.js';
import { formatPlace, lastRoom, parsePlace, rememberRoom } from '../state/place.js';
import { NO_TIMELINE, sortedRooms } from '../state/model.js';
import { t } from '../strings/index.js';
import { Dialogs } from './dialogs.js';
import './locked-screen.js';
import './room-list.js';
import './room-view.js';
import './start-screen.js';

/**
 * @typedef {import('../state/session.js').Session} Session
 * @typedef {import('../state/model.js').State} State
 */

/** Times like "5 min" are written anew this often. */
const CLOCK_MS = 30_000;

/** @extends {ViewElement<Session>} */
export class AppShell extends ViewElement {
  // Before anything is made, so that it is made in the language that was chosen.
  static {
    applyLook(rememberedLook());
  }

  #start = startScreen();
  #list = roomList();
  #room = roomView();
  #main = h('div', { class: 'app-main' });
  #idle = h('p', { class: 'app-idle' });
  #dialogs = new Dialogs(this, () => this.session);
  #unwatch = () => {};
  #clock = 0;
  /** @type {string | null} */
  #open = null;
  #unreadAtOpen = 0;
  #settled = false;
  #failedWith = '';

  /** @returns {Session} */
  get session() {
    return this.data;
  }

  setup() {
    this.listen(window, 'languagechange', () => this.#renderState());
    this.listen(window, 'hashchange', () => {
      this.#settled = true;
      this.#renderState();
    });
    // What is being written is kept before the system may end the app.
    this.listen(document, 'visibilitychange', () => {
      if (document.visibilityState === 'hidden') void this.session.outbox.drafts.flush();
    });
    this.listen(window, 'pagehide', () => void this.session.outbox.drafts.flush());
    this.#clock = window.setInterval(() => this.#renderState(), CLOCK_MS);
    const listeners = /** @type {Record<string, (detail: any) => void>} */ ({
      'make-room': () => this.#dialogs.create(),
      'scan-open': (given) => this.#dialogs.scan(given ?? {}),
      'name-open': () => this.#dialogs.name(),
      'settings-open': () => this.#dialogs.settings(),
      'guide-open': () => this.#dialogs.guide(),
      'protect-open': () => this.#dialogs.protect(),
      'room-menu': (room) => this.#dialogs.menu(room),
      'room-open': (room) => this.#go(room),
      'room-close': () => this.#go(null),
      'invite-open': () => this.#inRoom((room) => this.#dialogs.invite(room)),
      'people-open': () => this.#inRoom((room) => this.#dialogs.people(room)),
      'person-open': (author) => this.#inRoom((room) => this.#dialogs.person(room, author)),
      'network-open': (room) => this.#dialogs.network(room),
      'diagnostics-open': () => this.#dialogs.diagnostics(),
      'search-open': () => this.#inRoom((room) => this.#dialogs.search(room, (message) => this.#room.show(message))),
    });
    for (const [type, act] of Object.entries(listeners)) {
      this.listen(this, type, (/** @type {CustomEvent} */ { detail }) => act(detail));
    }
  }

  teardown() {
    clearInterval(this.#clock);
    this.#unwatch();
  }

  /** @param {Session} session */
  render(session) {
    this.#unwatch();
    this.#unwatch = session.store.watch(() => this.#renderState());
  }

  /** @param {string | null} room */
  #go(room) {
    const place = formatPlace(room);
    if (location.hash === place) this.#renderState();
    else location.hash = place;
  }

  /** A notification was chosen: what lies over another room goes. @param {string} room */
  #goWhereWanted(room) {
    this.session.takeWanted(); // which renders once more
    if (room !== this.#open) this.#dialogs.leaveRoom();
    this.#go(room);
  }

  /** @param {(room: string) => void} act */
  #inRoom(act) {
    if (this.#open !== null) act(this.#open);
  }

  #renderState() {
    const { state } = this.session;
    if (state.phase === 'locked') {
      this.#renderLocked();
      return;
    }
    if (state.phase !== 'ready') {
      this.#renderStarting(state);
      return;
    }
    this.#followLook(state);
    if (state.link !== null && state.name !== '') this.#offerLink(state.link);
    if (Object.keys(state.rooms).length === 0 || state.name === '') {
      this.#show('start', this.#start);
      this.#open = null;
      this.#start.data = { name: state.name, key: state.key, setName: (name) => this.session.setName(name) };
      return;
    }
    if (!this.#settled) this.#restorePlace(state);
    if (state.wanted !== null) {
      this.#goWhereWanted(state.wanted);
      return;
    }
    this.#renderRooms(state);
  }

  /**
   * The settings decide how the page looks; in another language all of it is built anew.
   * @param {State} state
   */
  #followLook({ settings }) {
    const look = lookOf(settings);
    rememberLook(look);
    if (!applyLook(look)) return;
    this.#start = startScreen();
    this.#list = roomList();
    this.#room = roomView();
    this.#main.replaceChildren();
    this.#dialogs.reopen();
  }

  /** @param {string} link */
  #offerLink(link) {
    this.session.takeLink();
    this.#dialogs.outside(link);
  }

  #renderLocked() {
    if (this.dataset.view === 'locked') return;
    const screen = /** @type {import('./locked-screen.js').LockedScreen} */ (document.createElement('locked-screen'));
    screen.data = { unlock: (passphrase) => this.session.unlock(passphrase) };
    this.#show('locked', screen);
  }

  /** @param {State} state */
  #renderStarting(state) {
    const failed = state.phase === 'failed';
    if (this.dataset.view === state.phase && this.#failedWith === state.error) return;
    this.#failedWith = state.error;
    this.#show(state.phase, h('main', { class: 'app-wait' }, ...(failed
      ? [
        h('h1', {}, t('app.failed')),
        h('p', { role: 'alert', 'data-test': 'error-text' }, state.error),
        h('button', { type: 'button', class: 'button button-primary', onclick: () => void this.session.start() }, t('action.tryAgain')),
      ]
      : [h('p', { role: 'status' }, t('app.starting'))])));
  }

  /**
   * Opens to the last room.
   * @param {State} state
   */
  #restorePlace(state) {
    this.#settled = true;
    if (location.hash !== '') return;
    const room = lastRoom();
    if (room !== null && state.rooms[room]) history.replaceState(null, '', formatPlace(room));
  }

  /** @param {State} state */
  #renderRooms(state) {
    const wanted = parsePlace(location.hash);
    const open = wanted !== null && state.rooms[wanted] ? wanted : null;
    const changed = open !== this.#open;
    this.#open = open;
    if (changed) this.session.lookAt(open);
    this.#show(open === null ? 'rooms' : 'room', this.#list, this.#main);

    const rooms = sortedRooms(state);
    const now = Date.now();
    const { name } = state;
    this.#list.data = { rooms, open, name, now };
    // The room is what the window is about; without one the list is, which then may have the screen to itself.
    this.#list.role = open === null ? 'main' : 'region';
    this.#list.ariaLabel = t('rooms.title');
    this.#main.role = open === null ? 'region' : 'main';
    this.#main.ariaLabel = open === null ? t('rooms.pick') : null;

    if (open === null) {
      this.#idle.textContent = t('rooms.pick');
      if (this.#main.firstChild !== this.#idle) this.#main.replaceChildren(this.#idle);
      document.title = t('app.name');
      return;
    }
    const room = state.rooms[open];
    document.title = `${room.name} · ${t('app.name')}`;
    if (changed) {
      this.#unreadAtOpen = room.unread;
      rememberRoom(open);
      this.session.enterRoom(open);
    }
    const after = this.session.state;
    this.#room.data = {
      session: this.session,
      room,
      timeline: after.timelines[open] ?? NO_TIMELINE,
      pending: after.pending[open] ?? NONE,
      members: after.members[open] ?? NONE,
      quoted: after.quoted,
      draft: after.drafts[open] ?? '',
      unreadAtOpen: this.#unreadAtOpen,
      now,
      moveOn: () => this.session.withMember(open, (ipc) => ipc.moveOn(open)),
    };
    if (this.#main.firstChild !== this.#room) this.#main.replaceChildren(this.#room);
    this.#dialogs.refresh(open);
  }

  /**
   * @param {string} view
   * @param {...Element} parts
   */
  #show(view, ...parts) {
    this.dataset.view = view;
    const shown = Array.from(this.children).filter((child) => child.firstElementChild?.localName !== 'dialog');
    if (shown.length === parts.length && parts.every((part, index) => part === shown[index])) return;
    for (const child of shown) child.remove();
    this.prepend(...parts);
  }
}

const startScreen = () => /** @type {import('./start-screen.js').StartScreen} */ (document.createElement('start-screen'));
const roomList = () => /** @type {import('./room-list.js').RoomList} */ (document.createElement('room-list'));
const roomView = () => /** @type {import('./room-view.js').RoomView} */ (document.createElement('room-view'));

/** One empty list, so that nothing looks changed. @type {never[]} */
const NONE = [];
customElements.define('app-shell', AppShell);
