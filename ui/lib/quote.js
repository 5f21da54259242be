/**
 * What stands above an answer: the message that it answers, as it is now. Pure.
 *
 * @typedef {import('../ipc/types.js').Message} Message
 * @typedef {import('../elements/message-bubble.js').Quote} Quote
 */
import { t } from '../strings/index.js';
import { firstLine } from './text.js';

/**
 * @param {string} id
 * @param {import('../state/run.js').Run} messages
 * @param {Record<string, Message | null>} quoted Those that were asked for; null: it isn't on this device.
 * @param {import('./people.js').People} people
 * @returns {Quote}
 */
export function quoteOf(id, messages, quoted, people) {
  const found = messages.get(id) ?? (Object.hasOwn(quoted, id) ? quoted[id] : undefined);
  if (found === undefined) return WAITING;
  if (found === null) return UNKNOWN;
  const name = found.mine ? t('message.mine') : people.names.get(found.author) ?? found.name;
  if (found.deleted) return { state: 'deleted', name, text: '' };
  if (found.newer) return { state: 'newer', name, text: '' };
  return { state: 'here', name, text: firstLine(found.text) };
}

/** @type {Quote} */
const WAITING = Object.freeze({ state: 'waiting', name: '', text: '' });
/** @type {Quote} */
const UNKNOWN = Object.freeze({ state: 'unknown', name: '', text: '' });
