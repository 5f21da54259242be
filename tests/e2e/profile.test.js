/**
 * One profile, one window: a second start, links from outside, and a profile under a passphrase.
 *
 * The page's own screens for links and passphrases are tested where they are; here it is what the shell tells the page.
 */
import assert from 'node:assert/strict';
import { access, unlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { test } from 'node:test';

import { ask, complaint, hook, introduce, makeRoom } from './harness/acts.js';
import { play } from './harness/stage.js';
import { until } from './harness/webdriver.js';

/** @typedef {import('./harness/stage.js').Person} Person */

const LINK = 'PEDDLENET:J/AEBAGBAFAYDQQCIKBMGA2DQPCA';

/**
 * Subscribes in the page's place; the links that come stand in window.links.
 * @param {Person} person
 * @returns {Promise<string>} `ready`, or the code of the refusal.
 */
function listenForLinks({ window }) {
  return window.runAsync(`const [done] = arguments;
    window.links = [];
    const channel = new window.__TAURI__.core.Channel();
    channel.onmessage = ({ events }) => window.links.push(...events.filter(({ kind }) => kind === 'link').map(({ link }) => link));
    window.__TAURI__.core.invoke('subscribe', { channel }).then(() => done('ready'), ({ code }) => done(code));`);
}

/** @param {Person} person @param {string[]} links */
async function gets({ window }, links) {
  await until(`the links ${links.join(' ')}`, async () => (await window.run('return window.links.length')) >= links.length);
  assert.deepEqual(await window.run('return window.links'), links);
}

test('a second start hands its link to the first window and ends', { timeout: 180_000 }, () => play(async (stage) => {
  const ada = await stage.person('Ada');
  await ada.open();
  await ada.window.see(hook('name-input'), "Ada's window");
  assert.equal(await listenForLinks(ada), 'ready');

  const plain = await ada.again();
  assert.equal(plain.code, 0, plain.stderr);
  assert.match(plain.stderr, /already open with this profile/);
  assert.equal((await ada.again([LINK])).code, 0);
  await gets(ada, [LINK]);

  const hostile = await ada.again(['https://example.org/']);
  assert.equal(hostile.code, 2);
  assert.match(hostile.stderr, /is no PeddleNet link/);

  // A window that can't be reached: the lock on the profile still holds.
  await unlink(path.join(ada.home, 'profile', 'front.sock'));
  const { code, stderr } = await ada.again();
  assert.equal(code, 1);
  assert.match(stderr, /already open with this profile/);
  assert.doesNotMatch(stderr, /panicked|Error \{|Setup/, 'a sentence, not a dump');

  // Nobody listens where somebody fell; the next one does again.
  await ada.kill();
  await ada.open();
  await ada.window.see(hook('name-input'), "Ada's window once more");
  assert.equal((await ada.again()).code, 0);
}));

test('asked to end, the app closes its store and its door', { timeout: 120_000 }, () => play(async (stage) => {
  const ada = await stage.person('Ada');
  await ada.open();
  await introduce(ada);
  await ada.quit();
  const profile = path.join(ada.home, 'profile');
  await access(path.join(profile, 'mesh', 'store', 'clean')); // what the store leaves when it was closed
  await assert.rejects(access(path.join(profile, 'front.sock')), { code: 'ENOENT' });
}));

test('a profile under a passphrase opens locked, and keeps a link until it is open', { timeout: 180_000 }, () => play(async (stage) => {
  const ada = await stage.person('Ada');
  await ada.open();
  await introduce(ada);
  assert.deepEqual(await ask(ada, 'protect', { passphrase: '' }), { code: 'bad_passphrase' });
  await ada.window.click(hook('protect-open'));
  await ada.window.type(hook('protect-first'), 'correct horse');
  await ada.window.type(hook('protect-again'), 'correct mouse');
  await ada.window.click(hook('protect-go'));
  assert.match(await complaint(ada), /not the same/);
  await ada.shoot('80-protect-laptop');
  await ada.window.type(hook('protect-again'), 'correct horse');
  await ada.window.click(hook('protect-go'));
  await ada.window.gone('protect-dialog', 'the question for a passphrase');
  await ada.window.gone(hook('protect-open'), 'the offer of what is done');
  const { value: after } = await ask(ada, 'snapshot');
  assert.deepEqual(after.profile, { name: 'Ada', key: 'passphrase' });

  await ada.kill();
  await ada.open();
  assert.equal(await listenForLinks(ada), 'locked');
  assert.equal((await ada.again([LINK])).code, 0, 'a locked window is found, too');
  assert.deepEqual(await ask(ada, 'unlock', { passphrase: 'wrong' }), { code: 'wrong_passphrase' });
  assert.deepEqual(await ask(ada, 'unlock', { passphrase: 'correct horse' }), { value: {} });
  assert.equal(await listenForLinks(ada), 'ready');
  await gets(ada, [LINK]);

  await ada.window.run('location.reload()');
  await makeRoom(ada, 'Camp 7');
  assert.deepEqual(await ask(ada, 'protect', { passphrase: 'another' }), { code: 'not_new' });
}));

test('only web addresses leave the app', { timeout: 120_000 }, () => play(async (stage) => {
  const ada = await stage.person('Ada');
  await ada.open();
  await ada.window.see(hook('name-input'), "Ada's window");
  for (const url of ['javascript:alert(1)', 'file:///etc/passwd', 'peddlenet:J/AA', 'https://a@example.org/', '-x', '']) {
    assert.deepEqual(await ask(ada, 'open_link', { url }), { code: 'bad_link' }, url);
  }
  for (const on of [true, false]) assert.deepEqual(await ask(ada, 'keep_awake', { on }), { value: {} });
  assert.deepEqual(await ask(ada, 'looking_at', { room: null }), { value: {} });
  assert.deepEqual(await ask(ada, 'looking_at', { room: 'no id' }), { code: 'bad_request' });
}));

test('the page runs nothing that did not come with it, and reaches nobody', { timeout: 120_000 }, () => play(async (stage) => {
  const ada = await stage.person('Ada');
  await ada.open();
  await ada.window.see(hook('name-input'), "Ada's window");
  let reached = 0;
  const server = createServer((_, response) => {
    reached += 1;
    response.end();
  });
  stage.atEnd(() => server.close());
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200);
  assert.equal(reached, 1, 'somebody is there');

  const seen = await ada.window.runAsync(`const [elsewhere, done] = arguments;
    const refused = new Set();
    addEventListener('securitypolicyviolation', ({ effectiveDirective }) => refused.add(effectiveDirective));
    window.ran = [];
    const add = (tag, attributes, text = '') => {
      const one = document.createElement(tag);
      for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
      one.textContent = text;
      document.body.append(one);
      return one;
    };
    (async () => {
      add('script', {}, 'window.ran.push("inline")');
      add('script', { src: elsewhere + 'script.js' });
      add('button', { onclick: 'window.ran.push("attribute")' }).click();
      add('style', {}, 'body { color: red }');
      add('img', { src: elsewhere + 'picture.png' });
      add('iframe', { src: elsewhere + 'frame' });
      // By a timer, since what the driver itself runs may evaluate.
      await new Promise((resolve) => setTimeout(() => {
        try { (0, eval)('window.ran.push("eval")'); } catch (problem) { window.evaluated = problem.name; }
        resolve();
      }));
      const answer = await fetch(elsewhere).then(() => 'answered', (problem) => problem.name);
      await new Promise((resolve) => setTimeout(resolve, 500)); // violations are told a little later
      return { refused: [...refused].sort(), ran: window.ran, answer, evaluated: window.evaluated };
    })().then(done, (problem) => done({ problem: String(problem) }));`, [`http://127.0.0.1:${port}/`]);
  assert.deepEqual(seen.ran, [], JSON.stringify(seen));
  assert.equal(seen.answer, 'TypeError');
  assert.equal(seen.evaluated, 'EvalError');
  const wanted = ['connect-src', 'frame-src', 'img-src', 'script-src', 'script-src-attr', 'script-src-elem', 'style-src-elem'];
  assert.deepEqual(wanted.filter((directive) => !seen.refused.includes(directive)), [], `refused: ${seen.refused}`);
  assert.equal(reached, 1, 'nobody else was reached');
}));
