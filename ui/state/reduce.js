/**
 * `reduce(state, action) -> state`: every change of what the UI knows. Pure.
 *
 * @typedef {import('./model.js').State} State
 * @typedef {import('./model.js').Action} Action
 * @typedef {import('./model.js').Message} Message
 * @typedef {import('./model.js').UiEvent} UiEvent
 * @typedef {import('./model.js').Pending} Pending
 */
import { addPage, change, letGo, place } from './messages.js';
import { NO_TIMELINE, keyOf, partsOf, talkOf } from './model.js';

/**
 * @param {State} state
 * @param {Action} action
 * @returns {State}
 */
export function reduce(state, action) {
  switch (action.type) {
    case 'starting':
      return { ...state, phase: 'starting', error: '' };
    case 'locked':
      return { ...state, phase: 'locked', error: '' };
    case 'startFailed':
      return { ...state, phase: 'failed', error: action.error };
    case 'snapshot':
      return takeSnapshot(state, action.snapshot);
    case 'batch':
      return applyEvents(state, action.events);
    case 'named':
      return { ...state, name: action.name };
    case 'queued':
      return withPending(state, action.room, (list) => [...list, action.pending]);
    case 'saved': {
      const room = keyOf(action.message);
      const settled = withPending(state, room, (list) => list.filter((p) => p.clientId !== action.clientId));
      return takeMessages(settled, room, [{ ...action.message, clientId: action.clientId }]);
    }
    case 'sendFailed':
      return withPending(state, action.room, (list) => list.map((p) =>
        p.clientId === action.clientId ? { ...p, state: 'failed', error: action.error } : p));
    case 'retried':
      return withPending(state, action.room, (list) => list.map((p) =>
        p.clientId === action.clientId ? { ...p, state: 'queued', error: '' } : p));
    case 'discarded':
      return withPending(state, action.room, (list) => list.filter((p) => p.clientId !== action.clientId));
    case 'loading':
      return withTimeline(state, action.room, { ...timelineOf(state, action.room), loading: 'loading' });
    case 'loadFailed':
      return withTimeline(state, action.room, { ...timelineOf(state, action.room), loading: 'failed' });
    case 'page':
      return withTimeline(state, action.room,
        addPage(timelineOf(state, action.room), action.messages, action.complete, action.newest));
    case 'members':
      return { ...state, members: { ...state.members, [action.room]: action.members } };
    case 'seen':
      return markSeen(state, action.room, action.message);
    case 'draft':
      return { ...state, drafts: { ...state.drafts, [action.room]: action.text } };
    case 'setting':
      return withSetting(state, action.name, action.value);
    case 'changed':
      return takeChange(state, action.message);
    case 'quoted':
      return { ...state, quoted: withQuote(state.quoted, action.message, action.found) };
    case 'linkTaken':
      return { ...state, link: null };
    case 'wantedTaken':
      return { ...state, wanted: null };
    case 'joinStarted':
      return { ...state, joinStage: null };
    case 'shownChanged':
      return {
        ...state,
        timelines: Object.fromEntries(Object.entries(state.timelines).filter(([room]) => room !== action.room)),
        quoted: withoutQuotes(state.quoted, action.room),
      };
    case 'letGoOf':
      return { ...state, timelines: Object.fromEntries(Object.entries(state.timelines).filter(([key]) => !action.keys.includes(key))) };
    case 'left':
      return withoutRoom(state, action.room);
  }
}

/**
 * @param {State} state
 * @param {import('./model.js').Snapshot} snapshot
 * @returns {State}
 */
function takeSnapshot(state, snapshot) {
  const rooms = Object.fromEntries(snapshot.rooms.map((room) => [room.room, room]));
  const kept = snapshot.drafts.map(({ room, to, text }) => [to === null ? room : talkOf(room, to), text]);
  return {
    ...state,
    phase: 'ready',
    error: '',
    name: snapshot.profile.name ?? '',
    key: snapshot.profile.key,
    rooms,
    // What this window has written is newer than what the shell has kept of it.
    drafts: { ...Object.fromEntries(kept), ...state.drafts },
    settings: snapshot.settings,
  };
}

/**
 * @param {State} state
 * @param {string} name
 * @param {string} value
 * @returns {State}
 */
function withSetting(state, name, value) {
  return state.settings[name] === value ? state : { ...state, settings: { ...state.settings, [name]: value } };
}

/**
 * All messages of a batch enter their room at once: a history of thousands streams in as batches.
 * @param {State} state
 * @param {UiEvent[]} events
 * @returns {State}
 */
