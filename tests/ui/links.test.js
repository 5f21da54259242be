import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findLinks, lookAt } from '../../ui/lib/links.js';

const links = (/** @type {string} */ text) => findLinks(text).filter(({ kind }) => kind === 'link').map(({ text: written }) => written);

test('addresses_are_found_and_the_sentence_around_them_is_not', () => {
  assert.deepEqual(links('see https://example.org/a?b=1#c, or (http://example.org/x_(y)). HTTPS://EXAMPLE.ORG!'),
    ['https://example.org/a?b=1#c', 'http://example.org/x_(y)', 'HTTPS://EXAMPLE.ORG']);
  assert.deepEqual(links('“https://example.org/q” *https://example.org* <https://example.org/z>'), ['https://example.org/q', 'https://example.org', 'https://example.org/z']);
});

test('only_http_and_https_are_links', () => {
  for (const text of ['javascript:alert(1)', 'data:text/html,<script>', 'file:///etc/passwd', 'ftp://example.org', 'xhttps://example.org', 'https://', 'http://?', 'example.org', 'PEDDLENET:J/AA']) {
    assert.deepEqual(links(text), [], text);
  }
});

test('signs_that_cannot_be_seen_end_an_address', () => {
  assert.deepEqual(links('https://exa\u200Bmple.org'), ['https://exa']);
  assert.deepEqual(links('https://example.org/\u202Egro.elgoog'), ['https://example.org/']);
  assert.deepEqual(links('https://example.org/\u00ADa\u0000b'), ['https://example.org/']);
});

test('the_pieces_are_the_text_again', () => {
  const texts = ['', 'plain', 'https://a.example https://b.example.', '(((https://a.example)))', 'https://a.example/%zz?<b>', 'http://'.repeat(50), 'https://x.example '.repeat(100)];
  for (const text of texts) assert.equal(findLinks(text).map((piece) => piece.text).join(''), text);
  assert.equal(links('https://x.example '.repeat(100)).length, 40, 'no more than a page of them');
});

test('an_address_nobody_can_look_at_stays_text', () => {
  assert.deepEqual(links(`https://example.org/${'a'.repeat(5000)}`), []);
  const hostile = ['https://' + '('.repeat(65_000), 'https://' + ')'.repeat(65_000), 'https://a.b/' + '.'.repeat(65_000), 'http'.repeat(16_000), 'https://a'.repeat(7000)];
  for (const text of hostile) assert.equal(findLinks(text).map((piece) => piece.text).join(''), text);
});

test('what_is_opened_is_what_was_parsed', () => {
  const [piece] = findLinks('https://EXAMPLE.org/a b');
  assert.deepEqual([piece.text, piece.url], ['https://EXAMPLE.org/a', 'https://example.org/a']);
  assert.equal(lookAt('https://example.org/\u202Ex')?.url, 'https://example.org/%E2%80%AEx');
  assert.equal(lookAt('javascript:alert(1)'), null);
});

test('a_plain_host_raises_no_warning', () => {
  const { host, writtenHost, punycode, mixed, user } = lookAt('https://Example.org:8080/x@y') ?? assert.fail();
  assert.deepEqual([host, writtenHost, punycode, mixed, user], ['example.org', '', false, false, false]);
});

test('a_host_that_imitates_another_is_pointed_out', () => {
  const cyrillic = lookAt('https://p\u0430ypal.com/login') ?? assert.fail();
  assert.deepEqual([cyrillic.host, cyrillic.writtenHost, cyrillic.punycode, cyrillic.mixed], ['xn--pypal-4ve.com', 'p\u0430ypal.com', true, true]);
  const whole = lookAt('https://\u0430\u0440\u0440\u04cf\u0435.com') ?? assert.fail();
  assert.deepEqual([whole.punycode, whole.mixed], [true, false], 'one alphabet, and still not plain');
  const coded = lookAt('https://xn--pypal-4ve.com') ?? assert.fail();
  assert.deepEqual([coded.punycode, coded.writtenHost], [true, '']);
  const full = lookAt('https://exam\uFF50le.org') ?? assert.fail();
  assert.deepEqual([full.host, full.writtenHost], ['example.org', 'exam\uFF50le.org']);
});

test('what_stands_before_the_host_is_pointed_out', () => {
  const { host, user } = lookAt('https://paypal.com@evil.example/login') ?? assert.fail();
  assert.deepEqual([host, user], ['evil.example', true]);
});
