/**
 * `<scan-dialog>`: the ways to a room (camera, picture, link, what is pasted or dropped), then the joining itself. A code that
 * a joiner shows back, who could not get through to this device, is taken in by the same ways.
 *
 *   scanning --code or link--> joining --done--> closes, `room-open`
 *      ^                          |
 *      |-- again, cancelled -- failed --try again--> joining
 *      +--a code shown back--> answering --done--> closes
 *
 * data: {stage, moved, link, theirs, scan(luma), join(link), back(link), joinShownBack(link), answer(link), cancel(), keepAwake(on)}; emits `room-open` (room id).
 *
 * @typedef {import('../ipc/types.js').Luma} Luma
 * @typedef {import('../ipc/types.js').Scan} Scan
 * @typedef {import('../ipc/types.js').JoinStage} JoinStage
 * @typedef {object} ScanData
 * @property {JoinStage | null} stage How far the joining under way is.
 * @property {number} moved As for `<join-progress>`.
 * @property {string | null} link One that was agreed to already: joining, or answering, starts at once.
 * @property {boolean} theirs Opened to scan the screen of a friend who can't get in.
 * @property {(frame: Luma) => Promise<Scan>} scan
 * @property {(link: string) => Promise<string>} join Resolves with the room's id.
 * @property {(link: string) => Promise<import('../ipc/types.js').Back>} back
 * @property {(link: string) => Promise<string>} joinShownBack
 * @property {(link: string) => Promise<void>} answer
 * @property {() => Promise<void>} cancel
 * @property {(on: boolean) => void} keepAwake
 */
import { openPicture, pictureLuma } from '../lib/camera.js';
import { errorLine, h, icon, setLine } from '../lib/dom.js';
import { PICTURE_SIDES } from '../lib/luma.js';
import { ModalElement } from '../lib/modal.js';
import { fromClipboard, handedOver, isBackLink, isPass, linkIn } from '../lib/pasted.js';
import { HINT_MS, kindWords, whyWords } from '../lib/scan-words.js';
import { t } from '../strings/index.js';
import './answer-back.js';
import './join-progress.js';
import './scan-stage.js';

