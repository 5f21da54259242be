/**
 * Two people talk, and everything that can be done with what was said: answers, signs, changes, deletions, names,
 * addresses, search, words to one alone, what waits for somebody to come by, and leaving.
 *
 * Ada's window is as narrow as a phone, Ben's as wide as a laptop.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import {
  ask, close, closeDialog, complaint, enterRoom, hook, introduce, makeRoom, meet, messageOf, messages, pasteLink, pick, reads, say, sees, showCode,
} from './harness/acts.js';
import { play } from './harness/stage.js';
import { until } from './harness/webdriver.js';

/** @typedef {import('./harness/stage.js').Person} Person */

const PHONE = { width: 360, height: 740 };
const LAPTOP = { width: 1280, height: 800 };

/** More than a screen, and more than the first page. */
const MANY = 90;

/** The other one in the list of people; nobody else is there. */
const OTHER = hook('member', ':not([data-state="me"])');

/** @param {import('./harness/stage.js').Stage} stage */
async function adaAndBen(stage) {
  const ada = await stage.person('Ada');
  const ben = await stage.person('Ben');
  await Promise.all([ada.open(PHONE), ben.open(LAPTOP)]);
  return { ada, ben };
}

/** Types into a field what stands there instead. @param {Person} person @param {string} css @param {string} text */
async function write({ window }, css, text) {
  await window.type(css, text);
  await until(`"${text}" in ${css}`, async () => (await (await window.see(css)).property('value')) === text);
}

/** The room that is open. @param {Person} person @returns {Promise<string>} */
const roomOf = ({ window }) => window.run('return location.hash.split("/").at(-1)');

/** Back to the list, where that is a screen of its own. @param {Person} person */
async function toTheList({ window }) {
  await window.click(hook('room-back'));
  await window.see(hook('room-item'), 'the list of rooms');
}

test('a join that is cancelled ends calmly, and the next one works', { timeout: 180_000 }, () => play(async (stage) => {
  const { ada, ben } = await adaAndBen(stage);
  await introduce(ada);
  await makeRoom(ada, 'Camp 7');
  const link = await showCode(ada);
  await introduce(ben);

  // Ada's device sleeps: nobody answers, and nobody refuses.
  ada.sleep();
  await pasteLink(ben, link);
  await ben.window.click(hook('join-cancel'));
  assert.match(await reads(ben, hook('scan-hint'), /Stopped/), /You are in no new room/);
  await ben.shoot('30-join-cancelled-laptop');
  for (const one of await ben.window.all(hook('error-text'))) assert.equal(await one.visible(), false, 'what was asked for is no error');
  await closeDialog(ben);
  await ben.window.see(hook('make-room'), 'the start screen as it was');

  ada.wake();
  await pasteLink(ben, link);
  await ben.window.see(hook('composer-input'), "Ada's room in Ben's window");
}));

