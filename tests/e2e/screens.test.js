/**
 * Every screen and every dialog of the app, each way round: from left to right in English, from right to left in Arabic, on a small
 * phone in light colours and on a laptop in dark ones. axe finds nothing on any, nothing has to be scrolled sideways, and a picture of each
 * stands in shots/. Then the end of a profile: locked, and erased.
 */
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import {
  ask, close, closeDialog, codeOf, enterRoom, hook, introduce, makeRoom, meet, messageOf, pasteLink, pick, say, sees, showCode,
} from './harness/acts.js';
import { findings } from './harness/axe.js';
import { play } from './harness/stage.js';
import { until } from './harness/webdriver.js';
import { ar } from '../../ui/strings/ar.js';

/** @typedef {import('./harness/stage.js').Person} Person */
/** @typedef {'ltr' | 'rtl'} Direction */

const PHONE = { width: 360, height: 740 };
const LAPTOP = { width: 1280, height: 800 };

const LINK = 'PEDDLENET:J/AEBAGBAFAYDQQCIKBMGA2DQPCA';

/** Whatever is wider than the box it stands in. */
const SIDEWAYS = `return [document.documentElement, ...document.querySelectorAll('dialog, .start, .room-scroll, .messages, .dialog-body')]
  .filter((one) => one.scrollWidth > one.clientWidth).map((one) => 'sideways: ' + (one.className || one.localName) + ' ' + one.scrollWidth + '>' + one.clientWidth)`;

/** What is wrong on the screens of one person's tour. */
class Tour {
  /** @type {string[]} */
  wrong = [];

  /** @param {Person} person @param {Direction} direction */
  constructor(person, direction) {
    this.person = person;
    this.direction = direction;
  }

  /** @param {{width: number, height: number}} size */
  async #size({ width, height }) {
    const { window, name } = this.person;
    await window.resize(width, height);
    await until(`${name}'s window of ${width}`, () => window.run('return innerWidth === arguments[0]', [width]));
  }

  /** The setting itself; a locked profile has none, there the page's root is told. @param {string} theme */
  async #theme(theme) {
    await this.person.window.runAsync(`const [theme, done] = arguments;
      const { session } = document.querySelector('app-shell');
      if (session.state.phase === 'ready') session.setSetting('theme', theme).then(() => done());
      else done(document.documentElement.dataset.theme = theme);`, [theme]);
    await until(`the colours ${theme}`, () => this.person.window.run('return document.documentElement.dataset.theme === arguments[0]', [theme]));
  }

  /** Looks at what is on the screen: on the phone, in the dark, on the laptop. @param {string} name */
  async look(name) {
    const { window } = this.person;
    const note = (/** @type {string} */ how, /** @type {string[]} */ lines) => this.wrong.push(...lines.map((line) => `${name}, ${how}: ${line}`));
    const dir = await window.run('return document.documentElement.dir');
    if (dir !== this.direction) note('', [`goes ${dir}`]);
    await this.person.shoot(`screen-${name}-${this.direction}-phone`);
    note('phone', [...await findings(window), ...await window.run(SIDEWAYS)]);
    await this.#theme('dark');
    note('phone, dark', await findings(window, ['color-contrast']));
    await this.#size(LAPTOP);
    await this.person.shoot(`screen-${name}-${this.direction}-laptop`);
    note('laptop, dark', [...await findings(window), ...await window.run(SIDEWAYS)]);
    await this.#theme('light');
    await this.#size(PHONE);
  }

  /** Opens a dialog, looks at it and closes it. @param {string} name @param {string} opener @param {string} element */
  async visit(name, opener, element) {
    const { window } = this.person;
    // After another size of the window the list may still move under the pointer: pressed until it opens.
    await until(`${name}, opened`, async () => {
      if ((await window.all(`${element} dialog`)).length > 0) return true;
      await window.click(opener);
      return false;
    });
    await this.look(name);
    await close(this.person, element);
  }

  done() {
    assert.deepEqual(this.wrong, []);
  }
}

/** Another language, where there is no room and so no settings yet. @param {Person} person @param {Direction} direction */
async function speak({ window }, direction) {
  if (direction === 'ltr') return;
  await window.runAsync('document.querySelector("app-shell").session.setSetting("language", "ar").then(() => arguments[0]())');
  await until('Arabic', () => window.run('return document.documentElement.dir === "rtl" && document.documentElement.lang.startsWith("ar")'));
}

