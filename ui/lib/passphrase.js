/**
 * The line under fields for a passphrase that lets its words be seen.
 */
import { t } from '../strings/index.js';
import { h } from './dom.js';

/**
 * @param {string} hook Of the box, for tests.
 * @param {HTMLInputElement[]} inputs What it shows, and hides again.
 */
export function showLine(hook, ...inputs) {
  return h('label', { class: 'check-line' },
    h('input', {
      type: 'checkbox', 'data-test': hook,
      onchange: (/** @type {Event} */ event) => {
        const type = /** @type {HTMLInputElement} */ (event.target).checked ? 'text' : 'password';
        for (const input of inputs) input.type = type;
      },
    }),
    h('span', {}, t('locked.show')));
}
