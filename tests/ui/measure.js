/**
 * What a room of many messages costs the page, in milliseconds and bytes: `node --expose-gc ui/measure.js [messages]`.
 * It asserts nothing: times depend on the machine. The tests of `run`, `timeline` and `windowing` say what is true.
 */
import { Heights } from '../../ui/lib/windowing.js';
import { lean } from '../../ui/state/lean.js';
import { EMPTY } from '../../ui/state/model.js';
import { reduce } from '../../ui/state/reduce.js';
import { TimelineRows } from '../../ui/state/timeline.js';
import { message, room } from './samples.js';

const COUNT = Number(process.argv[2] ?? 100_000);
const hex = (/** @type {number} */ n) => n.toString(16).padStart(8, '0').repeat(8);
/** As it comes: parsed from JSON, with strings of its own. */
const sent = (/** @type {number} */ n, given = {}) => lean(JSON.parse(JSON.stringify(message(n, {
  message: hex(n * 2_654_435_761 % 4_294_967_296), author: hex(n % 40), room: hex(77), name: `Member ${n % 40}`, text: `Message ${n} with some words in it`, timeMs: n * 1000, ...given,
}))));
const ROOM = hex(77);

/** @param {() => unknown} act */
function memory(act) {
  const { gc } = globalThis;
  gc?.();
  const before = process.memoryUsage().heapUsed;
  const kept = act();
  gc?.();
  return { kept, bytes: process.memoryUsage().heapUsed - before };
}

/** @type {import('../../ui/state/model.js').State} */
let state = reduce(EMPTY, { type: 'snapshot', snapshot: { seq: 0, profile: { name: 'Rosa', key: 'file' }, rooms: [room({ room: ROOM })], drafts: [], settings: {} } });
const { bytes } = memory(() => {
  state = reduce(state, { type: 'page', room: ROOM, messages: Array.from({ length: COUNT }, (_, i) => sent(i + 10_000)), complete: false, newest: true });
});

const heights = new Heights(64);
let rows = new TimelineRows(state.timelines[ROOM], [], null);
heights.splice(0, 0, rows.count);

/** What the list does of a new state, but for the page itself. */
function show() {
  const next = new TimelineRows(state.timelines[ROOM], state.pending[ROOM] ?? [], null);
  for (const { start, removed, added } of rows.changes(next)) heights.splice(start, removed, added);
  rows = next;
  const { start, end } = heights.range(heights.total - 800, 800, 600);
  for (let i = start; i < end; i += 1) heights.measure(i, 40 + rows.at(i).key.length % 30);
}

/**
 * @param {string} what
 * @param {(n: number) => void} act
 */
function time(what, act) {
  const TURNS = 50;
  const took = [];
  for (let n = 0; n < TURNS; n += 1) {
    const from = performance.now();
    act(n);
    took.push(performance.now() - from);
  }
  took.sort((a, b) => a - b);
  console.log(`${what.padEnd(34)} median ${took[TURNS >> 1].toFixed(3)} ms   worst ${took[TURNS - 1].toFixed(3)} ms`);
}

const event = (/** @type {any} */ e) => { state = reduce(state, { type: 'batch', events: [e] }); };
const middle = () => state.timelines[ROOM].messages.at(COUNT >> 1) ?? message(0);
console.log(`${COUNT} messages, ${(bytes / COUNT).toFixed(0)} bytes each, node ${process.version}`);
time('first show', () => show());
time('a new message: state', (n) => event({ kind: 'message', message: sent(COUNT + 20_000 + n) }));
time('a new message: state and rows', (n) => { event({ kind: 'message', message: sent(COUNT + 21_000 + n) }); show(); });
time('a late message, 300 back', (n) => { event({ kind: 'message', message: sent(COUNT + 30_000 + n, { timeMs: (state.timelines[ROOM].messages.at(-300)?.timeMs ?? 0) + 1 }) }); show(); });
time('a change in the middle', () => { event({ kind: 'changed', message: { ...middle(), text: 'other words' } }); show(); });
time('a receipt in the middle', () => { event({ kind: 'receipt', room: ROOM, message: middle().message, seenBy: ['a'] }); show(); });
time('a page of 60 before', (n) => {
  const page = Array.from({ length: 60 }, (_, i) => sent(9_999 - n * 60 - 60 + i));
  state = reduce(state, { type: 'page', room: ROOM, messages: page, complete: false, newest: false });
  show();
});
time('a frame of scrolling', (n) => {
  const { start, end } = heights.range(n * 60_000, 800, 600);
  for (let i = start; i < end; i += 1) heights.measure(i, 40 + (i * 7) % 60);
  heights.range(n * 60_000, 800, 600);
});
