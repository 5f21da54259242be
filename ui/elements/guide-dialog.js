/**
 * `<guide-dialog>`: how the app works, in five steps, each a drawing and a few sentences. Nothing is loaded for it.
 *
 * data: none
 */
import { h } from '../lib/dom.js';
import { drawing } from '../lib/drawing.js';
import { ModalElement } from '../lib/modal.js';
import { t } from '../strings/index.js';

/** @type {readonly {drawing: import('../lib/drawing.js').DrawingName, title: () => string, text: () => string}[]} */
const STEPS = Object.freeze([
  { drawing: 'near', title: () => t('guide.nearTitle'), text: () => t('guide.nearText') },
  { drawing: 'wifi', title: () => t('guide.wifiTitle'), text: () => t('guide.wifiText') },
  { drawing: 'scan', title: () => t('guide.scanTitle'), text: () => t('guide.scanText') },
  { drawing: 'carry', title: () => t('guide.carryTitle'), text: () => t('guide.carryText') },
  { drawing: 'safe', title: () => t('guide.safeTitle'), text: () => t('guide.safeText') },
]);

/** @extends {ModalElement<null>} */
export class GuideDialog extends ModalElement {
  #step = 0;
  #place = h('p', { class: 'hint', 'data-test': 'guide-step' });
  #text = h('div', { class: 'guide-text', 'aria-live': 'polite' });
  #back = h('button', { type: 'button', class: 'button', 'data-test': 'guide-back', onclick: () => this.#go(-1) }, t('action.backStep'));
  #next = h('button', { type: 'button', class: 'button button-primary', 'data-test': 'guide-next', onclick: () => this.#go(1) });

  setup() {
    super.setup();
    this.heading = t('guide.title');
    this.body.replaceChildren(this.#place, this.#text, h('div', { class: 'row row-ends' }, this.#back, this.#next));
    this.#go(0);
    this.#next.focus();
  }

  /** @param {number} by */
  #go(by) {
    this.#step += by;
    if (this.#step >= STEPS.length) {
      this.close();
      return;
    }
    const step = STEPS[this.#step];
    this.#place.textContent = t('guide.step', { n: this.#step + 1, total: STEPS.length });
    this.#text.replaceChildren(
      drawing(step.drawing),
      h('h3', { class: 'guide-title' }, step.title()),
      h('p', {}, step.text()));
    this.#back.disabled = this.#step === 0;
    this.#next.textContent = this.#step === STEPS.length - 1 ? t('action.done') : t('action.next');
    if (this.#step === 0) this.#next.focus();
  }
}
customElements.define('guide-dialog', GuideDialog);
