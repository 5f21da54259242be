/** The lines between people in the picture of the mesh. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layoutOf } from '../../ui/lib/mesh-layout.js';
import { linesOf } from '../../ui/lib/mesh-lines.js';
import { cutOff, meshOf } from './mesh-samples.js';

const AREA = { width: 360, height: 400 };
/** @param {import('../../ui/ipc/types.js').NetworkMap} map */
const kinds = (map) => linesOf(map, layoutOf(map, AREA)).map(({ kind }) => kind);

test('every_link_is_a_line_and_own_ones_show_their_strength', () => {
  const map = { ...meshOf(14, { degree: 5 }), path: null };
  const drawn = kinds(map);
  assert.equal(drawn.length, map.links.length);
  assert.deepEqual(drawn.filter((kind) => kind !== 'told').sort(), ['good', 'strong', 'strong', 'weak', 'weak']);
  assert.ok(drawn.lastIndexOf('told') < drawn.findIndex((kind) => kind !== 'told'), 'own links are painted over the others');
});

test('of_the_last_message_only_the_last_link_is_known', () => {
  const map = meshOf(14, { degree: 4 });
  assert.deepEqual(kinds(map).slice(-2), ['guess', 'path'], 'dotted from the author to the neighbour, whole from there');
  const neighbour = map.people[1].author;
  const path = { message: 'm', author: neighbour, by: neighbour, hops: 1, timeMs: 0 };
  assert.deepEqual(kinds({ ...map, path }).filter((kind) => kind === 'path' || kind === 'guess'), ['path']);
  const far = map.people.at(-1)?.author ?? '';
  assert.deepEqual(kinds({ ...map, path: { ...path, author: far, by: null, hops: 3 } }).filter((kind) => kind === 'path' || kind === 'guess'), ['guess']);
  assert.deepEqual(kinds({ ...map, path: { ...path, author: 'somebody who left' } }).filter((kind) => kind === 'path' || kind === 'guess'), []);
});

test('links_of_a_group_are_one_line_to_each', () => {
  const map = { ...meshOf(200, { degree: 8 }), path: null };
  const layout = layoutOf(map, AREA);
  const lines = linesOf(map, layout);
  assert.equal(new Set(lines.map(({ d }) => d)).size, lines.length, 'none is drawn twice');
  assert.ok(lines.length < map.links.length);
});

test('who_is_away_has_no_lines', () => {
  const map = cutOff(meshOf(9), () => true);
  assert.deepEqual(kinds(map), []);
});

test('lines_hold_numbers_and_nothing_else', () => {
  const map = meshOf(30, { degree: 6 });
  for (const { d } of linesOf(map, layoutOf(map, AREA))) assert.match(d, /^M[-\d.]+ [-\d.]+[LQ][-\d. ]+$/);
});
