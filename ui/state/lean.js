/**
 * Messages as they are kept: what is the same in many of them is there once. Parsed from JSON, each would bring its own
 * copy of the room's id, of its author's name, and four empty lists.
 *
 * @typedef {import('./model.js').Message} Message
 */

/** Strings that repeat: ids of rooms and authors, names. When there are more than these it begins anew. */
const SHARED_MAX = 20_000;

/** @type {Map<string, string>} */
const shared = new Map();

/** One empty list for all. @type {never[]} */
const NONE = [];

/**
 * Makes a message that came from the shell lean, in place: nobody else has it.
 * @param {Message} message
 * @returns {Message}
 */
export function lean(message) {
  message.room = once(message.room);
  message.author = once(message.author);
  message.name = once(message.name);
  if (message.seenBy.length === 0) message.seenBy = NONE;
  if (message.mentions.length === 0) message.mentions = NONE;
  if (message.reactions.length === 0) message.reactions = NONE;
  return message;
}

/**
 * @param {string} text
 * @returns {string} The first one of these words.
 */
function once(text) {
  const known = shared.get(text);
  if (known !== undefined) return known;
  if (shared.size >= SHARED_MAX) shared.clear();
  shared.set(text, text);
  return text;
}
