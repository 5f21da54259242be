import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY, sortedRooms } from '../../ui/state/model.js';
import { room } from './samples.js';

test('favourites_come_first_then_the_latest_word', () => {
  const at = (/** @type {string} */ id, /** @type {number} */ timeMs, favourite = false) => room({ room: id, favourite, last: timeMs === 0 ? null : { name: 'Ada', text: 'x', timeMs } });
  const rooms = [at('old', 1), at('quiet favourite', 0, true), at('new', 3), at('favourite', 2, true)];
  const state = { ...EMPTY, rooms: Object.fromEntries(rooms.map((r) => [r.room, r])) };
  assert.deepEqual(sortedRooms(state).map((r) => r.room), ['favourite', 'quiet favourite', 'new', 'old']);
});
