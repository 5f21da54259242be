/**
 * The numbers of a device as sections of lines. Pure: the screen shows these lines, and the text that is copied holds the same.
 *
 * @typedef {import('../ipc/types.js').Diagnostics} Diagnostics
 * @typedef {{label: string, value: string, note?: string}} Fact
 * @typedef {{id: 'device' | 'links' | 'servers' | 'attempts' | 'failures' | 'delivery' | 'counters', title: string, facts: Fact[], empty: string}} Section
 *   `empty` is said where there are no facts.
 */
import { number, series, t } from '../strings/index.js';
import { bytes } from './bytes.js';
import { milliseconds, strengthWords, viaWord } from './mesh-words.js';
import { clock, daysAgo, shortTime, span } from './time.js';
import { why } from './why.js';

/** What a 95th percentile is, in words. */
const P95 = Object.freeze({ share: 95, all: 100 });

/**
 * @param {Diagnostics} numbers
 * @param {number} now
 * @returns {Section[]}
 */
export function sectionsOf(numbers, now) {
  const { links, servers, attempts, failures, delivery, counters } = numbers;
  return [
    { id: 'device', title: t('diagnostics.device'), facts: deviceFacts(numbers), empty: '' },
    { id: 'links', title: t('diagnostics.links'), facts: links.map(linkFact), empty: t('diagnostics.noLinks') },
    { id: 'servers', title: t('diagnostics.servers'), facts: servers.map(serverFact), empty: t('diagnostics.noServers') },
    { id: 'attempts', title: t('diagnostics.attempts'), facts: attempts.map(attemptFact), empty: t('diagnostics.noAttempts') },
    {
      id: 'failures', title: t('diagnostics.failures'), empty: t('diagnostics.noFailures'),
      facts: failures.map(({ via, reason, tookMs, atMs }) => ({ label: t('diagnostics.failed', { time: daysAgo(atMs, now) > 0 ? shortTime(atMs, now) : clock(atMs), via: viaWord(via) }), value: milliseconds(tookMs), note: why(reason) })),
    },
    { id: 'delivery', title: t('diagnostics.delivery'), facts: deliveryFacts(delivery), empty: '' },
    { id: 'counters', title: t('diagnostics.counters'), facts: counters.map(([label, count]) => ({ label, value: number(count) })), empty: t('diagnostics.noCounters') },
  ];
}

/**
 * @param {Section[]} sections
 * @param {string} notice What stands above all of them; may be empty.
 * @param {number} now
 * @returns {string} For a message to whoever can help.
 */
export function asText(sections, notice, now) {
  const line = (/** @type {Fact} */ { label, value, note = '' }) => `  ${label}${value === '' ? '' : `: ${value.replaceAll('\n', ', ')}`}${note === '' ? '' : `\n    ${note}`}`;
  const parts = sections.map(({ title, facts, empty }) => [title, ...(facts.length > 0 ? facts.map(line) : [`  ${empty}`])].join('\n'));
  return `${[`${t('app.name')}, ${new Date(now).toISOString()}`, ...(notice === '' ? [] : [notice]), ...parts].join('\n\n')}\n`;
}

/**
 * @param {Diagnostics} numbers
 * @returns {Fact[]}
 */
function deviceFacts({ upS, tasks, lan, near, addresses }) {
  const search = {
    on: { value: t('diagnostics.lanOn') },
    off: { value: t('diagnostics.lanOff'), note: t('diagnostics.lanOffNote') },
    unavailable: { value: t('diagnostics.lanUnavailable'), note: t('diagnostics.lanUnavailableNote') },
  }[lan];
  return [
    { label: t('diagnostics.up'), value: span(upS) },
    { label: t('diagnostics.lan'), ...search },
    { label: t('diagnostics.near'), value: number(near) },
    addresses.length > 0
      ? { label: t('diagnostics.addresses'), value: addresses.join('\n') }
      : { label: t('diagnostics.addresses'), value: t('diagnostics.noAddress'), note: why('no_network') },
    { label: t('diagnostics.tasks'), value: number(tasks) },
  ];
}

/**
 * @param {Diagnostics['links'][number]} link
 * @returns {Fact}
 */
function linkFact({ peer, via, names, rttMs, lossPercent, upS, bytesIn, bytesOut }) {
  return {
    label: names.length > 0 ? series(names) : t('diagnostics.linkTo', { n: peer }),
    value: strengthWords({ rttMs, lossPercent }),
    note: upFirst(t('diagnostics.linkNote', { via: viaWord(via), time: span(upS), in: bytes(bytesIn), out: bytes(bytesOut) })),
  };
}

/**
 * @param {Diagnostics['servers'][number]} server
 * @returns {Fact} How this device was seen last is told in any case. What a library says about a failure stands last, behind a plain sentence.
 */
function serverFact({ url, box, whyNot, seenAs }) {
  const notes = [
    ...(box ? [t('diagnostics.box')] : []),
    ...(seenAs === null ? [] : [t('diagnostics.serverSees', { address: seenAs })]),
    ...(whyNot === null ? [] : [t('diagnostics.serverDownNote', { reason: whyNot.replace(/[\s\p{C}]+/gu, ' ').trim() })]),
  ];
  return {
    label: url,
    value: whyNot === null ? t('diagnostics.serverUp') : t('diagnostics.serverDown'),
    ...(notes.length > 0 ? { note: notes.join(' ') } : {}),
  };
}

/**
 * @param {Diagnostics['attempts'][number]} attempt
 * @returns {Fact}
 */
function attemptFact({ via, tried, opened, beaten, p50Ms, p95Ms }) {
  const quick = p50Ms !== null && p95Ms !== null;
  const notes = [
    ...(quick ? [t('diagnostics.quick', { half: milliseconds(p50Ms), most: milliseconds(p95Ms), ...P95 })] : []),
    ...(beaten > 0 ? [t('diagnostics.beaten', { times: number(beaten) })] : []),
  ];
  return {
    label: upFirst(viaWord(via)),
    value: t('diagnostics.opened', { opened, tried }),
    ...(notes.length > 0 ? { note: notes.join(' ') } : {}),
  };
}

/**
 * @param {Diagnostics['delivery']} delivery
 * @returns {Fact[]}
 */
function deliveryFacts({ sent, p50Ms, p95Ms }) {
  const time = (/** @type {number | null} */ ms) => (ms === null ? t('diagnostics.unmeasured') : milliseconds(ms));
  return [
    { label: t('diagnostics.sent'), value: number(sent) },
    { label: t('diagnostics.half'), value: time(p50Ms) },
    { label: t('diagnostics.most', P95), value: time(p95Ms) },
  ];
}

/** @param {string} words */
function upFirst(words) {
  return words.charAt(0).toLocaleUpperCase() + words.slice(1);
}
