/**
 * The only file that touches `window.__TAURI__`.
 *
 * Android's webview hands no raw request bodies to Rust, so `rawBodies` tells whether it may be used.
 */

/**
 * @typedef {object} TauriCore
 * @property {(command: string, args?: object, options?: {headers: Record<string, string>}) => Promise<unknown>} invoke
 * @property {new (onmessage?: (payload: any) => void) => object} Channel
 */

/** @returns {TauriCore} */
function core() {
  const tauri = /** @type {{__TAURI__?: {core: TauriCore}}} */ (/** @type {unknown} */ (window)).__TAURI__;
  if (!tauri) throw new Error('the page was opened outside of the app');
  return tauri.core;
}

/**
 * @param {string} command
 * @param {object} [args] An object, or a Uint8Array that travels as a raw body.
 * @param {Record<string, string>} [headers]
 * @returns {Promise<unknown>}
 */
export async function invoke(command, args, headers) {
  return core().invoke(command, args, headers ? { headers } : undefined);
}

/**
 * @template T
 * @param {(payload: T) => void} onmessage
 * @returns {object} A Tauri channel, to be passed as an argument.
 */
export function channel(onmessage) {
  const { Channel } = core();
  const opened = /** @type {any} */ (new Channel());
  opened.onmessage = onmessage;
  return opened;
}

/** @returns {boolean} */
export function rawBodies() {
  return !/\bAndroid\b/.test(navigator.userAgent);
}
