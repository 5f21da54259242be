/** What a process and all that it started cost, from /proc: the app itself, and WebKit's helpers. */
import { execFileSync } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';

const TICKS_A_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/**
 * @param {number} root
 * @returns {Promise<number[]>} It and everything under it.
 */
export async function treeOf(root) {
  const parents = new Map();
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!pid) continue;
    const stat = await statOf(pid);
    if (stat) parents.set(pid, Number(stat[1]));
  }
  const tree = [root];
  for (const pid of tree) {
    for (const [child, parent] of parents) if (parent === pid) tree.push(child);
  }
  return tree;
}

/**
 * @param {number[]} tree
 * @returns {Promise<number>} Bytes of memory: what several processes share counts once, in parts.
 */
export async function memoryOf(tree) {
  let kib = 0;
  for (const pid of tree) {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
    kib += Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1]);
  }
  return kib * 1024;
}

/**
 * @param {number[]} tree
 * @returns {Promise<number>} Milliseconds of CPU so far.
 */
export async function cpuOf(tree) {
  let ticks = 0;
  for (const pid of tree) {
    const stat = await statOf(pid);
    if (!stat) throw new Error(`process ${pid} ended while nobody touched the app`);
    ticks += Number(stat[11]) + Number(stat[12]); // utime, stime
  }
  return (ticks * 1000) / TICKS_A_SECOND;
}

/** @param {number[]} tree @returns {Promise<boolean>} */
export async function areGone(tree) {
  for (const pid of tree) {
    const stat = await statOf(pid);
    if (stat && stat[0] !== 'Z') return false;
  }
  return true;
}

/**
 * @param {number} pid
 * @returns {Promise<string[] | null>} The fields of proc(5) after the name, which may hold anything.
 */
async function statOf(pid) {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text === '' ? null : text.slice(text.lastIndexOf(')') + 2).split(' ');
}
