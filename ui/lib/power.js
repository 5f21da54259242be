/**
 * Who may do what in a room, as the node decides it, so that nothing is offered that it refuses
 * (mesh/src/actor/power.rs; `Roster::may_remove` in mesh/room).
 *
 * @typedef {import('../ipc/types.js').Member} Member
 * @typedef {import('../ipc/types.js').Role} Role
 * @typedef {import('../ipc/types.js').Rules} Rules
 */
import { t } from '../strings/index.js';

/** @type {Record<string, number>} */
const RANK = Object.freeze({ member: 0, moderator: 1, owner: 2 });

/** Longer names of rooms don't fit a phone's line. */
export const ROOM_NAME_MAX = 60;

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86_400;

/** How long messages may be kept, the longest first. */
export const RETENTIONS = Object.freeze([null, 30 * DAY_S, 7 * DAY_S, DAY_S]);

/** What a room is made with unless somebody chooses. @type {Readonly<Rules>} */
export const USUAL_RULES = Object.freeze({ history: 'shared', inviters: 'member', retentionS: null });

/**
 * @param {Member | undefined} member
 * @returns {number} Higher stands above lower; a role of a newer build counts as the lowest.
 */
function rank(member) {
  return RANK[member?.role ?? ''] ?? RANK.member;
}

/**
 * @typedef {object} Powers
 * @property {Role | null} role What I may make of them; null: nothing else than they are.
 * @property {boolean} remove Whether I may remove them.
 */

/**
 * What I may do about somebody. Nothing is offered about an owner: the page isn't told which of several
 * made the room, and that one nobody can remove.
 * @param {Member | undefined} me Undefined before the list is here.
 * @param {Member} them
 * @returns {Powers}
 */
export function powersOver(me, them) {
  if (!me || them.me || them.state === 'removed' || rank(them) === RANK.owner) return { role: null, remove: false };
  const owner = rank(me) === RANK.owner;
  const changed = rank(them) === RANK.moderator ? 'member' : 'moderator';
  return { role: owner ? changed : null, remove: mayClose(me) && rank(them) <= rank(me) };
}

/**
 * Whether I moderate a room: by its members, and by its line in the list before they are known.
 * @param {import('../ipc/types.js').Room} room
 * @param {Member[] | undefined} members
 * @returns {boolean}
 */
export function moderates(room, members) {
  return stands(room, members) >= RANK.moderator;
}

/**
 * Whether a room is mine, known as for `moderates`: its owner decides whether copies are left with servers.
 * @param {import('../ipc/types.js').Room} room
 * @param {Member[] | undefined} members
 * @returns {boolean}
 */
export function owns(room, members) {
  return stands(room, members) >= RANK.owner;
}

/**
 * @param {import('../ipc/types.js').Room} room
 * @param {Member[] | undefined} members
 * @returns {number} My own rank; below all others where I belong no more.
 */
function stands({ role, removed }, members) {
  const mine = members?.find((m) => m.me)?.role ?? role;
  return removed ? -1 : RANK[mine ?? ''] ?? RANK.member;
}

/**
 * Whether I may close the room to new people, and open it again.
 * @param {Member | undefined} me
 * @returns {boolean}
 */
export function mayClose(me) {
  return rank(me) >= RANK.moderator;
}

/**
 * Whether I may let somebody go on under the new key they ask for. Their rank doesn't matter: the old key agreed.
 * @param {Member | undefined} me
 * @param {Member} them
 * @returns {boolean}
 */
export function mayConfirmMove(me, them) {
  return mayClose(me) && them.moving && !them.me && them.state !== 'removed';
}

/**
 * How long messages are kept, in words.
 * @param {number | null} seconds
 * @returns {string}
 */
export function retentionWords(seconds) {
  if (seconds === null) return t('create.forever');
  if (seconds >= DAY_S) return t('create.days', { n: Math.round(seconds / DAY_S) });
  // Only rooms made without the app's choices keep less than a day.
  if (seconds >= HOUR_S) return t('create.hours', { n: Math.round(seconds / HOUR_S) });
  return t('create.minutes', { n: Math.max(1, Math.round(seconds / MINUTE_S)) });
}

/**
 * What else a room was made with, for those who ask how it works.
 * @param {Rules} rules
 * @returns {string[]}
 */
export function ruleLines({ history, inviters }) {
  const who = { member: () => t('rules.everyone'), moderator: () => t('rules.moderators'), owner: () => t('rules.owners') };
  return [history === 'shared' ? t('rules.shared') : t('rules.fromJoin'), who[inviters]()];
}

/**
 * What a room that lets go of its messages says about it.
 * @param {import('../ipc/types.js').Room} room
 * @returns {string} Empty where they are kept for ever.
 */
export function keptLine({ rules: { retentionS } }) {
  return retentionS === null ? '' : t('room.kept', { time: retentionWords(retentionS) });
}
