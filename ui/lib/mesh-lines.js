/**
 * The lines of the picture of the mesh, the ones to be painted first standing first: links that neighbours told of, own links
 * by their strength, and around and over them the way of the last message: the last link as it was, the rest dotted, since nobody knows it.
 *
 * @typedef {import('./mesh-layout.js').Spot} Spot
 * @typedef {'told' | 'strong' | 'good' | 'weak' | 'unknown' | 'path' | 'guess' | 'halo'} LineKind
 * @typedef {{kind: LineKind, d: string}} Line
 */
import { strengthOf } from './mesh-words.js';

/** How far a dotted way bends away from the straight one, as a part of its length. */
const BEND = 0.22;

/**
 * @param {import('../ipc/types.js').NetworkMap} map
 * @param {{spots: Spot[]}} layout
 * @returns {Line[]}
 */
export function linesOf({ links, people, path }, { spots }) {
  const spotOf = new Map(spots.flatMap((spot) => [spot.id, ...spot.members].map((id) => [id, spot])));
  const me = people.find((person) => person.me)?.author ?? '';
  /** @type {Line[]} */
  const told = [];
  /** @type {Line[]} */
  const own = [];
  const drawn = new Set();
  for (const link of links) {
    const { a, b } = link;
    const [from, to] = [spotOf.get(a), spotOf.get(b)];
    if (!from || !to || from === to) continue;
    // Groups have many links to one; one line says so.
    const pair = [from.id, to.id].sort().join(' ');
    if (drawn.has(pair)) continue;
    drawn.add(pair);
    const mine = a === me || b === me;
    (mine ? own : told).push({ kind: mine ? strengthOf(link) : 'told', d: straight(from, to) });
  }
  const way = wayOf(path, spotOf, spotOf.get(me));
  return [...told, ...way.map(({ d }) => ({ kind: /** @type {const} */ ('halo'), d })), ...own, ...way];
}

/**
 * @param {import('../ipc/types.js').MessagePath | null} path
 * @param {Map<string, Spot>} spotOf
 * @param {Spot | undefined} me
 * @returns {Line[]}
 */
function wayOf(path, spotOf, me) {
  const author = path && spotOf.get(path.author);
  if (!path || !author || !me) return [];
  const by = spotOf.get(path.by ?? '');
  if (!by) return [{ kind: path.hops <= 1 ? 'path' : 'guess', d: straight(author, me) }];
  const last = { kind: /** @type {const} */ ('path'), d: straight(by, me) };
  return by === author ? [last] : [{ kind: 'guess', d: bent(author, by) }, last];
}

/**
 * From edge to edge.
 * @param {Spot} from
 * @param {Spot} to
 */
function straight(from, to) {
  const [x, y] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(x, y) || 1;
  const point = (/** @type {Spot} */ spot, /** @type {number} */ way) => `${round(spot.x + x / length * way)} ${round(spot.y + y / length * way)}`;
  return `M${point(from, from.r)}L${point(to, -to.r)}`;
}

/**
 * @param {Spot} from
 * @param {Spot} to
 */
function bent(from, to) {
  const [x, y] = [to.x - from.x, to.y - from.y];
  const side = BEND * (from.x <= to.x ? 1 : -1);
  return `M${round(from.x)} ${round(from.y)}Q${round(from.x + x / 2 + y * side)} ${round(from.y + y / 2 - x * side)} ${round(to.x)} ${round(to.y)}`;
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}
