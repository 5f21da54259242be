import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { beforeEach, test } from 'node:test';
import { IpcError, ipc, toIpcError } from '../../ui/ipc/index.js';
import { PAGE, Session, VISITS_KEPT } from '../../ui/state/session.js';
import { FakeShell } from './fake-tauri.js';
import { member, room as sampleRoom } from './samples.js';

/** The real `ipc/` over the in-memory shell. */
const world = /** @type {any} */ (globalThis);
world.crypto ??= webcrypto; // Node 18, Debian 12's, has it in its module only
let shell = new FakeShell();
beforeEach(() => {
  shell = new FakeShell();
  world.window = { __TAURI__: shell.tauri };
  Object.defineProperty(world, 'navigator', { value: { userAgent: 'Linux' }, configurable: true, writable: true });
});

/** @param {import('../../ui/state/model.js').Timeline | undefined} timeline */
const textsOf = (timeline) => timeline && [...timeline.messages].map((m) => m.text);
const soon = () => new Promise((resolve) => setTimeout(resolve, 15));

/**
 * @param {Session} session
 * @param {(state: import('../../ui/state/model.js').State) => unknown} condition
 */
async function until(session, condition) {
  for (let i = 0; i < 200; i += 1) {
    if (condition(session.state)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail('the state never came');
}

test('commands_carry_the_names_and_shapes_of_the_contract', async () => {
  shell.name = 'Rosa';
  const room = shell.addRoom('Camp 7');
  await ipc.subscribe(() => {});
  await ipc.setName('Rosa');
  await ipc.createInvite(room, 600, 32, true);
  await ipc.sendMessage(room, 'c1', 'hi', 'm7', ['a2']);
  await ipc.sendDirect(room, 'a2', 'c2', 'psst', null);
  await ipc.search(room, 'tarp', null);
  await ipc.setDraft(room, null, 'half a');
  await ipc.setSetting('theme', 'dark');
  await ipc.setRoomPrefs(room, { favourite: true, muted: false });
  await ipc.history(room, null, 10);
  await ipc.markSeen(room, 'm1');
  await ipc.lookingAt(room);
  await ipc.scanFrame({ width: 2, height: 1, bytes: new Uint8Array([1, 2]), live: true });
  const sent = shell.calls.slice(1).map(({ command, args, headers }) => [command, args, headers]);
  assert.deepEqual(sent, [
    ['set_name', { name: 'Rosa' }, undefined],
    ['create_invite', { room, ttlS: 600, uses: 32, poster: true }, undefined],
    ['send_message', { room, clientId: 'c1', text: 'hi', replyTo: 'm7', mentions: ['a2'] }, undefined],
    ['send_direct', { room, to: 'a2', clientId: 'c2', text: 'psst', replyTo: null }, undefined],
    ['search', { room, query: 'tarp', before: null }, undefined],
    ['set_draft', { room, to: null, text: 'half a' }, undefined],
    ['set_setting', { name: 'theme', value: 'dark' }, undefined],
    ['set_room_prefs', { room, favourite: true, muted: false }, undefined],
    ['history', { room, before: null, limit: 10 }, undefined],
    ['mark_seen', { room, message: 'm1' }, undefined],
    ['looking_at', { room }, undefined],
    ['scan_frame', new Uint8Array([1, 2]), { 'pn-width': '2', 'pn-height': '1', 'pn-live': '1' }],
  ]);
  assert.equal(typeof shell.calls[0].args.channel.onmessage, 'function');
});

test('android_sends_frames_as_base64', async () => {
  Object.defineProperty(world, 'navigator', { value: { userAgent: 'Mozilla/5.0 (Linux; Android 16)' }, configurable: true, writable: true });
  await ipc.scanFrame({ width: 3, height: 1, bytes: new Uint8Array([0, 128, 255]) });
  assert.deepEqual(shell.calls[0].args, { width: 3, height: 1, live: false, luma: 'AID/' });
});

test('a_failure_shows_its_sentence_and_a_strange_one_a_plain_one', () => {
  const known = toIpcError({ code: 'invite_expired', message: 'This code ended.' });
  assert.ok(known instanceof IpcError);
  assert.deepEqual([known.code, known.message], ['invite_expired', 'This code ended.']);
  const { error } = console;
  console.error = () => {};
  for (const strange of ['missing field `room`', undefined, new TypeError('x is not a function'), { code: 1 }]) {
    assert.match(toIpcError(strange).message, /^Something went wrong\./);
  }
  console.error = error;
});

test('a_start_that_fails_can_be_tried_again', async () => {
  shell.failing.subscribe = { code: 'in_use', message: 'Already open.' };
  const session = new Session(ipc);
  await session.start();
  assert.deepEqual([session.state.phase, session.state.error], ['failed', 'Already open.']);
  delete shell.failing.subscribe;
  await session.start();
  assert.equal(session.state.phase, 'ready');
});

test('a_locked_profile_asks_for_its_passphrase', async () => {
  shell.name = 'Rosa';
  shell.passphrase = 'correct horse';
  const session = new Session(ipc);
  await session.start();
  assert.equal(session.state.phase, 'locked');
  await assert.rejects(session.unlock('wrong'), { code: 'wrong_passphrase' });
  assert.equal(session.state.phase, 'locked');
  await session.unlock('correct horse');
  assert.deepEqual([session.state.phase, session.state.name], ['ready', 'Rosa']);
});

test('settings_come_with_the_snapshot_and_by_event', async () => {
  shell.settings = { theme: 'dark' };
  const session = new Session(ipc);
  await session.start();
  await session.setSetting('textSize', 'large');
  shell.emit({ kind: 'setting', name: 'theme', value: 'light' });
  await until(session, ({ settings }) => settings.theme === 'light');
  assert.equal(session.state.settings.textSize, 'large');
});

test('a_link_from_outside_waits_until_it_is_taken', async () => {
  const session = new Session(ipc);
  await session.start();
  shell.emit({ kind: 'link', link: 'PEDDLENET:J/AA' });
  assert.equal(session.state.link, 'PEDDLENET:J/AA');
  session.takeLink();
  assert.equal(session.state.link, null);
});

test('a_room_whose_notification_was_chosen_is_wanted_until_it_is_there', async () => {
  const room = shell.addRoom('Camp 7');
  const session = new Session(ipc);
  await session.start();
  shell.emit({ kind: 'show', room });
  assert.equal(session.state.wanted, room);
  session.takeWanted();
  assert.equal(session.state.wanted, null);
});

test('a_profile_put_under_a_passphrase_starts_anew_with_it', async () => {
  shell.name = 'Rosa';
  const session = new Session(ipc);
  await session.start();
  assert.equal(session.state.key, 'file');
  shell.failing.protect = { code: 'not_new', message: 'Too late.' };
  await assert.rejects(session.protect('correct horse'), { code: 'not_new' });
  assert.deepEqual([session.state.phase, session.state.key], ['ready', 'file']);
  delete shell.failing.protect;
  await session.protect('correct horse');
  assert.deepEqual([session.state.phase, session.state.key, session.state.name], ['ready', 'passphrase', 'Rosa']);
});

test('a_room_that_was_left_with_its_history_stays', async () => {
  const room = shell.addRoom('Camp 7');
  const session = new Session(ipc);
  await session.start();
  await session.setRoomPrefs(room, { favourite: true });
  await session.leaveRoom(room, true);
  const { left, favourite, muted } = session.state.rooms[room];
  assert.deepEqual([left, favourite, muted], [true, true, false]);
  await session.leaveRoom(room, false);
  assert.equal(session.state.rooms[room], undefined);
});

test('a_sent_message_is_queued_at_once_and_then_saved', async () => {
  const room = shell.addRoom('Camp 7');
  const session = new Session(ipc);
  await session.start();
  session.enterRoom(room);
  await until(session, (state) => state.timelines[room]?.loading === 'idle');
  const sending = session.outbox.send(room, 'hello');
  assert.equal(session.state.pending[room][0].state, 'queued');
  await sending;
  assert.deepEqual(session.state.pending[room], []);
  assert.equal(session.state.timelines[room].messages.at(0)?.text, 'hello');
});

test('a_message_that_was_not_saved_is_sent_again_under_the_same_id', async () => {
  const room = shell.addRoom('Camp 7');
  const session = new Session(ipc);
  await session.start();
  shell.failing.send_message = { code: 'disk_full', message: 'The disk is full.' };
  await session.outbox.send(room, 'hello');
  const [failed] = session.state.pending[room];
  assert.deepEqual([failed.state, failed.error], ['failed', 'The disk is full.']);
  delete shell.failing.send_message;
  await session.outbox.retry(room, failed.clientId);
  const ids = shell.calls.filter((call) => call.command === 'send_message').map((call) => call.args.clientId);
  assert.deepEqual([ids.length, ids[0] === ids[1]], [2, true]);
  assert.deepEqual(session.state.pending[room], []);
});

test('a_refused_message_goes_back_into_the_box_beside_what_is_there', async () => {
  const room = shell.addRoom('Camp 7');
  const session = new Session(ipc);
  await session.start();
  shell.failing.send_message = { code: 'too_long', message: 'Too long.' };
  await session.outbox.send(room, 'old words');
  session.outbox.setDraft(room, 'new words');
  session.outbox.takeBack(room, session.state.pending[room][0].clientId);
  assert.equal(session.state.drafts[room], 'new words\nold words');
  assert.deepEqual(session.state.pending[room], []);
});

test('older_pages_follow_one_another_to_the_beginning', async () => {
  const room = shell.addRoom('Camp 7');
  for (let i = 0; i < PAGE * 2 + 5; i += 1) shell.addMessage(room, { text: `${i}`, timeMs: i });
  const session = new Session(ipc);
  await session.start();
  session.enterRoom(room);
  await until(session, (state) => state.timelines[room]?.loading === 'idle');
  await Promise.all([session.loadOlder(room), session.loadOlder(room)]);
  assert.equal(session.state.timelines[room].messages.length, PAGE * 2, 'one request at a time');
  await session.loadOlder(room);
  const { messages, complete } = session.state.timelines[room];
  assert.deepEqual([messages.length, messages.at(0)?.text, complete], [PAGE * 2 + 5, '0', true]);
});

test('a_skipped_batch_is_made_up_for_by_a_snapshot_and_a_page', async () => {
  shell.name = 'Rosa';
  const room = shell.addRoom('Camp 7');
  const session = new Session(ipc);
  await session.start();
  session.enterRoom(room);
  await until(session, (state) => state.timelines[room]?.loading === 'idle');
  const lost = shell.addMessage(room, { text: 'lost on the way', mine: false, author: 'b', name: 'Bo' });
  shell.seq += 1;
  shell.emit({ kind: 'room', room: sampleRoom({ room, name: 'Renamed' }) });
  shell.rooms.set(room, sampleRoom({ room, name: 'Renamed' }));
  await until(session, (state) => (state.timelines[room]?.messages.indexOf(lost.message) ?? -1) >= 0);
  assert.equal(session.state.rooms[room].name, 'Renamed');
  shell.emit({ kind: 'roomGone', room });
  await soon();
  assert.equal(session.state.rooms[room], undefined, 'batches are applied again afterwards');
});

test('what_was_seen_is_reported_once_forwards_and_again_after_a_failure', async () => {
  const room = shell.addRoom('Camp 7');
  const [one, two, three] = [1, 2, 3].map((n) => shell.addMessage(room, { text: `${n}`, mine: false }).message);
  const session = new Session(ipc);
  await session.start();
  session.enterRoom(room);
  await until(session, (state) => state.timelines[room]?.loading === 'idle');
  const reported = () => shell.calls.filter((call) => call.command === 'mark_seen').map((call) => call.args.message);
  shell.failing.mark_seen = { code: 'busy', message: 'Busy.' };
  await session.markSeen(room, two);
  delete shell.failing.mark_seen;
  await session.markSeen(room, two);
  await session.markSeen(room, two);
  await session.markSeen(room, one);
  await session.markSeen(room, three);
  assert.deepEqual(reported(), [two, two, three]);
});

test('a_code_is_shown_again_while_it_works_and_made_anew_once_ended', async () => {
  const room = shell.addRoom('Camp 7');
  const session = new Session(ipc);
  await session.start();
  const first = await session.codes.show(room);
  assert.equal((await session.codes.show(room)).invite, first.invite);
  await session.codes.end(room, first.invite);
  assert.notEqual((await session.codes.show(room)).invite, first.invite);
});

test('a_new_room_is_there_when_its_command_returns', async () => {
  const session = new Session(ipc);
  await session.start();
  const options = /** @type {const} */ ({ history: 'fromJoin', inviters: 'moderator', retentionS: 86_400 });
  const room = await session.createRoom('Camp 7', options);
  assert.equal(session.state.rooms[room].name, 'Camp 7');
  assert.deepEqual(session.state.rooms[room].rules, options);
  assert.deepEqual(shell.calls.find(({ command }) => command === 'create_room')?.args, { name: 'Camp 7', options });
});

test('what_is_said_to_one_is_sent_to_one_and_read_back', async () => {
  const session = new Session(ipc);
  const other = member('b'.repeat(32), { name: 'Ada' });
  const room = shell.addRoom('Camp 7', [other]);
  await session.start();
  const talk = session.enterTalk(room, other.author);
  await session.outbox.send(talk, 'for you alone');
  await until(session, (state) => state.timelines[talk]?.loading === 'idle' && state.timelines[talk].messages.length === 1);
  const calls = shell.calls.map(({ command, args }) => [command, args]);
  const sent = calls.find(([command]) => command === 'send_direct');
  assert.equal(sent?.[1].to, other.author);
  assert.deepEqual(calls.find(([command]) => command === 'direct_history')?.[1], { room, with: other.author, before: null, limit: PAGE });
  assert.equal(calls.some(([command]) => command === 'send_message'), false);
  await session.markSeen(talk, session.state.timelines[talk].messages.at(0)?.message ?? '');
  assert.equal(shell.calls.at(-1)?.args.room, room);
});

test('blocking_takes_a_members_messages_off_the_screen_and_unblocking_brings_them_back', async () => {
  shell.name = 'Rosa';
  const bo = member('b0', { name: 'Bo' });
  const room = shell.addRoom('Camp 7', [bo]);
  shell.addMessage(room, { text: 'mine' });
  shell.addMessage(room, { text: 'theirs', author: 'b0', name: 'Bo', mine: false });
  const session = new Session(ipc);
  await session.start();
  session.enterRoom(room);
  const texts = (/** @type {import('../../ui/state/model.js').State} */ state) => textsOf(state.timelines[room]);
  await until(session, (state) => texts(state)?.length === 2);
  await session.block(room, 'b0', true);
  assert.deepEqual(texts(session.state), ['mine']);
  assert.equal(session.state.members[room].find((m) => m.author === 'b0')?.blocked, true);
  await session.block(room, 'b0', false);
  assert.deepEqual(texts(session.state), ['mine', 'theirs']);
  await session.withMember(room, (shellOf) => shellOf.setVerified(room, 'b0', true));
  assert.equal(session.state.members[room].find((m) => m.author === 'b0')?.verifiedAs, 'Bo');
});

test('a_fork_is_marked_as_it_is_told', async () => {
  const room = shell.addRoom('Camp 7', [member('b0')]);
  const session = new Session(ipc);
  await session.start();
  session.enterRoom(room);
  await until(session, (state) => state.members[room]);
  shell.emit({ kind: 'fork', room, author: 'b0', me: false });
  await until(session, (state) => state.members[room].find((m) => m.author === 'b0')?.forked);
});

/** A room in which Bo said something between two of mine, opened. */
async function withBo() {
  shell.name = 'Rosa';
  const room = shell.addRoom('Camp 7', [member('b0', { name: 'Bo' })]);
  shell.addMessage(room, { text: 'before' });
  shell.addMessage(room, { text: 'theirs', author: 'b0', name: 'Bo', mine: false });
  shell.addMessage(room, { text: 'after' });
  const session = new Session(ipc);
  await session.start();
  session.enterRoom(room);
  await until(session, (state) => state.timelines[room]?.messages.length === 3 && state.members[room]);
  const texts = () => textsOf(session.state.timelines[room]);
  return { session, room, texts };
}

test('a_removed_member_goes_from_the_list_and_a_new_code_is_made_while_their_words_stay', async () => {
  const { session, room, texts } = await withBo();
  const code = await session.codes.show(room);
  await session.setRole(room, 'b0', 'moderator');
  assert.equal(session.state.members[room].find((m) => m.author === 'b0')?.role, 'moderator');
  await session.removeMember(room, 'b0', false);
  assert.deepEqual(session.state.members[room].map((m) => m.me), [true]);
  await soon();
  assert.deepEqual(texts(), ['before', 'theirs', 'after']);
  assert.notEqual((await session.codes.show(room)).invite, code.invite, 'the removal ended the code that was shown before');
});

test('what_a_banned_member_wrote_goes_from_the_screen_whoever_banned_them', async () => {
  const { session, room, texts } = await withBo();
  await shell.tauri.core.invoke('ban_member', { room, author: 'b0' }, undefined);
  await until(session, () => texts()?.length === 2);
  assert.deepEqual(texts(), ['before', 'after']);
  assert.equal(session.state.members[room].length, 1);
});

test('a_closed_room_is_seen_as_closed_whoever_closed_it_and_a_code_from_before_is_not_shown_again', async () => {
  const room = shell.addRoom('Camp 7');
  const session = new Session(ipc);
  await session.start();
  const closed = (/** @type {boolean} */ on) => until(session, (state) => state.rooms[room].closed === on);
  assert.equal(session.state.rooms[room].closed, false);
  const first = await session.codes.show(room);
  await session.setClosed(room, true);
  await closed(true);
  await assert.rejects(session.codes.show(room), { code: 'room_closed' });
  await session.setClosed(room, false);
  await closed(false);
  const second = await session.codes.show(room);
  assert.notEqual(second.invite, first.invite);
  shell.changeRoom(room, { closed: true });
  await closed(true);
  await assert.rejects(session.codes.show(room), { code: 'room_closed' }, 'somebody else closed it');
});

test('a_room_whose_copies_are_left_with_servers_says_so_whoever_decided_it', async () => {
  const room = shell.addRoom('Camp 7');
  const session = new Session(ipc);
  await session.start();
  const backed = (/** @type {boolean} */ on) => until(session, (state) => state.rooms[room].backup === on);
  assert.equal(session.state.rooms[room].backup, false);
  await session.ipc.backUpRoom(room, true);
  assert.deepEqual(shell.calls.at(-1), { command: 'back_up_room', args: { room, on: true }, headers: undefined });
  await backed(true);
  await session.ipc.backUpRoom(room, false);
  await backed(false);
  shell.changeRoom(room, { backup: true });
  await backed(true);
});

test('a_refused_act_about_copies_changes_nothing', async () => {
  const room = shell.addRoom('Camp 7');
  const session = new Session(ipc);
  await session.start();
  shell.failing.back_up_room = { code: 'not_allowed', message: 'You can’t do that in this room. Ask somebody who moderates it.' };
  await assert.rejects(session.ipc.backUpRoom(room, true), { code: 'not_allowed' });
  assert.equal(session.state.rooms[room].backup, false);
});

test('a_room_is_closed_and_leaves_copies_in_the_snapshot_too', async () => {
  const room = shell.addRoom('Camp 7');
  shell.changeRoom(room, { closed: true, backup: true });
  const session = new Session(ipc);
  await session.start();
  const { closed, backup } = session.state.rooms[room];
  assert.deepEqual({ closed, backup }, { closed: true, backup: true });
});

test('a_frozen_device_asks_for_a_new_key_and_its_entry_says_so', async () => {
  const room = shell.addRoom('Camp 7', [member('b0')]);
  Object.assign(/** @type {object} */ (shell.members.get(room)?.[0]), { forked: true });
  const session = new Session(ipc);
  await session.start();
  session.enterRoom(room);
  await until(session, (state) => state.members[room]);
  const me = () => session.state.members[room].find((m) => m.me);
  assert.equal(me()?.moving, false);
  await session.withMember(room, (shellOf) => shellOf.moveOn(room));
  assert.deepEqual(shell.calls.find(({ command }) => command === 'move_on')?.args, { room });
  assert.equal(me()?.moving, true);
});

test('whoever_was_confirmed_stands_in_the_list_under_the_new_key_only', async () => {
  const { session, room, texts } = await withBo();
  Object.assign(/** @type {object} */ (shell.members.get(room)?.[1]), { forked: true, moving: true });
  await session.withMember(room, (shellOf) => shellOf.confirmMove(room, 'b0'));
  assert.deepEqual(shell.calls.find(({ command }) => command === 'confirm_move')?.args, { room, author: 'b0' });
  const others = session.state.members[room].filter((m) => !m.me);
  assert.deepEqual(others.map(({ name, forked, moving }) => ({ name, forked, moving })), [{ name: 'Bo', forked: false, moving: false }]);
  assert.notEqual(others[0].author, 'b0');
  await soon();
  assert.deepEqual(texts(), ['before', 'theirs', 'after'], 'what was said under the old key stays');
  await assert.rejects(session.withMember(room, (shellOf) => shellOf.confirmMove(room, others[0].author)), { code: 'member_unknown' });
});

test('a_device_that_went_on_under_its_new_key_shows_its_room_anew', async () => {
  const { session, room } = await withBo();
  const [me] = shell.members.get(room) ?? [];
  Object.assign(me, { author: 'a1', forked: false, moving: false });
  shell.seq += 1; // what the shell does of Event::Moved: a batch that never comes, and an empty one
  shell.emit();
  await until(session, (state) => state.members[room].find((m) => m.me)?.author === 'a1');
});

test('a_join_with_a_code_shown_back_brings_the_room_like_any_other', async () => {
  const session = new Session(ipc);
  await session.start();
  const { link } = await ipc.backCode('PEDDLENET:J/ABC');
  assert.match(link, /^PEDDLENET:B\//);
  const room = await session.joinShownBack('PEDDLENET:J/ABC');
  assert.equal(session.state.rooms[room].name, 'Camp 7');
  await ipc.answerBack(link);
  const sent = shell.calls.filter(({ command }) => command.includes('back')).map(({ command, args }) => [command, args]);
  assert.deepEqual(sent, [
    ['back_code', { link: 'PEDDLENET:J/ABC' }], ['join_shown_back', { link: 'PEDDLENET:J/ABC' }], ['answer_back', { link }],
  ]);
});

test('a_code_shown_back_to_nobody_fails_with_the_shells_sentence', async () => {
  const session = new Session(ipc);
  await session.start();
  shell.failing.join_shown_back = { code: 'no_answer', message: 'Nobody answered.' };
  await assert.rejects(session.joinShownBack('PEDDLENET:J/ABC'), { code: 'no_answer', message: 'Nobody answered.' });
  assert.equal(session.state.joinStage, null);
});

test('on_another_network_a_shown_code_gives_way_at_once', async () => {
  shell.name = 'Rosa';
  const room = shell.addRoom('Camp 7');
  const session = new Session(ipc);
  await session.start();
  const first = await session.codes.show(room);
  assert.equal((await session.codes.show(room)).invite, first.invite);
  shell.emit({ kind: 'network' });
  await until(session, ({ moved }) => moved === 1);
  assert.notEqual((await session.codes.show(room)).invite, first.invite);
  shell.emit({ kind: 'network' }, { kind: 'network' });
  await until(session, ({ moved }) => moved === 3);
});

test('an_act_that_was_done_is_no_failure_when_only_the_members_could_not_be_looked_at_again', async () => {
  const { session, room } = await withBo();
  shell.failing.members = { code: 'internal', message: 'No.' };
  const { info } = console;
  console.info = () => {};
  await session.withMember(room, (shellOf) => shellOf.mute(room, 'b0', true));
  await session.block(room, 'b0', true);
  shell.seq += 1; // a lost batch: everything is looked at again, and nobody waits for it
  shell.emit();
  await soon();
  console.info = info;
  assert.equal(shell.members.get(room)?.find((m) => m.author === 'b0')?.muted, true);
  shell.failing.mute_member = { code: 'not_allowed', message: 'No.' };
  await assert.rejects(session.withMember(room, (shellOf) => shellOf.mute(room, 'b0', true)), { code: 'not_allowed' });
  await assert.rejects(session.loadMembers(room), { code: 'internal' }, 'whoever waits for them is told');
});

test('what_is_loaded_of_rooms_that_were_left_some_visits_ago_is_let_go_of_and_fetched_anew', async () => {
  const rooms = Array.from({ length: VISITS_KEPT + 2 }, (_, i) => shell.addRoom(`Camp ${i}`, [member('b0')]));
  for (let i = 0; i < PAGE * 2; i += 1) shell.addMessage(rooms[0], { text: `${i}`, timeMs: i });
  const session = new Session(ipc);
  await session.start();
  const enter = async (/** @type {string} */ room) => {
    session.enterRoom(room);
    await until(session, (state) => state.timelines[room]?.loading === 'idle');
  };
  await enter(rooms[0]);
  await session.loadOlder(rooms[0]);
  session.outbox.setDraft(rooms[0], 'half a thought');
  for (const room of rooms.slice(1, VISITS_KEPT)) await enter(room);
  assert.equal(session.state.timelines[rooms[0]].messages.length, PAGE * 2, 'the last few stay as they are');
  await enter(rooms[VISITS_KEPT]);
  assert.equal(session.state.timelines[rooms[0]], undefined);
  assert.equal(session.state.drafts[rooms[0]], 'half a thought');
  await enter(rooms[0]);
  assert.deepEqual([session.state.timelines[rooms[0]].messages.length, textsOf(session.state.timelines[rooms[0]])?.at(-1)], [PAGE, `${PAGE * 2 - 1}`]);
});

test('the_room_under_talks_of_two_stays_however_many_there_are_and_so_does_one_that_is_loading', async () => {
  const others = Array.from({ length: VISITS_KEPT + 2 }, (_, i) => member(`b${i}`));
  const [slow, room] = [shell.addRoom('Slow'), shell.addRoom('Camp 7', others)];
  const session = new Session(ipc);
  await session.start();
  shell.delays.history = 150;
  session.enterRoom(slow);
  await soon();
  delete shell.delays.history;
  session.enterRoom(room);
  for (const { author } of others) {
    const talk = session.enterTalk(room, author);
    await until(session, (state) => state.timelines[talk]?.loading === 'idle');
  }
  assert.ok(session.state.timelines[room] && session.state.timelines[slow]);
  await until(session, (state) => state.timelines[slow]?.loading === 'idle');
  session.enterRoom(room);
  assert.equal(session.state.timelines[slow], undefined);
});
