/**
 * `<join-progress>`: a join under way: its stage in words, the way to stop it, and why it failed.
 *
 * The shell ends a join that nobody answers; should the shell itself stay silent, the page ends it.
 *
 *   joining --done--> `joined` (room id)
 *      |--failed--> try again --> joining, or `join-ended`
 *      |     +--nothing got through--> a code is shown back, joining goes on for a minute
 *      +--cancel--> stopping --> `join-stopped`
 *
 * data: {link, stage, moved, join(link), back(link), joinShownBack(link), cancel(), keepAwake(on), title(words)}
 *
 * @typedef {import('../ipc/types.js').JoinStage} JoinStage
 * @typedef {object} JoinData
 * @property {string} link
 * @property {JoinStage | null} stage
 * @property {number} moved Changes with this device's addresses: a code that names them is made anew.
 * @property {(link: string) => Promise<string>} join
 * @property {(link: string) => Promise<import('../ipc/types.js').Back>} back
 * @property {(link: string) => Promise<string>} joinShownBack Joins while that code is shown.
 * @property {() => Promise<void>} cancel
 * @property {(on: boolean) => void} keepAwake
 * @property {(words: string) => void} title
 */
import { errorLine, h, icon, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { t } from '../strings/index.js';
import './back-code.js';

/** A join usually takes less than a second; after this long the person is told what helps. */
const SLOW_MS = 4000;

/** The shell gives up after some seconds (JOIN_DEADLINE in mesh/wire); this is for a shell that doesn't. */
const LATE_MS = 20_000;

/** How long the shell joins while a code is shown back (SHOWN_BACK_FOR in mesh/src/node.rs); its last try may end some seconds after. */
const SHOWN_MS = 60_000;

/** Nothing got through: whoever made the code may open the way from their side. @type {ReadonlySet<string>} */
const OPENABLE = new Set(['no_answer', 'networks_apart', 'other_network']);

/** How long stopping may take before the page goes on without an answer. */
const STOPPING_MS = 3000;

/** @type {Record<JoinStage, () => string>} */
const STAGE_WORDS = {
  dialing: () => t('join.dialing'),
  proving: () => t('join.proving'),
  fetching: () => t('join.fetching'),
  open: () => t('join.open'),
};

const wait = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @extends {ViewElement<JoinData>} */
export class JoinProgress extends ViewElement {
  #stage = h('p', { class: 'join-stage', role: 'status', 'data-test': 'join-stage' });
  #slow = h('p', { class: 'hint', role: 'status', hidden: true });
  #error = errorLine();
  #help = h('p', { class: 'hint', hidden: true });
  #ways = h('div', { class: 'row row-center' });
  #box = h('div', { class: 'join' });
  #back = /** @type {import('./back-code.js').BackCode} */ (document.createElement('back-code'));
  /** @type {'joining' | 'stopping' | 'over'} */
  #mode = 'over';
  /** Tells apart the join under way from one that was given up. */
  #attempt = 0;
  /** @type {number[]} */
  #timers = [];

  setup() {
    this.#box.replaceChildren(
      h('div', { class: 'join-dots', 'aria-hidden': 'true' }, h('i'), h('i'), h('i')),
      this.#stage, this.#slow, this.#error, this.#help, this.#ways);
    void this.#join();
  }

  teardown() {
    // Closing the window is giving up.
    if (this.#mode === 'joining') void this.#cancelQuietly();
    this.#end();
  }

  /**
   * @param {JoinData} data
   * @param {JoinData | undefined} previous
   */
  render({ stage, moved }, previous) {
    if (this.#mode !== 'joining') return;
    this.#stage.dataset.stage = stage ?? '';
    if (!this.#back.isConnected) {
      setLine(this.#stage, stage ? STAGE_WORDS[stage]?.() ?? t('join.looking') : t('join.looking'));
      return;
    }
    // That nobody answers yet is said by the countdown.
    this.#back.data = { ...this.#back.data, stage: stage && stage !== 'dialing' ? STAGE_WORDS[stage]?.() ?? '' : '' };
    if (previous && previous.moved !== moved) void this.#renewBack();
  }

  /**
   * @param {string} title
   * @param {string} words
   * @returns {number} The attempt that begins.
   */
  #begin(title, words) {
    this.#end();
    this.#mode = 'joining';
    this.data.title(title);
    this.#box.classList.remove('is-still');
    this.replaceChildren(this.#box);
    setLine(this.#stage, words);
    setLine(this.#error, '');
    setLine(this.#help, '');
    const cancel = h('button', { type: 'button', class: 'button', 'data-test': 'join-cancel', onclick: () => void this.#cancel() }, t('action.cancel'));
    this.#ways.replaceChildren(cancel);
    cancel.focus();
    this.#giveUpAfter(LATE_MS);
    return this.#attempt;
  }

  /** @param {number} ms */
  #giveUpAfter(ms) {
    this.#timers.push(window.setTimeout(() => {
      void this.#cancelQuietly();
      this.#failed({ code: '', message: t('join.late') });
    }, ms));
  }

  async #join() {
    const attempt = this.#begin(t('join.title'), t('join.looking'));
    this.#timers.push(window.setTimeout(() => setLine(this.#slow, t('join.slow')), SLOW_MS));
    await this.#enter(attempt, () => this.data.join(this.data.link));
  }

  async #showBack() {
    const attempt = this.#begin(t('back.show'), t('invite.making'));
    const { moved } = this.data;
    await this.#enter(attempt, async () => {
      const { svg } = await this.data.back(this.data.link);
      if (attempt !== this.#attempt) return '';
      this.#stopTimers();
      this.#giveUpAfter(SHOWN_MS + LATE_MS);
      this.#back.data = { svg, stage: '', untilMs: Date.now() + SHOWN_MS, cancel: () => void this.#cancel(), keepAwake: this.data.keepAwake };
      this.replaceChildren(this.#back);
      if (this.data.moved !== moved) void this.#renewBack();
      return this.data.joinShownBack(this.data.link);
    });
  }

  /** The addresses in the code that is shown are others now. Should a new one fail, the old one stays: one of its addresses may be left. */
  async #renewBack() {
    const attempt = this.#attempt;
    try {
      const { svg } = await this.data.back(this.data.link);
      if (attempt === this.#attempt) this.#back.data = { ...this.#back.data, svg };
    } catch (error) {
      console.info('the code could not be renewed', error);
    }
  }

  /**
   * @param {number} attempt
   * @param {() => Promise<string>} join
   */
  async #enter(attempt, join) {
    try {
      const room = await join();
      if (attempt !== this.#attempt) return;
      this.#end();
      this.emit('joined', room);
    } catch (error) {
      if (attempt === this.#attempt) this.#failed(/** @type {import('../ipc/index.js').IpcError} */ (error));
    }
  }

  /** Nothing of the join under way is heard any more. */
  #end() {
    this.#mode = 'over';
    this.#attempt += 1;
    this.#stopTimers();
    setLine(this.#slow, '');
  }

  #stopTimers() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }

  /** @param {Pick<import('../ipc/index.js').IpcError, 'code' | 'message'>} reason */
  #failed({ code, message }) {
    this.#end();
    this.data.title(t('join.failed'));
    this.replaceChildren(this.#box);
    setLine(this.#stage, '');
    setLine(this.#error, message);
    setLine(this.#help, OPENABLE.has(code) ? t('back.help') : '');
    const again = h('button', { type: 'button', class: 'button button-primary', 'data-test': 'join-again', onclick: () => void this.#join() }, t('action.tryAgain'));
    const back = h('button', { type: 'button', class: 'button', 'data-test': 'back-show', hidden: !OPENABLE.has(code), onclick: () => void this.#showBack() }, icon('code'), t('back.show'));
    this.#ways.replaceChildren(again, back, h('button', {
      type: 'button', class: 'button', 'data-test': 'scan-again', onclick: () => this.emit('join-ended'),
    }, t('scan.again')));
    this.#box.classList.add('is-still');
    again.focus();
  }

  async #cancel() {
    this.#end();
    this.#mode = 'stopping';
    this.replaceChildren(this.#box);
    this.#box.classList.remove('is-still');
    setLine(this.#stage, t('join.cancelling'));
    this.#ways.replaceChildren();
    await Promise.race([this.#cancelQuietly(), wait(STOPPING_MS)]);
    if (this.isConnected) this.emit('join-stopped');
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
customElements.define('join-progress', JoinProgress);
