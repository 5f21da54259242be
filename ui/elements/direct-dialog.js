/**
 * `<direct-dialog>`: what two people of a room say to each other alone.
 *
 * data: the session and what the state knows of the talk; what its parts emit ends here.
 *
 * @typedef {object} DirectData
 * @property {import('../state/session.js').Session} session
 * @property {string} talk The talk's key.
 * @property {string} author The other one.
 * @property {import('../ipc/types.js').Room} room Where both are.
 * @property {import('../state/model.js').Timeline} timeline
 * @property {import('../state/model.js').Pending[]} pending
 * @property {import('../ipc/types.js').Member[]} members
 * @property {string} draft
 * @property {number} now
 */
import { h } from '../lib/dom.js';
import { ModalElement } from '../lib/modal.js';
import { namesOf } from '../lib/people.js';
import { toRows } from '../state/timeline.js';
import { t } from '../strings/index.js';
import './message-composer.js';
import './message-list.js';

/** @extends {ModalElement<DirectData>} */
export class DirectDialog extends ModalElement {
  #list = /** @type {import('./message-list.js').MessageList} */ (document.createElement('message-list'));
  #composer = /** @type {import('./message-composer.js').MessageComposer} */ (document.createElement('message-composer'));

  setup() {
    super.setup();
    this.body.replaceChildren(
      h('div', { class: 'direct', 'data-test': 'direct' }, this.#list, this.#composer));
    const { session, talk } = this.data;
    const acts = /** @type {Record<string, (detail: any) => void>} */ ({
      'message-send': (text) => void session.send(talk, text),
      'message-retry': (clientId) => void session.retry(talk, clientId),
      'message-edit': (clientId) => session.takeBack(talk, clientId),
      'message-seen': () => {}, // there is only one who could have
      'draft-change': (text) => session.setDraft(talk, text),
      'older-wanted': () => void session.loadOlder(talk),
      'newest-seen': (message) => void session.markSeen(talk, message),
    });
    for (const [type, act] of Object.entries(acts)) {
      this.listen(this, type, (/** @type {CustomEvent} */ event) => {
        // Further up it would be taken for something said to the room.
        event.stopPropagation();
        act(event.detail);
      });
    }
  }

  /**
   * @param {DirectData} data
   * @param {DirectData | undefined} previous
   */
  render({ talk, author, room, timeline, pending, members, draft, now }, previous) {
    const names = namesOf(members);
    const other = members.find((member) => member.author === author);
    const name = names.get(author) ?? '';
    const near = other !== undefined && other.state !== 'away' ? 1 : 0;
    this.heading = t('direct.title', { name });
    if (previous?.timeline !== timeline || previous.pending !== pending || previous.members !== members) {
      const pair = { ...room, room: talk, name, members: 2, near };
      this.#list.data = { room: pair, rows: toRows(timeline, pending, null), names, now, beginning: t('direct.hint') };
    }
    if (!previous || previous.draft !== draft || previous.members !== members) {
      this.#composer.data = { room: talk, name, draft };
    }
  }
}
customElements.define('direct-dialog', DirectDialog);
