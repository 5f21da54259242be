/**
 * `<link-dialog>`: a link to a room was opened outside of the app. Nothing is joined unless the person says so.
 *
 * data: {join()}
 *
 * @typedef {{join: () => void}} LinkData
 */
import { h } from '../lib/dom.js';
import { ModalElement } from '../lib/modal.js';
import { t } from '../strings/index.js';

/** @extends {ModalElement<LinkData>} */
export class LinkDialog extends ModalElement {
  setup() {
    super.setup();
    this.heading = t('link.title');
    const not = h('button', { type: 'button', class: 'button', 'data-test': 'link-not', onclick: () => this.close() }, t('link.not'));
    this.body.replaceChildren(
      h('p', {}, t('link.text')),
      h('div', { class: 'row row-wrap' },
        h('button', { type: 'button', class: 'button button-primary', 'data-test': 'link-join', onclick: () => this.#join() }, t('link.join')),
        not));
    not.focus();
  }

  #join() {
    const { join } = this.data;
    this.close();
    join();
  }
}
customElements.define('link-dialog', LinkDialog);
