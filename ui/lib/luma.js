/**
 * Pictures as the shell's reader wants them: one grey byte a pixel, row by row.
 */

/** The camera's frames are scaled to this width. */
export const FRAME_WIDTH = 640;

/** The longest side of a chosen picture, tried one after the other: fine first, then coarse. */
export const PICTURE_SIDES = Object.freeze([1600, 800]);

/**
 * ITU-R BT.601 luma in integers: 77 + 150 + 29 = 256.
 * @param {Uint8ClampedArray | Uint8Array} rgba Four bytes a pixel.
 * @returns {Uint8Array}
 */
export function toLuma(rgba) {
  const out = new Uint8Array(rgba.length >> 2);
  for (let i = 0, p = 0; i < out.length; i += 1, p += 4) {
    out[i] = (77 * rgba[p] + 150 * rgba[p + 1] + 29 * rgba[p + 2]) >> 8;
  }
  return out;
}

/**
 * The size to draw at: the same shape, no side longer than `limit`, never enlarged, never empty.
 * @param {number} width
 * @param {number} height
 * @param {number} limit
 * @returns {{width: number, height: number}}
 */
export function fitInside(width, height, limit) {
  const scale = Math.min(1, limit / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/**
 * The size to draw a camera frame at: `FRAME_WIDTH` wide, never enlarged.
 * @param {number} width
 * @param {number} height
 * @returns {{width: number, height: number}}
 */
export function frameSize(width, height) {
  const scale = Math.min(1, FRAME_WIDTH / width);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/**
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function toBase64(bytes) {
  // In slices: spreading a whole frame into one call overflows the stack.
  const SLICE = 0x8000;
  let binary = '';
  for (let i = 0; i < bytes.length; i += SLICE) {
    binary += String.fromCharCode(...bytes.subarray(i, i + SLICE));
  }
  return btoa(binary);
}
