import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rows } from '../../ui/lib/windowing.js';

const keys = (/** @type {number} */ n, prefix = 'k') => Array.from({ length: n }, (_, i) => `${prefix}${i}`);

test('a_window_covers_the_viewport_and_its_overscan', () => {
  const rows = new Rows(10);
  rows.setKeys(keys(1000));
  assert.deepEqual(rows.range(500, 100, 50), { start: 45, end: 66, before: 450, after: 9340 });
  assert.deepEqual(rows.range(0, 100, 50), { start: 0, end: 16, before: 0, after: 9840 });
  assert.deepEqual(rows.range(9900, 100, 50), { start: 985, end: 1000, before: 9850, after: 0 });
});

test('spacers_and_window_always_add_up_to_the_whole', () => {
  const rows = new Rows(64);
  rows.setKeys(keys(500));
  for (let i = 0; i < 500; i += 7) rows.measure(i, 20 + (i * 37) % 200);
  for (let y = -100; y < rows.total + 500; y += 333) {
    const { start, end, before, after } = rows.range(y, 700, 600);
    const shown = rows.top(end) - rows.top(start);
    assert.ok(Math.abs(before + shown + after - rows.total) < 1e-6, `at ${y}`);
    assert.ok(start < end);
  }
});

test('older_rows_put_before_keep_the_measured_heights', () => {
  const rows = new Rows(10);
  rows.setKeys(['a', 'b']);
  assert.equal(rows.measure(0, 33), true);
  assert.equal(rows.measure(0, 33), false);
  rows.setKeys(['x', 'y', 'a', 'b']);
  assert.deepEqual([rows.top(2), rows.top(3), rows.total], [20, 53, 63]);
});

test('a_position_finds_its_row', () => {
  const rows = new Rows(10);
  rows.setKeys(['a', 'b', 'c']);
  rows.measure(1, 100);
  assert.deepEqual([-5, 0, 9.9, 10, 109, 110, 9999].map((y) => rows.at(y)), [0, 0, 0, 1, 1, 2, 2]);
});

test('an_empty_list_has_an_empty_window', () => {
  assert.deepEqual(new Rows(10).range(0, 100, 100), { start: 0, end: 0, before: 0, after: 0 });
});

test('fewer_rows_than_before_leave_no_old_height', () => {
  const rows = new Rows(10);
  rows.setKeys(keys(100));
  assert.equal(rows.total, 1000);
  rows.setKeys(keys(3));
  assert.equal(rows.total, 30);
  rows.forget();
  assert.equal(rows.total, 30);
});
