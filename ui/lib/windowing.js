/**
 * Which rows of a long list need to stand in the page. Pure arithmetic: heights in, ranges out.
 *
 *   rows:     0 1 2 3 | 4 5 6 7 8 9 | 10 11 12 ...
 *             before    in the page    after
 *
 * A row that was never in the page counts with an estimate. Heights are summed by blocks, so a row that is
 * measured among a hundred thousand changes its block and the sums of blocks, and nothing else.
 */

/** Rows of a block. */
const BLOCK = 256;

export class Heights {
  /** By row; 0 when it was never measured. */
  #heights = new Float32Array(BLOCK);
  /** The height of each block. */
  #blocks = new Float64Array(1);
  /** Where each block starts; as many as are `#summed`. */
  #tops = new Float64Array(1);
  #summed = 0;
  count = 0;

  /** @param {number} estimate The height of a row that was never measured, in pixels. */
  constructor(estimate) {
    this.estimate = estimate;
  }

  /** @returns {number} The height of all rows. */
  get total() {
    return this.top(this.count);
  }

  /**
   * Some rows go, others come in their place, not measured yet.
   * @param {number} start
   * @param {number} removed
   * @param {number} added
   */
  splice(start, removed, added) {
    const count = this.count - removed + added;
    if (count > this.#heights.length) {
      const grown = new Float32Array(Math.max(count, this.#heights.length * 2));
      grown.set(this.#heights.subarray(0, this.count));
      this.#heights = grown;
    }
    this.#heights.copyWithin(start + added, start + removed, this.count);
    this.#heights.fill(0, start, start + added);
    this.count = count;
    this.#sumBlocks(Math.floor(start / BLOCK));
  }

  /** Forgets every height: the width changed. */
  forget() {
    this.#heights.fill(0);
    this.#sumBlocks(0);
  }

  /**
   * @param {number} index
   * @param {number} height
   * @returns {boolean} Whether it differs from what was assumed.
   */
  measure(index, height) {
    const known = this.#height(index);
    if (Math.abs(height - known) < 0.5) return false;
    this.#heights[index] = height;
    const block = Math.floor(index / BLOCK);
    this.#blocks[block] += this.#height(index) - known;
    this.#summed = Math.min(this.#summed, block + 1);
    return true;
  }

  /**
   * @param {number} index
   * @returns {number} The top of a row, in pixels from the top of the list.
   */
  top(index) {
    const block = Math.min(Math.floor(index / BLOCK), this.#tops.length - 1);
    this.#sumTops(block);
    let top = this.#tops[block];
    for (let i = block * BLOCK; i < index; i += 1) top += this.#height(i);
    return top;
  }

  /**
   * @param {number} y
   * @returns {number} The row at this height; the nearest one outside of the list.
   */
  at(y) {
    let low = 0;
    let high = Math.max(0, Math.ceil(this.count / BLOCK) - 1);
    this.#sumTops(high);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#tops[middle] <= y) low = middle;
      else high = middle - 1;
    }
    let index = low * BLOCK;
    const end = Math.min(this.count, index + BLOCK) - 1;
    for (let below = this.#tops[low] + this.#height(index); index < end && below <= y; below += this.#height(index)) index += 1;
    return index;
  }

  /**
   * @param {number} scrollTop
   * @param {number} viewport
   * @param {number} overscan Pixels kept ready above and below.
   * @returns {{start: number, end: number, before: number, after: number}} Rows from `start` up to, not
   *   including, `end`, and the heights of what is left out.
   */
  range(scrollTop, viewport, overscan) {
    if (this.count === 0) return { start: 0, end: 0, before: 0, after: 0 };
    const start = this.at(scrollTop - overscan);
    const end = Math.min(this.count, this.at(scrollTop + viewport + overscan) + 1);
    return { start, end, before: this.top(start), after: this.total - this.top(end) };
  }

  /**
   * @param {number} index
   * @returns {number}
   */
  #height(index) {
    return this.#heights[index] || this.estimate;
  }

  /** @param {number} from The first block that changed. */
  #sumBlocks(from) {
    const blocks = Math.ceil(this.count / BLOCK);
    if (this.#blocks.length < blocks + 1) {
      const room = Math.max(blocks + 1, this.#blocks.length * 2);
      const grown = new Float64Array(room);
      grown.set(this.#blocks);
      this.#blocks = grown;
      const tops = new Float64Array(room);
      tops.set(this.#tops);
      this.#tops = tops;
    }
    for (let block = from; block < blocks; block += 1) {
      let sum = 0;
      const end = Math.min(this.count, (block + 1) * BLOCK);
      for (let i = block * BLOCK; i < end; i += 1) sum += this.#height(i);
      this.#blocks[block] = sum;
    }
    this.#summed = Math.min(this.#summed, from + 1);
  }

  /** @param {number} block Whose top is wanted. */
  #sumTops(block) {
    for (let i = Math.max(1, this.#summed); i <= block; i += 1) this.#tops[i] = this.#tops[i - 1] + this.#blocks[i - 1];
    this.#summed = Math.max(this.#summed, block + 1);
  }
}
