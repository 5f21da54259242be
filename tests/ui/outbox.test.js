import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { beforeEach, test } from 'node:test';
import { ipc } from '../../ui/ipc/index.js';
import { Session } from '../../ui/state/session.js';
import { FakeShell } from './fake-tauri.js';
import { member } from './samples.js';

const world = /** @type {any} */ (globalThis);
world.crypto ??= webcrypto;
let shell = new FakeShell();
beforeEach(() => {
  shell = new FakeShell();
  shell.name = 'Rosa';
  world.window = { __TAURI__: shell.tauri };
  Object.defineProperty(world, 'navigator', { value: { userAgent: 'Linux' }, configurable: true, writable: true });
});

/** @param {() => unknown} condition */
async function until(condition) {
  for (let i = 0; i < 400; i += 1) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail('it never came');
}

/** A room with Bo, opened; `count` messages in it. */
async function opened(count = 1) {
  const room = shell.addRoom('Camp 7', [member('b0', { name: 'Bo' })]);
  const messages = Array.from({ length: count }, (_, i) => shell.addMessage(room, { text: `text ${i}`, timeMs: i + 1 }));
  const session = new Session(ipc);
  await session.start();
  session.enterRoom(room);
  const run = () => session.state.timelines[room]?.messages;
  await until(() => session.state.timelines[room]?.loading === 'idle');
  return { session, room, run, messages };
}
const calls = (/** @type {string} */ command) => shell.calls.filter((call) => call.command === command).map((call) => call.args);

test('an_answer_and_whom_it_names_are_sent_and_sent_again', async () => {
  const { session, room, messages } = await opened();
  shell.failing.send_message = { code: 'disk_full', message: 'The disk is full.' };
  await session.outbox.send(room, 'yes @Bo', messages[0].message, ['b0']);
  const [failed] = session.state.pending[room];
  assert.deepEqual([failed.replyTo, failed.mentions, failed.state], [messages[0].message, ['b0'], 'failed']);
  delete shell.failing.send_message;
  await session.outbox.retry(room, failed.clientId);
  const [first, second] = calls('send_message');
  assert.deepEqual(first, second);
  assert.deepEqual([second.replyTo, second.mentions], [messages[0].message, ['b0']]);
});

test('a_refused_message_is_discarded_and_nothing_of_it_stays', async () => {
  const { session, room } = await opened();
  shell.failing.send_message = { code: 'disk_full', message: 'The disk is full.' };
  await session.outbox.send(room, 'never mind');
  session.outbox.discard(room, session.state.pending[room][0].clientId);
  assert.deepEqual([session.state.pending[room], session.state.drafts[room]], [[], undefined]);
});

test('a_message_that_is_discarded_while_it_is_being_saved_is_deleted_as_soon_as_it_is', async () => {
  const { session, room, run } = await opened();
  shell.delays.send_message = 30;
  const waiting = () => session.state.pending[room];
  const sending = session.outbox.send(room, 'too soon');
  session.outbox.discard(room, waiting()[0].clientId);
  assert.equal(waiting().length, 0, 'gone from the screen at once');
  await sending;
  const [{ message: id }] = calls('delete_message');
  assert.deepEqual([run().get(id)?.deleted, run().get(id)?.text], [true, '']);
  // Where it can't be deleted it is shown as what it is: saved.
  shell.failing.delete_message = { code: 'disk_full', message: 'The disk is full.' };
  const again = session.outbox.send(room, 'once more');
  session.outbox.discard(room, waiting()[0].clientId);
  await again;
  assert.deepEqual([run().at(-1)?.text, run().at(-1)?.deleted], ['once more', false]);
});

