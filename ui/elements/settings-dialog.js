/**
 * `<settings-dialog>`: my name, the language, colours and size of the text, what is told to me and to others,
 * whether people on this network are found, whether boxes near are used, by what server those on others are, whether the battery is saved, what the rooms take on this device, how its data is protected, and its end.
 *
 * data: {key, settings, rooms, set(name, value) -> Promise, hasTray() -> Promise, storage() -> Promise, wipe() -> Promise}; emits
 * `name-open`, `guide-open`, `diagnostics-open`.
 *
 * @typedef {import('../ipc/types.js').KeyPlace} KeyPlace
 * @typedef {import('../ipc/types.js').Storage} Storage
 * @typedef {object} SettingsData
 * @property {KeyPlace} key
 * @property {Record<string, string>} settings
 * @property {Record<string, import('../ipc/types.js').Room>} rooms
 * @property {(name: string, value: string) => Promise<void>} set
 * @property {() => Promise<boolean>} hasTray Whether there is a place for an icon that brings the window back.
 * @property {() => Promise<Storage>} storage
 * @property {() => Promise<void>} wipe
 */
import { bytes } from '../lib/bytes.js';
import { choice, dropdown, toggle } from '../lib/choice.js';
import { errorLine, h, icon, setLine } from '../lib/dom.js';
import { lookOf } from '../lib/look.js';
import { ModalElement } from '../lib/modal.js';
import { LANGUAGES, pickLanguage, t } from '../strings/index.js';
import './hold-button.js';
import './server-form.js';

/** @type {Record<KeyPlace, () => string>} */
const PROTECTION = {
  keychain: () => t('key.keychain'),
  passphrase: () => t('key.passphrase'),
  file: () => t('key.file'),
};

/** @extends {ModalElement<SettingsData>} */
export class SettingsDialog extends ModalElement {
  #key = h('p', { class: 'settings-text', 'data-test': 'key-place' });
  #tray = h('div', { hidden: true });
  #storage = h('section', { class: 'settings-part', 'data-test': 'storage' });
  #hold = /** @type {import('./hold-button.js').HoldButton} */ (document.createElement('hold-button'));
  #error = errorLine();
  #wipeError = errorLine();
  #end = h('section', { class: 'settings-part' });

