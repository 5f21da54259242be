/**
 * What a person would see, read off the pixels that Xvfb keeps in a file: no driver, nothing in the page.
 *
 * Every eighth line is looked at, a few hundred times a second. Afterwards it is known what the screen came to,
 * and so when it was first there.
 */
import { closeSync, openSync, readSync } from 'node:fs';

import { sleep } from '../harness/webdriver.js';

/** One line of so many is looked at. */
const EVERY_LINE = 8;
const LOOK_MS = 4;

/** A pixel is another one when a channel differs by more than this: what is left of a fading in is not seen. */
const CHANNEL = 8;
/** Pixels looked at that may differ from what the screen comes to: a scrollbar that fades out has a hundred. */
const SAME = 160;

export class Screen {
  #fd;
  #offset;
  #line;
  #lines;

  /** @param {string} file */
  constructor(file) {
    this.#fd = openSync(file, 'r');
    // An X window dump (XWDFile.h): sizes first, then the colours, then the pixels.
    const head = Buffer.alloc(100);
    readSync(this.#fd, head, 0, head.length, 0);
    const field = (/** @type {number} */ at) => head.readUInt32BE(at * 4);
    const [size, height, bytesPerLine, colours] = [field(0), field(5), field(12), field(19)];
    this.#offset = size + colours * 12;
    this.#line = bytesPerLine;
    this.#lines = Math.floor(height / EVERY_LINE);
  }

  close() {
    closeSync(this.#fd);
  }

  /** @returns {Buffer} */
  look() {
    const seen = Buffer.alloc(this.#lines * this.#line);
    for (let i = 0; i < this.#lines; i += 1) {
      readSync(this.#fd, seen, i * this.#line, this.#line, this.#offset + i * EVERY_LINE * this.#line);
    }
    return seen;
  }

  /**
   * Looks until nothing has changed for a while.
   * @param {number} began Of `performance.now()`.
   * @param {number} quietMs
   * @param {number} patienceMs
   * @returns {Promise<number>} Milliseconds from `began` to the first look that showed what the screen came to.
   */
  async settles(began, quietMs, patienceMs) {
    const first = this.look();
    /** @type {{at: number, seen: Buffer}[]} */
    const looks = [{ at: performance.now(), seen: first }];
    for (;;) {
      await sleep(LOOK_MS);
      const at = performance.now();
      const seen = this.look();
      const last = looks[looks.length - 1];
      if (!seen.equals(last.seen)) looks.push({ at, seen });
      const shown = looks.length > 1 && !alike(first, looks[looks.length - 1].seen);
      if (shown && at - looks[looks.length - 1].at > quietMs) break;
      if (at - began > patienceMs) {
        if (!shown) throw new Error(`nothing was on the screen after ${patienceMs} ms`);
        break;
      }
    }
    const final = looks[looks.length - 1].seen;
    let there = looks.length - 1;
    while (there > 0 && alike(looks[there - 1].seen, final)) there -= 1;
    return looks[there].at - began;
  }
}

/** @param {Buffer} a @param {Buffer} b */
function alike(a, b) {
  let others = 0;
  for (let i = 0; i < a.length; i += 1) {
    if (Math.abs(a[i] - b[i]) <= CHANNEL) continue;
    others += 1;
    if (others > SAME * 4) return false;
    i |= 3; // the rest of this pixel
  }
  return others <= SAME;
}