test('an_edit_a_reaction_and_a_deletion_show_in_place', async () => {
  const { session, room, run, messages: [{ message: id }] } = await opened();
  await session.outbox.edit(room, id, 'better words');
  assert.deepEqual([run().at(0)?.text, run().at(0)?.editedMs !== null], ['better words', true]);
  await session.outbox.react(room, id, '👍');
  assert.deepEqual(run().at(0)?.reactions.map((r) => r.reaction), ['👍']);
  await session.outbox.react(room, id, '🙏');
  assert.deepEqual(run().at(0)?.reactions.map((r) => r.reaction), ['🙏'], 'one a person');
  await session.outbox.react(room, id, '');
  assert.deepEqual(run().at(0)?.reactions, []);
  await session.outbox.remove(room, id);
  assert.deepEqual([run().at(0)?.deleted, run().at(0)?.text, run().length], [true, '', 1]);
});

test('in_a_talk_of_two_the_same_commands_name_the_room', async () => {
  const { session, room } = await opened();
  const said = shell.addMessage(room, { text: 'psst', direct: 'b0' });
  const talk = session.enterTalk(room, 'b0');
  await until(() => session.state.timelines[talk]?.messages.length === 1);
  await session.outbox.edit(talk, said.message, 'hush');
  assert.deepEqual(calls('edit_message'), [{ room, message: said.message, text: 'hush' }]);
  assert.equal(session.state.timelines[talk].messages.at(0)?.text, 'hush');
  await session.outbox.send(talk, 'yes', said.message);
  assert.equal(calls('send_direct')[0].replyTo, said.message);
});

test('a_draft_is_kept_after_a_pause_at_once_when_nothing_is_left_and_on_leaving', async () => {
  const { session, room } = await opened();
  for (const text of ['h', 'ha', 'hal', 'half a']) session.outbox.setDraft(room, text);
  assert.deepEqual(calls('set_draft'), [], 'not at every key');
  await session.outbox.drafts.flush();
  session.outbox.setDraft(`${room}/b0`, 'for one');
  session.outbox.setDraft(room, '');
  await until(() => calls('set_draft').length === 3);
  assert.deepEqual(calls('set_draft'), [{ room, to: null, text: 'half a' }, { room, to: 'b0', text: 'for one' }, { room, to: null, text: '' }]);
  session.outbox.setDraft(room, 'after a pause');
  await until(() => calls('set_draft').length === 4);
});

test('an_answered_message_is_fetched_once_and_one_that_is_not_here_is_known_as_such', async () => {
  const { session, room, messages } = await opened(2);
  await Promise.all([session.wantQuote(room, messages[0].message), session.wantQuote(room, messages[0].message), session.wantQuote(room, 'far')]);
  await session.wantQuote(room, 'far');
  assert.deepEqual(calls('message').length, 2);
  assert.deepEqual([session.state.quoted[messages[0].message]?.text, session.state.quoted.far], ['text 0', null]);
});

test('a_message_far_back_is_reached_page_by_page_and_can_be_given_up', async () => {
  const { session, room, run, messages } = await opened(2000);
  const old = messages[100].message;
  assert.equal(await session.reach(room, old, () => false), 'ended');
  assert.equal(run().length, 60, 'nothing was loaded');
  const seen = /** @type {number[]} */ ([]);
  assert.equal(await session.reach(room, old, (loaded) => seen.push(loaded) > 0), 'here');
  assert.deepEqual(seen, Array.from({ length: 11 }, (_, i) => 60 + i * 200).filter((n) => n <= 1900 - 40));
  assert.ok(run().indexOf(old) >= 0);
  assert.equal(await session.reach(room, old, () => assert.fail('it is there')), 'here');
  assert.equal(await session.reach(room, 'nowhere', () => true), 'unknown');
  shell.failing.message = { code: 'internal', message: 'No.' };
  assert.equal(await session.reach(room, 'nowhere', () => true), 'failed');
});

test('a_page_that_fails_on_the_way_ends_the_search_for_a_message', async () => {
  const { session, room, messages } = await opened(2000);
  shell.failing.history = { code: 'internal', message: 'No.' };
  assert.equal(await session.reach(room, messages[0].message, () => true), 'failed');
});
