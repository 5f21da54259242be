/** Pictures and links that don't lead anywhere, and frames as the camera sends them. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { choosePicture, closeDialog, codeOf, complaint, hook, introduce, makeRoom, pasteLink, reads, showCode } from './harness/acts.js';
import { play } from './harness/stage.js';
import { until } from './harness/webdriver.js';

/** Frames of one scan: three seconds of camera at the speed of the page. */
const FRAMES = 20;

/** Ada shows the code of a room, and Ben, on a phone, has not followed it yet. @param {import('./harness/stage.js').Stage} stage */
async function shown(stage) {
  const ada = await stage.person('Ada');
  const ben = await stage.person('Ben');
  await Promise.all([ada.open(), ben.open({ width: 360, height: 740 })]);
  await introduce(ada);
  await makeRoom(ada, 'Camp 7');
  const link = await showCode(ada);
  await introduce(ben);
  return { ada, ben, link };
}

/** @param {import('./harness/stage.js').Person} person @param {string} link */
async function refused(person, link) {
  await pasteLink(person, link);
  const sentence = await complaint(person);
  assert.match(sentence, /^[A-Z“].*[.!?]$/s, 'a plain sentence');
  assert.doesNotMatch(sentence, /undefined|Error|_/, 'for people');
  await closeDialog(person);
  return sentence;
}

test('links that lead nowhere are answered with a sentence', { timeout: 180_000 }, () => play(async (stage) => {
  const { ada, ben, link } = await shown(stage);

  const garbage = await refused(ben, 'hello, this is no code');
  const truncated = await refused(ben, link.slice(0, -20));
  assert.notEqual(garbage, truncated, 'a broken code of ours is told from somebody else’s');

  await pasteLink(ben, 'hello again');
  await complaint(ben);
  await ben.shoot('09-refused-phone');
  await closeDialog(ben);

  // The inviter leaves.
  await ada.kill();
  const nobody = await refused(ben, link);
  assert.match(nobody, /answer|gets through/i, 'on one network of their own it says that nothing gets through');
}));

