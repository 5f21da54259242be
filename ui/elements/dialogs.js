/**
 * What lies over the window: opens each dialog with what it shows and may do, and keeps it in step.
 *
 *   <app-shell> --invite(room), people(room), ..--> <dialog element> appended to the shell
 *   <app-shell> --refresh(room)--> what is open shows what the state says now
 */
import { namesOf, peopleOf } from '../lib/people.js';
import { mayConfirmMove, moderates, powersOver } from '../lib/power.js';
import { WIFI, wifiOf } from '../lib/wifi.js';
import { NO_TIMELINE, talkOf } from '../state/model.js';
import { forgetEverything } from '../state/place.js';

/** Each dialog comes when it is opened first: the first screen is there sooner without them, and smaller. */
const DIALOGS = Object.freeze({
  'create-dialog': () => import('./create-dialog.js'),
  'diagnostics-dialog': () => import('./diagnostics-dialog.js'),
  'direct-dialog': () => import('./direct-dialog.js'),
  'guide-dialog': () => import('./guide-dialog.js'),
  'invite-dialog': () => import('./invite-dialog.js'),
  'name-dialog': () => import('./name-dialog.js'),
  'network-dialog': () => import('./network-dialog.js'),
  'outside-dialog': () => import('./outside-dialog.js'),
  'people-dialog': () => import('./people-dialog.js'),
  'person-dialog': () => import('./person-dialog.js'),
  'protect-dialog': () => import('./protect-dialog.js'),
  'room-menu': () => import('./room-menu.js'),
  'scan-dialog': () => import('./scan-dialog.js'),
  'search-dialog': () => import('./search-dialog.js'),
  'settings-dialog': () => import('./settings-dialog.js'),
});

/** @typedef {import('../state/session.js').Session} Session */
/** @typedef {import('../state/model.js').State} State */

/** What is about one room. @type {readonly (keyof typeof DIALOGS)[]} */
const OF_A_ROOM = Object.freeze(['direct-dialog', 'invite-dialog', 'network-dialog', 'people-dialog', 'person-dialog', 'room-menu', 'search-dialog']);

export class Dialogs {
  #host;
  #session;
  /** What is on its way, so that pressing twice opens one. @type {Set<keyof typeof DIALOGS>} */
  #coming = new Set();
  /** Since when people are where they are, by room. @type {Map<string, import('./network-dialog.js').NetworkData['since']>} */
  #since = new Map();

  /**
   * @param {HTMLElement} host Where the dialogs stand.
   * @param {() => Session} session
   */
  constructor(host, session) {
    this.#host = host;
    this.#session = session;
  }

  /** @returns {Session} */
  get session() {
    return this.#session();
  }

  /**
   * @param {keyof typeof DIALOGS} tag
   * @returns {Promise<HTMLElement | null>} Null while one like it is on its way.
   */
  async #make(tag) {
    if (this.#coming.has(tag)) return null;
    this.#coming.add(tag);
    try {
      await DIALOGS[tag]();
    } finally {
      this.#coming.delete(tag);
    }
    return document.createElement(tag);
  }

