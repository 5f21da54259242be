/**
 * `<seen-dialog>`: who has seen a message of mine, by name, as it becomes known.
 *
 * data: {message, text, seenBy, sentTo, members}
 *
 * @typedef {import('../ipc/types.js').Member} Member
 * @typedef {{message: string, text: string, seenBy: string[], sentTo: number, members: Member[]}} SeenData
 */
import { avatar } from '../lib/avatar.js';
import { h } from '../lib/dom.js';
import { ModalElement } from '../lib/modal.js';
import { namesOf, sortedMembers } from '../lib/people.js';
import { fold } from '../lib/text.js';
import { t } from '../strings/index.js';

/** @extends {ModalElement<SeenData>} */
export class SeenDialog extends ModalElement {
  setup() {
    super.setup();
    this.heading = t('seen.title');
  }

  /** @param {SeenData} data */
  render({ text, seenBy, sentTo, members }) {
    const names = namesOf(members);
    const seen = new Set(seenBy);
    const others = sortedMembers(members).filter((member) => !member.me);
    /**
     * @param {string} heading
     * @param {Member[]} list
     */
    const group = (heading, list) => (list.length === 0 ? [] : [
      h('h3', { class: 'people-heading' }, heading),
      h('ul', { class: 'people' }, ...list.map((member) => h('li', { class: 'person' },
        avatar(member.author, member.name),
        h('bdi', { class: 'person-name' }, names.get(member.author) ?? member.name)))),
    ]);
    this.body.replaceChildren(
      h('p', { class: 'seen-quote', dir: 'auto' }, fold(text).text),
      ...(seen.size === 0 ? [h('p', { class: 'hint' }, sentTo > 0 ? t('seen.sent', { n: sentTo }) : t('seen.none'))] : []),
      ...group(t('seen.yes'), others.filter((member) => seen.has(member.author))),
      ...group(t('seen.no'), others.filter((member) => !seen.has(member.author))));
  }
}
customElements.define('seen-dialog', SeenDialog);