/** @param {Person} person */
async function toTheList({ window }) {
  await window.click(hook('room-back'));
  await window.see(hook('room-item'), 'the list of rooms');
}

for (const direction of /** @type {Direction[]} */ (['ltr', 'rtl'])) {
  test(`the first start, ${direction}`, { timeout: 300_000 }, () => play(async (stage) => {
    const ada = await stage.person('Ada');
    await ada.open(PHONE);
    const { window } = ada;
    await window.see(hook('name-input'), 'the first screen');
    await speak(ada, direction);
    const tour = new Tour(ada, direction);
    await tour.look('first');
    await window.click(hook('guide-open'));
    for (const step of [1, 2, 3, 4, 5]) {
      if (step === 1 || step === 5) await tour.look(`guide-${step}`);
      await window.click(hook('guide-next'));
    }
    await window.gone('guide-dialog', 'the guide after its last step');
    await introduce(ada);
    await tour.look('start');

    await window.click(hook('scan-open'));
    await until('that there is no camera', () => window.run('return document.querySelector(".is-without") !== null'));
    await tour.look('scan');
    await window.type(hook('scan-link'), 'no link of ours');
    await window.click(hook('scan-join'));
    await window.see(hook('join-again'), 'why joining failed');
    await tour.look('join-failed');
    await closeDialog(ada);
    assert.equal((await ada.again([LINK])).code, 0);
    await window.see(hook('outside-join'), 'the question about a link from outside');
    await tour.look('outside');
    await window.click(hook('outside-not'));
    await window.gone('outside-dialog', 'the question');

    await window.click(hook('make-room'));
    await window.click(hook('room-more'));
    await tour.look('create');
    await window.type(hook('room-name'), 'Camp 7');
    await window.click(hook('room-create'));
    await window.see('.room-empty', 'an empty room');
    await tour.look('room-empty');
    tour.done();
  }));

  test(`a room and what is said in it, ${direction}`, { timeout: 300_000 }, () => play(async (stage) => {
    const ada = await stage.person('Ada');
    const ben = await stage.person('Ben');
    await Promise.all([ada.open(PHONE), ben.open(LAPTOP)]);
    const { window } = ada;
    const tour = new Tour(ada, direction);
    await meet(ada, ben, 'Camp 7');
    await say(ada, `${'a long word to fold, '.repeat(60)}end`);
    await say(ada, 'shall we meet at the gate?');
    await sees(ben, 'at the gate', ['received']);
    await pick(ben, 'at the gate', hook('menu-reply'));
    await say(ben, 'yes, at nine');
    await say(ben, 'نلتقي عند البوابة الساعة 9');
    await say(ben, 'the map is at https://map.example.org/a/rather/long/way/to/the/camp/with/no/end/in/sight?x=1');
    await sees(ada, 'no/end/in/sight', ['received']);
    await pick(ada, 'yes, at nine', hook('react-pick'));
    await window.see(hook('reaction'), 'the sign');
    await say(ada, 'taken back');
    await sees(ben, 'taken back', ['received']);
    await pick(ada, 'taken back', hook('menu-delete'));
    await window.click(hook('delete-go'));
    await window.see(hook('message-gone'), 'what is left of a deleted message');
    await speakInSettings(ada, direction);
    await enterRoom(ada);
    await sees(ada, 'shall we meet');

    await tour.look('room');
    const gate = await messageOf(ada, 'yes, at nine');
    await window.run('document.querySelector(arguments[0]).click()', [`${gate} ${hook('message-more')}`]);
    await window.see(hook('message-menu'), 'the menu');
    await tour.look('message-menu');
    await window.click(hook('react-type'));
    await window.type(hook('react-input'), 'words');
    await window.click(hook('react-go'));
    await window.see(hook('react-problem'), 'that words are no sign');
    await tour.look('reaction');
    await window.click(hook('menu-reply'));
    await window.see(hook('composer-context'), 'what is being answered');
    await window.type(hook('composer-input'), 'as @Be');
    await window.see(hook('mention'), 'whom to name');
    await tour.look('reply');
    await (await window.see(hook('composer-input'))).clear();
    await window.click(hook('context-cancel'));
    await pick(ada, 'shall we meet', hook('menu-edit'));
    await tour.look('edit');
    await window.click(hook('context-cancel'));
    await pick(ada, 'shall we meet', hook('menu-delete'));
    await tour.look('delete');
    await window.click(hook('delete-keep'));
    await pick(ada, 'shall we meet', hook('menu-seen'));
    await tour.look('seen');
    await close(ada, 'seen-dialog');
    await tour.visit('link', hook('message-link'), 'link-dialog');
    await window.click(hook('search-open'));
    await window.type(hook('search-input'), 'meet');
    await window.see(hook('search-result'), 'what was found');
    await tour.look('search');
    await close(ada, 'search-dialog');
    tour.done();
  }));

  test(`the people, codes and settings, ${direction}`, { timeout: 300_000 }, () => play(async (stage) => {
    const ada = await stage.person('Ada');
    const ben = await stage.person('Ben');
    await Promise.all([ada.open(PHONE), ben.open(LAPTOP)]);
    const { window } = ada;
    const tour = new Tour(ada, direction);
    await meet(ada, ben, 'Camp 7');
    await say(ben, 'hello');
    await sees(ada, 'hello', ['received']);
    await speakInSettings(ada, direction);
    await tour.look('rooms');
    await window.click(hook('room-menu'));
    await tour.look('room-menu');
    await window.click(hook('room-leave'));
    await tour.look('leave');
    await close(ada, 'room-menu');
    await tour.visit('name', hook('name-open'), 'name-dialog');
    await tour.visit('settings', hook('settings-open'), 'settings-dialog');
    await window.click(hook('settings-open'));
    await window.bring(hook('storage'));
    await window.see(hook('storage-room'), 'what the room takes');
    await tour.look('settings-end');
    await window.bring(hook('diagnostics-open'));
    await window.click(hook('diagnostics-open'));
    await window.see(hook('diagnostics-counters'), 'the numbers');
    await tour.look('diagnostics');
    await window.click(`${hook('diagnostics-counters')} summary`);
    await window.bring(hook('diagnostics-counters'));
    await tour.look('diagnostics-counters');
    await close(ada, 'diagnostics-dialog');
    await enterRoom(ada);

    await showCode(ada);
    await tour.look('invite');
    await window.click(hook('answer-open'));
    await until('that there is no camera', () => window.run('return document.querySelector(".is-without") !== null'));
    await tour.look('answer-scan');
    await close(ada, 'scan-dialog');
    await showCode(ada);
    await window.click(hook('codes-open'));
    await window.see(hook('open-code'), 'the open code');
    await tour.look('codes');
    await window.click(hook('invite-back'));
    await window.click(hook('wifi-open'));
    await tour.look('wifi-form');
    await window.type(hook('wifi-name'), 'Ada hotspot');
    await window.type(hook('wifi-password'), 'long rope 7');
    await window.click(hook('wifi-go'));
    await window.see(hook('wifi-qr'), 'the code of the Wi-Fi');
    await tour.look('wifi-code');
    await window.click(hook('invite-step-2'));
    await window.see(hook('invite-qr'), 'the code of the room');
    await tour.look('wifi-room');
    await window.click(hook('poster-open'));
    await tour.look('poster-form');
    await window.click(hook('poster-make'));
    await window.see(hook('poster'), 'the poster');
    await tour.look('poster');
    await closeDialog(ada);

    await window.click(hook('people-open'));
    await window.see(hook('member', '[data-state="linked"]'), 'Ben, near');
    await tour.look('people');
    await window.click(`people-dialog ${hook('network-open')}`);
    await window.see('mesh-picture svg', 'the network');
    await tour.look('network');
    await window.click(hook('network-as-table'));
    await tour.look('network-table');
    await close(ada, 'network-dialog');
    await window.click(hook('room-rename'));
    await tour.look('rename');
    await window.click(`${hook('member', '[data-state="linked"]')} ${hook('person-open')}`);
    await window.see(hook('digits'), 'the numbers');
    await tour.look('person');
    await window.click(hook('verify-show'));
    await tour.look('verify-show');
    await window.click(hook('verify-back'));
    await window.click(hook('verify-scan'));
    await until('that there is no camera', () => window.run('return document.querySelector(".is-without") !== null'));
    await tour.look('verify-scan');
    await window.click(hook('verify-back'));
    await window.click(hook('person-remove'));
    await tour.look('remove');
    await window.click(hook('person-keep'));
    await close(ada, 'person-dialog');
    await window.click(hook('person-write'));
    await window.type(`${hook('direct')} ${hook('composer-input')}`, 'for you alone');
    await window.click(`${hook('direct')} ${hook('composer-send')}`);
    await window.see(`${hook('direct')} ${hook('message')}`, 'what was said to one alone');
    await tour.look('direct');
    await close(ada, 'direct-dialog');
    await close(ada, 'people-dialog');

    // A code whose device is gone: joining fails, and this device shows one back.
    await makeRoom(ben, 'Camp 8');
    await ben.window.see('.room-empty', 'the new room');
    const gone = await showCode(ben);
    await ben.kill();
    await toTheList(ada);
    await pasteLink(ada, gone);
    await window.see(hook('back-show'), 'the way back');
    await tour.look('join-apart');
    await window.click(hook('back-show'));
    await window.see(hook('back-qr'), 'the code back');
    const back = await codeOf(ada, hook('back-qr'));
    await tour.look('back-code');
    await closeDialog(ada);
    await pasteLink(ada, back);
    await window.see(hook('scan-again'), 'that it is nobody’s');
    await tour.look('answer-unknown');
    tour.done();
  }));
}

