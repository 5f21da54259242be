/**
 * Times as people read them. Pure: `now` is an argument.
 */
import { perLocale, t } from '../strings/index.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

// The clock follows the person's own settings (12 or 24 hours); words and digits follow the language.
const hours = perLocale(() => new Intl.DateTimeFormat(undefined, { hour: 'numeric' }).resolvedOptions().hourCycle);
const hourAndMinute = () => /** @type {const} */ ({ hour: 'numeric', minute: '2-digit', hourCycle: hours() });

/** Each is made when it is first asked for: a start needs one of them. @param {() => Intl.DateTimeFormatOptions} options */
const dates = (options) => perLocale((locale) => new Intl.DateTimeFormat(locale, options()));

const formats = Object.freeze({
  clock: dates(hourAndMinute),
  weekday: dates(() => ({ weekday: 'long' })),
  day: dates(() => ({ weekday: 'long', day: 'numeric', month: 'long' })),
  year: dates(() => ({ day: 'numeric', month: 'long', year: 'numeric' })),
  shortDay: dates(() => ({ day: 'numeric', month: 'short' })),
  moment: dates(() => ({ weekday: 'long', day: 'numeric', month: 'long', ...hourAndMinute() })),
  minutes: perLocale((locale) => new Intl.NumberFormat(locale, { useGrouping: false })),
  seconds: perLocale((locale) => new Intl.NumberFormat(locale, { minimumIntegerDigits: 2 })),
  units: perLocale((locale) => (/** @type {string} */ unit) => new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short' })),
});

/**
 * Days between two moments by the local calendar; 0 is the same day, 1 is the day before `now`.
 * @param {number} timeMs
 * @param {number} now
 * @returns {number}
 */
export function daysAgo(timeMs, now) {
  // Noon to noon, so that a day of 23 or 25 hours still counts as one.
  const noon = (/** @type {number} */ ms) => new Date(ms).setHours(12, 0, 0, 0);
  return Math.round((noon(now) - noon(timeMs)) / DAY);
}

/**
 * A key that is equal for two moments of one local day.
 * @param {number} timeMs
 * @returns {string}
 */
export function dayKey(timeMs) {
  const day = new Date(timeMs);
  return `${day.getFullYear()}-${day.getMonth() + 1}-${day.getDate()}`;
}

/**
 * For the line between two days.
 * @param {number} timeMs
 * @param {number} now
 * @returns {string}
 */
export function dayLabel(timeMs, now) {
  const days = daysAgo(timeMs, now);
  if (days === 0) return t('time.today');
  if (days === 1) return t('time.yesterday');
  if (days > 1 && days < 7) return formats.weekday().format(timeMs);
  const sameYear = new Date(timeMs).getFullYear() === new Date(now).getFullYear();
  return (sameYear ? formats.day : formats.year)().format(timeMs);
}

/**
 * @param {number} timeMs
 * @returns {string}
 */
export function clock(timeMs) {
  return formats.clock().format(timeMs);
}

/**
 * For the list of rooms: as short as it can be said.
 * @param {number} timeMs
 * @param {number} now
 * @returns {string}
 */
export function shortTime(timeMs, now) {
  const age = now - timeMs;
  if (age >= -MINUTE && age < MINUTE) return t('time.now');
  if (age > 0 && age < 60 * MINUTE) return t('time.minutes', { n: Math.floor(age / MINUTE) });
  const days = daysAgo(timeMs, now);
  if (days === 0) return clock(timeMs);
  if (days === 1) return t('time.yesterday');
  if (days > 1 && days < 7) return formats.weekday().format(timeMs);
  return formats.shortDay().format(timeMs);
}

/**
 * Since when somebody is here: today's hour, else the day.
 * @param {number} timeMs
 * @param {number} now
 * @returns {string}
 */
export function sinceWhen(timeMs, now) {
  if (daysAgo(timeMs, now) === 0) return clock(timeMs);
  const sameYear = new Date(timeMs).getFullYear() === new Date(now).getFullYear();
  return (sameYear ? formats.shortDay : formats.year)().format(timeMs);
}

/**
 * A day and an hour to come: until when something works.
 * @param {number} timeMs
 * @returns {string}
 */
export function moment(timeMs) {
  return formats.moment().format(timeMs);
}

/**
 * What is left of a wait, as minutes and seconds: `9:05`.
 * @param {number} ms
 * @returns {string}
 */
export function countdown(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${formats.minutes().format(Math.floor(seconds / 60))}:${formats.seconds().format(seconds % 60)}`;
}

/** Its parts, the largest first. */
const SPANS = Object.freeze(/** @type {const} */ ([['day', 86_400], ['hour', 3600], ['minute', 60], ['second', 1]]));

/**
 * How long something lasts: its two largest parts, `1 hr 5 min`.
 * @param {number} seconds
 * @returns {string}
 */
export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const from = SPANS.findIndex(([, size]) => whole >= size || size === 1);
  const parts = SPANS.slice(from, from + 2).map(([unit, size], n) => {
    const count = Math.floor((n === 0 ? whole : whole % SPANS[from][1]) / size);
    return n > 0 && count === 0 ? '' : formats.units()(unit).format(count);
  });
  return parts.join(' ').trim();
}
