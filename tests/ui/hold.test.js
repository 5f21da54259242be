import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOLD_MS, Hold } from '../../ui/lib/hold.js';

function held() {
  /** @type {(string | number)[]} */
  const log = [];
  let now = 0;
  /** @type {(() => void) | undefined} */
  let tick;
  const STEP = 10;
  const clock = {
    now: () => now,
    every: (/** @type {() => void} */ act) => { tick = act; return 1; },
    stop: () => { tick = undefined; },
  };
  const pass = (/** @type {number} */ ms) => {
    for (const end = now + ms; now < end;) {
      now += STEP;
      tick?.();
    }
  };
  const hold = new Hold({
    tick: (share) => log.push(share),
    released: () => log.push('released'),
    done: () => log.push('done'),
  }, clock);
  return { hold, log, pass };
}

test('a_press_held_to_the_end_acts_once', () => {
  const { hold, log, pass } = held();
  hold.press();
  hold.press(); // a key that repeats
  pass(HOLD_MS - 50);
  assert.equal(log.includes('done'), false);
  pass(10 * HOLD_MS);
  assert.deepEqual(log.filter((entry) => typeof entry === 'string'), ['done']);
  const shares = /** @type {number[]} */ (log.filter((entry) => typeof entry === 'number'));
  assert.deepEqual([shares[0], shares.at(-1)], [0, 1]);
  assert.deepEqual(shares, [...shares].sort((a, b) => a - b));
  hold.release();
  assert.equal(log.at(-1), 'done');
});

test('letting_go_early_does_nothing_and_the_next_press_starts_anew', () => {
  const { hold, log, pass } = held();
  hold.press();
  pass(HOLD_MS - 50);
  hold.release();
  pass(10 * HOLD_MS);
  assert.equal(log.at(-1), 'released');
  hold.press();
  pass(HOLD_MS - 50);
  assert.equal(log.includes('done'), false);
  assert.equal(hold.held, true);
  pass(50);
  assert.deepEqual([log.at(-1), hold.held], ['done', false]);
});
