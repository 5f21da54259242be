/**
 * What can be done with a message, in the order of the menu. Pure.
 *
 * @typedef {import('../elements/message-menu.js').MenuItem} MenuItem
 */
import { t } from '../strings/index.js';

/**
 * @param {import('../state/timeline.js').MessageRow} row
 * @param {{readOnly: boolean, direct: boolean}} where `readOnly`: nothing more can be said there.
 * @returns {MenuItem[]} Empty while nothing can be done.
 */
export function actsOf(row, { readOnly, direct }) {
  if (row.deleted || row.newer || row.message === '') return [];
  /** @type {MenuItem[]} */
  const items = [];
  if (!readOnly) items.push({ id: 'reply', label: t('act.reply'), icon: 'reply' });
  items.push({ id: 'copy', label: t('act.copy'), icon: 'copy' });
  if (row.mine && !readOnly) items.push({ id: 'edit', label: t('act.edit'), icon: 'edit' });
  if (row.mine && !direct) items.push({ id: 'seen', label: t('act.seen'), icon: 'checks' });
  if (row.mine && !readOnly) items.push({ id: 'delete', label: onlyHere(row, direct) ? t('act.takeBack') : t('act.delete'), icon: 'bin', danger: true });
  return items;
}

/**
 * Whether, as far as this device knows, nobody has a message of mine yet: then deleting it is taking it back. Of what is said
 * to one alone nobody is counted who took it.
 * @param {import('../state/timeline.js').MessageRow} row
 * @param {boolean} direct
 * @returns {boolean}
 */
export function onlyHere({ mine, sentTo, seenBy }, direct) {
  return mine && !direct && sentTo === 0 && seenBy.length === 0;
}
