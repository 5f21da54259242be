/**
 * `<diagnostics-dialog>`: the numbers of this device, live, and a button that copies the same as text. Asked for every two
 * seconds while it is open and somebody can be looking, and at once when this device's addresses change.
 *
 * data: {moved, diagnostics() -> Promise<Diagnostics>}
 *
 * @typedef {import('../lib/diagnostics.js').Section} Section
 * @typedef {{moved: number, diagnostics: () => Promise<import('../ipc/types.js').Diagnostics>}} DiagnosticsData
 */
import { copyButton, copyText } from '../lib/copy.js';
import { asText, sectionsOf } from '../lib/diagnostics.js';
import { errorLine, h, setLine } from '../lib/dom.js';
import { ModalElement } from '../lib/modal.js';
import { Refresh } from '../lib/refresh.js';
import { t } from '../strings/index.js';

/** Long lists that few want to read stand folded. @type {ReadonlySet<Section['id']>} */
const FOLDED = new Set(['counters']);

/** @extends {ModalElement<DiagnosticsData>} */
export class DiagnosticsDialog extends ModalElement {
  #refresh = new Refresh(() => this.#ask());
  /** @type {Section[]} */
  #sections = [];
  #notice = h('p', { class: 'warning-line', role: 'status', 'data-test': 'networks-apart', hidden: true });
  #waiting = h('p', { class: 'hint' });
  #error = errorLine();
  #copy = copyButton({ words: t('diagnostics.copy'), kind: 'button button-primary', hook: 'diagnostics-copy', copy: () => this.#copyAll() });
  #parts = h('div', { class: 'diagnostics' });

  setup() {
    super.setup();
    this.heading = t('diagnostics.title');
    this.#copy.disabled = true;
    this.#parts.replaceChildren();
    setLine(this.#waiting, t('diagnostics.looking'));
    this.body.replaceChildren(
      h('p', { class: 'hint' }, t('diagnostics.private')),
      h('div', { class: 'row' }, this.#copy),
      this.#notice, this.#error, this.#waiting, this.#parts);
    this.#refresh.start();
  }

  teardown() {
    this.#refresh.stop();
  }

  /**
   * @param {DiagnosticsData} data
   * @param {DiagnosticsData | undefined} previous
   */
  render({ moved }, previous) {
    if (previous && previous.moved !== moved) this.#refresh.now();
  }

  async #ask() {
    try {
      const numbers = await this.data.diagnostics();
      if (!this.isConnected) return;
      setLine(this.#error, '');
      setLine(this.#notice, numbers.apart ? t('diagnostics.apart') : '');
      this.#show(sectionsOf(numbers, Date.now()));
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
    } finally {
      setLine(this.#waiting, '');
    }
  }

  /** Only what is another now is drawn anew. @param {Section[]} sections */
  #show(sections) {
    sections.forEach((section, n) => {
      const part = /** @type {HTMLElement | undefined} */ (this.#parts.children[n]);
      if (part && JSON.stringify(this.#sections[n]) === JSON.stringify(section)) return;
      if (part) /** @type {HTMLElement} */ (part.lastElementChild).replaceWith(listOf(section));
      else this.#parts.append(partOf(section));
    });
    this.#sections = sections;
    this.#copy.disabled = false;
  }

  async #copyAll() {
    const text = asText(this.#sections, this.#notice.textContent ?? '', Date.now());
    const done = await copyText(text, this.body);
    return { done, said: done ? t('copy.done') : t('copy.failed') };
  }
}

/**
 * @param {Section} section
 * @returns {HTMLElement} Its list stands last.
 */
function partOf(section) {
  const { id, title } = section;
  const attributes = { class: 'diagnostics-part', 'data-test': `diagnostics-${id}` };
  return FOLDED.has(id)
    ? h('details', { ...attributes, class: 'diagnostics-part more' }, h('summary', {}, title), listOf(section))
    : h('section', attributes, h('h3', { class: 'settings-heading' }, title), listOf(section));
}

/** @param {Section} section */
function listOf({ id, facts, empty }) {
  if (facts.length === 0) return h('p', { class: 'hint' }, empty);
  return h('dl', { class: `facts is-${id}` }, ...facts.map(({ label, value, note = '' }) => h('div', { class: 'fact' },
    h('dt', {}, h('bdi', {}, label)),
    value !== '' && h('dd', { class: 'fact-value' }, h('bdi', {}, value)),
    note !== '' && h('dd', { class: 'hint fact-note' }, note))));
}
customElements.define('diagnostics-dialog', DiagnosticsDialog);
