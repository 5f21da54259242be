import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Codes, POSTER_DAYS, isOld } from '../../ui/state/codes.js';

/** @param {number[]} lives What each code has left, in milliseconds. */
function shop(lives) {
  /** @type {any[][]} */
  const calls = [];
  const ipc = {
    createInvite: async (/** @type {any[]} */ ...asked) => {
      calls.push(asked);
      return { invite: `i${calls.length}`, link: '', svg: '', bytes: 0, expiresMs: Date.now() + lives[calls.length - 1] };
    },
    revokeInvite: async () => {},
  };
  return { calls, codes: new Codes(/** @type {any} */ (ipc)) };
}

test('a_code_with_time_left_is_shown_again_and_an_old_one_gives_way', async () => {
  const { calls, codes } = shop([600_000, 600_000, 59_000, 600_000]);
  assert.equal((await codes.show('r')).invite, 'i1');
  assert.equal((await codes.show('r')).invite, 'i1');
  assert.equal((await codes.show('other')).invite, 'i2', 'each room has its own');
  codes.forget('r');
  assert.equal((await codes.show('r')).invite, 'i3');
  assert.equal((await codes.show('r')).invite, 'i4', 'with less than a minute left a new one takes its place');
  assert.deepEqual(calls[0], ['r', 600, null, false], 'ten minutes, for as many as come');
});

test('where_the_addresses_changed_every_room_gets_a_new_code', async () => {
  const { calls, codes } = shop([600_000, 600_000, 600_000, 600_000, 600_000]);
  await codes.show('r');
  await codes.show('other');
  codes.forgetAll();
  assert.equal((await codes.show('r')).invite, 'i3');
  assert.equal((await codes.show('other')).invite, 'i4');
  assert.equal((await codes.show('r')).invite, 'i3', 'and keeps it');
  assert.equal(calls.length, 4);
});

test('a_code_made_while_the_addresses_changed_is_not_shown', async () => {
  const { calls, codes } = shop([600_000, 600_000]);
  const shown = codes.show('r');
  codes.forgetAll();
  assert.equal((await shown).invite, 'i2');
  assert.equal((await codes.show('r')).invite, 'i2');
  assert.equal(calls.length, 2);
});

test('a_poster_works_for_days_and_does_not_take_the_screens_place', async () => {
  const { calls, codes } = shop([600_000, 600_000]);
  await codes.show('r');
  await codes.poster('r', POSTER_DAYS[0]);
  assert.deepEqual(calls[1], ['r', 86_400, null, true]);
  assert.equal((await codes.show('r')).invite, 'i1');
});

test('ending_a_listed_code_leaves_another_one_on_the_screen', async () => {
  const { codes } = shop([600_000, 600_000]);
  await codes.show('r');
  await codes.end('r', 'somebody else’s');
  assert.equal((await codes.show('r')).invite, 'i1');
  await codes.end('r', 'i1');
  assert.equal((await codes.show('r')).invite, 'i2');
});

test('a_code_is_old_a_minute_before_it_ends', () => {
  const code = /** @type {any} */ ({ expiresMs: 100_000 });
  assert.equal(isOld(code, 39_999), false);
  assert.equal(isOld(code, 40_000), true);
});
