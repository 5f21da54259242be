/**
 * Whether a person can be looking: the window shows, and it has the focus or was used since it lost it.
 *
 * Some window systems never tell a window that it has the focus; a key or a touch in it says as much.
 */

let used = false;

for (const type of ['pointerdown', 'keydown', 'input']) {
  addEventListener(type, () => { used = true; }, { capture: true, passive: true });
}
addEventListener('blur', () => { used = false; });

/** @returns {boolean} */
export function attended() {
  return document.visibilityState === 'visible' && (used || document.hasFocus());
}
