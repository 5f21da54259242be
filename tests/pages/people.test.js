/** A room's people, where not everything goes well, in WebKit over the in-memory shell. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '../e2e/harness/webdriver.js';
import { Stage, missing } from './stage.js';

describe('the people of a room', { skip: missing }, () => {
  const stage = new Stage();
  before(() => stage.open());
  after(() => stage.close());

  /** @param {string} hook */
  const there = (hook) => stage.window.run('return (document.querySelector(`people-dialog [data-test="${arguments[0]}"]`)?.getClientRects().length ?? 0) > 0', [hook]);

  test('that can not be looked at are told to be so, and looked at again when asked', async () => {
    await stage.show('nopeople');
    assert.match(await stage.window.run('return document.querySelector("people-dialog").textContent'), /Something went wrong inside the app/);
    assert.equal(await there('people-again'), true);
    await stage.window.run('delete window.shell.failing.members');
    await stage.click('people-again');
    await until('the people', () => there('member'));
    assert.deepEqual([await there('people-again'), await there('error-text')], [false, false]);
  });
});
