/**
 * An unbroken run of messages, oldest first, that never changes: every change makes a new one.
 *
 *   [m0 .. m2047] [m2048 .. m4095] [m4096 .. m4099]   pieces, shared between a run and its successors
 *
 * A room may hold a hundred thousand messages, and one more arrives: only the last piece is made anew.
 * Which ids a piece holds is worked out when first asked for, and handed on from a piece to its successor.
 *
 * @typedef {import('./model.js').Message} Message
 */

/** Messages of a piece: small enough to be copied for one message, large enough that an id is looked for in few. */
export const PIECE = 2048;

/** The ids of a piece. @type {WeakMap<Message[], Set<string>>} */
const ids = new WeakMap();

export class Run {
  #pieces;
  /** Where each piece starts. @type {number[]} */
  #starts;
  length;

  /** @param {Message[][]} pieces None of them empty. */
  constructor(pieces) {
    this.#pieces = pieces;
    this.#starts = new Array(pieces.length);
    this.length = 0;
    for (let i = 0; i < pieces.length; i += 1) {
      this.#starts[i] = this.length;
      this.length += pieces[i].length;
    }
  }

  /**
   * @param {Message[]} messages Oldest first.
   * @returns {Run}
   */
  static of(messages) {
    return messages.length === 0 ? NO_RUN : new Run(cut(messages));
  }

  /**
   * @param {number} index Below zero: from the end.
   * @returns {Message | undefined}
   */
  at(index) {
    const i = index < 0 ? this.length + index : index;
    if (i < 0 || i >= this.length) return undefined;
    const p = this.#pieceAt(i);
    return this.#pieces[p][i - this.#starts[p]];
  }

