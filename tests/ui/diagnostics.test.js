/** The numbers of a device as lines, and the same lines as text. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { asText, sectionsOf } from '../../ui/lib/diagnostics.js';
import { span } from '../../ui/lib/time.js';
import { why } from '../../ui/lib/why.js';
import { setLanguage } from '../../ui/strings/index.js';
import { quietNumbers } from './fake-tauri.js';
import { busyNumbers } from './mesh-samples.js';

const NOW = new Date(2026, 6, 4, 15, 30).getTime();
const busy = () => sectionsOf(busyNumbers(NOW), NOW);

afterEach(() => setLanguage('en', []));

test('sections_stand_in_the_order_in_which_somebody_asks', () => {
  assert.deepEqual(busy().map(({ id }) => id), ['device', 'links', 'servers', 'attempts', 'failures', 'delivery', 'counters']);
});

test('the_copied_text_holds_every_line_of_the_screen', () => {
  const sections = busy();
  const text = asText(sections, '', NOW);
  for (const { title, facts } of sections) {
    assert.ok(text.includes(`\n\n${title}\n`), title);
    for (const { label, value, note = '' } of facts) {
      assert.ok(text.includes(value === '' ? `  ${label}\n` : `  ${label}: ${value.replaceAll('\n', ', ')}\n`), label);
      if (note !== '') assert.ok(text.includes(`\n    ${note}\n`), note);
    }
  }
  assert.ok(text.startsWith(`PeddleNet, ${new Date(NOW).toISOString()}\n`));
  for (const [name, count] of busyNumbers(NOW).counters) assert.match(text, new RegExp(`\\n  ${name}: ${count.toLocaleString('en-GB')}\\n`));
  assert.match(text, /48/);
});

test('that_the_network_keeps_devices_apart_stands_first_in_the_text', () => {
  assert.equal(asText(busy(), 'Apart.', NOW).split('\n')[2], 'Apart.');
});

test('a_device_that_met_nobody_says_so', () => {
  const [device, links, servers, attempts, failures, delivery, counters] = sectionsOf({ ...quietNumbers(), addresses: [], lan: 'unavailable' }, NOW);
  for (const { facts, empty } of [links, servers, attempts, failures, counters]) assert.ok(facts.length === 0 && empty !== '');
  assert.deepEqual(device.facts.map(({ value }) => value), ['4 secs', 'not possible', '0', 'none', '12']);
  assert.match(device.facts[1].note ?? '', /Allow PeddleNet/, 'what is not possible says what to do');
  assert.deepEqual(delivery.facts.map(({ value }) => value), ['0', 'not measured yet', 'not measured yet']);
  const text = asText(sectionsOf(quietNumbers(), NOW), '', NOW);
  assert.match(text, /Connections\n {2}No connection is open\.\n/);
});

test('attempts_and_links_are_said_by_way', () => {
  const [, links, , attempts] = busy();
  assert.deepEqual(attempts.facts[0], { label: 'Directly', value: '12 of 14 opened', note: 'Half were open within 84 ms, 95 of 100 within 310 ms.' });
  assert.deepEqual(attempts.facts[2], { label: 'Through somebody in the room', value: '1 of 3 opened', note: 'Another way was there first: 2.' });
  assert.equal(links.facts[0].value, 'strong · 8 ms');
  assert.equal(links.facts[0].note, 'Found on this network, for 3 hrs 11 mins. 1.2 MB came in, 318 kB went out.');
  assert.equal(links.facts[1].value, 'weak · 131 ms · 33% lost');
  assert.equal(links.facts[2].label, 'Device 9', 'a link whose people are not known yet');
});

test('what_failed_says_after_how_long', () => {
  const failures = busy()[4].facts;
  assert.deepEqual(failures.map(({ value }) => value), ['5,004 ms', '212 ms', '1 ms']);
});

test('a_server_is_connected_or_says_why_not_and_how_it_sees_this_device', () => {
  const [, , servers] = busy();
  assert.deepEqual(servers.facts, [
    { label: 'wss://meet.example.org', value: 'connected', note: 'There this device is seen as [2001:db8:42::7]:40123.' },
    {
      label: 'ws://192.168.1.2:8787', value: 'not connected',
      note: 'Is there internet here, and is the address right? It is tried again by itself. What the system says: IO error: Connection refused (os error 111)',
    },
    { label: 'ws://192.168.43.2:8787', value: 'connected', note: 'A box that was found on this network. There this device is seen as 192.168.43.17:40123.' },
  ]);
  assert.match(asText(busy(), '', NOW), /\n\nServers\n {2}wss:\/\/meet\.example\.org: connected\n {4}There this device is seen as \[2001:db8:42::7\]:40123\.\n/);
  const facts = (/** @type {any} */ given) => sectionsOf({ ...quietNumbers(), servers: [{ url: 'ws://a', box: false, whyNot: null, seenAs: null, ...given }] }, NOW)[2].facts;
  assert.deepEqual(facts({}), [{ label: 'ws://a', value: 'connected' }], 'before it has said how it sees this device');
  const [lost] = facts({ whyNot: 'gone\n\u202Efor\u0000 good', seenAs: '203.0.113.5:40123' });
  assert.match(lost.note ?? '', /^There this device is seen as 203\.0\.113\.5:40123\. Is there .*: gone for good$/, 'what a library says is one line and turns nothing around');
});

