/**
 * Why a code isn't read, in words, and when to say so.
 *
 * @typedef {import('../ipc/types.js').Scan} Scan
 */
import { t } from '../strings/index.js';

/** @type {ReadonlyMap<string | null, () => string>} */
const WHY = new Map([
  ['dark', () => t('scan.dark')],
  ['bright', () => t('scan.bright')],
  ['unclear', () => t('scan.unclear')],
]);

/** @type {ReadonlyMap<string, () => string>} */
const KIND = new Map([
  ['wifi', () => t('scan.isWifi')],
  ['web', () => t('scan.isWeb')],
  ['newer', () => t('scan.isNewer')],
  ['pass', () => t('scan.isPass')],
  ['contact', () => t('scan.isContact')],
  ['other', () => t('scan.isOther')],
]);

/**
 * @param {string | null} why
 * @returns {string} Empty for a reason that says nothing, or that only a newer shell knows.
 */
export function whyWords(why) {
  return WHY.get(why)?.() ?? '';
}

/**
 * @param {{kind: string, hint: string}} other A code that isn't an invite.
 * @returns {string} The shell's own hint for a kind that the page doesn't know.
 */
export function kindWords({ kind, hint }) {
  return KIND.get(kind)?.() ?? hint;
}

/** How long it is said. */
export const HINT_MS = 4000;

/** So many frames in a row, more than a second, before a reason is believed: a hand passes by in less. */
const STEADY = 18;

export class Steady {
  #why = '';
  #times = 0;

  /**
   * @param {string} why Of one more frame; empty for none.
   * @returns {string} A reason that has stood for a while, else nothing.
   */
  next(why) {
    this.#times = why === this.#why ? this.#times + 1 : 1;
    this.#why = why;
    return this.#times >= STEADY ? why : '';
  }
}
