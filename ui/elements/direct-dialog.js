/**
 * `<direct-dialog>`: what two people of a room say to each other alone.
 *
 * data: the session and what the state knows of the talk.
 *
 * @typedef {object} DirectData
 * @property {import('../state/session.js').Session} session
 * @property {string} talk The talk's key.
 * @property {string} author The other one.
 * @property {import('../ipc/types.js').Room} room Where both are.
 * @property {import('../state/model.js').Timeline} timeline
 * @property {import('../state/model.js').Pending[]} pending
 * @property {import('../ipc/types.js').Member[]} members
 * @property {Record<string, import('../ipc/types.js').Message | null>} quoted
 * @property {string} draft
 * @property {number} unreadAtOpen What was unread when the talk was opened.
 * @property {number} now
 */
import { h } from '../lib/dom.js';
import { ModalElement } from '../lib/modal.js';
import { namesOf } from '../lib/people.js';
import { NewLine } from '../state/timeline.js';
import { t } from '../strings/index.js';
import './chat-pane.js';

/** @extends {ModalElement<DirectData>} */
export class DirectDialog extends ModalElement {
  #pane = /** @type {import('./chat-pane.js').ChatPane} */ (document.createElement('chat-pane'));

  #newLine = new NewLine(0);

  setup() {
    super.setup();
    this.body.replaceChildren(h('div', { class: 'direct', 'data-test': 'direct' }, this.#pane));
  }

  /**
   * @param {DirectData} data
   * @param {DirectData | undefined} previous
   */
  render({ session, talk, author, room, timeline, pending, members, quoted, draft, now, unreadAtOpen }, previous) {
    if (previous?.talk !== talk) this.#newLine = new NewLine(unreadAtOpen);
    const other = members.find((member) => member.author === author);
    const name = namesOf(members).get(author) ?? '';
    const near = other !== undefined && other.state !== 'away' ? 1 : 0;
    this.heading = t('direct.title', { name });
    this.#pane.data = {
      session, talk, room: { ...room, name, members: 2, near }, timeline, pending, members, quoted, draft, firstUnread: this.#newLine.in(timeline, other ? [other] : NOBODY), now, beginning: t('direct.hint'), direct: true,
    };
  }

  /**
   * Brings a message into view, loading what lies between.
   * @param {string} message
   */
  show(message) {
    void this.#pane.show(message);
  }
}

/** @type {never[]} */
const NOBODY = [];
customElements.define('direct-dialog', DirectDialog);
