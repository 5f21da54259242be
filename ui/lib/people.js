/**
 * How people are shown: a colour and a letter each, and two people with one name told apart.
 *
 * @typedef {import('../ipc/types.js').Member} Member
 */
import { series, t } from '../strings/index.js';
import { signs } from './text.js';
import { sinceWhen } from './time.js';

/** Colours in `css/tokens.css`, `.hue-0` and on. */
export const HUES = 12;

/** Characters of an author id that tell two people of one name apart. */
const TAIL = 4;

const tailOf = (/** @type {string} */ author) => author.slice(-TAIL);

/**
 * @param {string} author Any string; equal ones get equal colours.
 * @returns {string} A class name.
 */
export function hueClass(author) {
  let hash = 0;
  for (let i = 0; i < author.length; i += 1) hash = (Math.imul(hash, 31) + author.charCodeAt(i)) >>> 0;
  return `hue-${hash % HUES}`;
}

/**
 * @param {string} name
 * @returns {string} Its first sign as a reader counts signs, in upper case.
 */
export function initial(name) {
  // Marks of direction that a sentence was filled with are no signs of the name.
  const [first] = signs(name.replace(/[\u2066-\u2069]/g, '').trim());
  return first ? first.toLocaleUpperCase() : '?';
}

/**
 * Names by author; the ones that stand twice carry the end of their id.
 * @param {{author: string, name: string}[]} members
 * @returns {Map<string, string>}
 */
export function namesOf(members) {
  /** @type {Map<string, number>} */
  const count = new Map();
  const plain = (/** @type {{name: string}} */ member) => member.name.trim().toLocaleLowerCase();
  for (const member of members) count.set(plain(member), (count.get(plain(member)) ?? 0) + 1);
  return new Map(members.map((member) => {
    const tail = tailOf(member.author);
    if (unseen(member.name)) return [member.author, t('people.nameless', { tail })];
    return [member.author, (count.get(plain(member)) ?? 0) > 1 ? t('people.twin', { name: member.name, tail }) : member.name];
  }));
}

/**
 * @param {{author: string, name: string}} person
 * @param {string} name Theirs, as `namesOf` says it.
 * @param {number} most
 * @returns {string} Cut to as many signs as a reader counts; what tells them apart, which stands at its end, is kept.
 */
export function shortened(person, name, most) {
  const shown = signs(name);
  if (shown.length <= most) return name;
  const end = name === person.name ? '' : tailOf(person.author);
  return `${shown.slice(0, most - 1 - end.length).join('')}…${end}`;
}

/**
 * @param {string} name
 * @returns {boolean} Whether a reader would see nothing: spaces and signs without width.
 */
function unseen(name) {
  return /^[\p{Cc}\p{Cf}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]*$/u.test(name);
}

/**
 * Who is who in a room, worked out once for all of its messages.
 * @typedef {object} People
 * @property {Map<string, string>} names By author, told apart.
 * @property {Map<string, string>} plain By author, as they call themselves.
 * @property {string} me My author id; empty before the members are loaded.
 */

/**
 * @param {Member[]} members
 * @returns {People}
 */
export function peopleOf(members) {
  return {
    names: namesOf(members),
    plain: new Map(members.map((m) => [m.author, m.name])),
    me: members.find((m) => m.me)?.author ?? '',
  };
}

/**
 * @param {string[]} authors
 * @param {People} people
 * @returns {{name: string, me: boolean}[]} Those that are known here.
 */
export function mentioned(authors, { plain, me }) {
  return authors.flatMap((author) => {
    const name = plain.get(author);
    return name ? [{ name, me: author === me }] : [];
  });
}

/** Names in one line; more than these are a number. */
const LISTED_MAX = 12;

/**
 * @param {string[]} authors
 * @param {People} people
 * @returns {string} Their names, me first.
 */
export function listed(authors, { names, me }) {
  const known = authors.filter((author) => names.has(author)).sort((a, b) => Number(b === me) - Number(a === me));
  const words = known.slice(0, LISTED_MAX).map((author) => (author === me ? t('people.youName') : names.get(author) ?? ''));
  const rest = authors.length - words.length;
  return series([...words, ...(rest > 0 ? [t('people.others', { n: rest })] : [])]);
}

/**
 * What a person should know before trusting a member's words, worst first.
 * @param {Member} member
 * @param {string} imitates The name that this one's looks like, where it is a verified person's or one's own.
 * @returns {{kind: string, text: string}[]}
 */
