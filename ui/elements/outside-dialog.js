/**
 * `<outside-dialog>`: a link to a room was opened outside of the app. Nothing is joined unless the person says so.
 *
 * data: {join()}
 *
 * @typedef {{join: () => void}} OutsideData
 */
import { h } from '../lib/dom.js';
import { ModalElement } from '../lib/modal.js';
import { t } from '../strings/index.js';

/** @extends {ModalElement<OutsideData>} */
export class OutsideDialog extends ModalElement {
  setup() {
    super.setup();
    this.heading = t('outside.title');
    const not = h('button', { type: 'button', class: 'button', 'data-test': 'outside-not', onclick: () => this.close() }, t('outside.not'));
    this.body.replaceChildren(
      h('p', {}, t('outside.text')),
      h('div', { class: 'row row-wrap' },
        h('button', { type: 'button', class: 'button button-primary', 'data-test': 'outside-join', onclick: () => this.#join() }, t('outside.join')),
        not));
    not.focus();
  }

  #join() {
    const { join } = this.data;
    this.close();
    join();
  }
}
customElements.define('outside-dialog', OutsideDialog);
