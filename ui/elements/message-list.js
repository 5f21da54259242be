/**
 * `<message-list>`: the messages of one room. Only the rows near the viewport stand in the page; what
 * the eye is on stays where it is, whatever is added above or below.
 *
 *   .messages (scrolls)
 *     .spacer      height of the rows above
 *     .row-item    lines that stand above a message, and its bubble
 *     .spacer      height of the rows below
 *
 * One listener here serves all bubbles (`data-act`); `message-input.js` tells what was pressed, and moves between them.
 *
 * data: {room, rows, people, quoted, now, beginning}; emits `older-wanted`, `newest-seen` (message id),
 * `quote-wanted` (message id), `message-act` ({act, row, value, bubble, x, y}).
 *
 * @typedef {import('../state/timeline.js').Row} Row
 * @typedef {import('../state/timeline.js').MessageRow} MessageRow
 * @typedef {import('./message-bubble.js').MessageBubble} MessageBubble
 *
 * @typedef {object} MessageListData
 * @property {import('../ipc/types.js').Room} room
 * @property {import('../state/timeline.js').TimelineRows} rows
 * @property {import('../lib/people.js').People} people
 * @property {Record<string, import('../ipc/types.js').Message | null>} quoted Answered messages that are not among the rows.
 * @property {number} now
 * @property {string} [beginning] What stands above the first message; something about a room unless given.
 *
 * @typedef {object} MessageAct Something pressed at a message.
 * @property {string} act
 * @property {MessageRow} row
 * @property {string} value
 * @property {MessageBubble} bubble
 * @property {number | null} x Where it was pressed; null by key.
 * @property {number | null} y
 */
