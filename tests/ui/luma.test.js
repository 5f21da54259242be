import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitInside, frameSize, toBase64, toLuma } from '../../ui/lib/luma.js';

test('luma_spans_black_to_white_and_weighs_green_most', () => {
  const rgba = new Uint8ClampedArray([0, 0, 0, 255, 255, 255, 255, 255, 255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255]);
  assert.deepEqual([...toLuma(rgba)], [0, 255, 76, 149, 28]);
});

test('a_picture_is_made_smaller_but_never_larger', () => {
  assert.deepEqual(fitInside(4000, 3000, 1600), { width: 1600, height: 1200 });
  assert.deepEqual(fitInside(300, 900, 800), { width: 267, height: 800 });
  assert.deepEqual(fitInside(360, 740, 1600), { width: 360, height: 740 });
  assert.deepEqual(fitInside(10000, 1, 800), { width: 800, height: 1 });
});

test('a_camera_frame_is_at_most_640_wide', () => {
  assert.deepEqual(frameSize(1280, 720), { width: 640, height: 360 });
  assert.deepEqual(frameSize(320, 240), { width: 320, height: 240 });
});

test('a_whole_frame_survives_base64', () => {
  const bytes = Uint8Array.from({ length: 640 * 480 }, (_, i) => i % 251);
  assert.deepEqual(new Uint8Array(Buffer.from(toBase64(bytes), 'base64')), bytes);
});
