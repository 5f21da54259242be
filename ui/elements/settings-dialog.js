/**
 * `<settings-dialog>`: my name, how this device's data is protected, and its end.
 *
 * data: {key, wipe() -> Promise}; emits `name-open`.
 *
 * @typedef {import('../ipc/types.js').KeyPlace} KeyPlace
 * @typedef {{key: KeyPlace, wipe: () => Promise<void>}} SettingsData
 */
import { errorLine, h, setLine } from '../lib/dom.js';
import { ModalElement } from '../lib/modal.js';
import { t } from '../strings/index.js';
import './hold-button.js';

/** @type {Record<KeyPlace, () => string>} */
const PROTECTION = {
  keychain: () => t('key.keychain'),
  passphrase: () => t('key.passphrase'),
  file: () => t('key.file'),
};

/** @extends {ModalElement<SettingsData>} */
export class SettingsDialog extends ModalElement {
  #key = h('p', { class: 'settings-text', 'data-test': 'key-place' });
  #hold = /** @type {import('./hold-button.js').HoldButton} */ (document.createElement('hold-button'));
  #error = errorLine();
  #end = h('section', { class: 'settings-part' });

  setup() {
    super.setup();
    this.heading = t('settings.title');
    this.#hold.data = { label: t('wipe.hold'), hook: 'wipe-hold' };
    this.listen(this.#hold, 'held', () => void this.#wipe());
    this.#end.replaceChildren(
      h('h3', { class: 'settings-heading' }, t('wipe.title')),
      h('p', { class: 'settings-text' }, t('wipe.text')),
      this.#hold,
      this.#error);
    this.body.replaceChildren(
      h('section', { class: 'settings-part' },
        h('h3', { class: 'settings-heading' }, t('name.label')),
        h('button', { type: 'button', class: 'button', 'data-test': 'settings-name', onclick: () => this.#openName() }, t('name.change'))),
      h('section', { class: 'settings-part' }, h('h3', { class: 'settings-heading' }, t('key.title')), this.#key),
      this.#end);
  }

  /** @param {SettingsData} data */
  render({ key }) {
    this.#key.textContent = PROTECTION[key]();
  }

  #openName() {
    this.emit('name-open'); // while this element is still in the page
    this.close();
  }

  async #wipe() {
    setLine(this.#error, '');
    try {
      await this.data.wipe();
      this.#end.replaceChildren(h('p', { role: 'status', 'data-test': 'wiped' }, t('wipe.done')));
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
      this.#hold.reset();
    }
  }
}
customElements.define('settings-dialog', SettingsDialog);
