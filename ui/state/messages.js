/**
 * Keeping a run of messages in order. Pure; runs are replaced, never changed in place.
 *
 * @typedef {import('./model.js').Message} Message
 * @typedef {import('./model.js').Timeline} Timeline
 */
import { Run, replaced } from './run.js';

/** Early arrivals kept until their page comes; the page itself brings what is dropped here. */
const EARLY_MAX = 1000;

/**
 * Puts arrivals where they belong. Pages come ordered by the shell and are taken as they are; a
 * single arrival is placed by its time, after those of the same time. One that is already there
 * replaces what was there. One older than everything loaded waits in `early` while older pages are
 * still to be fetched: taking it now would tear a hole in the run.
 *
 * @param {Timeline} timeline
 * @param {Message[]} arrivals
 * @returns {Timeline}
 */
export function place(timeline, arrivals) {
  if (arrivals.length === 0) return timeline;
  let { messages } = timeline;
  const oldest = messages.at(0)?.timeMs ?? -Infinity;
  /** @type {Map<string, Message>} */
  const fresh = new Map();
  /** @type {Message[]} */
  const early = [];
  for (const arrival of arrivals) {
    const index = messages.indexOf(arrival.message);
    if (index >= 0) messages = messages.with(index, keepClientId(arrival, messages.at(index)));
    else if (timeline.complete || arrival.timeMs >= oldest) fresh.set(arrival.message, arrival);
    else early.push(arrival);
  }
  return {
    ...timeline,
    messages: fresh.size === 0 ? messages : merge(messages, [...fresh.values()]),
    early: early.length === 0 ? timeline.early : timeline.early.concat(early).slice(-EARLY_MAX),
  };
}

/**
 * @param {Run} messages In order.
 * @param {Message[]} fresh In any order.
 * @returns {Run}
 */
function merge(messages, fresh) {
  fresh.sort((a, b) => a.timeMs - b.timeMs);
  const oldest = messages.at(0)?.timeMs ?? -Infinity;
  if (fresh[fresh.length - 1].timeMs < oldest) return messages.prepend(fresh); // history that streams in backwards
  // From the newest backwards: each fresh one steps over those that are later than it. Nearly always
  // everything fresh is newer than everything there, and nothing is stepped over.
  /** @type {Message[]} */
  const tail = [];
  let kept = messages.length;
  for (let f = fresh.length - 1; f >= 0; f -= 1) {
    for (let later = messages.at(kept - 1); kept > 0 && later && later.timeMs > fresh[f].timeMs; later = messages.at(kept - 1)) {
      tail.push(later);
      kept -= 1;
    }
    tail.push(fresh[f]);
  }
  return messages.take(kept).append(tail.reverse());
}

/**
 * A page from the shell, older than what is loaded (or the newest one, after which the run starts anew
 * unless it overlaps what is loaded).
 *
 * @param {Timeline} timeline
 * @param {Message[]} read Oldest first.
 * @param {boolean} complete Nothing older than the page is on this device.
 * @param {boolean} newest The page is the newest one.
 * @returns {Timeline}
 */
export function addPage(timeline, read, complete, newest) {
  const run = timeline.messages;
  const { early } = timeline;
  let first = Infinity;
  const page = read.map((message) => {
    const index = run.indexOf(message.message);
    if (index < 0) return message;
    first = Math.min(first, index);
    return keepClientId(message, run.at(index));
  });
  if (first === Infinity) {
    if (!newest) return settle({ messages: run.prepend(page), complete, loading: 'idle', early }, []);
    // Nothing in common: between the page and what was loaded may be a hole, so the run starts anew.
    return settle({ messages: Run.of(page), complete, loading: 'idle', early }, [...run]);
  }
  const inPage = new Set(page.map((message) => message.message));
  const others = (/** @type {Message[]} */ list) => list.filter((message) => !inPage.has(message.message));
  if (!newest) return settle({ messages: Run.of(page.concat(others([...run]))), complete, loading: 'idle', early }, []);
  // What is older than the page stays as it was loaded; what is newer came by events meanwhile.
  const whole = first > 0 ? timeline.complete : complete;
  return settle({ messages: run.take(first).append(page), complete: whole, loading: 'idle', early }, others(run.slice(first)));
}

/**
 * Places what came before its page, now that the run reaches further back.
 * @param {Timeline} timeline
 * @param {Message[]} loose
 * @returns {Timeline}
 */
function settle(timeline, loose) {
  return place({ ...timeline, early: [] }, timeline.early.concat(loose));
}

/**
 * Only the reply to a send carries the client id; what comes later is still the same bubble.
 * @param {Message} message
 * @param {Message | undefined} known
 * @returns {Message}
 */
function keepClientId(message, known) {
  return known?.clientId && !message.clientId ? { ...message, clientId: known.clientId } : message;
}

/**
 * A message as it is now, where it is loaded.
 * @param {Timeline} timeline
 * @param {string} id
 * @param {(message: Message) => Message} change
 * @returns {Timeline | null} Null when it is not in the run.
 */
export function change(timeline, id, change) {
  const index = timeline.messages.indexOf(id);
  const known = timeline.messages.at(index);
  if (index < 0 || !known) {
    const early = timeline.early.findIndex((m) => m.message === id);
    return early < 0 ? null : { ...timeline, early: replaced(timeline.early, early, change(timeline.early[early])) };
  }
  return { ...timeline, messages: timeline.messages.with(index, keepClientId(change(known), known)) };
}

/**
 * What the room no longer keeps leaves the run; older pages have nothing else.
 *
 * @param {Timeline} timeline
 * @param {number} beforeMs
 * @returns {Timeline}
 */
export function letGo(timeline, beforeMs) {
  const messages = timeline.messages.filter((message) => message.timeMs >= beforeMs);
  if (messages === timeline.messages) return timeline;
  return { ...timeline, messages, early: [], complete: true };
}
