/**
 * `<link-dialog>`: an address from a message, shown whole and plainly before anything is opened.
 *
 * data: {link, open(url) -> Promise}
 *
 * @typedef {object} LinkData
 * @property {NonNullable<ReturnType<typeof import('../lib/links.js').lookAt>>} link
 * @property {(url: string) => Promise<void>} open
 */
import { copyText } from '../lib/copy.js';
import { errorLine, h, icon, setLine } from '../lib/dom.js';
import { ModalElement } from '../lib/modal.js';
import { t } from '../strings/index.js';

/** @extends {ModalElement<LinkData>} */
export class LinkDialog extends ModalElement {
  #error = errorLine();
  #note = h('p', { class: 'hint', role: 'status', 'data-test': 'link-note', hidden: true });

  setup() {
    super.setup();
    this.heading = t('link.title');
  }

  /** @param {LinkData} data */
  render({ link }) {
    this.body.replaceChildren(
      h('p', { class: 'hint' }, t('link.text')),
      h('p', { class: 'link-host', dir: 'ltr', 'data-test': 'link-host' }, link.host),
      ...warnings(link).map(({ kind, text }) => h('p', { class: 'warning-line', 'data-test': `link-${kind}` }, icon('alert'), h('span', {}, text))),
      h('p', { class: 'link-address', dir: 'ltr', tabindex: 0, 'data-test': 'link-address' }, link.url),
      this.#error,
      this.#note,
      h('div', { class: 'row row-wrap' },
        h('button', { type: 'button', class: 'button', 'data-test': 'link-cancel', autofocus: true, onclick: () => this.close() }, t('action.cancel')),
        h('button', { type: 'button', class: 'button button-soft', 'data-test': 'link-copy', onclick: () => void this.#copy() }, icon('copy'), t('link.copy')),
        h('button', { type: 'button', class: 'button button-primary', 'data-test': 'link-open', onclick: () => void this.#open() }, t('link.open'))));
    // Enter by habit opens nothing.
    /** @type {HTMLElement | null} */ (this.body.querySelector('[autofocus]'))?.focus();
  }

  async #open() {
    try {
      await this.data.open(this.data.link.url);
      this.close();
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
    }
  }

  async #copy() {
    const done = await copyText(this.data.link.url, this.body);
    setLine(this.#note, done ? t('copy.done') : t('copy.failed'));
  }
}

/**
 * @param {LinkData['link']} link
 * @returns {{kind: string, text: string}[]}
 */
function warnings({ punycode, mixed, user, writtenHost, host }) {
  const list = [];
  if (mixed) list.push({ kind: 'mixed', text: t('link.mixed') });
  if (punycode) {
    list.push({ kind: 'punycode', text: writtenHost === '' ? t('link.punycode') : t('link.punycodeWritten', { written: writtenHost, host }) });
  }
  if (user) list.push({ kind: 'user', text: t('link.user', { host }) });
  return list;
}
customElements.define('link-dialog', LinkDialog);
