/**
 * The codes that this window has shown, one a room at a time: whoever closes a code's window and opens it
 * again finds the code that a friend may be scanning just now. While it is shown, a new one takes its place
 * before it ends; the old one works on until then, for whoever has just scanned it.
 *
 * @typedef {import('../ipc/index.js').Ipc} Ipc
 * @typedef {import('../ipc/types.js').Invite} Invite
 */

/** How long a code on a screen works. As many people may use it as come. */
const TTL_S = 600;

/** A code with less left than this is not shown: a friend needs time to get the phone out. */
const FRESH_MS = 60_000;

const DAY_S = 86_400;

/** For how many days a code on paper may work. */
export const POSTER_DAYS = Object.freeze([1, 3, 7]);

export class Codes {
  #ipc;
  /** @type {Map<string, Invite>} By room. */
  #shown = new Map();
  /** How often everything was forgotten. */
  #moves = 0;

  /** @param {Ipc} ipc */
  constructor(ipc) {
    this.#ipc = ipc;
  }

  /**
   * The code shown before while it has time left, else a new one.
   * @param {string} room
   * @returns {Promise<Invite>}
   */
  async show(room) {
    const known = this.#shown.get(room);
    if (known && !isOld(known, Date.now())) return known;
    for (;;) {
      const moves = this.#moves;
      const invite = await this.#ipc.createInvite(room, TTL_S, null, false);
      if (moves !== this.#moves) continue; // made while the addresses changed: it may name the old ones
      this.#shown.set(room, invite);
      return invite;
    }
  }

  /**
   * A code to be printed: it names no addresses, which change, and works for days.
   * @param {string} room
   * @param {number} days
   * @returns {Promise<Invite>}
   */
  poster(room, days) {
    return this.#ipc.createInvite(room, days * DAY_S, null, true);
  }

  /**
   * @param {string} room
   * @param {string} invite
   */
  async end(room, invite) {
    await this.#ipc.revokeInvite(room, invite);
    if (this.#shown.get(room)?.invite === invite) this.forget(room);
  }

  /**
   * What was shown lets nobody in any more.
   * @param {string} room
   */
  forget(room) {
    this.#shown.delete(room);
  }

  /** The addresses that all of them name are others now. They still work for whoever gets through. */
  forgetAll() {
    this.#moves += 1;
    this.#shown.clear();
  }
}

/**
 * Whether a code on the screen should give way to a new one.
 * @param {Invite} invite
 * @param {number} now
 * @returns {boolean}
 */
export function isOld(invite, now) {
  return invite.expiresMs - now <= FRESH_MS;
}
