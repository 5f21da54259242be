/**
 * `<invite-dialog>`: the room's code, as big as the screen allows, and how long it works. While it is shown the
 * screen stays on, and a new code takes its place before it ends. From here a poster is made, and every open
 * code is listed. Where friends need the Wi-Fi first, its code is step 1 and the room's is step 2. Whoever scanned it and can't
 * get in shows a code of their own, which is scanned from here. Where the room lets nobody in any more, that stands in the code's place.
 *
 *   code <--back-- poster, codes, Wi-Fi form --> step 1: Wi-Fi <--> step 2: code
 *
 * data: {room, members, moved, invite, revoke, poster, print, codes, nameOf, moderates, open, keepAwake, wifi, wifiCode, keepWifi}; emits `scan-open`.
 *
 * @typedef {import('../ipc/types.js').Invite} Invite
 * @typedef {import('../ipc/types.js').OpenInvite} OpenInvite
 * @typedef {object} InviteData
 * @property {import('../ipc/types.js').Room} room
 * @property {import('../ipc/types.js').Member[] | undefined} members Fewer than before: who went takes every open code along.
 * @property {number} moved Another than before: the code names addresses that are this device's no more.
 * @property {() => Promise<Invite>} invite One with time left.
 * @property {(invite: string) => Promise<void>} revoke
 * @property {(days: number) => Promise<Invite>} poster
 * @property {() => Promise<void>} print
 * @property {() => Promise<OpenInvite[]>} codes
 * @property {(author: string) => string} nameOf
 * @property {boolean} moderates Whether I may end others' codes, and open the room, should it be closed.
 * @property {() => Promise<void>} open
 * @property {(on: boolean) => void} keepAwake
 * @property {() => import('../ipc/types.js').Wifi} wifi The one entered last.
 * @property {(wifi: import('../ipc/types.js').Wifi) => Promise<{svg: string}>} wifiCode
 * @property {(wifi: import('../ipc/types.js').Wifi) => Promise<void>} keepWifi
 */
import { copyButton, copyText } from '../lib/copy.js';
import { errorLine, h, icon, setLine } from '../lib/dom.js';
import { ModalElement } from '../lib/modal.js';
import { silence } from '../lib/people.js';
import { pictureOf } from '../lib/poster.js';
import { countdown } from '../lib/time.js';
import { isOld } from '../state/codes.js';
import { t } from '../strings/index.js';
import './open-codes.js';
import './room-poster.js';
import './wifi-code.js';
import './wifi-form.js';

/** After a code could not be renewed, the next try. */
const RENEW_AGAIN_MS = 5000;

