/**
 * `<app-shell>`: the whole window. Watches the store, passes data down, turns the events that come up
 * into calls of the session, opens dialogs.
 *
 * data: the session
 *
 *   [data-view]  starting | failed | start | rooms | room       (narrow: one of list and room; wide: both)
 */
import { h } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { namesOf } from '../lib/people.js';
import { mayClose, mayConfirmMove, powersOver } from '../lib/power.js';
import { forgetEverything, formatPlace, lastRoom, parsePlace, rememberRoom } from '../state/place.js';
import { NO_TIMELINE, sortedRooms, talkOf } from '../state/model.js';
import { t } from '../strings/index.js';
import './create-dialog.js';
import './direct-dialog.js';
import './invite-dialog.js';
import './name-dialog.js';
import './people-dialog.js';
import './person-dialog.js';
import './room-list.js';
import './room-view.js';
import './scan-dialog.js';
import './seen-dialog.js';
import './settings-dialog.js';
import './start-screen.js';

/**
 * @typedef {import('../state/session.js').Session} Session
 * @typedef {import('../state/model.js').State} State
 */

/** Times like "5 min" are written anew this often. */
const CLOCK_MS = 30_000;

/** @extends {ViewElement<Session>} */
export class AppShell extends ViewElement {
  #start = /** @type {import('./start-screen.js').StartScreen} */ (document.createElement('start-screen'));
  #list = /** @type {import('./room-list.js').RoomList} */ (document.createElement('room-list'));
  #room = /** @type {import('./room-view.js').RoomView} */ (document.createElement('room-view'));
  #main = h('main', { class: 'app-main' });
  #idle = h('p', { class: 'app-idle' }, t('rooms.pick'));
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
    this.listen(window, 'hashchange', () => {
      this.#settled = true;
      this.#renderState();
    });
    this.#clock = window.setInterval(() => this.#renderState(), CLOCK_MS);
    const listeners = /** @type {Record<string, (detail: any) => void>} */ ({
      'make-room': () => this.#openCreate(),
      'scan-open': () => this.#openScan(),
      'name-open': () => this.#openName(),
      'settings-open': () => this.#openSettings(),
      'room-open': (room) => this.#go(room),
      'room-close': () => this.#go(null),
      'invite-open': () => this.#openInvite(),
      'people-open': () => this.#openPeople(),
      'person-open': (author) => this.#openPerson(author),
      'message-send': (text) => this.#inRoom((room) => void this.session.send(room, text)),
      'message-retry': (clientId) => this.#inRoom((room) => void this.session.retry(room, clientId)),
      'message-edit': (clientId) => this.#inRoom((room) => this.session.takeBack(room, clientId)),
      'message-seen': (row) => this.#openSeen(row),
      'draft-change': (text) => this.#inRoom((room) => this.session.setDraft(room, text)),
      'older-wanted': () => this.#inRoom((room) => void this.session.loadOlder(room)),
      'newest-seen': (message) => this.#inRoom((room) => void this.session.markSeen(room, message)),
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

  /** @param {(room: string) => void} act */
  #inRoom(act) {
    if (this.#open !== null) act(this.#open);
  }

  #renderState() {
    const { state } = this.session;
    if (state.phase !== 'ready') {
      this.#renderStarting(state);
      return;
    }
    if (Object.keys(state.rooms).length === 0 || state.name === '') {
      this.#show('start', this.#start);
      this.#open = null;
      this.#start.data = { name: state.name, setName: (name) => this.session.setName(name) };
      return;
    }
    if (!this.#settled) this.#restorePlace(state);
    this.#renderRooms(state);
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
    this.#show(open === null ? 'rooms' : 'room', this.#list, this.#main);

    const rooms = sortedRooms(state);
    const now = Date.now();
    const { name } = state;
    this.#list.data = { rooms, open, name, now };

    if (open === null) {
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
      room,
      timeline: after.timelines[open] ?? NO_TIMELINE,
      pending: after.pending[open] ?? NONE,
      members: after.members[open] ?? NONE,
      draft: after.drafts[open] ?? '',
      unreadAtOpen: this.#unreadAtOpen,
      now,
      moveOn: () => this.session.withMember(open, (ipc) => ipc.moveOn(open)),
    };
    if (this.#main.firstChild !== this.#room) this.#main.replaceChildren(this.#room);
    this.#renderDialogs(after);
  }

  /**
   * Keeps what an open dialog shows in step.
   * @param {State} state
   */
  #renderDialogs(state) {
    const people = /** @type {import('./people-dialog.js').PeopleDialog | null} */ (this.querySelector('people-dialog'));
    if (people && this.#open !== null) {
      const { room } = people.data.room;
      if (state.rooms[room]) people.data = { ...people.data, room: state.rooms[room], members: state.members[room] };
    }
    const direct = /** @type {import('./direct-dialog.js').DirectDialog | null} */ (this.querySelector('direct-dialog'));
    if (direct && this.#open !== null) direct.data = this.#talk(direct.data.room.room, direct.data.author);
    const person = /** @type {import('./person-dialog.js').PersonDialog | null} */ (this.querySelector('person-dialog'));
    if (person && this.#open !== null) {
      const shown = this.#person(this.#open, person.data.member.author);
      if (shown) person.data = { ...person.data, ...shown };
    }
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

  #openCreate() {
    const dialog = /** @type {import('./create-dialog.js').CreateDialog} */ (document.createElement('create-dialog'));
    dialog.data = { create: (name, options) => this.session.createRoom(name, options) };
    this.append(dialog);
  }

  #openName() {
    const dialog = /** @type {import('./name-dialog.js').NameDialog} */ (document.createElement('name-dialog'));
    dialog.data = { name: this.session.state.name, setName: (name) => this.session.setName(name) };
    this.append(dialog);
  }

  #openSettings() {
    const dialog = /** @type {import('./settings-dialog.js').SettingsDialog} */ (document.createElement('settings-dialog'));
    dialog.data = {
      key: this.session.state.key,
      wipe: () => {
        forgetEverything();
        return this.session.wipe();
      },
    };
    this.append(dialog);
  }

  #openScan() {
    const { session } = this;
    const dialog = /** @type {import('./scan-dialog.js').ScanDialog} */ (document.createElement('scan-dialog'));
    dialog.data = {
      stage: null,
      scan: (frame) => session.ipc.scanFrame(frame),
      join: (link) => session.join(link),
      cancel: () => session.cancelJoin(),
    };
    const unwatch = session.store.watch(({ joinStage }) => {
      if (dialog.data.stage !== joinStage) dialog.data = { ...dialog.data, stage: joinStage };
    });
    dialog.addEventListener('dialog-closed', unwatch, { once: true });
    this.append(dialog);
  }

