/**
 * How a person gets at the messages of a list, with one listener a kind for all of them:
 *
 *   press on what carries data-act   -> that
 *   long press, right button         -> the menu
 *   arrows, Home, End                -> from message to message; Enter, Shift+F10, the menu key -> the menu
 *
 * @typedef {import('./message-bubble.js').MessageBubble} MessageBubble
 * @typedef {import('./message-list.js').MessageList} MessageList
 */

/** A press this long asks for the menu. */
const PRESS_MS = 450;
/** A finger that moves further than this scrolls. */
const SLIP = 10;

export class MessageInput {
  #list;
  #scroller;
  #timer = 0;
  #from = { x: 0, y: 0 };
  /** The finger that asked for the menu is still down: what it does when it lifts is no press. */
  #swallow = false;

  /**
   * @param {MessageList} list
   * @param {HTMLElement} scroller
   * @param {(type: string, listener: (event: any) => void, options?: AddEventListenerOptions) => void} listen
   */
  constructor(list, scroller, listen) {
    this.#list = list;
    this.#scroller = scroller;
    listen('click', (event) => this.#onClick(event));
    listen('contextmenu', (event) => this.#onContextMenu(event));
    listen('keydown', (event) => this.#onKey(event));
    listen('pointerdown', (event) => this.#onDown(event), { passive: true });
    listen('pointermove', (event) => {
      if (Math.hypot(event.clientX - this.#from.x, event.clientY - this.#from.y) > SLIP) clearTimeout(this.#timer);
    }, { passive: true });
    for (const end of ['pointerup', 'pointercancel', 'scroll']) listen(end, () => clearTimeout(this.#timer), { passive: true });
  }

  /** @param {PointerEvent} event */
  #onDown(event) {
    clearTimeout(this.#timer);
    this.#swallow = false;
    if (event.pointerType === 'mouse') return;
    const bubble = bubbleAt(event.target);
    if (!bubble) return;
    const { clientX: x, clientY: y } = event;
    this.#from = { x, y };
    this.#timer = window.setTimeout(() => {
      this.#swallow = true;
      this.#act(bubble, 'menu', '', x, y);
    }, PRESS_MS);
  }

  /** @param {MouseEvent} event */
  #onClick(event) {
    if (this.#swallow) {
      this.#swallow = false;
      event.preventDefault();
      return;
    }
    const control = controlAt(event.target);
    const bubble = bubbleAt(event.target);
    if (control && bubble) this.#act(bubble, control.dataset.act ?? '', control.dataset.value ?? control.textContent ?? '', null, null);
  }

  /** @param {PointerEvent} event */
  #onContextMenu(event) {
    const bubble = bubbleAt(event.target);
    if (!bubble) return;
    // Marked words have a menu of the system's own.
    const marked = getSelection();
    if (marked && !marked.isCollapsed && marked.anchorNode && bubble.contains(marked.anchorNode)) return;
    event.preventDefault();
    clearTimeout(this.#timer);
    if (!this.#swallow) this.#act(bubble, 'menu', '', event.clientX, event.clientY);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const bubble = bubbleAt(event.target);
    const control = controlAt(event.target);
    const menu = event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey);
    if (bubble && (menu || (event.key === 'Enter' && !control))) {
      event.preventDefault();
      this.#act(bubble, 'menu', '', null, null);
      return;
    }
    if (bubble && control?.localName === 'a' && (event.key === 'Enter' || event.key === ' ')) {
      event.preventDefault();
      this.#act(bubble, control.dataset.act ?? '', control.textContent ?? '', null, null);
      return;
    }
    if (event.altKey || event.ctrlKey || event.metaKey || (!bubble && event.target !== this.#scroller)) return;
    const { rows } = this.#list.data;
    const row = this.#list.activeRow;
    const wanted = { ArrowUp: bubble ? row - 1 : row, ArrowDown: row + 1, Home: 1, End: rows.count - 1 }[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    this.#list.focusRow(wanted);
  }

  /**
   * @param {MessageBubble} bubble
   * @param {string} act
   * @param {string} value
   * @param {number | null} x
   * @param {number | null} y
   */
  #act(bubble, act, value, x, y) {
    this.#list.emit('message-act', { act, row: bubble.data.row, value, bubble, x, y });
  }
}

/**
 * @param {EventTarget | null} target
 * @returns {MessageBubble | null}
 */
function bubbleAt(target) {
  return target instanceof Element ? /** @type {MessageBubble | null} */ (target.closest('message-bubble')) : null;
}

/**
 * @param {EventTarget | null} target
 * @returns {HTMLElement | null}
 */
function controlAt(target) {
  return target instanceof Element ? target.closest('[data-act]') : null;
}
