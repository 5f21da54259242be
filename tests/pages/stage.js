/**
 * The pages in WebKit over the in-memory shell, without the app and without a build: the repository's root on loopback, the
 * scenes of `tests/ui/preview.js`, a browser under WebDriver on a screen of its own.
 *
 * It wants WebKitWebDriver (`webkit2gtk-driver`) and Xvfb; without them the stories are skipped, and say so.
 */
import { spawn } from 'node:child_process';
import { accessSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Session, until } from '../e2e/harness/webdriver.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BROWSERS = [`/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/webkit2gtk-4.1/MiniBrowser`];
const TYPES = /** @type {Record<string, string>} */ ({ '.js': 'text/javascript', '.css': 'text/css', '.html': 'text/html', '.svg': 'image/svg+xml' });

const there = (/** @type {string} */ path) => {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
};
const browser = BROWSERS.find(there);

/** Why nothing can be shown here; false when it can. @type {string | false} */
export const missing = !there('/usr/bin/WebKitWebDriver') ? 'no WebKitWebDriver' : !there('/usr/bin/Xvfb') ? 'no Xvfb' : browser ? false : 'no MiniBrowser';

/** Keys as WebDriver writes them. */
export const KEYS = Object.freeze({ up: '\uE013', down: '\uE015', home: '\uE011', end: '\uE010', enter: '\uE007', escape: '\uE00C', shift: '\uE008', f10: '\uE03A' });

const PAGE = '/tests/ui/preview.html';

/** A page with nothing but a scene in a frame, which may be narrower than the browser lets its window be. */
const FRAME = '/frame';

/** @returns {Promise<{port: number, close: () => void}>} */
function serve() {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const path = normalize(decodeURIComponent(pathname));
    if (path === FRAME) {
      const [query, width, height] = ['query', 'width', 'height'].map((name) => (searchParams.get(name) ?? '').replace(/[^\w=&]/g, ''));
      response.writeHead(200, { 'content-type': 'text/html' })
        .end(`<!doctype html><title>frame</title><iframe title="scene" width="${width}" height="${height}" style="border:0" src="${PAGE}?${query}"></iframe>`);
      return;
    }
    try {
      const body = readFileSync(join(ROOT, path));
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => {
    const address = /** @type {import('node:net').AddressInfo} */ (server.address());
    resolve({ port: address.port, close: () => { server.closeAllConnections(); server.close(); } });
  }));
}

/**
 * A free port: the one that the system would give next.
 * @returns {Promise<number>}
 */
async function freePort() {
  const { port, close } = await serve();
  close();
  return port;
}

/** One browser for all stories of a file. */
export class Stage {
  /** @type {(() => void)[]} */
  #ends = [];
  #base = '';
  /** @type {Session} */
  window = /** @type {any} */ (null);

  async open() {
    const display = `:${100 + (process.pid % 900)}`;
    this.#spawn('/usr/bin/Xvfb', [display, '-screen', '0', '1400x1000x24'], {});
    const { port, close } = await serve();
    this.#ends.push(close);
    this.#base = `http://127.0.0.1:${port}`;
    const driver = await freePort();
    this.#spawn('/usr/bin/WebKitWebDriver', [`--port=${driver}`], { DISPLAY: display, NO_AT_BRIDGE: '1', WEBKIT_DISABLE_DMABUF_RENDERER: '1', GDK_BACKEND: 'x11' });
    this.window = await until('the browser', () => Session.open(`http://127.0.0.1:${driver}`, browser ?? '', ['--automation']));
  }

  async close() {
    await this.window?.close().catch(() => {});
    for (const end of this.#ends.reverse()) end();
  }

  /**
   * Opens a scene and waits until it has done what it does.
   * @param {string} scene
   * @param {number} [width]
   */
  async show(scene, width = 400) {
    await this.window.resize(width, 860);
    await this.window.go(`${this.#base}${PAGE}?scene=${scene}`);
    await until(`the scene ${scene}`, () => this.window.run('return document.documentElement.dataset.ready === "true"'));
  }

  /** Presses what has this hook, wherever it stands. @param {string} hook */
  click(hook) {
    return this.window.run('document.querySelector(`[data-test="${arguments[0]}"]`).click()', [hook]);
  }

  /** What the shell was asked so far by this command. @param {string} command @returns {Promise<any[]>} */
  calls(command) {
    return this.window.run('return window.shell.calls.filter(({ command }) => command === arguments[0]).map(({ args }) => args)', [command]);
  }

  /**
   * Opens a scene in a frame of exactly this size; the window speaks to it from then on.
   * @param {string} query What stands after the `?` of preview.html.
   * @param {number} width
   * @param {number} height
   */
  async showInFrame(query, width, height) {
    await this.window.frame(null);
    await this.window.go(`${this.#base}${FRAME}?${new URLSearchParams({ query, width: String(width), height: String(height) })}`);
    await this.window.frame(0);
    await until(`the scene ${query}`, () => this.window.run('return document.documentElement.dataset.ready === "true"'));
  }

  /**
   * Gives the frame another size.
   * @param {number} width
   * @param {number} height
   */
  async sizeFrame(width, height) {
    await this.window.frame(null);
    await this.window.run('const frame = document.querySelector("iframe"); [frame.width, frame.height] = arguments;', [width, height]);
    await this.window.frame(0);
  }

  /**
   * @param {string} command
   * @param {string[]} args
   * @param {Record<string, string>} env
   */
  #spawn(command, args, env) {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: 'ignore' });
    this.#ends.push(() => child.kill());
  }
}
