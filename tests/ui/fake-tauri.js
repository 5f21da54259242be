/**
 * An in-memory shell for tests and previews: it stands where `window.__TAURI__` stands in the app, so
 * the UI's own `ipc/` runs unchanged. It never ships.
 *
 * @typedef {import('../../ui/ipc/types.js').Room} Room
 * @typedef {import('../../ui/ipc/types.js').Message} Message
 * @typedef {import('../../ui/ipc/types.js').Member} Member
 * @typedef {import('../../ui/ipc/types.js').UiEvent} UiEvent
 */
import { USUAL_RULES } from '../../ui/lib/power.js';

/** What the shell gives of a history at most; `src-tauri/src/commands/messages.rs` has the same. */
const MAX_PAGE = 200;

const hex = (/** @type {number} */ n) => n.toString(16).padStart(32, '0');

class FakeChannel {
  /** @param {(payload: any) => void} [onmessage] */
  constructor(onmessage = () => {}) {
    this.onmessage = onmessage;
  }
}

export class FakeShell {
  /** @type {FakeChannel | null} */
  #channel = null;
  #ids = 1000;

  seq = 0;
  name = '';
  /** @type {import('../../ui/ipc/types.js').KeyPlace} */
  key = 'file';
  /** @type {Map<string, Room>} */
  rooms = new Map();
  /** @type {Map<string, Message[]>} */
  messages = new Map();
  /** @type {Map<string, Member[]>} */
  members = new Map();
  /** What the next scans answer, oldest first. @type {any[]} */
  scans = [];
  /** Commands that fail: code and sentence by name. @type {Record<string, {code: string, message: string}>} */
  failing = {};
  /** How long a command takes, by name. @type {Record<string, number>} */
  delays = {};
  /** @type {import('../../ui/ipc/types.js').Draft[]} */
  drafts = [];
  /** @type {Record<string, string>} */
  settings = {};
  /** Whether the desktop has a place for icons. */
  tray = true;
  /** Rejects `subscribe` until `unlock` names it. @type {string | null} */
  passphrase = null;
  /** How many messages one call of `search` looks at. */
  searchStep = 2000;
  /** @type {Map<string, import('../../ui/ipc/types.js').OpenInvite[]>} */
  invites = new Map();
  /** What `network_map` answers, by room; without one it is made from the members. @type {Map<string, import('../../ui/ipc/types.js').NetworkMap>} */
  maps = new Map();
  /** What `diagnostics` answers. @type {import('../../ui/ipc/types.js').Diagnostics} */
  numbers = quietNumbers();
  /** Every call so far. @type {{command: string, args: any, headers: any}[]} */
  calls = [];

  /** What the page finds as `window.__TAURI__`. */
  get tauri() {
    return {
      core: {
        Channel: FakeChannel,
        invoke: async (/** @type {string} */ command, /** @type {any} */ args, /** @type {any} */ options) => {
          this.calls.push({ command, args, headers: options?.headers });
          await new Promise((resolve) => setTimeout(resolve, this.delays[command] ?? 1));
          if (this.failing[command]) throw this.failing[command];
          const answer = this.#commands[command];
          if (!answer) throw { code: 'bad_request', message: `no such command: ${command}` };
          return structuredClone(await answer(args ?? {}));
        },
      },
    };
  }

  /** @param {...UiEvent} events */
  emit(...events) {
    this.seq += 1;
    this.#channel?.onmessage(structuredClone({ seq: this.seq, events }));
  }

  /** @returns {string} */
  id() {
    this.#ids += 1;
    return hex(this.#ids);
  }

  /**
   * @param {string} name
   * @param {Member[]} others
   * @returns {string}
   */
  addRoom(name, others = []) {
    const room = this.id();
    const me = { author: hex(1), name: this.name || 'Me', state: /** @type {const} */ ('linked'), hops: 0, role: /** @type {import('../../ui/ipc/types.js').Role} */ ('owner'), sinceMs: Date.UTC(2026, 6, 3, 9), me: true, directUnread: 0,
      verifiedAs: null, muted: false, blocked: false, forked: false, moving: false, lookalike: /** @type {const} */ ('no'), imitates: null, keyChanged: false };
    this.members.set(room, [me, ...others]);
    this.messages.set(room, []);
    this.rooms.set(room, {
      room, name, members: others.length + 1, near: others.filter((m) => m.state !== 'away').length, unread: 0, directUnread: 0, last: null, removed: false,
      closed: false, backup: false, passUntilMs: null, rules: USUAL_RULES, favourite: false, muted: false, left: false, role: me.role,
    });
    return room;
  }

  /**
   * Changes a room's line in the list, and tells.
   * @param {string} room
   * @param {Partial<Room>} given
   */
  changeRoom(room, given) {
    const known = this.rooms.get(room);
    if (known) this.emit({ kind: 'room', room: Object.assign(known, given) });
  }

  /**
   * @param {string} room
   * @param {Partial<Message> & {text: string}} given
   * @returns {Message}
   */
  addMessage(room, given) {
    const list = this.messages.get(room) ?? [];
    const message = {
      message: this.id(), room, author: hex(1), name: this.name, timeMs: Date.now(), hops: 0, mine: true, clientId: null,
      seenBy: [], direct: null, replyTo: null, mentions: [], reactions: [], editedMs: null, deleted: false, newer: false, sentTo: 0, ...given,
    };
    list.push(message);
    const known = this.rooms.get(room);
    if (known && message.direct === null) known.last = { name: message.name, text: message.text, timeMs: message.timeMs };
    return message;
  }

  /**
   * @param {string} room
   * @param {string} author
   * @returns {Member}
   */
  #member(room, author) {
    const member = this.members.get(room)?.find((m) => m.author === author);
    if (!member) throw { code: 'member_unknown', message: 'That person isn’t in this room.' };
    return member;
  }

