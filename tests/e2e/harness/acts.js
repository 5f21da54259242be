/** What people do in a window, in their words. Only the `data-test` hooks of ui/README.md are used. */
import assert from 'node:assert/strict';

import { until } from './webdriver.js';

/** @typedef {import('./stage.js').Person} Person */
/** @typedef {import('./webdriver.js').Element} Element */

/** @param {string} name @param {string} [more] Further conditions. */
export const hook = (name, more = '') => `[data-test="${name}"]${more}`;

/** The first start: says a name. @param {Person} person @param {string} [as] Another than the story's. */
export async function introduce({ window, name }, as = name) {
  await window.type(hook('name-input'), as);
  await window.click(hook('name-save'));
  await window.see(hook('make-room'), `${name}'s start screen after the name`);
}

/** @param {Person} person @param {string} name */
export async function makeRoom({ window }, name) {
  await window.click(hook('make-room'));
  await window.type(hook('room-name'), name);
  await window.click(hook('room-create'));
  await window.see(hook('composer-input'), 'the new room');
}

/** Shows the room's code. @param {Person} person @returns {Promise<string>} What the code says. */
export async function showCode({ window }) {
  await window.click(hook('invite-open'));
  await window.see(hook('invite-qr'), 'the code');
  return until('the link under the code', async () => (await window.see(hook('invite-link'))).property('value'));
}

/**
 * What a code on the screen says, read as the camera's frames are.
 * @param {Person} person
 * @param {string} css
 * @returns {Promise<string>}
 */
export async function codeOf({ window }, css) {
  const read = await window.runAsync(`const [css, done] = arguments;
    (async () => {
      const { ipc } = await import('/ipc/index.js');
      const { pictureLuma } = await import('/lib/camera.js');
      return ipc.scanFrame(pictureLuma(document.querySelector(css), 640));
    })().then(done, (problem) => done({ problem: String(problem) }));`, [css]);
  assert.equal(typeof read.link, 'string', `a code: ${JSON.stringify(read)}`);
  return read.link;
}

/** Chooses a picture in the scan dialog. @param {Person} person @param {string} file */
export async function choosePicture({ window }, file) {
  await window.click(hook('scan-open'));
  const input = await until('the picture button', async () => (await window.all(hook('scan-file')))[0]);
  await input.type(file);
}

/** Pastes a link in the scan dialog. @param {Person} person @param {string} link */
export async function pasteLink({ window }, link) {
  await window.click(hook('scan-open'));
  await window.type(hook('scan-link'), link);
  await window.click(hook('scan-join'));
}

/** @param {Person} person */
export async function closeDialog({ window }) {
  await window.click(hook('dialog-close'));
  await window.gone('dialog', 'the dialog');
}

/** Opens the only room, unless it is open already. @param {Person} person */
export async function enterRoom({ window, name }) {
  await until(`${name}'s room`, async () => {
    for (const css of [hook('composer-input'), hook('room-item')]) {
      for (const one of await window.all(css)) {
        if (!(await one.visible())) continue;
        if (css === hook('composer-input')) return true;
        await one.click();
      }
    }
    return false;
  });
}

/** @param {Person} person @param {string} text */
export async function say({ window }, text) {
  const field = hook('composer-input');
  // The driver's keyboard ends at U+FFFF: an emoji is inserted as a paste would.
  if (/[\u{10000}-\u{10ffff}]/u.test(text)) {
    await window.click(field);
    await window.run('document.execCommand("insertText", false, arguments[0])', [text]);
  } else {
    await window.type(field, text);
  }
  await window.click(hook('composer-send'));
}

/**
 * Waits until a message is on the screen, in one of the states if they matter.
 * @param {Person} person
 * @param {string} text
 * @param {string[]} [states]
 * @returns {Promise<string>} Its state.
 */
export function sees({ window, name }, text, states = []) {
  return until(`"${text}" in ${name}'s window${states.length ? `, ${states.join(' or ')}` : ''}`, async () => {
    const found = (await messages(window)).find((message) => message.text.includes(text));
    return found && (states.length === 0 || states.includes(found.state)) ? found.state : null;
  });
}

/** Everything that a room shows. @param {Person['window']} window @returns {Promise<{text: string, state: string, message: string}[]>} */
export function messages(window) {
  return window.run(`return [...document.querySelectorAll(arguments[0])].map((one) => ({
    text: one.innerText, state: one.dataset.state, message: one.dataset.message }))`, [hook('message')]);
}

/**
 * The selector of the message that says this, once it has its place in the room.
 * @param {Person} person
 * @param {string} text
 */
export async function messageOf({ window, name }, text) {
  const id = await until(`"${text}" in ${name}'s window, to do something with it`, async () =>
    (await messages(window)).find((one) => one.text.includes(text) && one.message !== '')?.message);
  return hook('message', `[data-message="${id}"]`);
}

/**
 * Opens a message's menu, as with the pointer over it, and picks from it.
 * @param {Person} person
 * @param {string} text
 * @param {string} css What to pick.
 */
export async function pick(person, text, css) {
  const { window, name } = person;
  const message = await messageOf(person, text);
  await until(`the menu of "${text}" in ${name}'s window`, async () => {
    if ((await window.all(hook('message-menu'))).length > 0) return true;
    // See-through until the pointer is there, which a driver's click is only a moment later.
    await window.run('document.querySelector(arguments[0]).click()', [`${message} ${hook('message-more')}`]);
    return false;
  });
  await window.click(css);
  await window.gone(hook('message-menu'), 'the menu');
}

/**
 * Waits for words somewhere in the window. Asked of the page: for the driver a line that ends in dots is not on the screen.
 * @param {Person} person
 * @param {string} css
 * @param {RegExp} words
 * @returns {Promise<string>}
 */
export function reads({ window, name }, css, words) {
  return until(`${words} at ${css} in ${name}'s window`, async () => {
    /** @type {string[]} */
    const texts = await window.run(`return [...document.querySelectorAll(arguments[0])]
      .filter((one) => one.getClientRects().length > 0).map((one) => one.innerText.trim())`, [css]);
    return texts.find((text) => words.test(text));
  });
}

/** Dialogs lie over each other: this closes the one of that name. @param {Person} person @param {string} element */
export async function close({ window }, element) {
  await window.click(`${element} ${hook('dialog-close')}`);
  await window.gone(`${element} dialog`, element);
}

/** Asks the shell as the page would. @param {Person} person @param {string} command @param {object} [args] @returns {Promise<any>} */
export function ask({ window }, command, args = {}) {
  return window.runAsync(`const [command, args, done] = arguments;
    window.__TAURI__.core.invoke(command, args).then((value) => done({ value }), ({ code }) => done({ code }));`, [command, args]);
}

/**
 * Ada makes a room and Ben joins it by her link.
 * @param {Person} ada
 * @param {Person} ben
 * @param {string} room
 * @param {string} [benAs] Another name than the story's.
 */
export async function meet(ada, ben, room, benAs = ben.name) {
  await introduce(ada);
  await makeRoom(ada, room);
  const link = await showCode(ada);
  await introduce(ben, benAs);
  await pasteLink(ben, link);
  await ben.window.see(hook('composer-input'), `${ada.name}'s room in ${ben.name}'s window`);
  await closeDialog(ada);
}

/** The sentence that tells what went wrong. @param {Person} person @returns {Promise<string>} */
export function complaint({ window, name }) {
  return until(`a sentence in ${name}'s window`, async () => {
    for (const one of await window.all(hook('error-text'))) {
      if (await one.visible()) return one.text();
    }
    return null;
  });
}
