/** Sizes as people read them, in steps of a thousand. */
import { perLocale } from '../strings/index.js';

const STEP = 1000;

const UNITS = /** @type {const} */ (['byte', 'kilobyte', 'megabyte', 'gigabyte']);

const formats = UNITS.map((unit) => perLocale((locale) =>
  new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: unit === 'byte' ? 'long' : 'short', maximumFractionDigits: unit === 'byte' ? 0 : 1 })));

/**
 * @param {number} count
 * @returns {string}
 */
export function bytes(count) {
  const step = count < STEP ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log(count) / Math.log(STEP)));
  return formats[step]().format(count / STEP ** step);
}
