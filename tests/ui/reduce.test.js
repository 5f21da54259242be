import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY, sortedRooms } from '../../ui/state/model.js';
import { reduce } from '../../ui/state/reduce.js';
import { member, message, room } from './samples.js';

/** @typedef {import('../../ui/state/model.js').Action} Action */

/** @param {...Action} actions */
const after = (...actions) => actions.reduce(reduce, EMPTY);
/** @type {Action} */
const ready = { type: 'snapshot', snapshot: { seq: 0, profile: { name: 'Rosa', key: 'file' }, rooms: [room()], drafts: [], settings: {} } };
/** @type {Action} */
const opened = { type: 'page', room: 'r', messages: [], complete: true, newest: true };
/** @type {Extract<Action, {type: 'queued'}>} */
const queued = { type: 'queued', room: 'r', pending: { clientId: 'c1', text: 'hello', timeMs: 5, replyTo: null, mentions: [], state: 'queued', error: '' } };
const mine = message(5, { mine: true, clientId: 'c1' });

test('a_queued_message_becomes_a_saved_one_on_the_reply', () => {
  const state = after(ready, opened, queued, { type: 'saved', clientId: 'c1', message: mine });
  assert.deepEqual(state.pending.r, []);
  assert.deepEqual([...state.timelines.r.messages], [mine]);
});

test('an_event_that_overtakes_the_reply_shows_the_message_once', () => {
  const state = after(ready, opened, queued,
    { type: 'batch', events: [{ kind: 'message', message: mine }] },
    { type: 'saved', clientId: 'c1', message: mine });
  assert.deepEqual(state.pending.r, []);
  assert.equal(state.timelines.r.messages.length, 1);
});

test('an_own_message_without_client_id_takes_the_place_of_the_queued_one', () => {
  const nameless = { ...mine, clientId: null, text: 'hello' };
  const early = after(ready, opened, queued, { type: 'batch', events: [{ kind: 'message', message: nameless }] });
  assert.deepEqual([early.pending.r, early.timelines.r.messages.at(0)?.clientId], [[], 'c1']);
  const late = after(ready, opened, queued, { type: 'saved', clientId: 'c1', message: mine },
    { type: 'batch', events: [{ kind: 'message', message: nameless }] });
  assert.deepEqual([...late.timelines.r.messages].map((m) => m.clientId), ['c1']);
});

test('two_queued_messages_of_the_same_words_settle_one_after_the_other', () => {
  const twice = after(ready, opened, queued, { ...queued, pending: { ...queued.pending, clientId: 'c2' } },
    { type: 'batch', events: [{ kind: 'message', message: message(5, { mine: true, text: 'hello' }) }] });
  assert.deepEqual(twice.pending.r.map((p) => p.clientId), ['c2']);
});

test('a_refused_message_stays_with_its_reason_until_it_is_tried_again', () => {
  const failed = after(ready, opened, queued, { type: 'sendFailed', room: 'r', clientId: 'c1', error: 'The disk is full.' });
  assert.deepEqual([failed.pending.r[0].state, failed.pending.r[0].error, failed.pending.r[0].text], ['failed', 'The disk is full.', 'hello']);
  const again = reduce(failed, { type: 'retried', room: 'r', clientId: 'c1' });
  assert.deepEqual([again.pending.r[0].state, again.pending.r[0].error], ['queued', '']);
});

test('a_receipt_names_who_has_seen_it', () => {
  const state = after(ready, opened, { type: 'saved', clientId: 'c1', message: mine },
    { type: 'batch', events: [{ kind: 'receipt', room: 'r', message: 'm5', seenBy: ['a', 'b'] }] });
  assert.deepEqual(state.timelines.r.messages.at(0)?.seenBy, ['a', 'b']);
});

test('a_receipt_in_the_same_batch_as_its_message_counts', () => {
  const state = after(ready, opened, { type: 'batch', events: [
    { kind: 'receipt', room: 'r', message: 'm5', seenBy: ['a'] },
    { kind: 'message', message: mine },
  ] });
  assert.deepEqual(state.timelines.r.messages.at(0)?.seenBy, ['a']);
});

