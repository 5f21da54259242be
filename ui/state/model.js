/**
 * The shape of what the UI knows, and its empty value.
 *
 * @typedef {import('../ipc/types.js').Room} Room
 * @typedef {import('../ipc/types.js').Message} Message
 * @typedef {import('../ipc/types.js').Member} Member
 * @typedef {import('../ipc/types.js').Batch} Batch
 * @typedef {import('../ipc/types.js').Snapshot} Snapshot
 * @typedef {import('../ipc/types.js').UiEvent} UiEvent
 * @typedef {import('../ipc/types.js').JoinStage} JoinStage
 *
 * @typedef {object} Timeline The messages of one room that are loaded: an unbroken run up to the newest.
 * @property {import('./run.js').Run} messages Oldest first.
 * @property {boolean} complete Nothing older is on this device.
 * @property {'idle' | 'loading' | 'failed'} loading
 * @property {Message[]} early Arrivals older than the run, until their page comes.
 *
 * @typedef {object} Pending A message of mine that has no reply from the shell yet, or a refusal.
 * @property {string} clientId
 * @property {string} text
 * @property {number} timeMs
 * @property {string | null} replyTo
 * @property {string[]} mentions
 * @property {'queued' | 'failed'} state
 * @property {string} error The sentence to show when it failed.
 *
 * A talk is what two people of a room say to each other alone. Where a room's id stands as a key, a
 * talk's does, too; see `talkOf`.
 *
 * @typedef {object} State
 * @property {'starting' | 'locked' | 'ready' | 'failed'} phase
 * @property {string} error Why starting failed.
 * @property {string} name Mine; empty before the first start is done.
 * @property {import('../ipc/types.js').KeyPlace} key What keeps the key to this device's data.
 * @property {Record<string, Room>} rooms
 * @property {Record<string, Timeline>} timelines Only of rooms and talks that were opened; likewise below.
 * @property {Record<string, Pending[]>} pending
 * @property {Record<string, Member[]>} members
 * @property {Record<string, string>} drafts
 * @property {Record<string, string>} settings
 * @property {Record<string, Message | null>} quoted Messages that others answer and that are not loaded, by id; null: not here.
 * @property {string | null} link A link opened outside of the app, until somebody has looked at it.
 * @property {string | null} wanted A room to go to, whose notification was chosen, until the page is there.
 * @property {JoinStage | null} joinStage
 * @property {number} moved How often this device's addresses have changed: what names them, or depends on them, is looked at anew.
 *
 * @typedef {{type: 'snapshot', snapshot: Snapshot}
 *   | {type: 'startFailed', error: string}
 *   | {type: 'starting'}
 *   | {type: 'locked'}
 *   | {type: 'batch', events: UiEvent[]}
 *   | {type: 'named', name: string}
 *   | {type: 'queued', room: string, pending: Pending}
 *   | {type: 'saved', clientId: string, message: Message}
 *   | {type: 'sendFailed', room: string, clientId: string, error: string}
 *   | {type: 'retried', room: string, clientId: string}
 *   | {type: 'discarded', room: string, clientId: string}
 *   | {type: 'loading', room: string}
 *   | {type: 'loadFailed', room: string}
 *   | {type: 'page', room: string, messages: Message[], complete: boolean, newest: boolean}
 *   | {type: 'members', room: string, members: Member[]}
 *   | {type: 'seen', room: string, message: string}
 *   | {type: 'draft', room: string, text: string}
 *   | {type: 'setting', name: string, value: string}
 *   | {type: 'linkTaken'}
 *   | {type: 'wantedTaken'}
 *   | {type: 'changed', message: Message}
 *   | {type: 'quoted', message: string, found: Message | null}
 *   | {type: 'joinStarted'}
 *   | {type: 'shownChanged', room: string}
 *   | {type: 'letGoOf', keys: string[]}
 *   | {type: 'left', room: string}} Action
 */

import { NO_RUN } from './run.js';

/** @type {Readonly<State>} */
export const EMPTY = Object.freeze({
  phase: 'starting',
  error: '',
  name: '',
  key: 'file',
  rooms: {},
  timelines: {},
  pending: {},
  members: {},
  drafts: {},
  settings: {},
  quoted: {},
  link: null,
  wanted: null,
  joinStage: null,
  moved: 0,
});

/** @type {Readonly<Timeline>} */
export const NO_TIMELINE = Object.freeze({ messages: NO_RUN, complete: false, loading: 'idle', early: [] });

/**
 * Rooms in the order of the list: favourites, then the latest word first, then by name.
 * @param {State} state
 * @returns {Room[]}
 */
export function sortedRooms(state) {
  return Object.values(state.rooms).sort((a, b) =>
    Number(b.favourite) - Number(a.favourite) || (b.last?.timeMs ?? 0) - (a.last?.timeMs ?? 0) || a.name.localeCompare(b.name) || (a.room < b.room ? -1 : 1));
}

/**
 * The key of what is said with one person alone.
 * @param {string} room
 * @param {string} author
 * @returns {string}
 */
export function talkOf(room, author) {
  return `${room}/${author}`;
}

/**
 * @param {string} key A room's id or a talk's key.
 * @returns {{room: string, author: string | null}}
 */
export function partsOf(key) {
  const [room, author] = key.split('/');
  return { room, author: author ?? null };
}

/**
 * Where a message stands.
 * @param {Message} message
 * @returns {string}
 */
export function keyOf(message) {
  return message.direct === null || message.direct === undefined ? message.room : talkOf(message.room, message.direct);
}
