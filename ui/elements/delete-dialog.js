/**
 * `<delete-dialog>`: asks once before a message is deleted for everyone.
 *
 * data: {text, remove() -> Promise}
 *
 * @typedef {{text: string, remove: () => Promise<void>}} DeleteData
 */
import { errorLine, h, setLine } from '../lib/dom.js';
import { ModalElement } from '../lib/modal.js';
import { firstLine } from '../lib/text.js';
import { t } from '../strings/index.js';

/** @extends {ModalElement<DeleteData>} */
export class DeleteDialog extends ModalElement {
  #error = errorLine();
  #go = h('button', { type: 'button', class: 'button button-danger', 'data-test': 'delete-go', onclick: () => void this.#remove() }, t('delete.go'));

  setup() {
    super.setup();
    this.heading = t('delete.title');
  }

  /** @param {DeleteData} data */
  render({ text }) {
    const keep = h('button', { type: 'button', class: 'button', 'data-test': 'delete-keep', onclick: () => this.close() }, t('delete.keep'));
    this.body.replaceChildren(
      h('p', { class: 'seen-quote', dir: 'auto' }, firstLine(text)),
      h('p', {}, t('delete.text')),
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
