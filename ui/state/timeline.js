/**
 * From messages to the rows of the message list: day lines, the new-message line, groups of one
 * author, the state of my own messages. Pure.
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
 * @property {boolean} first First of a group: shows who speaks.
 * @property {boolean} last Last of a group: shows the tail.
 * @property {string[]} seenBy
 *
 * @typedef {{kind: 'day', key: string, timeMs: number}} DayRow
 * @typedef {{kind: 'new', key: string}} NewRow
 * @typedef {{kind: 'top', key: string, state: 'loading' | 'failed' | 'complete' | 'more'}} TopRow
 * @typedef {MessageRow | DayRow | NewRow | TopRow} Row
 */
import { dayKey } from '../lib/time.js';

/** Two messages of one author further apart than this stand in two groups. */
const GROUP_MS = 5 * 60_000;

/**
 * @param {Timeline} timeline
 * @param {Pending[]} pending
 * @param {string | null} firstUnread The message under the new-message line.
 * @returns {Row[]}
 */
export function toRows(timeline, pending, firstUnread) {
  /** @type {Row[]} */
  const rows = [{ kind: 'top', key: 'top', state: topState(timeline) }];
  /** @type {MessageRow | null} */
  let previous = null;
  let day = '';

  /** @param {MessageRow} row */
  const add = (row) => {
    const today = dayKey(row.timeMs);
    if (today !== day) {
      rows.push({ kind: 'day', key: `day:${today}:${row.key}`, timeMs: row.timeMs });
      previous = null;
      day = today;
    }
    if (firstUnread !== null && row.message === firstUnread) {
      rows.push({ kind: 'new', key: 'new' });
      previous = null;
    }
    if (previous && joins(previous, row)) {
      previous.last = false;
      row.first = false;
    }
    rows.push(row);
    previous = row;
  };

  for (const message of timeline.messages) add(messageRow(message));
  for (const one of pending) add(pendingRow(one));
  return rows;
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
 * @param {MessageRow} a
 * @param {MessageRow} b
 * @returns {boolean}
 */
function joins(a, b) {
  return a.author === b.author && Math.abs(b.timeMs - a.timeMs) < GROUP_MS;
}

/** Stands for my author id in rows: a queued message doesn't know it yet, and groups must hold. */
const ME = 'me';

/**
 * @param {Message} message
 * @returns {MessageRow}
 */
function messageRow(message) {
  const { mine, clientId, seenBy } = message;
  const state = !mine ? 'received' : seenBy.length > 0 ? 'seen' : 'saved';
  return {
    kind: 'message',
    key: clientId ? `c:${clientId}` : `m:${message.message}`,
    message: message.message,
    clientId: clientId ?? '',
    author: mine ? ME : message.author,
    name: message.name,
    text: message.text,
    timeMs: message.timeMs,
    mine,
    state,
    error: '',
    first: true,
    last: true,
    seenBy,
  };
}

/**
 * @param {Pending} pending
 * @returns {MessageRow}
 */
function pendingRow({ clientId, text, timeMs, state, error }) {
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
    first: true,
    last: true,
    seenBy: [],
  };
}

/**
 * The message under which the new-message line goes, when a room with `unread` messages is opened.
 * @param {Message[]} messages
 * @param {number} unread
 * @returns {string | null} Null when nothing is unread, or when it lies further back than what is loaded.
 */
export function firstUnread(messages, unread) {
  let left = unread;
  if (left === 0) return null;
  for (let i = messages.length - 1; i >= 0; i -= 1) {
    if (messages[i].mine) continue;
    left -= 1;
    if (left === 0) return messages[i].message;
  }
  return null;
}