import { attended } from '../lib/attention.js';
import { h, icon, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { quoteOf } from '../lib/quote.js';
import { dayLabel } from '../lib/time.js';
import { Heights } from '../lib/windowing.js';
import { number, t } from '../strings/index.js';
import './message-bubble.js';
import { MessageInput } from './message-input.js';

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
/** While a window is being drawn larger or smaller it may take more, one set of rounds a frame, and no further. */
const FRAMES = 10;
/** How long a message that was looked for stands out. */
const FLASH_MS = 1800;

/** @extends {ViewElement<MessageListData>} */
export class MessageList extends ViewElement {
  #heights = new Heights(ROW_ESTIMATE);
  #before = h('div', { class: 'spacer' });
  #after = h('div', { class: 'spacer' });
  #scroller = h('div', { class: 'messages', role: 'log', 'aria-live': 'off', tabindex: '-1' });
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
  #again = 0;
  /** Frames in a row that ended with heights other than assumed. */
  #unsettled = 0;
  #width = 0;
  /** The newest message known when the reader left the end. */
  #leftAt = '';
  /** Long messages that are shown whole. @type {Set<string>} */
  #unfolded = new Set();
  /** The row that a Tab comes to. */
  #active = '';
  #flash = 0;
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
    new MessageInput(this, this.#scroller, (type, listener, options) => this.listen(this.#scroller, type, listener, options));
    this.#resize = new ResizeObserver(() => this.#onResize());
    this.#resize.observe(this.#scroller);
  }

  teardown() {
    this.#resize?.disconnect();
    cancelAnimationFrame(this.#frame);
    cancelAnimationFrame(this.#again);
    clearTimeout(this.#flash);
    this.#elements.clear();
    this.#heights = new Heights(ROW_ESTIMATE);
  }

  /**
   * @param {MessageListData} data
   * @param {MessageListData | undefined} previous
   */
  render(data, previous) {
    const same = previous?.room.room === data.room.room;
    this.#scroller.setAttribute('aria-label', t('room.messages', { name: data.room.name }));
    if (same) this.#announce(previous.rows, data.rows);
    const anchor = same && !this.#stick ? this.#anchor(previous.rows) : null;
    if (!same) {
      this.#stick = true;
      this.#active = '';
      this.#unfolded.clear();
      this.#heights = new Heights(ROW_ESTIMATE);
      this.#heights.splice(0, 0, data.rows.count);
      for (const element of this.#elements.values()) element.remove();
      this.#elements.clear();
    } else {
      for (const { start, removed, added } of previous.rows.changes(data.rows)) this.#heights.splice(start, removed, added);
      if (ownArrival(previous.rows, data.rows)) this.#stick = true; // what I say myself is always shown
    }
    this.#layout(anchor && !this.#stick ? anchor : null);
    this.#afterLayout();
  }

  /** Goes to the end and follows it. */
  toNewest() {
    this.#stick = true;
    this.#layout(null);
    this.#afterLayout();
  }

  /**
   * Brings a message into view and lets it stand out.
   * @param {string} message
   * @returns {boolean} Whether it is loaded.
   */
  showMessage(message) {
    const index = this.data.rows.rowOf(message);
    if (index < 0) return false;
    const { key } = this.data.rows.at(index);
    this.#stick = false;
    this.#layout({ key, by: -this.#scroller.clientHeight / 3 });
    this.#afterLayout();
    this.focusRow(index);
    const element = this.#elements.get(key);
    if (element) {
      element.classList.add('is-found');
      clearTimeout(this.#flash);
      this.#flash = window.setTimeout(() => element.classList.remove('is-found'), FLASH_MS);
    }
    return true;
  }

  /** @returns {number} The row that a Tab comes to; the last one when it is out of sight. */
  get activeRow() {
    const index = this.#elements.has(this.#active) ? this.data.rows.indexOf(this.#active) : -1;
    if (index >= 0) return index;
    return this.#heights.at(this.#scroller.scrollTop + this.#scroller.clientHeight - 1);
  }

  /**
   * Brings the keyboard to a message.
   * @param {number} wanted A row; the nearest one that is there.
   */
  focusRow(wanted) {
    const { rows } = this.data;
    const index = Math.min(Math.max(wanted, 1), rows.count - 1);
    if (index < 1) return;
    const { key } = rows.at(index);
    this.#active = key;
    const { scrollTop, clientHeight } = this.#scroller;
    const top = this.#heights.top(index);
    const bottom = this.#heights.top(index + 1);
    if (top < scrollTop || bottom > scrollTop + clientHeight) {
      this.#stick = index === rows.count - 1;
      this.#layout(this.#stick ? null : { key, by: top < scrollTop ? -OVERLAP : Math.min(bottom - top, clientHeight) - clientHeight + OVERLAP });
      this.#afterLayout();
    } else this.#markActive();
    /** @type {HTMLElement | undefined | null} */ (bubbleIn(this.#elements.get(key)))?.focus({ preventScroll: true });
  }

  /**
   * A long message is shown whole.
   * @param {MessageRow} row
   */
  unfold(row) {
    this.#unfolded.add(row.key);
    this.#layout(this.#stick ? null : this.#anchor(this.data.rows));
    this.#afterLayout();
  }

  /**
   * The first row in the viewport and how far it is scrolled out.
   * @param {MessageListData['rows']} rows As the heights know them.
   */
  #anchor(rows) {
    const { scrollTop } = this.#scroller;
    let index = this.#heights.at(scrollTop);
    // The top row stands at the head of every page: it is no place to hold on to.
    if (index === 0 && rows.count > 1) index = 1;
    return { key: index < rows.count ? rows.at(index).key : '', by: scrollTop - this.#heights.top(index) };
  }

  /**
   * Puts the window's rows into the page and the scroll position where it belongs.
   * @param {{key: string, by: number} | null} anchor Null keeps the position, or the end while sticking.
   */
  #layout(anchor) {
    const scroller = this.#scroller;
    const viewport = scroller.clientHeight;
    const { rows } = this.data;
    const hold = anchor ?? (this.#stick ? null : this.#anchor(rows));
    const index = hold ? rows.indexOf(hold.key) : -1;
    let settled = false;
    for (let round = 0; round < ROUNDS && !settled; round += 1) {
      const target = hold && index >= 0
        ? this.#heights.top(index) + hold.by
        : this.#stick ? this.#heights.total - viewport : scroller.scrollTop;
      const range = this.#heights.range(target, viewport, OVERSCAN);
      this.#show(range);
      // The end is where the page says it is: its padding counts too.
      const wanted = this.#stick ? scroller.scrollHeight - viewport : target;
      if (Math.abs(scroller.scrollTop - wanted) > 0.5) scroller.scrollTop = wanted;
      settled = !this.#measure(range);
    }
    this.#markActive();
    // A list that isn't shown measures nothing; it is laid out once it is.
    this.#unsettled = settled || viewport === 0 ? 0 : this.#unsettled + 1;
    if (this.#unsettled > 0 && this.#unsettled <= FRAMES) this.#layoutSoon();
  }

  /** Once more in the next frame. */
  #layoutSoon() {
    cancelAnimationFrame(this.#again);
    this.#again = requestAnimationFrame(() => {
      this.#layout(null);
      this.#afterLayout();
    });
  }

  /** @param {{start: number, end: number, before: number, after: number}} range */
  #show({ start, end, before, after }) {
    const { rows } = this.data;
    /** @type {Map<string, HTMLElement>} */
    const kept = new Map();
    for (let i = start; i < end; i += 1) {
      const row = rows.at(i);
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
      if (this.#heights.measure(index, element.getBoundingClientRect().height)) changed = true;
      index += 1;
    }
    return changed;
  }

  /** One message is what a Tab comes to, and what is in it can be reached from there. */
  #markActive() {
    let active = bubbleIn(this.#elements.get(this.#active));
    if (!active) for (const element of this.#elements.values()) active = bubbleIn(element) ?? active;
    for (const element of this.#elements.values()) {
      const bubble = bubbleIn(element);
      if (!bubble) continue;
      const tabindex = bubble === active ? '0' : '-1';
      bubble.setAttribute('tabindex', tabindex);
      for (const control of bubble.querySelectorAll('[data-act]')) {
        if (control.getAttribute('tabindex') !== tabindex) control.setAttribute('tabindex', tabindex);
      }
    }
  }

  /**
   * @param {Row} row
   * @param {HTMLElement | undefined} known
   * @returns {HTMLElement}
   */
  #element(row, known) {
    if (row.kind === 'top') {
      const line = known ?? h('div', { class: 'line line-top' }, h('span', {}));
      this.#topLine(line, /** @type {HTMLElement} */ (line.firstElementChild), row.state);
      return line;
    }
    const { room, people, now, quoted, rows } = this.data;
    const item = known ?? h('div', { class: 'row-item' }, document.createElement('message-bubble'));
    const bubble = /** @type {MessageBubble} */ (item.lastElementChild);
    this.#line(item, 'new', row.isNew ? t('room.new') : '');
    this.#line(item, 'day', row.day ? dayLabel(row.timeMs, now) : '');
    const quote = row.replyTo === null ? null : quoteOf(row.replyTo, rows.timeline.messages, quoted, people);
    if (quote?.state === 'waiting' && row.replyTo !== null) this.emit('quote-wanted', row.replyTo);
    bubble.data = {
      row,
      total: room.members - 1,
      anyoneNear: room.near > 0,
      name: people.names.get(row.author) ?? row.name,
      quote,
      people,
      open: this.#unfolded.has(row.key),
    };
    return item;
  }

  /**
   * A line above a message; the day stands above the news.
   * @param {HTMLElement} item
   * @param {'day' | 'new'} kind
   * @param {string} words Empty: there is none.
   */
  #line(item, kind, words) {
    const known = item.querySelector(`:scope > .line-${kind}`);
    if (words === '') known?.remove();
    else if (known) setLine(/** @type {HTMLElement} */ (known.firstElementChild), words);
    else if (kind === 'day') item.prepend(h('div', { class: 'line line-day' }, h('span', {}, words)));
    else item.insertBefore(h('div', { class: 'line line-new' }, h('span', {}, words)), item.lastElementChild);
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
    const anchor = this.#stick ? null : this.#anchor(this.data.rows);
    if (width !== this.#width) this.#heights.forget();
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
    const top = rows.at(0);
    if (top.kind === 'top' && top.state === 'more' && this.#scroller.scrollTop < OLDER_AT) this.emit('older-wanted');

    if (this.#stick) this.#leftAt = rows.newest?.message ?? '';
    this.#jump.hidden = this.#stick;
    const below = this.#stick ? 0 : countBelow(rows, this.#leftAt);
    setLine(this.#newer, below > 0 ? number(below) : '');
    this.#jump.setAttribute('aria-label', below > 0 ? t('room.newBelow', { n: below }) : t('room.toNewest'));
    this.#reportSeen();
  }

  /** Tells which message is the newest that the reader has on the screen. */
  #reportSeen() {
    if (!attended() || !this.isConnected) return;
    const { rows } = this.data;
    const end = this.#scroller.scrollTop + this.#scroller.clientHeight;
    for (let index = Math.min(this.#heights.at(end), rows.count - 1); index >= 1; index -= 1) {
      const row = rows.at(index);
      // Half of it must be in view.
      const middle = (this.#heights.top(index) + this.#heights.top(index + 1)) / 2;
      if (row.kind === 'message' && row.message !== '' && (this.#stick || middle <= end)) {
        this.emit('newest-seen', row.message);
        return;
      }
    }
  }

  /**
   * Reads out what came in at the end; the list itself is silent, since scrolling fills it too.
   * @param {MessageListData['rows']} before
   * @param {MessageListData['rows']} after
   */
  #announce(before, after) {
    const known = before.newest?.message;
    if (known === undefined || known === after.newest?.message) return;
    // A flood is not worth reading out: the last few tell that something goes on.
    const SPOKEN = 3;
    const fresh = [];
    const { messages } = after.timeline;
    for (let i = messages.length - 1; i >= 0 && fresh.length < SPOKEN; i -= 1) {
      const message = messages.at(i);
      if (!message || message.message === known) break;
      if (message.mine || message.deleted || message.newer) continue;
      fresh.unshift(t('room.announce', { name: this.data.people.names.get(message.author) ?? message.name, text: message.text }));
    }
    if (fresh.length > 0) this.#live.textContent = fresh.join(' ');
  }
}

/** What is left to see of the next message beside one that the keyboard came to. */
const OVERLAP = 24;

/**
 * @param {Element | undefined} item
 * @returns {MessageBubble | null}
 */
function bubbleIn(item) {
  const last = item?.lastElementChild;
  return last?.localName === 'message-bubble' ? /** @type {MessageBubble} */ (last) : null;
}

/** @type {Record<import('../state/timeline.js').TopRow['state'], () => string>} */
const TOP_WORDS = {
  loading: () => t('room.loading'),
  failed: () => t('room.loadFailed'),
  complete: () => t('room.beginning'),
  more: () => '',
};

/**
 * @param {MessageListData['rows']} rows
 * @param {string} message
 * @returns {number} Messages of others after this one.
 */
function countBelow(rows, message) {
  const { messages } = rows.timeline;
  const known = messages.indexOf(message);
  if (known < 0) return 0;
  let count = 0;
  for (let i = known + 1; i < messages.length; i += 1) if (!messages.at(i)?.mine) count += 1;
  return count;
}

/**
 * @param {MessageListData['rows']} before
 * @param {MessageListData['rows']} after
 * @returns {boolean} Whether I have just sent something.
 */
function ownArrival(before, after) {
  const a = before.pending.at(-1);
  const b = after.pending.at(-1);
  return b !== undefined && b.state === 'queued' && a?.clientId !== b.clientId;
}
customElements.define('message-list', MessageList);