test('what was said is answered, signed, changed, deleted, and names people', { timeout: 240_000 }, () => play(async (stage) => {
  const { ada, ben } = await adaAndBen(stage);
  await meet(ada, ben, 'Camp 7');
  await say(ada, 'shall we meet at the gate?');
  await sees(ben, 'at the gate', ['received']);

  // An answer carries what it answers.
  await pick(ben, 'at the gate', hook('menu-reply'));
  await ben.window.see(hook('composer-context', '[data-kind="reply"]'), 'what is being answered');
  await say(ben, 'yes, at nine');
  await sees(ada, 'yes, at nine', ['received']);
  const answer = await messageOf(ada, 'yes, at nine');
  await reads(ada, `${answer} ${hook('message-quote', '[data-state="here"]')}`, /at the gate/);

  // Seen by whom: the names.
  await sees(ada, 'at the gate', ['seen']);
  await pick(ada, 'shall we meet', hook('menu-seen'));
  await reads(ada, 'seen-dialog .person-name', /^Ben$/);
  await ada.shoot('31-seen-by-phone');
  await close(ada, 'seen-dialog');

  // A sign is put under it, and taken back.
  await pick(ada, 'yes, at nine', hook('react-pick'));
  const chip = `${await messageOf(ben, 'yes, at nine')} ${hook('reaction')}`;
  await reads(ben, chip, /1/);
  await ben.window.tap(chip);
  await reads(ben, chip, /2/);
  await reads(ada, `${answer} ${hook('reaction')}`, /2/);
  await ada.window.tap(`${answer} ${hook('reaction')}`);
  await reads(ben, chip, /1/);
  await ben.window.tap(chip);
  await ada.window.gone(`${answer} ${hook('reaction')}`, 'every sign');

  // Changed: the new words with a mark, the old ones nowhere.
  await pick(ben, 'yes, at nine', hook('menu-edit'));
  await ben.window.see(hook('composer-context', '[data-kind="edit"]'), 'that something is being changed');
  await write(ben, hook('composer-input'), 'yes, at ten');
  await ben.window.click(hook('composer-send'));
  await sees(ada, 'yes, at ten', ['received']);
  await ada.window.see(`${answer} ${hook('message-edited')}`, 'that it was changed');
  assert.equal((await messages(ada.window)).some(({ text }) => text.includes('nine')), false);

  // Named: picked from the list, and marked where it is read.
  await ben.window.type(hook('composer-input'), 'bring a lamp @Ad');
  await ben.window.click(hook('mention'));
  await ben.window.click(hook('composer-send'));
  await sees(ada, 'bring a lamp', ['received']);
  await reads(ada, `${await messageOf(ada, 'bring a lamp')} .text-mention.is-me`, /^@Ada$/);

  // An address is shown before anything is opened, and nothing is when that is declined.
  await say(ben, 'the map is at https://map.example.org/camp?x=1');
  await sees(ada, 'the map is at', ['received']);
  const before = await ada.window.run('return location.href');
  await ada.window.click(hook('message-link'));
  await reads(ada, hook('link-host'), /^map\.example\.org$/);
  await reads(ada, hook('link-address'), /^https:\/\/map\.example\.org\/camp\?x=1$/);
  await ada.shoot('32-link-phone');
  await ada.window.click(hook('link-cancel'));
  await ada.window.gone('link-dialog', 'the question');
  assert.equal(await ada.window.run('return location.href'), before, 'the window leads nowhere else');

  // Deleted, after a second thought; the answer says that it is gone.
  await pick(ada, 'shall we meet', hook('menu-delete'));
  await ada.window.click(hook('delete-keep'));
  await ada.window.gone('delete-dialog', 'the question');
  await sees(ada, 'shall we meet');
  await pick(ada, 'shall we meet', hook('menu-delete'));
  await ada.window.click(hook('delete-go'));
  await ben.window.see(hook('message-gone'), 'that it was deleted');
  await ben.window.see(hook('message-quote', '[data-state="deleted"]'), 'that what was answered is deleted');
  assert.equal((await messages(ben.window)).some(({ text }) => text.includes('gate')), false, 'the words are nowhere');
  await ben.shoot('33-chat-laptop');
}));

test('a search leads far back, and what is being written outlives a power cut', { timeout: 240_000 }, () => play(async (stage) => {
  const ada = await stage.person('Ada');
  await ada.open(PHONE);
  await introduce(ada);
  await makeRoom(ada, 'Camp 7');
  const room = await roomOf(ada);
  for (let n = 0; n < MANY; n += 1) {
    const text = n === 2 ? 'the spare key hangs behind the mill' : `line ${n} of many`;
    const { code } = await ask(ada, 'send_message', { room, clientId: randomUUID(), text, replyTo: null, mentions: [] });
    assert.equal(code, undefined, `message ${n} is taken`);
  }
  await ada.window.type(hook('composer-input'), 'half a thou');
  await until('the draft to be kept', async () => (await ask(ada, 'snapshot')).value.drafts?.length > 0);

  await ada.kill();
  await ada.open(PHONE);
  await enterRoom(ada);
  await until('the draft in the box', async () => (await (await ada.window.see(hook('composer-input'))).property('value')) === 'half a thou');
  assert.equal((await messages(ada.window)).some(({ text }) => text.includes('spare key')), false, 'it is further back than what is loaded');

  await ada.window.click(hook('search-open'));
  await ada.window.type(hook('search-input'), 'spare KEY');
  await reads(ada, hook('search-result'), /behind the mill/);
  await ada.shoot('34-search-phone');
  await ada.window.click(hook('search-result'));
  await ada.window.gone('search-dialog', 'the search');
  const found = await messageOf(ada, 'the spare key');
  await until('the message in the middle of what is seen', () => ada.window.run(`const { top, bottom } = document.querySelector(arguments[0]).getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight`, [found]));
}));

