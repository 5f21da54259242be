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

/** More people than these are not drawn one by one. */
export const PEOPLE_MAX = 60;

/** Of those, as many stand on rings beside the groups. */
const BESIDE_GROUPS = 48;

/** Rows of people away, beside groups. */
const AWAY_ROWS = 2;

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

/** Half of a word beside a ring, and what a second line below a name takes with the first. */
const LABEL_HALF = 40;
const SECOND_LINE = 30;

/** An eighth of a turn to the next person is enough for it anywhere. */
const LABEL_FREE = Math.PI / 4;

/** Between the middle and the first circle, and between people and the line over those away. */
const AIR = 6;

const TURN = 2 * Math.PI;
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
function planOf(here, side, scale, many) {
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
function apart(radius, gap) {
  return 2 * Math.asin(Math.min(1, gap / (2 * radius)));
}

/**
 * @param {number} radius
 * @param {number} gap
 * @returns {number} How many a circle holds.
 */
function room(radius, gap) {
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
function spreadOf({ bands, circles, size }, side) {
  const last = Math.max(-1, ...bands.flatMap(({ rings }) => rings));
  return last < 0 ? 1 : Math.min(SPREAD_MAX, Math.max(1, (side / 2 - size.edge) / circles[last]));
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
