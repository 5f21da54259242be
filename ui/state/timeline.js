/**
 * From messages to the rows of the message list: day lines, the new-message line, groups of one
 * author, the state of my own messages. Pure.
 *
 *   row 0             what stands above the first message: loading, the beginning
 *   rows 1 .. n       a message each; lines that stand above one belong to its row
 *   rows n+1 ..       my messages that have no answer from the shell yet
 *
 * A row is made when it is asked for, so a run of a hundred thousand costs what is on the screen.
 *
 * @typedef {import('./model.js').Message} Message
 * @typedef {import('./model.js').Pending} Pending
 * @typedef {import('./model.js').Timeline} Timeline
 *
 * @typedef {'queued' | 'saved' | 'seen' | 'failed' | 'received'} MessageState
 *
 * @typedef {object} MessageRow
 * @property {'message'} kind
 * @property {string} key Stays the same from queued to seen, so that the bubble stays the same element.
 * @property {string} message Empty while it has no id.
 * @property {string} clientId Empty when it isn't from this window.
 * @property {string} author
 * @property {string} name
 * @property {string} text
 * @property {number} timeMs
 * @property {boolean} mine
 * @property {MessageState} state
 * @property {string} error
 * @property {boolean} day A line with its day stands above it.
 * @property {boolean} isNew The new-message line stands above it.
 * @property {boolean} first First of a group: shows who speaks.
 * @property {boolean} last Last of a group: shows the tail.
 * @property {string[]} seenBy
 * @property {number} sentTo
 * @property {string | null} replyTo
 * @property {string[]} mentions
 * @property {import('../ipc/types.js').Reaction[]} reactions
 * @property {boolean} edited
 * @property {boolean} deleted
 * @property {boolean} newer
 *
 * @typedef {{kind: 'top', key: 'top', state: 'loading' | 'failed' | 'complete' | 'more'}} TopRow
 * @typedef {MessageRow | TopRow} Row
 */
import { dayKey } from '../lib/time.js';

/** Two messages of one author further apart than this stand in two groups. */
const GROUP_MS = 5 * 60_000;

/** Stands for my author id in rows: a queued message doesn't know it yet, and groups must hold. */
export const ME = 'me';

export class TimelineRows {
  /**
   * @param {Timeline} timeline
   * @param {Pending[]} pending
   * @param {string | null} firstUnread The message under the new-message line.
   */
  constructor(timeline, pending, firstUnread) {
    this.timeline = timeline;
    this.pending = pending;
    this.firstUnread = firstUnread;
    this.count = 1 + timeline.messages.length + pending.length;
  }

  /**
   * @param {number} index From 0 up to, not including, `count`.
   * @returns {Row}
   */
  at(index) {
    if (index === 0) return { kind: 'top', key: 'top', state: topState(this.timeline) };
    const item = this.#item(index);
    if (!item) throw new RangeError(`no row ${index} of ${this.count}`);
    const { day, isNew, first } = this.#head(this.#item(index - 1), item);
    const next = this.#item(index + 1);
    const last = !next || this.#head(item, next).first;
    return 'message' in item ? messageRow(item, day, isNew, first, last) : pendingRow(item, day, isNew, first, last);
  }

  /**
   * @param {string} key Of a row.
   * @returns {number} -1 when it is not there.
   */
  indexOf(key) {
    if (key === 'top') return 0;
    const id = key.slice(2);
    const { messages } = this.timeline;
    if (key.startsWith('m:')) {
      const index = messages.indexOf(id);
      return index < 0 ? -1 : index + 1;
    }
    const waiting = this.pending.findIndex((p) => p.clientId === id);
    if (waiting >= 0) return 1 + messages.length + waiting;
    const sent = messages.findLastIndex((m) => m.clientId === id);
    return sent < 0 ? -1 : sent + 1;
  }

  /**
   * @param {string} message
   * @returns {number} The row of a message; -1 when it is not loaded.
   */
  rowOf(message) {
    const index = this.timeline.messages.indexOf(message);
    return index < 0 ? -1 : index + 1;
  }

  /** @returns {Message | undefined} */
  get newest() {
    return this.timeline.messages.at(-1);
  }

  /**
   * Where the rows differ from those before.
   * @param {TimelineRows} next
   * @returns {{start: number, removed: number, added: number}[]} To be carried out one after the other.
   */
  changes(next) {
    const list = [];
    if (this.timeline.messages !== next.timeline.messages) {
      const { start, removed, added } = this.timeline.messages.change(next.timeline.messages);
      list.push({ start: start + 1, removed, added });
    }
    if (this.pending !== next.pending) {
      list.push({ start: 1 + next.timeline.messages.length, removed: this.pending.length, added: next.pending.length });
    }
    return list.filter(({ removed, added }) => removed > 0 || added > 0);
  }

