/**
 * `<message-composer>`: where a message is written. Enter sends, Shift+Enter makes a new line.
 *
 * data: {room, name, draft}; emits `message-send` (text), `draft-change` (text).
 *
 * @typedef {{room: string, name: string, draft: string}} ComposerData
 */
import { h, iconButton } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { t } from '../strings/index.js';

/** The box grows to this height, then scrolls. */
const HEIGHT_MAX = 168;

/** @extends {ViewElement<ComposerData>} */
export class MessageComposer extends ViewElement {
  #input = h('textarea', {
    class: 'field composer-input', rows: 1, dir: 'auto', enterkeyhint: 'send', autocapitalize: 'sentences',
    'aria-label': t('composer.label'), 'data-test': 'composer-input',
  });
  #send = iconButton('send', t('composer.send'), { type: 'submit', class: 'icon-button composer-send', 'data-test': 'composer-send' });

  setup() {
    const form = h('form', { class: 'composer', onsubmit: (/** @type {Event} */ event) => this.#submit(event) }, this.#input, this.#send);
    this.replaceChildren(form);
    this.listen(this.#input, 'input', () => {
      this.#fit();
      this.emit('draft-change', this.#input.value);
    });
    this.listen(this.#input, 'keydown', (/** @type {KeyboardEvent} */ event) => {
      // While an input method composes, Enter picks a word.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
  }

  /**
   * @param {ComposerData} data
   * @param {ComposerData | undefined} previous
   */
  render({ room, name, draft }, previous) {
    this.#input.placeholder = t('composer.placeholder', { name });
    // The draft is this box's own word come back, except when the room changed or a message was taken back.
    if (this.#input.value !== draft) {
      this.#input.value = draft;
      this.#input.setSelectionRange(draft.length, draft.length);
    }
    this.#fit();
    // On a phone the keyboard would cover the room before anyone has read it.
    if (previous?.room !== room && !matchMedia('(pointer: coarse)').matches) this.#input.focus({ preventScroll: true });
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    const text = this.#input.value.trim();
    this.#input.focus({ preventScroll: true });
    if (text === '') return;
    this.#input.value = '';
    this.emit('draft-change', '');
    this.emit('message-send', text);
    this.#fit();
  }

  #fit() {
    const input = this.#input;
    this.#send.disabled = input.value.trim() === '';
    input.style.height = 'auto';
    // A hidden box measures nothing: its own one line is right then.
    const { scrollHeight } = input;
    if (scrollHeight > 0) input.style.height = `${Math.min(scrollHeight + input.offsetHeight - input.clientHeight, HEIGHT_MAX)}px`;
  }
}
customElements.define('message-composer', MessageComposer);
