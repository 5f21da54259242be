/**
 * How big people are drawn, on which circles, and which hops have which of them: the size that fits, from roomy to crowded, and
 * counted groups where none does. `mesh-layout.js` then puts everybody in their place.
 *
 * @typedef {import('../ipc/types.js').MapPerson} MapPerson
 */

/** More people than these are not drawn one by one. */
export const PEOPLE_MAX = 60;

/** Of those, as many stand on rings beside the groups. */
const BESIDE_GROUPS = 48;

/**
 * From roomy to crowded, in pixels at the usual size of text: the radius of a person, the way between two, between two
 * circles, and the room that the outermost keeps for names.
 */
const SIZES = Object.freeze([
  { r: 20, me: 25, gap: 72, step: 72, edge: 36, names: true },
  { r: 16, me: 20, gap: 54, step: 52, edge: 27, names: true },
  { r: 14, me: 17, gap: 34, step: 34, edge: 18, names: false },
  { r: 12, me: 14, gap: 28, step: 28, edge: 14, names: false },
]);

/** @typedef {typeof SIZES[number]} Size */

/** As many hops have a band of their own, if any size allows it. */
const OWN_BANDS = 3;

/** Rings are pulled apart where there is room, up to this. */
const SPREAD_MAX = 2.2;

/** Between the middle and the first circle, and between people and the line over those away. */
export const AIR = 6;

export const TURN = 2 * Math.PI;

/**
 * @typedef {{id: string, members: string[]}} Item
 * @typedef {{hops: number, more: boolean, items: Item[]}} Hop
 * @typedef {Hop & {rings: number[]}} Ringed
 * @typedef {{size: Size, circles: number[], bands: Ringed[]}} Plan
 */

/**
 * Which size fits, and which circles each hop has.
 * @param {MapPerson[]} here
 * @param {number} side
 * @param {number} scale
 * @param {boolean} many
 * @returns {Plan}
 */
export function planOf(here, side, scale, many) {
  const sizes = SIZES.map((size) => sized(size, scale));
  const hops = hopsOf(here);
  if (!many) {
    // Rather smaller than one ring for what is one hop away and what is two.
    for (const least of [Math.min(hops.length, OWN_BANDS), 0]) {
      for (const size of sizes) {
        const circles = circlesOf(size, side);
        const bands = fitted(hops, circles, size.gap);
        if (bands && bands.length >= least) return { size, circles, bands };
      }
    }
  }
  for (let budget = BESIDE_GROUPS; ; budget = Math.floor(budget / 2)) {
    const grouped = withGroups(hops, budget);
    for (const size of sizes.slice(1)) {
      const circles = circlesOf(size, side);
      const bands = fitted(grouped, circles, size.gap);
      if (bands) return { size, circles, bands };
    }
    // Not even one group: too small to be a picture, but never without an answer.
    if (budget === 0) {
      const size = sizes[sizes.length - 1];
      const all = here.map(({ author }) => author);
      return { size, circles: [size.gap], bands: [{ hops: 1, more: true, items: [{ id: 'group:1', members: all }], rings: [0] }] };
    }
  }
}

/**
 * @param {Size} size
 * @param {number} scale
 * @returns {Size}
 */
function sized(size, scale) {
  return { r: size.r * scale, me: size.me * scale, gap: size.gap * scale, step: size.step * scale, edge: size.edge * scale, names: size.names };
}

/**
 * @param {Size} size
 * @param {number} side
 * @returns {number[]} Radii, the smallest first.
 */
function circlesOf({ r, me, gap, step, edge }, side) {
  const circles = [];
  for (let radius = Math.max(me + r + AIR, gap); radius <= side / 2 - edge; radius += step) circles.push(radius);
  return circles;
}

/**
 * @param {number} radius
 * @param {number} gap
 * @returns {number} The angle between two whose centres are `gap` apart.
 */
export function apart(radius, gap) {
  return 2 * Math.asin(Math.min(1, gap / (2 * radius)));
}

/**
 * @param {number} radius
 * @param {number} gap
 * @returns {number} How many a circle holds.
 */
export function room(radius, gap) {
  return Math.floor(TURN / apart(radius, gap) + 1e-9);
}

/**
 * @param {MapPerson[]} here
 * @returns {Hop[]} The nearest first.
 */
function hopsOf(here) {
  /** @type {Map<number, Item[]>} */
  const hops = new Map();
  for (const { author, state, hops: far } of here) {
    const hop = state === 'linked' ? 1 : Math.max(2, far ?? 2);
    const list = hops.get(hop);
    if (list) list.push({ id: author, members: [] });
    else hops.set(hop, [{ id: author, members: [] }]);
  }
  return [...hops].sort(([a], [b]) => a - b).map(([hop, items]) => ({ hops: hop, more: false, items }));
}

/**
 * @param {Hop[]} hops
 * @param {number} budget People who are drawn one by one.
 * @returns {Hop[]} The hops beyond it as a group each.
 */
function withGroups(hops, budget) {
  let left = budget;
  let full = false;
  return hops.map((hop) => {
    full ||= hop.items.length > left;
    const shown = full && hop !== hops[0] ? 0 : Math.min(left, hop.items.length);
    left -= shown;
    const rest = hop.items.slice(shown);
    const group = rest.length > 0 ? [{ id: `group:${hop.hops}`, members: rest.map(({ id }) => id) }] : [];
    return { ...hop, items: [...hop.items.slice(0, shown), ...group] };
  });
}

/**
 * Gives every hop its circles; those that find none share the last band.
 * @param {Hop[]} hops
 * @param {number[]} circles
 * @param {number} gap
 * @returns {Ringed[] | null} Null: they don't fit.
 */
function fitted(hops, circles, gap) {
  for (let own = Math.min(hops.length, circles.length); own >= 1; own -= 1) {
    const [near, far] = [hops.slice(0, own - 1), hops.slice(own - 1)];
    const last = { hops: far[0].hops, more: far.length > 1, items: merged(far) };
    let next = 0;
    const bands = [...near, last].map((hop) => {
      const rings = [];
      for (let places = 0; places < hop.items.length && next < circles.length; next += 1) {
        places += room(circles[next], gap);
        rings.push(next);
      }
      const places = rings.reduce((sum, ring) => sum + room(circles[ring], gap), 0);
      return places >= hop.items.length ? { ...hop, rings } : null;
    });
    if (bands.every((band) => band !== null)) return /** @type {Ringed[]} */ (bands);
  }
  return hops.length === 0 ? [] : null;
}

/**
 * @param {Hop[]} hops
 * @returns {Item[]} Groups of several hops are one.
 */
function merged(hops) {
  const items = hops.flatMap((hop) => hop.items);
  const groups = items.filter(({ members }) => members.length > 0);
  if (groups.length < 2) return items;
  const one = { id: groups[0].id, members: groups.flatMap(({ members }) => members) };
  return [...items.filter(({ members }) => members.length === 0), one];
}

/**
 * @param {Plan} plan
 * @param {number} side
 * @returns {number} How far the rings are pulled apart, so that few people don't huddle in the middle.
 */
export function spreadOf({ bands, circles, size }, side) {
  const last = Math.max(-1, ...bands.flatMap(({ rings }) => rings));
  return last < 0 ? 1 : Math.min(SPREAD_MAX, Math.max(1, (side / 2 - size.edge) / circles[last]));
}
