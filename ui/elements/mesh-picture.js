/**
 * `<mesh-picture>`: the mesh as a picture: this device in the middle, people on rings by how far they are, links as lines,
 * the way of the last message over them, and below whoever can't be reached. For the eye alone; the table beside it says the same.
 *
 * What changes moves there, unless the person wants things to be still.
 *
 * data: {map, names, picked}; emits `person-picked`: an author, or a group and whom it stands for
 *
 * @typedef {import('../ipc/types.js').NetworkMap} NetworkMap
 * @typedef {import('../lib/mesh-layout.js').MeshLayout} MeshLayout
 * @typedef {import('../lib/mesh-layout.js').Spot} Spot
 * @typedef {{map: NetworkMap, names: Map<string, string>, picked: string}} PictureData
 */
import { s } from '../lib/dom.js';
import { ViewElement } from '../lib/element.js';
import { linesOf } from '../lib/mesh-lines.js';
import { between, layoutOf } from '../lib/mesh-layout.js';
import { strengthWord } from '../lib/mesh-words.js';
import { hueClass, initial, shortened } from '../lib/people.js';
import { t } from '../strings/index.js';

/** How long a change takes. */
const MOVE_MS = 700;

/** The rings' part is at most this much higher than wide. */
const TALL = 1.15;

/** And this much of the window, and at least this high. */
const OF_WINDOW = 0.52;
const LEAST_HEIGHT = 280;

/** While nobody can be reached. */
const ALONE_HEIGHT = 130;

/** Signs of a name below a person, and below one with a radius of more than `ROOMY`. */
const NAME_MOST = 8;
const NAME_MOST_ROOMY = 10;
const ROOMY = 18;

/** @extends {ViewElement<PictureData>} */
export class MeshPicture extends ViewElement {
  #svg = s('svg', { class: 'mesh', 'aria-hidden': 'true', focusable: 'false' });
  /** @type {MeshLayout | null} */
  #layout = null;
  /** What is on the screen, which may be on its way. @type {MeshLayout | null} */
  #shown = null;
  #frame = 0;
  /** Another height alone is of the picture's own making. */
  #sizes = new ResizeObserver(() => {
    if (this.clientWidth !== this.#layout?.width) this.#draw(false);
  });

  setup() {
    this.replaceChildren(this.#svg);
    this.#sizes.observe(this);
    this.listen(window, 'resize', () => this.#draw(false));
    this.listen(this.#svg, 'click', (event) => {
      const id = /** @type {Element} */ (event.target).closest('[data-spot]')?.getAttribute('data-spot') ?? '';
      this.emit('person-picked', { id, members: this.#layout?.spots.find((spot) => spot.id === id)?.members ?? [] });
    });
  }

  teardown() {
    this.#sizes.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#layout = null;
    this.#shown = null;
  }

  render() {
    this.#draw(true);
  }

  /** @param {boolean} moves Whether what changed may take its time. */
  #draw(moves) {
    const width = this.clientWidth;
    if (width === 0) return; // not in sight: drawn when it comes to be
    const scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    const nobody = this.data.map.people.every(({ me, state }) => me || state === 'away');
    const height = nobody ? ALONE_HEIGHT * scale : Math.max(LEAST_HEIGHT, Math.min(width * TALL, window.innerHeight * OF_WINDOW));
    const next = layoutOf(this.data.map, { width, height, scale }, this.#layout);
    const from = this.#shown;
    cancelAnimationFrame(this.#frame);
    this.#layout = next;
    const still = !moves || from === null || from.width !== width || matchMedia('(prefers-reduced-motion: reduce)').matches || same(from, next);
    if (still) this.#paint(next);
    else this.#move(from, next, performance.now());
  }

  /**
   * @param {MeshLayout} from
   * @param {MeshLayout} to
   * @param {number} began
   */
  #move(from, to, began) {
    const part = Math.min(1, (performance.now() - began) / MOVE_MS);
    this.#paint(part < 1 ? between(from, to, part) : to);
    if (part < 1) this.#frame = requestAnimationFrame(() => this.#move(from, to, began));
  }

  /** @param {MeshLayout} layout */
  #paint(layout) {
    this.#shown = layout;
    const { width, height, meshHeight, border, bands, spots } = layout;
    const { map } = this.data;
    for (const [name, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, width, height })) this.#svg.setAttribute(name, String(value));
    this.#svg.replaceChildren(
      ...bands.map(({ radiusX, radiusY }) => s('ellipse', { class: 'mesh-ring', cx: width / 2, cy: meshHeight / 2, rx: radiusX, ry: radiusY })),
      ...linesOf(map, layout).map(({ kind, d }) => s('path', { class: `mesh-line is-${kind}`, d })),
      ...bands.filter(({ labelled }) => labelled).map(({ hops, more, labelX, labelY }) =>
        s('text', { class: 'mesh-hops', x: labelX, y: labelY, dy: '0.35em' }, bandWords(hops, more))),
      ...(height > meshHeight ? [
        s('path', { class: 'mesh-border', d: `M0 ${border}H${width}` }),
        s('text', { class: 'mesh-hops', x: width / 2, y: border, dy: '0.35em' }, t('network.awayTitle')),
      ] : []),
      ...spots.map((spot) => this.#spot(spot, layout)));
  }

  /**
   * @param {Spot} spot
   * @param {MeshLayout} layout
   */
  #spot({ id, x, y, r, zone, members }, { names: named, words }) {
    const { map, names, picked } = this.data;
    const person = map.people.find(({ author }) => author === id);
    const group = members.length > 0;
    const letters = group ? t('network.more', { n: members.length }) : initial(person?.name ?? '');
    const kind = `mesh-spot is-${zone} ${group ? 'is-group' : hueClass(id)} ${picked === id ? 'is-picked' : ''}`;
    return s('g', { class: kind.trim(), transform: `translate(${x} ${y})`, 'data-spot': id },
      s('circle', { r }),
      s('text', { class: letters.length > 3 ? 'mesh-letter is-long' : 'mesh-letter', dy: '0.35em' }, letters),
      named && person && s('text', { class: 'mesh-name', y: r, dy: '1.05em' },
        zone === 'me' ? t('network.you') : shortened(person, names.get(id) ?? '', r > ROOMY ? NAME_MOST_ROOMY : NAME_MOST)),
      words && person?.state === 'linked' && !person.me && s('text', { class: 'mesh-strength', y: r, dy: '2.15em' }, strengthWord(person)));
  }
}

/**
 * @param {number} hops
 * @param {boolean} more
 */
function bandWords(hops, more) {
  if (more) return t('network.orMore', { n: hops });
  return hops === 1 ? t('people.linked') : t('people.reachable', { n: hops });
}

/**
 * @param {MeshLayout} a
 * @param {MeshLayout} b
 */
function same(a, b) {
  return a.spots.length === b.spots.length && a.spots.every(({ id, x, y }, n) => id === b.spots[n].id && x === b.spots[n].x && y === b.spots[n].y);
}
customElements.define('mesh-picture', MeshPicture);
