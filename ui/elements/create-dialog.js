/**
 * `<create-dialog>`: names a new room, chooses its rules for who wants to, and makes it.
 *
 * data: {create(name, options) -> Promise<room id>}; emits `room-open` (room id).
 *
 * @typedef {import('../ipc/types.js').Rules} Rules
 * @typedef {{create: (name: string, options: Rules) => Promise<string>}} CreateData
 */
import { choice } from '../lib/choice.js';
import { errorLine, h, setLine } from '../lib/dom.js';
import { ModalElement } from '../lib/modal.js';
import { RETENTIONS, ROOM_NAME_MAX, USUAL_RULES, retentionWords } from '../lib/power.js';
import { t } from '../strings/index.js';

/** @extends {ModalElement<CreateData>} */
export class CreateDialog extends ModalElement {
  #input = h('input', {
    id: 'room-name', class: 'field', type: 'text', maxlength: ROOM_NAME_MAX, autocomplete: 'off', dir: 'auto', enterkeyhint: 'done',
    placeholder: t('create.placeholder'), 'aria-describedby': 'room-name-hint', 'data-test': 'room-name',
  });
  #create = h('button', { type: 'submit', class: 'button button-primary', 'data-test': 'room-create' }, t('create.go'));
  #error = errorLine();
  /** @type {Rules} */
  #rules = { ...USUAL_RULES };

  setup() {
    super.setup();
    this.heading = t('create.title');
    this.#rules = { ...USUAL_RULES };
    this.body.replaceChildren(h('form', { class: 'stack', novalidate: true, onsubmit: (/** @type {Event} */ event) => this.#submit(event) },
      h('label', { class: 'label', for: 'room-name' }, t('create.label')),
      this.#input,
      h('p', { class: 'hint', id: 'room-name-hint' }, t('create.hint')),
      this.#more(),
      this.#error,
      this.#create));
    this.#input.focus();
  }

  /** What few want to choose, folded away. */
  #more() {
    return h('details', { class: 'more' },
      h('summary', { 'data-test': 'room-more' }, t('create.more')),
      h('div', { class: 'stack' },
        h('p', { class: 'hint' }, t('create.moreHint')),
        this.#choice('history', t('create.history'), [['shared', t('create.shared')], ['fromJoin', t('create.fromJoin')]]),
        this.#choice('inviters', t('create.inviters'),
          [['member', t('create.everyone')], ['moderator', t('create.moderators')], ['owner', t('create.onlyMe')]]),
        this.#choice('retentionS', t('create.keep'), RETENTIONS.map((seconds) => [seconds, retentionWords(seconds)]))));
  }

  /**
   * One rule: exactly one of a few.
   * @template {keyof Rules} K
   * @param {K} rule
   * @param {string} title
   * @param {[Rules[K], string][]} values
   */
  #choice(rule, title, values) {
    return choice({ name: rule, title, values, chosen: this.#rules[rule], hook: `rule-${rule}`, choose: (value) => { this.#rules[rule] = value; } });
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    const name = this.#input.value.trim();
    if (name === '') {
      setLine(this.#error, t('create.needed'));
      this.#input.focus();
      return;
    }
    setLine(this.#error, '');
    this.#create.disabled = true;
    this.#create.textContent = t('create.waiting');
    try {
      const room = await this.data.create(name, { ...this.#rules });
      this.close(); // first, so that the room may take the focus
      this.emit('room-open', room);
    } catch (error) {
      setLine(this.#error, /** @type {Error} */ (error).message);
    } finally {
      this.#create.disabled = false;
      this.#create.textContent = t('create.go');
    }
  }
}
customElements.define('create-dialog', CreateDialog);
