import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { nearText } from '../../ui/lib/near.js';
import {
  HUES, digitGroups, hueClass, initial, marksOf, namesOf, ownFork, presence, roleWord, shortened, silence, sinceLine, sortedMembers, warningsOf,
} from '../../ui/lib/people.js';
import { setLanguage } from '../../ui/strings/index.js';
import { member, room } from './samples.js';

afterEach(() => setLanguage('en', []));

test('a_member_is_in_the_room_since_a_day_where_that_is_known', () => {
  const [day, now] = [new Date(2026, 6, 3, 9).getTime(), new Date(2026, 6, 15, 9).getTime()];
  assert.equal(sinceLine(member('a', { sinceMs: day }), now), 'since 3 Jul');
  assert.equal(sinceLine(member('a'), now), '');
});

test('two_people_of_one_name_are_told_apart', () => {
  const names = namesOf([member('aaaa1111', { name: 'Ada' }), member('bbbb2222', { name: 'ada ' }), member('cccc3333', { name: 'Bo' })]);
  assert.deepEqual([...names.values()], ['Ada · 1111', 'ada  · 2222', 'Bo']);
});

test('a_name_that_is_cut_keeps_what_tells_it_apart_in_every_language', () => {
  const short = (/** @type {{author: string, name: string}[]} */ people) => people.map((one) => shortened(one, namesOf(people).get(one.author) ?? '', 10));
  const twins = [{ author: '0000ab12', name: 'Rosalinde' }, { author: '0000cd34', name: 'Rosalinde' }];
  assert.deepEqual(short(twins), ['Rosal…ab12', 'Rosal…cd34']);
  assert.deepEqual(short([{ author: 'a', name: 'Ada' }, { author: 'b', name: 'Rosalinde of the hills' }]), ['Ada', 'Rosalinde…']);
  assert.deepEqual(short([{ author: '0000ab12', name: 'Rosalinde · cd34' }]), ['Rosalinde…'], 'an end that somebody gave themselves tells nothing');
  setLanguage('ar', []);
  assert.deepEqual(short(twins), ['\u2068Rosa…ab12', '\u2068Rosa…cd34']);
});

test('a_person_keeps_one_of_the_colours', () => {
  assert.equal(hueClass('abc'), hueClass('abc'));
  const classes = new Set(Array.from({ length: 400 }, (_, i) => hueClass(`author ${i}`)));
  assert.equal(classes.size, HUES);
});

test('an_initial_is_one_sign_in_every_script', () => {
  assert.deepEqual(['ada', ' bo', '\u2068ada\u2069 · 3dde', '👩‍🚀 Kim', 'été', '', 'مريم'].map(initial), ['A', 'B', 'A', '👩‍🚀', 'É', '?', 'م']);
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
  assert.equal(nearText(room({ near: 1, removed: true })), 'You are no longer in this room');
});

test('sixty_digits_are_read_in_twelve_groups_of_five', () => {
  const groups = digitGroups('0123456789'.repeat(6));
  assert.equal(groups.length, 12);
  assert.ok(groups.every((group) => /^\d{5}$/.test(group)));
  assert.deepEqual(digitGroups(''), []);
});

test('warnings_say_what_is_wrong_and_the_worst_comes_first', () => {
  const kinds = (/** @type {any} */ given, imitates = '') => warningsOf(member('a', { name: 'Ada', ...given }), imitates).map((w) => w.kind);
  assert.deepEqual(kinds({}), []);
  assert.deepEqual(kinds({ forked: true, lookalike: 'imitates', keyChanged: true }, 'Ada'), ['forked', 'key']);
  assert.deepEqual(kinds({ lookalike: 'imitates' }, 'Ada'), ['imitates']);
  assert.deepEqual(kinds({ lookalike: 'alike' }), ['alike']);
  assert.deepEqual(kinds({ verifiedAs: 'Ada L.' }), ['renamed']);
  assert.deepEqual(kinds({ verifiedAs: 'Ada' }), []);
  const [own] = warningsOf(member('a', { me: true, forked: true }), '');
  assert.match(own.text, /with a new key, or leave the room and join it again/);
  const [key] = warningsOf(member('a', { name: 'Аdа', lookalike: 'imitates', keyChanged: true }), 'Ada');
  assert.match(key.text, /verified as Ada/, 'the name that is imitated, not the imitation');
});

test('whoever_is_frozen_here_reads_the_way_on_and_then_that_it_was_asked', () => {
  const me = (/** @type {any} */ given) => ownFork(member('a', { me: true, ...given }));
  assert.equal(ownFork(undefined), '', 'the members are not loaded yet');
  assert.equal(me({}), '');
  assert.match(me({ forked: true }), /take nothing new from it\. Go on with a new key/);
  assert.match(me({ forked: true, moving: true }), /take nothing new from it\. Asked\. Somebody who moderates this room has to confirm it\.$/);
});

test('marks_stand_beside_a_name', () => {
  const texts = (/** @type {any} */ given) => marksOf(member('a', given)).map((m) => m.text);
  assert.deepEqual(texts({}), []);
  assert.deepEqual(texts({ verifiedAs: 'a', muted: true }), ['verified', 'muted']);
  assert.deepEqual(texts({ lookalike: 'imitates', blocked: true, muted: true }), ['imitates a name', 'blocked']);
  assert.deepEqual(texts({ forked: true, lookalike: 'alike' }), ['frozen', 'similar name']);
  assert.deepEqual(texts({ forked: true, moving: true }), ['new key?']);
  assert.deepEqual(['owner', 'moderator', 'member', 'newer'].map((role) => roleWord(member('a', { role: /** @type {any} */ (role) }))), ['made this room', 'moderator', 'member', 'member']);
});

test('whoever_left_a_room_is_not_told_that_they_were_removed', () => {
  assert.match(silence({ removed: true, left: true }, undefined), /^You left this room/);
  assert.match(silence({ removed: true, left: false }, undefined), /^You were removed/);
  const frozen = member('a', { me: true, forked: true });
  assert.equal(silence({ removed: false, left: false }, frozen), ownFork(frozen));
  assert.equal(silence({ removed: false, left: false }, member('a', { me: true })), '');
});
