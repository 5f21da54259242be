/** Why a link did not open, in plain words with the next step, by the code that the shell gives. */
import { t } from '../strings/index.js';

/** @type {Readonly<Record<string, () => string>>} */
const WORDS = Object.freeze({
  nobody_there: () => t('why.nobodyThere'),
  no_answer: () => t('why.nobodyThere'),
  nobody_near: () => t('why.nobodyThere'),
  refused: () => t('why.refused'),
  invite_unknown: () => t('why.refused'),
  wrong_fingerprint: () => t('why.wrongDevice'),
  wrong_host: () => t('why.wrongDevice'),
  handshake: () => t('why.handshake'),
  no_address: () => t('why.noAddress'),
  deadline: () => t('why.late'),
  closed: () => t('why.broke'),
  no_network: () => t('why.noNetwork'),
  network_failed: () => t('why.noNetwork'),
  networks_apart: () => t('diagnostics.apart'),
  superseded: () => t('why.crossed'),
  already_linked: () => t('why.crossed'),
  itself: () => t('why.itself'),
  own_code: () => t('why.itself'),
});

/**
 * @param {string} reason
 * @returns {string} One that only a newer shell knows is said by its name.
 */
export function why(reason) {
  return Object.hasOwn(WORDS, reason) ? WORDS[reason]() : t('why.other', { reason });
}
