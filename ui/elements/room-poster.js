/**
 * `<room-poster>`: a code on paper: for how many days, then the sheet itself and the way to the printer.
 *
 * The sheet stands twice: here to be looked at, and, for the printer, at the page's end, where nothing but
 * it is printed (`css/components/poster.css`).
 *
 * data: {room, poster(days) -> Promise<Invite>, print() -> Promise, back()}
 *
 * @typedef {object} PosterData
 * @property {import('../ipc/types.js').Room} room
 * @property {(days: number) => Promise<import('../ipc/types.js').Invite>} poster
 * @property {() => Promise<void>} print
 * @property {() => void} back
 */
import { choice } from '../lib/choice.js';
import { errorLine, h, icon, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { poster } from '../lib/poster.js';
import { POSTER_DAYS } from '../state/codes.js';
import { t } from '../strings/index.js';

/** @extends {ViewElement<PosterData>} */
export class RoomPoster extends ViewElement {
  #days = 7;
  #error = errorLine();
  #make = h('button', { type: 'button', class: 'button button-primary', 'data-test': 'poster-make', onclick: () => void this.#draw() }, t('poster.make'));
  /** @type {HTMLElement | null} */
  #printed = null;

  setup() {
    this.replaceChildren(
      h('p', {}, t('poster.text')),
      choice({
        name: 'poster-days', title: t('poster.days'), hook: 'poster-days', chosen: this.#days,
        values: POSTER_DAYS.map((days) => [days, t('create.days', { n: days })]),
        choose: (days) => { this.#days = days; },
      }),
      h('p', { class: 'hint' }, t('poster.honest')),
      this.#error,
      h('div', { class: 'row row-wrap' }, this.#make, this.#back()));
  }

  teardown() {
    this.#printed?.remove();
    this.#printed = null;
  }

  #back() {
    return h('button', { type: 'button', class: 'button', 'data-test': 'invite-back', onclick: () => this.data.back() }, t('invite.back'));
  }

  async #print() {
    setLine(this.#error, '');
    try {
      await this.data.print();
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
    }
  }

  async #draw() {
    const { room } = this.data;
    setLine(this.#error, '');
    this.#make.disabled = true;
    this.#make.textContent = t('poster.making');
    try {
      const invite = await this.data.poster(this.#days);
      if (!this.isConnected) return;
      this.#printed = poster(room.name, invite);
      this.#printed.classList.add('is-printed');
      document.body.append(this.#printed);
      const print = h('button', { type: 'button', class: 'button button-primary', 'data-test': 'poster-print', onclick: () => void this.#print() }, icon('print'), t('poster.print'));
      this.replaceChildren(
        h('div', { class: 'row row-wrap' }, print, this.#back()),
        h('p', { class: 'hint' }, t('poster.honest')),
        this.#error,
        h('div', { class: 'poster-shown', 'data-test': 'poster' }, poster(room.name, invite)));
      print.focus();
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
    } finally {
      this.#make.disabled = false;
      this.#make.textContent = t('poster.make');
    }
  }
}
customElements.define('room-poster', RoomPoster);
