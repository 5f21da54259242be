/**
 * Where everybody stands in the picture of the mesh. Pure, and the same for the same map: people on rings around this
 * device by how many links away they are, and below them, apart, whoever can't be reached now.
 *
 *            o   o                 Each hop has a band of one circle or more. The sizes are tried from roomy to crowded
 *         o    .   o   2 hops      until everybody has a place; hops that find no circle of their own share the last band.
 *           o (me) o   here        Above `PEOPLE_MAX` people, or where even the smallest don't fit, the farther hops
 *         o    '   o               are a counted group each.
 *        - - - - - - - -
 *          o  o  o               away
 *
 * Everything is worked out on circles within the smaller side and then stretched to the area: pulling a picture wider or
 * higher brings no two closer. Who was on a circle before keeps the angle as long as nobody stands too close.
 *
 * @typedef {import('../ipc/types.js').MapPerson} MapPerson
 * @typedef {import('../ipc/types.js').NetworkMap} NetworkMap
 *
 * @typedef {object} Spot
 * @property {string} id An author, or `group:N`.
 * @property {number} x
 * @property {number} y
 * @property {number} r
 * @property {'me' | 'ring' | 'away'} zone
 * @property {number} ring The circle it stands on, from the middle; -1 off the rings.
 * @property {number} angle
 * @property {number} slot The place among those away; -1 on the rings.
 * @property {string[]} members Whom a group stands for; empty for a person.
 *
 * @typedef {object} Band
 * @property {number} hops
 * @property {boolean} more Whether farther ones stand here, too.
 * @property {number} radiusX Of its outermost circle.
 * @property {number} radiusY
 * @property {number} labelX Where a word about it is in nobody's way.
 * @property {number} labelY
 * @property {boolean} labelled Whether there is room for one.
 *
 * @typedef {object} MeshLayout
 * @property {number} width
 * @property {number} height
 * @property {number} meshHeight The rings' part of it.
 * @property {number} border Where the line over those away is; the height when nobody is.
 * @property {boolean} names Whether there is room for names.
 * @property {boolean} words Whether there is room for a second line below them.
 * @property {Spot[]} spots
 * @property {Band[]} bands
 */
import { AIR, PEOPLE_MAX, TURN, apart, planOf, room, spreadOf } from './mesh-plan.js';

/**
 * @typedef {import('./mesh-plan.js').Item} Item
 * @typedef {import('./mesh-plan.js').Ringed} Ringed
 * @typedef {import('./mesh-plan.js').Size} Size
 */

/** Rows of people away, beside groups. */
const AWAY_ROWS = 2;

/** Half of a word beside a ring, and what a second line below a name takes with the first. */
const LABEL_HALF = 40;
const SECOND_LINE = 30;

/** An eighth of a turn to the next person is enough for it anywhere. */
const LABEL_FREE = Math.PI / 4;

const TOP = -Math.PI / 2;

/** The first of a ring: beside the top, so that two above each other don't hide each other's names and links. */
const START = TOP + TURN / 9;

/**
 * @param {NetworkMap} map
 * @param {object} area
 * @param {number} area.width
 * @param {number} area.height What the rings may take; people away stand below.
 * @param {number} [area.scale] Of the text.
 * @param {MeshLayout | null} [before] What was shown last.
 * @returns {MeshLayout}
 */
export function layoutOf(map, { width, height, scale = 1 }, before = null) {
  const me = map.people.find((person) => person.me);
  const here = byAuthor(map.people.filter((person) => !person.me && person.state !== 'away'));
  const away = byAuthor(map.people.filter((person) => !person.me && person.state === 'away'));
  const known = new Map((before?.spots ?? []).map((spot) => [spot.id, spot]));
  const many = map.people.length > PEOPLE_MAX;
  const plan = planOf(here, Math.min(width, height), scale, many);
  const { size, circles } = plan;
  const stretch = { x: width / Math.min(width, height), y: height / Math.min(width, height) };
  const centre = { x: width / 2, y: height / 2 };

  /** @type {Spot[]} */
  const spots = [];
  if (me) spots.push({ id: me.author, ...centre, r: size.me, zone: 'me', ring: -1, angle: 0, slot: -1, members: [] });
  const touching = touchingOf(map);
  const spread = spreadOf(plan, Math.min(width, height));
  /** @type {Band[]} */
  const bands = [];
  for (const band of plan.bands) {
    const placed = onCircles(band, circles, size.gap, known, wishesOf(band, touching, spots));
    for (const { id, ring, angle, members } of placed) {
      const radius = circles[ring] * spread;
      spots.push({
        id, x: centre.x + radius * stretch.x * Math.cos(angle), y: centre.y + radius * stretch.y * Math.sin(angle),
        r: members.length > 0 ? Math.min(size.gap / 2 - 1, size.r * 1.3) : size.r, zone: 'ring', ring, angle, slot: -1, members,
      });
    }
    const radius = circles[band.rings.at(-1) ?? 0] * spread;
    const { angle, free } = labelPlace(placed.filter(({ ring }) => ring === band.rings.at(-1)).map((one) => one.angle));
    bands.push({
      hops: band.hops, more: band.more, radiusX: radius * stretch.x, radiusY: radius * stretch.y,
      labelX: centre.x + radius * stretch.x * Math.cos(angle), labelY: centre.y + radius * stretch.y * Math.sin(angle),
      labelled: 2 * radius * Math.sin(Math.min(free, Math.PI) / 2) > size.r + LABEL_HALF * scale,
    });
  }
  const below = awayOf(away, { width, top: height, size, many }, known);
  return { width, height: height + below.height, meshHeight: height, border: height + below.border, names: size.names, words: size.names && size.step * spread >= 2 * size.r + SECOND_LINE * scale, spots: [...spots, ...below.spots], bands };
}