  /**
   * @param {string} room
   * @param {string} author
   */
  #remove(room, author) {
    const member = this.#member(room, author);
    this.members.set(room, (this.members.get(room) ?? []).filter((m) => m !== member));
    this.emit({ kind: 'member', room, member: { ...member, state: 'removed', role: 'member' } });
    return {};
  }

  /**
   * A message that a command names.
   * @param {string} room
   * @param {string} id
   * @returns {Message}
   */
  #message(room, id) {
    const message = this.messages.get(room)?.find((m) => m.message === id);
    if (!message) throw { code: 'message_unknown', message: 'That message isn’t on this device.' };
    return message;
  }

  /**
   * Changes a message, and tells.
   * @param {string} room
   * @param {string} id
   * @param {Partial<Message>} given
   * @returns {Message}
   */
  changeMessage(room, id, given) {
    const message = Object.assign(this.#message(room, id), given);
    this.emit({ kind: 'changed', message });
    return message;
  }

  /**
   * @param {string} room
   * @param {string} id
   * @param {string} author
   * @param {string} reaction
   * @returns {Message}
   */
  react(room, id, author, reaction) {
    const others = this.#message(room, id).reactions
      .map((r) => ({ reaction: r.reaction, authors: r.authors.filter((a) => a !== author) }));
    const same = others.find((r) => r.reaction === reaction);
    if (same) same.authors.push(author);
    else if (reaction !== '') others.push({ reaction, authors: [author] });
    const reactions = others.filter((r) => r.authors.length > 0).sort((a, b) => b.authors.length - a.authors.length);
    return this.changeMessage(room, id, { reactions });
  }

  #snapshot() {
    return {
      seq: this.seq, profile: { name: this.name, key: this.key }, rooms: [...this.rooms.values()], drafts: this.drafts, settings: this.settings,
    };
  }

  /** @type {Record<string, (args: any) => any>} */
  #commands = {
    subscribe: ({ channel }) => {
      if (this.passphrase !== null) throw { code: 'locked', message: 'This profile is locked.' };
      this.#channel = channel;
      return this.#snapshot();
    },
    unlock: ({ passphrase }) => {
      if (passphrase !== this.passphrase) throw { code: 'wrong_passphrase', message: 'That passphrase doesn’t open it.' };
      this.passphrase = null;
      return {};
    },
    snapshot: () => this.#snapshot(),
    looking_at: () => ({}),
    set_name: ({ name }) => {
      this.name = name;
      return {};
    },
    create_room: ({ name, options }) => {
      const room = this.addRoom(name);
      this.changeRoom(room, { rules: options });
      return { room };
    },
    create_invite: ({ room, ttlS, uses, poster }) => {
      if (this.rooms.get(room)?.closed) throw { code: 'room_closed', message: 'This room is closed to new people at present. Ask whoever moderates it to open it.' };
      const open = { invite: this.id(), author: hex(1), mine: true, expiresMs: Date.now() + ttlS * 1000, uses, used: 0, poster };
      this.invites.set(room, [...this.invites.get(room) ?? [], open]);
      return {
        invite: open.invite,
        link: `PEDDLENET:J/${'AEBAGBAFAYDQQCIKBMGA2DQPCAIREEYUCULBOGAZDINRYHI6'.repeat(3)}`,
        svg: fakeCode(),
        bytes: 80,
        expiresMs: open.expiresMs,
      };
    },
    invites: ({ room }) => ({ invites: this.invites.get(room) ?? [] }),
    revoke_invite: ({ room, invite }) => {
      this.invites.set(room, (this.invites.get(room) ?? []).filter((i) => i.invite !== invite));
      return {};
    },
    scan_frame: () => this.scans.shift() ?? { result: 'none', why: null },
    join_room: () => {
      const room = this.addRoom('Camp 7');
      this.changeRoom(room, {});
      return { room, via: 'direct', ms: 41 };
    },
    cancel_join: () => ({}),
    back_code: () => ({ link: `PEDDLENET:B/${'AEBAGBAFAYDQQCIKBMGA2DQPCA'.repeat(2)}`, svg: fakeCode() }),
    join_shown_back: () => {
      const room = this.addRoom('Camp 7');
      this.changeRoom(room, {});
      return { room, via: 'two-scan', ms: 9041 };
    },
    answer_back: () => ({}),
    send_message: ({ room, clientId, text, replyTo, mentions }) => this.addMessage(room, { text, clientId, replyTo, mentions }),
    edit_message: ({ room, message, text }) => this.changeMessage(room, message, { text, editedMs: Date.now() }),
    delete_message: ({ room, message }) => this.changeMessage(room, message, { text: '', deleted: true, reactions: [] }),
    react: ({ room, message, reaction }) => this.react(room, message, hex(1), reaction),
    message: ({ room, message }) => this.#message(room, message),
    search: ({ room, query, before }) => {
      const list = this.messages.get(room) ?? [];
      const end = before === null ? list.length : list.findIndex((m) => m.message === before);
      const start = Math.max(0, end - this.searchStep);
      const words = query.toLocaleLowerCase().split(/\s+/).filter(Boolean);
      return {
        messages: list.slice(start, end).reverse().filter((m) => words.every((/** @type {string} */ word) => m.text.toLocaleLowerCase().includes(word))),
        before: start > 0 ? list[start].message : null,
      };
    },
    set_draft: ({ room, to, text }) => {
      this.drafts = this.drafts.filter((d) => d.room !== room || d.to !== to);
      if (text !== '') this.drafts.push({ room, to, text });
      return {};
    },
    set_setting: ({ name, value }) => {
      this.settings[name] = value;
      this.emit({ kind: 'setting', name, value });
      return {};
    },
    rename_room: ({ room, name }) => {
      this.changeRoom(room, { name });
      return {};
    },
    set_room_prefs: ({ room, favourite, muted }) => {
      this.changeRoom(room, { favourite, muted });
      return {};
    },
    storage: () => {
      const rooms = [...this.messages].map(([room, list]) => ({ room, events: list.length, bytes: list.length * 412 }));
      return { diskBytes: rooms.reduce((sum, { bytes }) => sum + bytes, 262_144), rooms };
    },
    open_link: () => ({}),
    keep_awake: () => ({}),
    has_tray: () => ({ tray: this.tray }),
    print: () => ({}),
    protect: (/** @type {{passphrase: string}} */ _) => {
      this.key = 'passphrase';
      return {};
    },
    history: ({ room, before, limit: asked }) => {
      const limit = Math.min(asked, MAX_PAGE);
      const blocked = (this.members.get(room) ?? []).filter((m) => m.blocked).map((m) => m.author);
      const list = (this.messages.get(room) ?? []).filter((m) => m.direct === null && !blocked.includes(m.author));
      const end = before === null ? list.length : list.findIndex((m) => m.message === before);
      return { messages: list.slice(Math.max(0, end - limit), Math.max(0, end)) };
    },
    send_direct: ({ room, to, clientId, text, replyTo }) => this.addMessage(room, { text, clientId, replyTo, direct: to }),
    direct_history: ({ room, with: other, before, limit: asked }) => {
      const limit = Math.min(asked, MAX_PAGE);
      const list = (this.messages.get(room) ?? []).filter((m) => m.direct === other);
      const end = before === null ? list.length : list.findIndex((m) => m.message === before);
      return { messages: list.slice(Math.max(0, end - limit), Math.max(0, end)) };
    },
    members: ({ room }) => ({ members: this.members.get(room) ?? [] }),
    mark_seen: ({ room }) => {
      this.changeRoom(room, { unread: 0 });
      return {};
    },
    wipe: () => {
      this.rooms.clear();
      return {};
    },
    verify_code: ({ room, author }) => {
      const member = this.#member(room, author);
      return {
        author, name: member.name, digits: '482910337560218844721093365512'.repeat(2), link: 'PEDDLENET:V/AA', svg: fakeCode(),
        verified: member.verifiedAs !== null, keyChanged: member.keyChanged,
      };
    },
    verify_scan: ({ room, author }) => {
      const member = this.#member(room, author);
      member.verifiedAs = member.name;
      return { author };
    },
    set_verified: ({ room, author, on }) => {
      const member = this.#member(room, author);
      member.verifiedAs = on ? member.name : null;
      return {};
    },
    confirm_key: ({ room, author }) => {
      this.#member(room, author).keyChanged = false;
      return {};
    },
    move_on: ({ room }) => {
      const me = /** @type {Member} */ (this.members.get(room)?.find((m) => m.me));
      this.emit({ kind: 'member', room, member: Object.assign(me, { moving: true }) });
      return {};
    },
    confirm_move: ({ room, author }) => {
      const member = this.#member(room, author);
      if (!member.moving) throw { code: 'member_unknown', message: 'That person isn’t in this room.' };
      const next = { ...member, author: this.id(), moving: false, forked: false, verifiedAs: null };
      this.#remove(room, author);
      this.members.get(room)?.push(next);
      this.emit({ kind: 'member', room, member: next });
      return {};
    },
    mute_member: ({ room, author, on }) => {
      this.#member(room, author).muted = on;
      return {};
    },
    block_member: ({ room, author, on }) => {
      this.#member(room, author).blocked = on;
      return {};
    },
    set_role: ({ room, author, role }) => {
      this.#member(room, author).role = role;
      return {};
    },
    remove_member: ({ room, author }) => this.#remove(room, author),
    ban_member: ({ room, author }) => {
      this.messages.set(room, (this.messages.get(room) ?? []).filter((m) => m.author !== author));
      return this.#remove(room, author);
    },
    network_map: ({ room }) => this.maps.get(room) ?? mapOf(this.members.get(room) ?? []),
    diagnostics: () => this.numbers,
    wifi_code: ({ name, password }) => {
      if (name === '' || (password.length > 0 && password.length < 8)) throw { code: 'bad_request', message: 'That request doesn’t make sense here. Check its fields.' };
      return { svg: fakeCode() };
    },
    close_room: ({ room, closed }) => {
      this.changeRoom(room, { closed });
      return {};
    },
    back_up_room: ({ room, on, pass }) => {
      if (pass !== undefined && !/^peddlenet:c\//i.test(pass)) throw { code: 'not_a_pass', message: 'That is not a pass of a box.' };
      this.changeRoom(room, { backup: on, passUntilMs: pass === undefined ? null : Date.UTC(2099, 0, 1) });
      return {};
    },
    leave_room: ({ room, keep }) => {
      if (keep) {
        this.changeRoom(room, { left: true, removed: true, near: 0 });
        return {};
      }
      this.rooms.delete(room);
      this.emit({ kind: 'roomGone', room });
      return {};
    },
  };
}

