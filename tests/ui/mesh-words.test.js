/** The mesh in words. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { changeWords, groupWords, howNear, linkWords, pathWords, sinceOf, sinceWords, strengthOf, summary, viaWord } from '../../ui/lib/mesh-words.js';
import { namesOf } from '../../ui/lib/people.js';
import { setLanguage } from '../../ui/strings/index.js';
import { cutOff, meshOf } from './mesh-samples.js';

/** Every way that a shell names. */
const WAYS = ['direct', 'lan', 'relay', 'two-scan', 'server', 'turn'];

afterEach(() => setLanguage('en', []));

test('a_link_is_as_strong_as_it_is_quick', () => {
  assert.deepEqual([null, 0, 49, 50, 199, 200, 4000].map((rttMs) => strengthOf({ rttMs, lossPercent: null })), ['unknown', 'strong', 'strong', 'good', 'good', 'weak', 'weak']);
});

test('a_link_that_loses_much_is_weak_however_quick', () => {
  assert.deepEqual([0, 4, 5, 14, 15, 33].map((lossPercent) => strengthOf({ rttMs: 5, lossPercent })), ['strong', 'strong', 'good', 'good', 'weak', 'weak']);
  const [, ada] = meshOf(3).people;
  assert.equal(linkWords({ ...ada, via: 'lan', rttMs: 5, lossPercent: 33 }), 'found on this network · weak · 5 ms · 33% lost');
});

test('every_way_has_a_word_without_a_protocol_in_it', () => {
  const words = WAYS.map(viaWord);
  assert.equal(new Set(words).size, WAYS.length);
  for (const word of words) assert.doesNotMatch(word, /lan\b|turn|p2p|ice|udp|-/i);
  assert.equal(viaWord('pigeon'), 'pigeon', 'a way of a newer shell');
});

test('what_goes_through_a_server_says_so_and_is_told_from_what_was_only_found_there', () => {
  assert.deepEqual(['server', 'turn'].map(viaWord), ['found through a server', 'passed on by a server']);
  setLanguage('ar', []);
  assert.equal(new Set(WAYS.map(viaWord)).size, WAYS.length);
  for (const word of WAYS.map(viaWord)) assert.match(word, /^[\u0600-\u06ff ]+$/, word);
  for (const word of ['server', 'turn'].map(viaWord)) assert.match(word, /خادم/);
});

test('how_near_somebody_is', () => {
  const [me, ada] = meshOf(3).people;
  assert.equal(howNear(me), 'this device');
  assert.equal(howNear(ada), 'here');
  assert.equal(howNear({ ...ada, state: 'reachable', hops: 2 }), '2 hops away');
  assert.equal(howNear({ ...ada, state: 'away', hops: null }), 'not reachable now');
});

test('a_link_is_said_by_its_way_and_its_strength', () => {
  const [me, ada] = meshOf(3).people;
  assert.equal(linkWords({ ...ada, via: 'lan', rttMs: 61.4, lossPercent: 0 }), 'found on this network · good · 61 ms');
  assert.equal(linkWords({ ...ada, via: null, rttMs: null, lossPercent: null }), 'not measured yet');
  assert.equal(linkWords(me), '');
  assert.equal(linkWords({ ...ada, state: 'reachable', hops: 2 }), '', 'others carry it');
});

test('a_group_says_whom_it_stands_for', () => {
  const map = meshOf(9);
  const names = namesOf(map.people);
  assert.equal(groupWords(map.people.slice(1, 3).map(({ author }) => author), names), '2 people: Ada and Bo');
  assert.equal(groupWords(map.people.slice(1).map(({ author }) => author), names), '8 people: Ada, Bo, Chidi and 5 more');
});

test('the_line_above_counts', () => {
  assert.equal(summary(meshOf(1)), 'Only you so far');
  assert.equal(summary(meshOf(9, { degree: 3, away: 2 })), '3 people here · 3 farther away · 2 not reachable now');
  assert.equal(summary(meshOf(4, { away: 3 })), 'Nobody can be reached now. What you write is saved, and goes out when someone is near.');
});

test('partition_and_healing_are_said_by_name', () => {
  const map = meshOf(7, { degree: 6 });
  const names = namesOf(map.people);
  const cut = cutOff(map, ({ name }) => name === 'Ada' || name === 'Bo');
  assert.equal(changeWords(null, map, names), '', 'what is first seen is no news');
  assert.equal(changeWords(map, map, names), '');
  assert.equal(changeWords(map, cut, names), 'Not reachable any more: Ada and Bo.');
  assert.equal(changeWords(cut, map, names), 'Reachable again: Ada and Bo.');
  assert.equal(changeWords(map, cutOff(map, () => true), names), 'Not reachable any more: Ada, Bo, Chidi and 3 more.');
});

test('the_way_of_the_last_message', () => {
  const map = meshOf(9, { degree: 3 });
  const names = namesOf(map.people);
  const [, ada, bo] = map.people;
  const path = { message: 'm', author: bo.author, by: ada.author, hops: 3, timeMs: new Date(2026, 1, 3, 14, 5).getTime() };
  const said = (/** @type {Partial<typeof path> | {by: null}} */ given) => pathWords({ ...map, path: /** @type {any} */ ({ ...path, ...given }) }, names).replace(/\d{1,2}:\d\d( ?[ap]m)?/, 'TIME');
  assert.equal(said({}), 'The last message, at TIME, is from Bo. It came over 3 links; Ada handed it over.');
  assert.equal(said({ by: null }), 'The last message, at TIME, is from Bo. It came over 3 links.');
  assert.equal(said({ author: ada.author, hops: 1 }), 'The last message, at TIME, came straight from Ada.');
  assert.equal(pathWords({ ...map, path: null }, names), '');
});

test('since_when_is_what_this_window_has_seen', () => {
  const map = meshOf(4);
  const first = sinceOf(new Map(), map, 1000);
  const ada = map.people[1].author;
  assert.match(sinceWords(first.get(ada)), /or earlier$/);
  assert.equal(sinceOf(first, map, 9000).get(ada), first.get(ada), 'while nothing changes it stays');
  const second = sinceOf(first, cutOff(map, ({ author }) => author === ada), 61_000);
  assert.deepEqual(second.get(ada), { near: 'away ', sinceMs: 61_000, exact: true });
  assert.doesNotMatch(sinceWords(second.get(ada)), /earlier/);
  assert.equal(sinceWords(undefined), '');
});
