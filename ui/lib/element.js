/**
 * The base of every element: one `data` property down, events up, nothing left behind.
 *
 *   element.data = {...}  ->  render(data, previous)     once connected, and on every change
 *   connectedCallback     ->  setup()                    builds the light DOM, adds listeners
 *   disconnectedCallback  ->  teardown(), and all listeners added with `listen` go
 */

/** @template D */
export class ViewElement extends HTMLElement {
  /** @type {D | undefined} */
  #data;
  /** @type {AbortController | null} */
  #life = null;

  /** @returns {D} */
  get data() {
    if (this.#data === undefined) throw new Error(`<${this.localName}> was shown without data`);
    return this.#data;
  }

  /** @param {D} next */
  set data(next) {
    const previous = this.#data;
    if (previous === next) return;
    this.#data = next;
    if (this.#life) this.render(next, previous);
  }

  connectedCallback() {
    this.#life = new AbortController();
    this.setup();
    if (this.#data !== undefined) this.render(this.#data, undefined);
  }

  disconnectedCallback() {
    this.#life?.abort();
    this.#life = null;
    this.teardown();
  }

  /** Builds what is inside. Called at every connect, so it starts from nothing. */
  setup() {}

  /** Stops what would go on by itself: timers, cameras, observers. */
  teardown() {}

  /**
   * @param {D} _data
   * @param {D | undefined} _previous
   */
  render(_data, _previous) {}

  /**
   * A listener that goes when the element goes.
   * @param {EventTarget} target
   * @param {string} type
   * @param {(event: any) => void} listener
   * @param {AddEventListenerOptions} [options]
   */
  listen(target, type, listener, options = {}) {
    const signal = this.#life?.signal;
    if (signal) target.addEventListener(type, listener, { ...options, signal });
  }

  /**
   * @param {string} type
   * @param {unknown} [detail]
   */
  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true }));
  }
}
