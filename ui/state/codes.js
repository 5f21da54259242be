/**
 * The codes that this window has shown, one a room at a time: whoever closes a code's window and opens it
 * again finds the code that a friend may be scanning just now.
 *
 * @typedef {import('../ipc/index.js').Ipc} Ipc
 * @typedef {import('../ipc/types.js').Invite} Invite
 */

/** How long a code works, and how many people may use it. */
const TTL_S = 600;
const USES = 32;

/** A code with less left than this is not shown again: a friend needs time to get the phone out. */
const REUSE_MS = 60_000;

export class Codes {
  #ipc;
  /** @type {Map<string, Invite>} By room. */
  #shown = new Map();

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
    if (known && known.expiresMs - Date.now() > REUSE_MS) return known;
    const invite = await this.#ipc.createInvite(room, TTL_S, USES, false);
    this.#shown.set(room, invite);
    return invite;
  }

  /**
   * @param {string} room
   * @param {string} invite
   */
  async end(room, invite) {
    await this.#ipc.revokeInvite(room, invite);
    this.forget(room);
  }

  /**
   * What was shown lets nobody in any more.
   * @param {string} room
   */
  forget(room) {
    this.#shown.delete(room);
  }
}
