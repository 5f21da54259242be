/** What the page asks of the desktop, or says of it, in WebKit over the in-memory shell. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '../e2e/harness/webdriver.js';
import { Stage, missing } from './stage.js';

describe('the desktop around the page', { skip: missing }, () => {
  const stage = new Stage();
  before(() => stage.open());
  after(() => stage.close());

  /** @param {string} hook */
  const there = (hook) => stage.window.run('return (document.querySelector(`[data-test="${arguments[0]}"]`)?.getClientRects().length ?? 0) > 0', [hook]);
  const awake = async () => (await stage.calls('keep_awake')).map((/** @type {{on: boolean}} */ { on }) => on);

  test('where a tray is, settings offer it, and write what was chosen', async () => {
    await stage.show('notices');
    await until('the tray', () => there('tray'));
    assert.equal(await stage.window.run('return document.querySelector(`[data-test="tray"]`).checked'), false);
    await stage.click('tray');
    await until('the choice', async () => (await stage.calls('set_setting')).length === 1);
    assert.deepEqual(await stage.calls('set_setting'), [{ name: 'tray', value: 'on' }]);
  });

  test('where none is, nothing is offered', async () => {
    await stage.show('traynone');
    await until('the shell asked', async () => (await stage.calls('has_tray')).length === 1);
    assert.deepEqual([await there('notify'), await there('tray')], [true, false]);
  });

  test('a poster is printed by the shell', async () => {
    await stage.show('postersheet');
    await stage.click('poster-print');
    await until('the print', async () => (await stage.calls('print')).length === 1);
  });

  test('the screen stays on while a code to compare is shown', async () => {
    await stage.show('verifycode');
    await until('the code', () => there('verify-qr'));
    assert.deepEqual(await awake(), [true]);
    await stage.click('verify-back');
    assert.deepEqual(await awake(), [true, false]);
    await stage.click('verify-show');
    await stage.window.click('person-dialog [data-test="dialog-close"]');
    await until('the end of it', async () => (await awake()).length === 4);
    assert.deepEqual(await awake(), [true, false, true, false]);
  });

  test('the list of rooms says what was said to one alone, also to a reader', async () => {
    await stage.show('favourites');
    const said = await stage.window.run('return [...document.querySelectorAll(`[data-test="room-direct"]`)].map((one) => one.textContent)');
    assert.deepEqual(said.sort(), ['11 new private message', '22 new private messages']);
  });

  test('a passphrase is set by typing it twice, and offered no more', async () => {
    await stage.show('protect');
    await stage.window.type('[data-test="protect-first"]', 'open sesame');
    await stage.window.type('[data-test="protect-again"]', 'open');
    await stage.click('protect-go');
    assert.deepEqual(await stage.calls('protect'), []);
    await stage.window.type('[data-test="protect-again"]', 'open sesame');
    await stage.click('protect-go');
    await until('the dialog to go', async () => !(await there('protect-go')));
    assert.deepEqual(await stage.calls('protect'), [{ passphrase: 'open sesame' }]);
    await until('no offer', async () => (await there('make-room')) && !(await there('protect-open')));
  });
});
