/**
 * The thin slice, as two people live it: one scan, a chat both ways, a power cut, and on they talk.
 *
 * Loopback only. Ada's window is as narrow as a phone, Ben's as wide as a laptop.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { closeDialog, choosePicture, enterRoom, hook, introduce, makeRoom, messages, say, sees, showCode } from './harness/acts.js';
import { play } from './harness/stage.js';

const PHONE = { width: 360, height: 740 };
const LAPTOP = { width: 1280, height: 800 };

/** Not Latin, right to left, an emoji of several code points, and something that looks like markup. */
const GREETING = 'שלום 👩‍🚒 <b>Ben</b> & "friends"';

test('two windows meet by one scan, chat, survive SIGKILL and find each other again', { timeout: 300_000 }, () => play(async (stage) => {
  const ada = await stage.person('Ada');
  const ben = await stage.person('Ben');
  await Promise.all([ada.open(PHONE), ben.open(LAPTOP)]);

  await introduce(ada);
  await ada.shoot('01-start-phone');
  await makeRoom(ada, 'Camp 7');
  await say(ada, 'before anybody came');
  await sees(ada, 'before anybody came', ['saved']);
  await showCode(ada);
  const code = await ada.shoot('02-code-phone');

  await introduce(ben);
  await ben.shoot('03-start-laptop');
  await choosePicture(ben, code);
  await ben.window.see(hook('composer-input'), "Ada's room in Ben's window");
  await closeDialog(ada);

  // What was said before Ben came is his to read too.
  await sees(ben, 'before anybody came', ['received']);
  await say(ada, GREETING);
  await sees(ben, GREETING, ['received']);
  await say(ben, 'hello Ada, here is Ben');
  await sees(ada, 'hello Ada, here is Ben', ['received']);

  // Both windows were on the screen, so both messages were seen.
  await sees(ada, GREETING, ['seen']);
  await sees(ben, 'hello Ada, here is Ben', ['seen']);
  await ada.shoot('04-chat-phone');
  await ben.shoot('05-chat-laptop');
  await ben.window.click(hook('people-open'));
  await ben.window.see(hook('member', '[data-state="linked"]'), 'Ada in the list of people');
  await ben.shoot('06-people-laptop');

  // Both batteries fall out.
  await Promise.all([ada.kill(), ben.kill()]);
  await Promise.all([ada.open(LAPTOP), ben.open(PHONE)]);
  for (const person of [ada, ben]) {
    await enterRoom(person);
    for (const text of ['before anybody came', GREETING, 'hello Ada, here is Ben']) await sees(person, text);
  }
  const shown = await messages(ada.window);
  assert.equal(shown.length, 3, `every message once: ${JSON.stringify(shown)}`);

  // Nobody scans again.
  await say(ben, 'are you still there?');
  await sees(ada, 'are you still there?', ['received']);
  await say(ada, 'here I am');
  await sees(ben, 'here I am', ['received']);
  await ada.shoot('07-after-restart-laptop');
  await ben.shoot('08-after-restart-phone');
}));
