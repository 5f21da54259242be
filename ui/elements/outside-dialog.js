/**
 * `<outside-dialog>`: a link to a room, or one of a friend who can't get in, was opened outside of the app. Nothing is joined,
 * and nobody let in, unless the person says so.
 *
 * data: {back, join()}
 *
 * @typedef {{back: boolean, join: () => void}} OutsideData Whether it is a friend's; what follows it.
 */
import { h } from '../lib/dom.js';
import { ModalElement } from '../lib/modal.js';
import { t } from '../strings/index.js';

/** @extends {ModalElement<OutsideData>} */
export class OutsideDialog extends ModalElement {
  setup() {
    super.setup();
    const { back } = this.data;
    this.heading = back ? t('outside.backTitle') : t('outside.title');
    const not = h('button', { type: 'button', class: 'button', 'data-test': 'outside-not', onclick: () => this.close() }, t('outside.not'));
    this.body.replaceChildren(
      h('p', {}, back ? t('outside.backText') : t('outside.text')),
      h('div', { class: 'row row-wrap' },
        h('button', { type: 'button', class: 'button button-primary', 'data-test': 'outside-join', onclick: () => this.#join() }, back ? t('outside.backGo') : t('outside.join')),
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
