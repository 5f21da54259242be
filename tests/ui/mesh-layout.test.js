/** The picture of the mesh: nobody covers anybody, nobody jumps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { between, layoutOf } from '../../ui/lib/mesh-layout.js';
import { PEOPLE_MAX } from '../../ui/lib/mesh-plan.js';
import { cutOff, dice, meshOf } from './mesh-samples.js';

/** @typedef {import('../../ui/lib/mesh-layout.js').MeshLayout} MeshLayout */

const PHONE = { width: 360, height: 400 };
const LAPTOP = { width: 900, height: 520 };

/** What is wrong with it: two that cover each other, or one that stands outside. @param {MeshLayout} layout */
function faults({ spots, width, height }) {
  const found = [];
  for (const [n, a] of spots.entries()) {
    if (a.x - a.r < 0 || a.x + a.r > width || a.y - a.r < 0 || a.y + a.r > height) found.push(`${a.id} stands outside: ${a.x} ${a.y}`);
    for (const b of spots.slice(n + 1)) {
      const way = Math.hypot(a.x - b.x, a.y - b.y);
      if (way < a.r + b.r) found.push(`${a.id} and ${b.id} are ${way.toFixed(1)} apart`);
    }
  }
  return found;
}

const at = (/** @type {MeshLayout} */ layout) => new Map(layout.spots.map(({ id, x, y }) => [id, { x, y }]));
const far = (/** @type {{x: number, y: number}} */ a, /** @type {{x: number, y: number}} */ b) => Math.hypot(a.x - b.x, a.y - b.y);

test('up_to_50_people_never_cover_each_other_on_a_small_phone', () => {
  for (let count = 1; count <= 50; count += 1) {
    for (const degree of [1, 2, 5, 12, 49]) {
      for (const away of new Set([0, Math.floor(count / 3), count - 1])) {
        const layout = layoutOf(meshOf(count, { degree, away, seed: count }), PHONE);
        assert.deepEqual(faults(layout), [], `${count} people, ${degree} links, ${away} away`);
        assert.equal(layout.spots.length, count, 'everybody stands somewhere, by themselves');
        assert.deepEqual(layout.spots.filter(({ members }) => members.length > 0), []);
      }
    }
  }
});

test('a_line_of_50_shares_the_last_ring', () => {
  const map = meshOf(50, { degree: 1 });
  const line = { ...map, people: map.people.map((person, n) => ({ ...person, hops: n, state: /** @type {'linked' | 'reachable'} */ (n === 1 ? 'linked' : 'reachable') })) };
  const layout = layoutOf(line, PHONE);
  assert.deepEqual(faults(layout), []);
  assert.equal(layout.spots.length, 50);
  assert.deepEqual(layout.bands.map(({ hops }) => hops), layout.bands.map((_, n) => n + 1));
  assert.deepEqual(layout.bands.map(({ more }) => more), layout.bands.map((_, n) => n === layout.bands.length - 1));
});

test('rings_go_by_hops_with_this_device_in_the_middle', () => {
  const map = meshOf(14, { degree: 3 });
  const layout = layoutOf(map, LAPTOP);
  const centre = layout.spots.find(({ zone }) => zone === 'me');
  assert.deepEqual([centre?.x, centre?.y], [LAPTOP.width / 2, LAPTOP.height / 2]);
  const hops = new Map(map.people.map((person) => [person.author, person.hops]));
  const rings = layout.spots.filter(({ zone }) => zone === 'ring');
  for (const a of rings) {
    for (const b of rings) {
      if ((hops.get(a.id) ?? 0) < (hops.get(b.id) ?? 0)) assert.ok(a.ring < b.ring, 'who is farther stands farther out');
    }
  }
});

test('the_same_map_gives_the_same_picture', () => {
  for (const count of [3, 14, 50, 200]) {
    const map = meshOf(count, { away: 2 });
    const first = layoutOf(map, PHONE);
    assert.deepEqual(layoutOf(structuredClone(map), PHONE), first);
    assert.deepEqual(layoutOf(map, PHONE, first), first, 'and goes on to, update after update');
    const shuffled = { ...map, people: map.people.toReversed() };
    assert.deepEqual(at(layoutOf(shuffled, PHONE)), at(first), 'in whatever order they are told');
  }
});

