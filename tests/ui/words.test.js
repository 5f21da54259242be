/** What is done with words: naming people, one emoji, shortening, marking, quoting. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actsOf } from '../../ui/lib/acts.js';
import { singleEmoji } from '../../ui/lib/emoji.js';
import { findLinks } from '../../ui/lib/links.js';
import { markMentions, mentionAt, mentionsIn, offered, withMention } from '../../ui/lib/mentions.js';
import { listed, mentioned, namesOf, peopleOf } from '../../ui/lib/people.js';
import { quoteOf } from '../../ui/lib/quote.js';
import { excerpt, firstLine, fold, marked } from '../../ui/lib/text.js';
import { NO_TIMELINE } from '../../ui/state/model.js';
import { Run } from '../../ui/state/run.js';
import { TimelineRows } from '../../ui/state/timeline.js';
import { member, message } from './samples.js';

const rosa = member('r1', { name: 'Rosa', me: true });
const ada = member('a1', { name: 'Ada' });
const adaToo = member('a2', { name: 'Ada' });
const lov = member('l1', { name: 'Ada Lovelace' });
const bo = member('b1', { name: 'Bo' });
const all = [rosa, ada, lov, bo];

test('a_name_is_being_typed_after_an_at_that_begins_a_word', () => {
  assert.deepEqual(mentionAt('Hi @Ad', 6), { start: 3, query: 'Ad' });
  assert.deepEqual(mentionAt('@', 1), { start: 0, query: '' });
  assert.deepEqual(mentionAt('(@ada lo', 8), { start: 1, query: 'ada lo' });
  assert.deepEqual(mentionAt('@Ada and @B', 11), { start: 9, query: 'B' });
  for (const [text, caret] of /** @type {[string, number][]} */ ([['mail@example', 12], ['hi', 2], ['@Ada said that', 14], ['@ x', 3], ['@Ada\nx', 6], ['@Ada', 0]])) {
    assert.equal(mentionAt(text, caret), null, text);
  }
});

test('people_are_offered_by_the_beginning_of_their_words_and_never_oneself', () => {
  assert.deepEqual(offered(all, 'ad').map((m) => m.name), ['Ada', 'Ada Lovelace']);
  assert.deepEqual(offered(all, 'LOVE').map((m) => m.name), ['Ada Lovelace']);
  assert.deepEqual(offered(all, 'ro'), []);
  assert.equal(offered(Array.from({ length: 50 }, (_, i) => member(`m${i}`)), '').length, 6);
});

test('a_picked_name_takes_the_place_of_what_was_typed', () => {
  assert.deepEqual(withMention('Hi @Ad, come', 3, 6, 'Ada'), { text: 'Hi @Ada , come', caret: 8 });
  assert.deepEqual(withMention('@b', 0, 2, 'Bo'), { text: '@Bo ', caret: 4 });
  assert.deepEqual(withMention('@b then', 0, 2, 'Bo'), { text: '@Bo then', caret: 3 });
});

test('who_is_meant_is_sent_along_and_of_two_with_one_name_who_was_picked', () => {
  const nobody = new Set();
  assert.deepEqual(mentionsIn('@bo and @Ada Lovelace', all, nobody), ['b1', 'l1']);
  assert.deepEqual(mentionsIn('@Bob is nobody, rosa@bo.example neither @Rosa', all, nobody), []);
  assert.deepEqual(mentionsIn('@Ada', [rosa, ada, adaToo], nobody), [], 'nobody knows which');
  assert.deepEqual(mentionsIn('@Ada', [rosa, ada, adaToo], new Set(['a2'])), ['a2']);
  assert.deepEqual(mentionsIn('no longer', all, new Set(['a1'])), [], 'picked, and deleted again');
});

test('names_are_marked_in_the_text_the_longest_first_and_links_are_left_alone', () => {
  const people = [{ name: 'Ada', me: false }, { name: 'Ada Lovelace', me: true }];
  const pieces = markMentions(findLinks('@Ada Lovelace, @ada @Adam https://example.org/@Ada'), people);
  assert.deepEqual(pieces.map(({ kind, text, me }) => [kind, text, me]), [
    ['mention', '@Ada Lovelace', true], ['text', ', ', false], ['mention', '@ada', false], ['text', ' @Adam ', false], ['link', 'https://example.org/@Ada', false],
  ]);
  const hostile = '@'.repeat(60_000);
  const many = Array.from({ length: 5000 }, () => ({ name: '@', me: false }));
  assert.equal(markMentions(findLinks(hostile), many).map((piece) => piece.text).join(''), hostile);
});

test('one_emoji_is_one_and_words_are_none', () => {
  for (const sign of ['👍', '❤️', '🏳️‍🌈', '👨‍👩‍👧‍👦', '🇪🇺', '1️⃣', '👍🏽', ' 🙏 ']) assert.equal(singleEmoji(sign), sign.trim(), sign);
  for (const text of ['', 'a', '7', 'ok', '👍👍', '👍!', '<b>', '#', '\u200D', `👍${'\u{1F3FD}'.repeat(9)}`]) assert.equal(singleEmoji(text), null, JSON.stringify(text));
});

