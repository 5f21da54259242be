/**
 * Whoever makes a room has a say in it: rules chosen at the start, a moderator made, somebody removed,
 * the room closed. And two people speak alone.
 *
 * Ada's window is as narrow as a phone, Ben's as wide as a laptop.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { close, closeDialog, complaint, hook, introduce, makeRoom, messages, pasteLink, reads, say, sees, showCode } from './harness/acts.js';
import { play } from './harness/stage.js';
import { until } from './harness/webdriver.js';

/** @typedef {import('./harness/stage.js').Person} Person */

const PHONE = { width: 447, height: 860 };
const LAPTOP = { width: 1280, height: 800 };

/** The other one in the list of people; nobody else is there. */
const OTHER = hook('member', ':not([data-state="me"])');

/** Writes to the other one alone. @param {Person} person @param {string} text */
async function whisper({ window }, text) {
  await window.type(`${hook('direct')} ${hook('composer-input')}`, text);
  await window.click(`${hook('direct')} ${hook('composer-send')}`);
}

/** @param {Person} person @param {string} text */
const whispered = (person, text) => until(`"${text}" to ${person.name} alone`, async () => {
  const all = await person.window.all(`${hook('direct')} ${hook('message')}`);
  const texts = await Promise.all(all.map((one) => one.text()));
  return texts.some((one) => one.includes(text));
});

/** @param {Person} person */
async function openOther({ window }) {
  await window.click(hook('people-open'));
  await window.click(`${OTHER} ${hook('person-open')}`);
  await window.see(hook('digits'), 'the numbers of the other');
}

/** Ada makes a room and Ben joins it. @param {Person} ada @param {Person} ben @param {(person: Person) => Promise<void>} make */
async function together(ada, ben, make) {
  await introduce(ada);
  await make(ada);
  const link = await showCode(ada);
  await introduce(ben);
  await pasteLink(ben, link);
  await ben.window.see(hook('composer-input'), "Ada's room in Ben's window");
  await closeDialog(ada);
}

