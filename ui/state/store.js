/**
 * One small observable store: a value, one way to change it, listeners told after each change.
 *
 *   dispatch(action) -> reduce(state, action) -> listeners
 *
 * Changes inside one task are told once, in a microtask, so a batch of events costs one render.
 */

/**
 * @template S, A
 */
export class Store {
  /** @type {Set<(state: S) => void>} */
  #listeners = new Set();
  #told = true;

  /**
   * @param {(state: S, action: A) => S} reduce
   * @param {S} initial
   */
  constructor(reduce, initial) {
    this.reduce = reduce;
    /** @type {S} */
    this.state = initial;
  }

  /** @param {A} action */
  dispatch(action) {
    const next = this.reduce(this.state, action);
    if (next === this.state) return;
    this.state = next;
    if (!this.#told) return;
    this.#told = false;
    queueMicrotask(() => {
      this.#told = true;
      for (const listener of this.#listeners) listener(this.state);
    });
  }

  /**
   * Calls `listener` now and after every change.
   * @param {(state: S) => void} listener
   * @returns {() => void} Ends it.
   */
  watch(listener) {
    this.#listeners.add(listener);
    listener(this.state);
    return () => this.#listeners.delete(listener);
  }
}
