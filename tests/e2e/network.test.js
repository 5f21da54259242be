/**
 * What a person sees of the network: who is near and over what, in a picture and in a table; the numbers of a device and their copy as
 * text; the Wi-Fi's code before the room's.
 *
 * Loopback only. Ada's window is as narrow as a phone, Ben's as wide as a laptop.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { close, complaint, hook, meet, reads, say, sees } from './harness/acts.js';
import { play } from './harness/stage.js';
import { until } from './harness/webdriver.js';

/** @typedef {import('./harness/stage.js').Person} Person */

const PHONE = { width: 360, height: 740 };
const LAPTOP = { width: 1280, height: 800 };

/** A link to a device that was switched off is given up after this long at most. */
const GONE_MS = 60_000;

/** Opens the room's network from the list of people, as a table. @param {Person} person */
async function openNetwork({ window, name }) {
  await window.click(hook('people-open'));
  await window.click(`people-dialog ${hook('network-open')}`);
  await window.see('mesh-picture svg', `the picture in ${name}'s window`);
  await window.click(hook('network-as-table'));
  await window.see(hook('network-table'), `the table in ${name}'s window`);
}

/**
 * Waits until somebody stands so in the table.
 * @param {Person} person
 * @param {string} who
 * @param {string} state
 * @param {number} [patience]
 * @returns {Promise<string>} What their row says.
 */
function row({ window, name }, who, state, patience) {
  return until(`${who} as ${state} in ${name}'s table`, async () => {
    /** @type {string[]} */
    const rows = await window.run('return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)', [hook('network-row', `[data-state="${state}"]`)]);
    return rows.find((text) => text.includes(who));
  }, patience);
}

/** People in the picture, by where they stand. @param {Person} person @returns {Promise<Record<string, number>>} */
function drawn({ window }) {
  return window.run(`const count = (zone) => document.querySelectorAll('.mesh-spot.is-' + zone).length;
    return { me: count('me'), ring: count('ring'), away: count('away') };`);
}

test('two who met see each other in the network, and one who went', { timeout: 300_000 }, () => play(async (stage) => {
  const ada = await stage.person('Ada');
  const ben = await stage.person('Ben');
  await Promise.all([ada.open(PHONE), ben.open(LAPTOP)]);
  await meet(ada, ben, 'Camp 7');
  await say(ben, 'hello from Ben');
  await sees(ada, 'hello from Ben', ['received']);

  for (const [person, other] of /** @type {[Person, string][]} */ ([[ada, 'Ben'], [ben, 'Ada']])) {
    await openNetwork(person);
    await row(person, person.name, 'me');
    assert.match(await row(person, other, 'linked'), /here/);
    await person.window.click(hook('network-as-picture'));
    await until(`both in ${person.name}'s picture`, async () => {
      const { me, ring, away } = await drawn(person);
      return me === 1 && ring === 1 && away === 0;
    });
    await person.shoot(`network-${person.name}`);
  }
  await reads(ada, hook('network-path'), /straight from Ben/);
  // The table is there for readers of the screen while the picture is shown, and the picture is not.
  assert.deepEqual(await ada.window.run(`return [document.querySelector('mesh-picture svg').ariaHidden, document.querySelectorAll(arguments[0]).length]`, [hook('network-row')]), ['true', 2]);

  await ben.kill();
  await row(ada, 'Ben', 'away', GONE_MS);
  await reads(ada, hook('network-change'), /Ben/);
  await until('Ben outside the rings', async () => (await drawn(ada)).away === 1);
  await ada.shoot('network-apart');
  await ben.open(LAPTOP);
  await row(ada, 'Ben', 'linked', GONE_MS);
  await until('Ben back on a ring', async () => (await drawn(ada)).ring === 1);
}));

