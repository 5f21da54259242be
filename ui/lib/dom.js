/**
 * Building the page without markup strings.
 *
 * `h` makes an element; its text children become text nodes, so nothing that a peer wrote is ever
 * parsed. There is no way here to set HTML or an inline style attribute.
 */

/**
 * @typedef {Node | string | null | undefined | false} Child
 * @typedef {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} Attributes
 *   A function under `onclick` and the like is a listener; `true` is an empty attribute; `false`
 *   and `null` leave it out.
 */

const SVG = 'http://www.w3.org/2000/svg';

/** Attributes that would let text become code or style. */
const FORBIDDEN = new Set(['style', 'srcdoc', 'innerHTML']);

/**
 * @param {Element} element
 * @param {Attributes} attributes
 */
function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (FORBIDDEN.has(name)) throw new Error(`attribute not allowed: ${name}`);
    if (typeof value === 'function') element.addEventListener(name.replace(/^on/, ''), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  element.append(...children.filter(isChild));
  return element;
}

/**
 * @param {Child} child
 * @returns {child is Node | string}
 */
function isChild(child) {
  return child !== null && child !== undefined && child !== false;
}

/**
 * The same within a picture.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  setAttributes(element, attributes);
  element.append(...children.filter(isChild));
  return element;
}

/** Line icons on a 24 grid, drawn for this app. */
const ICONS = Object.freeze({
  back: ['M15 5l-7 7 7 7'],
  close: ['M6 6l12 12', 'M18 6L6 18'],
  plus: ['M12 5v14', 'M5 12h14'],
  send: ['M5 12h13', 'M12 5l7 7-7 7'],
  down: ['M12 5v14', 'M5 12l7 7 7-7'],
  scan: ['M4 8V6a2 2 0 0 1 2-2h2', 'M16 4h2a2 2 0 0 1 2 2v2', 'M20 16v2a2 2 0 0 1-2 2h-2', 'M8 20H6a2 2 0 0 1-2-2v-2', 'M4 12h16'],
  code: ['M4 4h6v6H4z', 'M14 4h6v6h-6z', 'M4 14h6v6H4z', 'M14 14h2v2h-2z', 'M18 18h2v2h-2z', 'M18 14h2', 'M14 20h1'],
  people: ['M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z', 'M2.5 20c.6-3.6 3-5.5 6.5-5.5s5.9 1.9 6.5 5.5', 'M16 4.5a3.5 3.5 0 0 1 0 6.5', 'M18 14.9c2 .8 3.2 2.5 3.6 5.1'],
  person: ['M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8z', 'M4.5 20.5c.7-4 3.4-6 7.5-6s6.8 2 7.5 6'],
  picture: ['M4 5h16v14H4z', 'M4 16l5-5 4 4 3-3 4 4', 'M15.5 9.5h.01'],
  clock: ['M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16z', 'M12 8v4l2.5 2'],
  check: ['M5 12.5l4.5 4.5L19 7.5'],
  checks: ['M2 12.5l4.5 4.5L16 7.5', 'M11.5 16l1 1L22 7.5'],
  alert: ['M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16z', 'M12 8v5', 'M12 16h.01'],
  settings: ['M4 7h7', 'M17 7h3', 'M14 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z', 'M4 17h3', 'M13 17h7', 'M10 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z'],
  star: ['M12 4l2.5 5.2 5.5.8-4 4 1 5.7-5-2.7-5 2.7 1-5.7-4-4 5.5-.8z'],
  starred: ['M12 4l2.5 5.2 5.5.8-4 4 1 5.7-5-2.7-5 2.7 1-5.7-4-4 5.5-.8z'],
  bell: ['M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15z', 'M10 20.5h4'],
  muted: ['M6 16V11a6 6 0 0 1 9-5.2', 'M18 10.5V16l1.5 2H8', 'M10 20.5h4', 'M4 4l16 16'],
  torch: ['M9 3h6l1 5-2 3v9h-4v-9L8 8z', 'M12 14v1'],
  paste: ['M8 5H6v16h12V5h-2', 'M9 3h6v4H9z'],
  print: ['M7 9V3h10v6', 'M7 18H4v-8h16v8h-3', 'M7 14h10v7H7z'],
  more: ['M12 5.5h.01', 'M12 12h.01', 'M12 18.5h.01'],
  reply: ['M10 7L5 12l5 5', 'M5 12h9a5 5 0 0 1 5 5v1'],
  edit: ['M5 19l1-4L16 5l3 3L9 18z', 'M14 7l3 3'],
  bin: ['M5 7h14', 'M10 7V4h4v3', 'M7 7l1 13h8l1-13', 'M10 11v5', 'M14 11v5'],
  search: ['M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14z', 'M16 16l4.5 4.5'],
  network: ['M12 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z', 'M5.5 20.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z', 'M18.5 20.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z', 'M11 7.3L6.6 15.7', 'M13 7.3l4.4 8.4', 'M8 18h8'],
  wifi: ['M2.5 9.5a14 14 0 0 1 19 0', 'M5.8 13a9 9 0 0 1 12.4 0', 'M9 16.4a4.4 4.4 0 0 1 6 0', 'M12 19.8h.01'],
  pulse: ['M3 12h4l3-7 4 14 3-7h4'],
  copy: ['M9 9h11v11H9z', 'M5 15H4V4h11v1'],
});

/** @typedef {keyof typeof ICONS} IconName */

/** They point along the line, and so the other way where the line runs from right to left. @type {ReadonlySet<IconName>} */
const POINTING = new Set(['back', 'send', 'reply']);

/**
 * A decorative icon; the control around it carries the name.
 * @param {IconName} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  setAttributes(svg, { class: POINTING.has(name) ? 'icon is-pointing' : `icon is-${name}`, viewBox: '0 0 24 24', 'aria-hidden': 'true', focusable: 'false' });
  for (const d of ICONS[name]) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
}

/**
 * A round button that shows only an icon.
 * @param {IconName} name
 * @param {string} label
 * @param {Attributes} attributes
 * @returns {HTMLButtonElement}
 */
export function iconButton(name, label, attributes) {
  return h('button', { type: 'button', class: 'icon-button', 'aria-label': label, title: label, ...attributes }, icon(name));
}

/**
 * A sentence that says what went wrong, read out as it appears.
 * @returns {HTMLParagraphElement} Hidden while it has no text.
 */
export function errorLine() {
  return h('p', { class: 'error-line', role: 'alert', 'data-test': 'error-text', hidden: true });
}

/**
 * @param {HTMLElement} line
 * @param {string} text Empty hides the line.
 */
export function setLine(line, text) {
  if (line.textContent !== text) line.textContent = text;
  line.hidden = text === '';
}