export function warningsOf(member, imitates) {
  const { name } = member;
  const list = [];
  if (member.forked) list.push({ kind: 'forked', text: member.me ? ownFork(member) : t('person.forked', { name }) });
  if (member.keyChanged) list.push({ kind: 'key', text: t('person.keyChanged', { name: imitates || name }) });
  else if (member.lookalike === 'imitates') list.push({ kind: 'imitates', text: t('person.imitates', { name: imitates || name }) });
  else if (member.lookalike === 'alike') list.push({ kind: 'alike', text: t('person.alike', { name }) });
  if (member.verifiedAs !== null && member.verifiedAs !== name) {
    list.push({ kind: 'renamed', text: t('person.renamed', { name: member.verifiedAs }) });
  }
  return list;
}

/**
 * What a person reads whose own device signed two histories, and what comes next.
 * @param {Member | undefined} me
 * @returns {string} Empty for everybody else.
 */
export function ownFork(me) {
  if (!me?.forked) return '';
  return `${t('person.ownFork')} ${me.moving ? t('move.asked') : t('move.ways')}`;
}

/**
 * Why nothing more can be said in a room.
 * @param {{removed: boolean, left: boolean}} room Whoever left is `removed`, too.
 * @param {Member | undefined} me
 * @returns {string} Empty where something can.
 */
export function silence({ removed, left }, me) {
  if (left) return t('room.left');
  return removed ? t('room.removed') : ownFork(me);
}

/**
 * The short words beside a name in the list.
 * @param {Member} member
 * @returns {{kind: 'good' | 'bad' | 'quiet', text: string}[]}
 */
export function marksOf(member) {
  /** @type {{kind: 'good' | 'bad' | 'quiet', text: string}[]} */
  const marks = [];
  if (member.verifiedAs !== null) marks.push({ kind: 'good', text: t('mark.verified') });
  // Whoever asks for a new key is frozen: one mark, and the one that wants something done.
  if (member.moving) marks.push({ kind: 'bad', text: t('mark.moving') });
  else if (member.forked) marks.push({ kind: 'bad', text: t('mark.forked') });
  if (member.lookalike === 'imitates') marks.push({ kind: 'bad', text: t('mark.imitates') });
  else if (member.lookalike === 'alike') marks.push({ kind: 'quiet', text: t('mark.alike') });
  if (member.blocked) marks.push({ kind: 'quiet', text: t('mark.blocked') });
  else if (member.muted) marks.push({ kind: 'quiet', text: t('mark.muted') });
  return marks;
}

/**
 * @param {Member} member
 * @returns {string}
 */
export function roleWord(member) {
  if (member.role === 'owner') return t('role.owner');
  return member.role === 'moderator' ? t('role.moderator') : t('role.member');
}

/**
 * Where a member is; before it, what they are, where that is more than a member.
 * @param {Member} member
 * @returns {string}
 */
export function standing(member) {
  return member.role === 'owner' || member.role === 'moderator' ? `${roleWord(member)} · ${presence(member)}` : presence(member);
}

/**
 * Since when a member is in the room.
 * @param {Member} member
 * @param {number} now
 * @returns {string} Empty where it isn't known.
 */
export function sinceLine({ sinceMs }, now) {
  return sinceMs === null ? '' : t('people.since', { when: sinceWhen(sinceMs, now) });
}

/** Digits that are read in one breath. */
const GROUP = 5;

/**
 * @param {string} digits
 * @returns {string[]} In groups of five.
 */
export function digitGroups(digits) {
  return digits.match(new RegExp(`\\d{1,${GROUP}}`, 'g')) ?? [];
}

const STATE_ORDER = Object.freeze({ linked: 0, reachable: 1, away: 2, removed: 3 });

/**
 * Me first, then the nearest, then by name.
 * @template {{me: boolean, state: Member['state'], hops: number | null, name: string}} P Members, or people of a map.
 * @param {P[]} members
 * @returns {P[]}
 */
export function sortedMembers(members) {
  return members.slice().sort((a, b) =>
    Number(b.me) - Number(a.me)
    || STATE_ORDER[a.state] - STATE_ORDER[b.state]
    || (a.hops ?? 0) - (b.hops ?? 0)
    || a.name.localeCompare(b.name));
}

/**
 * @param {Member} member
 * @returns {string}
 */
export function presence(member) {
  if (member.me) return t('people.you');
  if (member.state === 'away') return t('people.away');
  return member.state === 'linked' || member.hops < 1
    ? t('people.linked')
    : t('people.reachable', { n: member.hops });
}