function applyEvents(state, events) {
  /** @type {Map<string, Message[]>} */
  const messages = new Map();
  for (const event of events) {
    if (event.kind !== 'message') continue;
    const room = keyOf(event.message);
    const list = messages.get(room);
    if (list) list.push(event.message);
    else messages.set(room, [event.message]);
  }
  let next = state;
  for (const [room, list] of messages) next = takeMessages(next, room, list);
  for (const event of events) next = applyEvent(next, event);
  return next;
}

/**
 * @param {State} state
 * @param {UiEvent} event
 * @returns {State}
 */
function applyEvent(state, event) {
  switch (event.kind) {
    case 'message':
      return state; // taken with the others of its batch
    case 'receipt':
      return withMessage(state, event, (m) => ({ ...m, seenBy: event.seenBy }));
    case 'sent':
      return withMessage(state, event, (m) => ({ ...m, sentTo: event.sentTo }));
    case 'changed':
      return takeChange(state, event.message);
    case 'member': {
      const members = state.members[event.room];
      if (!members) return state;
      const others = members.filter((m) => m.author !== event.member.author);
      const now = event.member.state === 'removed' ? others : [...others, event.member];
      return { ...state, members: { ...state.members, [event.room]: now } };
    }
    case 'room':
      return { ...state, rooms: { ...state.rooms, [event.room.room]: event.room } };
    case 'letGo': {
      const timeline = state.timelines[event.room];
      const next = { ...state, quoted: letGoQuotes(state.quoted, event.room, event.beforeMs) };
      return timeline ? withTimeline(next, event.room, letGo(timeline, event.beforeMs)) : next;
    }
    case 'setting':
      return withSetting(state, event.name, event.value);
    case 'link':
      return { ...state, link: event.link };
    case 'show':
      return { ...state, wanted: event.room };
    case 'roomGone':
      return withoutRoom(state, event.room);
    case 'join':
      return { ...state, joinStage: event.stage };
    case 'network':
      return { ...state, moved: state.moved + 1 };
    case 'fork': {
      const members = state.members[event.room];
      if (!members) return state;
      const marked = members.map((m) => (m.author === event.author ? { ...m, forked: true } : m));
      return { ...state, members: { ...state.members, [event.room]: marked } };
    }
    default:
      return state; // a kind that a newer shell knows
  }
}

/**
 * @param {State} state
 * @param {string} room
 * @param {Message[]} arrivals
 * @returns {State}
 */
function takeMessages(state, room, arrivals) {
  const { pending, messages } = settleMine(state.pending[room] ?? NONE, arrivals);
  let next = pending === state.pending[room] || pending === NONE ? state : withPending(state, room, () => pending);
  // Before its first page a room's run has no end to add to: the page brings these messages too.
  const timeline = next.timelines[room];
  if (timeline) next = withTimeline(next, room, place(timeline, messages));
  const asked = messages.filter((m) => Object.hasOwn(next.quoted, m.message));
  if (asked.length > 0) next = { ...next, quoted: { ...next.quoted, ...Object.fromEntries(asked.map((m) => [m.message, m])) } };

  const known = next.rooms[room];
  const newest = messages.reduce((a, b) => (b.timeMs >= a.timeMs ? b : a));
  if (known && newest.timeMs >= (known.last?.timeMs ?? 0)) {
    next = { ...next, rooms: { ...next.rooms, [room]: { ...known, last: lastOf(newest) } } };
  }
  return next;
}

/**
 * @param {Message} message
 * @returns {import('../ipc/types.js').LastMessage} As the list of rooms shows it.
 */
function lastOf({ name, text, timeMs, deleted, newer }) {
  return { name, text, timeMs, deleted, newer };
}

/**
 * Something about one message that is loaded is another now.
 * @param {State} state
 * @param {{room: string, message: string}} which
 * @param {(message: Message) => Message} how
 * @returns {State}
 */
function withMessage(state, which, how) {
  for (const [key, timeline] of Object.entries(state.timelines)) {
    if (partsOf(key).room !== which.room) continue;
    const next = change(timeline, which.message, how);
    if (next) return withTimeline(state, key, next);
  }
  return state;
}

/**
 * An edit, a deletion, a reaction: the message stands where it stood, and wherever it is quoted.
 * @param {State} state
 * @param {Message} message
 * @returns {State}
 */
