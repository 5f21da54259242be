/**
 * `t('key', {params})`: a sentence of the catalogue with its holes filled, in the language that the person
 * chose or, unless they did, the first of the system's that there is a catalogue for.
 *
 * Numbers are written as the language writes them. A peer's words keep their own direction within a sentence
 * that runs the other way: they are set apart by the marks that Unicode has for this (UAX #9, isolates).
 *
 * @typedef {keyof typeof en} StringKey
 * @typedef {string | Partial<Record<Intl.LDMLPluralRule, string>> & {other: string}} Entry
 * @typedef {{code: string, name: string, locale: string, dir: 'ltr' | 'rtl', entries: Partial<Record<StringKey, Entry>>, refusals: Record<string, string>}} Language
 */
import { arRefusals } from './ar-refusals.js';
import { ar } from './ar.js';
import { en } from './en.js';

/** Every language, named by itself. The shell's own sentences are English: what it refuses has other words below. @type {readonly Language[]} */
export const LANGUAGES = Object.freeze([
  { code: 'en', name: 'English', locale: 'en-GB', dir: 'ltr', entries: en, refusals: {} },
  { code: 'ar', name: 'العربية', locale: 'ar', dir: 'rtl', entries: ar, refusals: arRefusals },
]);

/** What the words are taken from now. @type {{language: Language, locale: string}} */
let now = { language: LANGUAGES[0], locale: LANGUAGES[0].locale };

// Made when they are first asked for: each takes time and memory from a start.
const plurals = perLocale((locale) => new Intl.PluralRules(locale));
const numbers = perLocale((locale) => new Intl.NumberFormat(locale));
const lists = perLocale((locale) => new Intl.ListFormat(locale, { type: 'conjunction' }));

/**
 * @param {string} setting A language's code; '' leaves it to the system.
 * @param {readonly string[]} system The system's languages, the dearest first.
 * @returns {{language: Language, locale: string}} The locale keeps the system's region, for dates and digits.
 */
export function pickLanguage(setting, system) {
  const primary = (/** @type {string} */ tag) => tag.toLowerCase().split('-')[0];
  const known = (/** @type {string} */ code) => LANGUAGES.find((language) => language.code === code);
  const language = known(setting) ?? known(system.map(primary).find(known) ?? '') ?? LANGUAGES[0];
  return { language, locale: system.find((tag) => primary(tag) === language.code && tag.includes('-')) ?? language.locale };
}

/**
 * @param {string} setting As for `pickLanguage`.
 * @param {readonly string[]} system
 * @returns {boolean} Whether the words are others now.
 */
export function setLanguage(setting, system) {
  const { language, locale } = pickLanguage(setting, system);
  if (language === now.language && locale === now.locale) return false;
  now = { language, locale };
  return true;
}

/** @returns {{lang: string, dir: 'ltr' | 'rtl'}} For the page's root. */
export function writing() {
  return { lang: now.locale, dir: now.language.dir };
}

/**
 * Something made for the locale (a date format, say), made anew when the language changes.
 * @template T
 * @param {(locale: string) => T} make
 * @returns {() => T}
 */
export function perLocale(make) {
  let locale = '';
  /** @type {T} */
  let made;
  return () => {
    if (locale !== now.locale) made = make(now.locale);
    locale = now.locale;
    return made;
  };
}

/**
 * @param {StringKey} key
 * @param {Record<string, string | number>} [params] `n` picks the plural form.
 * @returns {string}
 */
export function t(key, params = {}) {
  const entry = /** @type {Entry} */ (now.language.entries[key] ?? en[key]);
  const form = typeof entry === 'string' ? entry : entry[plurals().select(Number(params.n))] ?? entry.other;
  return form.replace(/\{(\w+)\}/g, (_, hole) => {
    const value = params[hole] ?? '';
    return typeof value === 'number' ? number(value) : apart(value);
  });
}

/**
 * What the shell refused, in the person's language.
 * @param {string} code
 * @param {string} sentence The shell's own, in English.
 * @returns {string}
 */
export function refusal(code, sentence) {
  return now.language.refusals[code] ?? sentence;
}

/**
 * @param {number} value
 * @returns {string}
 */
export function number(value) {
  return numbers().format(value);
}

/**
 * @param {string[]} items
 * @returns {string} "Ada, Bo and Chidi".
 */
export function series(items) {
  return lists().format(items.map(apart));
}

const RTL_LETTER = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
/** Or what an address of IPv6 begins with, which may have no letter: `[2001::7]:40123`. */
const LTR_LETTER = /[\p{L}[]/u;

/**
 * @param {string} words
 * @returns {string} Isolated where they may run against the sentence around them.
 */
function apart(words) {
  const against = now.language.dir === 'rtl' ? LTR_LETTER.test(words) : RTL_LETTER.test(words);
  return against ? `\u2068${words}\u2069` : words;
}
