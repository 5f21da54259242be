/**
 * The preview pages (tests/ui/preview.html) in a WebKit browser of the app's own kind, on a screen that nobody sees.
 *
 *   http server on loopback -> page with one frame, as wide as wanted -> preview.html?scene=..
 *
 * The frame is what lets a page be narrower than the browser lets its window be.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { end, firstLine, freePort } from './stage.js';
import { Session, until } from './webdriver.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Where Debian keeps it; the driver starts it. */
const BROWSER = process.env.MINIBROWSER ?? '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser';

/** @type {Record<string, string>} */
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

export class Pages {
  /** @type {import('node:child_process').ChildProcess[]} */
  #children = [];
  #server = createServer((request, response) => void this.#answer(request.url ?? '/', response));
  #address = '';
  /** @type {Session | null} */
  #session = null;

  /** @returns {Session} */
  get session() {
    if (!this.#session) throw new Error('no browser is open');
    return this.#session;
  }

  static async open() {
    const pages = new Pages();
    try {
      await pages.#start();
    } catch (problem) {
      await pages.close();
      throw problem;
    }
    return pages;
  }

  async #start() {
    await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', () => resolve(undefined)));
    const bound = this.#server.address();
    this.#address = `http://127.0.0.1:${typeof bound === 'object' && bound ? bound.port : 0}`;
    const screen = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1500x1000x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    this.#children.push(screen);
    const display = await firstLine(screen, 3);
    const port = await freePort();
    const driver = spawn('WebKitWebDriver', [`--port=${port}`], { env: { ...process.env, DISPLAY: `:${display}`, GDK_BACKEND: 'x11', NO_AT_BRIDGE: '1' }, stdio: 'ignore' });
    this.#children.push(driver);
    const base = `http://127.0.0.1:${port}`;
    await until('the web driver', async () => (await fetch(`${base}/status`)).ok);
    this.#session = await Session.open(base, BROWSER, ['--automation']);
    await this.#session.resize(1480, 980);
  }

  async close() {
    await this.#session?.close().catch(() => {});
    for (const child of this.#children.reverse()) await end(child);
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /**
   * Shows a scene; the session speaks to it from then on.
   * @param {string} query What stands after the `?` of preview.html.
   * @param {number} width
   * @param {number} height
   */
  async show(query, width, height) {
    await this.session.frame(null);
    await this.session.go(`${this.#address}/frame?${new URLSearchParams({ query, width: String(width), height: String(height) })}`);
    await this.session.frame(0);
    await until(`the scene ${query}`, () => this.session.run('return document.documentElement.dataset.ready === "true"'));
  }

  /**
   * Makes the scene that is shown wider or narrower.
   * @param {number} width
   * @param {number} height
   */
  async widen(width, height) {
    await this.session.frame(null);
    await this.session.run('const frame = document.querySelector("iframe"); [frame.width, frame.height] = arguments;', [width, height]);
    await this.session.frame(0);
  }

  /**
   * @param {string} url
   * @param {import('node:http').ServerResponse} response
   */
  async #answer(url, response) {
    const { pathname, searchParams } = new URL(url, 'http://x');
    if (pathname === '/frame') {
      response.setHeader('content-type', 'text/html');
      response.end(`<!doctype html><title>frame</title><iframe title="scene" width="${Number(searchParams.get('width'))}" height="${Number(searchParams.get('height'))}" style="border:0"
        src="/tests/ui/preview.html?${encodeURI(searchParams.get('query') ?? '').replace(/"/g, '')}"></iframe>`);
      return;
    }
    const file = path.join(ROOT, path.normalize(decodeURIComponent(pathname)));
    try {
      const body = await readFile(file);
      response.setHeader('content-type', TYPES[path.extname(file)] ?? 'application/octet-stream');
      response.end(body);
    } catch {
      response.statusCode = 404;
      response.end();
    }
  }
}
