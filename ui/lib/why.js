/**
 * Why a link did not open, in plain words with the next step, by the code that the shell gives: those of mesh/src/error.rs that
 * joining and dialling end with.
 */
import { t } from '../strings/index.js';

/** @type {Readonly<Record<string, () => string>>} */
const WORDS = Object.freeze({
  no_answer: () => t('why.nobodyThere'),
  nobody_near: () => t('why.nobodyNear'),
  networks_apart: () => t('diagnostics.apart'),
  other_network: () => t('why.otherNetwork'),
  no_network: () => t('why.noNetwork'),
  network_failed: () => t('why.noPort'),
  wrong_host: () => t('why.wrongDevice'),
  cancelled: () => t('why.cancelled'),
  own_code: () => t('why.itself'),
  invite_unknown: () => t('why.refused'),
  invite_expired: () => t('why.codeEnded'),
  invite_used_up: () => t('why.codeUsedUp'),
  invite_revoked: () => t('why.codeClosed'),
  room_closed: () => t('why.roomClosed'),
  room_full: () => t('why.roomFull'),
  internal: () => t('why.internal'),
});

/**
 * @param {string} reason
 * @returns {string} One that only a newer shell knows is said by its name.
 */
export function why(reason) {
  return Object.hasOwn(WORDS, reason) ? WORDS[reason]() : t('why.other', { reason });
}
