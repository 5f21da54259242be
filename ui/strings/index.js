/**
 * `t('key', {params})`: a sentence of the catalogue with its holes filled.
 */
import { en } from './en.js';

/** @typedef {keyof typeof en} StringKey */

/** The language of the catalogue, for words that Intl makes (weekdays, months, plurals). */
export const LANGUAGE = 'en-GB';

const plurals = new Intl.PluralRules(LANGUAGE);

/**
 * @param {StringKey} key
 * @param {Record<string, string | number>} [params] `n` picks the plural form.
 * @returns {string}
 */
export function t(key, params = {}) {
  const entry = en[key];
  const form = typeof entry === 'string'
    ? entry
    : plurals.select(Number(params.n)) === 'one' ? entry.one : entry.other;
  return form.replace(/\{(\w+)\}/g, (_, hole) => String(params[hole] ?? ''));
}
