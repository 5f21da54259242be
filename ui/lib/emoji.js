/** What may be put under a message: one sign. Pure. */
import { signs } from './text.js';

/** What most people want, in one row of a phone. */
export const COMMON = Object.freeze(['👍', '❤️', '😂', '😮', '😢', '🙏']);

/** What the shell takes. */
const BYTES_MAX = 32;

const encoder = new TextEncoder();

/**
 * @param {string} text
 * @returns {string | null} The one emoji that it is; null for words, for several, for one that is too long to be sent.
 */
export function singleEmoji(text) {
  const sign = text.trim();
  if (sign === '' || encoder.encode(sign).length > BYTES_MAX) return null;
  if (signs(sign).length !== 1) return null;
  const flag = /^\p{Regional_Indicator}{2}$/u;
  const keycap = /^[0-9#*]\uFE0F?\u20E3$/u;
  return /\p{Extended_Pictographic}/u.test(sign) || flag.test(sign) || keycap.test(sign) ? sign : null;
}
