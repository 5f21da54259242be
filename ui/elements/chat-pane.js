/**
 * `<chat-pane>`: a talk, be it a room's or one of two people alone: its messages, what can be done with each,
 * the composer.
 *
 *   message-list --message-act--> here --> menu, reply, edit, link, ..
 *   composer --message-send--> here --> session.outbox
 *
 * data: what the state knows of the talk. Everything ends here but `message-find` (a message elsewhere in the room).
 *
 * @typedef {import('../state/timeline.js').MessageRow} MessageRow
 *
 * @typedef {object} PaneData
 * @property {import('../state/session.js').Session} session
 * @property {string} talk The key: a room's id or a talk's.
 * @property {import('../ipc/types.js').Room} room As the list shows it: name, members and who is near.
 * @property {import('../state/model.js').Timeline} timeline
 * @property {import('../state/model.js').Pending[]} pending
 * @property {import('../ipc/types.js').Member[]} members
 * @property {Record<string, import('../ipc/types.js').Message | null>} quoted
 * @property {string} draft
 * @property {string | null} firstUnread
 * @property {number} now
 * @property {string | undefined} beginning
 * @property {boolean} direct Between two people alone.
 */
import { actsOf, onlyHere } from '../lib/acts.js';
import { copyText } from '../lib/copy.js';
import { errorLine, h, setLine } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { lookAt } from '../lib/links.js';
import { peopleOf } from '../lib/people.js';
import { quoteOf } from '../lib/quote.js';
import { dayKey } from '../lib/time.js';
import { TimelineRows } from '../state/timeline.js';
import { t } from '../strings/index.js';
import './delete-dialog.js';
import './link-dialog.js';
import './message-composer.js';
import './message-list.js';
import './message-menu.js';
import './seen-dialog.js';

/** How long it says that something was copied. */
const NOTE_MS = 2500;

/** @extends {ViewElement<PaneData>} */
export class ChatPane extends ViewElement {
  #list = /** @type {import('./message-list.js').MessageList} */ (document.createElement('message-list'));
  #composer = /** @type {import('./message-composer.js').MessageComposer} */ (document.createElement('message-composer'));
  #error = errorLine();
  #words = h('span', {});
  #stop = h('button', { type: 'button', class: 'link-button', 'data-test': 'jump-stop', onclick: () => this.#endJump('') }, t('jump.stop'));
  #line = h('div', { class: 'pane-line', role: 'status', 'data-test': 'pane-line', hidden: true }, this.#words, this.#stop);
  #noteTimer = 0;
  /** The message being answered or edited. @type {{kind: 'reply' | 'edit', message: string, text: string} | null} */
  #mode = null;
  /** Counts jumps: one that was ended goes no further. */
  #jump = 0;
  /** @type {import('../lib/people.js').People} */
  #people = peopleOf([]);

