/**
 * `<server-form>`: the address of a server that friends on other networks find each other at, or none. It is saved by
 * its button or Enter and not as soon as it is left: half an address shall not be asked for.
 *
 * data: {server, set(server) -> Promise}
 *
 * @typedef {{server: string, set: (server: string) => Promise<void>}} ServerFormData
 */
import { errorLine, h, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { t } from '../strings/index.js';

/** What is refused because of what was typed. */
const OF_THE_FIELD = new Set(['server_address', 'setting_too_long']);

/** @extends {ViewElement<ServerFormData>} */
export class ServerForm extends ViewElement {
  #input = h('input', {
    id: 'server', class: 'field', type: 'text', inputmode: 'url', dir: 'ltr', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', enterkeyhint: 'done',
    placeholder: t('settings.serverPlaceholder'), 'aria-describedby': 'server-error server-hint', 'data-test': 'server', oninput: () => this.#say(''),
  });
  #save = h('button', { class: 'button', 'data-test': 'server-save' });
  #error = errorLine();
  #saved = h('p', { class: 'hint', role: 'status', 'data-test': 'server-saved', hidden: true });
  #saving = false;

  setup() {
    this.#error.id = 'server-error';
    this.#save.textContent = t('action.save');
    this.replaceChildren(h('form', { class: 'stack', novalidate: true, onsubmit: (/** @type {Event} */ event) => void this.#submit(event) },
      h('label', { class: 'label', for: 'server' }, t('settings.server')),
      h('div', { class: 'row row-wrap' }, this.#input, this.#save),
      this.#error,
      this.#saved,
      h('div', { class: 'stack', id: 'server-hint' },
        h('p', { class: 'hint' }, t('settings.serverFor')),
        h('p', { class: 'hint' }, t('settings.serverSees')))));
  }

  /**
   * @param {ServerFormData} data
   * @param {ServerFormData | undefined} previous
   */
  render({ server }, previous) {
    if (!previous) this.#input.value = server;
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    if (this.#saving) return; // the button is not disabled meanwhile: it may have the focus
    this.#saving = true;
    const server = this.#input.value.trim();
    this.#say('');
    try {
      await this.data.set(server);
      this.#input.value = server;
      this.#say(server === '' ? t('settings.serverNone') : t('settings.serverSaved'));
    } catch (error) {
      const { code, message } = /** @type {import('../ipc/index.js').IpcError} */ (error);
      this.#say('', message, OF_THE_FIELD.has(code));
      if (OF_THE_FIELD.has(code)) this.#input.focus();
      this.#error.scrollIntoView({ block: 'nearest' });
    } finally {
      this.#saving = false;
    }
  }

  /**
   * @param {string} saved
   * @param {string} [refused]
   * @param {boolean} [invalid] Whether it is what was typed that was refused.
   */
  #say(saved, refused = '', invalid = false) {
    setLine(this.#saved, saved);
    setLine(this.#error, refused);
    if (invalid) this.#input.setAttribute('aria-invalid', 'true');
    else this.#input.removeAttribute('aria-invalid');
  }
}
customElements.define('server-form', ServerForm);