/** @extends {ModalElement<ScanData>} */
export class ScanDialog extends ModalElement {
  #stage = /** @type {import('./scan-stage.js').ScanStage} */ (document.createElement('scan-stage'));
  #progress = /** @type {import('./join-progress.js').JoinProgress} */ (document.createElement('join-progress'));
  #answer = /** @type {import('./answer-back.js').AnswerBack} */ (document.createElement('answer-back'));
  #hint = h('p', { class: 'scan-hint', role: 'status', hidden: true, 'data-test': 'scan-hint' });
  #error = errorLine();
  #file = h('input', {
    id: 'scan-file', class: 'visually-hidden', type: 'file', accept: 'image/*', 'data-test': 'scan-file',
    onchange: () => this.#chosen(),
  });
  #link = h('input', {
    id: 'scan-link', class: 'field field-code', type: 'text', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false',
    enterkeyhint: 'go', 'data-test': 'scan-link', dir: 'ltr',
  });
  #hintTimer = 0;
  /** @type {'scanning' | 'joining' | 'answering'} */
  #mode = 'scanning';

  setup() {
    super.setup();
    this.#stage.data = { scan: (frame) => this.data.scan(frame), take: (scan) => this.#take(scan), why: (why) => this.#sayWhy(why) };
    this.listen(this.#progress, 'join-ended', () => this.#scanning());
    this.listen(this.#progress, 'join-stopped', () => {
      this.#scanning();
      this.#showHint(t('join.stopped'));
    });
    this.listen(this.#progress, 'joined', (/** @type {CustomEvent} */ { detail }) => {
      this.close(); // first, so that the room may take the focus
      this.emit('room-open', detail);
    });
    this.listen(this.#answer, 'answer-ended', () => this.#scanning());
    this.listen(this.#answer, 'answer-done', () => this.close());
    this.#listenForPictures();
    const { link } = this.data;
    if (link === null || isPass(link)) this.#scanning(); // what a pass is told stands there
    if (link !== null) this.#follow(link);
  }

  teardown() {
    clearTimeout(this.#hintTimer);
  }

  /** @param {ScanData} data */
  render({ stage, moved }) {
    if (this.#mode === 'joining') this.#progress.data = { ...this.#progress.data, stage, moved };
  }

  #listenForPictures() {
    this.listen(document, 'paste', (/** @type {ClipboardEvent} */ event) => {
      const given = handedOver(event.clipboardData);
      // Words pasted into the field stay there, to be looked at.
      if (this.#mode !== 'scanning' || !given || (event.target === this.#link && 'text' in given)) return;
      event.preventDefault();
      this.#takeGiven(given);
    });
    const over = (/** @type {boolean} */ on) => (/** @type {DragEvent} */ event) => {
      if (this.#mode !== 'scanning') return;
      event.preventDefault();
      this.#stage.over = on;
    };
    this.listen(this, 'dragover', over(true));
    this.listen(this, 'dragleave', over(false));
    this.listen(this, 'drop', (/** @type {DragEvent} */ event) => {
      over(false)(event);
      this.#takeGiven(handedOver(event.dataTransfer));
    });
  }

  #scanning() {
    this.#mode = 'scanning';
    const { theirs } = this.data;
    this.heading = theirs ? t('answer.scan') : t('scan.title');
    this.#link.placeholder = theirs ? t('answer.placeholder') : t('scan.linkPlaceholder');
    setLine(this.#error, '');
    setLine(this.#hint, '');
    this.body.replaceChildren(
      ...(theirs ? [h('p', { class: 'invite-text' }, t('answer.guide'))] : []),
      this.#stage,
      this.#hint,
      this.#error,
      h('div', { class: 'row row-ways' },
        this.#file,
        h('label', { class: 'button', for: 'scan-file' }, icon('picture'), t('scan.picture')),
        h('button', { type: 'button', class: 'button', 'data-test': 'scan-paste', onclick: () => void this.#paste() }, icon('paste'), t('scan.paste'))),
      h('form', { class: 'stack', novalidate: true, onsubmit: (/** @type {Event} */ event) => this.#submitLink(event) },
        h('label', { class: 'label', for: 'scan-link' }, t('scan.link')),
        h('div', { class: 'row' },
          this.#link,
          h('button', { type: 'submit', class: 'button button-primary', 'data-test': 'scan-join' }, theirs ? t('answer.go') : t('scan.join')))));
  }

  /**
   * @param {Scan} scan
   * @returns {boolean} Whether a code of ours was found.
   */
  #take(scan) {
    if (this.#mode !== 'scanning' || !this.isConnected) return true;
    if (scan.result === 'invite' || scan.result === 'back') {
      this.#follow(scan.link);
      return true;
    }
    if (scan.result === 'other') this.#showHint(kindWords(scan));
    if (scan.result === 'verify') this.#showHint(t('scan.verifyCode'));
    return false;
  }

  /** @param {string} why */
  #sayWhy(why) {
    const words = whyWords(why);
    if (words !== '' && this.#hint.hidden) this.#showHint(words);
  }

  /** @param {string} hint */
  #showHint(hint) {
    clearTimeout(this.#hintTimer);
    setLine(this.#hint, hint);
    this.#hintTimer = window.setTimeout(() => setLine(this.#hint, ''), HINT_MS);
  }

  #chosen() {
    const file = this.#file.files?.[0];
    if (!file) return;
    void this.#readPicture(file);
    this.#file.value = ''; // the same file may be chosen again
  }

  async #paste() {
    try {
      this.#takeGiven(await fromClipboard(navigator.clipboard));
    } catch {
      setLine(this.#error, t('scan.pasteDenied'));
      this.#link.focus();
    }
  }

  /** @param {{picture: Blob} | {text: string} | null} given What was pasted or dropped. */
  #takeGiven(given) {
    if (given && 'picture' in given) {
      void this.#readPicture(given.picture);
      return;
    }
    const link = given ? linkIn(given.text) : '';
    if (link === '') setLine(this.#error, t('scan.pasteNothing'));
    else this.#follow(link);
  }

  /** @param {Blob} file */
  async #readPicture(file) {
    setLine(this.#error, '');
    setLine(this.#hint, t('scan.reading'));
    clearTimeout(this.#hintTimer);
    const fail = (/** @type {string} */ reason) => {
      setLine(this.#hint, '');
      setLine(this.#error, reason);
    };
    let picture;
    try {
      picture = await openPicture(file);
    } catch {
      fail(t('scan.badPicture'));
      return;
    }
    try {
      let hint = '';
      for (const side of PICTURE_SIDES) {
        const scan = await this.data.scan(pictureLuma(picture, side));
        if (scan.result === 'other') hint = kindWords(scan);
        else if (scan.result === 'none') hint ||= whyWords(scan.why);
        else if (this.#take(scan)) return;
      }
      fail(hint || t('scan.noCode'));
    } catch (error) {
      fail(/** @type {Error} */ (error).message);
    } finally {
      if ('close' in picture) picture.close();
    }
  }

  /** @param {Event} event */
  #submitLink(event) {
    event.preventDefault();
    const given = this.#link.value;
    // Mail and chat programs break long lines: blanks are never part of a link.
    const link = linkIn(given) || given.replace(/\s+/g, '');
    if (link === '') {
      setLine(this.#error, t('scan.linkNeeded'));
      this.#link.focus();
      return;
    }
    this.#follow(link);
  }

  /** @param {string} link A room's, or a joiner's. */
  #follow(link) {
    if (isPass(link)) setLine(this.#error, t('scan.isPass'));
    else if (isBackLink(link)) this.#letIn(link);
    else this.#join(link);
  }

  /** @param {string} link */
  #letIn(link) {
    this.#mode = 'answering';
    this.#answer.data = { link, answer: this.data.answer, title: (words) => { this.heading = words; } };
    this.body.replaceChildren(this.#answer);
  }

  /** @param {string} link */
  #join(link) {
    const { moved, join, back, joinShownBack, cancel, keepAwake } = this.data;
    this.#mode = 'joining';
    this.#progress.data = { link, stage: null, moved, join, back, joinShownBack, cancel, keepAwake, title: (words) => { this.heading = words; } };
    this.body.replaceChildren(this.#progress);
  }
}
customElements.define('scan-dialog', ScanDialog);
