/**
 * `<person-dialog>`: one member of a room: who they are, whether their key was compared, and what to do about them.
 *
 *   person --show my code--> code        (their device scans it)
 *     |  ^---------------------'
 *     '--scan theirs--> scanner --match--> person, verified
 *
 * data: {member, name, imitates, powers, mayConfirmMove, verify(), scan(luma), check(code), confirm(on), acceptKey(),
 *   confirmMove(), link(), keepAwake(on), mute(on), block(on), setRole(role), remove(hide)}
 *
 * @typedef {import('../ipc/types.js').Member} Member
 * @typedef {import('../ipc/types.js').Verify} Verify
 * @typedef {import('../ipc/types.js').Luma} Luma
 * @typedef {import('../ipc/types.js').Scan} Scan
 * @typedef {object} PersonData
 * @property {Member} member
 * @property {string} name As the lists show it.
 * @property {string} imitates The name of the person whom this one's name looks like, or empty.
 * @property {import('../lib/power.js').Powers} powers What I may do about them in this room.
 * @property {boolean} mayConfirmMove Whether they ask for a new key and I may let them have it.
 * @property {() => Promise<Verify>} verify
 * @property {(frame: Luma) => Promise<Scan>} scan
 * @property {(code: string) => Promise<void>} check
 * @property {(on: boolean) => Promise<void>} confirm
 * @property {() => Promise<void>} acceptKey
 * @property {() => Promise<import('../ipc/types.js').MapPerson | undefined>} link How they stand in the network.
 * @property {(on: boolean) => void} keepAwake
 * @property {() => Promise<void>} confirmMove
 * @property {(on: boolean) => Promise<void>} mute
 * @property {(on: boolean) => Promise<void>} block
 * @property {(role: import('../ipc/types.js').Role) => Promise<void>} setRole
 * @property {(hide: boolean) => Promise<void>} remove
 */
import { avatar } from '../lib/avatar.js';
import { openPicture, pictureLuma } from '../lib/camera.js';
import { errorLine, h, icon, setLine } from '../lib/dom.js';
import { PICTURE_SIDES } from '../lib/luma.js';
import { linkWords } from '../lib/mesh-words.js';
import { ModalElement } from '../lib/modal.js';
import { digitGroups, presence, roleWord, warningsOf } from '../lib/people.js';
import { HINT_MS, whyWords } from '../lib/scan-words.js';
import { moment } from '../lib/time.js';
import { t } from '../strings/index.js';
import './person-powers.js';
import './scan-stage.js';

