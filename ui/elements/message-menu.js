/**
 * `<message-menu>`: what can be done with a message. Beside it where there is room, at the lower edge of a
 * phone, where the thumb is.
 *
 * data: {items, own, canReact, x, y, anchor}; emits `menu-pick` ({id, value}) and is gone, like every dialog.
 *
 * @typedef {object} MenuItem
 * @property {string} id
 * @property {string} label
 * @property {import('../lib/dom.js').IconName} icon
 * @property {boolean} [danger]
 *
 * @typedef {object} MenuData
 * @property {string} title What it is about, for readers of the screen.
 * @property {MenuItem[]} items
 * @property {string} own My reaction; empty when there is none.
 * @property {boolean} canReact
 * @property {number | null} x Where it was asked for; null: beside `anchor`.
 * @property {number | null} y
 * @property {Element} anchor The message.
 */
import { h, icon, setLine } from '../lib/dom.js';
import { COMMON, singleEmoji } from '../lib/emoji.js';
import { ViewElement } from '../lib/element.js';
import { t } from '../strings/index.js';

/** Between the menu and the edges of the window. */
const EDGE = 8;

/** @extends {ViewElement<MenuData>} */
export class MessageMenu extends ViewElement {
  #dialog = h('dialog', { class: 'menu', 'data-test': 'message-menu' });
  #field = h('input', {
    class: 'field', type: 'text', maxlength: 32, autocomplete: 'off', 'aria-label': t('react.typeLabel'), placeholder: t('react.typePlaceholder'), 'data-test': 'react-input',
  });
  #problem = h('p', { class: 'hint', role: 'status', hidden: true, 'data-test': 'react-problem' });
  #form = h('form', { class: 'menu-typed', hidden: true, onsubmit: (/** @type {Event} */ event) => this.#submit(event) },
    h('div', { class: 'row' }, this.#field, h('button', { type: 'submit', class: 'button button-primary', 'data-test': 'react-go' }, t('react.typeGo'))),
    this.#problem);

  setup() {
    this.classList.add('modal');
    this.replaceChildren(this.#dialog);
    this.listen(this.#dialog, 'close', () => {
      this.emit('menu-closed');
      this.remove();
    });
    this.listen(this.#dialog, 'pointerdown', (event) => {
      if (event.target === this.#dialog && !this.#inside(event)) this.#dialog.close();
    });
    this.listen(this.#dialog, 'contextmenu', (event) => event.preventDefault());
    this.listen(this.#dialog, 'keydown', (event) => this.#onKey(event));
    // Where it was pressed is elsewhere now; the message is laid out in the frame that follows.
    this.listen(window, 'resize', () => requestAnimationFrame(() => requestAnimationFrame(() => this.#place(null, null))));
  }

  /** @param {MenuData} data */
  render({ title, items, own, canReact }) {
    this.#dialog.setAttribute('aria-label', title);
    const reactions = h('div', { class: 'menu-reactions', role: 'group', 'aria-label': t('react.pick') }, ...[...COMMON, ...(own !== '' && !COMMON.includes(own) ? [own] : [])].map((sign) =>
      h('button', {
        type: 'button', class: sign === own ? 'menu-sign is-own' : 'menu-sign', 'aria-pressed': String(sign === own), 'aria-label': t('react.with', { reaction: sign }),
        'data-test': 'react-pick', 'data-value': sign, onclick: () => this.#pick('react', sign === own ? '' : sign),
      }, sign)),
    h('button', {
      type: 'button', class: 'menu-sign', 'aria-label': t('react.type'), title: t('react.type'), 'data-test': 'react-type', onclick: () => this.#type(),
    }, icon('plus')));
    const menu = h('div', { class: 'menu-items', role: 'menu', 'aria-label': title }, ...items.map(({ id, label, icon: name, danger }) =>
      h('button', {
        type: 'button', role: 'menuitem', class: danger ? 'menu-item is-danger' : 'menu-item', 'data-test': `menu-${id}`, onclick: () => this.#pick(id, ''),
      }, icon(name), label)));
    this.#dialog.replaceChildren(...(canReact ? [reactions, this.#form] : []), menu);
    this.#dialog.showModal();
    this.#place();
    /** @type {HTMLElement | null} */ (menu.querySelector('[role=menuitem]'))?.focus();
  }

  /**
   * Beside where it was asked for, and inside of the window; a phone's style sheet has its own place.
   * @param {number | null} [x]
   * @param {number | null} [y]
   */
  #place(x = this.data.x, y = this.data.y) {
    const { anchor: message } = this.data;
    const anchor = (message.querySelector('.bubble') ?? message).getBoundingClientRect();
    const { width, height } = this.#dialog.getBoundingClientRect();
    const left = Math.min(Math.max(EDGE, x ?? anchor.left), innerWidth - width - EDGE);
    const top = Math.min(Math.max(EDGE, y ?? anchor.bottom), innerHeight - height - EDGE);
    this.#dialog.style.setProperty('--menu-x', `${left}px`);
    this.#dialog.style.setProperty('--menu-y', `${top}px`);
  }

  /** @param {MouseEvent} event */
  #inside({ clientX, clientY }) {
    const { left, right, top, bottom } = this.#dialog.getBoundingClientRect();
    return clientX >= left && clientX <= right && clientY >= top && clientY <= bottom;
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.target === this.#field) return;
    const buttons = Array.from(this.#dialog.querySelectorAll('button')).filter((button) => button.getClientRects().length > 0);
    const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const wanted = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    buttons[(wanted + buttons.length) % buttons.length].focus();
  }

  #type() {
    this.#form.hidden = false;
    this.#field.focus();
    this.#place();
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    const sign = singleEmoji(this.#field.value);
    setLine(this.#problem, sign === null ? t('react.typeOne') : '');
    if (sign !== null) this.#pick('react', sign);
    else this.#place();
  }

  /**
   * @param {string} id
   * @param {string} value
   */
  #pick(id, value) {
    this.#dialog.close();
    this.emit('menu-pick', { id, value });
  }
}
customElements.define('message-menu', MessageMenu);
