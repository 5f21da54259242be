/**
 * What the desktop is told while nobody looks at the window: a room's name and a number, never a word or a name.
 *
 * The desktop is a notification daemon of our own on the session bus of this process, which both people share.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { closeDialog, hook, introduce, makeRoom, pasteLink, say, sees, showCode } from './harness/acts.js';
import { Notifications } from './harness/notifications.js';
import { play } from './harness/stage.js';
import { until } from './harness/webdriver.js';

test('a message that nobody is looking at is told to the desktop without its words', { timeout: 240_000 }, () => play(async (stage) => {
  const desktop = await Notifications.open();
  stage.atEnd(() => desktop.close());
  const ada = await stage.person('Ada');
  const ben = await stage.person('Ben');
  await Promise.all([ada.open(), ben.open()]);
  await introduce(ada);
  await makeRoom(ada, 'Camp 7');
  const link = await showCode(ada);
  await introduce(ben);
  await pasteLink(ben, link);
  await ben.window.see(hook('composer-input'), "Ada's room in Ben's window");
  await closeDialog(ada);

  // On the screen, and read at once: nothing for the desktop.
  await say(ada, 'first words');
  await sees(ben, 'first words', ['received']);
  await sees(ada, 'first words', ['seen']);

  const ofCamp = () => desktop.shown.filter(({ title }) => title === 'Camp 7');
  const read = ofCamp().length;
  await makeRoom(ben, 'Elsewhere');
  for (const text of ['a secret', 'another secret', 'the last secret']) {
    await say(ada, text);
    await sees(ada, text, ['saved']);
  }
  const shown = await until('a notification', () => ofCamp()[read]);
  assert.equal(shown.app, 'PeddleNet');
  assert.match(shown.body, /^[1-9] new messages?$/);

  // A later one takes its place.
  const before = ofCamp().length;
  await say(ada, 'one more secret');
  const next = await until('another notification', () => ofCamp()[before]);
  assert.equal(next.replaces, shown.id);

  // Choosing it opens the room, and what lies over the other one goes. Reading withdraws it.
  await ben.window.click(hook('people-open'));
  await ben.window.see('people-dialog dialog', 'the people of the other room');
  desktop.choose(shown.id);
  await ben.window.gone('people-dialog', 'the people of the other room');
  await sees(ben, 'one more secret', ['received']);
  assert.equal(await ben.window.run('return document.title'), 'Camp 7 · PeddleNet');
  await until('the notification to be withdrawn', () => desktop.withdrawn.includes(shown.id));

  for (const { raw } of desktop.shown) assert.doesNotMatch(raw, /secret|first words|Ada|Ben/, 'neither words nor names');
  assert.ok(desktop.shown.every(({ title }) => title === 'Camp 7'), 'nothing of a room on the screen');
}));
