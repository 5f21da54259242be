/** What is asked for again and again is asked for only while somebody looks. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Refresh } from '../../ui/lib/refresh.js';

/** A page that can be hidden, and work that is done when it is let. */
function stage() {
  const page = Object.assign(new EventTarget(), { visibilityState: /** @type {DocumentVisibilityState} */ ('visible') });
  /** @type {(() => void)[]} */
  const open = [];
  let asked = 0;
  const refresh = new Refresh(() => {
    asked += 1;
    return new Promise((resolve) => open.push(resolve));
  }, 2000, /** @type {any} */ (page));
  const settle = async () => {
    open.splice(0).forEach((done) => done());
    for (let n = 0; n < 5; n += 1) await Promise.resolve();
  };
  const show = (/** @type {DocumentVisibilityState} */ state) => {
    page.visibilityState = state;
    page.dispatchEvent(new Event('visibilitychange'));
  };
  return { refresh, settle, show, asked: () => asked };
}

test('it_asks_at_once_and_two_seconds_after_each_answer', async (t) => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  t.after(() => mock.timers.reset());
  const { refresh, settle, asked } = stage();
  refresh.start();
  assert.equal(asked(), 1);
  mock.timers.tick(10_000);
  assert.equal(asked(), 1, 'not before the answer');
  await settle();
  mock.timers.tick(1999);
  assert.equal(asked(), 1);
  mock.timers.tick(1);
  assert.equal(asked(), 2);
  refresh.stop();
  await settle();
  mock.timers.tick(10_000);
  assert.equal(asked(), 2, 'stopped while it was being answered');
});

test('nothing_is_asked_while_the_page_is_hidden', async (t) => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  t.after(() => mock.timers.reset());
  const { refresh, settle, show, asked } = stage();
  refresh.start();
  await settle();
  show('hidden');
  mock.timers.tick(60_000);
  assert.equal(asked(), 1);
  show('visible');
  assert.equal(asked(), 2, 'at once when somebody looks again');
  refresh.stop();
  show('hidden');
  show('visible');
  assert.equal(asked(), 2);
});

test('what_happens_meanwhile_is_asked_for_once_more', async (t) => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  t.after(() => mock.timers.reset());
  const { refresh, settle, asked } = stage();
  refresh.start();
  refresh.now();
  refresh.now();
  assert.equal(asked(), 1, 'never twice at a time');
  await settle();
  assert.equal(asked(), 1, 'and however much happens, not without a pause');
  mock.timers.tick(300);
  assert.equal(asked(), 2);
  await settle();
  for (let n = 0; n < 50; n += 1) refresh.now();
  mock.timers.tick(299);
  assert.equal(asked(), 2);
  mock.timers.tick(1);
  assert.equal(asked(), 3);
  refresh.stop();
});
