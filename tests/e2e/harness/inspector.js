/**
 * The page of an app that runs without automation, seen through WebKit's remote inspector.
 *
 * Under WebDriver WebKit grants every permission by itself. An app started with WEBKIT_INSPECTOR_HTTP_SERVER is the
 * app as people run it, with a socket for its developer tools (which debug builds have); its page asks the shell's handler.
 */
import { connect } from 'node:net';

import { sleep, until } from './webdriver.js';

/** One evaluation may take this long. */
const ANSWER_MS = 30_000;

export class Inspector {
  #number = 0;
  #target = '';
  /** @type {Map<number, (message: any) => void>} */
  #waiting = new Map();

  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    this.socket = socket;
  }

  /** @param {number} port @returns {Promise<Inspector>} */
  static async open(port) {
    const path = await until('the page in the inspector', async () => {
      const list = await (await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2000) })).text();
      return /\/socket\/[^'"]*WebPage/.exec(list)?.[0];
    });
    const socket = connect(port, '127.0.0.1');
    const inspector = new Inspector(socket);
    await inspector.#upgrade(`127.0.0.1:${port}`, path);
    await until('the page as a target', () => inspector.#target !== '');
    return inspector;
  }

  close() {
    this.socket.destroy();
  }

  /**
   * Runs an async function body in the page; once more in the page that has taken its place meanwhile, as at the start.
   * @param {string} body
   * @returns {Promise<any>}
   */
  async run(body) {
    for (;;) {
      const slot = `e2e${this.#number}`;
      await this.#evaluate(`window.${slot} = null; (async () => { ${body} })()
        .then((value) => { window.${slot} = { value: value ?? null }; }, (problem) => { window.${slot} = { value: 'problem: ' + problem }; }); 0`);
      const answer = await until(`an answer from the page to ${body}`, async () => {
        const text = await this.#evaluate(`JSON.stringify(window.${slot})`);
        return text === undefined ? { gone: true } : JSON.parse(text);
      }, ANSWER_MS);
      if (!answer.gone) return answer.value;
    }
  }

  /** @param {string} expression */
  async #evaluate(expression) {
    const number = (this.#number += 1);
    const message = JSON.stringify({ id: number, method: 'Runtime.evaluate', params: { expression, returnByValue: true } });
    const answer = new Promise((resolve) => this.#waiting.set(number, resolve));
    this.#send({ id: 1_000_000 + number, method: 'Target.sendMessageToTarget', params: { targetId: this.#target, message } });
    const late = sleep(ANSWER_MS).then(() => { throw new Error(`the inspector does not answer to ${expression}`); });
    const { result, error } = await Promise.race([answer, late]);
    if (error || result?.wasThrown) throw new Error(JSON.stringify(error ?? result.result));
    return result.result.value;
  }

  /** @param {any} message */
  #take(message) {
    if (message.method === 'Target.targetCreated' && message.params.targetInfo.type === 'page') {
      this.#target = message.params.targetInfo.targetId;
    } else if (message.method === 'Target.dispatchMessageFromTarget') {
      const inner = JSON.parse(message.params.message);
      this.#waiting.get(inner.id)?.(inner);
      this.#waiting.delete(inner.id);
    }
  }

  /** The opening handshake of RFC 6455, then frames into `#take`. @param {string} host @param {string} path */
  #upgrade(host, path) {
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
      + 'Sec-WebSocket-Key: cGVkZGxlbmV0LXRlc3RzIQ==\r\nSec-WebSocket-Version: 13\r\n\r\n');
    /** @type {Buffer} */
    let bytes = Buffer.alloc(0);
    let upgraded = false;
    return /** @type {Promise<void>} */ (new Promise((resolve, reject) => {
      this.socket.once('error', reject);
      this.socket.on('data', (chunk) => {
        bytes = Buffer.concat([bytes, chunk]);
        if (!upgraded) {
          const end = bytes.indexOf('\r\n\r\n');
          if (end < 0) return;
          if (!bytes.subarray(0, end).toString().startsWith('HTTP/1.1 101')) reject(new Error(bytes.toString()));
          upgraded = true;
          bytes = bytes.subarray(end + 4);
          resolve();
        }
        for (;;) {
          const frame = unframed(bytes);
          if (!frame) return;
          bytes = frame.rest;
          if (frame.text) this.#take(JSON.parse(frame.text));
        }
      });
    }));
  }

  /** One masked text frame; the mask is zeros, for nobody is in between. @param {object} message */
  #send(message) {
    const text = Buffer.from(JSON.stringify(message));
    const head = text.length < 126 ? Buffer.from([0x81, 0x80 | text.length]) : Buffer.from([0x81, 0xfe, text.length >> 8, text.length & 255]);
    if (text.length > 0xffff) throw new Error('too long for one frame');
    this.socket.write(Buffer.concat([head, Buffer.alloc(4), text]));
  }
}

/** The first whole frame, if there is one. @param {Buffer} bytes @returns {{text: string | null, rest: Buffer} | null} */
function unframed(bytes) {
  if (bytes.length < 2) return null;
  let length = bytes[1] & 0x7f;
  let at = 2;
  if (length === 126 && bytes.length >= 4) [length, at] = [bytes.readUInt16BE(2), 4];
  else if (length === 127 && bytes.length >= 10) [length, at] = [Number(bytes.readBigUInt64BE(2)), 10];
  else if (length >= 126) return null;
  if (bytes.length < at + length) return null;
  const isText = (bytes[0] & 0x0f) === 1;
  return { text: isText ? bytes.subarray(at, at + length).toString() : null, rest: bytes.subarray(at + length) };
}
