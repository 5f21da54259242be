/**
 * `<locked-screen>`: asks for the passphrase that opens this device's data.
 *
 * data: {unlock(passphrase) -> Promise}
 *
 * @typedef {{unlock: (passphrase: string) => Promise<void>}} LockedData
 */
import { errorLine, h, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { showLine } from '../lib/passphrase.js';
import { t } from '../strings/index.js';

/** @extends {ViewElement<LockedData>} */
export class LockedScreen extends ViewElement {
  #input = h('input', {
    id: 'passphrase', class: 'field', type: 'password', autocomplete: 'current-password', autocapitalize: 'off', spellcheck: 'false', dir: 'auto',
    enterkeyhint: 'go', 'aria-describedby': 'passphrase-hint', 'data-test': 'passphrase',
  });
  #caps = h('p', { class: 'scan-hint', role: 'status', hidden: true, 'data-test': 'caps-lock' });
  #error = errorLine();
  #go = h('button', { type: 'submit', class: 'button button-primary', 'data-test': 'unlock' }, t('locked.go'));

  setup() {
    this.replaceChildren(h('main', { class: 'start' },
      h('img', { class: 'start-mark', src: 'icons/mark.svg', alt: '', width: 88, height: 88 }),
      h('h1', { class: 'start-title' }, t('locked.title')),
      h('p', { class: 'start-text' }, t('locked.text')),
      h('form', { class: 'stack', novalidate: true, onsubmit: (/** @type {Event} */ event) => this.#submit(event) },
        h('label', { class: 'label', for: 'passphrase' }, t('locked.label')),
        this.#input,
        this.#caps,
        showLine('passphrase-show', this.#input),
        this.#error,
        this.#go,
        h('p', { class: 'hint', id: 'passphrase-hint' }, t('locked.hint')))));
    for (const type of ['keydown', 'keyup']) {
      this.listen(this.#input, type, (/** @type {KeyboardEvent} */ event) => setLine(this.#caps, event.getModifierState?.('CapsLock') ? t('locked.caps') : ''));
    }
    this.#input.focus();
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    const passphrase = this.#input.value;
    if (passphrase === '') {
      this.#refused(t('locked.needed'));
      return;
    }
    setLine(this.#error, '');
    this.#go.disabled = true;
    this.#go.textContent = t('locked.opening');
    try {
      await this.data.unlock(passphrase);
      this.#input.value = '';
    } catch (error) {
      const { code, message } = /** @type {import('../ipc/index.js').IpcError} */ (error);
      this.#refused(code === 'wrong_passphrase' ? t('locked.wrong') : message);
    } finally {
      this.#go.disabled = false;
      this.#go.textContent = t('locked.go');
    }
  }

  /** @param {string} reason */
  #refused(reason) {
    setLine(this.#error, reason);
    this.#input.focus();
    this.#input.select();
  }
}
customElements.define('locked-screen', LockedScreen);
