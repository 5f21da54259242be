/**
 * Web addresses in what people write, and what should be said about one before it is opened. Pure.
 *
 * Text comes from peers: whatever stands in it, the pieces put together are the text again, and finding them
 * takes time in step with its length.
 *
 * @typedef {{kind: 'text' | 'link' | 'mention', text: string, url: string, me: boolean}} TextPiece
 *   `url` of a link only; `me` of a mention of me only.
 */

/** More than these in one message stay plain text. */
const LINKS_MAX = 40;

/** An address longer than this stays plain text: nobody can look at it before opening it. */
const LENGTH_MAX = 2000;

/** Ends an address: spaces, quotes, brackets that never stand in one, and every sign that can't be seen. */
const ADDRESS = /\bhttps?:\/\/[^\s<>"'`\u201c\u201d\u2018\u2019\u00ab\u00bb{}|\\^\p{Cc}\p{Cf}\p{Z}]+/giu;

/** Belongs to the sentence around the address, where it ends one. */
const TRAILING = '.,;:!?)]*_~…';

/**
 * @param {string} text
 * @returns {TextPiece[]} Text and links by turns.
 */
export function findLinks(text) {
  /** @type {TextPiece[]} */
  const pieces = [];
  let done = 0;
  let count = 0;
  for (const match of text.matchAll(ADDRESS)) {
    if (count === LINKS_MAX) break;
    const written = trimmed(match[0]);
    const url = written.length > LENGTH_MAX ? null : parsed(written);
    if (!url) continue;
    if (match.index > done) pieces.push(plain(text.slice(done, match.index)));
    pieces.push({ kind: 'link', text: written, url: url.href, me: false });
    done = match.index + written.length;
    count += 1;
  }
  if (done < text.length) pieces.push(plain(text.slice(done)));
  return pieces;
}

/**
 * @param {string} text
 * @returns {TextPiece}
 */
export function plain(text) {
  return { kind: 'text', text, url: '', me: false };
}

/**
 * A closing bracket stays where the address opened it.
 * @param {string} address
 * @returns {string}
 */
function trimmed(address) {
  let end = address.length;
  let open = 0;
  let closed = 0;
  for (const sign of address) {
    if (sign === '(') open += 1;
    else if (sign === ')') closed += 1;
  }
  for (; end > 0 && TRAILING.includes(address[end - 1]); end -= 1) {
    if (address[end - 1] !== ')') continue;
    if (closed <= open) break;
    closed -= 1;
  }
  return address.slice(0, end);
}

/**
 * @param {string} address
 * @returns {URL | null}
 */
function parsed(address) {
  try {
    const url = new URL(address);
    return url.hostname !== '' && (url.protocol === 'http:' || url.protocol === 'https:') ? url : null;
  } catch {
    return null;
  }
}

/**
 * What a person is shown before an address is opened.
 * @param {string} written As it stands in the message.
 * @returns {{url: string, host: string, writtenHost: string, punycode: boolean, mixed: boolean, user: boolean, plain: boolean} | null}
 *   `host` as machines read it, in ASCII; `writtenHost` as it stands in the message, where that differs;
 *   `mixed`: letters of several scripts in one word of the host; `user`: something stands before the host that
 *   looks like one; `plain`: everybody on the way can read along. Null when it isn't an address.
 */
export function lookAt(written) {
  const url = parsed(written);
  if (!url) return null;
  const host = url.hostname;
  const shown = hostOf(written);
  return {
    url: url.href,
    host,
    writtenHost: shown.toLowerCase() === host ? '' : shown,
    punycode: host.split('.').some((label) => label.startsWith('xn--')),
    mixed: shown.split('.').some(isMixed),
    user: url.username !== '' || url.password !== '',
    plain: url.protocol === 'http:',
  };
}

/**
 * @param {string} written
 * @returns {string} The host as it was written.
 */
function hostOf(written) {
  const authority = written.replace(/^https?:\/*/i, '').split(/[/?#]/, 1)[0];
  return authority.slice(authority.lastIndexOf('@') + 1).replace(/:\d*$/, '');
}

/** Scripts of which no two stand in one word but to deceive. */
const SCRIPTS = ['Latin', 'Cyrillic', 'Greek', 'Armenian', 'Hebrew', 'Arabic', 'Cherokee', 'Coptic', 'Georgian', 'Thai', 'Devanagari']
  .map((script) => new RegExp(`\\p{Script=${script}}`, 'u'));

/**
 * @param {string} label
 * @returns {boolean}
 */
function isMixed(label) {
  return SCRIPTS.filter((script) => script.test(label)).length > 1;
}
