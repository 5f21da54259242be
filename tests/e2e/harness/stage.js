/**
 * Real windows on screens that nobody sees: every person has a screen (Xvfb), a folder and a web driver.
 *
 * The binary is the one that people get. It has no test-only command or variable; what makes it
 * listen to a driver is Tauri's own TAURI_WEBVIEW_AUTOMATION.
 */
import { spawn } from 'node:child_process';
import { access, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { Session, sleep, until } from './webdriver.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SHOTS = fileURLToPath(new URL('../shots/', import.meta.url));

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

/** The app as `cargo build` leaves it. */
export const APP = path.join(process.env.CARGO_TARGET_DIR ?? path.join(ROOT, 'target'), 'debug', 'peddlenet');

/** Where the people of a story live; everything that was started for them ends with it. */
export class Stage {
  /** @type {Person[]} */
  people = [];
  /** @type {Set<ChildProcess>} */
  children = new Set();
  /** @type {(() => void)[]} */
  #ends = [];
  folder = '';

  /** @param {string} app The program that its people run. */
  constructor(app) {
    this.app = app;
  }

  static async open(app = APP) {
    await access(app).catch(() => {
      throw new Error(`${app} is missing: run "cargo build -p peddlenet" first, or "make test"`);
    });
    const stage = new Stage(app);
    stage.folder = await mkdtemp(path.join(tmpdir(), 'peddlenet-e2e-'));
    await mkdir(SHOTS, { recursive: true });
    return stage;
  }

  /** Something else that ends with the story. @param {() => void} end */
  atEnd(end) {
    this.#ends.push(end);
  }

  /** Ends every process and deletes every folder. */
  async close() {
    for (const end of this.#ends) end();
    for (const person of this.people) await person.kill();
    for (const child of this.children) await end(child);
    // WebKit's helpers outlive the app by a moment and still write to their caches.
    await rm(this.folder, { recursive: true, force: true, maxRetries: 30, retryDelay: 100 });
  }

  /** For a story that failed: what everybody saw and said. */
  async report() {
    for (const person of this.people) {
      console.error(`--- ${person.name}'s log\n${person.log}`);
      await person.shoot(`failed-${person.name}`).catch((problem) => console.error(`no picture: ${problem.message}`));
    }
  }

  /** @param {string} name @returns {Promise<Person>} Somebody with a folder of their own and no window yet. */
  async person(name) {
    const person = new Person(this, name, path.join(this.folder, name));
    await mkdir(person.home, { recursive: true });
    const screen = this.spawn('Xvfb', [
      '-displayfd', '3', '-screen', '0', '1400x900x24', '-nolisten', 'tcp', '-fbdir', person.home,
    ], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    person.display = await firstLine(screen, 3);
    this.people.push(person);
    return person;
  }

  /**
   * @param {string} command
   * @param {string[]} args
   * @param {import('node:child_process').SpawnOptions} options
   * @returns {ChildProcess}
   */
  spawn(command, args, options) {
    const child = spawn(command, args, options);
    this.children.add(child);
    child.once('exit', () => this.children.delete(child));
    return child;
  }
}

/** One person's device: a profile, and a window while it is open. */
export class Person {
  /** @type {Session | null} */
  #window = null;
  /** @type {ChildProcess | null} */
  #driver = null;
  #app = 0;
  display = '';
  log = '';
  /** On top of the environment of every process: a camera, for instance. @type {Record<string, string>} */
  extra = {};

  /** @param {Stage} stage @param {string} name @param {string} home */
  constructor(stage, name, home) {
    this.stage = stage;
    this.name = name;
    this.home = home;
  }

  /** @returns {Session} */
  get window() {
    if (!this.#window) throw new Error(`${this.name} has no window open`);
    return this.#window;
  }

  /** The app's process; 0 without a window. */
  get pid() {
    return this.#app;
  }

  /** The file that holds the screen's pixels, as Xvfb keeps them. */
  get pixels() {
    return path.join(this.home, 'Xvfb_screen0');
  }

  /** The environment of this person's processes; `extra` on top. */
  environment(extra = {}) {
    return {
      ...process.env,
      DISPLAY: `:${this.display}`,
      GDK_BACKEND: 'x11',
      PEDDLENET_DATA: path.join(this.home, 'profile'),
      PEDDLENET_LOG: 'info',
      XDG_DATA_HOME: path.join(this.home, 'data'),
      XDG_CONFIG_HOME: path.join(this.home, 'config'),
      XDG_CACHE_HOME: path.join(this.home, 'cache'),
      NO_AT_BRIDGE: '1',
      ...this.extra,
      ...extra,
    };
  }

  /**
   * Starts the app without a driver, and waits for its end.
   * @param {string[]} [args]
   * @returns {Promise<{code: number | null, stderr: string}>}
   */
  async again(args = []) {
    const app = this.stage.spawn(this.stage.app, args, { env: this.environment(), stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    app.stderr?.on('data', (chunk) => { stderr += chunk; });
    await new Promise((resolve) => app.once('close', resolve));
    return { code: app.exitCode, stderr };
  }

  /** Opens the app. @param {{width: number, height: number}} [size] */
  async open(size = { width: 1280, height: 800 }) {
    const port = await freePort();
    this.#driver = this.stage.spawn('WebKitWebDriver', [`--port=${port}`], {
      env: this.environment({ TAURI_WEBVIEW_AUTOMATION: 'true' }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#driver.stdout, this.#driver.stderr]) {
      stream?.on('data', (chunk) => { this.log += chunk; });
    }
    const base = `http://127.0.0.1:${port}`;
    await until(`${this.name}'s web driver`, async () => (await fetch(`${base}/status`)).ok);
    this.#window = await Session.open(base, this.stage.app, []);
    this.#app = await childNamed(this.#driver.pid ?? 0, 'peddlenet');
    await this.#window.resize(size.width, size.height);
  }

  /** SIGTERM, as a system that shuts down: the app first, then its driver. */
  quit() {
    return this.kill('SIGTERM');
  }

  /** As a battery that falls out: the app first, then its driver. @param {NodeJS.Signals} how */
  async kill(how = 'SIGKILL') {
    if (this.#app) {
      signal(this.#app, how);
      await until(`the end of ${this.name}'s app`, () => isGone(this.#app));
    }
    this.#app = 0;
    this.#window = null;
    if (this.#driver) await end(this.#driver);
    this.#driver = null;
  }

  /** The device sleeps: its app stands still, and what knocks at its door gets no answer. */
  sleep() {
    signal(this.#app, 'SIGSTOP');
  }

  wake() {
    signal(this.#app, 'SIGCONT');
  }

  /** Ends with the app by itself, as after a wipe. */
  async ended() {
    await until(`the end of ${this.name}'s app by itself`, () => isGone(this.#app));
    await this.kill();
  }

  /** Leaves a picture of the window in tests/e2e/shots/. @param {string} name @returns {Promise<string>} Its path. */
  async shoot(name) {
    const file = path.join(SHOTS, `${name}.png`);
    await until(`${this.name}'s window to stand still`, () => this.window.run(`return document.getAnimations()
      .every((one) => one.playState !== 'running' || one.effect.getComputedTiming().endTime === Infinity)`));
    // What is in the page is not yet on the screen: pictures are decoded and painted a little later.
    await this.window.runAsync(`const done = arguments[0];
      const painted = () => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50)));
      Promise.allSettled([...document.images].map((one) => one.decode())).then(painted);
      setTimeout(done, 2000);`);
    await writeFile(file, await this.window.screenshot());
    return file;
  }
}

/** @returns {Promise<number>} A port of this machine that nobody listens on. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** @param {ChildProcess} child @param {number} fd @returns {Promise<string>} */
function firstLine(child, fd) {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdio[fd]?.on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.trim());
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${child.spawnfile} ended with ${code}`)));
  });
}

/** The child process of that name. @param {number} parent @param {string} name @returns {Promise<number>} */
function childNamed(parent, name) {
  return until(`a process ${name} under ${parent}`, async () => {
    const children = (await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8')).trim().split(' ');
    for (const pid of children) {
      const is = (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
      if (is === name) return Number(pid);
    }
    return 0;
  });
}

/** @param {number} pid @param {NodeJS.Signals} which */
function signal(pid, which) {
  try {
    process.kill(pid, which);
  } catch (problem) {
    if (/** @type {NodeJS.ErrnoException} */ (problem).code !== 'ESRCH') throw problem;
  }
}

/**
 * Whether the kernel has cleaned up after a process: gone, or only waiting for its parent. The first thread
 * may be done while others still hold files.
 * @param {number} pid
 */
async function isGone(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  return stat === '' || (stat.includes(') Z ') && threads.length <= 1);
}

/** SIGTERM, then SIGKILL. @param {ChildProcess} child */
export async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const late = sleep(3000).then(() => child.kill('SIGKILL'));
  await Promise.race([exited, late.then(() => exited)]);
}

/**
 * Plays a story and, when it fails, leaves what is needed to understand it.
 * @param {(stage: Stage) => Promise<void>} story
 */
export async function play(story) {
  const stage = await Stage.open();
  try {
    await story(stage);
  } catch (problem) {
    await stage.report();
    throw problem;
  } finally {
    await stage.close();
  }
}
