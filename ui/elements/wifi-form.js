/**
 * `<wifi-form>`: which Wi-Fi the friends need first. What was entered last stands there already.
 *
 * data: {wifi, make(wifi) -> Promise, back()}; `make` asks for the code and keeps the Wi-Fi. The password is shown by a
 * button alone, and goes nowhere but there.
 *
 * @typedef {import('../ipc/types.js').Wifi} Wifi
 * @typedef {object} WifiFormData
 * @property {Wifi} wifi
 * @property {(wifi: Wifi) => Promise<void>} make
 * @property {() => void} back
 */
import { errorLine, h, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { PASSWORD_LEAST, wifiProblem } from '../lib/wifi.js';
import { t } from '../strings/index.js';

/** @extends {ViewElement<WifiFormData>} */
export class WifiForm extends ViewElement {
  #name = h('input', { id: 'wifi-name', class: 'field', maxlength: 32, dir: 'auto', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', 'data-test': 'wifi-name' });
  #password = h('input', {
    id: 'wifi-password', class: 'field', type: 'password', maxlength: 64, dir: 'ltr', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false',
    'aria-describedby': 'wifi-password-hint', 'data-test': 'wifi-password',
  });
  #show = h('button', { type: 'button', class: 'button wifi-show', 'data-test': 'wifi-show', onclick: () => this.#reveal(this.#password.type === 'password') });
  #hidden = h('input', { type: 'checkbox', 'data-test': 'wifi-hidden' });
  #error = errorLine();
  #go = h('button', { class: 'button button-primary', 'data-test': 'wifi-go' });

  setup() {
    this.#reveal(false);
    this.#go.textContent = t('wifi.go');
    this.replaceChildren(h('form', { class: 'stack', novalidate: true, onsubmit: (/** @type {Event} */ event) => void this.#submit(event) },
      h('p', {}, t('wifi.text')),
      h('label', { class: 'label', for: 'wifi-name' }, t('wifi.name')),
      this.#name,
      h('label', { class: 'label', for: 'wifi-password' }, t('wifi.password')),
      h('div', { class: 'row' }, this.#password, this.#show),
      h('p', { class: 'hint', id: 'wifi-password-hint' }, t('wifi.passwordHint', { n: PASSWORD_LEAST })),
      h('label', { class: 'check-line' }, this.#hidden, h('span', {}, t('wifi.hidden'))),
      this.#error,
      h('div', { class: 'row row-wrap' },
        this.#go,
        h('button', { type: 'button', class: 'button', 'data-test': 'invite-back', onclick: () => this.data.back() }, t('invite.back')))));
  }

  /** What was typed is not left in the page. */
  teardown() {
    this.#password.value = '';
  }

  /** @param {WifiFormData} data */
  render({ wifi }) {
    this.#name.value = wifi.name;
    this.#password.value = wifi.password;
    this.#hidden.checked = wifi.hidden;
  }

  /** @param {boolean} on */
  #reveal(on) {
    this.#password.type = on ? 'text' : 'password';
    this.#show.textContent = on ? t('wifi.hide') : t('wifi.show');
    this.#show.setAttribute('aria-label', on ? t('wifi.hideLabel') : t('wifi.showLabel'));
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    const wifi = { name: this.#name.value.trim(), password: this.#password.value, hidden: this.#hidden.checked };
    const problem = wifiProblem(wifi);
    if (problem) {
      this.#refused(problem.words);
      (problem.field === 'name' ? this.#name : this.#password).focus();
      return;
    }
    setLine(this.#error, '');
    this.#go.disabled = true;
    this.#go.textContent = t('invite.making');
    try {
      await this.data.make(wifi);
    } catch (error) {
      const { code, message } = /** @type {import('../ipc/index.js').IpcError} */ (error);
      this.#refused(code === 'bad_request' ? t('wifi.refused') : message);
    } finally {
      this.#go.disabled = false;
      this.#go.textContent = t('wifi.go');
    }
  }

  /** @param {string} words */
  #refused(words) {
    setLine(this.#error, words);
    this.#error.scrollIntoView({ block: 'nearest' });
  }
}
customElements.define('wifi-form', WifiForm);
