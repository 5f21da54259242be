/**
 * Keeping a run of messages in order. Pure; arrays are replaced, never changed in place.
 *
 * @typedef {import('./model.js').Message} Message
 * @typedef {import('./model.js').Timeline} Timeline
 */

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
  const known = new Map(timeline.messages.map((message, index) => [message.message, index]));
  const messages = timeline.messages.slice();
  const oldest = messages[0]?.timeMs ?? -Infinity;
  /** @type {Map<string, Message>} */
  const fresh = new Map();
  /** @type {Message[]} */
  const early = [];
  for (const arrival of arrivals) {
    const index = known.get(arrival.message);
    if (index !== undefined) messages[index] = keepClientId(arrival, messages[index]);
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
 * @param {Message[]} messages In order.
 * @param {Message[]} fresh In any order.
 * @returns {Message[]}
 */
function merge(messages, fresh) {
  fresh.sort((a, b) => a.timeMs - b.timeMs);
  // Nearly always everything fresh is newer than everything there.
  const last = messages.at(-1);
  if (!last || last.timeMs <= fresh[0].timeMs) return messages.concat(fresh);
  // From the newest backwards: each fresh one steps over those that are later than it.
  const out = new Array(messages.length + fresh.length);
  let m = messages.length - 1;
  let f = fresh.length - 1;
  for (let i = out.length - 1; i >= 0; i -= 1) {
    out[i] = f < 0 || (m >= 0 && messages[m].timeMs > fresh[f].timeMs) ? messages[m--] : fresh[f--];
  }
  return out;
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
  const known = new Map(timeline.messages.map((message) => [message.message, message]));
  const page = read.map((message) => keepClientId(message, known.get(message.message)));
  const inPage = new Set(page.map((message) => message.message));
  const first = timeline.messages.findIndex((message) => inPage.has(message.message));
  const rest = timeline.messages.filter((message) => !inPage.has(message.message));
  const { early } = timeline;
  if (!newest) return settle({ messages: page.concat(rest), complete, loading: 'idle', early }, []);
  if (first >= 0) {
    // What is older than the page stays as it was loaded; what is newer came by events meanwhile.
    const older = timeline.messages.slice(0, first);
    const newer = rest.slice(first);
    const whole = first > 0 ? timeline.complete : complete;
    return settle({ messages: older.concat(page), complete: whole, loading: 'idle', early }, newer);
  }
  // Nothing in common: between the page and what was loaded may be a hole, so the run starts anew.
  return settle({ messages: page, complete, loading: 'idle', early }, rest);
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
 * What the room no longer keeps leaves the run; older pages have nothing else.
 *
 * @param {Timeline} timeline
 * @param {number} beforeMs
 * @returns {Timeline}
 */
export function letGo(timeline, beforeMs) {
  const messages = timeline.messages.filter((message) => message.timeMs >= beforeMs);
  if (messages.length === timeline.messages.length) return timeline;
  return { ...timeline, messages, early: [], complete: true };
}
