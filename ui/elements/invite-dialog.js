/**
 * `<invite-dialog>`: the room's code, as big as the screen allows, and how long it works.
 *
 * data: {room, invite() -> Promise<Invite>, revoke(invite) -> Promise, mayOpen, open() -> Promise}
 *
 * @typedef {import('../ipc/types.js').Invite} Invite
 * @typedef {object} InviteData
 * @property {import('../ipc/types.js').Room} room
 * @property {() => Promise<Invite>} invite
 * @property {(invite: string) => Promise<void>} revoke
 * @property {boolean} mayOpen Whether I may open the room, should it be closed.
 * @property {() => Promise<void>} open
 */
import { errorLine, h, icon, setLine } from '../lib/dom.js';
import { ModalElement } from '../lib/modal.js';
import { countdown } from '../lib/time.js';
import { t } from '../strings/index.js';

/** How long "Copied" stays. */
const COPIED_MS = 2500;

/** @extends {ModalElement<InviteData>} */
export class InviteDialog extends ModalElement {
  /** @type {Invite | null} */
  #invite = null;
  #timer = 0;
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
  #link = h('input', { id: 'invite-link', class: 'field field-code', readonly: true, 'data-test': 'invite-link' });
  #copy = h('button', {
    type: 'button', class: 'button', 'data-test': 'invite-copy', onclick: () => void this.#copyLink(),
  });
  #note = h('p', { class: 'hint', role: 'status', hidden: true });
  #error = errorLine();
  #below = h('div', { class: 'stack' });

  setup() {
    super.setup();
    this.heading = t('invite.title');
    this.#cover.replaceChildren(this.#coverText, this.#again);
    this.#panel.replaceChildren(this.#qr, this.#cover);
    this.#below.replaceChildren(
      this.#left,
      h('label', { class: 'label', for: 'invite-link' }, t('invite.link')),
      h('div', { class: 'row' }, this.#link, this.#copy),
      this.#note,
      h('button', {
        type: 'button', class: 'link-button', 'data-test': 'invite-revoke', onclick: () => void this.#revoke(),
      }, t('invite.revoke')));
    this.#showCopy('copy', t('invite.copy'));
    this.body.classList.add('invite');
    this.body.replaceChildren(
      this.#text,
      this.#panel,
      this.#error,
      this.#open,
      this.#below);
    this.#timer = window.setInterval(() => this.#tick(), 500);
    void this.#make();
  }

  teardown() {
    clearInterval(this.#timer);
  }

  /** @param {InviteData} data */
  render({ room }) {
    this.#text.textContent = t('invite.text', { name: room.name });
    this.#qr.alt = t('invite.qr', { name: room.name });
  }

  async #make() {
    this.#invite = null;
    setLine(this.#error, '');
    this.#show(t('invite.making'), false);
    try {
      const invite = await this.data.invite();
      this.#invite = invite;
      // As a picture, not as markup: nothing in it can run.
      this.#qr.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(invite.svg)}`;
      this.#link.value = invite.link;
      this.#show('', false);
      this.#tick();
    } catch (error) {
      this.#refused(/** @type {import('../ipc/index.js').IpcError} */ (error));
    }
  }

  /**
   * Says why there is no code, and offers what may bring one.
   * @param {import('../ipc/index.js').IpcError} error
   */
  #refused({ code, message }) {
    const opens = code === 'room_closed' && this.data.mayOpen;
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
    const left = this.#invite.expiresMs - Date.now();
    if (left > 0) {
      this.#left.textContent = t('invite.left', { time: countdown(left) });
      return;
    }
    this.#end();
  }

  #end() {
    this.#invite = null;
    this.#show(t('invite.ended'), true);
    this.#again.focus();
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
    try {
      await navigator.clipboard.writeText(this.#link.value);
    } catch {
      // Not every webview lends the clipboard: the older way asks nobody.
      this.#link.select();
      if (!document.execCommand('copy')) {
        setLine(this.#note, t('invite.copyByHand'));
        return;
      }
    }
    setLine(this.#note, '');
    this.#showCopy('check', t('invite.copied'));
    setTimeout(() => this.#showCopy('copy', t('invite.copy')), COPIED_MS);
  }

  /**
   * @param {import('../lib/dom.js').IconName} name
   * @param {string} words
   */
  #showCopy(name, words) {
    this.#copy.replaceChildren(icon(name), h('span', { role: 'status' }, words));
  }
}
customElements.define('invite-dialog', InviteDialog);
