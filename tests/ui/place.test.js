import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatPlace, parsePlace } from '../../ui/state/place.js';

test('a_place_survives_the_address', () => {
  const room = '00ff'.repeat(8);
  assert.equal(parsePlace(formatPlace(room)), room);
  assert.equal(parsePlace(formatPlace(null)), null);
});

test('an_address_that_is_no_place_is_the_list', () => {
  for (const hash of ['', '#', '#/room/', '#/room/../x', '#/room/a b', '#/settings']) assert.equal(parsePlace(hash), null, hash);
});
