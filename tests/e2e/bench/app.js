/**
 * What `bench app` measures in windows; figures go to standard output, as JSON with a list of values each.
 *
 *   plain, empty, new, room    started without a driver: when the screen is there, memory and CPU of the process tree
 *   still, scroll              the long room under WebDriver: gaps between frames, left alone and while it scrolls
 *
 * Called by tests/src/bench/app.rs with {app, empty, profile, runs}, on a session bus of its own.
 */
import path from 'node:path';

import { enterRoom } from '../harness/acts.js';
import { Stage, end } from '../harness/stage.js';
import { sleep, until } from '../harness/webdriver.js';
import { areGone, cpuOf, memoryOf, treeOf } from './processes.js';
import { Screen } from './screen.js';

/** A screen that stood still for so long is what the start came to. */
const QUIET_MS = 2500;
const START_MS = 30_000;
/** After the start, before memory is read and idling counts: WebKit tidies up for half a minute, of an empty page too. */
const SETTLE_MS = 40_000;
const IDLE_MS = 20_000;

/** Messages to scroll through, a step a frame: as fast as a finger flings. */
const MESSAGES = 3000;
const STEP = 150;
const SCROLL_MS = 300_000;
const STILL_MS = 4000;

/** @typedef {import('../harness/stage.js').Person} Person */
/** @typedef {Record<string, number>} Figures */

/** @type {{app: string, empty: string, profile: string, runs: number}} */
const plan = JSON.parse(process.argv[2]);

/**
 * @param {Person} person Whose screen is empty.
 * @param {string} program
 * @param {string} profile
 * @param {string[]} [args]
 * @returns {Promise<Figures>}
 */
async function alone(person, program, profile, args = []) {
  const screen = new Screen(person.pixels);
  const began = performance.now();
  const app = person.stage.spawn(program, args, { env: person.environment({ PEDDLENET_DATA: profile }), stdio: 'ignore' });
  const start = await screen.settles(began, QUIET_MS, START_MS);
  screen.close();
  await sleep(SETTLE_MS);
  const tree = await treeOf(app.pid ?? 0);
  const memory = await memoryOf(tree);
  const [cpu, from] = [await cpuOf(tree), performance.now()];
  await sleep(IDLE_MS);
  const spent = (await cpuOf(tree)) - cpu;
  const idle = (spent / (performance.now() - from)) * 100;
  await end(app);
  await until(`the end of ${program}`, () => areGone(tree));
  return { start_ms: start, pss_bytes: memory, idle_cpu_percent: idle };
}

/** In the page: notes when frames come; scrolls up by a step a frame where there is one. */
const FRAMES = `
  const [step, messages, ms] = arguments;
  const list = document.querySelector('message-list .messages');
  const { store } = document.querySelector('app-shell').data;
  const room = location.hash.split('/').pop();
  const loaded = () => store.state.timelines[room].messages.length;
  const times = [];
  window.benchFrames = null;
  const began = performance.now();
  const frame = (now) => {
    times.push(now);
    const enough = step > 0 ? loaded() >= messages && list.scrollTop < 2000 : now - began > ms;
    if (enough || now - began > ms) {
      window.benchFrames = { gaps: times.slice(1).map((time, i) => time - times[i]), messages: loaded() };
      return;
    }
    if (step > 0) list.scrollTop -= step;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);`;

/**
 * @param {Person} person Whose window shows the room.
 * @param {number} step
 * @param {number} ms
 * @returns {Promise<Figures>}
 */
async function frames({ window, pid }, step, ms) {
  const tree = await treeOf(pid);
  const cpu = await cpuOf(tree);
  await window.run(FRAMES, [step, MESSAGES, ms]);
  await sleep(STILL_MS);
  const found = await until('the end of the scrolling', async () => {
    await sleep(900); // each question is work for the page
    return window.run('return window.benchFrames');
  }, SCROLL_MS);
  if (step > 0 && found.messages < MESSAGES) throw new Error(`scrolled through ${found.messages} messages only`);
  const gaps = found.gaps.sort((/** @type {number} */ a, /** @type {number} */ b) => a - b);
  const percentile = (/** @type {number} */ percent) => gaps[Math.ceil((gaps.length * percent) / 100) - 1];
  return {
    messages: found.messages, frames: gaps.length, frame_cpu_ms: ((await cpuOf(tree)) - cpu) / gaps.length,
    gap_p50_ms: percentile(50), gap_p99_ms: percentile(99), gap_worst_ms: percentile(100),
  };
}

/**
 * Opens the room as its person would, so that the next starts come back to it.
 * @param {Person} person
 */
async function openRoom(person) {
  await person.open({ width: 1100, height: 760 });
  await enterRoom(person);
  await person.window.see('[data-test="message"]', 'the newest messages');
  await sleep(3000);
}

const stage = await Stage.open(plan.app);
try {
  const person = await stage.person('bench');
  person.extra = { PEDDLENET_DATA: plan.profile };
  /** @type {Record<string, Record<string, number[]>>} */
  const all = {};
  const note = (/** @type {string} */ subject, /** @type {Figures} */ figures) => {
    for (const [key, value] of Object.entries(figures)) ((all[subject] ??= {})[key] ??= []).push(value);
    console.error(`app: ${subject} ${JSON.stringify(figures)}`);
  };
  await openRoom(person);
  await person.kill();
  for (let run = 0; run < plan.runs; run += 1) {
    note('plain', await alone(person, plan.empty, path.join(person.home, 'plain'), ['--plain']));
    note('empty', await alone(person, plan.empty, path.join(person.home, 'empty')));
    note('new', await alone(person, plan.app, path.join(person.home, `new-${run}`)));
    note('room', await alone(person, plan.app, plan.profile));
    await openRoom(person);
    note('still', await frames(person, 0, STILL_MS));
    note('scroll', await frames(person, STEP, SCROLL_MS));
    await person.kill();
  }
  console.log(JSON.stringify(all));
} catch (problem) {
  await stage.report();
  throw problem;
} finally {
  await stage.close();
}
