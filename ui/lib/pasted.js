/**
 * What a person pastes or drops: a picture, or words with one of our links in them. Pure but for reading
 * what the browser hands over.
 */

/** A link to a room, or of a joiner, or a box's pass, wherever it stands; mail and chat programs break long ones into lines. */
const LINK = /peddlenet:[jbc]\/[a-z0-9+/$%*.:_\-\s]+/i;

/**
 * @param {string} text
 * @returns {string} The link, without blanks; empty where there is none.
 */
export function linkIn(text) {
  const [found = ''] = LINK.exec(text) ?? [];
  // A blank line ends a link; what comes after is the mail's next sentence.
  return found.split(/\n\s*\n/)[0].replace(/\s+/g, '');
}

/**
 * @param {string} link
 * @returns {boolean} Whether it is what a joiner shows back, who could not get through.
 */
export function isBackLink(link) {
  return /^peddlenet:b\//i.test(link);
}

/**
 * @param {string} link
 * @returns {boolean} Whether it is a pass of a box, which belongs elsewhere.
 */
export function isPass(link) {
  return /^peddlenet:c\//i.test(link);
}

/**
 * @param {DataTransfer | null} data Of a paste or a drop.
 * @returns {{picture: Blob} | {text: string} | null}
 */
export function handedOver(data) {
  if (!data) return null;
  const picture = [...data.files].find(({ type }) => type.startsWith('image/'));
  if (picture) return { picture };
  const text = data.getData('text/plain') || data.getData('text/uri-list');
  return text === '' ? null : { text };
}

/**
 * The clipboard, read on a press of a button.
 * @param {Clipboard | undefined} clipboard
 * @returns {Promise<{picture: Blob} | {text: string} | null>} Rejects where that isn't allowed.
 */
export async function fromClipboard(clipboard) {
  if (!clipboard) throw new Error('no clipboard');
  if (!clipboard.read) return { text: await clipboard.readText() };
  for (const item of await clipboard.read()) {
    const image = item.types.find((type) => type.startsWith('image/'));
    if (image) return { picture: await item.getType(image) };
    if (item.types.includes('text/plain')) return { text: await (await item.getType('text/plain')).text() };
  }
  return null;
}
