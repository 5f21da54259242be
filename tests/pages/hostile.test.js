/** What peers write and call themselves is text, wherever it is shown, and breaks no page. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '../e2e/harness/webdriver.js';
import { Stage, missing } from './stage.js';

/** What would be in the page if a peer's words were parsed. */
const FOREIGN = 'app-shell :is(script, iframe, b, object, embed, link, style, img:not([src^="blob:"])), app-shell [onerror], app-shell [onclick], app-shell [style*="url"]';

/** Scenes in which hostile names and words stand, each in elements of its own. */
const SCENES = ['hostile', 'hostilepeople', 'hostilesearch', 'hostilenetwork', 'hostilenetworktable', 'hostilesheet', 'hostileperson', 'hostileseen', 'hostilemenu', 'hostilereply', 'hostiledelete', 'hostiledirect', 'hostilelink', 'hostilerooms'];

describe('hostile names and words', { skip: missing }, () => {
  const stage = new Stage();
  before(() => stage.open());
  after(() => stage.close());

  for (const scene of SCENES) {
    test(`${scene}: nothing is parsed, nothing runs, nothing overflows`, async () => {
      await stage.show(scene, 360);
      await stage.window.see(scene === 'hostilerooms' ? '[data-test="room-item"]' : '[data-test="message"]');
      const found = await stage.window.run(`
        const wide = (el) => el.scrollWidth > el.clientWidth + 1;
        return {
          foreign: [...document.querySelectorAll(arguments[0])].map((el) => el.outerHTML.slice(0, 120)),
          ran: window.ran ?? null,
          wide: [document.documentElement, ...document.querySelectorAll('.messages, dialog[open], room-list, .app-main, .found')].filter(wide).map((el) => el.className || el.localName),
          loose: [...document.querySelectorAll('.bubble-name, .quote-name, .mention-name, .found-name, .context-title, .chip-sign, .person-name, .app-main .bar-title')]
            .filter((el) => el.localName !== 'bdi').map((el) => el.outerHTML.slice(0, 120)),
          words: [...document.querySelectorAll('.bubble-text:not(.is-gone *), .quote-text, .found-text, .context-text, .seen-quote, .text-link')]
            .filter((el) => !el.hasAttribute('dir')).map((el) => el.outerHTML.slice(0, 120)),
          shown: document.body.textContent.includes(arguments[1]),
        };`, [FOREIGN, '<']);
      assert.deepEqual(found, { foreign: [], ran: null, wide: [], loose: [], words: [], shown: true });
    });
  }

  test('a message is shown as it was written, sign by sign', async () => {
    await stage.show('hostile', 360);
    await stage.window.see('[data-test="message"]');
    const pairs = await stage.window.run(`
      const out = [];
      const scroller = document.querySelector('.messages');
      const said = new Map([...window.shell.messages.values()].flat().map((m) => [m.message, m.text]));
      for (const el of document.querySelectorAll('[data-test=message]')) {
        const text = el.querySelector('.bubble-text');
        if (text.querySelector('button')) continue;
        out.push([text.textContent, said.get(el.dataset.message)]);
      }
      return out;`);
    assert.ok(pairs.length >= 3);
    for (const [shown, written] of pairs) assert.equal(shown, written);
  });

  test('a text of 64 KiB is folded, and whole when it is asked for', async () => {
    await stage.show('hostile', 360);
    await stage.window.see('[data-test="message"]');
    const far = 'return [...document.querySelectorAll("[data-act=unfold]")].some((el) => el.parentElement.textContent.startsWith("xxx")) || void (document.querySelector(".messages").scrollTop -= 300)';
    await until('the long message', () => stage.window.run(far));
    const lengths = await stage.window.run(`
      const more = [...document.querySelectorAll('[data-act=unfold]')].find((el) => el.parentElement.textContent.startsWith('xxx'));
      const text = more.closest('.bubble-text');
      const bubble = more.closest('message-bubble');
      const before = text.textContent.length;
      more.click();
      return [before < 1600, bubble.querySelector('.bubble-text').textContent.length];`);
    assert.deepEqual(lengths, [true, 65_536]);
  });
});
