/** Sealed copies with servers, in a room's people: who decides it, who is told, and a refusal. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '../e2e/harness/webdriver.js';
import { Stage, missing } from './stage.js';

describe('copies with servers', { skip: missing }, () => {
  const stage = new Stage();
  before(() => stage.open());
  after(() => stage.close());

  /** What can be seen of it: the state, the buttons, the refusal, whether a button has the focus. */
  const seen = () => stage.window.run(`
    const part = document.querySelector('room-backup');
    const shown = (hook) => [...part.querySelectorAll('[data-test="' + hook + '"]')].filter((one) => one.getClientRects().length > 0).map((one) => one.textContent).join();
    return { state: shown('room-backed'), buttons: [...part.querySelectorAll('button')].map((one) => one.dataset.test), error: shown('error-text'),
      hints: part.getClientRects().length > 0 ? part.querySelectorAll('.rule-hints > p').length : 0, focus: part.contains(document.activeElement) };`);
  const STATE = 'Members may leave sealed copies of messages with this room’s server, for up to three days.';

  test('an owner switches it on and off, and the keyboard stays where it was', async () => {
    await stage.show('door');
    assert.deepEqual(await seen(), { state: '', buttons: ['room-backup-start'], error: '', hints: 3, focus: false });
    const press = async (/** @type {string} */ hook, /** @type {string} */ next) => {
      await stage.window.run('const button = document.querySelector(`[data-test="${arguments[0]}"]`); button.focus(); button.click();', [hook]);
      await until(next, async () => (await seen()).buttons[0] === next);
    };
    await press('room-backup-start', 'room-backup-stop');
    assert.deepEqual(await seen(), { state: STATE, buttons: ['room-backup-stop'], error: '', hints: 3, focus: true });
    await press('room-backup-stop', 'room-backup-start');
    assert.deepEqual(await seen(), { state: '', buttons: ['room-backup-start'], error: '', hints: 3, focus: true });
    assert.deepEqual((await stage.calls('back_up_room')).map(({ on }) => on), [true, false]);
  });

  test('an owner enters what a box\'s organiser gave, which switches it on; something else is refused, and what was written stays', async () => {
    await stage.show('door');
    const shown = () => stage.window.run(`
      const part = document.querySelector('room-pass');
      const text = (hook) => [...part.querySelectorAll('[data-test="' + hook + '"]')].filter((one) => one.getClientRects().length > 0).map((one) => one.textContent).join();
      return { state: text('room-pass-state'), button: text('room-pass'), error: text('error-text'), field: part.querySelector('textarea')?.value ?? null,
        focus: part.contains(document.activeElement) };`);
    assert.deepEqual(await shown(), { state: '', button: 'Enter a pass of a box', error: '', field: null, focus: false });
    await stage.click('room-pass');
    await stage.click('room-pass-save');
    assert.equal((await shown()).error, 'Paste the pass first.');
    const write = (/** @type {string} */ text) => stage.window.run('document.querySelector("#room-pass").value = arguments[0];', [text]);
    await write('PEDDLENET:J/AAAA');
    await stage.click('room-pass-save');
    await until('the refusal', async () => (await shown()).error === 'That is not a pass of a box.');
    assert.equal((await shown()).field, 'PEDDLENET:J/AAAA');
    await write(' PEDDLENET:C/AEBA ');
    await stage.click('room-pass-save');
    await until('the state', async () => (await shown()).state !== '');
    const { state, button, field, focus } = await shown();
    assert.match(state, /^Until Thursday, 1 January .* the organiser’s box keeps copies of this room, whenever it is near\.$/);
    assert.deepEqual({ button, field, focus }, { button: 'Enter another pass', field: null, focus: true });
    assert.equal((await seen()).state, STATE);
    assert.deepEqual((await stage.calls('back_up_room')).map(({ on, pass }) => ({ on, pass })), [
      { on: true, pass: 'PEDDLENET:J/AAAA' }, { on: true, pass: 'PEDDLENET:C/AEBA' },
    ]);
  });

  test('a refusal is said, and nothing changes', async () => {
    await stage.show('door');
    await stage.window.run('window.shell.failing.back_up_room = { code: "not_allowed", message: "You can’t do that in this room." };');
    await stage.click('room-backup-start');
    await until('the refusal', async () => (await seen()).error === 'You can’t do that in this room.');
    const { state, buttons } = await seen();
    assert.deepEqual({ state, buttons }, { state: '', buttons: ['room-backup-start'] });
  });

  test('a member is told of it and of what the server learns, and decides nothing; where it is off, or the room is left, nothing is said', async () => {
    await stage.show('copiesmember');
    assert.deepEqual(await seen(), { state: STATE, buttons: [], error: '', hints: 1, focus: false });
    for (const given of [{ backup: false }, { backup: true, removed: true }]) {
      await stage.window.run('const room = [...window.shell.rooms.values()].find(({ name }) => name === "Camp 7"); window.shell.changeRoom(room.room, arguments[0]);', [given]);
      await until('nothing to be said', async () => (await seen()).hints === 0);
      assert.equal((await seen()).state, '');
    }
  });
});