test('who gets no answer shows a code back, and one that is nobody’s says so', { timeout: 180_000 }, () => play(async (stage) => {
  const { ada, ben, link } = await shown(stage);
  await ada.kill();

  const { window } = ben;
  await pasteLink(ben, link);
  await complaint(ben);
  await window.click(hook('back-show'));
  await window.see(hook('back-qr'), 'the code back');
  await reads(ben, hook('back-left'), /(0:[0-5]\d|1:00)/);
  await ben.shoot('12-code-back-phone');
  const back = await codeOf(ben, hook('back-qr'));
  assert.match(back, /^PEDDLENET:B\//);
  await window.click(hook('join-cancel'));
  await window.see(hook('scan-link'), 'the ways to a room, after cancelling');

  // Ben made no code that it could answer.
  await window.type(hook('scan-link'), back.toLowerCase());
  await window.click(hook('scan-join'));
  const nobody = await complaint(ben);
  assert.match(nobody, /answers none of yours/);
  await window.click(hook('scan-again'));
  await window.type(hook('scan-link'), back.slice(0, -8));
  await window.click(hook('scan-join'));
  assert.notEqual(await complaint(ben), nobody, 'a broken one is told from one that is nobody’s');
  await ben.shoot('13-answer-refused-phone');
}));

test('pictures without a code of ours are answered with a sentence', { timeout: 120_000 }, () => play(async (stage) => {
  const ben = await stage.person('Ben');
  await ben.open();
  await introduce(ben);

  // Where there is no camera the dialog says so, and the two other ways are there.
  const cameras = await ben.window.runAsync(`navigator.mediaDevices.enumerateDevices()
    .then((all) => arguments[0](all.filter((one) => one.kind === 'videoinput').length))`);
  await ben.window.click(hook('scan-open'));
  if (cameras === 0) {
    await until('a word about the camera', async () => /no camera/i.test(await (await ben.window.see('dialog')).text()));
  }
  await ben.window.see(hook('scan-link'), 'the field for a link');
  await ben.shoot('11-scan-laptop');
  await closeDialog(ben);

  await choosePicture(ben, await ben.shoot('10-no-code-laptop'));
  const none = await complaint(ben);
  await closeDialog(ben);

  const broken = path.join(stage.folder, 'broken.png');
  await writeFile(broken, 'this is not a picture');
  await choosePicture(ben, broken);
  const bad = await complaint(ben);
  assert.notEqual(none, bad);
}));

test('canvas frames find the code through the same command as the camera', { timeout: 120_000 }, () => play(async (stage) => {
  const ada = await stage.person('Ada');
  await ada.open();
  await introduce(ada);
  await makeRoom(ada, 'Camp 7');
  const link = await showCode(ada);

  const seen = await ada.window.runAsync(`
    const [css, frames, done] = arguments;
    (async () => {
      const { ipc } = await import('/ipc/index.js');
      const { pictureLuma } = await import('/lib/camera.js');
      const { toBase64 } = await import('/lib/luma.js');
      const code = document.querySelector(css);
      const blank = document.createElement('canvas');
      [blank.width, blank.height] = [640, 480];
      const none = await ipc.scanFrame(pictureLuma(blank, 640));
      const frame = pictureLuma(code, 640);
      const start = performance.now();
      const found = [];
      for (let n = 0; n < frames; n += 1) found.push(await ipc.scanFrame(frame));
      const each = (performance.now() - start) / frames;
      // As a phone with Android sends it, where raw bodies don't reach the shell.
      const { width, height, bytes } = frame;
      const android = await window.__TAURI__.core.invoke('scan_frame', { width, height, luma: toBase64(bytes) });
      return { none, found, android, each };
    })().then(done, (problem) => done({ problem: String(problem) }));
  `, [hook('invite-qr'), FRAMES]);

  assert.equal(seen.problem, undefined);
  assert.deepEqual(seen.none, { result: 'none', why: null });
  for (const one of [...seen.found, seen.android]) assert.deepEqual(one, { result: 'invite', link });
  console.log(`a frame takes ${seen.each.toFixed(1)} ms from canvas to answer`);
}));

/**
 * Copies to the clipboard of the person's own screen, by a button, as any program would.
 * @param {import('./harness/stage.js').Person} person
 * @param {string} what A link, or where a code is that goes there as a picture.
 */
async function copies({ window }, what) {
  await window.runAsync(`const [what, done] = arguments;
    (async () => {
      const { copyText } = await import('/lib/copy.js');
      let picture = null;
      if (!what.startsWith('PEDDLENET:')) {
        const image = document.querySelector(what);
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [600, 600];
        canvas.getContext('2d').drawImage(image, 0, 0, 600, 600);
        picture = await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
      }
      const button = document.createElement('button');
      button.id = 'copy-this';
      button.textContent = 'copy';
      button.addEventListener('click', async () => {
        button.dataset.done = picture
          ? await navigator.clipboard.write([new ClipboardItem({ 'image/png': picture })]).then(() => 'true', String)
          : String(await copyText(what, document.body));
      });
      (document.querySelector('dialog[open]') ?? document.body).append(button);
    })().then(done, (problem) => done(String(problem)));`, [what]);
  await window.click('#copy-this');
  const done = await until('something on the clipboard', () => window.run("return document.querySelector('#copy-this').dataset.done"));
  assert.equal(done, 'true');
  await window.run("document.querySelector('#copy-this').remove()");
}

test('the paste button follows what was copied, a link or a picture', { timeout: 180_000 }, () => play(async (stage) => {
  const { ada, ben, link } = await shown(stage);
  // A picture first: her own code, which her device knows as hers.
  await copies(ada, hook('invite-qr'));
  await closeDialog(ada);
  await ada.window.click(hook('scan-open'));
  await ada.window.click(hook('scan-paste'));
  assert.match(await complaint(ada), /own code|your own/i);

  await copies(ben, link);
  await ben.window.click(hook('scan-open'));
  await ben.window.click(hook('scan-paste'));
  await ben.window.see(hook('composer-input'), "Ada's room in Ben's window");
}));
