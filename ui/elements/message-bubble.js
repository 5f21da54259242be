/**
 * `<message-bubble>`: one message with its state, what it answers, and what others put under it.
 *
 * It has no listeners: whatever can be pressed carries `data-act`, and the list acts for all of its bubbles.
 *
 *   data-act   menu | quote | link | unfold | react (data-value) | seen | retry | takeback | discard
 *
 * @typedef {import('../state/timeline.js').MessageRow} MessageRow
 *
 * @typedef {object} Quote What a message answers.
 * @property {'here' | 'deleted' | 'newer' | 'unknown' | 'waiting'} state
 * @property {string} name
 * @property {string} text Its first line.
 *
 * @typedef {object} BubbleData
 * @property {MessageRow} row
 * @property {number} total People who could see it: everyone but me.
 * @property {boolean} anyoneNear
 * @property {string} name Of the author, told apart from others of the same name.
 * @property {Quote | null} quote
 * @property {import('../lib/people.js').People} people
 * @property {boolean} open Whether a long text is shown whole.
 */
import { avatar } from '../lib/avatar.js';
import { h, icon } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { findLinks } from '../lib/links.js';
import { markMentions } from '../lib/mentions.js';
import { hueClass, listed, mentioned } from '../lib/people.js';
import { fold } from '../lib/text.js';
import { clock } from '../lib/time.js';
import { number, t } from '../strings/index.js';

/** @type {Record<string, import('../lib/dom.js').IconName>} */
const STATE_ICON = { queued: 'clock', saved: 'check', seen: 'checks', failed: 'alert' };

/** Kinds of reaction shown under one message; the rest is a number. */
const CHIPS_MAX = 12;

/** Of a message's text in its spoken name. */
const SPOKEN_MAX = 400;

/** @extends {ViewElement<BubbleData>} */
export class MessageBubble extends ViewElement {
  /**
   * @param {BubbleData} data
   * @param {BubbleData | undefined} previous
   */
  render(data, previous) {
    if (previous && same(data, previous)) return;
    const { row, people } = data;
    const gone = row.deleted || row.newer;
    this.dataset.test = 'message';
    this.dataset.message = row.message;
    this.dataset.state = row.state;
    this.setAttribute('role', 'article');
    this.setAttribute('aria-label', spoken(data));
    const toMe = !row.mine && people.me !== '' && row.mentions.includes(people.me);
    this.className = ['message', row.mine ? 'is-mine' : 'is-theirs', row.first && 'is-first', row.last && 'is-last', gone && 'is-gone', toMe && 'is-to-me']
      .filter(Boolean).join(' ');
    const bubble = h('div', { class: 'bubble' },
      !row.mine && row.first && h('bdi', { class: `bubble-name ${hueClass(row.author)}` }, data.name),
      row.mine && h('span', { class: 'visually-hidden' }, t('message.mine')),
      !row.mine && !row.first && h('span', { class: 'visually-hidden' }, data.name),
      !gone && data.quote && quoteButton(data.quote),
      gone ? h('span', { class: 'bubble-text', 'data-test': 'message-gone' }, goneWords(row)) : this.#text(data),
      h('span', { class: 'bubble-meta' },
        row.edited && !gone && h('span', { 'data-test': 'message-edited' }, t('message.edited')),
        h('time', { datetime: new Date(row.timeMs).toISOString() }, clock(row.timeMs)),
        row.mine && icon(STATE_ICON[row.state])));
    const more = row.message !== '' && !gone && h('button', {
      type: 'button', class: 'icon-button message-more', 'aria-haspopup': 'menu', 'aria-label': t('message.actions'), title: t('message.actions'),
      'data-act': 'menu', 'data-test': 'message-more', tabindex: -1,
    }, icon('more'));
    this.replaceChildren(...[
      row.mine ? null : row.last ? avatar(row.author, data.name) : h('span', { class: 'avatar-gap' }),
      h('div', { class: 'message-body' },
        h('div', { class: 'bubble-line' }, bubble, more),
        row.reactions.length > 0 && !gone && reactions(row, people),
        row.mine && !gone && this.#stateLine(data)),
    ].filter((part) => part !== null));
  }

  /** @param {BubbleData} data */
  #text({ row, people, open }) {
    const { text, folded } = open ? { text: row.text, folded: false } : fold(row.text);
    const pieces = markMentions(findLinks(text), mentioned(row.mentions, people));
    return h('span', { class: 'bubble-text', dir: 'auto' }, ...pieces.map((piece) => {
      if (piece.kind === 'link') {
        // Its own direction: what stands before it turns no address around.
        return h('a', { class: 'text-link', dir: 'ltr', role: 'link', tabindex: -1, 'data-act': 'link', 'data-test': 'message-link' }, piece.text);
      }
      if (piece.kind === 'mention') return h('bdi', { class: piece.me ? 'text-mention is-me' : 'text-mention' }, piece.text);
      return piece.text;
    }), folded && '… ', folded && h('button', { type: 'button', class: 'text-more', tabindex: -1, 'data-act': 'unfold', 'data-test': 'message-unfold' }, t('message.unfold')));
  }

