/**
 * `<hold-button>`: a button that acts only when it is held for three seconds, by finger, mouse or key
 * (space or enter). It fills up meanwhile and counts down; let go before, and nothing happens.
 *
 * data: {label, hook}; emits `held`.
 *
 * @typedef {{label: string, hook: string}} HoldData
 */
import { h } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { HOLD_MS, Hold } from '../lib/hold.js';
import { t } from '../strings/index.js';

/** @extends {ViewElement<HoldData>} */
export class HoldButton extends ViewElement {
  #fill = h('span', { class: 'hold-fill', 'aria-hidden': 'true' });
  #label = h('span', { class: 'hold-label' });
  #note = h('p', { class: 'hint', role: 'status', 'data-test': 'hold-note' });
  #button = h('button', { type: 'button', class: 'button button-danger button-wide hold-button' }, this.#fill, this.#label);
  #hold = new Hold({
    tick: (share) => this.#show(share),
    released: () => {
      this.#show(0);
      this.#say(t('hold.released'));
    },
    done: () => {
      this.#button.disabled = true;
      this.#say('');
      this.emit('held');
    },
  });

  setup() {
    this.replaceChildren(this.#button, this.#note);
    this.#say(t('hold.how'));
    const button = this.#button;
    this.listen(button, 'pointerdown', (/** @type {PointerEvent} */ event) => {
      if (event.button === 0) this.#hold.press();
    });
    for (const end of ['pointerup', 'pointerleave', 'pointercancel', 'blur']) this.listen(button, end, () => this.#hold.release());
    this.listen(button, 'keydown', (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== ' ' && event.key !== 'Enter') return;
      event.preventDefault();
      if (!event.repeat) this.#hold.press();
    });
    this.listen(button, 'keyup', () => this.#hold.release());
    this.listen(button, 'contextmenu', (/** @type {Event} */ event) => event.preventDefault()); // a long touch
    this.listen(document, 'visibilitychange', () => this.#hold.release());
  }

  teardown() {
    this.#hold.release();
  }

  /** @param {HoldData} data */
  render({ label, hook }) {
    this.#label.textContent = label;
    this.#button.dataset.test = hook;
  }

  /** Ready to be held again, after what it did failed. */
  reset() {
    this.#button.disabled = false;
    this.#show(0);
    this.#say(t('hold.how'));
  }

  /** @param {number} share */
  #show(share) {
    this.#fill.style.inlineSize = `${share * 100}%`;
    if (this.#hold.held) this.#say(t('hold.left', { n: Math.ceil(((1 - share) * HOLD_MS) / 1000) }));
  }

  /** @param {string} text */
  #say(text) {
    if (this.#note.textContent !== text) this.#note.textContent = text;
  }
}
customElements.define('hold-button', HoldButton);
