/** The camera over a page, a video and a stream that are made up. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { Camera } from '../../ui/lib/camera.js';

const world = /** @type {any} */ (globalThis);
const later = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Track extends EventTarget {
  readyState = 'live';

  /** As in a browser: whoever stops it is told nothing. */
  stop() {
    this.readyState = 'ended';
  }
}

class Stream {
  track = new Track();
  getTracks = () => [this.track];
  getVideoTracks = () => [this.track];
}

const context = {
  fillRect() {},
  drawImage() {},
  getImageData: (/** @type {number} */ _x, /** @type {number} */ _y, /** @type {number} */ width, /** @type {number} */ height) => ({ data: new Uint8ClampedArray(width * height * 4) }),
};
let page = /** @type {any} */ (null);
/** Every stream that was asked for. @type {Stream[]} */
let streams = [];
/** Every camera of a test. @type {Camera[]} */
let cameras = [];
const before = { document: world.document, MediaStream: world.MediaStream, HTMLMediaElement: world.HTMLMediaElement };

beforeEach(() => {
  [streams, cameras] = [[], []];
  page = Object.assign(new EventTarget(), { visibilityState: 'visible', createElement: () => ({ getContext: () => context }) });
  Object.assign(world, { document: page, MediaStream: Stream, HTMLMediaElement: { HAVE_CURRENT_DATA: 2 } });
  const getUserMedia = async () => {
    await later(5);
    const stream = new Stream();
    streams.push(stream);
    return stream;
  };
  Object.defineProperty(world, 'navigator', { value: { mediaDevices: { getUserMedia } }, configurable: true, writable: true });
});
afterEach(() => {
  for (const camera of cameras) camera.stop();
  Object.assign(world, before);
});

/** A camera that runs, the frames it gave so far, and what it complained of. */
async function running() {
  const video = /** @type {any} */ ({ videoWidth: 8, videoHeight: 6, readyState: 4, srcObject: null, play: async () => {} });
  const seen = { frames: 0, trouble: /** @type {string[]} */ ([]) };
  const camera = new Camera(video, async () => { seen.frames += 1; }, (reason) => seen.trouble.push(reason));
  cameras.push(camera);
  await camera.start();
  await later(20);
  assert.ok(seen.frames > 0);
  /** Whether no more frames come. */
  const still = async () => {
    await later(80); // one may be under way
    const { frames } = seen;
    await later(160);
    return seen.frames === frames;
  };
  return { camera, video, seen, still };
}

/** @param {'hidden' | 'visible'} how */
function look(how) {
  page.visibilityState = how;
  page.dispatchEvent(new Event('visibilitychange'));
}

test('a_camera_that_is_pulled_out_says_so_and_its_last_picture_is_read_no_more', async () => {
  const { video, seen, still } = await running();
  streams[0].track.dispatchEvent(new Event('ended'));
  assert.deepEqual(seen.trouble, ['gone']);
  assert.equal(video.srcObject, null);
  assert.equal(await still(), true);
});

test('so_does_another_one_that_was_chosen_while_the_first_was_let_go_of', async () => {
  const { video, seen, still } = await running();
  const chosen = new Stream();
  streams[0].track.stop();
  await later(100);
  assert.deepEqual(seen.trouble, [], 'what was stopped here is no loss');
  video.srcObject = chosen;
  await later(100);
  chosen.track.dispatchEvent(new Event('ended'));
  assert.deepEqual(seen.trouble, ['gone']);
  assert.equal(await still(), true);
});

test('a_camera_rests_while_the_page_is_hidden_and_goes_on_when_somebody_is_back', async () => {
  const { camera, seen, still } = await running();
  look('hidden');
  assert.equal(streams[0].track.readyState, 'ended', 'its light is off');
  assert.equal(await still(), true);
  const { frames } = seen;
  look('visible');
  await later(100);
  assert.ok(seen.frames > frames);
  assert.deepEqual([streams.length, streams[1].track.readyState, seen.trouble], [2, 'live', []]);
  camera.stop();
  look('hidden');
  look('visible');
  assert.equal(await still(), true);
  assert.deepEqual([streams.length, streams[1].track.readyState], [2, 'ended'], 'none is opened for a scanner that is gone');
});

test('a_camera_that_comes_while_the_page_is_hidden_is_let_go_of_again', async () => {
  const { seen } = await running();
  look('hidden');
  look('visible');
  look('hidden');
  await later(40);
  assert.deepEqual([streams.length, streams[1].track.readyState, seen.trouble], [2, 'ended', []]);
});