  setup() {
    this.replaceChildren(this.#list, this.#error, this.#line, this.#composer);
    const acts = /** @type {Record<string, (detail: any) => void>} */ ({
      'message-act': (detail) => this.#act(detail),
      'message-send': (detail) => void this.#send(detail),
      'draft-change': (text) => this.#draft(text),
      'context-cancel': () => this.#setMode(null),
      'edit-last': () => this.#editLast(),
      'older-wanted': () => void this.data.session.loadOlder(this.data.talk),
      'newest-seen': (message) => void this.data.session.markSeen(this.data.talk, message),
      'quote-wanted': (message) => void this.data.session.wantQuote(this.data.talk, message),
    });
    this.listen(this, 'keydown', (event) => {
      if (event.key !== 'Escape' || event.defaultPrevented || this.#mode === null || event.target.closest('dialog') !== this.closest('dialog')) return;
      event.preventDefault(); // in a dialog it would close it
      this.#setMode(null);
    });
    for (const [type, act] of Object.entries(acts)) {
      this.listen(this, type, (/** @type {CustomEvent} */ event) => {
        // Further up it would be taken for something of another talk.
        event.stopPropagation();
        act(event.detail);
      });
    }
  }

  teardown() {
    clearTimeout(this.#noteTimer);
    this.#jump += 1;
    void this.data.session.outbox.drafts.flush();
  }

  /**
   * @param {PaneData} data
   * @param {PaneData | undefined} previous
   */
  render(data, previous) {
    const { room, timeline, pending, members, quoted, now, beginning, firstUnread } = data;
    const same = previous?.talk === data.talk;
    if (!same) this.#begin(previous);
    if (!same || previous.members !== members) this.#people = peopleOf(members);
    const empty = timeline.complete && timeline.messages.length === 0 && pending.length === 0;
    this.#list.hidden = empty;
    const changed = !same || previous.timeline !== timeline || previous.pending !== pending || previous.members !== members
      || previous.quoted !== quoted || previous.firstUnread !== firstUnread || previous.beginning !== beginning
      || dayKey(previous.now) !== dayKey(now) || previous.room.near !== room.near || previous.room.members !== room.members || previous.room.name !== room.name;
    // Setting the data lays the list out anew: only when something of it changed.
    if (changed && !empty) {
      this.#list.data = {
        room: { ...room, room: data.talk }, rows: new TimelineRows(timeline, pending, firstUnread), people: this.#people, quoted, now, beginning,
      };
    }
    this.#renderSeen();
    this.#composer.hidden = room.removed;
    if (changed || previous.draft !== data.draft) this.#renderComposer();
  }

  /**
   * Brings a message into view, loading what lies between.
   * @param {string} message
   */
  async show(message) {
    const { session, talk } = this.data;
    this.#jump += 1;
    const jump = this.#jump;
    if (this.#shows(message)) return this.#endJump('');
    this.#say(t('jump.looking'), true);
    const end = await session.reach(talk, message, (loaded) => {
      if (jump !== this.#jump) return false;
      this.#say(t('jump.loaded', { n: loaded }), true);
      return true;
    });
    if (jump !== this.#jump) return undefined;
    // The page that brought it is drawn in a task of its own.
    await new Promise((resolve) => setTimeout(resolve));
    if (jump !== this.#jump) return undefined;
    if (end === 'here' && this.#shows(message)) return this.#endJump('');
    return this.#endJump(end === 'failed' ? t('jump.failed') : t('jump.unknown'));
  }

  /**
   * @param {string} message
   * @returns {boolean} Whether it is loaded, and so in view now.
   */
  #shows(message) {
    return this.data.timeline.messages.indexOf(message) >= 0 && this.#list.showMessage(message);
  }

  /** @param {PaneData | undefined} previous */
  #begin(previous) {
    if (previous) void previous.session.outbox.drafts.flush();
    this.#mode = null;
    this.#jump += 1;
    setLine(this.#error, '');
    this.#say('', false);
    this.querySelector('message-menu')?.remove();
  }

  #renderComposer() {
    const { talk, room, draft, members, direct } = this.data;
    const mode = this.#mode;
    this.#composer.data = {
      room: talk,
      name: room.name,
      draft: mode?.kind === 'edit' ? mode.text : draft,
      context: this.#context(),
      members: direct ? NOBODY : members,
    };
  }

  /** @returns {import('./message-composer.js').ComposerContext | null} */
  #context() {
    const mode = this.#mode;
    if (!mode) return null;
    const { timeline, quoted } = this.data;
    const { name, text, state } = quoteOf(mode.message, timeline.messages, quoted, this.#people);
    if (mode.kind === 'edit') return { kind: 'edit', title: t('composer.editing'), text };
    const own = timeline.messages.get(mode.message)?.mine;
    return { kind: 'reply', title: own ? t('composer.replyingOwn') : t('composer.replying', { name }), text: state === 'here' ? text : t('message.deleted') };
  }

  /** @param {{kind: 'reply' | 'edit', message: string, text: string} | null} mode */
  #setMode(mode) {
    this.#mode = mode;
    this.#renderComposer();
  }

  /** @param {string} text */
  #draft(text) {
    const { session, talk } = this.data;
    if (this.#mode?.kind === 'edit') this.#mode = { ...this.#mode, text };
    else session.outbox.setDraft(talk, text);
  }

  /** @param {{text: string, mentions: string[]}} said */
  async #send({ text, mentions }) {
    const { session, talk } = this.data;
    const mode = this.#mode;
    setLine(this.#error, '');
    this.#setMode(null);
    if (mode?.kind !== 'edit') {
      await session.outbox.send(talk, text, mode?.message ?? null, mentions);
      return;
    }
    if (this.data.timeline.messages.get(mode.message)?.text === text) return;
    const failed = await this.#try(() => session.outbox.edit(talk, mode.message, text));
    // What was written is not lost, if the box is still free.
    if (failed && this.#mode === null && this.data.talk === talk) this.#setMode({ ...mode, text });
  }

  /**
   * @param {() => Promise<unknown>} act
   * @returns {Promise<boolean>} Whether it failed; then the line above the box says why.
   */
  async #try(act) {
    setLine(this.#error, '');
    try {
      await act();
      return false;
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
      return true;
    }
  }

  #editLast() {
    const { messages } = this.data.timeline;
    const last = messages.at(messages.findLastIndex((m) => m.mine && !m.deleted && !m.newer));
    if (last?.mine && !last.deleted) this.#setMode({ kind: 'edit', message: last.message, text: last.text });
  }

  /** @param {import('./message-list.js').MessageAct} detail */
  #act(detail) {
    const { row, act, value } = detail;
    const { session, talk } = this.data;
    const acts = /** @type {Record<string, () => void>} */ ({
      menu: () => this.#openMenu(detail),
      quote: () => { if (row.replyTo !== null) void this.show(row.replyTo); },
      link: () => this.#openLink(value),
      unfold: () => this.#list.unfold(row),
      react: () => this.#react(row, value),
      seen: () => this.#openSeen(row),
      retry: () => void session.outbox.retry(talk, row.clientId),
      takeback: () => {
        session.outbox.takeBack(talk, row.clientId);
        if (row.replyTo !== null) this.#setMode({ kind: 'reply', message: row.replyTo, text: '' });
      },
      discard: () => session.outbox.discard(talk, row.clientId),
      reply: () => this.#setMode({ kind: 'reply', message: row.message, text: '' }),
      copy: () => void this.#copy(row.text),
      edit: () => this.#setMode({ kind: 'edit', message: row.message, text: row.text }),
      delete: () => this.#openDelete(row),
    });
    acts[act]?.();
  }

  /** @param {import('./message-list.js').MessageAct} detail */
  #openMenu({ row, bubble, x, y }) {
    const { room, direct } = this.data;
    const items = actsOf(row, { readOnly: room.removed, direct });
    if (items.length === 0 || this.querySelector('message-menu')) return;
    const own = row.reactions.find(({ authors }) => authors.includes(this.#people.me))?.reaction ?? '';
    const menu = /** @type {import('./message-menu.js').MessageMenu} */ (document.createElement('message-menu'));
    menu.data = {
      title: t('message.actions'), items, own, canReact: !room.removed, x, y, anchor: bubble,
    };
    menu.addEventListener('menu-pick', (event) => {
      const { id, value } = /** @type {CustomEvent} */ (event).detail;
      if (id === 'react') void this.#setReaction(row, value);
      else this.#act({ act: id, row, value, bubble, x, y });
    });
    this.append(menu);
  }

  /**
   * A chip that was pressed: the same one takes mine back.
   * @param {MessageRow} row
   * @param {string} reaction
   */
  #react(row, reaction) {
    if (this.data.room.removed) return;
    const own = row.reactions.some((r) => r.reaction === reaction && r.authors.includes(this.#people.me));
    void this.#setReaction(row, own ? '' : reaction);
  }

  /**
   * @param {MessageRow} row
   * @param {string} reaction
   */
  async #setReaction(row, reaction) {
    const { session, talk } = this.data;
    await this.#try(() => session.outbox.react(talk, row.message, reaction));
  }

  /** @param {string} written */
  #openLink(written) {
    const link = lookAt(written);
    if (!link) return;
    const dialog = /** @type {import('./link-dialog.js').LinkDialog} */ (document.createElement('link-dialog'));
    dialog.data = { link, open: (url) => this.data.session.ipc.openLink(url) };
    this.append(dialog);
  }

  /** @param {MessageRow} row */
  #openSeen(row) {
    if (this.data.direct) return; // there is only one who could have
    const dialog = /** @type {import('./seen-dialog.js').SeenDialog} */ (document.createElement('seen-dialog'));
    const { message, text, seenBy, sentTo } = row;
    dialog.data = { message, text, seenBy, sentTo, members: this.data.members };
    this.append(dialog);
  }

  /** Who has seen a message is told while it is looked at, too. */
  #renderSeen() {
    const dialog = /** @type {import('./seen-dialog.js').SeenDialog | null} */ (this.querySelector('seen-dialog'));
    const message = dialog && this.data.timeline.messages.get(dialog.data.message);
    if (!message) return;
    const { seenBy, sentTo } = message;
    const { members } = this.data;
    const known = dialog.data;
    if (known.seenBy !== seenBy || known.sentTo !== sentTo || known.members !== members) dialog.data = { ...known, seenBy, sentTo, members };
  }

