/**
 * Batches in order, each once, and the moment when one is missing.
 *
 *   push(batch) -> batches to apply now; `stale` turns true on a gap
 *   reset(seq)  -> a snapshot that includes everything up to `seq` was taken; what waited follows
 *
 * It starts stale: batches that arrive before the first snapshot wait for it.
 *
 * @typedef {import('./model.js').Batch} Batch
 */
export class Sequence {
  /** @type {Batch[]} */
  #waiting = [];
  #seq = 0;

  /** A snapshot is needed before anything else may be applied. */
  stale = true;

  /**
   * @param {Batch} batch
   * @returns {Batch[]}
   */
  push(batch) {
    if (!this.stale && batch.seq <= this.#seq) return [];
    this.#waiting.push(batch);
    return this.#ready();
  }

  /**
   * @param {number} seq
   * @returns {Batch[]}
   */
  reset(seq) {
    this.#seq = seq;
    this.stale = false;
    this.#waiting = this.#waiting.filter((batch) => batch.seq > seq).sort((a, b) => a.seq - b.seq);
    return this.#ready();
  }

  /** @returns {Batch[]} */
  #ready() {
    if (this.stale) return [];
    const ready = [];
    while (this.#waiting.length > 0 && this.#waiting[0].seq === this.#seq + 1) {
      const batch = /** @type {Batch} */ (this.#waiting.shift());
      this.#seq = batch.seq;
      ready.push(batch);
    }
    if (this.#waiting.length > 0) this.stale = true;
    return ready;
  }
}
