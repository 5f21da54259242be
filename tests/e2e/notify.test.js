/**
 * What the desktop is told while nobody looks at the window: a room's name and a number, never a word or a name.
 *
 * Everybody's session bus is watched with dbus-monitor; no notification daemon is needed to see what is asked of one.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { closeDialog, hook, introduce, makeRoom, pasteLink, say, sees, showCode } from './harness/acts.js';
import { play } from './harness/stage.js';
import { until } from './harness/webdriver.js';

/** @typedef {import('./harness/stage.js').Stage} Stage */

/**
 * Everything that anybody asks of a notification daemon from now on.
 * @param {Stage} stage
 */
async function watchNotifications(stage) {
  const monitor = stage.spawn('dbus-monitor', ["interface='org.freedesktop.Notifications'"], {
    env: process.env, stdio: ['ignore', 'pipe', 'inherit'],
  });
  const watch = { text: '' };
  monitor.stdout?.on('data', (chunk) => { watch.text += chunk; });
  await until('the watch on the bus', () => watch.text.includes('NameAcquired') || watch.text.includes('NameLost'));
  return watch;
}

/**
 * The string arguments of every Notify so far.
 * @param {string} text What dbus-monitor printed.
 * @returns {string[][]}
 */
function notified(text) {
  return text.split(/^(?=method call|method return|signal|error)/m)
    .filter((message) => message.startsWith('method call') && message.includes('member=Notify'))
    .map((message) => [...message.matchAll(/^ +string "(.*)"$/gm)].map(([, string]) => string));
}

test('a message that nobody is looking at is told to the desktop without its words', { timeout: 240_000 }, () => play(async (stage) => {
  const watch = await watchNotifications(stage);
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

  await makeRoom(ben, 'Elsewhere');
  for (const text of ['a secret', 'another secret', 'the last secret']) {
    await say(ada, text);
    await sees(ada, text, ['saved']);
  }
  const shown = await until('a notification', () => notified(watch.text).find((strings) => strings.includes('Camp 7')));
  assert.equal(shown[0], 'PeddleNet');
  assert.match(shown.join('\n'), /[123] new messages?/);
  assert.doesNotMatch(watch.text, /secret|first words|Ada/, 'neither words nor names');
  assert.ok(notified(watch.text).every((strings) => !strings.includes('Elsewhere')), 'nothing of the room on the screen');
}));