  /**
   * @param {number} index
   * @returns {Message | Pending | undefined}
   */
  #item(index) {
    const { messages } = this.timeline;
    if (index < 1) return undefined;
    return index <= messages.length ? messages.at(index - 1) : this.pending[index - 1 - messages.length];
  }

  /**
   * @param {Message | Pending | undefined} previous
   * @param {Message | Pending} item
   */
  #head(previous, item) {
    const day = !previous || dayKey(previous.timeMs) !== dayKey(item.timeMs);
    const isNew = this.firstUnread !== null && 'message' in item && item.message === this.firstUnread;
    const first = day || isNew || !previous || authorOf(previous) !== authorOf(item)
      || Math.abs(item.timeMs - previous.timeMs) >= GROUP_MS;
    return { day, isNew, first };
  }
}

/**
 * @param {Message | Pending} item
 * @returns {string}
 */
function authorOf(item) {
  return 'message' in item && !item.mine ? item.author : ME;
}

/**
 * @param {Timeline} timeline
 * @returns {TopRow['state']}
 */
function topState(timeline) {
  if (timeline.loading !== 'idle') return timeline.loading;
  return timeline.complete ? 'complete' : 'more';
}

/**
 * @param {Message} message
 * @param {boolean} day
 * @param {boolean} isNew
 * @param {boolean} first
 * @param {boolean} last
 * @returns {MessageRow}
 */
function messageRow(message, day, isNew, first, last) {
  const { mine, clientId, seenBy } = message;
  return {
    kind: 'message',
    key: clientId ? `c:${clientId}` : `m:${message.message}`,
    message: message.message,
    clientId: clientId ?? '',
    author: authorOf(message),
    name: message.name,
    text: message.text,
    timeMs: message.timeMs,
    mine,
    state: !mine ? 'received' : seenBy.length > 0 ? 'seen' : 'saved',
    error: '',
    day,
    isNew,
    first,
    last,
    seenBy,
    sentTo: message.sentTo,
    replyTo: message.replyTo,
    mentions: message.mentions,
    reactions: message.reactions,
    edited: message.editedMs !== null,
    deleted: message.deleted,
    newer: message.newer,
  };
}

/** @type {never[]} */
const NONE = [];

/**
 * @param {Pending} pending
 * @param {boolean} day
 * @param {boolean} isNew
 * @param {boolean} first
 * @param {boolean} last
 * @returns {MessageRow}
 */
function pendingRow({ clientId, text, timeMs, state, error, replyTo, mentions }, day, isNew, first, last) {
  return {
    kind: 'message',
    key: `c:${clientId}`,
    message: '',
    clientId,
    author: ME,
    name: '',
    text,
    timeMs,
    mine: true,
    state,
    error,
    day,
    isNew,
    first,
    last,
    seenBy: NONE,
    sentTo: 0,
    replyTo,
    mentions,
    reactions: NONE,
    edited: false,
    deleted: false,
    newer: false,
  };
}

/** Nobody's messages are unread that this device says nothing of. */
const quiet = (/** @type {import('./model.js').Member} */ member) => member.muted || member.blocked;

/**
 * Under which message the new-message line stands while a talk is on the screen. It stays where it was put; until as much is
 * loaded as was unread, nobody knows where that is.
 */
export class NewLine {
  #unread;
  /** The newest message when the count began: what comes later is not counted. @type {string | null} */
  #upTo = null;
  /** @type {string | null | undefined} */
  #at = undefined;
  /** What was looked through already. @type {import('./run.js').Run | null} */
  #looked = null;

  /** @param {number} unread What was unread when the talk was opened; the muted aren't counted. */
  constructor(unread) {
    this.#unread = unread;
  }

  /**
   * @param {Timeline} timeline
   * @param {import('./model.js').Member[]} members Of a room; none before they are known.
   * @returns {string | null}
   */
  in(timeline, members) {
    const { messages, loading, complete } = timeline;
    if (this.#unread === 0 || this.#at !== undefined) return this.#at ?? null;
    if (loading !== 'idle' || members.length === 0 || messages === this.#looked) return null;
    this.#looked = messages;
    this.#upTo ??= messages.at(-1)?.message ?? null;
    const end = this.#upTo === null ? -1 : messages.indexOf(this.#upTo);
    const muted = new Set(members.filter(quiet).map((member) => member.author));
    this.#at = firstUnread(messages, this.#unread, { end: end < 0 ? messages.length - 1 : end, muted, complete });
    return this.#at ?? null;
  }
}

/**
 * The message above which `unread` ones of others begin.
 * @param {import('./run.js').Run} messages
 * @param {number} unread
 * @param {{end: number, muted: ReadonlySet<string>, complete: boolean}} where `end`: the last one that counts; `complete`:
 *   there are no older ones, so that the oldest of others is meant where there are too few.
 * @returns {string | null | undefined} Null when nothing is unread, undefined when it lies further back than what is loaded.
 */
export function firstUnread(messages, unread, { end, muted, complete }) {
  if (unread === 0) return null;
  let left = unread;
  /** @type {string | undefined} */
  let oldest;
  for (let i = end; i >= 0 && left > 0; i -= 1) {
    const message = messages.at(i);
    if (!message || message.mine || muted.has(message.author)) continue;
    left -= 1;
    oldest = message.message;
  }
  if (left === 0) return oldest;
  return complete ? oldest ?? null : undefined;
}
