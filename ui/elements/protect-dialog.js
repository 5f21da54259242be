/**
 * `<protect-dialog>`: puts this device's data under a passphrase, before there is a room.
 *
 * data: {protect(passphrase) -> Promise}
 *
 * @typedef {{protect: (passphrase: string) => Promise<void>}} ProtectData
 */
import { errorLine, h, icon, setLine } from '../lib/dom.js';
import { ModalElement } from '../lib/modal.js';
import { showLine } from '../lib/passphrase.js';
import { t } from '../strings/index.js';

/** @extends {ModalElement<ProtectData>} */
export class ProtectDialog extends ModalElement {
  #first = field('protect-first');
  #again = field('protect-again');
  #error = errorLine();
  #go = h('button', { type: 'submit', class: 'button button-primary', 'data-test': 'protect-go' }, t('protect.go'));

  setup() {
    super.setup();
    this.heading = t('protect.title');
    this.body.replaceChildren(
      h('p', {}, t('protect.text')),
      h('p', { class: 'warning-line', id: 'protect-lost' }, icon('alert'), h('span', {}, t('protect.lost'))),
      h('form', { class: 'stack', novalidate: true, onsubmit: (/** @type {Event} */ event) => this.#submit(event) },
        h('label', { class: 'label', for: 'protect-first' }, t('locked.label')),
        this.#first,
        h('label', { class: 'label', for: 'protect-again' }, t('protect.again')),
        this.#again,
        showLine('protect-show', this.#first, this.#again),
        this.#error,
        this.#go));
    this.#first.focus();
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    const passphrase = this.#first.value;
    if (passphrase === '') {
      this.#refused(t('locked.needed'), this.#first);
      return;
    }
    if (passphrase !== this.#again.value) {
      this.#refused(t('protect.differ'), this.#again);
      return;
    }
    setLine(this.#error, '');
    this.#go.disabled = true;
    this.#go.textContent = t('protect.going');
    try {
      await this.data.protect(passphrase);
      this.close();
    } catch (error) {
      this.#refused(/** @type {Error} */ (error).message, this.#first);
    } finally {
      this.#go.disabled = false;
      this.#go.textContent = t('protect.go');
    }
  }

  /**
   * @param {string} reason
   * @param {HTMLInputElement} input
   */
  #refused(reason, input) {
    setLine(this.#error, reason);
    input.focus();
    input.select();
  }
}

/** @param {string} name */
function field(name) {
  return h('input', {
    id: name, class: 'field', type: 'password', autocomplete: 'new-password', autocapitalize: 'off', spellcheck: 'false', dir: 'auto',
    'aria-describedby': 'protect-lost', 'data-test': name,
  });
}
customElements.define('protect-dialog', ProtectDialog);
