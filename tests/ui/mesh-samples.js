/** Maps of meshes and numbers of devices for tests and previews, the same for the same numbers. */

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
  const people = [{ author: me, name: myName, me: true, state: 'linked', hops: 0, rttMs: null, lossPercent: null, via: null }];
  /** @type {NetworkMap['links']} */
  const links = [];
  /** @type {string[][]} */
  const rings = [[me], [], [], [], [], [], [], []];
  const vias = /** @type {const} */ (['direct', 'lan', 'lan', 'relay', 'two-scan', 'turn']);
  for (let n = 1; n < count; n += 1) {
    const id = author(n + 1);
    const name = NAMES[(n - 1) % NAMES.length] + (n > NAMES.length ? ` ${Math.ceil(n / NAMES.length)}` : '');
    if (n > reachable) {
      people.push({ author: id, name, me: false, state: 'away', hops: null, rttMs: null, lossPercent: null, via: null });
      continue;
    }
    let hops = 1;
    for (let room = degree; rings[hops].length >= room && hops < 6; hops += 1) room *= 2;
    const inner = rings[hops - 1];
    const parent = inner[rings[hops].length % inner.length];
    const own = hops === 1;
    const rttMs = own ? [8, 34, 120, 420, 61][rings[1].length % 5] : null;
    const lossPercent = own ? [0, 2, 9, 0, 31][rings[1].length % 5] : null;
    const via = own ? vias[rings[1].length % vias.length] : null;
    people.push({ author: id, name, me: false, state: own ? 'linked' : 'reachable', hops, rttMs, lossPercent, via });
    links.push({ a: parent, b: id, rttMs, lossPercent, via });
    const ring = rings[hops];
    if (ring.length > 0 && roll() < 0.35) links.push({ a: ring[ring.length - 1], b: id, rttMs: null, lossPercent: null, via: null });
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
    people: map.people.map((person) => (lost.has(person.author) ? { ...person, state: /** @type {const} */ ('away'), hops: null, rttMs: null, lossPercent: null, via: null } : person)),
    links: map.links.filter(({ a, b }) => !lost.has(a) && !lost.has(b)),
    path: map.path && (lost.has(map.path.author) || lost.has(map.path.by ?? '')) ? null : map.path,
  };
}

/**
 * A device that has been through something.
 * @param {number} now
 * @param {Partial<import('../../ui/ipc/types.js').Diagnostics>} [given]
 * @returns {import('../../ui/ipc/types.js').Diagnostics}
 */
export function busyNumbers(now, given = {}) {
  return {
    upS: 3 * 3600 + 26 * 60, tasks: 61, lan: 'on', near: 6, addresses: ['192.168.43.17', 'fe80::1c2a:7bff:fe11:93aa'], apart: false,
    servers: [
      { url: 'wss://meet.example.org', box: false, whyNot: null, seenAs: '[2001:db8:42::7]:40123' },
      { url: 'ws://192.168.1.2:8787', box: false, whyNot: 'IO error: Connection refused (os error 111)', seenAs: null },
      { url: 'ws://192.168.43.2:8787', box: true, whyNot: null, seenAs: '192.168.43.17:40123' },
    ],
    attempts: [
      { via: 'direct', tried: 14, opened: 12, beaten: 0, p50Ms: 84, p95Ms: 310 },
      { via: 'lan', tried: 9, opened: 9, beaten: 0, p50Ms: 41, p95Ms: 92 },
      { via: 'relay', tried: 3, opened: 1, beaten: 2, p50Ms: null, p95Ms: null },
    ],
    failures: [
      { via: 'direct', reason: 'no_answer', tookMs: 5004, atMs: now - 25_000 },
      { via: 'relay', reason: 'wrong_host', tookMs: 212, atMs: now - 4 * 60_000 },
      { via: 'direct', reason: 'pigeon_lost', tookMs: 1, atMs: now - 31 * 60_000 },
    ],
    links: [
      { peer: 3, via: 'lan', names: ['Ada'], rttMs: 8.4, lossPercent: 0, upS: 3 * 3600 + 11 * 60, bytesIn: 1_240_000, bytesOut: 318_000 },
      { peer: 5, via: 'direct', names: ['Bo', 'سلمى'], rttMs: 131, lossPercent: 33, upS: 940, bytesIn: 84_200, bytesOut: 91_000 },
      { peer: 9, via: 'relay', names: [], rttMs: null, lossPercent: null, upS: 3, bytesIn: 612, bytesOut: 590 },
    ],
    delivery: { sent: 48, p50Ms: 62, p95Ms: 2140 },
    counters: [['frames_in', 18_311], ['frames_out', 17_902], ['refused', 0], ['garbage', 3], ['half_open_failed', 2]],
    ...given,
  };
}
