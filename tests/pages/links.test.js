/** Links that are opened outside of the app, in WebKit over the in-memory shell. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Stage, missing } from './stage.js';

describe('a link from outside', { skip: missing }, () => {
  const stage = new Stage();
  before(() => stage.open());
  after(() => stage.close());

  test('of a pass says where a pass belongs and offers to copy it, and joins nothing', async () => {
    await stage.show('outsidepass');
    const shown = await stage.window.run(`const dialog = document.querySelector('outside-dialog');
      return { words: dialog.querySelector('[data-test="outside-pass"]').textContent, focus: document.activeElement.dataset.test,
        buttons: [...dialog.querySelectorAll('.dialog-body button')].map((one) => one.dataset.test) };`);
    assert.match(shown.words, /a room that you own.*“Enter a pass of a box”/);
    assert.deepEqual([shown.buttons, shown.focus], [['outside-copy', 'outside-not'], 'outside-copy']);
    assert.deepEqual(await stage.calls('join_room'), []);
  });
});