/**
 * One layout on its way to another.
 * @param {MeshLayout} from
 * @param {MeshLayout} to
 * @param {number} part From 0 to 1.
 * @returns {MeshLayout} Who is new stands where they will.
 */
export function between(from, to, part) {
  const then = new Map(from.spots.map((spot) => [spot.id, spot]));
  const eased = part * part * (3 - 2 * part);
  return {
    ...to,
    spots: to.spots.map((spot) => {
      const was = then.get(spot.id);
      return was ? { ...spot, x: was.x + (spot.x - was.x) * eased, y: was.y + (spot.y - was.y) * eased } : spot;
    }),
  };
}

/** @param {MapPerson[]} people */
function byAuthor(people) {
  return people.toSorted((a, b) => (a.author < b.author ? -1 : 1));
}

/**
 * @param {NetworkMap} map
 * @returns {Map<string, string[]>} Who has a link to whom.
 */
function touchingOf({ links }) {
  /** @type {Map<string, string[]>} */
  const touching = new Map();
  const add = (/** @type {string} */ a, /** @type {string} */ b) => void (touching.get(a)?.push(b) ?? touching.set(a, [b]));
  for (const { a, b } of links) {
    add(a, b);
    add(b, a);
  }
  return touching;
}

/**
 * Near whom they stand: the angle in the middle of those nearer to this device that they have a link to.
 * @param {Ringed} band
 * @param {Map<string, string[]>} touching
 * @param {Spot[]} placed
 * @returns {Map<string, number>}
 */
function wishesOf({ items }, touching, placed) {
  const angles = new Map(placed.filter(({ zone }) => zone === 'ring').flatMap((spot) => [spot.id, ...spot.members].map((id) => [id, spot.angle])));
  return new Map(items.flatMap(({ id, members }) => {
    const near = [id, ...members].flatMap((one) => touching.get(one) ?? []).flatMap((one) => angles.get(one) ?? []);
    if (near.length === 0) return [];
    const [x, y] = [near.reduce((sum, a) => sum + Math.cos(a), 0), near.reduce((sum, a) => sum + Math.sin(a), 0)];
    return Math.hypot(x, y) < 1e-6 ? [] : [/** @type {[string, number]} */ ([id, Math.atan2(y, x)])];
  }));
}

/**
 * @typedef {Item & {ring: number, angle: number}} Placed
 */

/**
 * @param {Ringed} band
 * @param {number[]} circles
 * @param {number} gap
 * @param {Map<string, Spot>} known
 * @param {Map<string, number>} wishes
 * @returns {Placed[]}
 */
