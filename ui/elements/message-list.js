/**
 * `<message-list>`: the messages of one room. Only the rows near the viewport stand in the page; what
 * the eye is on stays where it is, whatever is added above or below.
 *
 *   .messages (scrolls)
 *     .spacer      height of the rows above
 *     rows         the window
 *     .spacer      height of the rows below
 *
 * data: {room, rows, names, now, beginning}; emits `older-wanted`, `newest-seen` (message id) and what its bubbles emit.
 *
 * @typedef {import('../state/timeline.js').Row} Row
 * @typedef {object} MessageListData
 * @property {import('../ipc/types.js').Room} room
 * @property {Row[]} rows
 * @property {Map<string, string>} names By author.
 * @property {number} now
 * @property {string} [beginning] What stands above the first message; something about a room unless given.
 */
import { attended } from '../lib/attention.js';
import { h, icon, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { dayLabel } from '../lib/time.js';
import { Rows } from '../lib/windowing.js';
import { t } from '../strings/index.js';
import './message-bubble.js';

/** What a message is taken to be high before it was ever shown. */
const ROW_ESTIMATE = 64;
/** Pixels of rows kept ready on both sides of the viewport. */
const OVERSCAN = 600;
/** This near to the end counts as being at the end. */
const STICK = 48;
/** This near to the top older messages are fetched. */
const OLDER_AT = 800;
/** Measuring changes the window, which brings rows to measure: it settles in two or three rounds. */
const ROUNDS = 4;

/** @extends {ViewElement<MessageListData>} */
export class MessageList extends ViewElement {
  #rows = new Rows(ROW_ESTIMATE);
  #before = h('div', { class: 'spacer' });
  #after = h('div', { class: 'spacer' });
  #scroller = h('div', { class: 'messages', role: 'log', 'aria-live': 'off', tabindex: '0' });
  #newer = h('span', { class: 'newer-count' });
  #jump = h('button', {
    type: 'button', class: 'jump-button', 'aria-label': t('room.toNewest'), title: t('room.toNewest'), hidden: true,
    onclick: () => this.toNewest(),
  }, this.#newer, icon('down'));
  #live = h('p', { class: 'visually-hidden', role: 'status', 'aria-live': 'polite' });
  /** @type {Map<string, HTMLElement>} Rows in the page, by key. */
  #elements = new Map();
  /** Following the end of the list. */
  #stick = true;
  #frame = 0;
  #width = 0;
  /** The newest message known when the reader left the end. */
  #leftAt = '';
  /** @type {ResizeObserver | null} */
  #resize = null;

  setup() {
    this.#scroller.replaceChildren(this.#before, this.#after);
    this.replaceChildren(this.#scroller, this.#jump, this.#live);
    this.listen(this.#scroller, 'scroll', () => this.#onScroll(), { passive: true });
    this.listen(document, 'visibilitychange', () => this.#reportSeen());
    this.listen(window, 'focus', () => this.#reportSeen());
    this.listen(document, 'pointerdown', () => this.#reportSeen(), { passive: true });
    this.listen(document, 'keydown', () => this.#reportSeen(), { passive: true });
    this.#resize = new ResizeObserver(() => this.#onResize());
    this.#resize.observe(this.#scroller);
  }

  teardown() {
    this.#resize?.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#elements.clear();
  }

  /**
   * @param {MessageListData} data
   * @param {MessageListData | undefined} previous
   */
  render(data, previous) {
    const same = previous?.room.room === data.room.room;
    this.#scroller.setAttribute('aria-label', t('room.messages', { name: data.room.name }));
    if (same) this.#announce(previous.rows, data.rows);
    const anchor = same && !this.#stick ? this.#anchor() : null;
    if (!same) {
      this.#stick = true;
      this.#rows.forget();
      for (const element of this.#elements.values()) element.remove();
      this.#elements.clear();
    } else if (previous && ownArrival(previous.rows, data.rows)) {
      this.#stick = true; // what I say myself is always shown
    }
    this.#rows.setKeys(data.rows.map((row) => row.key));
    this.#layout(anchor && !this.#stick ? anchor : null);
    this.#afterLayout();
  }

  /** Goes to the end and follows it. */
  toNewest() {
    this.#stick = true;
    this.#layout(null);
    this.#afterLayout();
  }

  /** The first row in the viewport and how far it is scrolled out. */
  #anchor() {
    const { scrollTop } = this.#scroller;
    let index = this.#rows.at(scrollTop);
    // The top row stands at the head of every page: it is no place to hold on to.
    if (this.#rows.key(index) === 'top' && index + 1 < this.#rows.count) index += 1;
    return { key: this.#rows.key(index) ?? '', by: scrollTop - this.#rows.top(index) };
  }

  /**
   * Puts the window's rows into the page and the scroll position where it belongs.
   * @param {{key: string, by: number} | null} anchor Null keeps the position, or the end while sticking.
   */
  #layout(anchor) {
    const scroller = this.#scroller;
    const viewport = scroller.clientHeight;
    let hold = anchor ?? (this.#stick ? null : this.#anchor());
    for (let round = 0; round < ROUNDS; round += 1) {
      const index = hold ? this.#rows.indexOf(hold.key) : -1;
      const target = hold && index >= 0
        ? this.#rows.top(index) + hold.by
        : this.#stick ? this.#rows.total - viewport : scroller.scrollTop;
      const range = this.#rows.range(target, viewport, OVERSCAN);
      this.#show(range);
      // The end is where the page says it is: its padding counts too.
      const wanted = this.#stick ? scroller.scrollHeight - viewport : target;
      if (Math.abs(scroller.scrollTop - wanted) > 0.5) scroller.scrollTop = wanted;
      if (!this.#measure(range)) break;
    }
  }

  /** @param {{start: number, end: number, before: number, after: number}} range */
  #show({ start, end, before, after }) {
    const { rows } = this.data;
    /** @type {Map<string, HTMLElement>} */
    const kept = new Map();
    for (let i = start; i < end; i += 1) {
      const row = rows[i];
      kept.set(row.key, this.#element(row, this.#elements.get(row.key)));
    }
    for (const [key, element] of this.#elements) {
      if (kept.has(key)) continue;
      if (element.contains(document.activeElement)) this.#scroller.focus({ preventScroll: true });
      element.remove();
    }
    let next = /** @type {Element | null} */ (this.#before.nextElementSibling);
    for (const element of kept.values()) {
      if (element === next) next = next.nextElementSibling;
      else this.#scroller.insertBefore(element, next);
    }
    this.#elements = kept;
    this.#before.style.height = `${before}px`;
    this.#after.style.height = `${after}px`;
  }

  /**
   * @param {{start: number, end: number}} range
   * @returns {boolean} Whether a height differs from what was assumed.
   */
  #measure({ start }) {
    let changed = false;
    let index = start;
    for (const element of this.#elements.values()) {
      if (this.#rows.measure(index, element.getBoundingClientRect().height)) changed = true;
      index += 1;
    }
    return changed;
  }

  /**
   * @param {Row} row
   * @param {HTMLElement | undefined} known
   * @returns {HTMLElement}
   */
  #element(row, known) {
    const { room, names, now } = this.data;
    if (row.kind === 'message') {
      const bubble = /** @type {import('./message-bubble.js').MessageBubble} */ (known ?? document.createElement('message-bubble'));
      bubble.data = {
        row,
        total: room.members - 1,
        anyoneNear: room.near > 0,
        name: names.get(row.author) ?? row.name,
      };
      return bubble;
    }
    const line = known ?? h('div', { class: `line line-${row.kind}` }, h('span', {}));
    const words = /** @type {HTMLElement} */ (line.firstElementChild);
    if (row.kind === 'day') setLine(words, dayLabel(row.timeMs, now));
    else if (row.kind === 'new') setLine(words, t('room.new'));
    else this.#topLine(line, words, row.state);
    return line;
  }

  /**
   * @param {HTMLElement} line
   * @param {HTMLElement} words
   * @param {import('../state/timeline.js').TopRow['state']} state
   */
  #topLine(line, words, state) {
    setLine(words, state === 'complete' && this.data.beginning !== undefined ? this.data.beginning : TOP_WORDS[state]());
    const again = line.querySelector('button');
    if (state !== 'failed') again?.remove();
    else if (!again) {
      line.append(h('button', { type: 'button', class: 'link-button', onclick: () => this.emit('older-wanted') }, t('action.tryAgain')));
    }
  }

  #onScroll() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      this.#stick = this.#fromEnd() < STICK;
      if (!this.#stick) this.#layout(null);
      this.#afterLayout();
    });
  }

  #onResize() {
    const width = this.#scroller.clientWidth;
    const anchor = this.#stick ? null : this.#anchor();
    if (width !== this.#width) this.#rows.forget();
    this.#width = width;
    this.#layout(anchor);
    this.#afterLayout();
  }

  #fromEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight;
  }

  #afterLayout() {
    const { rows } = this.data;
    const top = rows[0];
    if (top?.kind === 'top' && top.state === 'more' && this.#scroller.scrollTop < OLDER_AT) this.emit('older-wanted');

    const newest = newestMessage(rows);
    if (this.#stick) this.#leftAt = newest;
    this.#jump.hidden = this.#stick;
    const below = this.#stick ? 0 : countBelow(rows, this.#leftAt);
    setLine(this.#newer, below > 0 ? String(below) : '');
    this.#jump.setAttribute('aria-label', below > 0 ? t('room.newBelow', { n: below }) : t('room.toNewest'));
    this.#reportSeen();
  }

  /** Tells which message is the newest that the reader has on the screen. */
  #reportSeen() {
    if (!attended() || !this.isConnected) return;
    const { rows } = this.data;
    const end = this.#scroller.scrollTop + this.#scroller.clientHeight;
    let index = Math.min(this.#rows.at(end), rows.length - 1);
    for (; index >= 0; index -= 1) {
      const row = rows[index];
      // Half of it must be in view.
      const middle = (this.#rows.top(index) + this.#rows.top(index + 1)) / 2;
      if (row.kind === 'message' && row.message !== '' && (this.#stick || middle <= end)) {
        this.emit('newest-seen', row.message);
        return;
      }
    }
  }

  /**
   * Reads out what came in at the end; the list itself is silent, since scrolling fills it too.
   * @param {Row[]} before
   * @param {Row[]} after
   */
  #announce(before, after) {
    const known = newestMessage(before);
    const fresh = [];
    for (let i = after.length - 1; i >= 0; i -= 1) {
      const row = after[i];
      if (row.kind !== 'message' || row.message === '') continue;
      if (row.message === known || known === '') break;
      if (!row.mine) fresh.unshift(t('room.announce', { name: this.data.names.get(row.author) ?? row.name, text: row.text }));
    }
    // A flood is not worth reading out: the last few tell that something goes on.
    const SPOKEN = 3;
    if (fresh.length > 0) this.#live.textContent = fresh.slice(-SPOKEN).join(' ');
  }
}

/** @type {Record<import('../state/timeline.js').TopRow['state'], () => string>} */
const TOP_WORDS = {
  loading: () => t('room.loading'),
  failed: () => t('room.loadFailed'),
  complete: () => t('room.beginning'),
  more: () => '',
};

/**
 * @param {Row[]} rows
 * @returns {string} Empty when there is none.
 */
function newestMessage(rows) {
  for (let i = rows.length - 1; i >= 0; i -= 1) {
    const row = rows[i];
    if (row.kind === 'message' && row.message !== '') return row.message;
  }
  return '';
}

/**
 * @param {Row[]} rows
 * @param {string} message
 * @returns {number} Messages of others after this one.
 */
function countBelow(rows, message) {
  let count = 0;
  for (let i = rows.length - 1; i >= 0; i -= 1) {
    const row = rows[i];
    if (row.kind !== 'message') continue;
    if (row.message === message) return count;
    if (!row.mine) count += 1;
  }
  return 0;
}

/**
 * @param {Row[]} before
 * @param {Row[]} after
 * @returns {boolean} Whether I have just sent something.
 */
function ownArrival(before, after) {
  const a = before.at(-1);
  const b = after.at(-1);
  return b?.kind === 'message' && b.mine && b.state === 'queued' && a?.key !== b.key;
}
customElements.define('message-list', MessageList);
