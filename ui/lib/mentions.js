/**
 * Naming somebody in a message: finding whom a person is typing, and where a text names people. Pure.
 *
 * The text holds `@Name`; beside it travels who is meant, by id, so that a name may be worn by several.
 *
 * @typedef {import('../ipc/types.js').Member} Member
 * @typedef {import('./links.js').TextPiece} TextPiece
 */
import { plain } from './links.js';

/** Names offered at once: what fits above a phone's keyboard. */
export const OFFERED_MAX = 6;

/** A name is at most this long, and so is what is typed of it. */
const QUERY_MAX = 64;

/** People named in one message that are sent along. */
const MENTIONS_MAX = 32;

/**
 * @param {string} text
 * @param {number} caret
 * @returns {{start: number, query: string} | null} The `@` before the caret and what stands after it; null when no name is
 *   being typed.
 */
export function mentionAt(text, caret) {
  const before = text.slice(Math.max(0, caret - QUERY_MAX - 1), caret);
  const at = before.lastIndexOf('@');
  if (at < 0) return null;
  const query = before.slice(at + 1);
  // Part of a word is an address; a line ends a name, and so does a second space.
  if (/[\p{L}\p{N}]$/u.test(before.slice(0, at)) || /\n|\s\S*\s/u.test(query) || query.startsWith(' ')) return null;
  return { start: caret - query.length - 1, query };
}

/**
 * @param {Member[]} members
 * @param {string} query
 * @returns {Member[]} Whose name, or a word of it, begins like this; by name.
 */
export function offered(members, query) {
  const wanted = folded(query);
  return members
    .filter((m) => !m.me && m.state !== 'removed' && (folded(m.name).startsWith(wanted) || folded(m.name).includes(` ${wanted}`)))
    .sort((a, b) => a.name.localeCompare(b.name) || (a.author < b.author ? -1 : 1))
    .slice(0, OFFERED_MAX);
}

/**
 * @param {string} text
 * @param {number} start Of the `@`.
 * @param {number} caret
 * @param {string} name
 * @returns {{text: string, caret: number}}
 */
export function withMention(text, start, caret, name) {
  const rest = text.slice(caret);
  const put = `@${name}${/^\s/.test(rest) ? '' : ' '}`;
  return { text: text.slice(0, start) + put + rest, caret: start + put.length };
}

/**
 * Who is named in a text about to be sent.
 * @param {string} text
 * @param {Member[]} members
 * @param {Set<string>} chosen Authors picked from the list while it was written.
 * @returns {string[]} Of two with one name only one that was picked.
 */
export function mentionsIn(text, members, chosen) {
  const others = members.filter((m) => !m.me && m.name !== '').sort((a, b) => b.name.length - a.name.length);
  /** @type {Set<string>} */
  const found = new Set();
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const one = others.find(({ name }) => namesAt(text, at, name));
    if (!one) continue;
    const twins = others.filter(({ name }) => folded(name) === folded(one.name));
    for (const { author } of twins) if (twins.length === 1 || chosen.has(author)) found.add(author);
  }
  return [...found].slice(0, MENTIONS_MAX);
}

/**
 * Marks where a text names somebody.
 * @param {TextPiece[]} pieces
 * @param {{name: string, me: boolean}[]} people Who is meant in this message.
 * @returns {TextPiece[]}
 */
export function markMentions(pieces, people) {
  if (people.length === 0) return pieces;
  const longestFirst = people.slice(0, MENTIONS_MAX).filter(({ name }) => name !== '').sort((a, b) => b.name.length - a.name.length);
  return pieces.flatMap((piece) => (piece.kind === 'text' ? cut(piece.text, longestFirst) : [piece]));
}

/**
 * @param {string} text
 * @param {{name: string, me: boolean}[]} people The longest name first.
 * @returns {TextPiece[]}
 */
function cut(text, people) {
  /** @type {TextPiece[]} */
  const out = [];
  let done = 0;
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const one = people.find(({ name }) => namesAt(text, at, name));
    if (!one) continue;
    if (at > done) out.push(plain(text.slice(done, at)));
    done = at + 1 + one.name.length;
    out.push({ kind: 'mention', text: text.slice(at, done), url: '', me: one.me });
    at = done - 1;
  }
  if (done < text.length) out.push(plain(text.slice(done)));
  return out;
}

/**
 * @param {string} text
 * @param {number} at Of an `@`.
 * @param {string} name
 * @returns {boolean} Whether the whole name follows, and neither it nor the `@` is part of a longer word.
 */
function namesAt(text, at, name) {
  const end = at + 1 + name.length;
  return folded(text.slice(at + 1, end)) === folded(name)
    && !/^[\p{L}\p{N}]/u.test(text.slice(end, end + 2)) && !/[\p{L}\p{N}]$/u.test(text.slice(Math.max(0, at - 2), at));
}

/**
 * @param {string} text
 * @returns {string}
 */
function folded(text) {
  return text.toLocaleLowerCase();
}