/** The language as people choose it, from the room that is open; ends at the list. @param {Person} person @param {Direction} direction */
async function speakInSettings(person, direction) {
  const { window } = person;
  await toTheList(person);
  if (direction === 'ltr') return;
  await window.click(hook('settings-open'));
  await window.see(hook('language'), 'the languages');
  await window.bring(hook('language'));
  await window.click(`${hook('language')} option[value="ar"]`);
  await until('Arabic from right to left', () => window.run('return document.documentElement.dir === "rtl" && document.documentElement.lang.startsWith("ar")'));
  await window.see('settings-dialog dialog', 'the settings in Arabic');
  await close(person, 'settings-dialog');
}

/** Every file under a folder. @param {string} folder @returns {Promise<string[]>} */
async function filesIn(folder) {
  const all = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return all.filter((one) => one.isFile()).map((one) => path.join(one.parentPath ?? one.path, one.name));
}

test('a locked profile, and the end of everything by one button that is held', { timeout: 300_000 }, () => play(async (stage) => {
  const ada = await stage.person('Ada');
  await ada.open(PHONE);
  await introduce(ada);
  assert.deepEqual(await ask(ada, 'protect', { passphrase: 'correct horse' }), { value: {} });
  await makeRoom(ada, 'Camp 7');
  await say(ada, 'nobody shall read this');
  await sees(ada, 'nobody shall read this', ['saved']);
  const room = await ada.window.run('return location.hash.split("/").at(-1)');

  for (const direction of /** @type {Direction[]} */ (['ltr', 'rtl'])) {
    await speak(ada, direction);
    await ada.kill();
    await ada.open(PHONE);
    await ada.window.see(hook('passphrase'), 'the question for the passphrase');
    const tour = new Tour(ada, direction);
    await ada.window.type(hook('passphrase'), 'wrong');
    await ada.window.click(hook('unlock'));
    await ada.window.see(hook('error-text'), 'that it was wrong');
    await tour.look('locked');
    tour.done();
    await ada.window.type(hook('passphrase'), 'correct horse');
    await ada.window.click(hook('unlock'));
    await enterRoom(ada);
  }

  const { window } = ada;
  await toTheList(ada);
  await window.click(hook('settings-open'));
  await window.see('settings-dialog dialog', 'the settings');
  const held = hook('wipe-hold');
  await window.bring(held);
  const note = async () => (await window.see(hook('hold-note'))).text();
  const before = await note();
  await window.press(held);
  await until('the count of what is left', async () => (await note()) !== before);
  await window.release();
  await until('that nothing was erased', async () => (await note()) === ar['hold.released']);
  await ask(ada, 'snapshot').then(({ value }) => assert.equal(value.rooms.length, 1, 'let go early, and everything is there'));
  await window.press(held);
  await ada.ended();

  const left = await filesIn(path.join(ada.home, 'profile'));
  assert.deepEqual(left.filter((file) => file.includes('mesh')), [], 'nothing of the mesh, its store or its key');
  for (const file of await filesIn(ada.home)) {
    const bytes = await readFile(file);
    for (const word of [room, 'Camp 7', 'nobody shall read this']) assert.equal(bytes.includes(word), false, `${word} in ${file}`);
  }
  await ada.open(PHONE);
  await ada.window.see(hook('name-input'), 'a first start');
  assert.deepEqual(await ada.window.run('return [document.documentElement.dir, localStorage.getItem("peddlenet.room")]'), ['ltr', null], 'the page has forgotten, too');
}));