test('to one alone with a sign, offline and back, and another name for everything', { timeout: 240_000 }, () => play(async (stage) => {
  const { ada, ben } = await adaAndBen(stage);
  await meet(ada, ben, 'Camp 7');

  // Alone.
  await ben.window.click(hook('people-open'));
  await ben.window.click(hook('person-write'));
  const direct = hook('direct');
  await ben.window.type(`${direct} ${hook('composer-input')}`, 'for you alone');
  await ben.window.click(`${direct} ${hook('composer-send')}`);
  await ada.window.click(hook('people-open'));
  await ada.window.click(hook('person-write'));
  await reads(ada, `${direct} ${hook('message')}`, /for you alone/);
  await pick(ada, 'for you alone', hook('react-pick'));
  await reads(ben, `${direct} ${hook('reaction')}`, /1/);
  await ada.shoot('35-direct-phone');
  for (const person of [ada, ben]) {
    await close(person, 'direct-dialog');
    await close(person, 'people-dialog');
  }

  // Nobody is near: it is kept, and says so; it goes out when Ada is back.
  await ada.kill();
  await reads(ben, '.bar-note', /Nobody near/);
  await say(ben, 'are you there?');
  await sees(ben, 'are you there?', ['saved']);
  await reads(ben, hook('message-state'), /Goes out when someone is near/);
  await ben.shoot('36-offline-laptop');
  await ada.open(PHONE);
  await enterRoom(ada);
  await sees(ada, 'are you there?', ['received']);
  await ada.window.click(hook('composer-input')); // a window that nobody has touched is not looked at
  await sees(ben, 'are you there?', ['seen']);

  // The room's name is everybody's.
  await ada.window.click(hook('people-open'));
  await ada.window.click(hook('room-rename'));
  await write(ada, hook('room-rename-name'), 'Camp Eight');
  await ada.window.click(hook('room-rename-save'));
  await reads(ben, '.bar-title', /^Camp Eight$/);
  await close(ada, 'people-dialog');

  // So is one's own.
  await ben.window.click(hook('name-open'));
  await write(ben, hook('name-input'), 'Benjamin');
  await ben.window.click(hook('name-save'));
  await ben.window.gone('name-dialog', 'the question for a name');
  await say(ben, 'a new name');
  await sees(ada, 'a new name', ['received']);
  await reads(ada, '.bubble-name', /^Benjamin$/);

  // A favourite that makes no noise, on this device alone.
  await toTheList(ada);
  await ada.window.click(hook('room-menu'));
  await ada.window.click(hook('room-favourite'));
  await reads(ada, hook('room-favourite'), /No longer a favourite/);
  await ada.window.click(hook('room-mute'));
  await reads(ada, hook('room-mute'), /Unmute/);
  await close(ada, 'room-menu');
  await ada.window.see(`${hook('room-item')} .is-starred`, 'the star of a favourite');
  await ada.window.see(`${hook('room-item')} .is-muted`, 'that it is muted');
  await ada.shoot('37-favourite-phone');
}));

