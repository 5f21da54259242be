/**
 * `<room-backup>`: whether sealed copies of what is said lie with the room's servers; its owner decides it here.
 *
 * data: {backup, mayChange, setBackup(on) -> Promise}
 *
 * @typedef {object} BackupData
 * @property {boolean} backup
 * @property {boolean} mayChange
 * @property {(on: boolean) => Promise<void>} setBackup
 */
import { errorLine, h, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { t } from '../strings/index.js';

/** @extends {ViewElement<BackupData>} */
export class RoomBackup extends ViewElement {
  #state = h('p', { class: 'hint', role: 'status', 'data-test': 'room-backed', hidden: true });
  #buttons = h('div', { class: 'row row-wrap' });
  #hints = h('div', { class: 'backup-hints' });
  #error = errorLine();
  #busy = false;

  setup() {
    this.replaceChildren(this.#state, this.#error, this.#buttons, this.#hints);
  }

  /**
   * @param {BackupData} data
   * @param {BackupData | undefined} previous
   */
  render({ backup, mayChange }, previous) {
    this.hidden = !mayChange && !backup;
    if (previous?.backup === backup && previous.mayChange === mayChange) return;
    setLine(this.#state, backup ? t('backup.on') : '');
    this.#hints.replaceChildren(...hints(backup, mayChange).map((words) => h('p', { class: 'hint' }, words)));
    const held = this.#buttons.contains(document.activeElement);
    const button = () => (backup ? this.#button('room-backup-stop', t('backup.stop'), false) : this.#button('room-backup-start', t('backup.start'), true));
    this.#buttons.replaceChildren(...(mayChange ? [button()] : []));
    this.#buttons.hidden = !mayChange; // no gap where none stands
    if (held) /** @type {HTMLElement | null} */ (this.#buttons.firstElementChild)?.focus();
  }

  /**
   * @param {string} hook
   * @param {string} words
   * @param {boolean} on
   */
  #button(hook, words, on) {
    return h('button', { type: 'button', class: 'button', 'data-test': hook, onclick: () => void this.#set(on) }, words);
  }

  /** @param {boolean} on */
  async #set(on) {
    if (this.#busy) return;
    this.#busy = true;
    setLine(this.#error, '');
    try {
      await this.data.setBackup(on);
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
    } finally {
      this.#busy = false;
    }
  }
}

/**
 * What the server learns concerns everybody whose copies lie there; the rest is for who decides.
 * @param {boolean} backup
 * @param {boolean} mayChange
 * @returns {string[]}
 */
function hints(backup, mayChange) {
  if (!mayChange) return [t('backup.sees')];
  return [backup ? t('backup.after') : t('backup.for'), t('backup.sees'), t('backup.takes')];
}
customElements.define('room-backup', RoomBackup);
