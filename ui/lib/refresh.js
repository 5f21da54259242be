/**
 * Asking again and again while somebody looks: at once, then some time after each answer; not while the page is hidden, and
 * never twice at a time.
 */

/** How often what changes by itself is asked for. */
export const REFRESH_MS = 2000;

/** Between two answers at least, however much happens. */
const LEAST_MS = 300;

export class Refresh {
  #work;
  #every;
  #page;
  #timer = 0;
  #last = -Infinity;
  #running = false;
  #again = false;
  #on = false;

  /**
   * @param {() => Promise<void>} work Says itself what went wrong.
   * @param {number} [every]
   * @param {Pick<Document, 'visibilityState' | 'addEventListener' | 'removeEventListener'>} [page]
   */
  constructor(work, every = REFRESH_MS, page = document) {
    this.#work = work;
    this.#every = every;
    this.#page = page;
  }

  start() {
    if (this.#on) return;
    this.#on = true;
    this.#page.addEventListener('visibilitychange', this.now);
    this.now();
  }

  stop() {
    this.#on = false;
    this.#again = false;
    clearTimeout(this.#timer);
    this.#page.removeEventListener('visibilitychange', this.now);
  }

  /** Something happened: the answer may be another now. */
  now = () => {
    clearTimeout(this.#timer);
    const early = this.#last + LEAST_MS - Date.now();
    if (this.#running) this.#again = true;
    else if (early > 0) this.#wait(early);
    else void this.#run();
  };

  async #run() {
    if (!this.#on || this.#page.visibilityState === 'hidden') return;
    this.#running = true;
    this.#again = false;
    try {
      await this.#work();
    } finally {
      this.#running = false;
      this.#last = Date.now();
      this.#wait(this.#again ? LEAST_MS : this.#every);
    }
  }

  /** @param {number} ms */
  #wait(ms) {
    if (this.#on) this.#timer = /** @type {any} */ (setTimeout(this.now, ms));
  }
}
