/**
 * What a person says, and does to what was said.
 *
 *   send -> queued --the shell's answer--> saved          (retry, takeBack: after a refusal; discard: while queued, too)
 *   edit, remove, react -> the message as it is now, in its place
 *
 * A `key` is a room's id or a talk's.
 *
 * @typedef {import('./model.js').State} State
 * @typedef {import('./model.js').Action} Action
 * @typedef {import('./model.js').Message} Message
 * @typedef {import('../ipc/index.js').Ipc} Ipc
 */
import { sentence } from '../ipc/index.js';
import { Drafts } from './drafts.js';
import { partsOf } from './model.js';

export class Outbox {
  #ipc;
  #store;
  /** Discarded while the shell had them already: deleted once it answers. @type {Set<string>} */
  #discarded = new Set();

  /**
   * @param {Ipc} ipc
   * @param {import('./store.js').Store<State, Action>} store
   */
  constructor(ipc, store) {
    this.#ipc = ipc;
    this.#store = store;
    this.drafts = new Drafts(ipc);
  }

  /**
   * Shows the message at once as queued; it is saved when the shell has answered.
   * @param {string} key
   * @param {string} text
   * @param {string | null} [replyTo]
   * @param {string[]} [mentions]
   */
  async send(key, text, replyTo = null, mentions = []) {
    const clientId = newClientId();
    /** @type {import('./model.js').Pending} */
    const pending = { clientId, text, timeMs: Date.now(), replyTo, mentions, state: 'queued', error: '' };
    this.#store.dispatch({ type: 'queued', room: key, pending });
    await this.#deliver(key, pending);
  }

  /**
   * The same message once more. It keeps its client id, and so its bubble.
   * @param {string} key
   * @param {string} clientId
   */
  async retry(key, clientId) {
    const pending = this.#pending(key, clientId);
    if (!pending || pending.state !== 'failed') return;
    this.#store.dispatch({ type: 'retried', room: key, clientId });
    await this.#deliver(key, pending);
  }

  /**
   * @param {string} key
   * @param {import('./model.js').Pending} pending
   */
  async #deliver(key, { clientId, text, replyTo, mentions }) {
    try {
      const { room, author } = partsOf(key);
      const message = author === null
        ? await this.#ipc.sendMessage(room, clientId, text, replyTo, mentions)
        : await this.#ipc.sendDirect(room, author, clientId, text, replyTo);
      const kept = this.#discarded.has(clientId) ? await this.#deleted(room, message) : message;
      this.#store.dispatch({ type: 'saved', clientId, message: kept });
    } catch (error) {
      this.#store.dispatch({ type: 'sendFailed', room: key, clientId, error: sentence(error) });
    } finally {
      this.#discarded.delete(clientId);
    }
  }

  /**
   * Deletes what was saved though it was discarded before. Should that fail, it stands there as saved, and can be deleted.
   * @param {string} room
   * @param {import('./model.js').Message} message
   */
  async #deleted(room, message) {
    try {
      return await this.#ipc.deleteMessage(room, message.message);
    } catch (error) {
      console.info('what was discarded could not be deleted', error);
      return message;
    }
  }

  /**
   * Takes a refused message back into the composer.
   * @param {string} key
   * @param {string} clientId
   */
  takeBack(key, clientId) {
    const pending = this.#pending(key, clientId);
    if (!pending) return;
    const draft = this.#store.state.drafts[key] ?? '';
    this.setDraft(key, draft === '' ? pending.text : `${draft}\n${pending.text}`);
    this.discard(key, clientId);
  }

  /**
   * A message is not sent after all: a refused one is gone, a queued one is deleted as soon as the shell has saved it, since
   * nothing calls it back from there.
   * @param {string} key
   * @param {string} clientId
   */
  discard(key, clientId) {
    if (this.#pending(key, clientId)?.state === 'queued') this.#discarded.add(clientId);
    this.#store.dispatch({ type: 'discarded', room: key, clientId });
  }

  /**
   * @param {string} key
   * @param {string} text
   */
  setDraft(key, text) {
    if ((this.#store.state.drafts[key] ?? '') === text) return;
    this.#store.dispatch({ type: 'draft', room: key, text });
    this.drafts.keep(key, text);
  }

  /**
   * @param {string} key
   * @param {string} message
   * @param {string} text
   */
  async edit(key, message, text) {
    this.#changed(await this.#ipc.editMessage(partsOf(key).room, message, text));
  }

  /**
   * For everyone.
   * @param {string} key
   * @param {string} message
   */
  async remove(key, message) {
    this.#changed(await this.#ipc.deleteMessage(partsOf(key).room, message));
  }

  /**
   * @param {string} key
   * @param {string} message
   * @param {string} reaction Empty takes mine back.
   */
  async react(key, message, reaction) {
    this.#changed(await this.#ipc.react(partsOf(key).room, message, reaction));
  }

  /** @param {Message} message */
  #changed(message) {
    this.#store.dispatch({ type: 'changed', message });
  }

  /**
   * @param {string} key
   * @param {string} clientId
   */
  #pending(key, clientId) {
    return this.#store.state.pending[key]?.find((p) => p.clientId === clientId);
  }
}

/** @returns {string} 128 random bits in hex. */
function newClientId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