  /**
   * @param {string} id
   * @returns {number} -1 when it is not in the run.
   */
  indexOf(id) {
    // What is asked for is nearly always new.
    for (let p = this.#pieces.length - 1; p >= 0; p -= 1) {
      if (idsOf(this.#pieces[p]).has(id)) return this.#starts[p] + this.#pieces[p].findIndex((m) => m.message === id);
    }
    return -1;
  }

  /**
   * @param {string} id
   * @returns {Message | undefined}
   */
  get(id) {
    const index = this.indexOf(id);
    return index < 0 ? undefined : this.at(index);
  }

  /**
   * @param {number} index
   * @param {Message} message The same message, as it is now.
   * @returns {Run}
   */
  with(index, message) {
    const p = this.#pieceAt(index);
    const piece = replaced(this.#pieces[p], index - this.#starts[p], message);
    handOn(this.#pieces[p], piece, []);
    return new Run(replaced(this.#pieces, p, piece));
  }

  /**
   * @param {Message[]} messages
   * @returns {Run}
   */
  append(messages) {
    if (messages.length === 0) return this;
    const last = this.#pieces.at(-1);
    if (!last || last.length + messages.length > PIECE) return new Run(this.#pieces.concat(cut(messages)));
    const piece = last.concat(messages);
    handOn(last, piece, messages);
    return new Run(replaced(this.#pieces, this.#pieces.length - 1, piece));
  }

  /**
   * @param {Message[]} messages
   * @returns {Run}
   */
  prepend(messages) {
    if (messages.length === 0) return this;
    const [first] = this.#pieces;
    if (!first || first.length + messages.length > PIECE) return new Run(cut(messages).concat(this.#pieces));
    const piece = messages.concat(first);
    handOn(first, piece, messages);
    return new Run(replaced(this.#pieces, 0, piece));
  }

  /**
   * @param {number} count
   * @returns {Run} The first so many.
   */
  take(count) {
    if (count >= this.length) return this;
    if (count <= 0) return NO_RUN;
    const p = this.#pieceAt(count - 1);
    const part = this.#pieces[p].slice(0, count - this.#starts[p]);
    return new Run([...this.#pieces.slice(0, p), part]);
  }

  /**
   * @param {number} from
   * @param {number} [to]
   * @returns {Message[]}
   */
  slice(from, to = this.length) {
    const out = [];
    for (let i = Math.max(0, from); i < Math.min(to, this.length);) {
      const p = this.#pieceAt(i);
      const part = this.#pieces[p].slice(i - this.#starts[p], to - this.#starts[p]);
      out.push(...part);
      i += part.length;
    }
    return out;
  }

  /**
   * @param {(message: Message) => boolean} keeps
   * @returns {Run} This one when all are kept.
   */
  filter(keeps) {
    const pieces = this.#pieces.map((piece) => (piece.every(keeps) ? piece : piece.filter(keeps)));
    return pieces.every((piece, p) => piece === this.#pieces[p]) ? this : new Run(pieces.filter((piece) => piece.length > 0));
  }

  /**
   * The last that `is`, walking from the newest.
   * @param {(message: Message) => boolean} is
   * @returns {number}
   */
  findLastIndex(is) {
    for (let p = this.#pieces.length - 1; p >= 0; p -= 1) {
      const found = this.#pieces[p].findLastIndex(is);
      if (found >= 0) return this.#starts[p] + found;
    }
    return -1;
  }

  /** @returns {Generator<Message>} */
  * [Symbol.iterator]() {
    for (const piece of this.#pieces) yield* piece;
  }

  /**
   * What turns this run into `next`, as one place where some go and others come. Pieces that both share are
   * not looked into.
   * @param {Run} next
   * @returns {{start: number, removed: number, added: number}}
   */
  change(next) {
    const shorter = Math.min(this.length, next.length);
    let start = 0;
    while (start < shorter) {
      const [piece, at] = this.#place(start);
      const [other, otherAt] = next.#place(start);
      if (piece === other && at === 0 && otherAt === 0) start += piece.length;
      else if (same(piece[at], other[otherAt])) start += 1;
      else break;
    }
    let end = 0;
    while (end < shorter - start) {
      const [piece, at] = this.#place(this.length - 1 - end);
      const [other, otherAt] = next.#place(next.length - 1 - end);
      if (piece === other && at === piece.length - 1 && otherAt === at && end + piece.length <= shorter - start) end += piece.length;
      else if (same(piece[at], other[otherAt])) end += 1;
      else break;
    }
    return { start, removed: this.length - start - end, added: next.length - start - end };
  }

  /**
   * @param {number} index
   * @returns {[Message[], number]} A piece, and the place in it.
   */
  #place(index) {
    const p = this.#pieceAt(index);
    return [this.#pieces[p], index - this.#starts[p]];
  }

  /**
   * @param {number} index
   * @returns {number}
   */
  #pieceAt(index) {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle] <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** @type {Run} */
export const NO_RUN = new Run([]);

/**
 * @template T
 * @param {T[]} list
 * @param {number} index
 * @param {T} item
 * @returns {T[]} A copy with one item put in another's place.
 */
export function replaced(list, index, item) {
  const copy = list.slice();
  copy[index] = item;
  return copy;
}

/**
 * @param {Message} a
 * @param {Message} b
 * @returns {boolean}
 */
function same(a, b) {
  return a === b || a.message === b.message;
}

/**
 * @param {Message[]} messages
 * @returns {Message[][]}
 */
function cut(messages) {
  const pieces = [];
  for (let i = 0; i < messages.length; i += PIECE) pieces.push(messages.slice(i, i + PIECE));
  return pieces;
}

/**
 * @param {Message[]} piece
 * @returns {Set<string>}
 */
function idsOf(piece) {
  let known = ids.get(piece);
  if (!known) {
    known = new Set(piece.map((m) => m.message));
    ids.set(piece, known);
  }
  return known;
}

/**
 * Hands what is known of a piece to the one that takes its place; the old one works it out anew if it is ever asked.
 * @param {Message[]} from
 * @param {Message[]} to
 * @param {Message[]} more What `to` holds besides.
 */
function handOn(from, to, more) {
  const known = ids.get(from);
  if (!known) return;
  for (const { message } of more) known.add(message);
  ids.delete(from);
  ids.set(to, known);
}