  /** @param {BubbleData} data */
  #stateLine(data) {
    const { row } = data;
    const way = (/** @type {string} */ act, /** @type {string} */ words) =>
      h('button', { type: 'button', class: 'link-button', 'data-act': act, 'data-test': `message-${act}` }, words);
    if (row.state === 'failed') {
      return h('div', { class: 'message-failed', role: 'alert' },
        h('p', { 'data-test': 'error-text' }, `${t('message.failed')} ${row.error}`),
        h('div', { class: 'message-failed-ways' },
          way('retry', t('message.retry')), way('takeback', t('message.takeBack')), way('discard', t('message.discard'))));
    }
    const words = stateWords(data);
    if (row.state === 'queued') {
      return h('div', { class: 'message-queued' },
        h('span', { class: row.last ? 'message-state' : 'visually-hidden' }, words),
        way('discard', t('message.discard')));
    }
    return h('button', {
      type: 'button', class: row.last ? 'message-state' : 'message-state is-quiet', 'data-test': 'message-state', 'data-act': 'seen', tabindex: -1,
    }, words);
  }
}

/** @param {Quote} quote */
function quoteButton({ state, name, text }) {
  const words = state === 'here' ? text : QUOTE_WORDS[state]();
  return h('button', {
    type: 'button', class: state === 'here' ? 'bubble-quote' : 'bubble-quote is-gone', 'data-act': 'quote', 'data-test': 'message-quote', 'data-state': state, tabindex: -1,
  },
    h('span', { class: 'visually-hidden' }, t('reply.answers')),
    name !== '' && h('bdi', { class: 'quote-name' }, name),
    h('span', { class: 'quote-text', dir: 'auto' }, words));
}

/** @type {Record<Exclude<Quote['state'], 'here'>, () => string>} */
const QUOTE_WORDS = {
  deleted: () => t('message.deleted'),
  newer: () => t('message.newer'),
  unknown: () => t('reply.unknown'),
  waiting: () => t('reply.waiting'),
};

/**
 * @param {MessageRow} row
 * @param {import('../lib/people.js').People} people
 */
function reactions({ reactions: list }, people) {
  const rest = list.length - CHIPS_MAX;
  return h('div', { class: 'reactions', role: 'group', 'aria-label': t('react.group') }, ...list.slice(0, CHIPS_MAX).map(({ reaction, authors }) => {
    const own = people.me !== '' && authors.includes(people.me);
    const names = listed(authors, people);
    return h('button', {
      type: 'button', class: own ? 'chip is-own' : 'chip', 'aria-pressed': String(own), title: names, tabindex: -1,
      'aria-label': t('react.chip', { reaction, n: authors.length, names }), 'data-act': 'react', 'data-value': reaction, 'data-test': 'reaction',
    }, h('bdi', { class: 'chip-sign' }, reaction), h('span', { class: 'chip-count' }, number(authors.length)));
  }), rest > 0 && h('span', { class: 'chip-rest' }, t('react.more', { n: rest })));
}

/**
 * @param {MessageRow} row
 * @returns {string}
 */
function goneWords(row) {
  return row.deleted ? t('message.deleted') : t('message.newer');
}

/**
 * @param {BubbleData} data
 * @returns {string}
 */
function stateWords({ row, total, anyoneNear }) {
  if (row.state === 'queued') return t('message.queued');
  if (row.state === 'failed') return t('message.failed');
  if (row.state === 'seen') return t('message.seen', { n: row.seenBy.length, total: Math.max(total, row.seenBy.length) });
  if (row.sentTo > 0) return t('message.sent', { n: row.sentTo });
  return anyoneNear ? t('message.saved') : t('message.savedAlone');
}

/**
 * @param {BubbleData} data
 * @returns {string} What a reader of the screen says when it comes to this message.
 */
function spoken(data) {
  const { row } = data;
  const name = row.mine ? t('message.mine') : data.name;
  const text = row.deleted || row.newer ? goneWords(row) : row.text.slice(0, SPOKEN_MAX);
  const parts = [t('room.announce', { name, text }), clock(row.timeMs)];
  if (row.edited) parts.push(t('message.edited'));
  if (row.mine && !row.deleted) parts.push(stateWords(data));
  return parts.join(', ');
}

/**
 * Rows are made anew at every change; most of them say the same as before.
 * @param {BubbleData} a
 * @param {BubbleData} b
 * @returns {boolean}
 */
function same(a, b) {
  const { row: x } = a;
  const { row: y } = b;
  const words = !x.mine || (a.total === b.total && a.anyoneNear === b.anyoneNear && x.sentTo === y.sentTo);
  const names = a.people === b.people || (x.reactions.length === 0 && x.mentions.length === 0);
  const quote = a.quote === b.quote
    || (a.quote !== null && b.quote !== null && a.quote.state === b.quote.state && a.quote.name === b.quote.name && a.quote.text === b.quote.text);
  return words && names && quote && a.name === b.name && a.open === b.open && x.message === y.message && x.state === y.state
    && x.text === y.text && x.error === y.error && x.timeMs === y.timeMs && x.first === y.first && x.last === y.last
    && x.seenBy.length === y.seenBy.length && x.reactions === y.reactions && x.mentions === y.mentions && x.edited === y.edited
    && x.deleted === y.deleted && x.newer === y.newer;
}
customElements.define('message-bubble', MessageBubble);
