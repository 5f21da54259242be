import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { applyLook, lookOf } from '../../ui/lib/look.js';
import { setLanguage } from '../../ui/strings/index.js';

afterEach(() => setLanguage('en', []));

/** What `applyLook` needs of an element. */
function root() {
  /** @type {Record<string, string>} */
  const marks = {};
  return {
    marks,
    getAttribute: (/** @type {string} */ name) => marks[name] ?? null,
    setAttribute: (/** @type {string} */ name, /** @type {string} */ value) => { marks[name] = value; },
    removeAttribute: (/** @type {string} */ name) => { delete marks[name]; },
  };
}

test('without_settings_the_system_decides', () => {
  assert.deepEqual(lookOf({}), { language: '', theme: 'system', textSize: 'medium' });
  const page = root();
  applyLook(lookOf({}), /** @type {any} */ (page), ['en-GB']);
  assert.equal(page.marks.dir, 'ltr');
  assert.equal('data-theme' in page.marks, false);
  assert.equal('data-text' in page.marks, false);
});

test('what_was_chosen_stands_on_the_root_and_goes_again', () => {
  const page = root();
  const say = (/** @type {Record<string, string>} */ settings) => applyLook(lookOf(settings), /** @type {any} */ (page), ['en-GB']);
  assert.equal(say({ language: 'ar', theme: 'dark', textSize: 'huge' }), true, 'the words are others');
  assert.deepEqual({ ...page.marks, lang: page.marks.lang.split('-')[0] }, { lang: 'ar', dir: 'rtl', 'data-theme': 'dark', 'data-text': 'huge' });
  assert.equal(say({ language: 'ar', theme: 'light' }), false);
  assert.equal(page.marks['data-theme'], 'light');
  assert.equal('data-text' in page.marks, false);
  say({ language: 'ar', theme: 'of a newer build' });
  assert.equal('data-theme' in page.marks, false);
});
