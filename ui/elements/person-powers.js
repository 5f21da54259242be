/**
 * `<person-powers>`: what an owner or a moderator can do about a member. Empty for everybody else.
 *
 * data: {name, powers, setRole(role) -> Promise, remove(hide) -> Promise}
 *
 *   offers --remove--> asked once more --yes--> gone (the dialog around closes)
 *     ^-------------- no, or refused ---'
 *
 * @typedef {object} PowersData
 * @property {string} name
 * @property {import('../lib/power.js').Powers} powers
 * @property {(role: import('../ipc/types.js').Role) => Promise<void>} setRole
 * @property {(hide: boolean) => Promise<void>} remove
 */
import { errorLine, h, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { t } from '../strings/index.js';

/** @extends {ViewElement<PowersData>} */
export class PersonPowers extends ViewElement {
  #offers = h('div', { class: 'powers-offers' });
  #error = errorLine();
  /** Whether the question stands there, and which. @type {'none' | 'remove' | 'hide'} */
  #asked = 'none';
  #busy = false;

  setup() {
    this.#asked = 'none';
    this.replaceChildren(this.#error, this.#offers);
  }

  /**
   * @param {PowersData} data
   * @param {PowersData | undefined} previous
   */
  render({ name, powers }, previous) {
    this.hidden = powers.role === null && !powers.remove;
    const same = previous?.name === name && previous.powers.role === powers.role && previous.powers.remove === powers.remove;
    if (same) return; // a question that stands there, and the focus, stay
    if (!powers.remove) this.#asked = 'none';
    if (this.#asked === 'none') this.#offer();
  }

  #offer() {
    const { powers } = this.data;
    const { role } = powers;
    const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.test;
    this.#asked = 'none';
    this.#offers.replaceChildren(...[
      role && h('button', {
        type: 'button', class: 'button', 'data-test': 'person-role', onclick: () => void this.#act(() => this.data.setRole(role)),
      }, role === 'moderator' ? t('power.moderator') : t('power.member')),
      role === 'moderator' && h('p', { class: 'hint' }, t('power.moderatorHint')),
      powers.remove && this.#opener('person-remove', t('power.remove'), false),
      powers.remove && this.#opener('person-ban', t('power.ban'), true),
    ].filter((part) => part instanceof Node));
    // Who pressed a button that was drawn anew still stands on it.
    if (focused) /** @type {HTMLElement | null} */ (this.querySelector(`[data-test="${focused}"]`))?.focus();
  }

  /**
   * @param {string} hook
   * @param {string} words
   * @param {boolean} hide
   */
  #opener(hook, words, hide) {
    return h('button', { type: 'button', class: 'link-button is-danger', 'data-test': hook, onclick: () => this.#ask(hide) }, words);
  }

  /**
   * Nobody is put out by one tap.
   * @param {boolean} hide
   */
  #ask(hide) {
    const { name } = this.data;
    setLine(this.#error, '');
    this.#asked = hide ? 'hide' : 'remove';
    const keep = h('button', { type: 'button', class: 'button', 'data-test': 'person-keep', onclick: () => this.#takeBack() }, t('power.keep'));
    this.#offers.replaceChildren(h('div', { class: 'powers-offers', role: 'group', 'aria-labelledby': 'power-question' },
      h('p', { id: 'power-question' }, hide ? t('power.banAsk', { name }) : t('power.removeAsk', { name })),
      h('ul', { class: 'powers-means' },
        h('li', {}, t('power.future')),
        hide && h('li', {}, t('power.hidden')),
        h('li', {}, t('power.past')),
        h('li', {}, t('power.codes'))),
      h('div', { class: 'row row-wrap' },
        keep,
        h('button', {
          type: 'button', class: 'button button-danger', 'data-test': 'person-remove-go',
          onclick: () => void this.#act(() => this.data.remove(hide)),
        }, hide ? t('power.banGo') : t('power.removeGo')))));
    keep.focus();
  }

  /** The question goes; who answered it stands where they came from. */
  #takeBack() {
    const from = this.#asked === 'hide' ? 'person-ban' : 'person-remove';
    this.#offer();
    /** @type {HTMLElement | null} */ (this.querySelector(`[data-test="${from}"]`))?.focus();
  }

  /** @param {() => Promise<void>} act */
  async #act(act) {
    if (this.#busy) return;
    this.#busy = true;
    setLine(this.#error, '');
    try {
      await act();
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
      if (this.#asked !== 'none') this.#takeBack();
    } finally {
      this.#busy = false;
    }
  }
}
customElements.define('person-powers', PersonPowers);
