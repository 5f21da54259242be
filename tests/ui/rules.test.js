/** House rules that a reader could overlook: what ships is read as text. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { en } from '../../ui/strings/en.js';
import { t } from '../../ui/strings/index.js';

const root = fileURLToPath(new URL('../../ui/', import.meta.url));
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
const read = (/** @type {string} */ file) => readFileSync(root + file, 'utf8');
const scripts = files.filter((file) => file.endsWith('.js'));
const code = new Map(scripts.map((file) => [file, read(file)]));

/** The lines of `file` that match, for a message that points at them. */
const hits = (/** @type {RegExp} */ pattern, /** @type {(file: string) => boolean} */ where = () => true) =>
  [...code].flatMap(([file, text]) => (where(file) ? text.split('\n').flatMap((line, i) => (pattern.test(line) ? [`${file}:${i + 1}`] : [])) : []));

/** A file's path in `ui/`, as `from` names it. */
const named = (/** @type {string} */ target, /** @type {string} */ from) => fileURLToPath(new URL(target, new URL(from, `file://${root}`))).slice(root.length);
/** What a module imports as soon as it is loaded. @type {(file: string, text: string) => string[]} */
const importedBy = (file, text) => [...text.matchAll(/^(?:import|export)\b[^;']*'(\.[^']+)'/gm)].map(([, target]) => named(target, file));
/** What it imports when it needs it. @type {(file: string, text: string) => string[]} */
const laterBy = (file, text) => [...text.matchAll(/=> import\('([^']+)'\)/g)].map(([, target]) => named(target, file));

test('only_the_bridge_touches_tauri', () => {
  assert.deepEqual(hits(/__TAURI/, (file) => file !== 'ipc/tauri.js'), []);
  assert.equal(hits(/__TAURI/).length > 0, true, 'the pattern finds the bridge itself');
});

test('no_markup_is_ever_parsed', () => {
  const parsing = /\.(innerHTML|outerHTML)\b|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|\beval\(|new Function/;
  assert.deepEqual(hits(parsing), []);
  assert.ok(parsing.test('x.innerHTML = y'));
});

test('no_style_attributes_and_no_inline_scripts', () => {
  assert.deepEqual(hits(/setAttribute\('style'|cssText/), []);
  const page = read('index.html');
  assert.doesNotMatch(page, /\sstyle=|<style|\son\w+=/);
  for (const [tag] of page.matchAll(/<script[^>]*>/g)) assert.match(tag, /\ssrc=/);
});

test('nothing_is_loaded_from_elsewhere', () => {
  const outside = /(?:from|import\(|src=|href=|url\()\s*["'(]*(?:https?:)?\/\//;
  for (const file of files.filter((name) => /\.(js|css|html)$/.test(name))) assert.doesNotMatch(read(file), outside, file);
});

test('every_import_names_a_file_that_ships', () => {
  for (const [file, text] of code) {
    for (const target of [...importedBy(file, text), ...laterBy(file, text)]) assert.ok(files.includes(target), `${file} imports ${target}`);
  }
});

test('the_page_names_every_module_that_the_first_screen_takes_and_no_other', () => {
  // Without, the web view learns of a module from the one that imports it: a round trip for each of five levels.
  const first = new Set(['main.js']);
  for (const file of first) for (const target of importedBy(file, code.get(file) ?? '')) first.add(target);
  const preloaded = [...read('index.html').matchAll(/<link rel="modulepreload" href="([^"]+)">/g)].map(([, file]) => file);
  assert.deepEqual(preloaded, [...first].filter((file) => file !== 'main.js').sort());
  const later = new Set([...code].flatMap(([file, text]) => laterBy(file, text)));
  assert.ok(later.size > 8, 'dialogs come when they are opened');
  assert.deepEqual([...later].filter((file) => first.has(file)), [], 'what comes later is not imported at the start as well');
});

test('elements_have_two_word_names_and_the_name_of_their_file', () => {
  const defined = [...code].flatMap(([file, text]) => [...text.matchAll(/customElements\.define\('([^']+)'/g)].map(([, tag]) => [file, tag]));
  assert.ok(defined.length > 8);
  for (const [file, tag] of defined) {
    assert.match(tag, /^[a-z]+-[a-z]+$/);
    assert.equal(file, `elements/${tag}.js`);
  }
});

test('raw_colours_stand_in_tokens_only', () => {
  for (const file of files.filter((name) => name.endsWith('.css') && name !== 'css/tokens.css')) {
    assert.doesNotMatch(read(file), /#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(/i, file);
  }
});

test('styles_say_start_and_end_since_some_lines_run_the_other_way', () => {
  const sided = /(?:margin|padding|border)-(?:left|right)\b|[\s;{](?:left|right)\s*:|(?:text-align|float):\s*(?:left|right)/;
  for (const file of files.filter((name) => name.endsWith('.css'))) assert.doesNotMatch(read(file), sided, file);
  assert.ok(sided.test('a { margin-left: 0; }') && sided.test('a { left: 0; }') && sided.test('a { text-align: right; }'));
});

test('every_style_file_is_in_a_layer', () => {
  const index = read('css/index.css');
  for (const file of files.filter((name) => name.endsWith('.css') && name !== 'css/index.css')) {
    assert.match(index, new RegExp(`@import url\\("${file.slice('css/'.length)}"\\) layer\\(\\w+\\);`), file);
  }
});

test('every_string_of_the_catalogue_is_used_and_every_used_one_is_there', () => {
  const used = new Set([...code.values()].flatMap((text) => [...text.matchAll(/\bt\('([^']+)'/g)].map(([, key]) => key)));
  used.delete('key'); // the example in the comment of t() itself
  assert.deepEqual([...used].filter((key) => !(key in en)), [], 'used but missing');
  assert.deepEqual(Object.keys(en).filter((key) => !used.has(key)), [], 'there but never used');
});

test('plural_forms_ask_for_the_same_words', () => {
  const holes = (/** @type {string} */ form) => [...form.matchAll(/\{(\w+)\}/g)].map(([, hole]) => hole).sort();
  for (const [key, entry] of Object.entries(en)) {
    if (typeof entry === 'string') continue;
    assert.deepEqual(holes(entry.one), holes(entry.other), key);
    assert.ok(holes(entry.other).includes('n'), key);
  }
});

test('a_sentence_is_filled_with_plain_text', () => {
  assert.equal(t('near.here', { n: 1 }), '1 person here');
  assert.equal(t('message.seen', { n: 11, total: 14 }), 'Seen by 11 of 14');
  assert.equal(t('rooms.last', { name: '{text}', text: '$& <b>' }), '{text}: $& <b>', 'a peer’s words are never read as holes');
});
