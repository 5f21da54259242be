/**
 * `<outside-dialog>`: a link to a room, or one of a friend who can't get in, was opened outside of the app. Nothing is joined,
 * and nobody let in, unless the person says so. A pass of a box is only told where it belongs, and copied: which room it is
 * for, the person knows.
 *
 * data: {link, join()}
 *
 * @typedef {{link: string, join: () => void}} OutsideData What was opened; what follows it.
 */
import { copyButton, copyText } from '../lib/copy.js';
import { h } from '../lib/dom.js';
import { ModalElement } from '../lib/modal.js';
import { isBackLink, isPass } from '../lib/pasted.js';
import { t } from '../strings/index.js';

/** @extends {ModalElement<OutsideData>} */
export class OutsideDialog extends ModalElement {
  setup() {
    super.setup();
    const { link } = this.data;
    if (isPass(link)) {
      this.#showPass(link);
      return;
    }
    const back = isBackLink(link);
    this.heading = back ? t('outside.backTitle') : t('outside.title');
    const not = h('button', { type: 'button', class: 'button', 'data-test': 'outside-not', onclick: () => this.close() }, t('outside.not'));
    this.body.replaceChildren(
      h('p', {}, back ? t('outside.backText') : t('outside.text')),
      h('div', { class: 'row row-wrap' },
        h('button', { type: 'button', class: 'button button-primary', 'data-test': 'outside-join', onclick: () => this.#join() }, back ? t('outside.backGo') : t('outside.join')),
        not));
    not.focus();
  }

  /** @param {string} pass */
  #showPass(pass) {
    this.heading = t('outside.passTitle');
    const copy = copyButton({
      words: t('outside.passCopy'), kind: 'button button-primary', hook: 'outside-copy',
      copy: async () => {
        const done = await copyText(pass, this.body);
        return { done, said: done ? t('copy.done') : t('copy.failed') };
      },
    });
    this.body.replaceChildren(
      h('p', { 'data-test': 'outside-pass' }, t('outside.passText')),
      h('div', { class: 'row row-wrap' },
        copy,
        h('button', { type: 'button', class: 'button', 'data-test': 'outside-not', onclick: () => this.close() }, t('action.close'))));
    copy.focus();
  }

  #join() {
    const { join } = this.data;
    this.close();
    join();
  }
}
customElements.define('outside-dialog', OutsideDialog);
