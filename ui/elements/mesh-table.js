/**
 * `<mesh-table>`: the mesh as a table, for whoever reads rather than looks: who, how near, over what link, how strong, since when.
 * On a narrow screen a row becomes a few lines; to readers of the screen it stays a row.
 *
 * data: {map, names, since}
 *
 * @typedef {object} TableData
 * @property {import('../ipc/types.js').NetworkMap} map
 * @property {Map<string, string>} names
 * @property {Map<string, import('../lib/mesh-words.js').Since>} since
 */
import { avatar } from '../lib/avatar.js';
import { h } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { howNear, sinceWords, strengthWords, viaWord } from '../lib/mesh-words.js';
import { sortedMembers } from '../lib/people.js';
import { t } from '../strings/index.js';

/** @extends {ViewElement<TableData>} */
export class MeshTable extends ViewElement {
  #rows = h('tbody', { role: 'rowgroup' });
  #shown = '';

  setup() {
    const heads = [t('network.who'), t('network.far'), t('network.link'), t('network.strength'), t('network.since')];
    this.replaceChildren(h('table', { class: 'mesh-table', role: 'table', 'data-test': 'network-table' },
      h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, ...heads.map((words) => h('th', { scope: 'col', role: 'columnheader' }, words)))),
      this.#rows));
    this.#shown = '';
  }

  /** @param {TableData} data */
  render({ map, names, since }) {
    const rows = sortedMembers(map.people).map((person) => ({ person, cells: cellsOf(person, names, since) }));
    const told = toldOf(map, names);
    // A reader of the screen keeps its place while nothing is another.
    const shown = JSON.stringify([rows, told]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#rows.replaceChildren(...rows.map(({ person, cells: [name, near, link, strength, time] }) => {
      const state = person.me ? 'me' : person.state;
      return h('tr', { role: 'row', 'data-test': 'network-row', 'data-author': person.author, 'data-state': state },
        h('th', { scope: 'row', role: 'rowheader' }, h('span', { class: 'mesh-who' }, avatar(person.author, person.name), h('bdi', { class: 'person-name' }, name))),
        h('td', { role: 'cell', class: `mesh-near person-state is-${state}` }, near),
        h('td', { role: 'cell', class: 'mesh-link' }, link),
        h('td', { role: 'cell', class: 'mesh-strong' }, strength),
        h('td', { role: 'cell', class: 'mesh-time', 'data-label': t('network.since') }, time));
    }), ...told.map((pair) => h('tr', { role: 'row', 'data-test': 'network-told' },
      h('th', { scope: 'row', role: 'rowheader', class: 'mesh-told' }, pair),
      h('td', { role: 'cell', class: 'mesh-near', colspan: '4' }, t('legend.told')))));
  }
}

/**
 * @param {import('../ipc/types.js').MapPerson} person
 * @param {Map<string, string>} names
 * @param {TableData['since']} since
 * @returns {string[]} A row's words.
 */
function cellsOf(person, names, since) {
  const { author, me, state } = person;
  const name = names.get(author) ?? person.name;
  if (me) return [t('people.me', { name }), howNear(person), '', '', ''];
  return [name, howNear(person), wayOf(person), state === 'linked' ? strengthWords(person) : '', sinceWords(since.get(author))];
}

/**
 * @param {import('../ipc/types.js').NetworkMap} map
 * @param {Map<string, string>} names
 * @returns {string[]} The two ends of each link between others, as neighbours told of it.
 */
function toldOf({ people, links }, names) {
  const me = people.find((person) => person.me)?.author;
  const others = links.filter(({ a, b }) => a !== me && b !== me);
  return others.map(({ a, b }) => t('network.between', { one: names.get(a) ?? '', other: names.get(b) ?? '' })).sort();
}

/** @param {import('../ipc/types.js').MapPerson} person */
function wayOf({ state, via }) {
  if (state === 'away') return t('network.none');
  return state === 'linked' ? viaWord(via ?? 'direct') : t('network.through');
}
customElements.define('mesh-table', MeshTable);
