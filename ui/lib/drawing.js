/**
 * The drawings of the guide: lines and a few filled shapes in the page's own colours, so that they follow every theme.
 * They say nothing that the words beside them don't say.
 */

const SVG = 'http://www.w3.org/2000/svg';

/** A phone with its top left corner at (x, y). */
const phone = (/** @type {number} */ x, /** @type {number} */ y) => [
  ['draw-fill', `M${x + 4} ${y}h22a4 4 0 0 1 4 4v44a4 4 0 0 1 -4 4h-22a4 4 0 0 1 -4 -4v-44a4 4 0 0 1 4 -4z`],
  ['draw-line', `M${x + 4} ${y}h22a4 4 0 0 1 4 4v44a4 4 0 0 1 -4 4h-22a4 4 0 0 1 -4 -4v-44a4 4 0 0 1 4 -4z`],
  ['draw-line', `M${x + 12} ${y + 46}h6`],
];

/** Three arcs that open upwards, as a Wi-Fi is drawn, their foot at (x, y). */
const waves = (/** @type {number} */ x, /** @type {number} */ y) => [
  ['draw-mark', `M${x - 7} ${y - 8}a10 10 0 0 1 14 0`],
  ['draw-mark', `M${x - 14} ${y - 15}a20 20 0 0 1 28 0`],
  ['draw-mark', `M${x - 21} ${y - 22}a30 30 0 0 1 42 0`],
  ['draw-dot', `M${x - 2.5} ${y}a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0 -5 0z`],
];

/** A code of few squares, 20 wide. */
const code = (/** @type {number} */ x, /** @type {number} */ y) => [
  ['draw-line', `M${x} ${y}h7v7h-7zM${x + 13} ${y}h7v7h-7zM${x} ${y + 13}h7v7h-7z`],
  ['draw-dot', `M${x + 11} ${y + 11}h4v4h-4zM${x + 17} ${y + 17}h3v3h-3zM${x + 17} ${y + 11}h3v3h-3zM${x + 11} ${y + 17}h3v3h-3z`],
];

const bubble = (/** @type {number} */ x, /** @type {number} */ y) => [['draw-dot', `M${x + 3} ${y}h14a3 3 0 0 1 3 3v6a3 3 0 0 1 -3 3h-9l-5 4v-4a3 3 0 0 1 -3 -3v-6a3 3 0 0 1 3 -3z`]];

const DRAWINGS = Object.freeze({
  near: [...phone(20, 44), ...phone(105, 24), ...phone(190, 44), ['draw-mark', 'M58 66L97 54'], ['draw-mark', 'M143 54L182 66'], ['draw-quiet', 'M58 84L182 84']],
  wifi: [...phone(45, 58), ...phone(165, 58), ...waves(120, 44), ['draw-quiet', 'M84 74L110 54'], ['draw-quiet', 'M156 74L130 54']],
  scan: [...phone(50, 34), ...code(55, 46), ...phone(160, 34), ['draw-mark', 'M164 46v-4h4M182 42h4v4M186 70v4h-4M168 74h-4v-4'], ['draw-quiet', 'M88 60L152 60'], ...code(165, 47)],
  carry: [...phone(13, 50), ...phone(74, 22), ...phone(135, 50), ...phone(196, 22), ...bubble(18, 62), ...bubble(79, 34), ...bubble(140, 62), ['draw-mark', 'M48 68L69 56'], ['draw-mark', 'M109 56L130 68'], ['draw-quiet', 'M170 68L191 56']],
  safe: [...phone(40, 34), ...phone(170, 34), ['draw-mark', 'M120 32l24 9v16c0 14 -10 23 -24 29c-14 -6 -24 -15 -24 -29v-16z'], ['draw-mark', 'M109 58l8 8l14 -15'], ['draw-line', 'M47 52h16M47 60h16M47 68h10M177 52h16M177 60h16M177 68h10']],
});

/** @typedef {keyof typeof DRAWINGS} DrawingName */

/**
 * @param {DrawingName} name
 * @returns {SVGSVGElement}
 */
export function drawing(name) {
  const svg = document.createElementNS(SVG, 'svg');
  for (const [attribute, value] of [['class', 'drawing'], ['viewBox', '0 0 240 120'], ['aria-hidden', 'true'], ['focusable', 'false']]) svg.setAttribute(attribute, value);
  for (const [look, d] of DRAWINGS[name]) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('class', look);
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
}
