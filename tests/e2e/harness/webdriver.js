/**
 * A WebDriver client of the few calls that the stories need, over Node's own fetch.
 *
 * Every wait has a name and a deadline: a story that hangs says what it was waiting for.
 */

/** The key under which WebDriver hands out elements. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

/** How long a person would put up with nothing; generous, because CI has two cores. */
const PATIENCE_MS = 30_000;
const POLL_MS = 100;

/** One call may take this long; starting a session includes starting the app. */
const CALL_MS = 60_000;

export const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Waits until `probe` gives something truthy.
 * @template T
 * @param {string} what
 * @param {() => Promise<T> | T} probe
 * @param {number} [patience]
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, probe, patience = PATIENCE_MS) {
  const end = Date.now() + patience;
  /** @type {unknown} */
  let last = 'nothing';
  for (;;) {
    try {
      const found = await probe();
      if (found) return /** @type {NonNullable<T>} */ (found);
    } catch (problem) {
      last = problem;
    }
    if (Date.now() > end) throw new Error(`waited ${patience} ms in vain for ${what} (last: ${last})`);
    await sleep(POLL_MS);
  }
}

export class Session {
  /** @param {string} base Address of the driver. @param {string} id */
  constructor(base, id) {
    this.base = `${base}/session/${id}`;
  }

  /**
   * Starts the app through a driver.
   * @param {string} base
   * @param {string} binary
   * @param {string[]} args
   * @returns {Promise<Session>}
   */
  static async open(base, binary, args) {
    const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': { binary, args } } };
    const { sessionId } = await call('POST', `${base}/session`, { capabilities });
    const session = new Session(base, sessionId);
    await call('POST', `${session.base}/timeouts`, { script: PATIENCE_MS });
    return session;
  }

  /** @param {string} url */
  go(url) {
    return call('POST', `${this.base}/url`, { url });
  }

  /** Ends the app too. */
  async close() {
    await call('DELETE', this.base);
  }

  /**
   * Runs a function body in the page; `arguments` are the arguments.
   * @param {string} script
   * @param {unknown[]} [args]
   * @returns {Promise<any>}
   */
  run(script, args = []) {
    return call('POST', `${this.base}/execute/sync`, { script, args });
  }

  /**
   * As `run`; the last argument is a function to be called with the result.
   * @param {string} script
   * @param {unknown[]} [args]
   * @returns {Promise<any>}
   */
  runAsync(script, args = []) {
    return call('POST', `${this.base}/execute/async`, { script, args });
  }

  /**
   * WebKit takes it with the next painting, and paints when something has changed only: without OpenGL that can take
   * half a minute. So a corner changes meanwhile, as little as can be.
   * @returns {Promise<Buffer>} A PNG of the whole page as it is seen.
   */
  async screenshot() {
    await this.run(`const dot = document.createElement('i');
      dot.style.cssText = 'position:fixed;inset-inline-end:0;inset-block-end:0;inline-size:1px;block-size:1px;pointer-events:none';
      document.documentElement.append(dot);
      let on = false;
      const timer = setInterval(() => { on = !on; dot.style.backgroundColor = on ? 'rgb(0 0 0 / 1%)' : 'transparent'; }, 30);
      window.endPainting = () => { clearInterval(timer); dot.remove(); };`);
    try {
      return Buffer.from(await call('GET', `${this.base}/screenshot`), 'base64');
    } finally {
      await this.run('window.endPainting()');
    }
  }

  /** @param {number} width @param {number} height */
  resize(width, height) {
    return call('POST', `${this.base}/window/rect`, { width, height });
  }

  /** Speaks to a frame of the page from now on; null: to the page itself. @param {number | null} id */
  frame(id) {
    return call('POST', `${this.base}/frame`, { id });
  }

  /** @param {string} css @returns {Promise<Element[]>} */
  async all(css) {
    const found = await call('POST', `${this.base}/elements`, { using: 'css selector', value: css });
    return found.map((/** @type {Record<string, string>} */ one) => new Element(this, css, one[ELEMENT]));
  }

  /**
   * The first element that is on the screen.
   * @param {string} css
   * @param {string} [what]
   * @param {number} [patience]
   */
  see(css, what = css, patience = undefined) {
    return until(what, async () => {
      for (const one of await this.all(css)) if (await one.visible()) return one;
      return null;
    }, patience);
  }

  /** @param {string} css @param {string} [what] */
  gone(css, what = css) {
    return until(`${what} to go away`, async () => {
      for (const one of await this.all(css)) if (await one.visible()) return false;
      return true;
    });
  }

  /**
   * Brings something to the middle of the window, once it is there: dialogs are fetched when they are opened first.
   * @param {string} css
   */
  async bring(css) {
    const one = await this.see(css);
    await this.run('arguments[0].scrollIntoView({ block: "center" })', [one.reference]);
  }

  /** @param {string} css */
  async click(css) {
    await until(`a click on ${css}`, async () => {
      const one = await this.see(css);
      try {
        await one.click();
      } catch (problem) {
        // The driver scrolls to nothing that shows an edge already.
        await this.run('arguments[0].scrollIntoView({ block: "center" })', [one.reference]);
        throw problem;
      }
      return true;
    });
  }

  /** Presses the mouse's button there, and keeps it down. @param {string} css */
  async press(css) {
    const { reference } = await this.see(css);
    await this.#mouse({ type: 'pointerMove', origin: reference, x: 0, y: 0, duration: 0 }, { type: 'pointerDown', button: 0 });
  }

  /** Lets go of the button where it was pressed; the driver's own release tells the page nothing. */
  release() {
    return this.#mouse({ type: 'pointerUp', button: 0 });
  }

  /** A press and its end, whatever lies there: the driver's own click refuses what a pseudo-element makes larger. @param {string} css */
  async tap(css) {
    await this.press(css);
    await this.release();
  }

  /** @param {object[]} actions */
  #mouse(...actions) {
    return call('POST', `${this.base}/actions`, { actions: [{ type: 'pointer', id: 'mouse', parameters: { pointerType: 'mouse' }, actions }] });
  }

  /** @param {string} css @param {string} text */
  async type(css, text) {
    const field = await this.see(css);
    await field.clear();
    await field.type(text);
  }
}

export class Element {
  /** @param {Session} session @param {string} css @param {string} id */
  constructor(session, css, id) {
    this.session = session;
    this.css = css;
    this.base = `${session.base}/element/${id}`;
    this.reference = { [ELEMENT]: id };
  }

  visible() {
    return call('GET', `${this.base}/displayed`);
  }

  click() {
    return call('POST', `${this.base}/click`, {});
  }

  clear() {
    return call('POST', `${this.base}/clear`, {});
  }

  /** @param {string} text Into a file input: a path. */
  type(text) {
    return call('POST', `${this.base}/value`, { text });
  }

  /** @returns {Promise<string>} */
  text() {
    return call('GET', `${this.base}/text`);
  }

  /** @param {string} name @returns {Promise<any>} */
  property(name) {
    return call('GET', `${this.base}/property/${name}`);
  }

  /** @param {string} name @returns {Promise<string | null>} */
  attribute(name) {
    return call('GET', `${this.base}/attribute/${name}`);
  }
}

/**
 * @param {string} method
 * @param {string} url
 * @param {object} [body]
 * @returns {Promise<any>}
 */
async function call(method, url, body) {
  const response = await fetch(url, {
    method,
    body: body && JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
    signal: AbortSignal.timeout(CALL_MS),
  });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${method} ${url}: ${value?.error}: ${value?.message}`);
  return value;
}
