/** What hangs on a wall: a room's name, its code, and what to do with it in three lines. */
import { h } from './dom.js';
import { moment } from './time.js';
import { t } from '../strings/index.js';

/**
 * @param {string} name The room's.
 * @param {import('../ipc/types.js').Invite} invite
 * @returns {HTMLElement}
 */
export function poster(name, invite) {
  return h('section', { class: 'poster' },
    h('p', { class: 'poster-app' }, t('app.name')),
    h('p', { class: 'poster-name', dir: 'auto' }, name),
    h('img', { class: 'poster-code', src: pictureOf(invite.svg), alt: t('invite.qr', { name }) }),
    h('p', { class: 'poster-join' }, t('poster.join')),
    h('ol', { class: 'poster-steps' },
      h('li', {}, t('poster.stepApp')),
      h('li', {}, t('poster.stepWifi')),
      h('li', {}, t('poster.stepScan'))),
    h('p', { class: 'poster-until' }, t('poster.until', { date: moment(invite.expiresMs) })));
}

/**
 * A drawn code for an `<img>`: as a picture, not as markup, so nothing in it can run.
 * @param {string} svg
 * @returns {string}
 */
export function pictureOf(svg) {
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
}
