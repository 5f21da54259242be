/**
 * `<room-leave>`: leaving a room, with or without its history; whoever is out already deletes what is left of it.
 * Nothing is thrown away by one tap.
 *
 *   offer --room-leave--> ask --room-leave-keep--> left, the history stays
 *                          |---room-leave-go----> left, and gone from this device
 *                          +---stay-------------> offer
 *
 * data: {room, leave(keep) -> Promise}; emits `left`.
 *
 * @typedef {object} RoomLeaveData
 * @property {import('../ipc/types.js').Room} room
 * @property {(keep: boolean) => Promise<void>} leave
 */
import { errorLine, h, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { t } from '../strings/index.js';

/** @extends {ViewElement<RoomLeaveData>} */
export class RoomLeave extends ViewElement {
  #foot = h('div', { class: 'people-foot' });
  #error = errorLine();
  #busy = false;

  setup() {
    this.replaceChildren(this.#error, this.#foot);
  }

  /**
   * @param {RoomLeaveData} data
   * @param {RoomLeaveData | undefined} previous
   */
  render({ room }, previous) {
    if (previous?.room.removed !== room.removed) this.#offer();
  }

  #offer() {
    this.#foot.replaceChildren(h('button', {
      type: 'button', class: 'link-button is-danger', 'data-test': 'room-leave', onclick: () => this.#ask(),
    }, this.data.room.removed ? t('people.forget') : t('people.leave')));
  }

  #ask() {
    const { name, removed } = this.data.room;
    const stay = h('button', { type: 'button', class: 'button', 'data-test': 'room-stay', onclick: () => this.#stay() }, removed ? t('action.cancel') : t('people.stay'));
    this.#foot.replaceChildren(
      h('p', { class: 'leave-question' }, removed ? t('people.forgetAsk', { name }) : t('people.leaveAsk', { name })),
      ...(removed ? [] : [h('p', { class: 'hint' }, t('people.leaveText')), ...this.#way('room-leave-keep', 'button', true, t('people.leaveKeep'), t('people.leaveKeepHint'))]),
      ...this.#way('room-leave-go', 'button button-danger', false, removed ? t('people.forget') : t('people.leaveGo'), t('people.leaveGoHint')),
      stay);
    stay.focus();
    this.#foot.scrollIntoView({ block: 'nearest' });
  }

  #stay() {
    this.#offer();
    /** @type {HTMLElement | null} */ (this.#foot.querySelector('button'))?.focus();
  }

  /**
   * @param {string} hook
   * @param {string} look
   * @param {boolean} keep
   * @param {string} words
   * @param {string} means
   */
  #way(hook, look, keep, words, means) {
    const id = `${hook}-means`;
    return [
      h('button', { type: 'button', class: look, 'data-test': hook, 'aria-describedby': id, onclick: () => void this.#leave(keep) }, words),
      h('p', { class: 'hint', id }, means),
    ];
  }

  /** @param {boolean} keep */
  async #leave(keep) {
    if (this.#busy) return;
    this.#busy = true;
    setLine(this.#error, '');
    try {
      await this.data.leave(keep);
      this.emit('left');
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
      this.#offer();
    } finally {
      this.#busy = false;
    }
  }
}
customElements.define('room-leave', RoomLeave);
