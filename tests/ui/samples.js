/** Small values for tests. */
import { USUAL_RULES } from '../../ui/lib/power.js';

/**
 * @param {number} n
 * @param {Partial<import('../../ui/ipc/types.js').Message>} [given]
 * @returns {import('../../ui/ipc/types.js').Message}
 */
export function message(n, given = {}) {
  return {
    message: `m${n}`, room: 'r', author: 'a', name: 'Ada', text: `text ${n}`, timeMs: n * 1000, hops: 1, mine: false,
    clientId: null, seenBy: [], direct: null, replyTo: null, mentions: [], reactions: [], editedMs: null,
    deleted: false, newer: false, sentTo: 0, ...given,
  };
}

/**
 * @param {Partial<import('../../ui/ipc/types.js').Room>} [given]
 * @returns {import('../../ui/ipc/types.js').Room}
 */
export function room(given = {}) {
  return { room: 'r', name: 'Camp 7', members: 3, near: 1, unread: 0, directUnread: 0, last: null, removed: false, closed: false, backup: false, passUntilMs: null, rules: USUAL_RULES,
    favourite: false, muted: false, left: false, role: 'member', ...given };
}

/**
 * @param {string} author
 * @param {Partial<import('../../ui/ipc/types.js').Member>} [given]
 * @returns {import('../../ui/ipc/types.js').Member}
 */
export function member(author, given = {}) {
  return {
    author, name: author, state: 'linked', hops: 1, role: 'member', sinceMs: null, me: false, directUnread: 0, verifiedAs: null, muted: false, blocked: false,
    forked: false, moving: false, lookalike: 'no', imitates: null, keyChanged: false, ...given,
  };
}