  /** @param {MessageRow} row */
  #openDelete(row) {
    const { session, talk } = this.data;
    const dialog = /** @type {import('./delete-dialog.js').DeleteDialog} */ (document.createElement('delete-dialog'));
    dialog.data = { text: row.text, here: onlyHere(row, this.data.direct), remove: () => session.outbox.remove(talk, row.message) };
    this.append(dialog);
  }

  /** @param {string} text */
  async #copy(text) {
    const done = await copyText(text, this);
    this.#say(done ? t('copy.done') : t('copy.failed'), false);
    this.#noteTimer = window.setTimeout(() => this.#say('', false), NOTE_MS);
  }

  /** @param {string} words What there is to say; empty when there is nothing. */
  #endJump(words) {
    this.#jump += 1;
    this.#say(words, false);
    if (words !== '') this.#noteTimer = window.setTimeout(() => this.#say('', false), NOTE_MS * 2);
  }

  /**
   * @param {string} words
   * @param {boolean} stoppable
   */
  #say(words, stoppable) {
    clearTimeout(this.#noteTimer);
    setLine(this.#words, words);
    this.#line.hidden = words === '';
    this.#stop.hidden = !stoppable;
  }
}

/** @type {never[]} */
const NOBODY = [];
customElements.define('chat-pane', ChatPane);
