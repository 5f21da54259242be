import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Steady, kindWords, whyWords } from '../../ui/lib/scan-words.js';

test('a_foreign_code_has_words_of_its_kind_or_the_shells', () => {
  assert.match(kindWords({ kind: 'wifi', hint: 'x' }), /Wi-Fi/);
  assert.equal(kindWords({ kind: 'of a newer shell', hint: 'What the shell says.' }), 'What the shell says.');
  assert.equal(kindWords({ kind: '', hint: 'What it says.' }), 'What it says.');
  assert.equal(kindWords({ kind: 'toString', hint: 'x' }), 'x', 'no word of an object’s own');
});

test('a_reason_that_is_not_known_says_nothing', () => {
  assert.match(whyWords('dark'), /dark/);
  assert.equal(whyWords('constructor'), '');
  assert.equal(whyWords(null), '');
});

test('a_reason_is_believed_once_it_has_stood_for_a_while', () => {
  const steady = new Steady();
  const feed = (/** @type {string} */ why, /** @type {number} */ times) => Array.from({ length: times }, () => steady.next(why)).at(-1);
  assert.equal(feed('dark', 17), '');
  assert.equal(feed('', 1), '', 'a frame that can be seen starts the count anew');
  assert.equal(feed('dark', 17), '');
  assert.equal(feed('dark', 1), 'dark');
  assert.equal(feed('unclear', 1), '');
});
