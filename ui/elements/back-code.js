/**
 * `<back-code>`: what a joiner shows to whoever made a code that could not be followed, as big as a room's code, and how
 * much longer joining is tried. While it is shown the screen stays on.
 *
 * data: {svg, stage, untilMs, cancel(), keepAwake(on)}
 *
 * @typedef {object} BackData
 * @property {string} svg
 * @property {string} stage How far joining has come; empty while nobody answers.
 * @property {number} untilMs
 * @property {() => void} cancel
 * @property {(on: boolean) => void} keepAwake
 */
import { h, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { pictureOf } from '../lib/poster.js';
import { countdown } from '../lib/time.js';
import { t } from '../strings/index.js';

/** @extends {ViewElement<BackData>} */
export class BackCode extends ViewElement {
  #timer = 0;
  #qr = h('img', { class: 'invite-qr', 'data-test': 'back-qr' });
  #left = h('p', { class: 'invite-left', role: 'timer', 'data-test': 'back-left' });
  #stage = h('p', { class: 'hint', role: 'status', hidden: true });

  setup() {
    this.#qr.alt = t('back.qr');
    const cancel = h('button', { type: 'button', class: 'button', 'data-test': 'join-cancel', onclick: () => this.data.cancel() }, t('action.cancel'));
    this.classList.add('invite');
    this.replaceChildren(
      h('p', { class: 'invite-text' }, t('back.text')),
      h('div', { class: 'invite-panel' }, this.#qr),
      h('div', { class: 'stack' }, this.#left, this.#stage),
      cancel);
    cancel.focus({ preventScroll: true });
    this.#timer = window.setInterval(() => this.#tick(), 500);
    this.data.keepAwake(true);
  }

  teardown() {
    clearInterval(this.#timer);
    this.data.keepAwake(false);
  }

  /**
   * @param {BackData} data
   * @param {BackData | undefined} previous
   */
  render({ svg, stage }, previous) {
    if (previous?.svg !== svg) this.#qr.src = pictureOf(svg);
    setLine(this.#stage, stage);
    this.#tick();
  }

  #tick() {
    const left = this.data.untilMs - Date.now();
    this.#left.textContent = left > 0 ? t('back.left', { time: countdown(left) }) : t('back.last');
  }
}
customElements.define('back-code', BackCode);
