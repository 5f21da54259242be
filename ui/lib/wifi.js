/** The Wi-Fi that friends need first: kept as a setting, checked before a code is asked for. */
import { t } from '../strings/index.js';

/** @typedef {import('../ipc/types.js').Wifi} Wifi */

/** The name of the setting. */
export const WIFI = 'wifi';

/** What WPA asks of a password. */
export const PASSWORD_LEAST = 8;

/**
 * @param {string | undefined} setting
 * @returns {Wifi} Empty when none was kept, or nothing that can be read.
 */
export function wifiOf(setting) {
  try {
    const { name, password, hidden } = JSON.parse(setting ?? '{}');
    return { name: typeof name === 'string' ? name : '', password: typeof password === 'string' ? password : '', hidden: hidden === true };
  } catch {
    return { name: '', password: '', hidden: false };
  }
}

/**
 * @param {Wifi} wifi
 * @returns {{field: 'name' | 'password', words: string} | null} What is missing.
 */
export function wifiProblem({ name, password }) {
  if (name.trim() === '') return { field: 'name', words: t('wifi.needed') };
  const signs = Array.from(password).length;
  return signs > 0 && signs < PASSWORD_LEAST ? { field: 'password', words: t('wifi.short', { n: PASSWORD_LEAST }) } : null;
}
