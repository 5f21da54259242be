/** The join with two scans, and codes on a device that moved, in WebKit over the in-memory shell. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '../e2e/harness/webdriver.js';
import { Stage, missing } from './stage.js';

describe('a code shown back', { skip: missing }, () => {
  const stage = new Stage();
  before(() => stage.open());
  after(() => stage.close());

  /** @param {string} hook */
  const there = (hook) => stage.window.run('return (document.querySelector(`[data-test="${arguments[0]}"]`)?.getClientRects().length ?? 0) > 0', [hook]);
  const awake = async () => (await stage.calls('keep_awake')).map((/** @type {{on: boolean}} */ { on }) => on);

  test('it stands while joining goes on, and cancelling ends both', async () => {
    await stage.show('backcode');
    assert.deepEqual(await awake(), [true]);
    assert.deepEqual(await stage.calls('join_shown_back'), [{ link: 'PEDDLENET:J/ABC' }]);
    assert.match(await stage.window.run('return document.querySelector(`[data-test="back-left"]`).textContent'), /0:5\d|1:00/);
    await stage.click('join-cancel');
    await until('the camera again', () => there('scan-link'));
    assert.equal((await stage.calls('cancel_join')).length, 1);
    assert.deepEqual(await awake(), [true, false]);
  });

  test('closing the window while it is shown is giving up', async () => {
    await stage.show('backcode');
    await stage.click('dialog-close');
    await until('the join cancelled', async () => (await stage.calls('cancel_join')).length === 1);
    assert.deepEqual(await awake(), [true, false]);
  });

  test('cancelled before there is a code, nothing is joined', async () => {
    await stage.show('backmaking');
    await stage.click('join-cancel');
    await until('the camera again', () => there('scan-link'));
    assert.deepEqual([await stage.calls('join_shown_back'), await there('back-qr')], [[], false]);
  });

  test('it is made anew where the addresses change, and the join goes on', async () => {
    await stage.show('backcode');
    await stage.window.run('window.shell.emit({ kind: "network" })');
    await until('another code', async () => (await stage.calls('back_code')).length === 2);
    assert.deepEqual([(await stage.calls('join_shown_back')).length, (await stage.calls('cancel_join')).length, await there('back-qr')], [1, 0, true]);
  });

  test('the room opens once its join is through, and a failure offers every way again', async () => {
    await stage.show('joinapart');
    await stage.click('back-show');
    await until('the room', () => stage.window.run('return document.querySelector("scan-dialog") === null && location.hash.startsWith("#/room/")'));
    await stage.show('backfailed');
    for (const way of ['join-again', 'back-show', 'scan-again']) assert.equal(await there(way), true, way);
    assert.equal(await there('back-qr'), false);
  });

  test('only what a second scan may help against offers it', async () => {
    await stage.show('refused');
    await until('the failure', () => there('join-again'));
    assert.equal(await there('back-show'), false);
  });

  test('whoever made the code is told that their friend is coming', async () => {
    await stage.show('answered');
    assert.deepEqual(await stage.calls('answer_back'), [{ link: 'peddlenet:b/ABC' }]);
    assert.equal((await stage.calls('join_room')).length, 0);
    await stage.click('answer-done');
    await until('the dialog gone', () => stage.window.run('return document.querySelector("scan-dialog") === null'));
  });

  test('a picture of it, pasted, is followed too', async () => {
    await stage.show('answerscan');
    await stage.window.run(`window.shell.scans = [{ result: 'back', link: 'PEDDLENET:B/XYZ' }];
      const canvas = document.createElement('canvas');
      canvas.toBlob((blob) => {
        const data = new DataTransfer();
        data.items.add(new File([blob], 'code.png', { type: 'image/png' }));
        document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
      });`);
    await until('the answer', async () => (await stage.calls('answer_back')).length === 1);
    await until('the words', () => there('answer-done'));
  });

  test('a person is not checked by it', async () => {
    await stage.show('verifyback');
    assert.match(await stage.window.run('return document.querySelector("person-dialog [data-test=error-text]").textContent'), /another kind of code/);
    assert.equal((await stage.calls('answer_back')).length, 0);
  });

  test('a code on the screen gives way at once where the addresses change', async () => {
    await stage.show('invite');
    await until('the code', () => there('invite-qr'));
    await stage.window.run('window.shell.emit({ kind: "network" })');
    await until('another', async () => (await stage.calls('create_invite')).length === 2);
    await until('it on the screen', () => there('invite-qr'));
    await stage.click('dialog-close');
    await until('the dialog gone', () => stage.window.run('return document.querySelector("invite-dialog") === null'));
    await stage.window.run('window.shell.emit({ kind: "network" })');
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal((await stage.calls('create_invite')).length, 2, 'none is made while none is shown');
  });

  const complaint = () => stage.window.run('return document.querySelector("invite-dialog [data-test=error-text]").textContent');

  test('a code of a room that is closed meanwhile is shown no more, until it is open again', async () => {
    await stage.show('shutcode');
    assert.deepEqual([await there('invite-qr'), await complaint()], [false, 'This room is closed to new people. Open it again to show a code.']);
    await stage.click('invite-open-room');
    await until('a code', () => there('invite-qr'));
    assert.equal((await stage.calls('create_invite')).length, 2);
  });

  test('a code of a room that one was removed from is shown no more, and none is made', async () => {
    await stage.show('gonecode');
    assert.match(await complaint(), /^You were removed/);
    await stage.window.run('window.shell.emit({ kind: "network" })');
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual([await there('invite-qr'), await there('invite-again'), (await stage.calls('create_invite')).length], [false, false, 1]);
  });

  test('a code gives way to a new one when somebody is removed, since that ends it', async () => {
    await stage.show('invite');
    await until('the code', () => there('invite-qr'));
    await stage.window.run(`const { shell } = window;
      const [room] = [...shell.rooms.keys()].slice(-1);
      void shell.tauri.core.invoke('remove_member', { room, author: shell.members.get(room)[1].author });`);
    await until('another code', async () => (await stage.calls('create_invite')).length === 2);
    assert.equal(await there('invite-qr'), true);
  });
});
