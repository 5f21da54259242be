/** The Wi-Fi that friends need first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ipc } from '../../ui/ipc/index.js';
import { wifiOf, wifiProblem } from '../../ui/lib/wifi.js';
import { FakeShell } from './fake-tauri.js';

const NONE = { name: '', password: '', hidden: false };

test('what_was_kept_is_read_and_anything_else_is_empty', () => {
  const wifi = { name: 'Rosa’s hotspot', password: 'long rope 7', hidden: true };
  assert.deepEqual(wifiOf(JSON.stringify(wifi)), wifi);
  assert.deepEqual([undefined, '', 'null', '[]', '{"name":7,"hidden":"yes"}', '{'].map(wifiOf), Array.from({ length: 6 }, () => NONE));
});

test('a_name_is_needed_and_a_password_is_long_or_empty', () => {
  assert.equal(wifiProblem({ name: ' ', password: 'long rope 7', hidden: false })?.field, 'name');
  assert.equal(wifiProblem({ name: 'Camp', password: '1234567', hidden: false })?.field, 'password');
  assert.equal(wifiProblem({ name: 'Camp', password: '12345678', hidden: false }), null);
  assert.equal(wifiProblem({ name: 'Camp', password: '', hidden: false }), null, 'an open network');
});

test('the_code_is_asked_for_with_exactly_what_was_entered_and_a_refusal_says_nothing_of_it', async () => {
  const shell = new FakeShell();
  Object.assign(globalThis, { window: { __TAURI__: shell.tauri } });
  const { svg } = await ipc.wifiCode({ name: 'Camp', password: 'long rope 7', hidden: false });
  assert.match(svg, /^<svg/);
  assert.deepEqual(shell.calls.at(-1), { command: 'wifi_code', args: { name: 'Camp', password: 'long rope 7', hidden: false }, headers: undefined });
  await assert.rejects(ipc.wifiCode({ name: 'Camp', password: 'short', hidden: false }), (/** @type {any} */ error) => error.code === 'bad_request' && !error.message.includes('short'));
});