test('a code that was ended lets nobody in; who leaves takes along what they like', { timeout: 240_000 }, () => play(async (stage) => {
  const { ada, ben } = await adaAndBen(stage);
  await introduce(ada);
  await makeRoom(ada, 'Camp 7');
  const ended = await showCode(ada);
  await ada.window.click(hook('codes-open'));
  await ada.window.see(hook('open-code'), 'the code in the list');
  await ada.shoot('38-codes-phone');
  await ada.window.click(hook('open-code-end'));
  await ada.window.gone(hook('open-code'), 'the code in the list');
  await ada.window.click(hook('invite-back'));
  await introduce(ben);
  await pasteLink(ben, ended);
  assert.match(await complaint(ben), /^[A-Z].*\.$/s, 'a plain sentence');
  await ben.window.see(hook('join-again'), 'a way on');
  await closeDialog(ben);
  assert.equal((await ben.window.all(hook('room-item'))).length, 0);

  await ada.window.click(hook('invite-again'));
  const link = await until('another link', async () => {
    const now = await (await ada.window.see(hook('invite-link'))).property('value');
    return now !== ended && now;
  });
  await pasteLink(ben, link);
  await ben.window.see(hook('composer-input'), "Ada's room in Ben's window");
  await closeDialog(ada);

  // Who says nothing of what they have seen is not seen to have.
  await ben.window.click(hook('settings-open'));
  await ben.window.click(hook('receipts'));
  await until('the setting', async () => (await ask(ben, 'snapshot')).value.settings?.receipts === 'off');
  await close(ben, 'settings-dialog');
  await say(ada, 'who reads this?');
  await sees(ben, 'who reads this?', ['received']);
  await say(ben, 'somebody does');
  await sees(ada, 'somebody does', ['received']);
  await sees(ben, 'somebody does', ['seen']);
  assert.equal(await sees(ada, 'who reads this?'), 'saved', 'what Ben wrote later is here, and no word of what he has seen');

  // Left, and the words stay; then those go, too.
  await ben.window.click(hook('people-open'));
  await ben.window.click(hook('room-leave'));
  await ben.window.click(hook('room-stay'));
  await ben.window.click(hook('room-leave'));
  await ben.shoot('39-leave-laptop');
  await ben.window.click(hook('room-leave-keep'));
  await ben.window.gone('people-dialog', 'the list of people');
  await ben.window.gone(hook('composer-input'), 'the box of a room that was left');
  await reads(ben, hook('own-fork'), /^You left this room/);
  await sees(ben, 'who reads this?');
  await ada.window.click(hook('people-open'));
  await ada.window.gone(OTHER, 'Ben in the list of people');
  await close(ada, 'people-dialog');
  await ben.window.click(hook('people-open'));
  await ben.window.click(hook('room-leave'));
  await ben.window.click(hook('room-leave-go'));
  await ben.window.see(hook('make-room'), 'the start screen');
  await ben.window.gone(hook('room-item'), 'the room in the list');
  await ada.shoot('40-alone-phone');
}));

test('what a peer wrote is shown, and never run', { timeout: 180_000 }, () => play(async (stage) => {
  const { ada, ben } = await adaAndBen(stage);
  const HOSTILE_NAME = '<img src=x onerror=a()>\u202egnp.exe';
  const HOSTILE = '<img src=x onerror="document.title=\'gone\'"><script>document.title="gone"</script>\u202etxet\u202c <b>bold</b>';
  await meet(ada, ben, '<i>Camp</i>', HOSTILE_NAME);
  const title = await ada.window.run('return document.title');
  assert.equal(title, '<i>Camp</i> · PeddleNet');
  await ada.window.run('window.ran = []; addEventListener("securitypolicyviolation", (event) => window.ran.push(event.violatedDirective));');
  await say(ben, HOSTILE);
  await sees(ada, 'onerror="document.title', ['received']);
  const shown = await ada.window.run(`const one = document.querySelector(arguments[0]);
    return { text: one.querySelector('.bubble-text').textContent, name: one.querySelector('.bubble-name').localName + ' ' + one.querySelector('.bubble-name').textContent,
      made: one.querySelectorAll('img, script, b, i').length, alone: getComputedStyle(one.querySelector('.bubble-name')).unicodeBidi }`, [await messageOf(ada, 'onerror="document.title')]);
  assert.ok(shown.text.includes('<script>document.title="gone"</script>'), `the words as they were written: ${shown.text}`);
  assert.match(shown.name, /^bdi <img src=x onerror=a\(\)>/, 'the name as a text of its own direction');
  assert.equal(shown.alone, 'isolate');
  assert.equal(shown.made, 0, 'no element was made of it');
  await ada.window.click(hook('people-open'));
  await reads(ada, `${OTHER} .person-name`, /^<img src=x onerror=a\(\)>/);
  await ada.shoot('41-hostile-phone');
  assert.deepEqual(await ada.window.run('return [document.title, window.ran.length, document.querySelectorAll("img[src=x]").length]'), [title, 0, 0]);
}));
