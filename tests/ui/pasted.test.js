import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromClipboard, handedOver, isBackLink, isPass, linkIn } from '../../ui/lib/pasted.js';

const LINK = 'PEDDLENET:J/AEBAGBAFAYDQQCIKBMGA2DQPCAIREEYUCULBOGAZDINRYHI6';

test('a_link_is_found_in_the_words_around_it', () => {
  assert.equal(linkIn(LINK), LINK);
  assert.equal(linkIn(`Come! ${LINK}`), LINK);
  assert.equal(linkIn(`  peddlenet:j/abc23  `), 'peddlenet:j/abc23');
  assert.equal(linkIn('See you at eight'), '');
  assert.equal(linkIn('peddlenet:v/abc'), '', 'a code that checks a person is no way into a room');
  assert.equal(linkIn(''), '');
});

test('what_a_joiner_shows_back_is_found_and_told_from_a_way_into_a_room', () => {
  assert.equal(linkIn('I can’t get in: peddlenet:B/aeba 23\n\nBen'), 'peddlenet:B/aeba23');
  for (const link of ['PEDDLENET:B/ABC', 'peddlenet:b/abc', 'PeddleNet:B/AbC']) assert.equal(isBackLink(linkIn(link)), true, link);
  for (const link of [LINK, 'PEDDLENET:BB/ABC', 'PEDDLENET:V/B/', 'x PEDDLENET:B/ABC', '']) assert.equal(isBackLink(link), false, link);
});

test('a_pass_of_a_box_is_told_from_ways_into_rooms', () => {
  assert.equal(isPass(linkIn('Here is your pass: peddlenet:c/aeba 23\n\nAt the gate')), true);
  for (const link of [LINK, 'PEDDLENET:B/ABC', 'PEDDLENET:CC/ABC', 'x PEDDLENET:C/ABC', '']) assert.equal(isPass(link), false, link);
});

test('a_link_that_a_mail_broke_into_lines_is_whole_again', () => {
  assert.equal(linkIn(`${LINK.slice(0, 20)}\r\n${LINK.slice(20)}\n\nSee you there`), LINK);
});

/** @param {{files?: {type: string}[], text?: string, uris?: string}} given @returns {any} */
const data = ({ files = [], text = '', uris = '' }) => ({ files, getData: (/** @type {string} */ type) => (type === 'text/plain' ? text : uris) });

test('a_picture_comes_before_the_words_it_came_with', () => {
  const picture = { type: 'image/png' };
  assert.deepEqual(handedOver(data({ files: [{ type: 'application/pdf' }, picture], text: 'a name' })), { picture });
  assert.deepEqual(handedOver(data({ text: LINK })), { text: LINK });
  assert.deepEqual(handedOver(data({ uris: LINK })), { text: LINK });
  assert.equal(handedOver(data({ files: [{ type: 'application/pdf' }] })), null);
  assert.equal(handedOver(null), null);
});

test('the_clipboard_is_read_as_far_as_it_may_be', async () => {
  const item = (/** @type {Record<string, string>} */ parts) => ({ types: Object.keys(parts), getType: async (/** @type {string} */ type) => new Blob([parts[type]], { type }) });
  const board = (/** @type {any[]} */ items) => /** @type {any} */ ({ read: async () => items });
  const found = await fromClipboard(board([item({ 'text/html': '<b>' }), item({ 'text/plain': LINK, 'image/png': 'png' })]));
  assert.ok(found && 'picture' in found && found.picture.type === 'image/png');
  assert.deepEqual(await fromClipboard(board([item({ 'text/plain': LINK })])), { text: LINK });
  assert.equal(await fromClipboard(board([])), null);
  assert.deepEqual(await fromClipboard(/** @type {any} */ ({ readText: async () => LINK })), { text: LINK });
  await assert.rejects(fromClipboard(undefined));
});
