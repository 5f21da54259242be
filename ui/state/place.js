/**
 * Where the person is: the list of rooms, or one room. Kept in the address, so that the system's back
 * button works, and the last room is remembered for the next start. Only an id is kept on the device.
 */

const LAST_ROOM = 'peddlenet.room';

/**
 * @param {string} hash
 * @returns {string | null} The room's id; null for the list.
 */
export function parsePlace(hash) {
  const match = /^#\/room\/([0-9a-z]+)$/i.exec(hash);
  return match ? match[1] : null;
}

/**
 * @param {string | null} room
 * @returns {string}
 */
export function formatPlace(room) {
  return room === null ? '#/' : `#/room/${room}`;
}

/** @returns {string | null} */
export function lastRoom() {
  try {
    return localStorage.getItem(LAST_ROOM);
  } catch {
    return null; // storage is switched off
  }
}

/** Nothing of the page's stays on the device. */
export function forgetEverything() {
  try {
    localStorage.clear();
  } catch {
    // There is no storage, so nothing is in it.
  }
}

/** @param {string} room */
export function rememberRoom(room) {
  try {
    localStorage.setItem(LAST_ROOM, room);
  } catch {
    // Without storage the app opens to the list.
  }
}
