/**
 * `<delete-dialog>`: asks once before a message is deleted for everyone, or taken back before anybody had it. Both are the same
 * deletion, which is told to whoever gets to know of the message.
 *
 * data: {text, here, remove() -> Promise}
 *
 * @typedef {{text: string, here: boolean, remove: () => Promise<void>}} DeleteData `here`: nobody is known to have it yet.
 */
import { errorLine, h, setLine } from '../lib/dom.js';
import { ModalElement } from '../lib/modal.js';
import { firstLine } from '../lib/text.js';
import { t } from '../strings/index.js';

/** @extends {ModalElement<DeleteData>} */
export class DeleteDialog extends ModalElement {
  #error = errorLine();
  #go = h('button', { type: 'button', class: 'button button-danger', 'data-test': 'delete-go', onclick: () => void this.#remove() });

  setup() {
    super.setup();
  }

  /** @param {DeleteData} data */
  render({ text, here }) {
    this.heading = here ? t('takeBack.title') : t('delete.title');
    this.#go.textContent = here ? t('takeBack.go') : t('delete.go');
    const keep = h('button', { type: 'button', class: 'button', 'data-test': 'delete-keep', onclick: () => this.close() }, t('delete.keep'));
    this.body.replaceChildren(
      h('p', { class: 'seen-quote', dir: 'auto' }, firstLine(text)),
      h('p', {}, here ? t('takeBack.text') : t('delete.text')),
      this.#error,
      h('div', { class: 'row row-wrap' }, keep, this.#go));
    keep.focus();
  }

  async #remove() {
    this.#go.disabled = true;
    try {
      await this.data.remove();
      this.close();
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
      this.#go.disabled = false;
    }
  }
}
customElements.define('delete-dialog', DeleteDialog);
