/**
 * Every preview scene, at the width of a small phone, in both directions and both themes: axe finds nothing, and
 * nothing has to be scrolled sideways. Needs Xvfb, WebKitWebDriver and MiniBrowser: `npm run axe`, some minutes.
 *
 * `SCENES=room,people npm run axe` looks at these alone.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { findings } from '../e2e/harness/axe.js';
import { Pages } from '../e2e/harness/pages.js';

const PHONE = /** @type {const} */ ([360, 740]);
const LAPTOP = /** @type {const} */ ([1280, 800]);

/** What can be wider than the box it scrolls in. */
const SIDEWAYS = `return [document.documentElement, ...document.querySelectorAll('dialog, .start, .room-scroll, .messages, .dialog-body')]
  .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => (one.className || one.localName) + ' ' + one.scrollWidth + '>' + one.clientWidth)`;

/** @type {Pages} */
let pages;
/** @type {string[]} */
let scenes = [];

before(async () => {
  pages = await Pages.open();
  await pages.show('scene=first', ...PHONE);
  const all = await pages.session.run('return window.scenes');
  scenes = process.env.SCENES?.split(',') ?? all;
});
after(() => pages.close());

/**
 * @param {string} more Added to the address of each scene.
 * @param {readonly [number, number]} size
 * @param {(name: string) => Promise<string[]>} look
 */
async function everyScene(more, size, look) {
  const wrong = [];
  for (const scene of scenes) {
    const name = `${scene}${more}`;
    try {
      await pages.show(`scene=${name}`, ...size);
      wrong.push(...(await look(name)).map((line) => `${name}: ${line}`));
    } catch (problem) {
      wrong.push(`${name}: ${problem}`);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(scenes.length > 0);
}

async function both() {
  const { session } = pages;
  const light = await findings(session);
  await session.run('document.documentElement.dataset.theme = "dark"');
  const dark = await findings(session, ['color-contrast']);
  return [...light, ...dark.map((line) => `dark: ${line}`), ...(await session.run(SIDEWAYS)).map((/** @type {string} */ line) => `sideways: ${line}`)];
}

test('what_is_wrong_is_found', async () => {
  const { session } = pages;
  await pages.show('scene=rooms', ...PHONE);
  await session.run(`const make = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
    const image = make('img', '');
    image.src = 'icons/mark.svg';
    const [small, next] = [make('button', 'x'), make('button', 'y')];
    for (const one of [small, next]) one.style.inlineSize = one.style.blockSize = '9px';
    const pale = make('p', 'Pale');
    pale.style.color = '#ccc';
    const row = make('div', '');
    row.style.inlineSize = '999px';
    row.append(image, small, next, pale);
    document.querySelector('.room-scroll').prepend(row);`);
  const found = await both();
  for (const rule of ['image-alt', 'target-size', 'color-contrast', 'sideways']) assert.ok(found.some((line) => line.startsWith(rule)), `${rule} in ${found}`);
});

test('axe_finds_nothing_from_left_to_right', () => everyScene('', PHONE, both));
test('axe_finds_nothing_from_right_to_left', () => everyScene('&lang=ar', PHONE, both));
test('axe_finds_nothing_beside_the_list', () => everyScene('', LAPTOP, both));
test('huge_text_still_fits_a_small_phone', () => everyScene('&text=huge', PHONE, () => pages.session.run(SIDEWAYS)));
