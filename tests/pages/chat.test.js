/** The chat under a keyboard, and what the eye is on while messages come and pages load. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '../e2e/harness/webdriver.js';
import { KEYS, Stage, missing } from './stage.js';

const INPUT = '[data-test="composer-input"]';

describe('the chat', { skip: missing }, () => {
  const stage = new Stage();
  before(() => stage.open());
  after(() => stage.close());

  const active = () => stage.window.run(`const el = document.activeElement; return el.closest('message-bubble')?.dataset.message ?? el.dataset.test ?? el.localName`);
  const order = () => stage.window.run('return [...document.querySelectorAll("message-bubble")].map((el) => el.dataset.message)');
  /** Presses keys on whatever has the focus. */
  const press = async (/** @type {string} */ keys) => {
    await stage.window.run('document.activeElement.dataset.here = "1"');
    const [one] = await stage.window.all('[data-here="1"]');
    await stage.window.run('delete document.activeElement.dataset.here');
    await one.type(keys);
  };
  const focusLast = () => until('the messages', () => stage.window.run('const el = [...document.querySelectorAll("message-bubble[tabindex=\\"0\\"]")]; el[0]?.focus(); return el.length'));

  test('one message is in the order of Tab, and arrows go from one to the next', async () => {
    await stage.show('said');
    assert.equal(await focusLast(), 1, 'one stop for Tab');
    const list = await order();
    assert.equal(await active(), list.at(-1));
    await press(KEYS.up);
    assert.equal(await active(), list.at(-2));
    await press(KEYS.down);
    assert.equal(await active(), list.at(-1));
    await press(KEYS.home);
    assert.equal(await stage.window.run('return document.querySelector(".messages").scrollTop < 400'), true);
    const first = (await order())[0];
    assert.equal(await active(), first);
    assert.equal(await stage.window.run('return document.querySelectorAll("message-bubble[tabindex=\\"0\\"]").length'), 1);
    await press(KEYS.end);
    assert.equal(await active(), list.at(-1));
  });

  test('a key opens the menu, arrows go through it, Escape gives the focus back', async () => {
    await stage.show('said');
    await focusLast();
    const at = await active();
    await press(KEYS.shift + KEYS.f10);
    assert.equal(await active(), 'menu-reply');
    await press(KEYS.down);
    assert.equal(await active(), 'menu-copy');
    await press(KEYS.up + KEYS.up);
    assert.equal(await active(), 'react-type');
    await press(KEYS.end);
    assert.equal(await active(), 'menu-delete');
    await press(KEYS.escape);
    assert.equal(await active(), at);
    await press(KEYS.enter);
    await press(KEYS.enter);
    assert.equal(await active(), 'composer-input', 'an answer is being written');
    assert.equal(await stage.window.run('return document.querySelector("[data-test=composer-context]").dataset.kind'), 'reply');
    await press(KEYS.escape);
    assert.equal(await stage.window.run('return document.querySelector("[data-test=composer-context]").hidden'), true);
  });

  test('arrow up in an empty box edits the last own message, and what was drafted is not lost by it', async () => {
    await stage.show('said');
    const box = await stage.window.see(INPUT);
    await box.type(KEYS.up);
    assert.equal(await box.property('value'), 'I’ll look at it.');
    await box.type('!!');
    await box.type(KEYS.escape);
    assert.equal(await box.property('value'), '');
    await box.type(KEYS.up);
    await box.type(' Now.');
    await box.type(KEYS.enter);
    await until('the edit', () => stage.window.run('return [...document.querySelectorAll("[data-test=message]")].at(-1).textContent.includes("I’ll look at it. Now.")'));
    const sent = await stage.window.run('return window.shell.calls.filter((c) => c.command === "edit_message").map((c) => c.args.text)');
    assert.deepEqual(sent, ['I’ll look at it. Now.']);
    assert.equal(await stage.window.run('return [...document.querySelectorAll("[data-test=message]")].at(-1).querySelector("[data-test=message-edited]") !== null'), true);
  });

  test('a name is picked by keys and sent along', async () => {
    await stage.show('said');
    const box = await stage.window.see(INPUT);
    await box.type('Hi @ad');
    await stage.window.see('[data-test="mention"]');
    await box.type(KEYS.down + KEYS.enter);
    assert.equal(await box.property('value'), 'Hi @Ada ');
    await box.type('there');
    await box.type(KEYS.enter);
    const [sent] = await until('the message', () => stage.window.run('const c = window.shell.calls.filter((c) => c.command === "send_message"); return c.length && c.map((c) => c.args)'));
    assert.equal(sent.text, 'Hi @Ada there');
    assert.equal(sent.mentions.length, 1, 'one of two Adas');
    await box.type('@ad');
    await stage.window.see('[data-test="mention"]');
    await box.type(KEYS.escape);
    assert.equal(await stage.window.run('return document.querySelector("mention-list").hidden'), true);
    assert.equal(await box.property('value'), '@ad');
  });

  test('a quote leads to its message, and one far back is fetched', async () => {
    await stage.show('jump');
    const place = await stage.window.run(`
      const bubble = [...document.querySelectorAll('message-bubble')].find((el) => el.textContent.includes('The needle'));
      const box = document.querySelector('.messages').getBoundingClientRect();
      const { top, bottom } = bubble.getBoundingClientRect();
      return [top >= box.top, bottom <= box.bottom, document.activeElement === bubble];`);
    assert.deepEqual(place, [true, true, true]);
  });

  test('what the eye is on stays where it is while pages load, messages come, go and grow', async () => {
    await stage.show('jump');
    const moved = await stage.window.runAsync(`
      const done = arguments[arguments.length - 1];
      const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      (async () => {
        const bubble = [...document.querySelectorAll('message-bubble')].find((el) => el.textContent.includes('The needle'));
        const { shell } = window;
        const [room] = [...shell.rooms.keys()].slice(-1);
        const at = () => bubble.getBoundingClientRect().top;
        const start = at();
        const off = [];
        const look = async (what) => { await later(60); await frame(); off.push([what, bubble.isConnected && Math.abs(at() - start) < 1.5]); };
        for (let i = 0; i < 5; i += 1) shell.emit({ kind: 'message', message: shell.addMessage(room, { text: 'new ' + i, author: 'a'.repeat(32), name: 'Ada', mine: false }) });
        await look('new messages');
        const edge = document.querySelector('.messages').getBoundingClientRect().top;
        const above = [...document.querySelectorAll('message-bubble')].filter((el) => el.getBoundingClientRect().bottom < edge).at(-1).dataset.message;
        shell.changeMessage(room, above, { text: 'grown '.repeat(80), editedMs: 1 });
        await look('one above grows');
        shell.react(room, above, 'a'.repeat(32), '👍');
        await look('a reaction above');
        shell.changeMessage(room, above, { text: '', deleted: true });
        await look('one above is deleted');
        done([off, document.querySelector('.newer-count').textContent]);
      })().catch((error) => done(String(error)));`);
    assert.deepEqual(moved, [[['new messages', true], ['one above grows', true], ['a reaction above', true], ['one above is deleted', true]], '5']);
  });

  test('scrolling up loads page after page and nothing jumps', async () => {
    await stage.show('long');
    await stage.window.see('message-bubble');
    const result = await stage.window.runAsync(`
      const done = arguments[arguments.length - 1];
      const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      (async () => {
        const scroller = document.querySelector('.messages');
        let worst = 0;
        let at = '';
        let steps = 0;
        for (let i = 0; i < 120; i += 1) {
          const middle = innerHeight / 2;
          const held = [...document.querySelectorAll('message-bubble')].find((el) => el.getBoundingClientRect().bottom > middle);
          const before = held.getBoundingClientRect().top;
          const by = Math.min(150, scroller.scrollTop);
          scroller.scrollTop -= by;
          await frame();
          if (!held.isConnected) continue;
          steps += 1;
          const off = Math.abs(held.getBoundingClientRect().top - before - by);
          if (off > worst) { worst = off; at = i + ':' + by + ':' + scroller.scrollTop; }
        }
        done([steps > 100, worst < 2 ? 'still' : worst + ' at ' + at, window.shell.calls.filter((c) => c.command === 'history').length > 2]);
      })().catch((error) => done(String(error)));`);
    assert.deepEqual(result, [true, 'still', true]);
  });

  test('an address is opened only after it was shown', async () => {
    await stage.show('link');
    const opened = () => stage.window.run('return window.shell.calls.filter((c) => c.command === "open_link").map((c) => c.args.url)');
    assert.deepEqual(await opened(), []);
    assert.equal(await active(), 'link-cancel', 'Enter by habit opens nothing');
    const url = await (await stage.window.see('[data-test="link-address"]')).text();
    await stage.window.click('[data-test="link-open"]');
    await until('the address to be opened', async () => (await opened()).length === 1);
    assert.deepEqual(await opened(), [url]);
  });

  test('what is being written is there again in a room that is opened again', async () => {
    await stage.show('draft');
    const box = await stage.window.see(INPUT);
    assert.equal(await box.property('value'), 'Written before the restart');
    await box.type(' and after');
    await stage.window.run('location.hash = "#/"');
    const kept = await until('the draft to be kept', () => stage.window.run('return window.shell.drafts[0]?.text.endsWith("after") && window.shell.drafts.map((d) => d.text)'));
    assert.deepEqual(kept, ['Written before the restart and after']);
  });

  test('a long press opens the menu and the finger that lifts presses nothing, a short one and a slip open none', async () => {
    await stage.show('said');
    await stage.window.see('message-bubble');
    const opened = await stage.window.runAsync(`
      const done = arguments[arguments.length - 1];
      const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      (async () => {
        const chip = [...document.querySelectorAll('[data-act=quote]')].at(-1);
        const finger = (type, x = 50) => chip.dispatchEvent(new PointerEvent(type, { bubbles: true, pointerType: 'touch', clientX: x, clientY: 50 }));
        const open = () => document.querySelector('message-menu') !== null;
        const out = [];
        finger('pointerdown'); await later(150); finger('pointerup'); await later(500);
        out.push(open());
        finger('pointerdown'); finger('pointermove', 90); await later(600);
        out.push(open());
        finger('pointerup');
        finger('pointerdown'); await later(600);
        out.push(open());
        finger('pointerup');
        chip.click();
        out.push(document.querySelector('[data-test=pane-line]').hidden);
        done(out);
      })().catch((error) => done(String(error)));`);
    assert.deepEqual(opened, [false, false, true, true]);
  });

  test('the right button opens the menu, but not over marked words', async () => {
    await stage.show('said');
    await stage.window.see('message-bubble');
    const opened = await stage.window.run(`
      const bubble = [...document.querySelectorAll('message-bubble')].at(-1);
      const press = () => !bubble.dispatchEvent(new MouseEvent('contextmenu', { bubbles: true, cancelable: true, clientX: 60, clientY: 60 }));
      getSelection().selectAllChildren(bubble.querySelector('.bubble-text'));
      const marked = [press(), document.querySelector('message-menu') !== null];
      getSelection().removeAllRanges();
      return [...marked, press(), document.querySelector('message-menu') !== null];`);
    assert.deepEqual(opened, [false, false, true, true]);
  });

  const reacted = () => stage.window.run('return window.shell.calls.filter((c) => c.command === "react").map((c) => c.args.reaction)');

  test('a sign is put by the menu, changed by typing another, and taken back by its chip', async () => {
    await stage.show('menuown');
    const pick = await stage.window.all('[data-test="react-pick"]');
    await pick[0].click();
    await until('the reaction', async () => (await reacted()).length === 1);
    const own = '[data-test="reaction"][aria-pressed="true"]';
    const sign = () => stage.window.run('return [...document.querySelectorAll("message-bubble")].find((el) => el.textContent.includes("Yes. Under")).querySelector("[data-test=reaction][aria-pressed=true]")?.dataset.value ?? ""');
    await until('its chip', async () => (await sign()) === '👍');
    await stage.window.run('[...document.querySelectorAll("message-bubble")].find((el) => el.textContent.includes("Yes. Under")).querySelector("[data-test=message-more]").click()');
    await stage.window.click('[data-test="react-type"]');
    const field = await stage.window.see('[data-test="react-input"]');
    await field.type('no' + KEYS.enter);
    await stage.window.see('[data-test="react-problem"]');
    await stage.window.run('document.querySelector("[data-test=react-input]").value = "🏕️"');
    await stage.window.click('[data-test="react-go"]');
    await until('the other chip', async () => (await sign()) === '🏕️');
    assert.equal((await stage.window.run(`return document.querySelector('message-bubble ${own}').getAttribute('aria-label')`)).length > 3, true);
    await stage.window.run('[...document.querySelectorAll("message-bubble")].find((el) => el.textContent.includes("Yes. Under")).querySelector("[data-test=reaction][aria-pressed=true]").click()');
    await until('the chip to go', async () => (await sign()) === '');
    assert.deepEqual(await reacted(), ['👍', '🏕️', '']);
  });

  test('a message is deleted after one question, and says so', async () => {
    await stage.show('deleting');
    assert.equal(await active(), 'delete-keep');
    assert.deepEqual(await stage.window.run('return window.shell.calls.filter((c) => c.command === "delete_message").length'), 0);
    await stage.window.click('[data-test="delete-go"]');
    await until('the message to go', () => stage.window.run('return ![...document.querySelectorAll("message-bubble")].some((el) => el.textContent.includes("Yes. Under"))'));
    assert.equal(await stage.window.run('return document.querySelector("delete-dialog")'), null);
  });

  test('a search goes on through history by itself, and further when asked, until nothing is left', async () => {
    await stage.show('searchlong');
    const results = () => stage.window.run('return document.querySelectorAll("[data-test=search-result]").length');
    const state = () => stage.window.run('return document.querySelector("[data-test=search-state]").textContent');
    const older = '[data-test="search-older"]';
    await stage.window.see(older);
    const first = await results();
    assert.ok(first >= 40);
    assert.match(await state(), /Looked at everything back to/);
    await stage.window.click(older);
    await until('more', async () => (await results()) > first && !/Looking/.test(await state()));
    const steps = await stage.window.run('return window.shell.calls.filter((c) => c.command === "search").map((c) => c.args.before)');
    assert.equal(new Set(steps).size, steps.length, 'no part is looked at twice');
    await stage.window.type('[data-test="search-input"]', 'needle');
    await until('the needle', async () => (await results()) === 1 && /Everything on this device/.test(await state()));
    assert.equal(await stage.window.run('return document.querySelector("[data-test=search-results] mark").textContent'), 'needle');
  });

  test('going to a message far back can be stopped', async () => {
    await stage.show('jumping');
    await stage.window.click('[data-test="jump-stop"]');
    await stage.window.gone('[data-test="pane-line"]');
  });

  test('two people alone have the same: an answer carries what it answers', async () => {
    await stage.show('direct');
    await stage.window.see('[data-test="direct"] message-bubble');
    await stage.window.run('document.querySelector("direct-dialog message-bubble [data-test=message-more]").click()');
    await stage.window.click('[data-test="menu-reply"]');
    const box = await stage.window.see(`[data-test="direct"] ${INPUT}`);
    await box.type('Yes @Ada' + KEYS.enter);
    const [sent] = await until('the message', () => stage.window.run('const c = window.shell.calls.filter((c) => c.command === "send_direct"); return c.length && c.map((c) => c.args)'));
    assert.deepEqual([sent.text, typeof sent.replyTo], ['Yes @Ada', 'string']);
    await until('the quote', () => stage.window.run('return document.querySelector("direct-dialog [data-test=message-quote]") !== null'));
    await stage.window.run('document.querySelector("direct-dialog message-bubble [data-test=message-more]").click()');
    await stage.window.click('[data-test="menu-reply"]');
    await box.type(KEYS.escape);
    assert.equal(await stage.window.run('return document.querySelector("direct-dialog dialog").open'), true, 'Escape ends the answer, not the talk');
  });

  test('who has seen a message is told while it is looked at', async () => {
    await stage.show('takingback');
    await stage.click('delete-keep');
    await until('the question gone', () => stage.window.run('return document.querySelector("delete-dialog") === null'));
    const mine = () => stage.window.run('return [...document.querySelectorAll("message-bubble.is-mine")].at(-1).querySelector("[data-test=message-state]").click()');
    await mine();
    const seen = () => stage.window.run('return [document.querySelectorAll("seen-dialog .person-name").length, document.querySelector("seen-dialog .people-heading").textContent]');
    assert.deepEqual(await seen(), [4, 'Not yet']);
    await stage.window.run(`const { shell } = window;
      const [room] = [...shell.rooms.keys()].slice(-1);
      const { message } = shell.messages.get(room).at(-1);
      shell.emit({ kind: 'receipt', room, message, seenBy: [shell.members.get(room)[1].author] });`);
    await until('the receipt', async () => (await seen())[1] === 'Seen');
  });

  test('what nobody has yet is taken back, and the question says what that is', async () => {
    await stage.show('takingback');
    const words = await stage.window.run('return document.querySelector("delete-dialog").textContent');
    assert.match(words, /Take this message back\?.*As far as this device knows, nobody has it yet/);
    await stage.click('delete-go');
    await until('the deletion', async () => (await stage.calls('delete_message')).length === 1);
  });

  test('what is still being saved is not sent when asked not to', async () => {
    await stage.show('states');
    await stage.window.run('window.shell.delays.send_message = 1');
    await stage.window.run('document.querySelector("[data-test=message][data-state=queued] [data-test=message-discard]").click()');
    await until('it gone', () => stage.window.run('return document.querySelector("[data-test=message][data-state=queued]") === null'));
  });

  test('after midnight what was today is yesterday', async () => {
    await stage.show('room');
    const days = () => stage.window.run('return [...document.querySelectorAll(".line-day")].map((one) => one.textContent)');
    assert.equal((await days()).at(-1), 'Today');
    await stage.window.run(`const { now } = Date;
      Date.now = () => now() + 86_400_000;
      window.dispatchEvent(new Event('languagechange')); // the page looks at its clock, as it does twice a minute`);
    await until('another day', async () => (await days()).at(-1) === 'Yesterday');
  });
});
