/**
 * `<network-dialog>`: the mesh of a room, live: a picture or a table, what has just changed, and the way of the last message.
 * Asked for every two seconds while it is open and somebody can be looking, and at once when a member's place or this device's
 * addresses change.
 *
 * data: {room, members, moved, map() -> Promise<NetworkMap>, since}
 *
 * @typedef {import('../ipc/types.js').NetworkMap} NetworkMap
 * @typedef {object} NetworkData
 * @property {import('../ipc/types.js').Room} room
 * @property {import('../ipc/types.js').Member[] | undefined} members Others than before: the map is asked for anew.
 * @property {number} moved Likewise.
 * @property {() => Promise<NetworkMap>} map
 * @property {{times: Map<string, import('../lib/mesh-words.js').Since>}} since Kept while the window lives.
 */
import { choice } from '../lib/choice.js';
import { errorLine, h, s, setLine } from '../lib/dom.js';
import { changeWords, groupWords, howNear, linkWords, pathWords, sinceOf, summary } from '../lib/mesh-words.js';
import { ModalElement } from '../lib/modal.js';
import { namesOf } from '../lib/people.js';
import { Refresh } from '../lib/refresh.js';
import { t } from '../strings/index.js';
import './mesh-picture.js';
import './mesh-table.js';

/** How long it is said who went or came. */
const CHANGE_MS = 30_000;

/** @type {[import('../lib/mesh-lines.js').LineKind, () => string][]} */
const LEGEND = [
  ['strong', () => t('legend.strong')],
  ['good', () => t('legend.good')],
  ['weak', () => t('legend.weak')],
  ['told', () => t('legend.told')],
  ['path', () => t('legend.path')],
  ['guess', () => t('legend.unknown')],
];

/** @extends {ModalElement<NetworkData>} */
export class NetworkDialog extends ModalElement {
  #refresh = new Refresh(() => this.#ask());
  /** @type {NetworkMap | null} */
  #map = null;
  #told = 0;
  #as = 'picture';
  /** @type {{id: string, members: string[]}} */
  #picked = { id: '', members: [] };
  #summary = h('p', { class: 'network-summary', 'data-test': 'network-summary' });
  #error = errorLine();
  #change = h('p', { class: 'network-change', role: 'status', 'data-test': 'network-change', hidden: true });
  #picture = /** @type {import('./mesh-picture.js').MeshPicture} */ (document.createElement('mesh-picture'));
  #table = /** @type {import('./mesh-table.js').MeshTable} */ (document.createElement('mesh-table'));
  #tableBox = h('div', { class: 'visually-hidden' }, this.#table);
  #caption = h('p', { class: 'hint network-caption', 'aria-hidden': 'true', 'data-test': 'network-caption' });
  #path = h('p', { class: 'network-path', 'data-test': 'network-path', hidden: true });
  #legend = h('details', { class: 'more' });
  #below = h('div', { class: 'network-below' });
  #views = h('div', { class: 'network-views', hidden: true });

  setup() {
    super.setup();
    this.heading = t('network.title', { name: this.data.room.name });
    setLine(this.#summary, t('network.looking'));
    this.#legend.replaceChildren(...legend());
    this.#below.replaceChildren(this.#path, this.#legend);
    const chosen = choice({
      name: 'network-as', title: t('network.show'), hook: 'network-as', chosen: this.#as,
      values: [['picture', t('network.picture')], ['table', t('network.table')]],
      choose: (as) => this.#show(as),
    });
    chosen.classList.add('is-inline');
    chosen.querySelector('legend')?.classList.add('visually-hidden');
    this.#views.replaceChildren(this.#change, this.#picture, this.#caption, this.#tableBox, this.#below);
    this.body.classList.add('network');
    this.body.replaceChildren(h('div', { class: 'network-head' }, this.#summary, chosen), this.#error, this.#views);
    this.listen(this.#picture, 'person-picked', ({ detail }) => this.#pick(detail));
    this.#show(this.#as);
    this.#refresh.start();
  }

  teardown() {
    this.#refresh.stop();
    clearTimeout(this.#told);
    this.#map = null;
  }

  /**
   * @param {NetworkData} data
   * @param {NetworkData | undefined} previous
   */
  render({ room, members, moved }, previous) {
    this.heading = t('network.title', { name: room.name });
    if (previous && (previous.members !== members || previous.moved !== moved)) this.#refresh.now();
  }

  async #ask() {
    try {
      const map = await this.data.map();
      if (this.isConnected) this.#take(map);
    } catch (error) {
      setLine(this.#error, [/** @type {Error} */ (error).message, ...(this.#map ? [t('network.old')] : [])].join(' '));
      this.#views.classList.add('is-old');
    }
  }

  /** @param {NetworkMap} map */
  #take(map) {
    const names = namesOf(map.people);
    const { since } = this.data;
    since.times = sinceOf(since.times, map, Date.now());
    const changed = changeWords(this.#map, map, names);
    this.#map = map;
    setLine(this.#error, '');
    this.#views.classList.remove('is-old');
    setLine(this.#summary, summary(map));
    if (changed !== '') this.#tell(changed);
    setLine(this.#path, pathWords(map, names));
    this.#views.hidden = false;
    this.#draw(map, names);
  }

  /** @param {string} changed */
  #tell(changed) {
    clearTimeout(this.#told);
    setLine(this.#change, changed);
    this.#told = window.setTimeout(() => setLine(this.#change, ''), CHANGE_MS);
  }

  /**
   * @param {NetworkMap} map
   * @param {Map<string, string>} [names]
   */
  #draw(map, names = namesOf(map.people)) {
    const { id, members } = this.#picked;
    this.#picture.data = { map, names, picked: id };
    this.#table.data = { map, names, since: this.data.since.times };
    const person = map.people.find(({ author }) => author === id);
    if (person) setLine(this.#caption, captionOf(person, names.get(id) ?? ''));
    else if (members.length > 0) setLine(this.#caption, groupWords(members, names));
    else setLine(this.#caption, map.people.length < 2 ? t('room.emptyAlone') : t('network.press'));
    this.#caption.hidden = this.#as === 'table';
    this.#legend.hidden = this.#as === 'table' || map.links.length === 0;
  }

  /** @param {{id: string, members: string[]}} picked */
  #pick(picked) {
    this.#picked = picked;
    if (this.#map) this.#draw(this.#map);
  }

  /** @param {string} as */
  #show(as) {
    this.#as = as;
    const table = as === 'table';
    this.#picture.hidden = table;
    // To readers of the screen the table is there in any case.
    this.#tableBox.classList.toggle('visually-hidden', !table);
    if (this.#map) this.#draw(this.#map);
  }
}

/**
 * @param {import('../ipc/types.js').MapPerson} person
 * @param {string} name
 */
function captionOf(person, name) {
  return [person.me ? t('people.me', { name }) : name, howNear(person), linkWords(person)].filter((part) => part !== '').join(' · ');
}

/** A line of each kind, and its words. */
function legend() {
  return [
    h('summary', {}, t('network.legend')),
    h('ul', { class: 'network-legend' }, ...LEGEND.map(([kind, words]) => h('li', {},
      s('svg', { class: 'mesh-sample', viewBox: '0 0 36 12', 'aria-hidden': 'true' }, s('path', { class: `mesh-line is-${kind}`, d: 'M2 6H34' })),
      h('span', {}, words())))),
  ];
}
customElements.define('network-dialog', NetworkDialog);
