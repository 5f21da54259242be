/**
 * What is being written, kept by the shell so that it is there after a restart.
 *
 *   keep(key, text)   after a pause in typing, or at once when nothing is left of it
 *   flush()           whatever still waits, now: the room is left, the window goes out of sight
 *
 * @typedef {import('../ipc/index.js').Ipc} Ipc
 */
import { partsOf } from './model.js';

/** A pause in typing. */
const PAUSE_MS = 800;

export class Drafts {
  #ipc;
  /** What waits to be kept, by room or talk. @type {Map<string, string>} */
  #waiting = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Ipc} ipc */
  constructor(ipc) {
    this.#ipc = ipc;
  }

  /**
   * @param {string} key
   * @param {string} text
   */
  keep(key, text) {
    this.#waiting.set(key, text);
    clearTimeout(this.#timer);
    // Words that were sent must not stand in the box again after a crash.
    if (text === '') void this.flush();
    else this.#timer = setTimeout(() => void this.flush(), PAUSE_MS);
  }

  async flush() {
    clearTimeout(this.#timer);
    const list = [...this.#waiting];
    this.#waiting.clear();
    await Promise.all(list.map(async ([key, text]) => {
      const { room, author } = partsOf(key);
      try {
        await this.#ipc.setDraft(room, author, text);
      } catch {
        // The words stay in the box; the next change of them is kept again.
      }
    }));
  }
}
