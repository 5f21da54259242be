/**
 * `<join-progress>`: a join under way: its stage in words, the way to stop it, and why it failed.
 *
 * The shell ends a join that nobody answers; should the shell itself stay silent, the page ends it.
 *
 *   joining --done--> `joined` (room id)
 *      |--failed--> try again --> joining, or `join-ended`
 *      +--cancel--> stopping --> `join-stopped`
 *
 * data: {link, stage, join(link), cancel(), title(words)}
 *
 * @typedef {import('../ipc/types.js').JoinStage} JoinStage
 * @typedef {object} JoinData
 * @property {string} link
 * @property {JoinStage | null} stage
 * @property {(link: string) => Promise<string>} join
 * @property {() => Promise<void>} cancel
 * @property {(words: string) => void} title
 */
import { errorLine, h, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { t } from '../strings/index.js';

/** A join usually takes less than a second; after this long the person is told what helps. */
const SLOW_MS = 4000;

/** The shell gives up after some seconds (JOIN_DEADLINE in mesh/wire); this is for a shell that doesn't. */
const LATE_MS = 20_000;

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
  #ways = h('div', { class: 'row row-center' });
  #box = h('div', { class: 'join' });
  /** @type {'joining' | 'stopping' | 'over'} */
  #mode = 'over';
  /** Tells apart the join under way from one that was given up. */
  #attempt = 0;
  /** @type {number[]} */
  #timers = [];

  setup() {
    this.#box.replaceChildren(
      h('div', { class: 'join-dots', 'aria-hidden': 'true' }, h('i'), h('i'), h('i')),
      this.#stage, this.#slow, this.#error, this.#ways);
    this.replaceChildren(this.#box);
    void this.#join();
  }

  teardown() {
    // Closing the window is giving up.
    if (this.#mode === 'joining') void this.#cancelQuietly();
    this.#end();
  }

  /** @param {JoinData} data */
  render({ stage }) {
    if (this.#mode !== 'joining') return;
    setLine(this.#stage, stage ? STAGE_WORDS[stage]?.() ?? t('join.looking') : t('join.looking'));
    this.#stage.dataset.stage = stage ?? '';
  }

  async #join() {
    this.#end();
    const attempt = this.#attempt;
    this.#mode = 'joining';
    this.data.title(t('join.title'));
    this.#box.classList.remove('is-still');
    setLine(this.#stage, t('join.looking'));
    setLine(this.#error, '');
    const cancel = h('button', { type: 'button', class: 'button', 'data-test': 'join-cancel', onclick: () => void this.#cancel() }, t('action.cancel'));
    this.#ways.replaceChildren(cancel);
    cancel.focus();
    this.#timers = [
      window.setTimeout(() => setLine(this.#slow, t('join.slow')), SLOW_MS),
      window.setTimeout(() => {
        void this.#cancelQuietly();
        this.#failed(t('join.late'));
      }, LATE_MS),
    ];
    try {
      const room = await this.data.join(this.data.link);
      if (attempt !== this.#attempt) return;
      this.#end();
      this.emit('joined', room);
    } catch (error) {
      if (attempt === this.#attempt) this.#failed(/** @type {Error} */ (error).message);
    }
  }

  /** Nothing of the join under way is heard any more. */
  #end() {
    this.#mode = 'over';
    this.#attempt += 1;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    setLine(this.#slow, '');
  }

  /** @param {string} reason */
  #failed(reason) {
    this.#end();
    this.data.title(t('join.failed'));
    setLine(this.#stage, '');
    setLine(this.#error, reason);
    const again = h('button', { type: 'button', class: 'button button-primary', 'data-test': 'join-again', onclick: () => void this.#join() }, t('action.tryAgain'));
    this.#ways.replaceChildren(again, h('button', {
      type: 'button', class: 'button', 'data-test': 'scan-again', onclick: () => this.emit('join-ended'),
    }, t('scan.again')));
    this.#box.classList.add('is-still');
    again.focus();
  }

  async #cancel() {
    this.#end();
    this.#mode = 'stopping';
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
