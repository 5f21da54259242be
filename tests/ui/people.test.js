import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearText } from '../../ui/lib/near.js';
import { HUES, hueClass, initial, namesOf, presence, sortedMembers } from '../../ui/lib/people.js';
import { member, room } from './samples.js';

test('two_people_of_one_name_are_told_apart', () => {
  const names = namesOf([member('aaaa1111', { name: 'Ada' }), member('bbbb2222', { name: 'ada ' }), member('cccc3333', { name: 'Bo' })]);
  assert.deepEqual([...names.values()], ['Ada · 1111', 'ada  · 2222', 'Bo']);
});

test('a_person_keeps_one_of_the_colours', () => {
  assert.equal(hueClass('abc'), hueClass('abc'));
  const classes = new Set(Array.from({ length: 400 }, (_, i) => hueClass(`author ${i}`)));
  assert.equal(classes.size, HUES);
});

test('an_initial_is_one_sign_in_every_script', () => {
  assert.deepEqual(['ada', ' bo', '👩‍🚀 Kim', 'été', '', 'مريم'].map(initial), ['A', 'B', '👩‍🚀', 'É', '?', 'م']);
});

test('members_stand_me_first_then_by_nearness', () => {
  const list = sortedMembers([
    member('away', { state: 'away' }), member('far', { state: 'reachable', hops: 3 }), member('near', { state: 'reachable', hops: 2 }),
    member('linked'), member('me', { me: true })]);
  assert.deepEqual(list.map((m) => m.author), ['me', 'linked', 'near', 'far', 'away']);
});

test('presence_is_said_in_plain_words', () => {
  assert.equal(presence(member('a', { me: true })), 'this device');
  assert.equal(presence(member('a')), 'here');
  assert.equal(presence(member('a', { state: 'reachable', hops: 2 })), '2 hops away');
  assert.equal(presence(member('a', { state: 'away' })), 'away');
  assert.equal(nearText(room({ near: 1 })), '1 person here');
  assert.equal(nearText(room({ near: 3 })), '3 people here');
  assert.equal(nearText(room({ near: 0 })), 'Nobody near right now');
  assert.equal(nearText(room({ near: 0, members: 1 })), 'Only you so far');
});
