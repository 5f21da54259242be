/** `<room-door>`: whether the room takes new people; who moderates it closes and opens it here. Data: see `lib/rule.js`. */
import { RuleElement } from '../lib/rule.js';
import { t } from '../strings/index.js';

export class RoomDoor extends RuleElement {
  constructor() {
    super('room-closed', (closed, may) => ({
      state: closed ? t('door.closed') : '',
      button: closed ? { hook: 'room-reopen', words: t('door.open') } : { hook: 'room-close', words: t('door.close') },
      hints: may && !closed ? [t('door.hint')] : [],
    }));
  }
}
customElements.define('room-door', RoomDoor);
