/** The network view, diagnostics and the Wi-Fi's code in WebKit, over the in-memory shell. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '../e2e/harness/webdriver.js';
import { KEYS, Stage, missing } from './stage.js';

describe('the network, the numbers and the Wi-Fi', { skip: missing }, () => {
  const stage = new Stage();
  before(() => stage.open());
  after(() => stage.close());

  const count = async (/** @type {string} */ command) => (await stage.calls(command)).length;

  for (const [scene, dialog, command] of [['network', 'network-dialog', 'network_map'], ['diagnostics', 'diagnostics-dialog', 'diagnostics']]) {
    test(`${scene} is asked for again and again while it is open, and not after`, async () => {
      await stage.show(scene);
      const first = await count(command);
      await until('two more answers', async () => await count(command) >= first + 2);
      await stage.window.run('document.querySelector(`${arguments[0]} [data-test="dialog-close"]`).click()', [dialog]);
      await until('the dialog to be gone', () => stage.window.run('return document.querySelector(arguments[0]) === null', [dialog]));
      const last = await count(command);
      await new Promise((resolve) => setTimeout(resolve, 2600));
      assert.equal(await count(command), last);
    });
  }

  for (const [scene, command] of [['network', 'network_map'], ['diagnostics', 'diagnostics']]) {
    test(`${scene} is asked for at once when the addresses change`, async () => {
      await stage.show(scene);
      // By itself it is asked for every two seconds: once, at most, while this goes on.
      const answers = await stage.window.runAsync(`const [command, done] = arguments;
        const count = () => window.shell.calls.filter((call) => call.command === command).length;
        const first = count();
        (async () => {
          for (let n = 0; n < 4; n += 1) {
            window.shell.emit({ kind: 'network' });
            await new Promise((resolve) => setTimeout(resolve, 450));
          }
          done(count() - first);
        })();`, [command]);
      assert.ok(answers >= 3, `${answers} answers after four changes`);
    });
  }

  test('readers of the screen have the table, the eye has the picture, and never is nothing there', async () => {
    await stage.show('network');
    const state = () => stage.window.run(`
      const box = document.querySelector('[data-test="network-table"]').closest('mesh-table').parentElement;
      return { svg: document.querySelector('mesh-picture svg').getAttribute('aria-hidden'), picture: document.querySelector('mesh-picture').getClientRects().length > 0,
        table: !box.classList.contains('visually-hidden'), rows: document.querySelectorAll('[data-test="network-row"]').length,
        focusable: box.querySelectorAll('button, a, input, [tabindex]').length };`);
    assert.deepEqual(await state(), { svg: 'true', picture: true, table: false, rows: 14, focusable: 0 });
    await stage.click('network-as-table');
    assert.deepEqual(await state(), { svg: 'true', picture: false, table: true, rows: 14, focusable: 0 });
  });

  test('who goes out of reach moves outside, step by step, and ends where the layout says', async () => {
    await stage.show('networkfive');
    const where = 'const at = document.querySelector(`[data-spot="${arguments[0]}"]`); return [at.getAttribute("transform"), at.classList.contains("is-away")];';
    const author = await stage.window.run(`const [room] = window.shell.maps.keys(); return window.shell.maps.get(room).people[4].author`);
    const [before] = await stage.window.run(where, [author]);
    await stage.window.run(`
      const [room] = window.shell.maps.keys();
      const map = window.shell.maps.get(room);
      window.seen = new Set();
      new MutationObserver(() => window.seen.add(document.querySelector('[data-spot="' + arguments[0] + '"]')?.getAttribute('transform')))
        .observe(document.querySelector('mesh-picture svg'), { childList: true });
      window.shell.maps.set(room, { ...map, path: null, links: map.links.filter(({ a, b }) => a !== arguments[0] && b !== arguments[0]),
        people: map.people.map((one) => (one.author === arguments[0] ? { ...one, state: 'away', hops: null } : one)) });`, [author]);
    await until('them outside', async () => {
      const [at, away] = await stage.window.run(where, [author]);
      return away && at !== before;
    });
    const still = await stage.window.run('return matchMedia("(prefers-reduced-motion: reduce)").matches');
    await until('the end of the way', () => stage.window.run(`
      const spot = document.querySelector('[data-spot="' + arguments[0] + '"]');
      return Number(spot.getAttribute('transform').match(/ ([\\d.]+)\\)/)[1]) > Number(document.querySelector('.mesh-border').getAttribute('d').match(/M0 ([\\d.]+)/)[1]);`, [author]));
    const steps = (await stage.window.run('return [...window.seen]')).length;
    assert.ok(still ? steps >= 1 : steps > 2, `${steps} places on the way`);
    assert.match(await stage.window.run('return document.querySelector(`[data-test="network-change"]`).textContent'), /Not reachable any more: Dora/);
  });

  test('the copied text holds what is on the screen', async () => {
    await stage.show('diagnostics');
    const { facts, copied } = await stage.window.run(`let copied = '';
      Object.defineProperty(navigator, 'clipboard', { configurable: true, value: { writeText: async (text) => { copied = text; } } });
      document.querySelector('[data-test="diagnostics-copy"]').click();
      return { copied, facts: [...document.querySelectorAll('.fact')].map((one) => [...one.children].map((part) => part.textContent)) };`);
    assert.ok(facts.length > 15);
    for (const parts of facts) for (const part of parts) assert.ok(copied.includes(part.replaceAll('\n', ', ')), part);
  });

  test('counters that were folded out stay so while the numbers change', async () => {
    await stage.show('diagnosticscounters');
    await stage.window.run('window.shell.numbers.counters[0][1] += 1');
    await until('the new number', () => stage.window.run('return document.querySelector(`[data-test="diagnostics-counters"]`).textContent.includes("18,312")'));
    assert.equal(await stage.window.run('return document.querySelector(`[data-test="diagnostics-counters"]`).open'), true);
  });

  test('a refused server is said at its field, Enter saves another one, and an empty field is none', async () => {
    await stage.show('serverrefused');
    const field = () => stage.window.run(`const field = document.querySelector('[data-test="server"]');
      const said = field.getAttribute('aria-describedby').split(' ').map((id) => document.getElementById(id)).filter((one) => !one.hidden).map((one) => one.textContent).join(' ');
      return { invalid: field.getAttribute('aria-invalid'), focused: document.activeElement === field, refused: said.includes('looks like wss:'), sees: said.includes('never names or texts') };`);
    assert.deepEqual(await field(), { invalid: 'true', focused: true, refused: true, sees: true });
    await stage.window.run('delete window.shell.failing.set_setting');
    const server = '[data-test="server"]';
    const saved = () => stage.window.run('const line = document.querySelector(`[data-test="server-saved"]`); return line.hidden ? "" : line.textContent');
    await stage.window.type(server, ' ws://127.0.0.1:9 ');
    assert.deepEqual(await field(), { invalid: null, focused: true, refused: false, sees: true }, 'what is typed now has not been refused');
    await (await stage.window.see(server)).type(KEYS.enter);
    await until('that it is saved', async () => /whether it can be reached/.test(await saved()));
    await stage.window.run('const field = document.querySelector(arguments[0]); field.value = ""; field.dispatchEvent(new Event("input"))', [server]);
    assert.equal(await saved(), '', 'what is said is about what stands there');
    await stage.click('server-save');
    await until('that there is none', async () => /No server is used/.test(await saved()));
    assert.deepEqual((await stage.calls('set_setting')).map(({ name, value }) => [name, value]), [['server', 'ftp://example.org'], ['server', 'ws://127.0.0.1:9'], ['server', '']]);
  });

  test('the password of the Wi-Fi is kept for the next time and left nowhere in the page', async () => {
    await stage.show('wificode');
    const found = await stage.window.run(`return {
      page: document.documentElement.outerHTML.includes('long rope 7') || [...document.querySelectorAll('input')].some((one) => one.value === 'long rope 7'),
      kept: JSON.parse(window.shell.settings.wifi), browser: JSON.stringify({ ...localStorage }).includes('long rope') };`);
    assert.deepEqual(found, { page: false, kept: { name: 'Rosa’s hotspot', password: 'long rope 7', hidden: false }, browser: false });
    await stage.click('wifi-change');
    assert.equal(await stage.window.run('return document.querySelector(`[data-test="wifi-name"]`).value'), 'Rosa’s hotspot');
  });

  test('the steps change places by the keyboard and keep it', async () => {
    await stage.show('wificode');
    const step = () => stage.window.run('return [document.activeElement.dataset.test, document.querySelector("[aria-current=step]").dataset.test]');
    assert.deepEqual(await step(), ['invite-step-1', 'invite-step-1']);
    await stage.click('invite-step-2');
    assert.deepEqual(await step(), ['invite-step-2', 'invite-step-2']);
  });
});
