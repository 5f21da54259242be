/**
 * Every preview scene, in both directions and both themes, on a small phone and on a laptop: axe finds nothing, and
 * nothing has to be scrolled sideways, also when the text is twice as large. `npm run axe`, some minutes.
 *
 * `SCENES=room,people npm run axe` looks at these alone.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { findings } from '../../e2e/harness/axe.js';
import { Stage, missing } from '../stage.js';

const PHONE = /** @type {const} */ ([360, 740]);
const LAPTOP = /** @type {const} */ ([1280, 800]);

/** What can be wider than the box it scrolls in. */
const SIDEWAYS = `return [document.documentElement, ...document.querySelectorAll('dialog, .start, .room-scroll, .messages, .dialog-body')]
  .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => 'sideways: ' + (one.className || one.localName) + ' ' + one.scrollWidth + '>' + one.clientWidth)`;

const stage = new Stage();

/** @param {string} name @returns {(lines: Promise<string[]>) => Promise<string[]>} */
const named = (name) => async (lines) => (await lines).map((line) => `${name}: ${line}`);

/** As a small phone shows it. */
async function onPhone() {
  const { window: session } = stage;
  const found = [...await findings(session), ...await session.run(SIDEWAYS)];
  await session.run('document.documentElement.style.fontSize = "200%"');
  found.push(...await named('twice the text')(session.run(SIDEWAYS)));
  await session.run('document.documentElement.style.fontSize = ""');
  return found;
}

/** What differs in the dark: colours alone. */
async function inTheDark() {
  // Two pictures later every element has taken the other colours.
  await stage.window.runAsync(`document.documentElement.dataset.theme = 'dark';
    const done = arguments[0];
    requestAnimationFrame(() => requestAnimationFrame(() => done()));`);
  return findings(stage.window, ['color-contrast']);
}

async function onLaptop() {
  await stage.window.run('document.documentElement.dataset.theme = "light"');
  await stage.sizeFrame(...LAPTOP);
  return [...await findings(stage.window), ...await stage.window.run(SIDEWAYS)];
}

describe('the scenes', { skip: missing }, () => {
  before(async () => {
    await stage.open();
    await stage.window.resize(1380, 960);
  });
  after(() => stage.close());

  test('what_is_wrong_is_found', async () => {
    const { window: session } = stage;
    await stage.showInFrame('scene=rooms', ...PHONE);
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
    const found = await onPhone();
    for (const rule of ['image-alt', 'target-size', 'color-contrast', 'sideways']) assert.ok(found.some((line) => line.startsWith(rule)), `${rule} in ${found}`);
  });

  test('every_scene_can_be_used_by_everybody', async (t) => {
    await stage.showInFrame('scene=first', ...PHONE);
    /** @type {string[]} */
    const scenes = process.env.SCENES?.split(',') ?? await stage.window.run('return window.scenes');
    assert.ok(scenes.length > 0);
    for (const scene of scenes) {
      await t.test(scene, async () => {
        await stage.showInFrame(`scene=${scene}&lang=ar`, ...PHONE);
        const found = await named('from right to left')(onPhone());
        await stage.showInFrame(`scene=${scene}`, ...PHONE);
        found.push(...await onPhone(), ...await named('dark')(inTheDark()), ...await named('wide')(onLaptop()));
        assert.deepEqual(found, []);
      });
    }
  });
});