/** @extends {ModalElement<PersonData>} */
export class PersonDialog extends ModalElement {
  #who = h('div', { class: 'person' });
  #warnings = h('div', { class: 'stack', role: 'status' });
  #move = h('section', { class: 'move-ask', hidden: true });
  #check = h('section', { class: 'stack' });
  #acts = h('div', { class: 'row row-wrap people-foot' });
  #powers = /** @type {import('./person-powers.js').PersonPowers} */ (document.createElement('person-powers'));
  #error = errorLine();
  #note = h('p', { class: 'hint', role: 'status', 'data-test': 'person-note', hidden: true });
  #hint = h('p', { class: 'scan-hint', role: 'status', hidden: true, 'data-test': 'scan-hint' });
  #hintTimer = 0;
  #stage = /** @type {import('./scan-stage.js').ScanStage} */ (document.createElement('scan-stage'));
  #file = h('input', {
    id: 'verify-file', class: 'visually-hidden', type: 'file', accept: 'image/*', 'data-test': 'verify-file',
    onchange: () => void this.#readPicture(),
  });
  /** @type {Verify | null} */
  #numbers = null;
  /** Over what link, in words; empty while it isn't known. */
  #way = '';
  /** @type {'person' | 'code' | 'scan'} */
  #panel = 'person';
  #busy = false;

  setup() {
    super.setup();
    this.#stage.data = { scan: (frame) => this.data.scan(frame), take: (scan) => this.#take(scan), why: (why) => this.#sayWhy(why), without: () => t('person.noCamera') };
    this.#show('person');
    if (this.data.member.me) return;
    void this.#load();
    void this.#loadWay();
  }

  teardown() {
    clearTimeout(this.#hintTimer);
    if (this.#panel === 'code') this.data.keepAwake(false);
  }

  render() {
    if (this.#panel === 'person') this.#renderPerson();
  }

  async #load() {
    try {
      this.#numbers = await this.data.verify();
      this.render();
    } catch (error) {
      this.#fail(error);
    }
  }

  async #loadWay() {
    try {
      const person = await this.data.link();
      this.#way = person ? linkWords(person) : '';
      if (this.isConnected) this.render();
    } catch (error) {
      console.info('the link is not known', error); // how near they are is said in any case
    }
  }

  /** @param {'person' | 'code' | 'scan'} panel */
  #show(panel) {
    if ((panel === 'code') !== (this.#panel === 'code')) this.data.keepAwake(panel === 'code');
    this.#panel = panel;
    setLine(this.#error, '');
    setLine(this.#hint, '');
    if (panel === 'person') {
      this.body.replaceChildren(this.#who, this.#warnings, this.#move, this.#error, this.#note, this.#check, this.#acts, this.#powers);
      this.#renderPerson();
    } else if (panel === 'code') this.#renderCode();
    else this.#renderScan();
  }

  #renderPerson() {
    const { member, name, powers } = this.data;
    this.heading = name;
    this.#powers.data = { name, powers, setRole: (role) => this.data.setRole(role), remove: (hide) => this.#remove(hide) };
    const badge = member.verifiedAs === null ? null : h('span', { class: 'badge', 'data-test': 'verified' }, icon('check'), t('person.verified'));
    this.#who.replaceChildren(
      avatar(member.author, member.name),
      h('span', { class: 'person-text' },
        h('bdi', { class: 'person-name' }, member.me ? t('people.me', { name }) : name),
        h('span', { class: 'person-state' }, `${roleWord(member)} · ${presence(member)}`),
        member.sinceMs !== null && h('span', { class: 'person-state', 'data-test': 'person-since' }, t('person.since', { when: moment(member.sinceMs) })),
        member.state === 'linked' && this.#way !== '' && h('span', { class: 'person-state', 'data-test': 'person-way' }, this.#way)),
      ...(badge ? [badge] : []));
    this.#warnings.replaceChildren(...warningsOf(member, this.data.imitates).map(({ kind, text }) =>
      h('p', { class: 'warning-line', 'data-test': `warning-${kind}` }, icon('alert'), h('span', {}, text))));
    this.#warnings.hidden = this.#warnings.childElementCount === 0;
    this.#check.hidden = member.me;
    this.#acts.hidden = member.me;
    if (member.me) return;
    const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.test;
    this.#renderMove();
    this.#renderCheck(member);
    this.#acts.replaceChildren(
      this.#button(member.muted ? t('person.unmute') : t('person.mute'), 'person-mute', () => this.data.mute(!member.muted)),
      this.#button(member.blocked ? t('person.unblock') : t('person.block'), 'person-block', () => this.data.block(!member.blocked)),
      h('p', { class: 'hint' }, member.blocked ? t('person.blockedHint') : t('person.blockHint')));
    // A button that was pressed keeps the keyboard, though it was drawn anew.
    if (focused) /** @type {HTMLElement | null} */ (this.querySelector(`[data-test="${focused}"]`))?.focus();
  }

  /** The old key asks for a new one; whoever holds it may be somebody else. */
  #renderMove() {
    const { name, mayConfirmMove } = this.data;
    this.#move.hidden = !mayConfirmMove;
    this.#move.replaceChildren(...(mayConfirmMove ? [
      h('p', { class: 'warning-line', 'data-test': 'warning-moving' }, icon('alert'), h('span', {}, t('move.asks', { name }))),
      this.#button(t('move.confirm'), 'move-confirm', () => this.#confirmMove(), 'button-danger button-wide'),
    ] : []));
  }

  /** @param {Member} member */
  #renderCheck(member) {
    const numbers = this.#numbers;
    if (!numbers) {
      this.#check.replaceChildren(h('p', { class: 'hint' }, t('person.counting')));
      return;
    }
    const groups = digitGroups(numbers.digits);
    const verified = member.verifiedAs !== null;
    this.#check.replaceChildren(
      h('h3', { class: 'people-heading', id: 'digits-title' }, t('person.numbers')),
      h('p', { class: 'hint' }, t('person.numbersHint', { name: this.data.name })),
      h('ol', { class: 'digits', 'aria-labelledby': 'digits-title', 'data-test': 'digits' },
        ...groups.map((group) => h('li', { 'aria-label': group.split('').join(' ') }, group))),
      h('div', { class: 'row row-wrap' },
        h('button', { type: 'button', class: 'button', 'data-test': 'verify-show', onclick: () => this.#show('code') }, icon('code'), t('person.showCode')),
        h('button', { type: 'button', class: 'button', 'data-test': 'verify-scan', onclick: () => this.#show('scan') }, icon('scan'), t('person.scan'))),
      member.keyChanged
        ? this.#button(t('person.acceptKey'), 'key-accept', () => this.data.acceptKey(), 'button-danger button-wide')
        : this.#button(verified ? t('person.unverify') : t('person.same'), 'verify-confirm', () => this.data.confirm(!verified),
          verified ? 'button-wide' : 'button-primary button-wide'));
  }

  /**
   * @param {string} words
   * @param {string} hook
   * @param {() => Promise<void>} act
   * @param {string} [look]
   */
  #button(words, hook, act, look = '') {
    return h('button', { type: 'button', class: `button ${look}`.trim(), 'data-test': hook, onclick: () => void this.#act(act) }, words);
  }

  /** @param {() => Promise<void>} act */
  async #act(act) {
    if (this.#busy) return;
    this.#busy = true;
    setLine(this.#error, '');
    setLine(this.#note, '');
    try {
      await act();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#busy = false;
    }
  }

  /**
   * There is nothing left to say about somebody who is gone.
   * @param {boolean} hide
   */
  async #remove(hide) {
    await this.data.remove(hide);
    this.close();
  }

  /** Under the new key they are another member of the list. */
  async #confirmMove() {
    await this.data.confirmMove();
    this.close();
  }

  /** @param {unknown} error */
  #fail(error) {
    setLine(this.#error, /** @type {Error} */ (error).message);
  }

  #back() {
    return h('button', { type: 'button', class: 'button button-wide', 'data-test': 'verify-back', onclick: () => this.#show('person') }, t('person.back'));
  }

  #renderCode() {
    const { name } = this.data;
    const image = h('img', {
      class: 'invite-qr', alt: t('person.qr', { name }), 'data-test': 'verify-qr',
      src: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(this.#numbers?.svg ?? '')}`,
    });
    const back = this.#back();
    this.body.replaceChildren(
      h('p', { class: 'invite-text' }, t('person.codeHint', { name })),
      h('div', { class: 'invite-panel' }, image),
      back);
    back.focus();
  }

  #renderScan() {
    const { name } = this.data;
    const back = this.#back();
    this.body.replaceChildren(
      h('p', { class: 'invite-text' }, t('person.scanHint', { name })),
      this.#stage,
      this.#hint,
      this.#error,
      this.#file,
      h('label', { class: 'button button-wide', for: 'verify-file' }, icon('picture'), t('scan.picture')),
      back);
    back.focus();
  }

  /** @param {string} why */
  #sayWhy(why) {
    const words = whyWords(why);
    if (words === '' || !this.#hint.hidden) return;
    setLine(this.#hint, words);
    this.#hintTimer = window.setTimeout(() => setLine(this.#hint, ''), HINT_MS);
  }

  /**
   * @param {Scan} scan
   * @returns {Promise<boolean>} Whether a code was found.
   */
  async #take(scan) {
    if (this.#panel !== 'scan' || !this.isConnected) return true;
    if (scan.result === 'none') return false;
    if (scan.result !== 'verify') {
      setLine(this.#error, t('person.otherCode', { name: this.data.name }));
      return false;
    }
    this.#show('person');
    await this.#act(async () => {
      await this.data.check(scan.code);
      setLine(this.#note, t('person.match', { name: this.data.name }));
    });
    return true;
  }

  async #readPicture() {
    const file = this.#file.files?.[0];
    this.#file.value = '';
    if (!file) return;
    setLine(this.#error, '');
    let picture;
    try {
      picture = await openPicture(file);
    } catch {
      setLine(this.#error, t('scan.badPicture'));
      return;
    }
    try {
      let hint = '';
      for (const side of PICTURE_SIDES) {
        const scan = await this.data.scan(pictureLuma(picture, side));
        if (scan.result === 'none') hint ||= whyWords(scan.why);
        if (await this.#take(scan)) return;
      }
      if (this.#error.hidden) setLine(this.#error, hint || t('person.noCode'));
    } catch (error) {
      this.#fail(error);
    } finally {
      if ('close' in picture) picture.close();
    }
  }
}
customElements.define('person-dialog', PersonDialog);