test('the_list_shows_the_newest_word_even_of_rooms_that_are_not_open', () => {
  const state = after(ready, { type: 'batch', events: [{ kind: 'message', message: message(9) }] });
  assert.deepEqual(state.rooms.r.last, { name: 'Ada', text: 'text 9', timeMs: 9000, deleted: false, newer: false });
  const gone = reduce(state, { type: 'batch', events: [{ kind: 'changed', message: message(9, { text: '', deleted: true }) }] });
  assert.deepEqual([gone.rooms.r.last?.text, gone.rooms.r.last?.deleted], ['', true], 'what was deleted is not in the list either');
  assert.equal(state.timelines.r, undefined);
  const later = reduce(state, { type: 'batch', events: [{ kind: 'message', message: message(3) }] });
  assert.equal(later.rooms.r.last?.timeMs, 9000, 'history that streams in is not news');
});

test('seeing_the_newest_message_empties_the_count', () => {
  const unread = after(ready, { type: 'batch', events: [{ kind: 'room', room: room({ unread: 2 }) }] },
    { type: 'page', room: 'r', messages: [message(1), message(2)], complete: true, newest: true });
  assert.equal(reduce(unread, { type: 'seen', room: 'r', message: 'm1' }).rooms.r.unread, 2);
  assert.equal(reduce(unread, { type: 'seen', room: 'r', message: 'm2' }).rooms.r.unread, 0);
});

test('a_member_event_replaces_that_member', () => {
  const state = after(ready, { type: 'members', room: 'r', members: [member('a'), member('b')] },
    { type: 'batch', events: [{ kind: 'member', room: 'r', member: member('a', { state: 'away' }) }] });
  assert.deepEqual(state.members.r.map((m) => [m.author, m.state]), [['b', 'linked'], ['a', 'away']]);
});

test('who_was_removed_is_no_longer_in_the_list', () => {
  const state = after(ready, { type: 'members', room: 'r', members: [member('a'), member('b')] },
    { type: 'batch', events: [{ kind: 'member', room: 'r', member: member('a', { state: 'removed' }) }] });
  assert.deepEqual(state.members.r.map((m) => m.author), ['b']);
});

test('a_room_that_is_gone_leaves_nothing_behind', () => {
  const state = after(ready, opened, queued, { type: 'draft', room: 'r', text: 'x' }, { type: 'batch', events: [{ kind: 'roomGone', room: 'r' }] });
  assert.deepEqual([state.rooms, state.timelines, state.pending, state.drafts], [{}, {}, {}, {}]);
});

test('an_event_of_an_unknown_kind_is_passed_over', () => {
  const state = after(ready);
  assert.equal(reduce(state, { type: 'batch', events: [/** @type {any} */ ({ kind: 'fireworks' })] }), state);
});

test('rooms_stand_by_their_latest_word', () => {
  const last = (/** @type {number} */ timeMs) => ({ name: 'A', text: 't', timeMs });
  const state = after({ type: 'snapshot', snapshot: { seq: 0, profile: { name: null, key: 'keychain' }, rooms: [
    room({ room: '1', name: 'B' }), room({ room: '2', name: 'A' }), room({ room: '3', last: last(5) }), room({ room: '4', last: last(9) })], drafts: [], settings: {} } });
  assert.deepEqual(sortedRooms(state).map((r) => r.room), ['4', '3', '2', '1']);
  assert.equal(state.name, '', 'no name yet');
});

test('what_is_said_to_one_stays_out_of_the_room', () => {
  const direct = message(7, { direct: 'a', seenBy: [] });
  const talk = 'r/a';
  const state = after(ready, opened,
    { type: 'page', room: talk, messages: [], complete: true, newest: true },
    { ...queued, room: talk },
    { type: 'batch', events: [{ kind: 'message', message: direct }] },
    { type: 'saved', clientId: 'c1', message: message(8, { mine: true, clientId: 'c1', direct: 'a' }) },
    { type: 'batch', events: [{ kind: 'receipt', room: 'r', message: 'm8', seenBy: ['a'] }] });
  assert.deepEqual([...state.timelines.r.messages], []);
  assert.equal(state.rooms.r.last, null);
  assert.deepEqual([...state.timelines[talk].messages].map((m) => m.message), ['m7', 'm8']);
  assert.deepEqual(state.timelines[talk].messages.at(1)?.seenBy, ['a']);
  assert.deepEqual(state.pending[talk], []);
  const left = after(ready, { type: 'page', room: talk, messages: [direct], complete: true, newest: true }, { type: 'left', room: 'r' });
  assert.deepEqual(left.timelines, {});
});

