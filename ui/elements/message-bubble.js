/**
 * `<message-bubble>`: one message with its state.
 *
 * data: {row, total, near, name, avatars}; emits `message-retry` and `message-edit` (client id),
 * `message-seen` (the row).
 *
 * @typedef {import('../state/timeline.js').MessageRow} MessageRow
 * @typedef {object} BubbleData
 * @property {MessageRow} row
 * @property {number} total People who could see it: everyone but me.
 * @property {boolean} anyoneNear
 * @property {string} name Of the author, told apart from others of the same name.
 */
import { avatar } from '../lib/avatar.js';
import { h, icon } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { hueClass } from '../lib/people.js';
import { clock } from '../lib/time.js';
import { t } from '../strings/index.js';

/** @type {Record<string, import('../lib/dom.js').IconName>} */
const STATE_ICON = { queued: 'clock', saved: 'check', seen: 'checks', failed: 'alert' };

/** @extends {ViewElement<BubbleData>} */
export class MessageBubble extends ViewElement {
  /**
   * @param {BubbleData} data
   * @param {BubbleData | undefined} previous
   */
  render(data, previous) {
    if (previous && same(data, previous)) return;
    const { row } = data;
    this.dataset.test = 'message';
    this.dataset.message = row.message;
    this.dataset.state = row.state;
    this.className = ['message', row.mine ? 'is-mine' : 'is-theirs', row.first && 'is-first', row.last && 'is-last']
      .filter(Boolean).join(' ');
    const bubble = h('div', { class: 'bubble' },
      !row.mine && row.first && h('bdi', { class: `bubble-name ${hueClass(row.author)}` }, data.name),
      row.mine && h('span', { class: 'visually-hidden' }, t('message.mine')),
      !row.mine && !row.first && h('span', { class: 'visually-hidden' }, data.name),
      h('span', { class: 'bubble-text', dir: 'auto' }, row.text),
      h('span', { class: 'bubble-meta' },
        h('time', { datetime: new Date(row.timeMs).toISOString() }, clock(row.timeMs)),
        row.mine && icon(STATE_ICON[row.state])));
    this.replaceChildren(...[
      row.mine ? null : row.last ? avatar(row.author, data.name) : h('span', { class: 'avatar-gap' }),
      h('div', { class: 'message-body' }, bubble, row.mine ? this.#stateLine(data) : null),
    ].filter((part) => part !== null));
  }

  /** @param {BubbleData} data */
  #stateLine(data) {
    const { row } = data;
    if (row.state === 'failed') {
      return h('div', { class: 'message-failed', role: 'alert' },
        h('p', { 'data-test': 'error-text' }, `${t('message.failed')} ${row.error}`),
        h('div', { class: 'message-failed-ways' },
          h('button', {
            type: 'button', class: 'link-button', 'data-test': 'message-retry',
            onclick: () => this.emit('message-retry', row.clientId),
          }, t('message.retry')),
          h('button', {
            type: 'button', class: 'link-button', onclick: () => this.emit('message-edit', row.clientId),
          }, t('message.edit'))));
    }
    const words = stateWords(data);
    if (row.state === 'queued') return h('span', { class: row.last ? 'message-state' : 'visually-hidden' }, words);
    return h('button', {
      type: 'button', class: row.last ? 'message-state' : 'message-state is-quiet', 'data-test': 'message-state',
      onclick: () => this.emit('message-seen', row),
    }, words);
  }
}

/**
 * @param {BubbleData} data
 * @returns {string}
 */
function stateWords({ row, total, anyoneNear }) {
  if (row.state === 'queued') return t('message.queued');
  if (row.state === 'seen') return t('message.seen', { n: row.seenBy.length, total: Math.max(total, row.seenBy.length) });
  return anyoneNear ? t('message.saved') : t('message.savedAlone');
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
  const words = !x.mine || (a.total === b.total && a.anyoneNear === b.anyoneNear);
  return words && a.name === b.name && x.message === y.message && x.state === y.state && x.text === y.text
    && x.error === y.error && x.timeMs === y.timeMs && x.first === y.first && x.last === y.last
    && x.seenBy.length === y.seenBy.length;
}
customElements.define('message-bubble', MessageBubble);