test('times_and_links_that_change_move_nobody', () => {
  const map = meshOf(30, { away: 3 });
  const first = layoutOf(map, PHONE);
  const roll = dice(3);
  const other = { ...map, people: map.people.map((person) => ({ ...person, rttMs: person.rttMs && roll() * 900 })), links: map.links.slice(0, -9) };
  assert.deepEqual(at(layoutOf(other, PHONE, first)), at(first));
});

test('who_goes_out_of_reach_moves_outside_and_nobody_else_moves', () => {
  const map = meshOf(12, { degree: 5 });
  const first = layoutOf(map, PHONE);
  const gone = map.people[3].author;
  const second = layoutOf(cutOff(map, ({ author }) => author === gone), PHONE, first);
  const spot = second.spots.find(({ id }) => id === gone);
  assert.equal(spot?.zone, 'away');
  assert.ok((spot?.y ?? 0) > second.meshHeight, 'apart, below the rings');
  for (const [id, place] of at(first)) if (id !== gone) assert.ok(far(place, at(second).get(id) ?? { x: -1, y: -1 }) < 1e-6, id);
  const third = layoutOf(map, PHONE, second);
  assert.equal(third.spots.find(({ id }) => id === gone)?.zone, 'ring', 'and back');
  assert.deepEqual(faults(third), []);
});

test('a_long_life_of_coming_and_going_never_makes_two_cover_each_other', () => {
  const map = meshOf(50, { degree: 8 });
  const roll = dice(11);
  /** @type {MeshLayout | null} */
  let layout = null;
  let [moved, kept] = [0, 0];
  for (let step = 0; step < 300; step += 1) {
    const share = roll();
    const next = layoutOf(cutOff(map, () => roll() < share), PHONE, layout);
    assert.deepEqual(faults(next), [], `step ${step}`);
    if (layout) {
      const before = new Map(layout.spots.map((spot) => [spot.id, spot]));
      for (const { id, zone, angle, ring } of next.spots) {
        const was = before.get(id);
        if (zone !== 'ring' || was?.zone !== 'ring' || was.ring !== ring) continue;
        if (Math.abs(was.angle - angle) < 1e-9) kept += 1;
        else moved += 1;
      }
    }
    layout = next;
  }
  assert.ok(kept > 2 * moved, `who stays on a ring mostly stays where they are: ${kept} kept, ${moved} moved`);
});

test('above_60_people_the_farther_rings_are_counted_groups', () => {
  for (const area of [PHONE, LAPTOP]) {
    for (const count of [PEOPLE_MAX + 1, 200, 1000]) {
      const map = meshOf(count, { degree: 8, away: 40 });
      const layout = layoutOf(map, area);
      assert.deepEqual(faults(layout), [], `${count}`);
      const groups = layout.spots.filter(({ members }) => members.length > 0);
      assert.ok(groups.length > 0 && layout.spots.length - groups.length <= PEOPLE_MAX + 40);
      assert.equal(layout.spots.reduce((sum, { members }) => sum + Math.max(1, members.length), 0), count, 'nobody is left out');
      const near = map.people.filter(({ hops }) => hops === 1);
      for (const { author } of near) assert.ok(layout.spots.some(({ id }) => id === author), 'own links stay people');
    }
  }
});

test('even_a_thousand_neighbours_or_a_tiny_picture_have_an_answer', () => {
  const crowd = meshOf(1000, { degree: 999 });
  assert.deepEqual(faults(layoutOf(crowd, PHONE)), []);
  assert.ok(layoutOf(meshOf(50), { width: 60, height: 60 }).spots.length > 0);
  assert.deepEqual(layoutOf({ people: [], links: [], path: null }, PHONE).spots, []);
});

test('twice_the_text_leaves_as_much_room_to_each', () => {
  for (const count of [1, 5, 14, 50]) {
    const layout = layoutOf(meshOf(count, { away: Math.floor(count / 4) }), { ...PHONE, scale: 2 });
    assert.deepEqual(faults(layout), [], `${count}`);
    assert.ok(layout.spots.every(({ r }) => r >= 24));
  }
});

test('on_the_way_between_two_pictures', () => {
  const map = meshOf(8);
  const first = layoutOf(map, PHONE);
  const second = layoutOf(cutOff(map, ({ hops }) => hops === 2), PHONE, first);
  assert.deepEqual(at(between(first, second, 0)), new Map([...at(second).keys()].map((id) => [id, at(first).get(id)])));
  assert.deepEqual(at(between(first, second, 1)), at(second));
});
