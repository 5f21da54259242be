/**
 * The base of every dialog: a native modal `<dialog>` with a head, opened when the element enters the
 * page and gone, with the element, when it is closed (`dialog-closed`). Focus returns to where it was.
 */
import { h, iconButton } from './dom.js';
import { ViewElement } from './element.js';
import { t } from '../strings/index.js';

let count = 0;

/**
 * @template D
 * @extends {ViewElement<D>}
 */
export class ModalElement extends ViewElement {
  #title = h('h2', { class: 'dialog-title', id: `dialog-title-${count += 1}` });
  /** Where a subclass puts what it shows. */
  body = h('div', { class: 'dialog-body' });
  #dialog = h('dialog', { class: 'dialog', 'aria-labelledby': this.#title.id });

  setup() {
    const dialog = this.#dialog;
    dialog.replaceChildren(
      h('div', { class: 'dialog-head' }, // a <header> would be the page's, to readers of the screen
        this.#title,
        iconButton('close', t('action.close'), { 'data-test': 'dialog-close', onclick: () => dialog.close() })),
      this.body);
    this.classList.add('modal');
    this.replaceChildren(dialog);
    this.listen(dialog, 'close', () => {
      this.emit('dialog-closed');
      this.remove();
    });
    // A press on the dialog itself, not on anything in it, is one on the backdrop.
    this.listen(dialog, 'pointerdown', (event) => {
      const { left, right, top, bottom } = dialog.getBoundingClientRect();
      const inside = event.clientX >= left && event.clientX <= right && event.clientY >= top && event.clientY <= bottom;
      if (event.target === dialog && !inside) dialog.close();
    });
    dialog.showModal();
  }

  /** @param {string} text */
  set heading(text) {
    this.#title.textContent = text;
  }

  close() {
    this.#dialog.close();
  }
}
