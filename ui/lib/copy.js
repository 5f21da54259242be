/** Putting text on the clipboard, in webviews that lend it and in those that don't. */
import { h, icon, setLine } from './dom.js';

/** How long a button says what came of it. */
const SAID_MS = 2500;

/**
 * @param {string} text
 * @param {Element} near Where a box may stand for a moment: inside of an open dialog when there is one.
 * @returns {Promise<boolean>} Whether it is there now.
 */
export async function copyText(text, near) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // The older way asks nobody, but wants the text marked in the page.
    const held = document.activeElement;
    const box = h('textarea', { class: 'visually-hidden', readonly: true, tabindex: -1 });
    box.value = text;
    near.append(box);
    box.select();
    const done = document.execCommand('copy');
    box.remove();
    if (held instanceof HTMLElement) held.focus({ preventScroll: true });
    return done;
  }
}

/**
 * A button that copies, and says for a moment what came of it.
 * @param {object} button
 * @param {string} button.words
 * @param {string} button.kind Its classes.
 * @param {string} button.hook
 * @param {() => Promise<{done: boolean, said: string}>} button.copy Says what came of it; nothing where that is said elsewhere.
 * @returns {HTMLButtonElement}
 */
export function copyButton({ words, kind, hook, copy }) {
  const line = h('span', { role: 'status' });
  const button = h('button', {
    type: 'button', class: kind, 'data-test': hook,
    onclick: async () => {
      const { done, said } = await copy();
      if (said === '') return;
      show(done ? 'check' : 'copy', said);
      setTimeout(() => show('copy', words), SAID_MS);
    },
  });
  const show = (/** @type {import('./dom.js').IconName} */ name, /** @type {string} */ text) => {
    setLine(line, text);
    button.replaceChildren(icon(name), line);
  };
  show('copy', words);
  return button;
}