test('a_long_text_is_folded_and_never_inside_of_a_sign', () => {
  assert.deepEqual(fold('short'), { text: 'short', folded: false });
  assert.equal(fold('x'.repeat(65_536)).text.length, 1500);
  assert.equal(fold('line\n'.repeat(400)).text.split('\n').length, 20);
  assert.equal(fold(`${'x'.repeat(1499)}😀`).text, 'x'.repeat(1499));
  assert.equal(fold('😀'.repeat(800)).text.length % 2, 0);
});

test('a_quote_is_one_line', () => {
  assert.equal(firstLine('\n\n  first \nsecond'), 'first');
  assert.equal(firstLine('x'.repeat(500)).length, 161);
  assert.equal(firstLine(''), '');
});

test('found_words_are_marked_where_they_stand', () => {
  const found = (/** @type {string} */ text, /** @type {string} */ query) => marked(text, query).map((p) => (p.found ? `[${p.text}]` : p.text)).join('');
  assert.equal(found('The big Tarp, the TARP!', 'tarp the'), '[The] big [Tarp], [the] [TARP]!');
  assert.equal(found('a.*b', '.*'), 'a[.*]b', 'a word is no pattern');
  assert.equal(found('nothing', ''), 'nothing');
  assert.equal(found('İİ tarp', 'tarp'), 'İİ tarp', 'letters that grow in lower case: nothing rather than the wrong place');
  assert.equal(marked('<b>x</b>', 'b').map((p) => p.text).join(''), '<b>x</b>');
});

test('an_excerpt_of_a_long_text_holds_what_was_found', () => {
  const text = `${'before '.repeat(500)}needle${' after'.repeat(500)}`;
  assert.match(excerpt(text, 'needle'), /^….*needle.*…$/);
  assert.ok(excerpt(text, 'needle').length < 250);
  assert.equal(excerpt('short needle', 'needle'), 'short needle');
});

test('a_quote_says_what_became_of_the_message', () => {
  const people = peopleOf([rosa, ada]);
  const run = Run.of([message(1, { author: 'a1', text: 'one\ntwo' }), message(2, { deleted: true, text: '' }), message(3, { newer: true, text: '' }), message(4, { mine: true })]);
  const quote = (/** @type {string} */ id, quoted = {}) => quoteOf(id, run, quoted, people);
  assert.deepEqual(quote('m1'), { state: 'here', name: 'Ada', text: 'one' });
  assert.deepEqual(['m2', 'm3', 'm4', 'm9', 'toString', '__proto__'].map((id) => quote(id).state), ['deleted', 'newer', 'here', 'waiting', 'waiting', 'waiting']);
  assert.equal(quote('m9', { m9: null }).state, 'unknown');
  assert.equal(quote('m9', { m9: message(9, { text: 'far back' }) }).text, 'far back');
  assert.equal(quote('m1', { m1: null }).state, 'here', 'what is loaded is newer than what was asked');
});

test('names_under_a_reaction_begin_with_oneself', () => {
  const people = peopleOf(all);
  assert.equal(listed(['b1', 'r1', 'a1'], people), 'you, Bo and Ada');
  assert.equal(listed(['b1', 'gone', 'gone2'], people), 'Bo and 2 more');
  assert.deepEqual(mentioned(['r1', 'nobody', 'b1'], people), [{ name: 'Rosa', me: true }, { name: 'Bo', me: false }]);
});

test('a_name_that_nobody_can_see_is_told_by_its_id', () => {
  const names = namesOf([member('x0001', { name: '\u200B\u2060' }), member('x0002', { name: ' \u2800' }), member('x0003', { name: '.' })]);
  assert.deepEqual([...names.values()], ['no name · 0001', 'no name · 0002', '.']);
});

test('what_can_be_done_depends_on_whose_it_is_and_what_became_of_it', () => {
  const acts = (given = {}, where = {}) => {
    const row = new TimelineRows({ ...NO_TIMELINE, messages: Run.of([message(1, given)]) }, [], null).at(1);
    if (row.kind !== 'message') return assert.fail();
    return actsOf(row, { readOnly: false, direct: false, ...where }).map(({ id }) => id);
  };
  assert.deepEqual(acts(), ['reply', 'copy']);
  assert.deepEqual(acts({ mine: true }), ['reply', 'copy', 'edit', 'seen', 'delete']);
  assert.deepEqual(acts({ mine: true }, { direct: true }), ['reply', 'copy', 'edit', 'delete']);
  assert.deepEqual(acts({ mine: true }, { readOnly: true }), ['copy', 'seen']);
  assert.deepEqual([acts({ deleted: true }), acts({ newer: true })], [[], []]);
});

test('what_nobody_has_yet_is_taken_back_and_what_somebody_may_have_is_deleted_for_everyone', () => {
  const label = (given = {}, direct = false) => {
    const row = new TimelineRows({ ...NO_TIMELINE, messages: Run.of([message(1, { mine: true, ...given })]) }, [], null).at(1);
    if (row.kind !== 'message') return assert.fail();
    return actsOf(row, { readOnly: false, direct }).find(({ id }) => id === 'delete')?.label;
  };
  assert.equal(label(), 'Take it back');
  assert.equal(label({ sentTo: 1 }), 'Delete for everyone');
  assert.equal(label({ seenBy: ['b'] }), 'Delete for everyone');
  assert.equal(label({}, true), 'Delete for everyone', 'who took what is said to one is not counted');
});
