/**
 * How the page looks and in which language it speaks: three settings, put on the page's root. CSS does the rest
 * (`css/tokens.css`). They are kept with the sealed data; a copy of these three alone is kept by the page, so
 * that the first picture, and the question for a passphrase, already have the language and colours that were chosen.
 */
import { setLanguage, writing } from '../strings/index.js';

/** @typedef {{language: string, theme: string, textSize: string}} Look */

const COPY = 'peddlenet.look';
const THEMES = Object.freeze(['dark', 'light']);
const SIZES = Object.freeze(['small', 'large', 'huge']);

/**
 * @param {Record<string, string>} settings
 * @returns {Look} What isn't set is the system's, and text of the usual size.
 */
export function lookOf({ language = '', theme = 'system', textSize = 'medium' }) {
  return { language, theme, textSize };
}

/**
 * @param {Look} look
 * @param {HTMLElement} [root]
 * @param {readonly string[]} [system] The system's languages.
 * @returns {boolean} Whether the words are others now, and all of them must be written anew.
 */
export function applyLook({ language, theme, textSize }, root = document.documentElement, system = navigator.languages) {
  const others = setLanguage(language, system);
  const { lang, dir } = writing();
  mark(root, 'lang', lang);
  mark(root, 'dir', dir);
  mark(root, 'data-theme', THEMES.includes(theme) ? theme : null);
  mark(root, 'data-text', SIZES.includes(textSize) ? textSize : null);
  return others;
}

/**
 * @param {HTMLElement} root
 * @param {string} name
 * @param {string | null} value
 */
function mark(root, name, value) {
  if (value === null) root.removeAttribute(name);
  else if (root.getAttribute(name) !== value) root.setAttribute(name, value);
}

/** @param {Look} look */
export function rememberLook(look) {
  try {
    const copy = JSON.stringify(look);
    if (localStorage.getItem(COPY) !== copy) localStorage.setItem(COPY, copy);
  } catch {
    // Without storage the first picture is the system's.
  }
}

/** @returns {Look} */
export function rememberedLook() {
  try {
    const { language, theme, textSize } = JSON.parse(localStorage.getItem(COPY) ?? '{}');
    const text = (/** @type {unknown} */ value) => (typeof value === 'string' ? value : undefined);
    return lookOf(/** @type {any} */ ({ language: text(language), theme: text(theme), textSize: text(textSize) }));
  } catch {
    return lookOf({});
  }
}
