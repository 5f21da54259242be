/**
 * `<room-backup>`: whether sealed copies of what is said lie with the room's servers; its owner decides it here. Data:
 * see `lib/rule.js`.
 */
import { RuleElement } from '../lib/rule.js';
import { t } from '../strings/index.js';

export class RoomBackup extends RuleElement {
  constructor() {
    super('room-backed', (backup, may) => ({
      state: backup ? t('backup.on') : '',
      button: backup ? { hook: 'room-backup-stop', words: t('backup.stop') } : { hook: 'room-backup-start', words: t('backup.start') },
      // What the server learns concerns everybody whose copies lie there; the rest is for who decides.
      hints: may ? [backup ? t('backup.after') : t('backup.for'), t('backup.sees'), t('backup.takes')] : [t('backup.sees')],
    }));
  }
}
customElements.define('room-backup', RoomBackup);
