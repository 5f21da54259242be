/**
 * The mesh in words: how strong a link is, how it came about, how near somebody is, what has changed, and which way the last
 * message took. The picture and the table say the same.
 *
 * @typedef {import('../ipc/types.js').NetworkMap} NetworkMap
 * @typedef {import('../ipc/types.js').MapPerson} MapPerson
 * @typedef {import('../ipc/types.js').Via} Via
 * @typedef {'strong' | 'good' | 'weak' | 'unknown'} Strength
 * @typedef {{rttMs: number | null, lossPercent: number | null}} Quality
 */
import { number, series, t } from '../strings/index.js';
import { clock } from './time.js';

/** Answers within these many milliseconds are those of a strong link, and of a good one. */
const STRONG_MS = 50;
const GOOD_MS = 200;
/** A strong link leaves fewer than so many of a hundred questions without an answer, and a good one fewer than so many. */
const STRONG_LOSS = 5;
const GOOD_LOSS = 15;

/** @type {Record<Via, () => string>} */
const VIA_WORDS = {
  direct: () => t('via.direct'),
  lan: () => t('via.lan'),
  relay: () => t('via.relay'),
  'two-scan': () => t('via.twoScan'),
  server: () => t('via.server'),
  turn: () => t('via.turn'),
};

/** @type {Record<Strength, () => string>} */
const STRENGTH_WORDS = {
  strong: () => t('strength.strong'),
  good: () => t('strength.good'),
  weak: () => t('strength.weak'),
  unknown: () => t('strength.unknown'),
};

/**
 * @param {string} via
 * @returns {string} A way that only a newer shell knows is said by its name.
 */
export function viaWord(via) {
  return VIA_WORDS[/** @type {Via} */ (via)]?.() ?? via;
}

/**
 * @param {Quality} link
 * @returns {Strength} Weak is what is slow or loses much.
 */
export function strengthOf({ rttMs, lossPercent }) {
  if (rttMs === null) return 'unknown';
  const lost = lossPercent ?? 0;
  if (rttMs < STRONG_MS && lost < STRONG_LOSS) return 'strong';
  return rttMs < GOOD_MS && lost < GOOD_LOSS ? 'good' : 'weak';
}

/** @param {Quality} link */
export function strengthWord(link) {
  return STRENGTH_WORDS[strengthOf(link)]();
}

/**
 * @param {Quality} link
 * @returns {string} The same, the time where one was measured, and what is lost if anything is.
 */
export function strengthWords(link) {
  const { rttMs, lossPercent } = link;
  return [
    strengthWord(link),
    ...(rttMs === null ? [] : [milliseconds(rttMs)]),
    ...(lossPercent ? [t('network.loss', { percent: number(lossPercent) })] : []),
  ].join(' · ');
}

/** @param {number} ms */
export function milliseconds(ms) {
  return t('network.ms', { time: number(Math.round(ms)) });
}

/** @param {MapPerson} person */
export function howNear({ me, state, hops }) {
  if (me) return t('people.you');
  if (state === 'away') return t('network.isAway');
  return state === 'linked' ? t('people.linked') : t('people.reachable', { n: Math.max(2, hops ?? 2) });
}

/**
 * @param {MapPerson} person
 * @returns {string} How the link to them came about, and how strong it is; empty without one.
 */
export function linkWords(person) {
  const { me, state, via } = person;
  if (me || state !== 'linked') return '';
  return via === null ? strengthWords(person) : `${viaWord(via)} · ${strengthWords(person)}`;
}

/**
 * @param {NetworkMap} map
 * @returns {string} How many are where.
 */
export function summary({ people }) {
  const others = people.filter(({ me }) => !me);
  if (others.length === 0) return t('near.alone');
  const here = others.filter(({ state }) => state === 'linked').length;
  const away = others.filter(({ state }) => state === 'away').length;
  const farther = others.length - here - away;
  if (away === others.length) return t('network.nobody');
  return [
    t('near.here', { n: here }),
    ...(farther > 0 ? [t('network.farther', { n: farther })] : []),
    ...(away > 0 ? [t('network.awayCount', { n: away })] : []),
  ].join(' · ');
}

/** Names in a line about a change; more than these are a number. */
const NAMED_MAX = 3;

/**
 * @param {NetworkMap | null} before
 * @param {NetworkMap} now
 * @param {Map<string, string>} names
 * @returns {string} Who went out of reach and who came back; empty when nobody did.
 */
export function changeWords(before, now, names) {
  if (before === null) return '';
  const then = new Map(before.people.map((person) => [person.author, person.state === 'away']));
  const [gone, back] = [true, false].map((away) => now.people
    .filter(({ me, author, state }) => !me && (state === 'away') === away && (then.has(author) ? then.get(author) !== away : !away))
    .map(({ author }) => names.get(author) ?? ''));
  return [
    ...(gone.length > 0 ? [t('network.gone', { names: few(gone) })] : []),
    ...(back.length > 0 ? [t('network.back', { names: few(back) })] : []),
  ].join(' ');
}

/**
 * @param {string[]} authors
 * @param {Map<string, string>} names
 * @returns {string} Who stands behind a number in the picture.
 */
export function groupWords(authors, names) {
  return `${t('network.people', { n: authors.length })}: ${few(authors.map((author) => names.get(author) ?? ''))}`;
}

/** @param {string[]} names */
function few(names) {
  const rest = names.length - NAMED_MAX;
  return rest > 1 ? series([...names.slice(0, NAMED_MAX), t('people.others', { n: rest })]) : series(names);
}

/**
 * @param {NetworkMap} map
 * @param {Map<string, string>} names
 * @returns {string} The way of the last message; empty when none has come.
 */
export function pathWords({ path }, names) {
  if (!path) return '';
  const [author, by] = [path.author, path.by ?? ''].map((one) => names.get(one) ?? '');
  const time = clock(path.timeMs);
  if (path.by === path.author || path.hops <= 1) return t('path.straight', { author, time });
  if (path.by === null || by === '') return t('path.over', { n: path.hops, author, time });
  return t('path.by', { n: path.hops, author, by, time });
}

/**
 * Since when somebody is as near as they are, as far as this window has seen.
 * @typedef {{near: string, sinceMs: number, exact: boolean}} Since
 */

/**
 * @param {Map<string, Since>} before By author.
 * @param {NetworkMap} map
 * @param {number} now
 * @returns {Map<string, Since>}
 */
export function sinceOf(before, { people }, now) {
  const first = before.size === 0;
  return new Map(people.map(({ author, me, state, hops }) => {
    const near = me ? 'me' : `${state} ${hops ?? ''}`;
    const known = before.get(author);
    return [author, known?.near === near ? known : { near, sinceMs: now, exact: !first }];
  }));
}

/** @param {Since | undefined} since */
export function sinceWords(since) {
  if (!since) return '';
  return since.exact ? clock(since.sinceMs) : t('network.orEarlier', { time: clock(since.sinceMs) });
}