test('whoever made a room chooses its rules, makes a moderator, removes them and closes it', { timeout: 300_000 }, () => play(async (stage) => {
  const ada = await stage.person('Ada');
  const ben = await stage.person('Ben');
  await Promise.all([ada.open(PHONE), ben.open(LAPTOP)]);
  await together(ada, ben, async ({ window }) => {
    await window.click(hook('make-room'));
    await window.type(hook('room-name'), 'Crew');
    await window.click(hook('room-more'));
    for (const rule of ['history-fromJoin', 'inviters-moderator', 'retentionS-604800']) await window.click(hook(`rule-${rule}`));
    await ada.shoot('20-rules-phone');
    await window.click(hook('room-create'));
    await window.see(hook('composer-input'), 'the new room');
    await say(ada, 'before anybody came');
    await sees(ada, 'before anybody came', ['saved']);
  });

  // The rules hold: the past stays Ada's, and Ben may not invite.
  await say(ada, 'welcome Ben');
  await sees(ben, 'welcome Ben', ['received']);
  const told = await messages(ben.window);
  assert.equal(told.some(({ text }) => text.includes('before anybody came')), false, 'who joined reads what is written from then on');
  await ben.window.click(hook('invite-open'));
  assert.match(await complaint(ben), /only some people may invite/);
  await closeDialog(ben);

  // The two of them speak alone.
  await ben.window.click(hook('people-open'));
  await ben.window.click(hook('person-write'));
  await whisper(ben, 'a word for you alone');
  await ada.window.click(hook('people-open'));
  await ada.window.see(`${hook('person-write')} .badge`, 'that somebody wrote to Ada alone');
  await ada.window.click(hook('person-write'));
  await whispered(ada, 'a word for you alone');
  await whisper(ada, 'and one back');
  await whispered(ben, 'and one back');
  await close(ada, 'direct-dialog');
  await close(ada, 'people-dialog');
  await close(ben, 'direct-dialog');
  await close(ben, 'people-dialog');
  const inRoom = await messages(ben.window);
  assert.equal(inRoom.some(({ text }) => text.includes('alone')), false, 'it is no message to the room');

  // How long it keeps messages, and whether it is closed, is told in the other window too.
  await Promise.all([ada, ben].map(({ window }) => window.click(hook('people-open'))));
  await reads(ben, hook('room-kept'), /kept for 7 days/);
  await reads(ben, hook('room-rules'), /only what is written from when they join/);
  await reads(ben, hook('person-since'), /^since /);
  await ada.window.click(hook('room-close'));
  await reads(ben, hook('room-closed'), /closed to new people/);
  await ada.window.click(hook('room-reopen'));
  await ben.window.gone(hook('room-closed'), "that the room is closed, in Ben's window");
  await close(ada, 'people-dialog');
  await close(ben, 'people-dialog');

  // Ada's own list: muted and back, with nothing said to Ben.
  await openOther(ada);
  await ada.window.click(hook('person-mute'));
  await reads(ada, hook('person-mute'), /^Unmute$/);
  await ada.window.click(hook('person-mute'));
  await reads(ada, hook('person-mute'), /^Mute$/);

  // A moderator may invite.
  await ada.window.click(hook('person-role'));
  await reads(ada, hook('person-role'), /^Make a member$/);
  await until('a code that Ben may show', async () => {
    await ben.window.click(hook('invite-open'));
    const shown = await ben.window.see(hook('invite-qr'), 'the code', 3000).catch(() => null);
    await closeDialog(ben);
    return shown;
  });

  // Asked once more; nobody is removed by one tap.
  await ada.window.click(hook('person-remove'));
  await ada.window.click(hook('person-keep'));
  await ada.window.click(hook('person-remove'));
  await ada.window.see(hook('person-remove-go'), 'the question');
  await ada.shoot('21-remove-phone');
  await ada.window.click(hook('person-remove-go'));
  await ada.window.gone('person-dialog dialog', 'the sheet of who is gone');
  await ada.window.gone(OTHER, 'Ben in the list of people');
  await reads(ben, hook('own-fork'), /^You were removed from this room/);
  for (const gone of ['composer-input', 'invite-open']) await ben.window.gone(hook(gone), `${gone} in Ben's window`);
  await ben.shoot('22-removed-laptop');

  // Nobody new: a code is refused with the way out beside it.
  await ada.window.click(hook('room-close'));
  await reads(ada, hook('room-closed'), /closed to new people/);
  await ada.shoot('23-closed-phone');
  await close(ada, 'people-dialog');
  await ada.window.click(hook('invite-open'));
  await ada.window.click(hook('invite-open-room'));
  await ada.window.see(hook('invite-qr'), 'a code, since the room is open again');
  await closeDialog(ada);

  await say(ada, 'only for those who are left');
  await sees(ada, 'only for those who are left', ['saved']);
  assert.equal((await messages(ben.window)).some(({ text }) => text.includes('those who are left')), false);
  await sees(ben, 'welcome Ben'); // what he has he keeps
}));

test('what somebody wrote is hidden with their removal, where that is asked for', { timeout: 180_000 }, () => play(async (stage) => {
  const ada = await stage.person('Ada');
  const ben = await stage.person('Ben');
  await Promise.all([ada.open(PHONE), ben.open(LAPTOP)]);
  await together(ada, ben, (person) => makeRoom(person, 'Camp 7'));
  await say(ben, 'something rude');
  await sees(ada, 'something rude', ['received']);
  await say(ada, 'that was not nice');
  await sees(ben, 'that was not nice', ['received']);

  await openOther(ada);
  await ada.window.click(hook('person-ban'));
  await ada.window.click(hook('person-remove-go'));
  await ada.window.gone(OTHER, 'Ben in the list of people');
  await close(ada, 'people-dialog');
  await until('the rude words to go', async () => !(await messages(ada.window)).some(({ text }) => text.includes('rude')));
  await sees(ada, 'that was not nice');
  await reads(ben, hook('own-fork'), /^You were removed from this room/);
}));
