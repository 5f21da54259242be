import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sequence } from '../../ui/state/sequence.js';

const batch = (/** @type {number} */ seq) => ({ seq, events: [] });
const seqs = (/** @type {{seq: number}[]} */ batches) => batches.map((b) => b.seq);

test('batches_before_the_first_snapshot_wait_for_it', () => {
  const sequence = new Sequence();
  assert.deepEqual(seqs(sequence.push(batch(4))), []);
  assert.deepEqual(seqs(sequence.push(batch(5))), []);
  assert.deepEqual(seqs(sequence.reset(4)), [5], 'the snapshot already includes 4');
  assert.equal(sequence.stale, false);
});

test('a_batch_is_applied_once_and_in_order', () => {
  const sequence = new Sequence();
  sequence.reset(0);
  assert.deepEqual(seqs(sequence.push(batch(1))), [1]);
  assert.deepEqual(seqs(sequence.push(batch(1))), []);
  assert.deepEqual(seqs(sequence.push(batch(2))), [2]);
});

test('a_gap_asks_for_a_snapshot_and_loses_nothing_after_it', () => {
  const sequence = new Sequence();
  sequence.reset(0);
  sequence.push(batch(1));
  assert.deepEqual(seqs(sequence.push(batch(3))), []);
  assert.equal(sequence.stale, true);
  assert.deepEqual(seqs(sequence.push(batch(4))), []);
  assert.deepEqual(seqs(sequence.reset(3)), [4]);
  assert.deepEqual(seqs(sequence.push(batch(5))), [5]);
});

test('a_snapshot_that_is_older_than_the_gap_asks_again', () => {
  const sequence = new Sequence();
  sequence.reset(0);
  sequence.push(batch(3));
  assert.deepEqual(seqs(sequence.reset(1)), []);
  assert.equal(sequence.stale, true);
});
