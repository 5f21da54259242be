/** A round letter in the own colour of a person or a room. Decorative: the name stands beside it. */
import { h } from './dom.js';
import { hueClass, initial } from './people.js';

/**
 * A plain function, since there may be hundreds on the screen.
 * @param {string} id What the colour is made from: an author or a room.
 * @param {string} name
 * @param {string} [shape] A further class.
 * @returns {HTMLSpanElement}
 */
export function avatar(id, name, shape = '') {
  return h('span', { class: `avatar ${hueClass(id)} ${shape}`.trim(), 'aria-hidden': 'true' }, initial(name));
}
