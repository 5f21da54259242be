/**
 * `<wifi-code>`: the code that gets a phone onto a Wi-Fi, as big as the room's, and the ways on from it.
 *
 * data: {name, svg, change(), without()}
 *
 * @typedef {object} WifiCodeData
 * @property {string} name The network's.
 * @property {string} svg
 * @property {() => void} change Another Wi-Fi.
 * @property {() => void} without Only the room's code.
 */
import { h } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { pictureOf } from '../lib/poster.js';
import { t } from '../strings/index.js';

/** @extends {ViewElement<WifiCodeData>} */
export class WifiCode extends ViewElement {
  #text = h('p', { class: 'invite-text' });
  #qr = h('img', { class: 'invite-qr', 'data-test': 'wifi-qr' });

  setup() {
    this.classList.add('invite-view');
    this.replaceChildren(
      this.#text,
      h('div', { class: 'invite-panel' }, this.#qr),
      h('div', { class: 'row row-wrap invite-more' },
        h('button', { type: 'button', class: 'button', 'data-test': 'wifi-change', onclick: () => this.data.change() }, t('wifi.change')),
        h('button', { type: 'button', class: 'button', 'data-test': 'wifi-without', onclick: () => this.data.without() }, t('wifi.without'))));
  }

  /** @param {WifiCodeData} data */
  render({ name, svg }) {
    this.#text.textContent = t('wifi.scan', { name, n: 2 });
    this.#qr.alt = t('wifi.qr', { name });
    this.#qr.src = pictureOf(svg);
  }
}
customElements.define('wifi-code', WifiCode);
