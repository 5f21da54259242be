/** How many are near, in words. */
import { t } from '../strings/index.js';

/**
 * @param {import('../ipc/types.js').Room} room
 * @returns {string}
 */
export function nearText({ near, members, removed, left }) {
  if (left) return t('near.left');
  if (removed) return t('near.removed');
  if (near > 0) return t('near.here', { n: near });
  return members > 1 ? t('near.nobody') : t('near.alone');
}
