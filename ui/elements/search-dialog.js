/**
 * `<search-dialog>`: looks for words in what this device has of a room, newest first, and goes on through its
 * history until everything was looked at, enough was found, or it is closed.
 *
 *   typed --pause--> looking --a step at a time--> found enough, or the beginning
 *                       ^------------ search older -----'
 *
 * data: {room, people, now, search(query, before) -> Promise<Found>, timeOf(message) -> Promise, jump(message)}
 *
 * @typedef {import('../ipc/types.js').Message} Message
 * @typedef {object} SearchData
 * @property {import('../ipc/types.js').Room} room
 * @property {import('../lib/people.js').People} people
 * @property {number} now
 * @property {(query: string, before: string | null) => Promise<import('../ipc/types.js').Found>} search
 * @property {(message: string) => Promise<number>} timeOf When a message was written.
 * @property {(message: Message) => void} jump
 */
import { errorLine, h, icon, setLine } from '../lib/dom.js';
import { ModalElement } from '../lib/modal.js';
import { excerpt, marked } from '../lib/text.js';
import { clock, dayLabel } from '../lib/time.js';
import { t } from '../strings/index.js';

/** A pause in typing. */
const PAUSE_MS = 250;

/** It stops by itself when it has found so many more. */
const ENOUGH = 40;

/** Results that are shown; who wants more writes another word. */
const SHOWN_MAX = 1000;

/** @extends {ModalElement<SearchData>} */
export class SearchDialog extends ModalElement {
  #field = h('input', {
    class: 'field', type: 'search', maxlength: 80, autocomplete: 'off', enterkeyhint: 'search', 'aria-label': t('search.label'),
    placeholder: t('search.placeholder'), 'data-test': 'search-input',
  });
  #list = h('ul', { class: 'found', 'data-test': 'search-results' });
  #state = h('p', { class: 'hint', role: 'status', 'data-test': 'search-state' });
  #error = errorLine();
  #older = h('button', { type: 'button', class: 'button button-soft button-wide', 'data-test': 'search-older', hidden: true, onclick: () => void this.#goOn() }, t('search.older'));
  #timer = 0;
  /** Counts searches: the answer to an older one comes too late. */
  #turn = 0;
  #query = '';
  /** @type {string | null} */
  #before = null;
  /** Down to when everything was looked at; null: not known. @type {number | null} */
  #downTo = null;
  #count = 0;

  setup() {
    super.setup();
    this.body.classList.add('search');
    this.body.replaceChildren(
      h('form', { class: 'search-form', onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); this.#start(); } }, this.#field),
      this.#error, this.#list, this.#state, this.#older);
    this.listen(this.#field, 'input', () => {
      clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => this.#start(), PAUSE_MS);
    });
    this.listen(this.body, 'keydown', (event) => this.#onKey(event));
    this.#field.focus();
  }

  teardown() {
    clearTimeout(this.#timer);
    this.#turn += 1;
  }

  /** @param {SearchData} data */
  render({ room }) {
    this.heading = t('search.title', { name: room.name });
  }

  /** A new word, from the newest message on. */
  #start() {
    clearTimeout(this.#timer);
    const query = this.#field.value.trim();
    if (query === this.#query) return;
    this.#query = query;
    this.#turn += 1;
    this.#before = null;
    this.#downTo = null;
    this.#count = 0;
    this.#list.replaceChildren();
    this.#older.hidden = true;
    setLine(this.#state, '');
    setLine(this.#error, '');
    if (query !== '') void this.#goOn();
  }

  /** Further back, a step at a time. */
  async #goOn() {
    const turn = this.#turn;
    const enough = this.#count + ENOUGH;
    const held = document.activeElement === this.#older;
    this.#older.hidden = true;
    if (held) this.#field.focus();
    setLine(this.#error, '');
    do {
      setLine(this.#state, this.#words(true));
      let found;
      try {
        found = await this.data.search(this.#query, this.#before);
      } catch (error) {
        if (turn !== this.#turn) return;
        setLine(this.#error, /** @type {Error} */ (error).message);
        setLine(this.#state, this.#words(true));
        this.#older.hidden = false;
        return;
      }
      const downTo = found.before === null ? null : await this.data.timeOf(found.before).catch(() => null);
      if (turn !== this.#turn) return;
      this.#before = found.before;
      this.#downTo = downTo;
      this.#add(found.messages);
    } while (this.#before !== null && this.#count < enough && this.#count < SHOWN_MAX);
    setLine(this.#state, this.#words(false));
    this.#older.hidden = this.#before === null || this.#count >= SHOWN_MAX;
  }

  /** @param {Message[]} messages */
  #add(messages) {
    const { people, now } = this.data;
    this.#list.append(...messages.slice(0, SHOWN_MAX - this.#count).map((message) => {
      const name = message.mine ? t('message.mine') : people.names.get(message.author) ?? message.name;
      return h('li', {}, h('button', {
        type: 'button', class: 'found-item', 'data-test': 'search-result', 'data-message': message.message, onclick: () => this.#pick(message),
      },
        h('span', { class: 'found-head' },
          h('bdi', { class: 'found-name' }, name),
          h('time', { class: 'found-time', datetime: new Date(message.timeMs).toISOString() }, `${dayLabel(message.timeMs, now)}, ${clock(message.timeMs)}`)),
        message.direct !== null && h('span', { class: 'hint' }, icon('people'), t('search.direct')),
        h('span', { class: 'found-text', dir: 'auto' }, ...marked(excerpt(message.text, this.#query), this.#query)
          .map(({ text, found }) => (found ? h('mark', {}, text) : text)))));
    }));
    this.#count += messages.length;
  }

  /**
   * @param {boolean} looking
   * @returns {string} What was found, and how far it has looked.
   */
  #words(looking) {
    const found = this.#count > 0 ? t('search.found', { n: this.#count }) : '';
    const downTo = this.#downTo === null ? '' : t('search.downTo', { time: `${dayLabel(this.#downTo, this.data.now)}, ${clock(this.#downTo)}` });
    if (looking) return `${found} ${downTo} ${t('search.looking')}`.trim();
    if (this.#before === null) return this.#count === 0 ? t('search.none') : `${found} ${t('search.all')}`;
    if (this.#count >= SHOWN_MAX) return `${found} ${t('search.tooMany')}`;
    return `${found} ${downTo}`.trim();
  }

  /** @param {Message} message */
  #pick(message) {
    const { jump } = this.data;
    this.close();
    jump(message);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    const stops = [this.#field, ...this.#list.querySelectorAll('button'), ...(this.#older.hidden ? [] : [this.#older])];
    const next = stops[stops.indexOf(/** @type {any} */ (document.activeElement)) + step];
    event.preventDefault();
    next?.focus();
  }
}
customElements.define('search-dialog', SearchDialog);
