/** Putting text on the clipboard, in webviews that lend it and in those that don't. */
import { h } from './dom.js';

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