function onCircles({ items, rings }, circles, gap, known, wishes) {
  /** @type {Map<number, Item[]>} */
  const loads = new Map(rings.map((ring) => [ring, []]));
  const places = (/** @type {number} */ ring) => room(circles[ring], gap);
  const load = (/** @type {number} */ ring) => loads.get(ring)?.length ?? Infinity;
  const kept = items.filter(({ id }) => rings.includes(known.get(id)?.ring ?? -1));
  for (const item of [...kept, ...items.filter((one) => !kept.includes(one))]) {
    const before = known.get(item.id)?.ring ?? -1;
    const ring = load(before) < places(before) ? before
      : rings.reduce((a, b) => ((load(b) + 1) / places(b) < (load(a) + 1) / places(a) ? b : a));
    loads.get(ring)?.push(item);
  }
  return [...loads].flatMap(([ring, on]) => around(on, ring, apart(circles[ring], gap), known, wishes))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * @param {Item[]} items
 * @param {number} ring
 * @param {number} least The angle that two keep between them.
 * @param {Map<string, Spot>} known
 * @param {Map<string, number>} wishes
 * @returns {Placed[]}
 */
function around(items, ring, least, known, wishes) {
  /** @type {Placed[]} */
  const placed = [];
  const free = (/** @type {number} */ angle) => placed.every((one) => away(one.angle, angle) >= least - 1e-9);
  /** @type {Item[]} */
  const fresh = [];
  for (const item of items) {
    const before = known.get(item.id);
    // An angle is kept from circle to circle, too: who comes nearer comes straight.
    if (before?.zone === 'ring' && free(before.angle)) placed.push({ ...item, ring, angle: before.angle });
    else fresh.push(item);
  }
  const even = (/** @type {Item[]} */ all, /** @type {number} */ start) =>
    all.map((item, n) => ({ ...item, ring, angle: wrapped(start + n * TURN / all.length) }));
  // Nobody to keep to and nobody to stand by: as even as can be.
  if (placed.length === 0 && fresh.every(({ id }) => !wishes.has(id))) return even(fresh, START + ring * TURN / 12);
  for (const item of fresh) {
    const wish = wishes.get(item.id) ?? widestGap(placed.map((one) => one.angle)).angle;
    const edges = placed.flatMap((one) => [wrapped(one.angle + least), wrapped(one.angle - least)]);
    const angle = [wish, ...edges].filter(free).reduce((/** @type {number | null} */ a, b) => (a === null || away(b, wish) < away(a, wish) - 1e-9 ? b : a), null);
    if (angle === null) {
      // Too little is free in one piece: everybody moves up, in the order in which they stand.
      const order = placed.toSorted((a, b) => a.angle - b.angle);
      return even([...order, ...fresh.filter((one) => !order.some(({ id }) => id === one.id))], order[0]?.angle ?? TOP);
    }
    placed.push({ ...item, ring, angle });
  }
  return placed;
}

/**
 * @param {number} a
 * @param {number} b
 * @returns {number} The angle between them, at most half a turn.
 */
function away(a, b) {
  return Math.abs(wrapped(a - b));
}

/** @param {number} angle From minus to plus half a turn. */
function wrapped(angle) {
  return angle - TURN * Math.round(angle / TURN);
}

/**
 * @param {number[]} angles
 * @returns {{angle: number, free: number}} The middle of the widest gap, and how wide it is.
 */
function widestGap(angles) {
  if (angles.length === 0) return { angle: TOP, free: TURN };
  const sorted = angles.toSorted((a, b) => a - b);
  return sorted.map((angle, n) => {
    const free = n + 1 < sorted.length ? sorted[n + 1] - angle : sorted[0] + TURN - angle;
    return { angle: wrapped(angle + free / 2), free };
  }).reduce((a, b) => (b.free > a.free + 1e-9 ? b : a));
}

/**
 * Where a word about a circle is in nobody's way: at the top or the bottom, or else in the widest gap.
 * @param {number[]} angles
 * @returns {{angle: number, free: number}} The angle to the next person.
 */
function labelPlace(angles) {
  const free = (/** @type {number} */ angle) => Math.min(Math.PI, ...angles.map((one) => away(one, angle)));
  return [TOP, -TOP, widestGap(angles).angle].map((angle) => ({ angle, free: free(angle) }))
    .reduce((a, b) => (a.free > LABEL_FREE || a.free >= b.free ? a : b));
}

/**
 * Rows below the rings. Who stood there before keeps the place while there are as many.
 * @param {MapPerson[]} people
 * @param {{width: number, top: number, size: Size, many: boolean}} area
 * @param {Map<string, Spot>} known
 * @returns {{spots: Spot[], height: number, border: number}}
 */
function awayOf(people, { width, top, size, many }, known) {
  if (people.length === 0) return { spots: [], height: 0, border: 0 };
  const cell = size.names ? size.gap * 1.25 : size.gap + 2;
  const columns = Math.max(1, Math.floor(width / cell));
  const most = many ? AWAY_ROWS * columns : Infinity;
  const shown = people.length > most ? people.slice(0, most - 1) : people;
  const rest = people.slice(shown.length);
  const items = [...shown.map(({ author }) => ({ id: author, members: /** @type {string[]} */ ([]) })),
    ...(rest.length > 0 ? [{ id: 'group:away', members: rest.map(({ author }) => author) }] : [])];
  /** @type {(Item | undefined)[]} */
  const slots = Array.from({ length: items.length });
  const fresh = items.filter((item) => {
    const slot = known.get(item.id)?.slot ?? -1;
    if (slot < 0 || slot >= slots.length || slots[slot]) return true;
    slots[slot] = item;
    return false;
  });
  for (const item of fresh) slots[slots.findIndex((slot) => slot === undefined)] = item;

  const rows = Math.ceil(items.length / columns);
  const line = size.r * 2 + AIR * 2 + (size.names ? size.r : 0);
  const border = size.names ? size.r : AIR;
  const head = border + size.r + AIR;
  return {
    border,
    height: head + rows * line + AIR,
    spots: slots.map((item, slot) => {
      const row = Math.floor(slot / columns);
      const inRow = Math.min(columns, items.length - row * columns);
      const { id, members } = /** @type {Item} */ (item);
      return {
        id, members, r: size.r, zone: 'away', ring: -1, angle: 0, slot,
        x: width / 2 + (slot % columns - (inRow - 1) / 2) * cell, y: top + head + row * line + size.r,
      };
    }),
  };
}
