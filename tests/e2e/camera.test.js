/** The real camera path in a real window: a code that moves, tilts and blurs in front of the lens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hook, introduce, makeRoom, showCode } from './harness/acts.js';
import { buildCamera, showToCamera } from './harness/camera.js';
import { Inspector } from './harness/inspector.js';
import { APP, freePort, play } from './harness/stage.js';
import { until } from './harness/webdriver.js';

/** @typedef {import('./harness/stage.js').Person} Person */

/** Times that the camera is switched on; each begins elsewhere on the round that the hand makes. */
const TRIES = 13;

/** Within this each of them must have been read: two rounds of the hand. The median is printed, and judged by README's table. */
const DEADLINE_MS = 8000;

/** How long frames are counted. */
const COUNT_MS = 3000;

/** The code on the person's screen, in grey. @param {Person} person */
async function codeSeen({ window }) {
  const { width, height, base64 } = await window.runAsync(`
    const [css, done] = arguments;
    (async () => {
      const { pictureLuma } = await import('/lib/camera.js');
      const { toBase64 } = await import('/lib/luma.js');
      const { width, height, bytes } = pictureLuma(document.querySelector(css), 1024);
      return { width, height, base64: toBase64(bytes) };
    })().then(done, (problem) => done({ problem: String(problem) }));
  `, [hook('invite-qr')]);
  return { width, height, bytes: Buffer.from(base64, 'base64') };
}

/**
 * Switches the camera on as the scan dialog does, until it has read the code or for a fixed time.
 * @param {Person} person
 * @param {{untilRead: boolean, ms: number}} how
 * @returns {Promise<{readMs: number | null, frames: number, grabMs: number, answerMs: number, lastMs: number, links: string[], trouble: string[], size: string}>}
 */
function film({ window }, how) {
  return window.runAsync(`
    const [how, done] = arguments;
    (async () => {
      const { ipc } = await import('/ipc/index.js');
      const { Camera } = await import('/lib/camera.js');
      const video = document.createElement('video');
      Object.assign(video, { muted: true, playsInline: true, autoplay: true });
      document.body.append(video);
      const links = [];
      const trouble = [];
      let [frames, answerMs, first, last, readMs] = [0, 0, 0, 0, null];
      let finish = () => {};
      const finished = new Promise((resolve) => { finish = resolve; });
      // The first picture that the person sees; frame callbacks come later than 'loadeddata' or at the same time.
      video.addEventListener('loadeddata', () => { first = performance.now(); });
      const camera = new Camera(video, async (frame) => {
        const asked = performance.now();
        const scan = await ipc.scanFrame(frame);
        last = performance.now();
        answerMs += last - asked;
        frames += 1;
        if (scan.result !== 'invite') return;
        links.push(scan.link);
        readMs ??= last - first;
        if (how.untilRead) finish();
      }, (reason) => { trouble.push(reason); finish(); });
      const started = performance.now();
      void camera.start();
      const patience = setTimeout(finish, how.ms);
      if (!how.untilRead) video.addEventListener('loadeddata', () => setTimeout(finish, how.ms));
      await finished;
      clearTimeout(patience);
      const size = video.videoWidth + 'x' + video.videoHeight;
      camera.stop();
      video.remove();
      return { readMs, frames, answerMs: answerMs / Math.max(1, frames), lastMs: last - first, links: [...new Set(links)], trouble, size, openMs: first - started };
    })().then(done, (problem) => done({ problem: String(problem) }));
  `, [how]);
}

/** @param {number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

test('a code that moves in front of the lens is read, and joins', { timeout: 300_000 }, () => play(async (stage) => {
  const camera = await buildCamera(stage.folder);
  const ada = await stage.person('Ada');
  await ada.open();
  await introduce(ada);
  await makeRoom(ada, 'Camp 7');
  const link = await showCode(ada);
  await showToCamera(stage.folder, await codeSeen(ada));

  const ben = await stage.person('Ben');
  ben.extra = camera;
  await ben.open({ width: 360, height: 740 });
  await introduce(ben);
  const cameras = await ben.window.runAsync(`navigator.mediaDevices.enumerateDevices()
    .then((all) => arguments[0](all.filter((one) => one.kind === 'videoinput').length))`);
  assert.equal(cameras, 1, 'the camera is listed like any other');

  // The first start renders the round; it is measured like the others, from its first frame.
  const read = [];
  for (let n = 0; n < TRIES; n += 1) {
    const seen = await film(ben, { untilRead: true, ms: DEADLINE_MS });
    assert.deepEqual(seen.trouble, [], `try ${n}`);
    assert.deepEqual(seen.links, [link], `try ${n} after ${seen.frames} frames: ${JSON.stringify(seen)}`);
    read.push(Math.round(seen.readMs ?? NaN));
  }
  console.log(`first frame to code read, ms: median ${median(read)} of ${read.join(' ')}`);

  const counted = await film(ben, { untilRead: false, ms: COUNT_MS });
  const perSecond = counted.frames / (counted.lastMs / 1000);
  console.log(`${perSecond.toFixed(1)} frames/s of ${counted.size}, ${counted.answerMs.toFixed(1)} ms from frame to answer`);
  assert.ok(counted.frames > 0);

  // And as a person does it.
  await ben.window.click(hook('scan-open'));
  await ben.window.see(hook('composer-input'), 'the room, after the camera has read its code');
}));

test('without automation the handler grants our page the camera and nothing else', { timeout: 120_000 }, () => play(async (stage) => {
  const camera = await buildCamera(stage.folder);
  await showToCamera(stage.folder, { width: 1, height: 1, bytes: Buffer.from([255]) });
  const ben = await stage.person('Ben');
  ben.extra = camera;
  const port = await freePort();
  const app = stage.spawn(APP, [], {
    env: ben.environment({ WEBKIT_INSPECTOR_HTTP_SERVER: `127.0.0.1:${port}`, NO_COLOR: '1' }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [app.stdout, app.stderr]) stream?.on('data', (chunk) => { ben.log += chunk; });
  const page = await Inspector.open(port);
  await until('the first screen', () => page.run(`return document.querySelector('${hook('name-input')}') !== null`));

  const granted = await page.run(`
    const stream = await navigator.mediaDevices.getUserMedia({ video: true });
    const [track] = stream.getTracks();
    const { readyState } = track;
    track.stop();
    return readyState;`);
  assert.equal(granted, 'live', 'the camera runs');
  await until('the handler’s word on the camera', () => /asked for a permission.*/.test(ben.log) && /allow=true/.test(ben.log));

  const place = await page.run(`
    return new Promise((resolve) => navigator.geolocation.getCurrentPosition(
      () => resolve('granted'), (problem) => resolve('refused with ' + problem.code), { timeout: 10000 }));`);
  assert.equal(place, 'refused with 1', 'PERMISSION_DENIED');
  const asked = ben.log.split('\n').filter((line) => line.includes('asked for a permission'));
  console.log(asked.join('\n'));
  assert.ok(asked.some((line) => line.includes('allow=false')), 'the handler said no itself');
  page.close();
}));
