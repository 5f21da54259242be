/**
 * Starts the UI: registers the elements, opens the session with the shell, hands it to `<app-shell>`.
 */
import './elements/app-shell.js';
import { ipc } from './ipc/index.js';
import { Session } from './state/session.js';

const shell = /** @type {import('./elements/app-shell.js').AppShell} */ (document.querySelector('app-shell'));
const session = new Session(ipc);
shell.data = session;
void session.start();
