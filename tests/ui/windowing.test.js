import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Heights } from '../../ui/lib/windowing.js';

const of = (/** @type {number} */ count, estimate = 10) => {
  const heights = new Heights(estimate);
  heights.splice(0, 0, count);
  return heights;
};

test('a_window_covers_the_viewport_and_its_overscan', () => {
  const rows = of(1000);
  assert.deepEqual(rows.range(500, 100, 50), { start: 45, end: 66, before: 450, after: 9340 });
  assert.deepEqual(rows.range(0, 100, 50), { start: 0, end: 16, before: 0, after: 9840 });
  assert.deepEqual(rows.range(9900, 100, 50), { start: 985, end: 1000, before: 9850, after: 0 });
});

test('spacers_and_window_always_add_up_to_the_whole', () => {
  const rows = of(5000, 64);
  for (let i = 0; i < 5000; i += 7) rows.measure(i, 20 + (i * 37) % 200);
  for (let y = -100; y < rows.total + 500; y += 3333) {
    const { start, end, before, after } = rows.range(y, 700, 600);
    const shown = rows.top(end) - rows.top(start);
    assert.ok(Math.abs(before + shown + after - rows.total) < 1e-6, `at ${y}`);
    assert.ok(start < end);
  }
});

test('sums_by_blocks_are_the_sums_of_rows_whatever_comes_and_goes', () => {
  const rows = of(700);
  const plain = new Array(700).fill(10);
  let seed = 5;
  const random = (/** @type {number} */ n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
  for (let round = 0; round < 300; round += 1) {
    if (random(3) === 0) {
      const start = random(plain.length);
      const removed = Math.min(random(40), plain.length - start);
      const added = random(60);
      rows.splice(start, removed, added);
      plain.splice(start, removed, ...new Array(added).fill(10));
    } else {
      const index = random(plain.length);
      plain[index] = 5 + random(200);
      rows.measure(index, plain[index]);
    }
    const index = random(plain.length);
    const top = plain.slice(0, index).reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(rows.top(index) - top) < 1e-6, `round ${round}`);
    assert.equal(rows.at(top), index, `round ${round}`);
    assert.ok(Math.abs(rows.total - plain.reduce((a, b) => a + b, 0)) < 1e-6, `round ${round}`);
  }
});

test('older_rows_put_before_keep_the_measured_heights', () => {
  const rows = of(2);
  assert.equal(rows.measure(0, 33), true);
  assert.equal(rows.measure(0, 33), false);
  rows.splice(0, 0, 2);
  assert.deepEqual([rows.top(2), rows.top(3), rows.total], [20, 53, 63]);
});

test('a_position_finds_its_row', () => {
  const rows = of(3);
  rows.measure(1, 100);
  assert.deepEqual([-5, 0, 9.9, 10, 109, 110, 9999].map((y) => rows.at(y)), [0, 0, 0, 1, 1, 2, 2]);
});

test('an_empty_list_has_an_empty_window', () => {
  assert.deepEqual(new Heights(10).range(0, 100, 100), { start: 0, end: 0, before: 0, after: 0 });
});

test('fewer_rows_than_before_leave_no_old_height', () => {
  const rows = of(1000);
  assert.equal(rows.total, 10_000);
  rows.splice(3, 997, 0);
  assert.equal(rows.total, 30);
  rows.measure(1, 50);
  rows.forget();
  assert.equal(rows.total, 30);
});