  /**
   * Keeps what an open dialog shows in step.
   * @param {string} open The room that is open.
   */
  refresh(open) {
    const { state } = this.session;
    const people = /** @type {import('./people-dialog.js').PeopleDialog | null} */ (this.#host.querySelector('people-dialog'));
    if (people) {
      const { room } = people.data.room;
      if (state.rooms[room]) people.data = { ...people.data, room: state.rooms[room], members: state.members[room] };
    }
    const direct = /** @type {import('./direct-dialog.js').DirectDialog | null} */ (this.#host.querySelector('direct-dialog'));
    if (direct) direct.data = this.#talk(direct.data.room.room, direct.data.author, direct.data.unreadAtOpen);
    const person = /** @type {import('./person-dialog.js').PersonDialog | null} */ (this.#host.querySelector('person-dialog'));
    if (person) {
      const shown = this.#person(open, person.data.member.author);
      if (shown) person.data = { ...person.data, ...shown };
    }
  }

  async create() {
    const dialog = /** @type {import('./create-dialog.js').CreateDialog | null} */ (await this.#make('create-dialog'));
    if (!dialog) return;
    dialog.data = { create: (name, options) => this.session.createRoom(name, options) };
    this.#host.append(dialog);
  }

  async name() {
    const dialog = /** @type {import('./name-dialog.js').NameDialog | null} */ (await this.#make('name-dialog'));
    if (!dialog) return;
    dialog.data = { name: this.session.state.name, setName: (name) => this.session.setName(name) };
    this.#host.append(dialog);
  }

  async settings() {
    const dialog = /** @type {import('./settings-dialog.js').SettingsDialog | null} */ (await this.#make('settings-dialog'));
    if (!dialog) return;
    dialog.data = {
      key: this.session.state.key,
      settings: this.session.state.settings,
      rooms: this.session.state.rooms,
      set: (name, value) => this.session.setSetting(name, value),
      hasTray: async () => (await this.session.ipc.hasTray()).tray,
      storage: () => this.session.ipc.storage(),
      wipe: () => {
        forgetEverything();
        return this.session.wipe();
      },
    };
    this.#host.append(dialog);
  }

  async diagnostics() {
    const dialog = /** @type {import('./diagnostics-dialog.js').DiagnosticsDialog | null} */ (await this.#make('diagnostics-dialog'));
    if (!dialog) return;
    dialog.data = { moved: this.session.state.moved, diagnostics: () => this.session.ipc.diagnostics() };
    this.#openWatching(dialog, ({ moved }) => ({ moved }));
  }

  async protect() {
    const dialog = /** @type {import('./protect-dialog.js').ProtectDialog | null} */ (await this.#make('protect-dialog'));
    if (!dialog) return;
    dialog.data = { protect: (passphrase) => this.session.protect(passphrase) };
    this.#host.append(dialog);
  }

  async guide() {
    const dialog = await this.#make('guide-dialog');
    if (dialog) this.#host.append(dialog);
  }

  /**
   * Asks whether to follow a link that was opened outside of the app, or says where it belongs.
   * @param {string} link
   */
  async outside(link) {
    const dialog = /** @type {import('./outside-dialog.js').OutsideDialog | null} */ (await this.#make('outside-dialog'));
    if (!dialog) return;
    dialog.data = { link, join: () => void this.scan({ link }) };
    this.#host.append(dialog);
  }

  /**
   * The words are others now: what is open stands in the old ones. Settings, where the language is chosen, open
   * anew with the focus on it; everything else can be opened again.
   */
  reopen() {
    const open = Array.from(this.#host.querySelectorAll('.modal'));
    for (const dialog of open) {
      dialog.dispatchEvent(new CustomEvent('dialog-closed'));
      dialog.remove();
    }
    if (!open.some(({ localName }) => localName === 'settings-dialog')) return;
    void this.settings().then(() => {
      /** @type {HTMLElement | null} */ (this.#host.querySelector('[data-test="language"]'))?.focus();
    });
  }

  /** Another room is to be seen: what is about this one closes. */
  leaveRoom() {
    for (const dialog of this.#host.querySelectorAll(OF_A_ROOM.join())) {
      /** @type {import('../lib/modal.js').ModalElement<unknown>} */ (dialog).close();
    }
  }

  /**
   * Opens a dialog, which is told of the state until it is closed.
   * @template {object} D
   * @param {HTMLElement & {data: D}} dialog
   * @param {(state: State) => Partial<D>} shown What it shows of the state.
   */
  #openWatching(dialog, shown) {
    const unwatch = this.session.store.watch((state) => {
      const now = { ...dialog.data, ...shown(state) };
      const known = /** @type {(keyof D)[]} */ (Object.keys(now));
      if (known.some((key) => now[key] !== dialog.data[key])) dialog.data = now;
    });
    dialog.addEventListener('dialog-closed', unwatch, { once: true });
    this.#host.append(dialog);
  }

  /** A screen that goes dark is a nuisance and nothing worse. @param {boolean} on */
  #keepAwake(on) {
    this.session.ipc.keepAwake(on).catch((error) => console.info('the screen may go dark', error));
  }

  /** @param {{link?: string | null, theirs?: boolean}} [given] A link that was agreed to already; whether a friend's screen is to be scanned. */
  async scan({ link = null, theirs = false } = {}) {
    const { session } = this;
    const dialog = /** @type {import('./scan-dialog.js').ScanDialog | null} */ (await this.#make('scan-dialog'));
    if (!dialog) return;
    dialog.data = {
      stage: null,
      moved: session.state.moved,
      link,
      theirs,
      scan: (frame) => session.ipc.scanFrame(frame),
      join: (link) => session.join(link),
      back: (link) => session.ipc.backCode(link),
      joinShownBack: (link) => session.joinShownBack(link),
      answer: (link) => session.ipc.answerBack(link),
      cancel: () => session.cancelJoin(),
      keepAwake: (on) => this.#keepAwake(on),
    };
    this.#openWatching(dialog, ({ moved, joinStage }) => ({ moved, stage: joinStage }));
  }

  /** @param {string} room */
  async invite(room) {
    const { session } = this;
    const dialog = /** @type {import('./invite-dialog.js').InviteDialog | null} */ (await this.#make('invite-dialog'));
    if (!dialog) return;
    dialog.data = {
      room: session.state.rooms[room],
      members: session.state.members[room],
      moved: session.state.moved,
      invite: () => session.codes.show(room),
      revoke: (invite) => session.codes.end(room, invite),
      poster: (days) => session.codes.poster(room, days),
      print: () => session.ipc.print(),
      codes: async () => (await session.ipc.invites(room)).invites,
      nameOf: (author) => namesOf(session.state.members[room] ?? []).get(author) ?? '…',
      keepAwake: (on) => this.#keepAwake(on),
      moderates: moderates(session.state.rooms[room], session.state.members[room]),
      open: () => session.setClosed(room, false),
      wifi: () => wifiOf(session.state.settings[WIFI]),
      wifiCode: (wifi) => session.ipc.wifiCode(wifi),
      keepWifi: (wifi) => session.setSetting(WIFI, JSON.stringify(wifi)),
    };
    this.#openWatching(dialog, ({ moved, rooms, members }) => {
      if (rooms[room]) return { moved, room: rooms[room], members: members[room] };
      dialog.close();
      return {};
    });
  }

  /** @param {string} room */
  async people(room) {
    const { session } = this;
    const dialog = /** @type {import('./people-dialog.js').PeopleDialog | null} */ (await this.#make('people-dialog'));
    if (!dialog) return;
    dialog.data = {
      room: session.state.rooms[room],
      members: session.state.members[room],
      setClosed: (closed) => session.setClosed(room, closed),
      load: () => session.loadMembers(room),
      leave: (keep) => session.leaveRoom(room, keep),
      setBackup: (on, pass) => session.ipc.backUpRoom(room, on, pass), // the room's line follows by event
      rename: (name) => session.ipc.renameRoom(room, name), // and there, too
      setPrefs: (prefs) => session.setRoomPrefs(room, prefs),
      write: (author) => void this.direct(room, author),
    };
    this.#host.append(dialog);
  }

  /** @param {string} room */
  async menu(room) {
    const { session } = this;
    const dialog = /** @type {import('./room-menu.js').RoomMenu | null} */ (await this.#make('room-menu'));
    if (!dialog) return;
    dialog.data = {
      room: session.state.rooms[room],
      setPrefs: (prefs) => session.setRoomPrefs(room, prefs),
      leave: (keep) => session.leaveRoom(room, keep),
    };
    this.#openWatching(dialog, ({ rooms }) => (rooms[room] ? { room: rooms[room] } : {}));
  }

  /** @param {string} room */
  async network(room) {
    const { session } = this;
    const since = this.#since.get(room) ?? { times: new Map() };
    this.#since.set(room, since);
    const dialog = /** @type {import('./network-dialog.js').NetworkDialog | null} */ (await this.#make('network-dialog'));
    if (!dialog) return;
    dialog.data = { room: session.state.rooms[room], members: session.state.members[room], moved: session.state.moved, map: () => session.ipc.networkMap(room), since };
    this.#openWatching(dialog, ({ rooms, members, moved }) => {
      if (rooms[room]) return { room: rooms[room], members: members[room], moved };
      dialog.close();
      return {};
    });
  }

  /**
   * @param {string} room
   * @param {string} author
   */
  async direct(room, author) {
    this.session.enterTalk(room, author);
    const unread = this.session.state.members[room]?.find((m) => m.author === author)?.directUnread ?? 0;
    const dialog = /** @type {import('./direct-dialog.js').DirectDialog | null} */ (await this.#make('direct-dialog'));
    if (!dialog) return null;
    dialog.data = this.#talk(room, author, unread);
    this.#host.append(dialog);
    return dialog;
  }

  /**
   * @param {string} room
   * @param {(message: string) => void} show Brings a message of the room into view.
   */
  async search(room, show) {
    const { session } = this;
    const dialog = /** @type {import('./search-dialog.js').SearchDialog | null} */ (await this.#make('search-dialog'));
    if (!dialog) return;
    dialog.data = {
      room: session.state.rooms[room],
      people: peopleOf(session.state.members[room] ?? NONE),
      now: Date.now(),
      search: (query, before) => session.ipc.search(room, query, before),
      timeOf: async (message) => (await session.ipc.message(room, message)).timeMs,
      jump: ({ message, direct }) => {
        if (direct === null) show(message);
        else void this.direct(room, direct).then((dialog) => dialog?.show(message));
      },
    };
    this.#host.append(dialog);
  }

  /**
   * @param {string} room
   * @param {string} author
   * @param {number} unreadAtOpen
   * @returns {import('./direct-dialog.js').DirectData}
   */
  #talk(room, author, unreadAtOpen) {
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
      quoted: state.quoted,
      draft: state.drafts[talk] ?? '',
      unreadAtOpen,
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

  /**
   * @param {string} room
   * @param {string} author
   */
  async person(room, author) {
    const { session } = this;
    const dialog = /** @type {import('./person-dialog.js').PersonDialog | null} */ (await this.#make('person-dialog'));
    const shown = this.#person(room, author);
    if (!dialog || !shown) return;
    dialog.data = {
      ...shown,
      verify: () => session.ipc.verifyCode(room, author),
      scan: (frame) => session.ipc.scanFrame(frame),
      keepAwake: (on) => this.#keepAwake(on),
      check: (code) => session.withMember(room, (ipc) => ipc.verifyScan(room, author, code)),
      confirm: (on) => session.withMember(room, (ipc) => ipc.setVerified(room, author, on)),
      link: async () => (await session.ipc.networkMap(room)).people.find((one) => one.author === author),
      confirmMove: () => session.withMember(room, (ipc) => ipc.confirmMove(room, author)),
      acceptKey: () => session.withMember(room, (ipc) => ipc.confirmKey(room, author)),
      mute: (on) => session.withMember(room, (ipc) => ipc.mute(room, author, on)),
      block: (on) => session.block(room, author, on),
      setRole: (role) => session.setRole(room, author, role),
      remove: (hide) => session.removeMember(room, author, hide),
    };
    this.#host.append(dialog);
  }
}

/** One empty list, so that nothing looks changed. @type {never[]} */
const NONE = [];
