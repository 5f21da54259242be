/** Shortening what people write, never inside of a sign. Pure. */

/** What tells signs apart where one may be several characters: made when there is such a text. @type {Intl.Segmenter | undefined} */
let segmenter;

/**
 * @param {string} text
 * @returns {string[]} Its signs as a reader counts them.
 */
export function signs(text) {
  if (/^[\x20-\x7e]*$/.test(text)) return [...text];
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** What a bubble shows of a long text at first; a book in one message would fill the room. */
const FOLD_CHARS = 1500;
const FOLD_LINES = 20;

/**
 * @param {string} text
 * @returns {{text: string, folded: boolean}} What is shown of it at first.
 */
export function fold(text) {
  let end = Math.min(text.length, FOLD_CHARS);
  let at = -1;
  for (let lines = 0; lines < FOLD_LINES; lines += 1) {
    at = text.indexOf('\n', at + 1);
    if (at < 0 || at >= end) return cut(text, end);
  }
  end = at;
  return cut(text, end);
}

/** What a quote or a list shows of a text. */
const LINE_CHARS = 160;

/**
 * @param {string} text
 * @returns {string} Its first line that has something in it.
 */
export function firstLine(text) {
  const head = text.slice(0, LINE_CHARS * 8).trimStart();
  const line = head.split('\n', 1)[0].trimEnd();
  const short = cut(line, Math.min(line.length, LINE_CHARS));
  return short.folded ? `${short.text}…` : short.text;
}

/**
 * @param {string} text
 * @param {number} end
 * @returns {{text: string, folded: boolean}}
 */
function cut(text, end) {
  if (end >= text.length) return { text, folded: false };
  const code = text.charCodeAt(end - 1);
  return { text: text.slice(0, code >= 0xd800 && code < 0xdc00 ? end - 1 : end), folded: true };
}

/**
 * Where a text holds the words that were looked for, in any case.
 * @param {string} text
 * @param {string} query
 * @returns {{text: string, found: boolean}[]} The pieces, in order; together they are the text.
 */
export function marked(text, query) {
  const words = [...new Set(query.toLocaleLowerCase().split(/\s+/).filter(Boolean))].sort((a, b) => b.length - a.length);
  const lower = text.toLocaleLowerCase();
  // Where lower case has another length the places don't match: then nothing is marked.
  if (words.length === 0 || lower.length !== text.length) return [{ text, found: false }];
  const pieces = [];
  let done = 0;
  for (let at = 0; at < text.length;) {
    const word = words.find((one) => lower.startsWith(one, at));
    if (word === undefined) {
      at += 1;
      continue;
    }
    if (at > done) pieces.push({ text: text.slice(done, at), found: false });
    pieces.push({ text: text.slice(at, at + word.length), found: true });
    at += word.length;
    done = at;
  }
  if (done < text.length) pieces.push({ text: text.slice(done), found: false });
  return pieces;
}

/** Signs before the first word found in an excerpt, and all of it. */
const LEAD = 60;
const EXCERPT = 240;

/**
 * @param {string} text
 * @param {string} query
 * @returns {string} The part of a long text that holds the first word found.
 */
export function excerpt(text, query) {
  const lower = text.toLocaleLowerCase();
  const places = query.toLocaleLowerCase().split(/\s+/).filter(Boolean).map((word) => lower.indexOf(word)).filter((at) => at >= 0);
  const first = places.length === 0 ? 0 : Math.min(...places);
  let start = Math.max(0, first - LEAD);
  if (start > 0 && /[\udc00-\udfff]/.test(text[start])) start += 1;
  const short = cut(text.slice(start), Math.min(text.length - start, EXCERPT));
  return `${start > 0 ? '…' : ''}${short.text}${short.folded ? '…' : ''}`;
}
