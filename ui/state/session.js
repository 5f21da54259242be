/**
 * The UI's one conversation with the shell: subscribes, keeps the store in step, carries out what the
 * person asks for.
 *
 *   shell --batches--> Sequence --in order--> Store --state--> <app-shell>
 *   <app-shell> --methods--> Session --ipc--> shell
 */
import { IpcError, sentence } from '../ipc/index.js';
import { Codes } from './codes.js';
import { lean } from './lean.js';
import { EMPTY, NO_TIMELINE, keyOf, partsOf, talkOf } from './model.js';
import { Outbox } from './outbox.js';
import { reduce } from './reduce.js';
import { NO_RUN } from './run.js';
import { Sequence } from './sequence.js';
import { Store } from './store.js';

/**
 * @typedef {import('./model.js').State} State
 * @typedef {import('./model.js').Action} Action
 * @typedef {import('./model.js').Batch} Batch
 * @typedef {import('../ipc/index.js').Ipc} Ipc
 * @typedef {import('../ipc/types.js').Rules} Rules
 * @typedef {import('../ipc/types.js').Role} Role
 */

/** Messages asked for at once: two screens of a laptop. */
export const PAGE = 60;

/**
 * Messages asked for at once on the way to one that lies far back. The shell gives no more: fewer than were asked for are
 * taken for the beginning of the room.
 */
const REACH_PAGE = 200;

/** An answered message that could not be fetched is asked for again after this. */
const QUOTE_AGAIN_MS = 5000;

/** So many rooms and talks keep what is loaded of them; of those that were left longer ago the newest page is fetched anew. */
export const VISITS_KEPT = 6;

/** A page that somebody else asked for is waited for in steps like this. */
const WAIT_MS = 20;

export class Session {
  #sequence = new Sequence();
  #resyncing = false;
  /** @type {Map<string, string>} The message last reported as seen, by room. */
  #reported = new Map();
  /** Answered messages that are being fetched. @type {Set<string>} */
  #quotes = new Set();
  /** Rooms and talks in the order of the last visit. @type {string[]} */
  #visits = [];

  /** @param {Ipc} ipc */
  constructor(ipc) {
    this.ipc = ipc;
    this.codes = new Codes(ipc);
    /** @type {Store<State, Action>} */
    this.store = new Store(reduce, EMPTY);
    this.outbox = new Outbox(ipc, this.store);
  }

  /** @returns {State} */
  get state() {
    return this.store.state;
  }

  /** Subscribes; a failure shows in the state and may be tried again. */
  async start() {
    this.store.dispatch({ type: 'starting' });
    try {
      const snapshot = await this.ipc.subscribe((batch) => this.#onBatch(batch));
      this.#takeSnapshot(snapshot);
    } catch (error) {
      if (error instanceof IpcError && error.code === 'locked') this.store.dispatch({ type: 'locked' });
      else this.store.dispatch({ type: 'startFailed', error: sentence(error) });
    }
  }

  /**
   * Opens a locked profile and starts; rejects when the passphrase doesn't open it.
   * @param {string} passphrase
   */
  async unlock(passphrase) {
    await this.ipc.unlock(passphrase);
    await this.start();
  }

  /**
   * Puts a profile that has no room under a passphrase, and starts with it.
   * @param {string} passphrase
   */
  async protect(passphrase) {
    await this.ipc.protect(passphrase);
    await this.start();
  }

  /** @param {Batch} batch */
  #onBatch(batch) {
    const wasStale = this.#sequence.stale;
    this.#apply(this.#sequence.push(batch));
    if (this.#sequence.stale && !wasStale) void this.#resync();
  }

  /** @param {Batch[]} batches */
  #apply(batches) {
    for (const { events } of batches) {
      for (const event of events) if (event.kind === 'message' || event.kind === 'changed') lean(event.message);
      this.store.dispatch({ type: 'batch', events });
      for (const event of events) {
        if (event.kind === 'member' && event.member.state === 'removed') void this.#onGone(event.room, event.member.author);
        if (event.kind === 'room' && event.room.closed) this.codes.forget(event.room.room);
        if (event.kind === 'network') this.codes.forgetAll();
      }
    }
  }

