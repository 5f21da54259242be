/**
 * A notification daemon that shows nothing and notes what it is asked: as much of D-Bus as that takes.
 *
 * Messages: D-Bus specification, "Message Format"; everything is little-endian here, as the app writes it.
 */
import { connect } from 'node:net';

/** @typedef {{title: string, body: string, app: string, replaces: number, id: number, raw: string}} Notification */

const NAME = 'org.freedesktop.Notifications';
const BUS = 'org.freedesktop.DBus';

/** Codes of header fields. */
const [PATH, INTERFACE, MEMBER, REPLY_SERIAL, DESTINATION, SENDER, SIGNATURE] = [1, 2, 3, 5, 6, 7, 8];

const aligned = (/** @type {number} */ at, /** @type {number} */ to) => Math.ceil(at / to) * to;

/** Writes values of a message. */
class Writer {
  bytes = Buffer.alloc(0);

  /** @param {number} to */
  align(to) {
    return this.raw(Buffer.alloc(aligned(this.bytes.length, to) - this.bytes.length));
  }

  /** @param {Buffer} more */
  raw(more) {
    this.bytes = Buffer.concat([this.bytes, more]);
    return this;
  }

  /** @param {number} value */
  u32(value) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return this.align(4).raw(bytes);
  }

  /** @param {string} text */
  string(text) {
    return this.u32(Buffer.byteLength(text)).raw(Buffer.from(`${text}\0`));
  }

  /** @param {string} text */
  signature(text) {
    return this.raw(Buffer.from([text.length])).raw(Buffer.from(`${text}\0`));
  }
}

/** Reads values of a message. */
class Reader {
  /** @param {Buffer} bytes @param {number} at */
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  u32() {
    this.at = aligned(this.at, 4) + 4;
    return this.bytes.readUInt32LE(this.at - 4);
  }

  string() {
    const length = this.u32();
    this.at += length + 1;
    return this.bytes.toString('utf8', this.at - length - 1, this.at - 1);
  }

  signature() {
    const length = this.bytes[this.at];
    this.at += length + 2;
    return this.bytes.toString('latin1', this.at - length - 1, this.at - 1);
  }
}

export class Notifications {
  /** @type {Notification[]} */
  shown = [];
  /** @type {number[]} Ids that were withdrawn. */
  withdrawn = [];
  #serial = 0;
  #ids = 0;
  #in = Buffer.alloc(0);

  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    this.socket = socket;
  }

  /** Takes the daemon's name on this process's session bus. @returns {Promise<Notifications>} */
  static async open() {
    const address = process.env.DBUS_SESSION_BUS_ADDRESS ?? '';
    const [, kind, place] = /unix:(path|abstract)=([^,;]+)/.exec(address) ?? [];
    if (!place) throw new Error('there is no session bus: run this under dbus-run-session');
    const socket = connect(kind === 'abstract' ? `\0${place}` : place);
    const daemon = new Notifications(socket);
    const uid = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex');
    socket.write(`\0AUTH EXTERNAL ${uid}\r\n`);
    await new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('data', (line) => (String(line).startsWith('OK ') ? resolve(null) : reject(new Error(String(line)))));
    });
    socket.write('BEGIN\r\n');
    socket.on('data', (bytes) => daemon.#take(bytes));
    daemon.#callBus('Hello', '', new Writer());
    daemon.#callBus('RequestName', 'su', new Writer().string(NAME).u32(0));
    return daemon;
  }

  close() {
    this.socket.destroy();
  }

  /** @param {string} member @param {string} signature @param {Writer} body */
  #callBus(member, signature, body) {
    this.#send(1, [
      [PATH, 'o', '/org/freedesktop/DBus'], [INTERFACE, 's', BUS], [MEMBER, 's', member], [DESTINATION, 's', BUS],
    ], signature, body);
  }

  /** As the person who presses it. @param {number} id */
  choose(id) {
    this.#send(4, [[PATH, 'o', '/org/freedesktop/Notifications'], [INTERFACE, 's', NAME], [MEMBER, 's', 'ActionInvoked']], 'us', new Writer().u32(id).string('default'));
  }

  /** @param {number} type @param {[number, string, string | number][]} fields @param {string} signature @param {Writer} body */
  #send(type, fields, signature, body) {
    const list = new Writer();
    const all = signature ? [...fields, /** @type {[number, string, string]} */ ([SIGNATURE, 'g', signature])] : fields;
    for (const [code, kind, value] of all) {
      list.align(8).raw(Buffer.from([code])).signature(kind);
      if (kind === 'u') list.u32(Number(value));
      else if (kind === 'g') list.signature(String(value));
      else list.string(String(value));
    }
    this.#serial += 1;
    const head = new Writer().raw(Buffer.from(['l'.charCodeAt(0), type, 0, 1])).u32(body.bytes.length).u32(this.#serial);
    head.u32(list.bytes.length).raw(list.bytes).align(8).raw(body.bytes);
    this.socket.write(head.bytes);
  }

  /** @param {Buffer} bytes */
  #take(bytes) {
    this.#in = Buffer.concat([this.#in, bytes]);
    while (this.#in.length >= 16) {
      const fieldsEnd = 16 + this.#in.readUInt32LE(12);
      const end = aligned(fieldsEnd, 8) + this.#in.readUInt32LE(4);
      if (this.#in.length < end) return;
      const message = this.#in.subarray(0, end);
      this.#in = this.#in.subarray(end);
      if (message[1] === 1) this.#answer(message, fieldsEnd);
    }
  }

  /** @param {Buffer} message @param {number} fieldsEnd */
  #answer(message, fieldsEnd) {
    /** @type {Record<number, string | number>} */
    const fields = {};
    const reader = new Reader(message, 16);
    while (reader.at < fieldsEnd) {
      reader.at = aligned(reader.at, 8) + 1;
      const code = message[reader.at - 1];
      const kind = reader.signature();
      fields[code] = kind === 'u' ? reader.u32() : kind === 'g' ? reader.signature() : reader.string();
    }
    // Values are aligned within the body, which begins at a multiple of 8.
    const start = aligned(fieldsEnd, 8);
    const body = new Reader(message.subarray(start));
    const reply = (/** @type {string} */ signature, /** @type {Writer} */ values) => this.#send(2, [
      [REPLY_SERIAL, 'u', message.readUInt32LE(8)], [DESTINATION, 's', fields[SENDER]],
    ], signature, values);
    switch (fields[MEMBER]) {
      case 'GetCapabilities': {
        const list = new Writer().string('body');
        reply('as', new Writer().u32(list.bytes.length).raw(list.bytes));
        break;
      }
      case 'Notify': {
        const app = body.string();
        const replaces = body.u32();
        body.string(); // the icon
        const [title, text] = [body.string(), body.string()];
        this.#ids += replaces ? 0 : 1;
        const id = replaces || this.#ids;
        this.shown.push({ app, replaces, title, body: text, id, raw: message.toString('latin1', start) });
        reply('u', new Writer().u32(id));
        break;
      }
      case 'CloseNotification':
        this.withdrawn.push(body.u32());
        reply('', new Writer());
        break;
      default:
    }
  }
}
