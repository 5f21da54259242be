/**
 * `<mention-list>`: whom an `@` could mean, above the box. The keyboard stays in the box: its keys come here
 * first.
 *
 * data: {members, query}, `query` null while nobody is being named; emits `mention-pick` (the member),
 * `mention-move` (the id of the option that the keyboard is at).
 *
 * @typedef {import('../ipc/types.js').Member} Member
 * @typedef {{members: Member[], query: string | null}} MentionData
 */
import { avatar } from '../lib/avatar.js';
import { h } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { offered } from '../lib/mentions.js';
import { namesOf, presence } from '../lib/people.js';
import { t } from '../strings/index.js';

let count = 0;

/** @extends {ViewElement<MentionData>} */
export class MentionList extends ViewElement {
  listId = `mention-list-${count += 1}`;
  #list = h('ul', { class: 'mentions', id: this.listId, role: 'listbox', 'aria-label': t('mention.list') });
  /** @type {Member[]} */
  #people = [];
  #at = 0;

  /** @returns {boolean} */
  get open() {
    return !this.hidden;
  }

  setup() {
    this.hidden = true;
    this.replaceChildren(this.#list);
    // A press must not take the keyboard from the box.
    this.listen(this.#list, 'pointerdown', (event) => event.preventDefault());
    this.listen(this.#list, 'mousedown', (event) => event.preventDefault());
    this.listen(this.#list, 'click', (event) => {
      const option = /** @type {HTMLElement | null} */ (event.target.closest('[data-author]'));
      const member = this.#people.find((m) => m.author === option?.dataset.author);
      if (member) this.emit('mention-pick', member);
    });
  }

  /** @param {MentionData} data */
  render({ members, query }) {
    this.#people = query === null ? [] : offered(members, query);
    this.#at = 0;
    this.hidden = this.#people.length === 0;
    const names = namesOf(members);
    this.#list.replaceChildren(...this.#people.map((member, index) => h('li', {
      class: 'mention', id: this.#optionId(index), role: 'option', 'data-author': member.author, 'data-test': 'mention',
    },
      avatar(member.author, member.name),
      h('bdi', { class: 'mention-name' }, names.get(member.author) ?? member.name),
      h('span', { class: 'mention-note' }, presence(member)))));
    this.#mark();
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} Whether the key was for the list.
   */
  onKey(event) {
    if (!this.open) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      this.#at = (this.#at + step + this.#people.length) % this.#people.length;
      this.#mark();
      return true;
    }
    if ((event.key === 'Enter' && !event.shiftKey) || event.key === 'Tab') {
      this.emit('mention-pick', this.#people[this.#at]);
      return true;
    }
    if (event.key !== 'Escape') return false;
    this.data = { members: [], query: null };
    return true;
  }

  /** @param {number} index */
  #optionId(index) {
    return `${this.listId}-${index}`;
  }

  #mark() {
    Array.from(this.#list.children).forEach((option, index) => option.setAttribute('aria-selected', String(index === this.#at)));
    if (this.open) this.emit('mention-move', this.#optionId(this.#at));
  }
}
customElements.define('mention-list', MentionList);
