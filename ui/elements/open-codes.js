/**
 * `<open-codes>`: every code of the room that still lets somebody in, and the way to end it: one's own always,
 * everybody's for who moderates.
 *
 * data: {codes() -> Promise<OpenInvite[]>, end(invite) -> Promise, nameOf(author), moderates, back()}
 *
 * @typedef {import('../ipc/types.js').OpenInvite} OpenInvite
 * @typedef {object} OpenCodesData
 * @property {() => Promise<OpenInvite[]>} codes
 * @property {(invite: string) => Promise<void>} end
 * @property {(author: string) => string} nameOf
 * @property {boolean} moderates
 * @property {() => void} back
 */
import { errorLine, h, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { moment } from '../lib/time.js';
import { t } from '../strings/index.js';

/** @extends {ViewElement<OpenCodesData>} */
export class OpenCodes extends ViewElement {
  #list = h('ul', { class: 'codes' });
  #note = h('p', { class: 'hint', role: 'status' });
  #error = errorLine();

  setup() {
    this.replaceChildren(
      this.#note,
      this.#error,
      this.#list,
      h('div', { class: 'row' }, h('button', { type: 'button', class: 'button', 'data-test': 'invite-back', onclick: () => this.data.back() }, t('invite.back'))));
    setLine(this.#note, t('codes.loading'));
    void this.#load();
  }

  async #load() {
    try {
      const codes = await this.data.codes();
      setLine(this.#note, codes.length === 0 ? t('codes.none') : t('codes.hint'));
      this.#list.replaceChildren(...codes.toSorted((a, b) => a.expiresMs - b.expiresMs).map((code) => this.#row(code)));
    } catch (error) {
      setLine(this.#note, '');
      setLine(this.#error, /** @type {Error} */ (error).message);
    }
  }

  /** @param {OpenInvite} code */
  #row(code) {
    const who = code.mine ? t('codes.mine') : t('codes.by', { name: this.data.nameOf(code.author) });
    const use = code.used === 0 ? t('codes.unused') : code.uses === null ? t('codes.used', { n: code.used }) : t('codes.usedOf', { used: code.used, total: code.uses });
    const until = t('codes.until', { date: moment(code.expiresMs) });
    const id = `code-${code.invite}`;
    return h('li', { class: 'code-row', 'data-test': 'open-code', 'data-invite': code.invite },
      h('span', { class: 'code-text', id },
        h('span', { class: 'code-who' }, code.poster ? `${who} · ${t('codes.poster')}` : who),
        h('span', { class: 'hint' }, `${use} · ${until}`)),
      (code.mine || this.data.moderates) && h('button', {
        type: 'button', class: 'button', 'data-test': 'open-code-end', 'aria-label': t('codes.endLabel', { what: `${who}, ${until}` }),
        onclick: () => void this.#end(code.invite),
      }, t('codes.end')));
  }

  /** @param {string} invite */
  async #end(invite) {
    setLine(this.#error, '');
    try {
      await this.data.end(invite);
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
    }
    await this.#load();
    // The button that had the focus is gone with its row.
    /** @type {HTMLElement | null} */ (this.querySelector('button'))?.focus();
  }
}
customElements.define('open-codes', OpenCodes);
