import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_TIMELINE } from '../../ui/state/model.js';
import { PIECE, Run } from '../../ui/state/run.js';
import { TimelineRows } from '../../ui/state/timeline.js';
import { message } from './samples.js';

/** @typedef {import('../../ui/ipc/types.js').Message} Message */

const many = (/** @type {number} */ from, /** @type {number} */ count) => Array.from({ length: count }, (_, i) => message(from + i));
const ids = (/** @type {Iterable<Message>} */ list) => [...list].map((m) => m.message);

test('a_run_is_what_a_plain_list_would_be_whatever_is_done_to_it', () => {
  let seed = 11;
  const random = (/** @type {number} */ n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
  let run = Run.of([]);
  /** @type {Message[]} */
  let plain = [];
  let next = 1_000_000;
  for (let round = 0; round < 200; round += 1) {
    const fresh = many(next, 1 + random(PIECE));
    next += fresh.length;
    const before = run;
    const was = ids(plain);
    const act = random(5);
    if (act === 0) [run, plain] = [run.append(fresh), plain.concat(fresh)];
    else if (act === 1) [run, plain] = [run.prepend(fresh), fresh.concat(plain)];
    else if (act === 2) {
      const count = random(plain.length + 5);
      [run, plain] = [run.take(count), plain.slice(0, count)];
    } else if (act === 3 && plain.length > 0) {
      const index = random(plain.length);
      const edited = { ...plain[index], text: `edited ${round}` };
      run = run.with(index, edited);
      plain = plain.map((m, i) => (i === index ? edited : m));
    } else {
      const keeps = (/** @type {Message} */ m) => m.timeMs % 7000 !== 0;
      [run, plain] = [run.filter(keeps), plain.filter(keeps)];
    }
    assert.equal(run.length, plain.length, `round ${round}`);
    assert.deepEqual(ids(run), ids(plain), `round ${round}`);
    assert.deepEqual(ids(before), was, 'the one before is what it was');
    for (const index of [0, random(plain.length + 1), plain.length - 1]) {
      const one = plain[index];
      assert.equal(run.at(index), one);
      if (one) assert.deepEqual([run.indexOf(one.message), run.get(one.message)], [index, one], `round ${round}`);
    }
    assert.equal(run.indexOf('nobody wrote this'), -1);
    assert.equal(run.at(-1), plain.at(-1));
    const from = random(plain.length + 1);
    assert.deepEqual(ids(run.slice(from, from + 700)), ids(plain.slice(from, from + 700)));
    const { start, removed, added } = before.change(run);
    assert.deepEqual([...was.slice(0, start), ...ids(run.slice(start, start + added)), ...was.slice(start + removed)], ids(plain), `round ${round}`);
  }
});

test('one_more_message_shares_everything_that_was_there', () => {
  const run = Run.of(many(0, PIECE * 3));
  const more = run.append([message(900_000)]);
  assert.deepEqual(run.change(more), { start: PIECE * 3, removed: 0, added: 1 });
  const older = run.prepend([message(-1)]);
  assert.deepEqual(run.change(older), { start: 0, removed: 0, added: 1 });
  const edited = run.with(PIECE + 5, { ...message(PIECE + 5), text: 'other' });
  assert.deepEqual(run.change(edited), { start: PIECE * 3, removed: 0, added: 0 }, 'an edit moves nothing');
  assert.equal(edited.at(PIECE * 2 + 1), run.at(PIECE * 2 + 1), 'the same object');
});

test('what_a_run_held_is_still_found_in_it_after_it_was_gone_on_from', () => {
  const run = Run.of(many(0, 10));
  assert.equal(run.indexOf('m3'), 3);
  const next = run.append([message(10)]);
  assert.equal(next.indexOf('m10'), 10);
  assert.equal(run.indexOf('m10'), -1);
  assert.equal(run.indexOf('m3'), 3);
});

const rows = (/** @type {Run} */ messages, /** @type {string[]} */ waiting = []) => new TimelineRows({ ...NO_TIMELINE, messages }, waiting.map((clientId) => ({
  clientId, text: 'x', timeMs: 0, replyTo: null, mentions: [], state: /** @type {const} */ ('queued'), error: '',
})), null);
const keys = (/** @type {TimelineRows} */ list) => Array.from({ length: list.count }, (_, i) => list.at(i).key);

test('the_changes_between_two_lists_of_rows_turn_the_one_into_the_other', () => {
  const run = Run.of(many(0, 5));
  const sent = Run.of([...many(0, 5), message(5, { mine: true, clientId: 'c1' })]);
  const steps = [rows(run), rows(run, ['c1']), rows(sent, ['c2']), rows(sent.prepend([message(-3), message(-2)]), ['c2', 'c3']), rows(sent.take(2))];
  for (let i = 1; i < steps.length; i += 1) {
    const turned = keys(steps[i - 1]);
    for (const { start, removed, added } of steps[i - 1].changes(steps[i])) turned.splice(start, removed, ...keys(steps[i]).slice(start, start + added));
    assert.equal(turned.length, steps[i].count, `step ${i}`);
    assert.deepEqual(turned, keys(steps[i]), `step ${i}`);
  }
});

test('a_row_is_found_by_its_key', () => {
  const list = rows(Run.of([...many(0, 3), message(3, { mine: true, clientId: 'c1' })]), ['c2']);
  assert.deepEqual(keys(list).map((key) => list.indexOf(key)), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual([list.indexOf('m:none'), list.indexOf('c:none'), list.rowOf('m2'), list.rowOf('none')], [-1, -1, 3, -1]);
});
