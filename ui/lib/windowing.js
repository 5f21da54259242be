/**
 * Which rows of a long list need to stand in the page. Pure arithmetic: heights in, ranges out.
 *
 *   rows:     0 1 2 3 | 4 5 6 7 8 9 | 10 11 12 ...
 *             before    in the page    after
 *
 * A row that was never in the page counts with an estimate; once measured, its height is kept by key.
 * Offsets are prefix sums, summed again only from the first row that changed.
 */
export class Rows {
  /** @type {Map<string, number>} */
  #measured = new Map();
  /** @type {string[]} */
  #keys = [];
  /** `#offsets[i]` is the top of row `i`; one more entry than rows. */
  #offsets = new Float64Array(1);
  #dirtyFrom = 0;

  /** @param {number} estimate The height of a row that was never measured, in pixels. */
  constructor(estimate) {
    this.estimate = estimate;
  }

  /** @returns {number} */
  get count() {
    return this.#keys.length;
  }

  /** @returns {number} The height of all rows. */
  get total() {
    return this.top(this.#keys.length);
  }

  /**
   * @param {string[]} keys One a row, each different.
   */
  setKeys(keys) {
    const shared = Math.min(keys.length, this.#keys.length);
    let same = 0;
    while (same < shared && keys[same] === this.#keys[same]) same += 1;
    this.#keys = keys;
    if (this.#offsets.length < keys.length + 1) {
      const grown = new Float64Array(Math.max(keys.length + 1, this.#offsets.length * 2));
      grown.set(this.#offsets);
      this.#offsets = grown;
    }
    this.#dirtyFrom = Math.min(this.#dirtyFrom, same);
  }

  /**
   * @param {number} index
   * @param {number} height
   * @returns {boolean} Whether it differs from what was assumed.
   */
  measure(index, height) {
    if (Math.abs(this.#height(index) - height) < 0.5) return false;
    this.#measured.set(this.#keys[index], height);
    this.#dirtyFrom = Math.min(this.#dirtyFrom, index);
    return true;
  }

  /** Forgets every height: the width changed. */
  forget() {
    this.#measured.clear();
    this.#dirtyFrom = 0;
  }

  /**
   * @param {number} index
   * @returns {number}
   */
  #height(index) {
    return this.#measured.get(this.#keys[index]) ?? this.estimate;
  }

  /**
   * @param {number} index
   * @returns {number} The top of a row, in pixels from the top of the list.
   */
  top(index) {
    if (index > this.#dirtyFrom) {
      for (let i = this.#dirtyFrom; i < this.#keys.length; i += 1) {
        this.#offsets[i + 1] = this.#offsets[i] + this.#height(i);
      }
      this.#dirtyFrom = this.#keys.length;
    }
    return this.#offsets[index] ?? 0;
  }

  /**
   * @param {number} y
   * @returns {number} The row at this height; the nearest one outside of the list.
   */
  at(y) {
    let low = 0;
    let high = Math.max(0, this.#keys.length - 1);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.top(middle) <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /**
   * @param {string} key
   * @returns {number} -1 when it is not in the list.
   */
  indexOf(key) {
    return this.#keys.indexOf(key);
  }

  /**
   * @param {number} index
   * @returns {string | undefined}
   */
  key(index) {
    return this.#keys[index];
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
}