  setup() {
    super.setup();
    this.heading = t('settings.title');
    this.#hold.data = { label: t('wipe.hold'), hook: 'wipe-hold' };
    this.listen(this.#hold, 'held', () => void this.#wipe());
    this.#end.replaceChildren(
      h('h3', { class: 'settings-heading' }, t('wipe.title')),
      h('p', { class: 'settings-text' }, t('wipe.text')),
      this.#hold,
      this.#wipeError);
    this.body.replaceChildren(
      this.#error,
      h('section', { class: 'settings-part' },
        h('div', { class: 'row row-wrap' },
          h('button', { type: 'button', class: 'button', 'data-test': 'settings-name', onclick: () => this.#openNext('name-open') }, t('name.change')),
          h('button', { type: 'button', class: 'button', 'data-test': 'guide-open', onclick: () => this.#openNext('guide-open') }, t('settings.guide')))),
      this.#look(),
      this.#notices(),
      this.#network(),
      this.#storage,
      h('section', { class: 'settings-part' }, h('h3', { class: 'settings-heading' }, t('key.title')), this.#key),
      this.#end);
    void this.#measure();
  }

  /** @param {SettingsData} data */
  render({ key }) {
    this.#key.textContent = PROTECTION[key]();
  }

  #look() {
    const { language, theme, textSize } = lookOf(this.data.settings);
    const system = pickLanguage('', navigator.languages).language;
    const { box, select } = dropdown({
      id: 'language', 'data-test': 'language',
      onchange: (/** @type {Event} */ event) => void this.#set('language', /** @type {HTMLSelectElement} */ (event.target).value),
    },
    h('option', { value: '' }, t('settings.languageSystem', { name: system.name })),
    ...LANGUAGES.map(({ code, name, locale }) => h('option', { value: code, lang: locale }, name)));
    select.value = language;
    return h('section', { class: 'settings-part' },
      h('label', { class: 'label', for: 'language' }, t('settings.language')),
      box,
      choice({
        name: 'theme', title: t('settings.theme'), hook: 'theme', chosen: theme,
        values: [['system', t('settings.themeSystem')], ['light', t('settings.themeLight')], ['dark', t('settings.themeDark')]],
        choose: (value) => void this.#set('theme', value),
      }),
      choice({
        name: 'textSize', title: t('settings.textSize'), hook: 'text', chosen: textSize,
        values: [['small', t('settings.textSmall')], ['medium', t('settings.textMedium')], ['large', t('settings.textLarge')], ['huge', t('settings.textHuge')]],
        choose: (value) => void this.#set('textSize', value),
      }));
  }

  #notices() {
    const { notify = 'on', previews = 'off', receipts = 'on' } = this.data.settings;
    void this.#offerTray();
    return h('section', { class: 'settings-part' },
      h('h3', { class: 'settings-heading' }, t('settings.notices')),
      toggle({ words: t('settings.notify'), on: notify === 'on', set: this.#switch('notify'), hook: 'notify' }),
      toggle({ words: t('settings.previews'), hint: t('settings.previewsHint'), on: previews === 'on', set: this.#switch('previews'), hook: 'previews' }),
      toggle({ words: t('settings.receipts'), hint: t('settings.receiptsHint'), on: receipts === 'on', set: this.#switch('receipts'), hook: 'receipts' }),
      this.#tray);
  }

  async #offerTray() {
    const there = await this.data.hasTray().catch(() => false); // what isn't known isn't offered
    if (!there || !this.isConnected) return;
    const { tray = 'off' } = this.data.settings;
    this.#tray.replaceChildren(toggle({ words: t('settings.tray'), hint: t('settings.trayHint'), on: tray === 'on', set: this.#switch('tray'), hook: 'tray' }));
    this.#tray.hidden = false;
  }

  #network() {
    const { lan = 'on', boxes = 'off', battery = 'off', server = '' } = this.data.settings;
    const form = /** @type {import('./server-form.js').ServerForm} */ (document.createElement('server-form'));
    form.data = { server, set: (value) => this.data.set('server', value) };
    return h('section', { class: 'settings-part' },
      h('h3', { class: 'settings-heading' }, t('settings.network')),
      toggle({ words: t('settings.lan'), hint: t('settings.lanHint'), on: lan !== 'off', set: this.#switch('lan'), hook: 'lan' }),
      toggle({ words: t('settings.boxes'), hint: t('settings.boxesHint'), on: boxes === 'on', set: this.#switch('boxes'), hook: 'boxes' }),
      toggle({ words: t('settings.battery'), hint: t('settings.batteryHint'), on: battery === 'on', set: this.#switch('battery'), hook: 'battery' }),
      form,
      h('button', { type: 'button', class: 'button', 'data-test': 'diagnostics-open', onclick: () => this.#openNext('diagnostics-open') }, icon('pulse'), t('diagnostics.open')));
  }

  /**
   * @param {string} name
   * @returns {(on: boolean) => void}
   */
  #switch(name) {
    return (on) => void this.#set(name, on ? 'on' : 'off');
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  async #set(name, value) {
    setLine(this.#error, '');
    try {
      await this.data.set(name, value);
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
      this.#error.scrollIntoView({ block: 'nearest' });
    }
  }

  async #measure() {
    const title = h('h3', { class: 'settings-heading' }, t('settings.storage'));
    this.#storage.replaceChildren(title, h('p', { class: 'hint' }, t('settings.measuring')));
    try {
      const { diskBytes, rooms } = await this.data.storage();
      const known = rooms.filter(({ room }) => this.data.rooms[room]).sort((a, b) => b.bytes - a.bytes);
      this.#storage.replaceChildren(title,
        h('p', { class: 'settings-text' }, t('settings.disk', { size: bytes(diskBytes) })),
        h('ul', { class: 'storage' }, ...known.map(({ room, events, bytes: size }) => h('li', { class: 'storage-room', 'data-test': 'storage-room', 'data-room': room },
          h('bdi', { class: 'storage-name' }, this.data.rooms[room].name),
          h('span', { class: 'hint' }, t('settings.entries', { n: events })),
          h('span', { class: 'storage-size' }, bytes(size))))),
        h('p', { class: 'hint' }, t('settings.entriesHint')));
    } catch (error) {
      const failed = errorLine();
      setLine(failed, /** @type {Error} */ (error).message);
      this.#storage.replaceChildren(title, failed);
    }
  }

  /** @param {'name-open' | 'guide-open' | 'diagnostics-open'} event */
  #openNext(event) {
    this.emit(event); // while this element is still in the page
    this.close();
  }

  async #wipe() {
    setLine(this.#wipeError, '');
    try {
      await this.data.wipe();
      this.#end.replaceChildren(h('p', { role: 'status', 'data-test': 'wiped' }, t('wipe.done')));
    } catch (error) {
      setLine(this.#wipeError, /** @type {Error} */ (error).message);
      this.#hold.reset();
    }
  }
}
customElements.define('settings-dialog', SettingsDialog);