function takeChange(state, message) {
  const key = keyOf(message);
  const timeline = state.timelines[key];
  const changed = timeline ? change(timeline, message.message, () => message) : null;
  let next = changed ? withTimeline(state, key, changed) : state;
  const room = next.rooms[key];
  if (room?.last && room.last.timeMs === message.timeMs && room.last.name === message.name) {
    next = { ...next, rooms: { ...next.rooms, [key]: { ...room, last: lastOf(message) } } };
  }
  if (!(message.message in next.quoted)) return next;
  return { ...next, quoted: { ...next.quoted, [message.message]: message } };
}

/** Quoted messages that are kept; they are few kilobytes each, and a page asks for those it shows. */
const QUOTED_MAX = 300;

/**
 * @param {Record<string, Message | null>} quoted
 * @param {string} id
 * @param {Message | null} found
 * @returns {Record<string, Message | null>}
 */
function withQuote(quoted, id, found) {
  const others = Object.entries(quoted).filter(([known]) => known !== id);
  return Object.fromEntries([...others.slice(1 - QUOTED_MAX), [id, found]]);
}

/**
 * What the room no longer shows is quoted nowhere; what it shows still is asked for again.
 * @param {Record<string, Message | null>} quoted
 * @param {string} room
 * @returns {Record<string, Message | null>}
 */
function withoutQuotes(quoted, room) {
  return Object.fromEntries(Object.entries(quoted).filter(([, message]) => message !== null && message.room !== room));
}

/**
 * @param {Record<string, Message | null>} quoted
 * @param {string} room
 * @param {number} beforeMs
 * @returns {Record<string, Message | null>}
 */
function letGoQuotes(quoted, room, beforeMs) {
  const gone = (/** @type {Message | null} */ m) => m !== null && m.room === room && m.timeMs < beforeMs;
  if (!Object.values(quoted).some(gone)) return quoted;
  return Object.fromEntries(Object.entries(quoted).map(([id, message]) => [id, gone(message) ? null : message]));
}

/** @type {Pending[]} */
const NONE = [];

/**
 * My own message may come as an event before the reply to the command that sent it, and events carry no
 * client id: the first queued one of the same words is meant. It takes the queued one's place.
 * @param {Pending[]} pending
 * @param {Message[]} arrivals
 * @returns {{pending: Pending[], messages: Message[]}}
 */
function settleMine(pending, arrivals) {
  let left = pending;
  const messages = arrivals.map((message) => {
    if (!message.mine || left.length === 0) return message;
    const twin = left.find((p) =>
      message.clientId ? p.clientId === message.clientId : p.state === 'queued' && p.text === message.text);
    if (!twin) return message;
    left = left.filter((p) => p !== twin);
    return { ...message, clientId: twin.clientId };
  });
  return { pending: left, messages };
}

/**
 * Seeing the newest message empties the count at once; the shell's own count follows by event.
 * @param {State} state
 * @param {string} room
 * @param {string} message
 * @returns {State}
 */
function markSeen(state, room, message) {
  const known = state.rooms[room];
  const newest = state.timelines[room]?.messages.at(-1);
  if (!known || known.unread === 0 || newest?.message !== message) return state;
  return { ...state, rooms: { ...state.rooms, [room]: { ...known, unread: 0 } } };
}

/**
 * @param {State} state
 * @param {string} room
 * @returns {import('./model.js').Timeline}
 */
function timelineOf(state, room) {
  return state.timelines[room] ?? NO_TIMELINE;
}

/**
 * @param {State} state
 * @param {string} room
 * @param {import('./model.js').Timeline} timeline
 * @returns {State}
 */
function withTimeline(state, room, timeline) {
  return { ...state, timelines: { ...state.timelines, [room]: timeline } };
}

/**
 * @param {State} state
 * @param {string} room
 * @param {(list: Pending[]) => Pending[]} change
 * @returns {State}
 */
function withPending(state, room, change) {
  return { ...state, pending: { ...state.pending, [room]: change(state.pending[room] ?? []) } };
}

/**
 * @param {State} state
 * @param {string} room
 * @returns {State}
 */
function withoutRoom(state, room) {
  const without = (/** @type {Record<string, any>} */ map) =>
    Object.fromEntries(Object.entries(map).filter(([key]) => partsOf(key).room !== room));
  return {
    ...state,
    rooms: without(state.rooms),
    timelines: without(state.timelines),
    pending: without(state.pending),
    members: without(state.members),
    drafts: without(state.drafts),
    quoted: withoutQuotes(state.quoted, room),
  };
}
