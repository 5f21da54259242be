/**
 * `<message-composer>`: where a message is written. Enter sends, Shift+Enter makes a new line.
 *
 *   what is answered or edited, with a way out (Escape)
 *   people to name, while an @ is being typed
 *   the box, and send
 *
 * data: {room, name, draft, context, members}; emits `message-send` ({text, mentions}), `draft-change` (text),
 * `context-cancel`, `edit-last` (arrow up in an empty box).
 *
 * @typedef {object} ComposerContext
 * @property {'reply' | 'edit'} kind
 * @property {string} title
 * @property {string} text
 *
 * @typedef {object} ComposerData
 * @property {string} room
 * @property {string} name
 * @property {string} draft
 * @property {ComposerContext | null} context
 * @property {import('../ipc/types.js').Member[]} members Who can be named; empty where nobody can.
 */
import { h, icon, iconButton, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { mentionAt, mentionsIn, withMention } from '../lib/mentions.js';
import { t } from '../strings/index.js';
import './mention-list.js';

/** The box grows to this height, then scrolls. */
const HEIGHT_MAX = 168;

/** @extends {ViewElement<ComposerData>} */
export class MessageComposer extends ViewElement {
  #input = h('textarea', {
    class: 'field composer-input', rows: 1, dir: 'auto', enterkeyhint: 'send', autocapitalize: 'sentences',
    'aria-label': t('composer.label'), 'aria-autocomplete': 'list', 'data-test': 'composer-input',
  });
  #send = iconButton('send', t('composer.send'), { type: 'submit', class: 'icon-button composer-send', 'data-test': 'composer-send' });
  #contextTitle = h('bdi', { class: 'context-title' });
  #contextText = h('span', { class: 'context-text', dir: 'auto' });
  #context = h('div', { class: 'composer-context', 'data-test': 'composer-context', hidden: true },
    h('div', { class: 'context-words' }, this.#contextTitle, this.#contextText),
    iconButton('close', t('composer.cancel'), { 'data-test': 'context-cancel', onclick: () => this.#cancel() }));
  #names = /** @type {import('./mention-list.js').MentionList} */ (document.createElement('mention-list'));
  /** People picked from the list since the box was empty. @type {Set<string>} */
  #chosen = new Set();

  setup() {
    const form = h('form', { class: 'composer', onsubmit: (/** @type {Event} */ event) => this.#submit(event) }, this.#input, this.#send);
    this.replaceChildren(this.#context, this.#names, form);
    this.#names.data = { members: [], query: null };
    this.#input.setAttribute('aria-controls', this.#names.listId);
    this.listen(this.#input, 'input', () => {
      this.#fit();
      this.#offer();
      this.emit('draft-change', this.#input.value);
    });
    this.listen(this.#input, 'click', () => this.#offer());
    this.listen(this.#input, 'blur', () => this.#endOffer());
    this.listen(this.#input, 'keydown', (event) => this.#onKey(event, form));
    this.listen(this.#names, 'mention-pick', (event) => this.#pick(event.detail));
    this.listen(this.#names, 'mention-move', (event) => this.#input.setAttribute('aria-activedescendant', event.detail));
  }

  /**
   * @param {ComposerData} data
   * @param {ComposerData | undefined} previous
   */
  render({ room, name, draft, context }, previous) {
    this.#input.placeholder = t('composer.placeholder', { name });
    if (previous?.room !== room) this.#chosen.clear();
    // The draft is this box's own word come back, except when the room changed or a message was taken back.
    if (this.#input.value !== draft) {
      this.#input.value = draft;
      this.#input.setSelectionRange(draft.length, draft.length);
      this.#endOffer();
    }
    this.#renderContext(context);
    this.#fit();
    const began = context !== null && (previous?.context?.kind !== context.kind || previous.context.text !== context.text);
    // On a phone the keyboard would cover the room before anyone has read it.
    if (began || (previous?.room !== room && !matchMedia('(pointer: coarse)').matches)) this.#input.focus({ preventScroll: true });
  }

  /** @param {ComposerContext | null} context */
  #renderContext(context) {
    this.#context.hidden = context === null;
    this.#context.dataset.kind = context?.kind ?? '';
    setLine(this.#contextTitle, context?.title ?? '');
    setLine(this.#contextText, context?.text ?? '');
    const label = context?.kind === 'edit' ? t('composer.save') : t('composer.send');
    if (this.#send.getAttribute('aria-label') === label) return;
    this.#send.setAttribute('aria-label', label);
    this.#send.title = label;
    this.#send.replaceChildren(icon(context?.kind === 'edit' ? 'check' : 'send'));
  }

  /**
   * @param {KeyboardEvent} event
   * @param {HTMLFormElement} form
   */
  #onKey(event, form) {
    // While an input method composes, its keys are its own.
    if (event.isComposing) return;
    if (this.#names.onKey(event)) {
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === 'Escape' && this.data.context !== null) {
      event.preventDefault(); // in a dialog it would close it
      event.stopPropagation();
      this.#cancel();
    } else if (event.key === 'ArrowUp' && this.#input.value === '' && this.data.context === null) {
      event.preventDefault();
      this.emit('edit-last');
    }
  }

  /** Looks whether somebody is being named. */
  #offer() {
    const { members } = this.data;
    const at = members.length > 0 && this.#input.selectionStart === this.#input.selectionEnd
      ? mentionAt(this.#input.value, this.#input.selectionStart)
      : null;
    this.#names.data = { members, query: at?.query ?? null };
    if (!this.#names.open) this.#input.removeAttribute('aria-activedescendant');
  }

  #endOffer() {
    if (this.#names.open) this.#names.data = { members: [], query: null };
    this.#input.removeAttribute('aria-activedescendant');
  }

  /** @param {import('../ipc/types.js').Member} member */
  #pick(member) {
    const caret = this.#input.selectionStart;
    const at = mentionAt(this.#input.value, caret);
    if (!at) return;
    const next = withMention(this.#input.value, at.start, caret, member.name);
    this.#chosen.add(member.author);
    this.#input.value = next.text;
    this.#input.focus({ preventScroll: true });
    this.#input.setSelectionRange(next.caret, next.caret);
    this.#endOffer();
    this.#fit();
    this.emit('draft-change', next.text);
  }

  #cancel() {
    this.emit('context-cancel');
    this.#input.focus({ preventScroll: true });
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    const text = this.#input.value.trim();
    this.#input.focus({ preventScroll: true });
    if (text === '') return;
    const mentions = mentionsIn(text, this.data.members, this.#chosen);
    this.#chosen.clear();
    this.#endOffer();
    this.#input.value = '';
    this.emit('draft-change', '');
    this.emit('message-send', { text, mentions });
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