/**
 * @param {Member[]} members
 * @returns {import('../../ui/ipc/types.js').NetworkMap} Linked ones by a link, reachable ones behind the first of those.
 */
function mapOf(members) {
  const [me, first] = [members.find((m) => m.me), members.find((m) => !m.me && m.state === 'linked')];
  const own = (/** @type {Member} */ m) => !m.me && m.state === 'linked';
  const linksTo = (/** @type {Member} */ m) => {
    if (own(m) && me) return [{ a: me.author, b: m.author, rttMs: 12, lossPercent: 0, via: 'direct' }];
    return m.state === 'reachable' && first ? [{ a: first.author, b: m.author, rttMs: null, lossPercent: null, via: null }] : [];
  };
  return {
    people: members.map((m) => ({
      author: m.author, name: m.name, me: m.me, state: m.state === 'removed' ? 'away' : m.state, hops: m.state === 'away' ? null : m.hops,
      rttMs: own(m) ? 12 : null, lossPercent: own(m) ? 0 : null, via: own(m) ? 'direct' : null,
    })),
    links: members.flatMap((m) => /** @type {import('../../ui/ipc/types.js').MapLink[]} */ (linksTo(m))),
    path: null,
  };
}

/** A device that has just started and met nobody. @returns {import('../../ui/ipc/types.js').Diagnostics} */
export function quietNumbers() {
  return {
    upS: 4, tasks: 12, lan: 'on', near: 0, addresses: ['192.168.4.17'], servers: [], apart: false, attempts: [], failures: [], links: [],
    delivery: { sent: 0, p50Ms: null, p95Ms: null }, counters: [],
  };
}

/** Looks like a code of about 100 bytes; it can't be read. */
function fakeCode() {
  const side = 41;
  const quiet = 4;
  let path = '';
  let seed = 7;
  const finder = (/** @type {number} */ x, /** @type {number} */ y) => {
    for (const [fx, fy] of [[0, 0], [side - 7, 0], [0, side - 7]]) {
      const [dx, dy] = [x - fx, y - fy];
      if (dx < -1 || dy < -1 || dx > 7 || dy > 7) continue;
      const ring = Math.max(Math.abs(dx - 3), Math.abs(dy - 3));
      return ring === 3 || ring <= 1;
    }
    return null;
  };
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      if (finder(x, y) ?? seed % 1000 < 490) path += `M${x + quiet} ${y + quiet}h1v1h-1z`;
    }
  }
  const size = side + 2 * quiet;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges">`
    + `<rect width="${size}" height="${size}" fill="#fff"/><path d="${path}" fill="#000"/></svg>`;
}
