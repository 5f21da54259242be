/**
 * `<scan-dialog>`: three ways to a room (camera, picture, link), then the joining itself.
 *
 *   scanning --code or link--> joining --done--> closes, `room-open`
 *      ^                          |
 *      +------ again -------- failed --try again--> joining
 *
 * data: {stage, scan(luma), join(link), cancel()}; emits `room-open` (room id).
 *
 * @typedef {import('../ipc/types.js').Luma} Luma
 * @typedef {import('../ipc/types.js').Scan} Scan
 * @typedef {import('../ipc/types.js').JoinStage} JoinStage
 * @typedef {object} ScanData
 * @property {JoinStage | null} stage How far the joining under way is.
 * @property {(frame: Luma) => Promise<Scan>} scan
 * @property {(link: string) => Promise<string>} join Resolves with the room's id.
 * @property {() => Promise<void>} cancel
 */
import { Camera, openPicture, pictureLuma } from '../lib/camera.js';
import { errorLine, h, icon, setLine } from '../lib/dom.js';
import { PICTURE_SIDES } from '../lib/luma.js';
import { ModalElement } from '../lib/modal.js';
import { t } from '../strings/index.js';

/** How long a hint about a foreign code stays. */
const HINT_MS = 4000;

/** @extends {ModalElement<ScanData>} */
export class ScanDialog extends ModalElement {
  #video = h('video', { class: 'scan-video', muted: true, playsinline: true, autoplay: true, 'aria-label': t('scan.camera') });
  #cover = h('p', { class: 'scan-cover', role: 'status' });
  #stage = h('div', { class: 'scan-stage' });
  #hint = h('p', { class: 'scan-hint', role: 'status', hidden: true, 'data-test': 'scan-hint' });
  #error = errorLine();
  #file = h('input', {
    id: 'scan-file', class: 'visually-hidden', type: 'file', accept: 'image/*', 'data-test': 'scan-file',
    onchange: () => void this.#readPicture(),
  });
  #link = h('input', {
    id: 'scan-link', class: 'field field-code', type: 'text', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false',
    enterkeyhint: 'go', placeholder: t('scan.linkPlaceholder'), 'data-test': 'scan-link',
  });
  #progress = h('p', { class: 'join-stage', role: 'status', 'data-test': 'join-stage' });
  #joinError = errorLine();
  #ways = h('div', { class: 'row row-center' });
  /** @type {Camera | null} */
  #camera = null;
  #hintTimer = 0;
  /** @type {'scanning' | 'joining' | 'failed' | 'cancelling'} */
  #mode = 'scanning';
  /** Tells apart the join under way from one that was given up. */
  #attempt = 0;

  setup() {
    super.setup();
    this.#scanning();
  }

  teardown() {
    this.#stopCamera();
    clearTimeout(this.#hintTimer);
    // Closing the dialog is giving up.
    if (this.#mode === 'joining') void this.#cancelQuietly();
    this.#attempt += 1;
  }

  /** @param {ScanData} data */
  render({ stage }) {
    if (this.#mode !== 'joining') return;
    setLine(this.#progress, stage ? STAGE_WORDS[stage]() : t('join.looking'));
    this.#progress.dataset.stage = stage ?? '';
  }

  #scanning() {
    this.#mode = 'scanning';
    this.heading = t('scan.title');
    setLine(this.#error, '');
    setLine(this.#hint, '');
    this.#cover.textContent = t('scan.starting');
    this.#stage.classList.remove('is-live', 'is-without');
    this.#stage.replaceChildren(this.#video, h('div', { class: 'scan-frame', 'aria-hidden': 'true' }), this.#cover);
    this.body.replaceChildren(
      this.#stage,
      this.#hint,
      this.#error,
      this.#file,
      h('label', { class: 'button button-wide', for: 'scan-file' }, icon('picture'), t('scan.picture')),
      h('form', { class: 'stack', novalidate: true, onsubmit: (/** @type {Event} */ event) => this.#submitLink(event) },
        h('label', { class: 'label', for: 'scan-link' }, t('scan.link')),
        h('div', { class: 'row' },
          this.#link,
          h('button', { type: 'submit', class: 'button button-primary', 'data-test': 'scan-join' }, t('scan.join')))));
    this.#startCamera();
  }

  #startCamera() {
    this.#stopCamera();
    // As a property: the attribute alone does not mute an element made by script.
    this.#video.muted = true;
    const camera = new Camera(this.#video, (frame) => this.#readFrame(frame), (reason) => {
      if (this.#camera !== camera) return;
      this.#stage.classList.add('is-without');
      this.#cover.textContent = TROUBLE_WORDS[reason]();
    });
    this.#camera = camera;
    this.#video.onplaying = () => {
      this.#stage.classList.remove('is-without');
      this.#stage.classList.add('is-live');
      this.#cover.textContent = t('scan.guide');
    };
    void camera.start();
  }

  #stopCamera() {
    this.#camera?.stop();
    this.#camera = null;
  }

  /** @param {Luma} frame */
  async #readFrame(frame) {
    try {
      this.#take(await this.data.scan(frame));
    } catch {
      // One frame that could not be read is nothing: the next one follows.
    }
  }

  /**
   * @param {Scan} scan
   * @returns {boolean} Whether a code of ours was found.
   */
  #take(scan) {
    if (this.#mode !== 'scanning' || !this.isConnected) return true;
    if (scan.result === 'invite') {
      void this.#join(scan.link);
      return true;
    }
    if (scan.result === 'other') this.#showHint(scan.hint);
    if (scan.result === 'verify') this.#showHint(t('scan.verifyCode'));
    return false;
  }

  /** @param {string} hint */
  #showHint(hint) {
    clearTimeout(this.#hintTimer);
    setLine(this.#hint, hint);
    this.#hintTimer = window.setTimeout(() => setLine(this.#hint, ''), HINT_MS);
  }

  async #readPicture() {
    const file = this.#file.files?.[0];
    this.#file.value = ''; // the same file may be chosen again
    if (!file) return;
    setLine(this.#error, '');
    setLine(this.#hint, t('scan.reading'));
    clearTimeout(this.#hintTimer);
    let picture;
    try {
      picture = await openPicture(file);
    } catch {
      setLine(this.#hint, '');
      setLine(this.#error, t('scan.badPicture'));
      return;
    }
    try {
      let hint = '';
      for (const side of PICTURE_SIDES) {
        const scan = await this.data.scan(pictureLuma(picture, side));
        if (scan.result === 'other') hint = scan.hint;
        else if (this.#take(scan)) return;
      }
      setLine(this.#hint, '');
      setLine(this.#error, hint || t('scan.noCode'));
    } catch (error) {
      setLine(this.#hint, '');
      setLine(this.#error, /** @type {Error} */ (error).message);
    } finally {
      if ('close' in picture) picture.close();
    }
  }

  /** @param {Event} event */
  #submitLink(event) {
    event.preventDefault();
    // Mail and chat programs break long lines: blanks are never part of a link.
    const link = this.#link.value.replace(/\s+/g, '');
    if (link === '') {
      setLine(this.#error, t('scan.linkNeeded'));
      this.#link.focus();
      return;
    }
    void this.#join(link);
  }

  /** @param {string} link */
  async #join(link) {
    this.#stopCamera();
    this.#mode = 'joining';
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.heading = t('join.title');
    setLine(this.#progress, t('join.looking'));
    setLine(this.#joinError, '');
    const cancel = h('button', {
      type: 'button', class: 'button', 'data-test': 'join-cancel', onclick: () => void this.#cancel(),
    }, t('action.cancel'));
    this.#ways.replaceChildren(cancel);
    this.body.replaceChildren(h('div', { class: 'join' },
      h('div', { class: 'join-dots', 'aria-hidden': 'true' }, h('i'), h('i'), h('i')),
      this.#progress,
      this.#joinError,
      this.#ways));
    cancel.focus();
    try {
      const room = await this.data.join(link);
      if (attempt !== this.#attempt) return;
      this.#mode = 'scanning'; // nothing to cancel any more
      this.close(); // first, so that the room may take the focus
      this.emit('room-open', room);
    } catch (error) {
      if (attempt === this.#attempt) this.#failed(link, /** @type {Error} */ (error).message);
    }
  }

  /**
   * @param {string} link
   * @param {string} reason
   */
  #failed(link, reason) {
    this.#mode = 'failed';
    this.heading = t('join.failed');
    setLine(this.#progress, '');
    setLine(this.#joinError, reason);
    const again = h('button', {
      type: 'button', class: 'button button-primary', 'data-test': 'join-again', onclick: () => void this.#join(link),
    }, t('action.tryAgain'));
    this.#ways.replaceChildren(again, h('button', {
      type: 'button', class: 'button', 'data-test': 'scan-again', onclick: () => this.#scanning(),
    }, t('scan.again')));
    this.body.firstElementChild?.classList.add('is-still');
    again.focus();
  }

  async #cancel() {
    this.#mode = 'cancelling';
    this.#attempt += 1;
    setLine(this.#progress, t('join.cancelling'));
    await this.#cancelQuietly();
    if (this.isConnected) this.#scanning();
  }

  /** A join that already ended can't be cancelled: then there is nothing to do. */
  async #cancelQuietly() {
    try {
      await this.data.cancel();
    } catch (error) {
      console.info('nothing to cancel', error);
    }
  }
}

/** @type {Record<JoinStage, () => string>} */
const STAGE_WORDS = {
  dialing: () => t('join.dialing'),
  proving: () => t('join.proving'),
  fetching: () => t('join.fetching'),
  open: () => t('join.open'),
};

const TROUBLE_WORDS = {
  noCamera: () => t('scan.noCamera'),
  denied: () => t('scan.denied'),
  busy: () => t('scan.busy'),
  silent: () => t('scan.silent'),
};
customElements.define('scan-dialog', ScanDialog);
