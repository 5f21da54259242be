/**
 * What axe-core finds on the page that a session shows: WCAG 2.2 to level AA, and axe's own good practice.
 *
 * axe runs inside of the page, put there by the driver, so the page's policy stands as it is.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

/** @typedef {import('./webdriver.js').Session} Session */

const SOURCE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

const TAGS = Object.freeze(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']);

/**
 * @param {Session} session
 * @param {string[]} [only] Rules, where not all are meant.
 * @returns {Promise<string[]>} One line a finding: the rule, and the elements it is about.
 */
export async function findings(session, only) {
  if (!await session.run('return typeof window.axe === "object"')) await session.run(await readFile(SOURCE, 'utf8'));
  // Colours are judged as they are in the end, not on their way there.
  await session.runAsync(`const done = arguments[0];
    Promise.all(document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime !== Infinity)
      .map((one) => one.finished.catch(() => {}))).then(() => done());`);
  const options = {
    runOnly: only ? { type: 'rule', values: only } : { type: 'tag', values: TAGS },
    rules: only ? {} : { 'target-size': { enabled: true } },
    resultTypes: ['violations'],
  };
  const { failed, violations } = await session.runAsync(`const [options, done] = arguments;
    axe.run(document, options).then(
      ({ violations }) => done({ violations: violations.map(({ id, nodes }) => [id, nodes.map(({ target, failureSummary }) => target.join(' ') + ' :: ' + failureSummary)]) }),
      (error) => done({ failed: String(error) }));`, [options]);
  if (failed) throw new Error(`axe could not run: ${failed}`);
  return violations.map((/** @type {[string, string[]]} */ [rule, nodes]) => `${rule}: ${nodes.join(' | ').replace(/\s+/g, ' ')}`);
}
