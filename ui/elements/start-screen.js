/**
 * `<start-screen>`: what a person without a room sees: first the question for a name, then the two
 * ways in.
 *
 * data: {name, key, setName}; emits `make-room`, `scan-open`, `guide-open`, `protect-open`.
 *
 * @typedef {{name: string, key: import('../ipc/types.js').KeyPlace, setName: (name: string) => Promise<void>}} StartData
 */
import { h, icon } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { t } from '../strings/index.js';
import './name-form.js';

/** @extends {ViewElement<StartData>} */
export class StartScreen extends ViewElement {
  /**
   * @param {StartData} data
   * @param {StartData | undefined} previous
   */
  render(data, previous) {
    if (previous && previous.name === data.name && previous.key === data.key) return;
    this.replaceChildren(h('main', { class: 'start' },
      h('img', { class: 'start-mark', src: 'icons/mark.svg', alt: '', width: 88, height: 88 }),
      ...(data.name === '' ? this.#askName(data) : this.#offerWays(data)),
      h('button', { type: 'button', class: 'link-button start-guide', 'data-test': 'guide-open', onclick: () => this.emit('guide-open') }, t('start.guide')),
      // A key that has sealed nothing yet can still be another one.
      data.name !== '' && data.key !== 'passphrase' && h('button', { type: 'button', class: 'link-button start-guide', 'data-test': 'protect-open', onclick: () => this.emit('protect-open') }, t('start.protect'))));
    if (previous) this.querySelector('button')?.focus();
  }

  /** @param {StartData} data */
  #askName({ setName }) {
    const form = /** @type {import('./name-form.js').NameForm} */ (document.createElement('name-form'));
    form.data = { name: '', action: t('action.continue'), submit: setName };
    return [
      h('h1', { class: 'start-title' }, t('app.name')),
      h('p', { class: 'start-text' }, t('app.tagline')),
      h('h2', { class: 'start-question' }, t('name.title')),
      form,
    ];
  }

  /** @param {StartData} data */
  #offerWays({ name }) {
    return [
      h('h1', { class: 'start-title' }, t('start.title', { name })),
      h('p', { class: 'start-text' }, t('start.text')),
      h('div', { class: 'start-ways' },
        h('button', {
          type: 'button', class: 'button button-primary button-large', 'data-test': 'scan-open',
          onclick: () => this.emit('scan-open'),
        }, icon('scan'), t('start.scan')),
        h('button', {
          type: 'button', class: 'button button-large', 'data-test': 'make-room',
          onclick: () => this.emit('make-room'),
        }, icon('plus'), t('start.make'))),
    ];
  }
}
customElements.define('start-screen', StartScreen);