test('the numbers of a device, and the same numbers as text', { timeout: 300_000 }, () => play(async (stage) => {
  const ada = await stage.person('Ada');
  const ben = await stage.person('Ben');
  await Promise.all([ada.open(LAPTOP), ben.open(LAPTOP)]);
  await meet(ada, ben, 'Camp 7');
  await say(ada, 'one to count');
  await sees(ada, 'one to count', ['seen']);

  const { window } = ada;
  await window.click(hook('settings-open'));
  await window.bring(hook('diagnostics-open'));
  await window.click(hook('diagnostics-open'));
  await window.see(hook('diagnostics-device'), 'the numbers');
  await reads(ada, hook('diagnostics-links'), /Ben/);
  await reads(ada, hook('diagnostics-delivery'), /Messages sent\s*1/);
  await ada.shoot('diagnostics');
  // Read and copied in one moment, since the numbers change by themselves.
  const { facts, copied } = await window.run(`let copied = '';
    Object.defineProperty(navigator, 'clipboard', { configurable: true, value: { writeText: async (text) => { copied = text; } } });
    document.querySelector(arguments[0]).click();
    return { copied, facts: [...document.querySelectorAll('.fact')].map((one) => [...one.children].map((part) => part.textContent)) };`, [hook('diagnostics-copy')]);
  assert.ok(facts.length > 10, `${facts.length} lines on the screen`);
  for (const parts of facts) for (const part of parts) assert.ok(copied.includes(part.replaceAll('\n', ', ')), `"${part}" in the text`);
  assert.match(copied, /Connections\n {2}Ben: /);
  await reads(ada, hook('diagnostics-copy'), /Copied/);
  await close(ada, 'diagnostics-dialog');

  // Found on this network or not: the choice is kept.
  await window.click(hook('settings-open'));
  await window.bring(hook('lan'));
  await window.click(hook('lan'));
  await until('the setting', () => window.run('return document.querySelector("app-shell").session.state.settings.lan === "off"'));
  await window.click(hook('diagnostics-open'));
  await reads(ada, hook('diagnostics-device'), /Turned off in Settings/);
  await reads(ada, hook('diagnostics-servers'), /No server is used/);
  await close(ada, 'diagnostics-dialog');

  // A server for friends on other networks: what is no address is refused at the field, and where nothing answers is told.
  await window.click(hook('settings-open'));
  const field = hook('server');
  await window.bring(field);
  const invalid = () => window.run('return document.querySelector(arguments[0]).getAttribute("aria-invalid")', [field]);
  await window.type(field, 'ftp://example.org');
  await window.click(hook('server-save'));
  await reads(ada, `server-form ${hook('error-text')}`, /looks like wss:\/\/example\.org/);
  assert.equal(await invalid(), 'true');
  await window.type(field, 'ws://127.0.0.1:9');
  assert.equal(await invalid(), null, 'what is typed now has not been refused');
  await window.click(hook('server-save'));
  await reads(ada, hook('server-saved'), /^Saved/);
  await window.click(hook('diagnostics-open'));
  await reads(ada, hook('diagnostics-servers'), /ws:\/\/127\.0\.0\.1:9\s*not connected\s*Is there internet here/);
}));

test('the code of the Wi-Fi stands before that of the room', { timeout: 300_000 }, () => play(async (stage) => {
  const ada = await stage.person('Ada');
  const ben = await stage.person('Ben');
  await Promise.all([ada.open(PHONE), ben.open(LAPTOP)]);
  await meet(ada, ben, 'Camp 7');

  const { window } = ada;
  await window.click(hook('invite-open'));
  await window.see(hook('invite-qr'), 'the code of the room');
  await window.click(hook('wifi-open'));
  await window.type(hook('wifi-name'), 'Ada hotspot');
  await window.type(hook('wifi-password'), 'short');
  await window.click(hook('wifi-go'));
  assert.match(await complaint(ada), /at least 8 characters/);
  const password = await window.see(hook('wifi-password'), 'the password');
  assert.equal(await password.property('type'), 'password');
  await window.click(hook('wifi-show'));
  assert.equal(await password.property('type'), 'text');
  await window.type(hook('wifi-password'), 'short rope');
  await window.click(hook('wifi-go'));
  await window.see(hook('wifi-qr'), 'step 1, the Wi-Fi');
  await ada.shoot('wifi-step-1');
  const src = () => window.run('return document.querySelector(arguments[0])?.src ?? ""', [`${hook('wifi-qr')}, ${hook('invite-qr')}`]);
  const first = await src();
  assert.match(first, /^data:image\/svg\+xml/);
  await window.click(hook('invite-step-2'));
  await window.see(hook('invite-qr'), 'step 2, the room');
  await ada.shoot('wifi-step-2');
  assert.notEqual(await src(), first);
  await window.click(hook('invite-step-1'));
  await window.see(hook('wifi-qr'), 'step 1 again');
  await window.click(hook('wifi-without'));
  await window.see(hook('invite-link'), 'only the room’s code');
  assert.equal((await window.all(hook('invite-step-1'))).length, 0);

  // What was entered is kept for the next friend, and stands in no log.
  await close(ada, 'invite-dialog');
  await window.click(hook('invite-open'));
  await window.click(hook('wifi-open'));
  assert.equal(await (await window.see(hook('wifi-name'), 'the name, kept')).property('value'), 'Ada hotspot');
  assert.equal(ada.log.includes('short rope'), false);
}));
