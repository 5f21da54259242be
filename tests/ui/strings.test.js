/** The catalogues: every language says everything, in its own plural forms. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { en } from '../../ui/strings/en.js';
import { LANGUAGES, number, pickLanguage, refusal, series, setLanguage, t, writing } from '../../ui/strings/index.js';
import { countdown } from '../../ui/lib/time.js';

/** @param {string} form */
const holes = (form) => [...form.matchAll(/\{(\w+)\}/g)].map(([, hole]) => hole).sort();
const others = LANGUAGES.filter(({ code }) => code !== 'en');

afterEach(() => setLanguage('en', []));

test('every_language_has_exactly_the_keys_of_the_english_one', () => {
  assert.ok(others.length > 0);
  for (const { code, entries } of others) assert.deepEqual(Object.keys(entries).sort(), Object.keys(en).sort(), code);
});

test('every_language_fills_the_same_holes', () => {
  for (const { code, entries } of others) {
    for (const [key, english] of Object.entries(en)) {
      const entry = /** @type {any} */ (entries)[key];
      assert.equal(typeof entry, typeof english, `${code} ${key}`);
      assert.deepEqual(holes(entry.other ?? entry), holes(/** @type {any} */ (english).other ?? english), `${code} ${key}`);
    }
  }
});

test('plural_forms_are_the_categories_of_the_language', () => {
  for (const { code, locale, entries } of LANGUAGES) {
    const categories = new Intl.PluralRules(locale).resolvedOptions().pluralCategories;
    for (const [key, entry] of Object.entries(entries)) {
      if (typeof entry === 'string') continue;
      assert.deepEqual(Object.keys(entry).sort(), [...categories].sort(), `${code} ${key}`);
      for (const [category, form] of Object.entries(entry)) {
        // Where the word itself says the number, it need not stand there, too.
        const wanted = ['zero', 'one', 'two'].includes(category) ? holes(form).concat('n') : holes(form);
        assert.deepEqual([...new Set(wanted)].sort(), [...new Set(holes(entry.other))].sort(), `${code} ${key} ${category}`);
      }
    }
  }
});

test('arabic_uses_its_six_forms', () => {
  setLanguage('ar', ['ar-MA']);
  const said = [0, 1, 2, 3, 11, 100].map((n) => t('rooms.unread', { n }));
  assert.equal(new Set(said.map((words) => words.replace(/\d+/, ''))).size, 5, 'many and other share their words here');
  assert.equal(t('rooms.unread', { n: 2 }), 'رسالتان جديدتان');
  assert.equal(t('rooms.unread', { n: 5 }), '5 رسائل جديدة');
  assert.equal(t('rooms.unread', { n: 11 }), '11 رسالة جديدة');
});

test('the_chosen_language_comes_before_the_systems', () => {
  assert.equal(pickLanguage('ar', ['en-US']).language.code, 'ar');
  assert.equal(pickLanguage('', ['fr-FR', 'ar-EG', 'en']).language.code, 'ar', 'the first that there is a catalogue for');
  assert.equal(pickLanguage('', ['ar-EG']).locale, 'ar-EG', 'the region decides about digits and dates');
  assert.equal(pickLanguage('', ['tlh']).language.code, 'en');
  assert.equal(pickLanguage('xx', []).language.code, 'en', 'a language of a newer build');
});

test('a_change_of_language_changes_the_words_and_the_direction_at_once', () => {
  assert.deepEqual(writing(), { lang: 'en-GB', dir: 'ltr' });
  assert.equal(countdown(65_000), '1:05');
  assert.equal(setLanguage('ar', ['ar-EG']), true);
  assert.equal(setLanguage('ar', ['ar-EG']), false, 'nothing to draw anew');
  assert.deepEqual(writing(), { lang: 'ar-EG', dir: 'rtl' });
  assert.equal(t('action.cancel'), 'إلغاء');
  assert.equal(number(14), '١٤');
  assert.equal(countdown(65_000), '١:٠٥');
  assert.equal(series(['أ', 'ب']).includes('و'), true);
});

test('words_that_run_the_other_way_are_set_apart', () => {
  assert.equal(t('start.title', { name: 'Rosa' }), 'Hello Rosa');
  assert.equal(t('start.title', { name: 'ليلى' }), 'Hello \u2068ليلى\u2069');
  setLanguage('ar', []);
  assert.equal(t('start.title', { name: 'Rosa' }), 'مرحبًا \u2068Rosa\u2069');
});

test('every_refusal_of_the_shell_has_words_in_every_language', () => {
  const source = readFileSync(new URL('../../mesh/src/error.rs', import.meta.url), 'utf8');
  const codes = [...source.matchAll(/^ {4}\w+ = "(\w+)" => "/gm)].map(([, code]) => code);
  assert.ok(codes.length > 30, 'the pattern finds them');
  for (const { code, refusals } of others) assert.deepEqual(codes.filter((one) => !(one in refusals)), [], code);
  setLanguage('ar', []);
  assert.equal(refusal('room_full', 'This room is full.'), 'هذه الغرفة ممتلئة. اطلب رمزًا لغرفة أخرى.');
  assert.equal(refusal('of_a_newer_shell', 'What it says.'), 'What it says.');
});
