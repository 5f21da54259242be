/**
 * `<people-dialog>`: who belongs to the room, since when and where they are, what it was made with, whether it is
 * closed, whether copies lie with servers; its name, how it stands in the list, and leaving stand at its end.
 *
 * data: {room, members, load() -> Promise, leave(keep) -> Promise, write(author), setClosed(closed) -> Promise, setBackup(on, pass) -> Promise,
 * rename(name) -> Promise, setPrefs(prefs) -> Promise}; emits `person-open` (author), `network-open` (room).
 *
 * @typedef {import('../ipc/types.js').Member} Member
 * @typedef {object} PeopleData
 * @property {import('../ipc/types.js').Room} room
 * @property {Member[] | undefined} members Undefined until they are loaded.
 * @property {() => Promise<void>} load They come with the data; rejects when they don't.
 * @property {(keep: boolean) => Promise<void>} leave
 * @property {(author: string) => void} write Opens what is said with one person alone.
 * @property {(closed: boolean) => Promise<void>} setClosed
 * @property {(on: boolean, pass?: string) => Promise<void>} setBackup
 * @property {(name: string) => Promise<void>} rename
 * @property {(prefs: {favourite?: boolean, muted?: boolean}) => Promise<void>} setPrefs
 */
import { avatar } from '../lib/avatar.js';
import { errorLine, h, icon, setLine } from '../lib/dom.js';
import { ModalElement } from '../lib/modal.js';
import { marksOf, namesOf, sinceLine, sortedMembers, standing } from '../lib/people.js';
import { keptLine, moderates, owns, ruleLines } from '../lib/power.js';
import { number, t } from '../strings/index.js';
import './room-backup.js';
import './room-pass.js';
import './room-door.js';
import './room-leave.js';
import './room-prefs.js';
import './room-rename.js';

/** @extends {ModalElement<PeopleData>} */
export class PeopleDialog extends ModalElement {
  #list = h('ul', { class: 'people' });
  #network = h('button', {
    type: 'button', class: 'button people-network', 'data-test': 'network-open', onclick: () => this.emit('network-open', this.data.room.room),
  });
  #error = errorLine();
  #again = h('button', { type: 'button', class: 'button', 'data-test': 'people-again', hidden: true, onclick: () => void this.#load() }, t('action.tryAgain'));
  #kept = h('p', { class: 'hint', 'data-test': 'room-kept', hidden: true });
  #rules = h('div', { class: 'stack', 'data-test': 'room-rules' });
  #door = /** @type {import('./room-door.js').RoomDoor} */ (document.createElement('room-door'));
  #pass = /** @type {import('./room-pass.js').RoomPass} */ (document.createElement('room-pass'));
  #backup = /** @type {import('./room-backup.js').RoomBackup} */ (document.createElement('room-backup'));
  #rename = /** @type {import('./room-rename.js').RoomRename} */ (document.createElement('room-rename'));
  #prefs = /** @type {import('./room-prefs.js').RoomPrefs} */ (document.createElement('room-prefs'));
  #leave = /** @type {import('./room-leave.js').RoomLeave} */ (document.createElement('room-leave'));

  setup() {
    super.setup();
    this.listen(this.#leave, 'left', () => this.close());
    this.#network.replaceChildren(icon('network'), t('network.open'));
    this.body.replaceChildren(
      this.#network, this.#list, this.#error, this.#again, this.#kept, this.#rules, this.#door, this.#backup, this.#pass, h('div', { class: 'room-part' }, this.#prefs, this.#rename), this.#leave,
    );
    void this.#load();
  }

  /** What was known before stays on the screen; nothing known and nothing to come would be looked for for ever. */
  async #load() {
    this.#complain('');
    try {
      await this.data.load();
    } catch (error) {
      if (this.isConnected && !this.data.members) this.#complain(/** @type {Error} */ (error).message);
    }
  }

  /** @param {string} words Empty: there is nothing to complain of. */
  #complain(words) {
    const held = document.activeElement === this.#again;
    setLine(this.#error, words);
    this.#list.hidden = words !== '';
    this.#again.hidden = words === '';
    if (held && this.#again.hidden) this.#network.focus(); // what was pressed is gone
  }

  /**
   * @param {PeopleData} data
   * @param {PeopleData | undefined} previous
   */
  render({ room, members, leave, write, rename, setClosed, setBackup, setPrefs }, previous) {
    const may = moderates(room, members);
    setLine(this.#kept, keptLine(room));
    if (previous?.room.rules !== room.rules) this.#rules.replaceChildren(...ruleLines(room.rules).map((line) => h('p', { class: 'hint' }, line)));
    this.#network.hidden = room.removed;
    this.#door.data = { on: room.closed, may, decide: setClosed };
    this.#backup.data = { on: room.backup && !room.removed, may: owns(room, members), decide: (on) => setBackup(on) };
    this.#pass.data = { untilMs: room.removed ? null : room.passUntilMs, may: owns(room, members), enter: (pass) => setBackup(true, pass) };
    this.#rename.data = { room, may, rename };
    this.#prefs.data = { room, setPrefs };
    this.#leave.data = { room, leave };
    // Renewing the list takes the focus from its buttons.
    if (previous?.members === members && previous?.room.name === room.name) return;
    this.heading = t('people.title', { name: room.name });
    if (!members) {
      this.#list.replaceChildren(h('li', { class: 'hint' }, t('people.loading')));
      return;
    }
    this.#complain('');
    const names = namesOf(members);
    const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.author;
    this.#list.replaceChildren(...sortedMembers(members).map((member) => {
      const name = names.get(member.author) ?? member.name;
      const state = member.me ? 'me' : member.state;
      const since = sinceLine(member, Date.now());
      return h('li', { class: 'person-row', 'data-test': 'member', 'data-author': member.author, 'data-state': state },
        h('button', { type: 'button', class: 'person person-button', 'data-test': 'person-open', 'data-author': member.author, onclick: () => this.emit('person-open', member.author) },
          avatar(member.author, member.name),
          h('span', { class: 'person-text' },
            h('bdi', { class: 'person-name' }, member.me ? t('people.me', { name }) : name),
            h('span', { class: `person-state is-${state}` }, standing(member)),
            since !== '' && h('span', { class: 'person-state', 'data-test': 'person-since' }, since)),
          ...marksOf(member).map(({ kind, text }) => h('span', { class: `mark is-${kind}` }, text))),
        !member.me && h('button', {
          type: 'button', class: 'button button-soft person-write', 'data-test': 'person-write',
          'aria-label': member.directUnread > 0
            ? `${t('direct.open', { name })}, ${t('direct.unread', { n: member.directUnread })}` : t('direct.open', { name }),
          onclick: () => write(member.author),
        }, t('people.write'), member.directUnread > 0 && h('span', { class: 'badge' }, number(member.directUnread))));
    }));
    // The list is drawn anew as people come and go: who stood under the keyboard still does.
    if (focused) /** @type {HTMLElement | null} */ (this.#list.querySelector(`button[data-author="${focused}"]`))?.focus();
  }
}
customElements.define('people-dialog', PeopleDialog);
