/** One of a few, all of them in sight: a group of radio buttons under a title. */
import { h } from './dom.js';

/**
 * @template {string | number | null} V
 * @param {object} choice
 * @param {string} choice.name
 * @param {string} choice.title
 * @param {[V, string][]} choice.values Each with its words.
 * @param {V} choice.chosen
 * @param {(value: V) => void} choice.choose
 * @param {string} choice.hook The value is added to it.
 * @returns {HTMLFieldSetElement}
 */
export function choice({ name, title, values, chosen, choose, hook }) {
  return h('fieldset', { class: 'choice' },
    h('legend', { class: 'label' }, title),
    ...values.map(([value, words]) => h('label', { class: 'choice-item' },
      h('input', {
        type: 'radio', name, value: String(value), checked: value === chosen, 'data-test': `${hook}-${value}`,
        onchange: () => choose(value),
      }),
      h('span', {}, words))));
}

/**
 * A choice that folds out, with an arrow of the page's own.
 * @param {import('./dom.js').Attributes} attributes
 * @param {...HTMLOptionElement} options
 * @returns {{box: HTMLElement, select: HTMLSelectElement}}
 */
export function dropdown(attributes, ...options) {
  const select = h('select', { ...attributes, class: 'field' }, ...options);
  return { box: h('span', { class: 'dropdown' }, select), select };
}

/**
 * Something that is on or off, with what it means below.
 * @param {object} choice
 * @param {string} choice.words
 * @param {string} [choice.hint]
 * @param {boolean} choice.on
 * @param {(on: boolean) => void} choice.set
 * @param {string} choice.hook
 * @returns {HTMLElement}
 */
export function toggle({ words, hint = '', on, set, hook }) {
  const id = `${hook}-hint`;
  return h('div', { class: 'toggle' },
    h('label', { class: 'toggle-line' },
      h('span', {}, words),
      h('input', {
        type: 'checkbox', role: 'switch', class: 'toggle-switch', checked: on, 'data-test': hook, 'aria-describedby': hint === '' ? null : id,
        onchange: (/** @type {Event} */ event) => set(/** @type {HTMLInputElement} */ (event.target).checked),
      })),
    hint !== '' && h('p', { class: 'hint', id }, hint));
}
