/**
 * `<create-dialog>`: names a new room and makes it.
 *
 * data: {create(name) -> Promise<room id>}; emits `room-open` (room id).
 *
 * @typedef {{create: (name: string) => Promise<string>}} CreateData
 */
import { errorLine, h, setLine } from '../lib/dom.js';
import { ModalElement } from '../lib/modal.js';
import { t } from '../strings/index.js';

/** Longer names don't fit a phone's line. */
const NAME_MAX = 60;

/** @extends {ModalElement<CreateData>} */
export class CreateDialog extends ModalElement {
  #input = h('input', {
    id: 'room-name', class: 'field', type: 'text', maxlength: NAME_MAX, autocomplete: 'off', dir: 'auto', enterkeyhint: 'done',
    placeholder: t('create.placeholder'), 'aria-describedby': 'room-name-hint', 'data-test': 'room-name',
  });
  #create = h('button', { type: 'submit', class: 'button button-primary', 'data-test': 'room-create' }, t('create.go'));
  #error = errorLine();

  setup() {
    super.setup();
    this.heading = t('create.title');
    this.body.replaceChildren(h('form', { class: 'stack', novalidate: true, onsubmit: (/** @type {Event} */ event) => this.#submit(event) },
      h('label', { class: 'label', for: 'room-name' }, t('create.label')),
      this.#input,
      h('p', { class: 'hint', id: 'room-name-hint' }, t('create.hint')),
      this.#error,
      this.#create));
    this.#input.focus();
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    const name = this.#input.value.trim();
    if (name === '') {
      setLine(this.#error, t('create.needed'));
      this.#input.focus();
      return;
    }
    setLine(this.#error, '');
    this.#create.disabled = true;
    this.#create.textContent = t('create.waiting');
    try {
      const room = await this.data.create(name);
      this.close(); // first, so that the room may take the focus
      this.emit('room-open', room);
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
    } finally {
      this.#create.disabled = false;
      this.#create.textContent = t('create.go');
    }
  }
}
customElements.define('create-dialog', CreateDialog);