test('an_address_and_a_librarys_words_are_set_apart_where_lines_run_from_right_to_left', () => {
  setLanguage('ar', []);
  const [, , servers] = sectionsOf({ ...quietNumbers(), servers: [{ url: 'ws://a', box: false, whyNot: 'timed out', seenAs: '[2001::7]:40123' }] }, NOW);
  const [{ label, value, note = '' }] = servers.facts;
  assert.deepEqual([label, value], ['ws://a', 'غير متصل']);
  for (const part of ['[2001::7]:40123', 'timed out']) assert.ok(note.includes(`\u2068${part}\u2069`), part);
});

test('every_failure_says_what_happened_and_what_to_do_in_plain_words', () => {
  const reasons = [
    'no_answer', 'nobody_near', 'networks_apart', 'other_network', 'no_network', 'network_failed', 'cancelled', 'wrong_host', 'own_code', 'invite_unknown', 'invite_expired',
    'invite_used_up', 'invite_revoked', 'room_closed', 'room_full', 'internal',
  ];
  const source = readFileSync(new URL('../../mesh/src/error.rs', import.meta.url), 'utf8');
  const names = new Map([...source.matchAll(/^ {4}(\w+) = "(\w+)" => /gm)].map(([, variant, name]) => [variant, name]));
  for (const reason of reasons) assert.ok([...names.values()].includes(reason), `${reason} is a code of the shell`);
  // What a dial, and a refused join, end with.
  const ends = [/fn code_of[^]*?\n}/, /fn refused[^]*?\n {4}}/].flatMap((part) => [...(part.exec(source)?.[0] ?? '').matchAll(/ErrorCode::(\w+)/g)]);
  assert.ok(ends.length >= 10, `the pattern finds them: ${ends.length}`);
  for (const [, variant] of ends) assert.ok(reasons.includes(names.get(variant) ?? variant), `${variant} has words of its own`);
  const sentences = reasons.map(why);
  assert.equal(new Set(sentences).size, reasons.length);
  for (const sentence of [...sentences, why('pigeon_lost')]) {
    assert.ok(sentence.split(/[.?;]\s/).length > 1, `${sentence}: what happened, and what comes next`);
    assert.doesNotMatch(sentence, /\b(ICE|DTLS|UDP|handshake|fingerprint|timeout|NAT)\b/i);
  }
  assert.match(why('pigeon_lost'), /pigeon_lost/);
  assert.match(why('toString'), /toString/, 'no name of the language is taken for a reason');
});

test('spans_are_said_by_their_two_largest_parts', () => {
  assert.deepEqual([0, 59.9, 60, 3599, 3600, 90_061, 172_800].map(span), ['0 secs', '59 secs', '1 min', '59 mins 59 secs', '1 hr', '1 day 1 hr', '2 days']);
});

test('in_arabic_the_same_lines_stand_in_arabic', () => {
  setLanguage('ar', []);
  const sections = busy();
  assert.equal(sections.length, 7);
  for (const { id, facts } of sections) {
    for (const { label } of facts) if (!['links', 'servers', 'counters'].includes(id)) assert.match(label, /[\u0600-\u06ff]/, label);
  }
});