  #openInvite() {
    this.#inRoom((room) => {
      const { session } = this;
      const dialog = /** @type {import('./invite-dialog.js').InviteDialog} */ (document.createElement('invite-dialog'));
      dialog.data = {
        room: session.state.rooms[room],
        invite: () => session.codes.show(room),
        revoke: (invite) => session.codes.end(room, invite),
        mayOpen: mayClose(session.state.members[room]?.find((m) => m.me)),
        open: () => session.setClosed(room, false),
      };
      this.append(dialog);
    });
  }

  #openPeople() {
    this.#inRoom((room) => {
      const { session } = this;
      const dialog = /** @type {import('./people-dialog.js').PeopleDialog} */ (document.createElement('people-dialog'));
      dialog.data = {
        room: session.state.rooms[room],
        members: session.state.members[room],
        setClosed: (closed) => session.setClosed(room, closed),
        leave: () => session.leaveRoom(room, false),
        write: (author) => this.#openDirect(room, author),
      };
      this.append(dialog);
      session.loadMembers(room).catch(() => {}); // what was known before stays on the screen
    });
  }

  /**
   * @param {string} room
   * @param {string} author
   */
  #openDirect(room, author) {
    this.session.enterTalk(room, author);
    const dialog = /** @type {import('./direct-dialog.js').DirectDialog} */ (document.createElement('direct-dialog'));
    dialog.data = this.#talk(room, author);
    this.append(dialog);
  }

  /**
   * @param {string} room
   * @param {string} author
   * @returns {import('./direct-dialog.js').DirectData}
   */
  #talk(room, author) {
    const { session } = this;
    const { state } = session;
    const talk = talkOf(room, author);
    return {
      session,
      talk,
      author,
      room: state.rooms[room],
      timeline: state.timelines[talk] ?? NO_TIMELINE,
      pending: state.pending[talk] ?? NONE,
      members: state.members[room] ?? NONE,
      draft: state.drafts[talk] ?? '',
      now: Date.now(),
    };
  }

  /**
   * What the state knows of a member.
   * @param {string} room
   * @param {string} author
   */
  #person(room, author) {
    const members = this.session.state.members[room] ?? [];
    const member = members.find((m) => m.author === author);
    if (!member) return null;
    const names = namesOf(members);
    const twin = members.find((m) => m.author === member.imitates);
    const me = this.session.state.rooms[room]?.removed ? undefined : members.find((m) => m.me);
    return { member, powers: powersOver(me, member), mayConfirmMove: mayConfirmMove(me, member), name: names.get(author) ?? member.name, imitates: twin ? twin.verifiedAs ?? twin.name : '' };
  }

  /** @param {string} author */
  #openPerson(author) {
    this.#inRoom((room) => {
      const { session } = this;
      const shown = this.#person(room, author);
      if (!shown) return;
      const dialog = /** @type {import('./person-dialog.js').PersonDialog} */ (document.createElement('person-dialog'));
      dialog.data = {
        ...shown,
        verify: () => session.ipc.verifyCode(room, author),
        scan: (frame) => session.ipc.scanFrame(frame),
        check: (code) => session.withMember(room, (ipc) => ipc.verifyScan(room, author, code)),
        confirm: (on) => session.withMember(room, (ipc) => ipc.setVerified(room, author, on)),
        confirmMove: () => session.withMember(room, (ipc) => ipc.confirmMove(room, author)),
        acceptKey: () => session.withMember(room, (ipc) => ipc.confirmKey(room, author)),
        mute: (on) => session.withMember(room, (ipc) => ipc.mute(room, author, on)),
        block: (on) => session.block(room, author, on),
        setRole: (role) => session.setRole(room, author, role),
        remove: (hide) => session.removeMember(room, author, hide),
      };
      this.append(dialog);
    });
  }

  /** @param {import('../state/timeline.js').MessageRow} row */
  #openSeen(row) {
    this.#inRoom((room) => {
      const dialog = /** @type {import('./seen-dialog.js').SeenDialog} */ (document.createElement('seen-dialog'));
      dialog.data = { text: row.text, seenBy: row.seenBy, members: this.session.state.members[room] ?? [] };
      this.append(dialog);
    });
  }
}

/** One empty list, so that nothing looks changed. @type {never[]} */
const NONE = [];
customElements.define('app-shell', AppShell);