test('a_changed_message_stands_where_it_stood_and_wherever_it_is_quoted', () => {
  const edited = message(2, { text: 'other words', editedMs: 9000 });
  const state = after(ready, { type: 'page', room: 'r', messages: [message(1), message(2), message(3)], complete: true, newest: true },
    { type: 'quoted', message: 'm2', found: message(2) }, { type: 'quoted', message: 'm7', found: null },
    { type: 'batch', events: [{ kind: 'changed', message: edited }] });
  assert.deepEqual([...state.timelines.r.messages].map((m) => m.text), ['text 1', 'other words', 'text 3']);
  assert.deepEqual(state.quoted, { m2: edited, m7: null });
  const unknown = reduce(state, { type: 'batch', events: [{ kind: 'changed', message: message(50) }] });
  assert.equal(unknown, state, 'one that is not loaded changes nothing');
});

test('a_change_of_a_message_that_waits_for_its_page_is_not_lost', () => {
  const state = after(ready, { type: 'page', room: 'r', messages: [message(10)], complete: false, newest: true },
    { type: 'batch', events: [{ kind: 'message', message: message(3) }, { kind: 'changed', message: message(3, { deleted: true, text: '' }) }] },
    { type: 'page', room: 'r', messages: [message(2)], complete: true, newest: false });
  assert.deepEqual([...state.timelines.r.messages].map((m) => m.deleted), [false, true, false]);
});

test('a_change_of_my_message_keeps_its_bubble', () => {
  const state = after(ready, opened, queued, { type: 'saved', clientId: 'c1', message: mine },
    { type: 'batch', events: [{ kind: 'changed', message: { ...mine, clientId: null, sentTo: 2 } }] });
  assert.deepEqual([state.timelines.r.messages.at(0)?.clientId, state.timelines.r.messages.at(0)?.sentTo], ['c1', 2]);
});

test('drafts_come_with_the_snapshot_and_what_is_being_written_is_newer', () => {
  const drafts = [{ room: 'r', to: null, text: 'kept' }, { room: 'r', to: 'a', text: 'for one' }];
  const snapshot = { seq: 0, profile: { name: 'Rosa', key: /** @type {const} */ ('file') }, rooms: [room()], drafts, settings: { theme: 'dark' } };
  const state = after({ type: 'snapshot', snapshot });
  assert.deepEqual([state.drafts, state.settings], [{ r: 'kept', 'r/a': 'for one' }, { theme: 'dark' }]);
  const later = after({ type: 'snapshot', snapshot }, { type: 'draft', room: 'r', text: '' }, { type: 'snapshot', snapshot });
  assert.equal(later.drafts.r, '', 'a second snapshot brings nothing back');
});

test('quotes_that_were_fetched_are_limited', () => {
  let state = after(ready);
  for (let i = 0; i < 1000; i += 1) state = reduce(state, { type: 'quoted', message: `m${i}`, found: null });
  const kept = Object.keys(state.quoted);
  assert.deepEqual([kept.length, kept.at(-1)], [300, 'm999']);
});

test('what_a_room_lets_go_of_or_no_longer_shows_is_quoted_nowhere', () => {
  const fetched = after(ready, { type: 'quoted', message: 'm2', found: message(2) }, { type: 'quoted', message: 'm9', found: message(9) });
  const kept = reduce(fetched, { type: 'batch', events: [{ kind: 'letGo', room: 'r', beforeMs: 5000 }] });
  assert.deepEqual(kept.quoted, { m2: null, m9: message(9) });
  assert.deepEqual(reduce(fetched, { type: 'shownChanged', room: 'r' }).quoted, {});
  assert.deepEqual(reduce(fetched, { type: 'left', room: 'r' }).quoted, {});
  assert.deepEqual(reduce(fetched, { type: 'left', room: 'other' }).quoted, fetched.quoted);
});

test('an_answered_message_that_arrives_late_is_no_longer_unknown', () => {
  const state = after(ready, { type: 'quoted', message: 'm2', found: null }, { type: 'batch', events: [{ kind: 'message', message: message(2) }] });
  assert.deepEqual(state.quoted, { m2: message(2) });
});
