import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_TIMELINE } from '../../ui/state/model.js';
import { Run } from '../../ui/state/run.js';
import { NewLine, TimelineRows, firstUnread } from '../../ui/state/timeline.js';
import { member, message } from './samples.js';

/** @typedef {import('../../ui/state/timeline.js').MessageRow} MessageRow */

const NOON = new Date(2026, 6, 14, 12).getTime();
const HOUR = 3_600_000;
const run = (/** @type {import('../../ui/ipc/types.js').Message[]} */ ...messages) => ({ ...NO_TIMELINE, messages: Run.of(messages), complete: true });
/** @param {ConstructorParameters<typeof TimelineRows>} of */
const toRows = (...of) => {
  const rows = new TimelineRows(...of);
  return Array.from({ length: rows.count }, (_, i) => rows.at(i));
};
const kinds = (/** @type {import('../../ui/state/timeline.js').Row[]} */ rows) => rows.flatMap((row) => (row.kind === 'message' ? [...(row.day ? ['day'] : []), ...(row.isNew ? ['new'] : []), 'message'] : [row.kind]));
const bubbles = (/** @type {import('../../ui/state/timeline.js').Row[]} */ rows) =>
  /** @type {MessageRow[]} */ (rows.filter((row) => row.kind === 'message'));

test('a_line_stands_between_two_days', () => {
  const rows = toRows(run(message(1, { timeMs: NOON }), message(2, { timeMs: NOON + HOUR }), message(3, { timeMs: NOON + 24 * HOUR })), [], null);
  assert.deepEqual(kinds(rows), ['top', 'day', 'message', 'message', 'day', 'message']);
});

test('close_messages_of_one_author_form_a_group', () => {
  const rows = toRows(run(
    message(1, { timeMs: NOON }), message(2, { timeMs: NOON + 1000 }), message(3, { timeMs: NOON + 2000, author: 'b' }),
    message(4, { timeMs: NOON + HOUR, author: 'b' })), [], null);
  assert.deepEqual(bubbles(rows).map((row) => [row.first, row.last]), [[true, false], [false, true], [true, true], [true, true]]);
});

test('a_message_keeps_its_row_from_queued_to_seen', () => {
  const pending = { clientId: 'c1', text: 'x', timeMs: NOON, replyTo: null, mentions: [], state: /** @type {const} */ ('queued'), error: '' };
  const [queued] = bubbles(toRows(run(), [pending], null));
  const mine = message(1, { mine: true, clientId: 'c1', timeMs: NOON });
  const [saved] = bubbles(toRows(run(mine), [], null));
  const [seen] = bubbles(toRows(run({ ...mine, seenBy: ['b'] }), [], null));
  assert.deepEqual([queued.state, saved.state, seen.state], ['queued', 'saved', 'seen']);
  assert.equal(new Set([queued.key, saved.key, seen.key]).size, 1);
});

test('keys_never_repeat', () => {
  // A wrong clock can bring a day back after another one.
  const rows = toRows(run(message(1, { timeMs: NOON }), message(2, { timeMs: NOON + 48 * HOUR }), message(3, { timeMs: NOON })), [], 'm2');
  assert.equal(new Set(rows.map((row) => row.key)).size, rows.length);
});

test('the_new_line_stands_above_the_first_unread_message_of_others', () => {
  const messages = [message(1), message(2), message(3, { mine: true }), message(4)];
  const all = Run.of(messages);
  const where = { end: 3, muted: new Set(), complete: false };
  assert.equal(firstUnread(all, 2, where), 'm2');
  assert.equal(firstUnread(all, 0, where), null);
  assert.equal(firstUnread(all, 9, where), undefined, 'it lies further back than what is loaded');
  assert.equal(firstUnread(all, 9, { ...where, complete: true }), 'm1', 'older ones were let go of');
  assert.deepEqual(kinds(toRows(run(...messages), [], 'm2')), ['top', 'day', 'message', 'new', 'message', 'message', 'message']);
});

test('the_new_line_waits_until_as_much_is_loaded_as_was_unread_and_counts_nothing_that_comes_later', () => {
  const page = (/** @type {number} */ from, /** @type {number} */ to) => Array.from({ length: to - from }, (_, i) => message(from + i));
  const here = [member('a')];
  const line = new NewLine(90);
  const partly = { ...run(...page(60, 120)), complete: false };
  assert.equal(line.in({ ...partly, loading: 'loading' }, here), null);
  assert.equal(line.in(partly, here), null, 'ninety are not loaded yet');
  assert.equal(line.in({ ...run(...page(0, 125)), complete: false }, here), 'm30', 'five more came while older pages did');
  assert.equal(line.in(run(...page(0, 130)), here), 'm30', 'it stays where it was put');
});

test('what_the_muted_say_is_not_counted_for_the_new_line_just_as_it_is_not_unread', () => {
  const timeline = run(message(1), message(2), message(3, { author: 'b' }), message(4), message(5, { author: 'b' }));
  const members = [member('a'), member('b', { muted: true })];
  const line = new NewLine(2);
  assert.equal(line.in(timeline, []), null, 'who is muted is not known yet');
  assert.equal(line.in(timeline, members), 'm2');
});
