/**
 * `<name-form>`: asks for a name, at first start and when it is changed.
 *
 * data: {name, submit(name) -> Promise, label of the button}; emits `named` when it is saved.
 *
 * @typedef {{name: string, action: string, submit: (name: string) => Promise<void>}} NameFormData
 */
import { errorLine, h, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { t } from '../strings/index.js';

/** Longer names don't fit a phone's line. */
const NAME_MAX = 40;

/** @extends {ViewElement<NameFormData>} */
export class NameForm extends ViewElement {
  #input = h('input', {
    id: 'name-input', class: 'field', type: 'text', maxlength: NAME_MAX, autocomplete: 'nickname', spellcheck: 'false',
    enterkeyhint: 'done', dir: 'auto', 'aria-describedby': 'name-hint', 'data-test': 'name-input',
    placeholder: t('name.placeholder'),
  });
  #save = h('button', { type: 'submit', class: 'button button-primary', 'data-test': 'name-save' });
  #error = errorLine();

  setup() {
    this.replaceChildren(h('form', { class: 'stack', novalidate: true, onsubmit: (/** @type {Event} */ event) => this.#submit(event) },
      h('label', { class: 'label', for: 'name-input' }, t('name.label')),
      this.#input,
      h('p', { class: 'hint', id: 'name-hint' }, t('name.hint')),
      this.#error,
      this.#save));
    this.#input.focus();
  }

  /**
   * @param {NameFormData} data
   * @param {NameFormData | undefined} previous
   */
  render(data, previous) {
    this.#save.textContent = data.action;
    if (!previous) this.#input.value = data.name;
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    const name = this.#input.value.trim();
    if (name === '') {
      setLine(this.#error, t('name.needed'));
      this.#input.focus();
      return;
    }
    setLine(this.#error, '');
    this.#save.disabled = true;
    try {
      await this.data.submit(name);
      this.emit('named');
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
    } finally {
      this.#save.disabled = false;
    }
  }
}
customElements.define('name-form', NameForm);
