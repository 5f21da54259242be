/**
 * `<room-rename>`: another name for the room, for everyone in it. Only who moderates sees it.
 *
 * data: {room, may, rename(name) -> Promise}
 *
 * @typedef {object} RenameData
 * @property {import('../ipc/types.js').Room} room
 * @property {boolean} may
 * @property {(name: string) => Promise<void>} rename
 */
import { errorLine, h, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { ROOM_NAME_MAX } from '../lib/power.js';
import { t } from '../strings/index.js';

/** @extends {ViewElement<RenameData>} */
export class RoomRename extends ViewElement {
  #error = errorLine();

  /**
   * @param {RenameData} data
   * @param {RenameData | undefined} previous
   */
  render({ may }, previous) {
    this.hidden = !may;
    if (!previous) this.#offer();
  }

  #offer() {
    this.replaceChildren(h('button', { type: 'button', class: 'button', 'data-test': 'room-rename', onclick: () => this.#ask() }, t('people.rename')));
  }

  #ask() {
    const input = h('input', {
      id: 'room-rename', class: 'field', type: 'text', maxlength: ROOM_NAME_MAX, autocomplete: 'off', dir: 'auto', enterkeyhint: 'done',
      'aria-describedby': 'room-rename-hint', 'data-test': 'room-rename-name', value: this.data.room.name,
    });
    setLine(this.#error, '');
    this.replaceChildren(h('form', {
      class: 'stack', novalidate: true,
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        void this.#rename(input);
      },
    },
    h('label', { class: 'label', for: 'room-rename' }, t('create.label')),
    input,
    h('p', { class: 'hint', id: 'room-rename-hint' }, t('people.renameHint')),
    this.#error,
    h('div', { class: 'row' },
      h('button', { type: 'submit', class: 'button button-primary', 'data-test': 'room-rename-save' }, t('action.save')),
      h('button', { type: 'button', class: 'button', onclick: () => this.#done() }, t('action.cancel')))));
    input.focus();
    input.select();
  }

  #done() {
    this.#offer();
    /** @type {HTMLElement | null} */ (this.firstElementChild)?.focus();
  }

  /** @param {HTMLInputElement} input */
  async #rename(input) {
    const name = input.value.trim();
    if (name === '') {
      setLine(this.#error, t('create.needed'));
      input.focus();
      return;
    }
    try {
      if (name !== this.data.room.name) await this.data.rename(name);
      this.#done();
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
    }
  }
}
customElements.define('room-rename', RoomRename);
