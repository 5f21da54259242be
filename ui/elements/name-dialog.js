/**
 * `<name-dialog>`: changes my name.
 *
 * data: {name, setName}
 *
 * @typedef {{name: string, setName: (name: string) => Promise<void>}} NameData
 */
import { ModalElement } from '../lib/modal.js';
import { t } from '../strings/index.js';
import './name-form.js';

/** @extends {ModalElement<NameData>} */
export class NameDialog extends ModalElement {
  setup() {
    super.setup();
    this.heading = t('name.change');
    const form = /** @type {import('./name-form.js').NameForm} */ (document.createElement('name-form'));
    form.data = { name: this.data.name, action: t('action.save'), submit: this.data.setName };
    this.listen(form, 'named', () => this.close());
    this.body.replaceChildren(form);
  }
}
customElements.define('name-dialog', NameDialog);