/** @extends {ModalElement<InviteData>} */
export class InviteDialog extends ModalElement {
  /** @type {Invite | null} */
  #invite = null;
  #timer = 0;
  #renewing = false;
  #making = false;
  /** Whether the code names addresses of before. */
  #stale = false;
  #text = h('p', { class: 'invite-text' });
  #qr = h('img', { class: 'invite-qr', 'data-test': 'invite-qr', hidden: true });
  #panel = h('div', { class: 'invite-panel' });
  #cover = h('div', { class: 'invite-cover' });
  #coverText = h('p', { role: 'status' });
  #again = h('button', {
    type: 'button', class: 'button button-primary', 'data-test': 'invite-again', onclick: () => void this.#make(),
  }, t('invite.again'));
  #open = h('button', {
    type: 'button', class: 'button button-primary', 'data-test': 'invite-open-room', hidden: true, onclick: () => void this.#openRoom(),
  }, t('door.open'));
  #left = h('p', { class: 'invite-left', role: 'timer' });
  #link = h('input', { id: 'invite-link', class: 'field field-code', dir: 'ltr', readonly: true, 'data-test': 'invite-link' });
  #copy = copyButton({ words: t('invite.copy'), kind: 'button', hook: 'invite-copy', copy: () => this.#copyLink() });
  #note = h('p', { class: 'hint', role: 'status', hidden: true });
  #error = errorLine();
  #below = h('div', { class: 'stack' });
  /** The Wi-Fi's code, once its network was named. @type {{name: string, svg: string} | null} */
  #wifi = null;
  #steps = h('div', { class: 'invite-steps', role: 'group' });
  #wifiOpen = h('button', { type: 'button', class: 'button', 'data-test': 'wifi-open', onclick: () => this.#showWifiForm() }, icon('wifi'), t('wifi.open'));
  #more = h('div', { class: 'row row-wrap invite-more' },
    this.#wifiOpen,
    h('button', { type: 'button', class: 'button', 'data-test': 'poster-open', onclick: () => this.#showPoster() }, icon('print'), t('poster.open')),
    h('button', { type: 'button', class: 'button', 'data-test': 'codes-open', onclick: () => this.#showCodes() }, t('codes.title')));

  setup() {
    super.setup();
    this.heading = t('invite.title');
    this.#cover.replaceChildren(this.#coverText, this.#again);
    this.#panel.replaceChildren(this.#qr, this.#cover);
    this.#below.replaceChildren(
      this.#left,
      h('label', { class: 'visually-hidden', for: 'invite-link' }, t('invite.link')),
      h('div', { class: 'row' }, this.#link, this.#copy),
      this.#note,
      h('button', {
        type: 'button', class: 'link-button', 'data-test': 'answer-open', onclick: () => this.#scanTheirs(),
      }, t('answer.open')),
      h('button', {
        type: 'button', class: 'link-button', 'data-test': 'invite-revoke', onclick: () => void this.#revoke(),
      }, t('invite.revoke')));
    this.#timer = window.setInterval(() => this.#tick(), 500);
    this.data.keepAwake(true);
    this.#showCode();
    void this.#make();
  }

  teardown() {
    clearInterval(this.#timer);
    this.data.keepAwake(false);
  }

  #showCode() {
    const { name } = this.data.room;
    this.heading = t('invite.title');
    this.#text.textContent = this.#wifi ? t('wifi.room', { name }) : t('invite.text', { name });
    this.#wifiOpen.hidden = this.#wifi !== null;
    this.body.classList.add('invite');
    this.body.replaceChildren(...this.#stepsAt(2), this.#text, this.#panel, this.#error, this.#open, this.#below, this.#more);
  }

  #showWifi() {
    if (!this.#wifi) return;
    const part = /** @type {import('./wifi-code.js').WifiCode} */ (document.createElement('wifi-code'));
    part.data = {
      ...this.#wifi,
      change: () => this.#showWifiForm(),
      without: () => {
        this.#wifi = null;
        this.#backToCode();
      },
    };
    this.heading = t('wifi.title');
    this.body.classList.add('invite');
    this.body.replaceChildren(...this.#stepsAt(1), part);
  }

  #showWifiForm() {
    const part = /** @type {import('./wifi-form.js').WifiForm} */ (document.createElement('wifi-form'));
    part.data = {
      wifi: this.data.wifi(),
      make: async (wifi) => {
        const { svg } = await this.data.wifiCode(wifi);
        await this.data.keepWifi(wifi);
        this.#wifi = { name: wifi.name, svg };
        this.#showWifi();
        this.#focusStep(1);
      },
      back: () => this.#backToCode(),
    };
    this.heading = t('wifi.title');
    this.#showInstead(part);
  }

  /**
   * @param {1 | 2} shown
   * @returns {HTMLElement[]} None without a Wi-Fi.
   */
  #stepsAt(shown) {
    if (!this.#wifi) return [];
    const step = (/** @type {1 | 2} */ n, /** @type {string} */ words, /** @type {() => void} */ show) => h('button', {
      type: 'button', class: `button button-large ${n === shown ? 'button-primary' : ''}`.trim(), 'data-test': `invite-step-${n}`, 'aria-current': n === shown ? 'step' : null,
      onclick: () => {
        show();
        this.#focusStep(n);
      },
    }, words);
    this.#steps.ariaLabel = t('wifi.steps');
    this.#steps.replaceChildren(step(1, t('wifi.step1', { n: 1 }), () => this.#showWifi()), step(2, t('wifi.step2', { n: 2 }), () => this.#showCode()));
    return [this.#steps];
  }

  /** @param {1 | 2} n */
  #focusStep(n) {
    /** @type {HTMLElement | null} */ (this.#steps.querySelector(`[data-test="invite-step-${n}"]`))?.focus();
  }

  /** @param {HTMLElement} part What stands in the code's place. */
  #showInstead(part) {
    this.body.classList.remove('invite');
    this.body.replaceChildren(part);
    /** @type {HTMLElement | null} */ (part.querySelector('input, button'))?.focus();
  }

  #showPoster() {
    const { room } = this.data;
    const part = /** @type {import('./room-poster.js').RoomPoster} */ (document.createElement('room-poster'));
    part.data = { room, poster: this.data.poster, print: this.data.print, back: () => this.#backToCode() };
    this.heading = t('poster.title', { name: room.name });
    this.#showInstead(part);
  }

  #showCodes() {
    const part = /** @type {import('./open-codes.js').OpenCodes} */ (document.createElement('open-codes'));
    const { codes, moderates, nameOf } = this.data;
    this.heading = t('codes.title');
    part.data = { codes, moderates, nameOf, end: (invite) => this.#endListed(invite), back: () => this.#backToCode() };
    this.#showInstead(part);
  }

  #backToCode() {
    this.#showCode();
    /** @type {HTMLElement | null} */ (this.#more.querySelector('button:not([hidden])'))?.focus();
  }

  /** @param {string} invite */
  async #endListed(invite) {
    await this.data.revoke(invite);
    if (this.#invite?.invite === invite) this.#end();
  }

  /**
   * @param {InviteData} data
   * @param {InviteData | undefined} previous
   */
  render({ room, members, moved }, previous) {
    this.#qr.alt = t('invite.qr', { name: room.name });
    if (!previous) return;
    if (isShut(room) !== isShut(previous.room)) {
      if (isShut(room)) this.#shut();
      else if (this.#invite === null) void this.#make();
      return;
    }
    const fewer = (members?.length ?? 0) < (previous.members?.length ?? 0);
    if ((previous.moved === moved && !fewer) || this.#invite === null) return;
    this.#stale = true;
    void this.#renew();
  }

  #scanTheirs() {
    this.emit('scan-open', { theirs: true }); // while this element is still in the page
    this.close();
  }

  async #make() {
    if (this.#making) return;
    this.#making = true;
    this.#invite = null;
    setLine(this.#error, '');
    this.#show(t('invite.making'), false);
    try {
      const invite = await this.data.invite();
      if (isShut(this.data.room)) {
        this.#shut(); // meanwhile
        return;
      }
      this.#put(invite);
      this.#show('', false);
      this.#tick();
    } catch (error) {
      this.#refused(/** @type {import('../ipc/index.js').IpcError} */ (error));
    } finally {
      this.#making = false;
    }
  }

  /** No code lets anybody in any more: none is shown, and none made anew. */
  #shut() {
    const { room } = this.data;
    this.#invite = null;
    if (!room.removed) {
      this.#refused({ code: 'room_closed', message: t('door.closed') });
      return;
    }
    setLine(this.#error, silence(room, undefined));
    this.#show('', false);
    this.#hideCode(true);
  }

  /** @param {Invite} invite */
  #put(invite) {
    this.#invite = invite;
    this.#stale = false;
    this.#qr.src = pictureOf(invite.svg);
    this.#link.value = invite.link;
  }

  /** Puts a new code in the place of one that ends soon, or is stale. Should that fail, the old one stays until it ends. */
  async #renew() {
    if (this.#renewing) return;
    this.#renewing = true;
    try {
      const invite = await this.data.invite();
      if (this.#invite !== null && this.isConnected) this.#put(invite);
    } catch (error) {
      console.info('the code could not be renewed', error);
      await new Promise((resolve) => setTimeout(resolve, RENEW_AGAIN_MS));
    } finally {
      this.#renewing = false;
    }
  }

  /**
   * Says why there is no code, and offers what may bring one.
   * @param {{code: string, message: string}} error
   */
  #refused({ code, message }) {
    const opens = code === 'room_closed' && this.data.moderates;
    if (code === 'not_allowed') setLine(this.#error, t('invite.notAllowed'));
    else setLine(this.#error, opens ? t('invite.closed') : message);
    this.#show('', true);
    // Trying again would bring the same answer: no place is kept for a code.
    this.#hideCode(code === 'not_allowed' || code === 'room_closed');
    this.#open.hidden = !opens;
    if (opens) this.#open.focus();
  }

  /** @param {boolean} on */
  #hideCode(on) {
    this.#panel.hidden = on;
    this.#text.hidden = on;
    this.#more.hidden = on;
  }

  async #openRoom() {
    try {
      await this.data.open();
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
      return;
    }
    await this.#make();
  }

  #tick() {
    if (!this.#invite) return;
    const now = Date.now();
    const left = this.#invite.expiresMs - now;
    if (left > 0) {
      if (this.#stale || isOld(this.#invite, now)) void this.#renew();
      this.#left.textContent = t('invite.left', { time: countdown(left) });
      return;
    }
    this.#end();
  }

  #end() {
    this.#invite = null;
    this.#show(t('invite.ended'), true);
    if (this.#again.isConnected) this.#again.focus();
  }

  async #revoke() {
    if (!this.#invite) return;
    try {
      await this.data.revoke(this.#invite.invite);
      this.#end();
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
    }
  }

  /**
   * The code, or what stands in its place.
   * @param {string} words
   * @param {boolean} again
   */
  #show(words, again) {
    const ready = this.#invite !== null;
    this.#qr.hidden = !ready;
    this.#cover.hidden = ready;
    this.#coverText.textContent = words;
    this.#again.hidden = !again;
    this.#open.hidden = true;
    this.#hideCode(false);
    this.#below.hidden = !ready;
  }

  async #copyLink() {
    const done = await copyText(this.#link.value, this.body);
    if (!done) this.#link.select();
    setLine(this.#note, done ? '' : t('invite.copyByHand'));
    return { done, said: done ? t('copy.done') : '' };
  }
}

/**
 * @param {import('../ipc/types.js').Room} room
 * @returns {boolean} Whether its codes let nobody in.
 */
function isShut({ closed, removed }) {
  return closed || removed;
}
customElements.define('invite-dialog', InviteDialog);
