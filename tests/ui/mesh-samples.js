/** Maps of meshes for tests and previews, the same for the same numbers. */

/** @typedef {import('../../ui/ipc/types.js').NetworkMap} NetworkMap */

const NAMES = ['Ada', 'Bo', 'Chidi', 'Dora', 'Emre', 'Fatima', 'Gus', 'Hana', 'Ilse', 'Jamal', 'Kofi', 'Lena', 'Miro', 'Nour', 'Oleg', 'Priya', 'Quentin', 'Rosalind', 'سلمى', 'Tomás'];

/** @param {number} n */
const author = (n) => (n * 7919).toString(16).padStart(32, '0');

/** A dice that falls the same each time. @param {number} seed */
export function dice(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/**
 * Somebody with neighbours, and theirs behind them, each hop wider than the one before.
 * @param {number} count Everybody, me included.
 * @param {object} [how]
 * @param {number} [how.away] How many can't be reached.
 * @param {number} [how.degree] Own links.
 * @param {string} [how.me]
 * @param {string} [how.myName]
 * @param {number} [how.seed]
 * @returns {NetworkMap}
 */
export function meshOf(count, { away = 0, degree = 5, me = '1'.padStart(32, '0'), myName = 'Rosa', seed = 7 } = {}) {
  const roll = dice(seed);
  const reachable = count - 1 - away;
  /** @type {NetworkMap['people']} */
  const people = [{ author: me, name: myName, me: true, state: 'linked', hops: 0, rttMs: null, via: null }];
  /** @type {NetworkMap['links']} */
  const links = [];
  /** @type {string[][]} */
  const rings = [[me], [], [], [], [], [], [], []];
  const vias = /** @type {const} */ (['direct', 'lan', 'lan', 'relay', 'two-scan', 'turn']);
  for (let n = 1; n < count; n += 1) {
    const id = author(n + 1);
    const name = NAMES[(n - 1) % NAMES.length] + (n > NAMES.length ? ` ${Math.ceil(n / NAMES.length)}` : '');
    if (n > reachable) {
      people.push({ author: id, name, me: false, state: 'away', hops: null, rttMs: null, via: null });
      continue;
    }
    let hops = 1;
    for (let room = degree; rings[hops].length >= room && hops < 6; hops += 1) room *= 2;
    const inner = rings[hops - 1];
    const parent = inner[rings[hops].length % inner.length];
    const own = hops === 1;
    const rttMs = own ? [8, 34, 120, 420, 61][rings[1].length % 5] : null;
    const via = own ? vias[rings[1].length % vias.length] : null;
    people.push({ author: id, name, me: false, state: own ? 'linked' : 'reachable', hops, rttMs, via });
    links.push({ a: parent, b: id, rttMs, via });
    const ring = rings[hops];
    if (ring.length > 0 && roll() < 0.35) links.push({ a: ring[ring.length - 1], b: id, rttMs: null, via: null });
    ring.push(id);
  }
  const last = people.findLast((person) => !person.me && person.state !== 'away');
  const by = last && (last.hops === 1 ? last.author : people.find((person) => person.hops === 1)?.author) || null;
  const path = last ? { message: 'f'.repeat(32), author: last.author, by, hops: last.hops ?? 1, timeMs: Date.now() - 40_000 } : null;
  return { people, links, path };
}

/**
 * The same after some went out of reach.
 * @param {NetworkMap} map
 * @param {(person: NetworkMap['people'][number]) => boolean} gone
 * @returns {NetworkMap}
 */
export function cutOff(map, gone) {
  const lost = new Set(map.people.filter((person) => !person.me && gone(person)).map((person) => person.author));
  return {
    people: map.people.map((person) => (lost.has(person.author) ? { ...person, state: /** @type {const} */ ('away'), hops: null, rttMs: null, via: null } : person)),
    links: map.links.filter(({ a, b }) => !lost.has(a) && !lost.has(b)),
    path: map.path && (lost.has(map.path.author) || lost.has(map.path.by ?? '')) ? null : map.path,
  };
}