  /**
   * Somebody is no longer in the room: a removal ends its codes, and may hide what they wrote.
   * @param {string} room
   * @param {string} author
   */
  async #onGone(room, author) {
    this.codes.forget(room);
    const messages = this.state.timelines[room]?.messages ?? NO_RUN;
    const last = messages.findLastIndex((m) => m.author === author);
    if (last < 0) return;
    try {
      const { messages: [found] } = await this.ipc.history(room, messages.at(last + 1)?.message ?? null, 1);
      if (found?.message !== messages.at(last)?.message) await this.#showAnew(room);
    } catch {
      // Nothing more is known than before: what is on the screen stays.
    }
  }

  /**
   * What is shown of the room is another now, also of what was said long ago.
   * @param {string} room
   */
  async #showAnew(room) {
    this.store.dispatch({ type: 'shownChanged', room });
    await this.#loadNewest(room);
  }

  /** @param {import('./model.js').Snapshot} snapshot */
  #takeSnapshot(snapshot) {
    this.store.dispatch({ type: 'snapshot', snapshot });
    this.#apply(this.#sequence.reset(snapshot.seq));
    if (this.#sequence.stale) void this.#resync();
  }

  /** Batches were lost: take a new snapshot, and load again what is on the screen. */
  async #resync() {
    if (this.#resyncing) return;
    this.#resyncing = true;
    const RETRY_MS = 1000;
    try {
      for (;;) {
        try {
          const snapshot = await this.ipc.snapshot();
          this.#resyncing = false;
          this.#takeSnapshot(snapshot);
          break;
        } catch {
          // Until a snapshot comes nothing can be shown in order; the rest of the page goes on.
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        }
      }
    } finally {
      this.#resyncing = false;
    }
    for (const room of Object.keys(this.state.timelines)) {
      void this.#loadNewest(room);
      if (this.state.members[room]) void this.#lookAgain(room);
    }
  }

  /**
   * Tells the shell which room is on the screen; at worst it notifies of what the person is reading.
   * @param {string | null} room
   */
  lookAt(room) {
    this.ipc.lookingAt(room).catch((problem) => console.info('the shell was not told', problem));
  }

  /**
   * Loads what a room's screen shows.
   * @param {string} room
   */
  enterRoom(room) {
    this.#visit(room);
    const timeline = this.state.timelines[room];
    if (!timeline || timeline.loading === 'failed') void this.#loadNewest(room);
    void this.#lookAgain(room); // names for "seen by" may come later
  }

  /**
   * Loads what was said with one person alone.
   * @param {string} room
   * @param {string} author
   * @returns {string} The talk's key: what the room's methods take for it.
   */
  enterTalk(room, author) {
    const talk = talkOf(room, author);
    this.#visit(room, talk); // it lies over its room, which stays
    const timeline = this.state.timelines[talk];
    if (!timeline || timeline.loading === 'failed') void this.#loadNewest(talk);
    return talk;
  }

  /**
   * Lets go of what is loaded of those that were left some visits ago: after a look far back that may be all of a room. One
   * that is loading waits for the next visit, since its page would begin a run without the newest.
   * @param {...string} keys
   */
  #visit(...keys) {
    this.#visits = [...this.#visits.filter((known) => !keys.includes(known)), ...keys];
    const kept = new Set(this.#visits.slice(-VISITS_KEPT));
    const over = Object.entries(this.state.timelines).filter(([key, { loading }]) => !kept.has(key) && loading !== 'loading').map(([key]) => key);
    if (over.length > 0) this.store.dispatch({ type: 'letGoOf', keys: over });
    this.#visits = this.#visits.filter((key) => kept.has(key));
  }

  /** @param {string} room */
  async #loadNewest(room) {
    this.store.dispatch({ type: 'loading', room });
    await this.#loadPage(room, null);
  }

  /**
   * The page before what is loaded. Does nothing while one is on its way.
   * @param {string} room
   * @param {number} [limit]
   */
  async loadOlder(room, limit = PAGE) {
    const timeline = this.state.timelines[room] ?? NO_TIMELINE;
    if (timeline.loading === 'loading' || timeline.complete) return;
    this.store.dispatch({ type: 'loading', room });
    await this.#loadPage(room, timeline.messages.at(0)?.message ?? null, limit);
  }

  /**
   * Loads pages until a message is there.
   * @param {string} room
   * @param {string} message
   * @param {(loaded: number) => boolean} goesOn Told after every page; false ends it.
   * @returns {Promise<'here' | 'unknown' | 'failed' | 'ended'>}
   */
  async reach(room, message, goesOn) {
    const timeline = () => this.state.timelines[room] ?? NO_TIMELINE;
    if (timeline().messages.indexOf(message) >= 0) return 'here';
    const found = await this.#find(partsOf(room).room, message);
    if (found === 'failed') return 'failed';
    if (found === null || keyOf(found) !== room) return 'unknown';
    for (;;) {
      const { messages, complete, loading } = timeline();
      if (messages.indexOf(message) >= 0) return 'here';
      if (!goesOn(messages.length)) return 'ended';
      if (complete) return 'unknown'; // known to the shell, but not shown: its author is blocked
      if (loading === 'loading') await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
      else await this.loadOlder(room, REACH_PAGE);
      if (timeline().loading === 'failed') return 'failed';
    }
  }

  /**
   * Fetches a message that another one answers, once.
   * @param {string} room
   * @param {string} message
   */
  async wantQuote(room, message) {
    if (this.#quotes.has(message) || Object.hasOwn(this.state.quoted, message)) return;
    this.#quotes.add(message);
    const found = await this.#find(partsOf(room).room, message);
    if (found === 'failed') {
      setTimeout(() => this.#quotes.delete(message), QUOTE_AGAIN_MS); // a page that shows it asks all the time
      return;
    }
    this.#quotes.delete(message);
    this.store.dispatch({ type: 'quoted', message, found });
  }

  /**
   * @param {string} room
   * @param {string} message
   * @returns {Promise<import('./model.js').Message | null | 'failed'>} Null: it isn't on this device.
   */
  async #find(room, message) {
    try {
      return await this.ipc.message(room, message);
    } catch (error) {
      return error instanceof IpcError && error.code === 'message_unknown' ? null : 'failed';
    }
  }

  /**
   * @param {string} room
   * @param {string | null} before
   * @param {number} [limit]
   */
  async #loadPage(room, before, limit = PAGE) {
    try {
      const { room: inside, author } = partsOf(room);
      const { messages } = author === null
        ? await this.ipc.history(room, before, limit)
        : await this.ipc.directHistory(inside, author, before, limit);
      if (!this.state.rooms[inside]) return;
      messages.forEach(lean);
      this.store.dispatch({ type: 'page', room, messages, complete: messages.length < limit, newest: before === null });
    } catch {
      this.store.dispatch({ type: 'loadFailed', room });
    }
  }

  /** @param {string} room */
  async loadMembers(room) {
    const { members } = await this.ipc.members(room);
    this.store.dispatch({ type: 'members', room, members });
  }

  /**
   * The same, where it is no matter of failing: what was known of the members stays until they are looked at the next time.
   * @param {string} room
   */
  async #lookAgain(room) {
    try {
      await this.loadMembers(room);
    } catch (error) {
      console.info('the members could not be loaded', error);
    }
  }

  /**
   * The newest message on the screen was looked at. Looking back at older ones is no news.
   * @param {string} room
   * @param {string} message
   */
  async markSeen(room, message) {
    const messages = this.state.timelines[room]?.messages ?? NO_RUN;
    const before = this.#reported.get(room);
    if (message === before) return; // nearly always: the same one is looked at on
    const at = messages.indexOf(message);
    if (at < 0 || (before !== undefined && at <= messages.indexOf(before))) return;
    this.#reported.set(room, message);
    try {
      await this.ipc.markSeen(partsOf(room).room, message);
      this.store.dispatch({ type: 'seen', room, message });
    } catch {
      // The next look reports it again.
      if (before === undefined) this.#reported.delete(room);
      else this.#reported.set(room, before);
    }
  }

  /** @param {string} name */
  async setName(name) {
    await this.ipc.setName(name);
    this.store.dispatch({ type: 'named', name });
  }

  /**
   * @param {string} name
   * @param {Rules} options
   * @returns {Promise<string>} The room's id.
   */
  async createRoom(name, options) {
    const { room } = await this.ipc.createRoom(name, options);
    await this.#waitForRoom(room);
    return room;
  }

  /**
   * @param {string} link
   * @returns {Promise<string>} The room's id.
   */
  async join(link) {
    return this.#enter(() => this.ipc.joinRoom(link));
  }

  /**
   * As `join`, while the code back is on the screen.
   * @param {string} link
   * @returns {Promise<string>} The room's id.
   */
  async joinShownBack(link) {
    return this.#enter(() => this.ipc.joinShownBack(link));
  }

  /** @param {() => Promise<import('../ipc/types.js').Joined>} join */
  async #enter(join) {
    this.store.dispatch({ type: 'joinStarted' });
    const { room } = await join();
    await this.#waitForRoom(room);
    return room;
  }

  async cancelJoin() {
    await this.ipc.cancelJoin();
  }

  /**
   * The reply to a command may overtake the event that brings the room: fetch it then. The count of
   * batches stays: one that is on its way may hold messages, which a snapshot doesn't.
   * @param {string} room
   */
  async #waitForRoom(room) {
    if (this.state.rooms[room]) return;
    this.store.dispatch({ type: 'snapshot', snapshot: await this.ipc.snapshot() });
  }

  async wipe() {
    await this.ipc.wipe();
  }

  /**
   * @param {string} room
   * @param {string} author
   * @param {boolean} on
   */
  async block(room, author, on) {
    await this.ipc.block(room, author, on);
    await Promise.all([this.#showAnew(room), this.#lookAgain(room)]);
  }

  /**
   * @param {string} room
   * @param {string} author
   * @param {Role} role
   */
  async setRole(room, author, role) {
    await this.withMember(room, (ipc) => ipc.setRole(room, author, role));
  }

  /**
   * @param {string} room
   * @param {string} author
   * @param {boolean} hide Whether what they wrote goes from everybody's screen.
   */
  async removeMember(room, author, hide) {
    await this.withMember(room, (ipc) => (hide ? ipc.banMember(room, author) : ipc.removeMember(room, author)));
  }

  /**
   * @param {string} room
   * @param {boolean} closed
   */
  async setClosed(room, closed) {
    await this.ipc.closeRoom(room, closed); // the room's line in the list follows by event
    this.codes.forget(room); // so that no code is shown that lets nobody in
  }

  /**
   * Does something about a member, and looks at the members again.
   * @param {string} room
   * @param {(ipc: Ipc) => Promise<unknown>} act
   */
  async withMember(room, act) {
    await act(this.ipc);
    await this.#lookAgain(room);
  }

  /**
   * @param {string} room
   * @param {boolean} keep Whether its history stays on this device.
   */
  async leaveRoom(room, keep) {
    await this.ipc.leaveRoom(room, keep);
    if (!keep) this.store.dispatch({ type: 'left', room });
  }

  /**
   * @param {string} room
   * @param {Partial<{favourite: boolean, muted: boolean}>} prefs What is not named stays.
   */
  async setRoomPrefs(room, prefs) {
    const { favourite, muted } = this.state.rooms[room];
    await this.ipc.setRoomPrefs(room, { favourite, muted, ...prefs });
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  async setSetting(name, value) {
    await this.ipc.setSetting(name, value);
    this.store.dispatch({ type: 'setting', name, value });
  }

  /** The room whose notification was chosen is on the screen. */
  takeWanted() {
    this.store.dispatch({ type: 'wantedTaken' });
  }

  /** The link that came from outside has been looked at. */
  takeLink() {
    this.store.dispatch({ type: 'linkTaken' });
  }
}
