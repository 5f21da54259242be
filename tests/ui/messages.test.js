import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addPage, letGo, place } from '../../ui/state/messages.js';
import { NO_TIMELINE } from '../../ui/state/model.js';
import { Run } from '../../ui/state/run.js';
import { message } from './samples.js';

const ids = (/** @type {import('../../ui/state/model.js').Timeline} */ timeline) => [...timeline.messages].map((m) => m.message);
const run = (/** @type {number[]} */ ns, complete = true) => ({ ...NO_TIMELINE, messages: Run.of(ns.map((n) => message(n))), complete });

test('an_arrival_goes_where_its_time_belongs', () => {
  assert.deepEqual(ids(place(run([1, 3, 5]), [message(4), message(6), message(2)])), ['m1', 'm2', 'm3', 'm4', 'm5', 'm6']);
});

test('a_known_message_is_replaced_and_not_doubled', () => {
  const placed = place(run([1, 2]), [message(2, { text: 'edited' })]);
  assert.deepEqual(ids(placed), ['m1', 'm2']);
  assert.equal(placed.messages.at(1)?.text, 'edited');
});

test('messages_of_one_time_keep_the_order_of_arrival', () => {
  const placed = place(run([1]), [message(7, { timeMs: 1000 }), message(8, { timeMs: 1000 })]);
  assert.deepEqual(ids(placed), ['m1', 'm7', 'm8']);
});

test('one_older_than_the_loaded_run_waits_for_its_page', () => {
  const placed = place(run([10, 11], false), [message(3)]);
  assert.deepEqual(ids(placed), ['m10', 'm11']);
  const paged = addPage(placed, [message(8), message(9)], false, false);
  assert.deepEqual(ids(paged), ['m8', 'm9', 'm10', 'm11'], 'the page does not reach back to it');
  assert.deepEqual(ids(addPage(paged, [message(7)], true, false)), ['m3', 'm7', 'm8', 'm9', 'm10', 'm11']);
});

test('an_old_message_that_streams_in_after_the_last_page_is_shown', () => {
  assert.deepEqual(ids(place(run([10]), [message(1), message(2)])), ['m1', 'm2', 'm10']);
});

test('the_first_page_keeps_what_arrived_while_it_was_fetched', () => {
  const early = place({ ...NO_TIMELINE, loading: 'loading' }, [message(9)]);
  assert.deepEqual(ids(addPage(early, [message(7), message(8)], true, true)), ['m7', 'm8', 'm9']);
});

test('reloading_the_newest_page_fills_a_gap_of_events', () => {
  const reloaded = addPage(run([1, 2, 3, 6], false), [message(3), message(4), message(5), message(6)], false, true);
  assert.deepEqual(ids(reloaded), ['m1', 'm2', 'm3', 'm4', 'm5', 'm6']);
});

test('a_newest_page_without_overlap_starts_the_run_anew', () => {
  const reloaded = addPage(run([1, 2], false), [message(50), message(51)], false, true);
  assert.deepEqual(ids(reloaded), ['m50', 'm51']);
  assert.equal(reloaded.complete, false);
});

test('what_the_room_no_longer_keeps_leaves_the_run', () => {
  const kept = letGo(place(run([10, 11, 12], false), [message(3)]), message(11).timeMs);
  assert.deepEqual(ids(kept), ['m11', 'm12']);
  assert.equal(kept.complete, true, 'older pages hold nothing else');
  assert.deepEqual(kept.early, []);
  assert.equal(letGo(kept, message(11).timeMs), kept, 'nothing to do, nothing drawn anew');
});
