/**
 * A press that must last: for what can't be undone. Pure but for the timers it is given.
 *
 *   press()   ->  tick(0) .. tick(share) ..  ->  done()      held to the end
 *   release() ->  released()                                 let go before; nothing else happens
 */

/** How long a press must last. */
export const HOLD_MS = 3000;

/** How often the progress is told meanwhile. */
const TICK_MS = 50;

/**
 * @typedef {object} HoldEvents
 * @property {(share: number) => void} tick From 0 to 1.
 * @property {() => void} released
 * @property {() => void} done
 *
 * @typedef {object} Clock
 * @property {() => number} now Milliseconds that never go back.
 * @property {(tick: () => void, ms: number) => unknown} every
 * @property {(timer: any) => void} stop
 */

/** @type {Clock} */
const CLOCK = { now: () => performance.now(), every: (tick, ms) => setInterval(tick, ms), stop: (timer) => clearInterval(timer) };

export class Hold {
  #events;
  #clock;
  /** @type {unknown} */
  #timer;
  #since = 0;

  /**
   * @param {HoldEvents} events
   * @param {Clock} [clock]
   */
  constructor(events, clock = CLOCK) {
    this.#events = events;
    this.#clock = clock;
  }

  /** @returns {boolean} */
  get held() {
    return this.#timer !== undefined;
  }

  press() {
    if (this.held) return;
    this.#since = this.#clock.now();
    this.#timer = this.#clock.every(() => this.#tick(), TICK_MS);
    this.#events.tick(0);
  }

  release() {
    if (!this.held) return;
    this.#stop();
    this.#events.released();
  }

  #tick() {
    const share = Math.min(1, (this.#clock.now() - this.#since) / HOLD_MS);
    this.#events.tick(share);
    if (share < 1) return;
    this.#stop();
    this.#events.done();
  }

  #stop() {
    this.#clock.stop(this.#timer);
    this.#timer = undefined;
  }
}
