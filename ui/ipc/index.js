/**
 * The shell's commands as typed functions. Nothing else in `ui/` knows a command's name.
 *
 * Every function rejects with an `IpcError`, whose message is a plain sentence to be shown as it is.
 */
import { toBase64 } from '../lib/luma.js';
import { refusal, t } from '../strings/index.js';
import { channel, invoke, rawBodies } from './tauri.js';

/**
 * @typedef {import('./types.js').RoomId} RoomId
 * @typedef {import('./types.js').AuthorId} AuthorId
 * @typedef {import('./types.js').MessageId} MessageId
 * @typedef {import('./types.js').Verify} Verify
 * @typedef {import('./types.js').Message} Message
 * @typedef {import('./types.js').Member} Member
 * @typedef {import('./types.js').Invite} Invite
 * @typedef {import('./types.js').Joined} Joined
 * @typedef {import('./types.js').Back} Back
 * @typedef {import('./types.js').Batch} Batch
 * @typedef {import('./types.js').Snapshot} Snapshot
 * @typedef {import('./types.js').Scan} Scan
 * @typedef {import('./types.js').Luma} Luma
 * @typedef {import('./types.js').Role} Role
 * @typedef {import('./types.js').Rules} Rules
 * @typedef {import('./types.js').OpenInvite} OpenInvite
 * @typedef {import('./types.js').Storage} Storage
 * @typedef {import('./types.js').Found} Found
 * @typedef {import('./types.js').NetworkMap} NetworkMap
 * @typedef {import('./types.js').Diagnostics} Diagnostics
 * @typedef {import('./types.js').Wifi} Wifi
 */

export class IpcError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.name = 'IpcError';
    this.code = code;
  }
}

/**
 * What went wrong, for a person.
 * @param {unknown} error
 * @returns {string}
 */
export function sentence(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Whatever a command rejected with, as an error that can be shown.
 * @param {unknown} cause
 * @returns {IpcError}
 */
export function toIpcError(cause) {
  if (cause instanceof IpcError) return cause;
  const { code, message } = /** @type {{code?: unknown, message?: unknown}} */ (cause ?? {});
  if (typeof code === 'string' && typeof message === 'string' && message !== '') {
    return new IpcError(code, refusal(code, message));
  }
  // A string or a foreign exception says nothing to a person: keep it for the console only.
  console.error('unexpected failure of a command', cause);
  return new IpcError('internal', t('error.unknown'));
}

/**
 * @template T
 * @param {string} command
 * @param {object} [args]
 * @param {Record<string, string>} [headers]
 * @returns {Promise<T>}
 */
async function call(command, args, headers) {
  try {
    return /** @type {T} */ (await invoke(command, args, headers));
  } catch (cause) {
    throw toIpcError(cause);
  }
}

export const ipc = Object.freeze({
  /**
   * Rejects with the code `locked` while the profile is under a passphrase that was not given yet.
   * @param {(batch: Batch) => void} onBatch
   * @returns {Promise<Snapshot>}
   */
  async subscribe(onBatch) {
    try {
      return await call('subscribe', { channel: channel(onBatch) });
    } catch (cause) {
      throw toIpcError(cause); // outside of the app there is no channel to make
    }
  },

  /**
   * Opens a locked profile; `subscribe` works from then on. Rejects with `wrong_passphrase`.
   * @param {string} passphrase
   * @returns {Promise<void>}
   */
  unlock: (passphrase) => call('unlock', { passphrase }),

  /**
   * Puts a profile that has no room yet under a passphrase; subscribe again afterwards. Rejects with `not_new`.
   * @param {string} passphrase
   * @returns {Promise<void>}
   */
  protect: (passphrase) => call('protect', { passphrase }),

  /** @returns {Promise<Snapshot>} */
  snapshot: () => call('snapshot'),

  /**
   * @param {string} name
   * @returns {Promise<void>}
   */
  setName: (name) => call('set_name', { name }),

  /**
   * @param {string} name
   * @param {Rules} options
   * @returns {Promise<{room: RoomId}>}
   */
  createRoom: (name, options) => call('create_room', { name, options }),

  /**
   * @param {RoomId} room
   * @param {number} ttlS
   * @param {number | null} uses Null: as many as come.
   * @param {boolean} poster Whether it is to be printed.
   * @returns {Promise<Invite>}
   */
  createInvite: (room, ttlS, uses, poster) => call('create_invite', { room, ttlS, uses, poster }),

  /**
   * @param {RoomId} room
   * @returns {Promise<{invites: OpenInvite[]}>}
   */
  invites: (room) => call('invites', { room }),

  /**
   * @param {RoomId} room
   * @param {string} invite
   * @returns {Promise<void>}
   */
  revokeInvite: (room, invite) => call('revoke_invite', { room, invite }),

  /**
   * @param {Luma} frame
   * @returns {Promise<Scan>}
   */
  scanFrame({ width, height, bytes, live = false }) {
    return rawBodies()
      ? call('scan_frame', bytes, { 'pn-width': String(width), 'pn-height': String(height), 'pn-live': live ? '1' : '0' })
      : call('scan_frame', { width, height, live, luma: toBase64(bytes) });
  },

  /**
   * @param {string} link
   * @returns {Promise<Joined>}
   */
  joinRoom: (link) => call('join_room', { link }),

  /** Ends what `joinRoom` or `joinShownBack` do. @returns {Promise<void>} */
  cancelJoin: () => call('cancel_join'),

  /**
   * What to show to whoever made a code whose device can't be reached. It names this device's addresses of now.
   * @param {string} link The code that could not be followed.
   * @returns {Promise<Back>}
   */
  backCode: (link) => call('back_code', { link }),

  /**
   * Joins while that is shown: tries for a minute, and rejects as `joinRoom` does.
   * @param {string} link
   * @returns {Promise<Joined>}
   */
  joinShownBack: (link) => call('join_shown_back', { link }),

  /**
   * Lets a joiner in whose screen was scanned. Rejects with `invite_unknown` where none of this device's codes was theirs.
   * @param {string} link What the joiner shows back.
   * @returns {Promise<void>}
   */
  answerBack: (link) => call('answer_back', { link }),

  /**
   * Resolves once the message is on disk.
   * @param {RoomId} room
   * @param {string} clientId
   * @param {string} text
   * @param {MessageId | null} replyTo
   * @param {AuthorId[]} mentions
   * @returns {Promise<Message>}
   */
  sendMessage: (room, clientId, text, replyTo, mentions) => call('send_message', { room, clientId, text, replyTo, mentions }),

  /**
   * One message by its id. Rejects with `message_unknown`.
   * @param {RoomId} room
   * @param {MessageId} message
   * @returns {Promise<Message>}
   */
  message: (room, message) => call('message', { room, message }),

  /**
   * Own messages only.
   * @param {RoomId} room
   * @param {MessageId} message
   * @param {string} text
   * @returns {Promise<Message>}
   */
  editMessage: (room, message, text) => call('edit_message', { room, message, text }),

  /**
   * Own messages only, and for everyone.
   * @param {RoomId} room
   * @param {MessageId} message
   * @returns {Promise<Message>}
   */
  deleteMessage: (room, message) => call('delete_message', { room, message }),

  /**
   * @param {RoomId} room
   * @param {MessageId} message
   * @param {string} reaction At most 32 bytes; empty takes mine back.
   * @returns {Promise<Message>}
   */
  react: (room, message, reaction) => call('react', { room, message, reaction }),

  /**
   * Looks at some thousand messages a call, from the newest on.
   * @param {RoomId} room
   * @param {string} query
   * @param {MessageId | null} before Where the last call stopped; null: from the newest.
   * @returns {Promise<Found>}
   */
  search: (room, query, before) => call('search', { room, query, before }),

  /**
   * Keeps what is being written, sealed; an empty text forgets it.
   * @param {RoomId} room
   * @param {AuthorId | null} to Who alone is written to.
   * @param {string} text
   * @returns {Promise<void>}
   */
  setDraft: (room, to, text) => call('set_draft', { room, to, text }),

  /**
   * @param {RoomId} room
   * @param {MessageId | null} before
   * @param {number} limit
   * @returns {Promise<{messages: Message[]}>} Oldest first.
   */
  history: (room, before, limit) => call('history', { room, before, limit }),

  /**
   * Resolves once the message is on disk.
   * @param {RoomId} room
   * @param {AuthorId} to Who alone can read it.
   * @param {string} clientId
   * @param {string} text
   * @param {MessageId | null} replyTo
   * @returns {Promise<Message>}
   */
  sendDirect: (room, to, clientId, text, replyTo) => call('send_direct', { room, to, clientId, text, replyTo }),

  /**
   * @param {RoomId} room
   * @param {AuthorId} other
   * @param {MessageId | null} before
   * @param {number} limit
   * @returns {Promise<{messages: Message[]}>} Oldest first.
   */
  directHistory: (room, other, before, limit) => call('direct_history', { room, with: other, before, limit }),

  /**
   * @param {RoomId} room
   * @returns {Promise<{members: Member[]}>}
   */
  members: (room) => call('members', { room }),

  /**
   * @param {RoomId} room
   * @param {MessageId} message
   * @returns {Promise<void>}
   */
  markSeen: (room, message) => call('mark_seen', { room, message }),

  /**
   * @param {RoomId} room
   * @param {boolean} keep Whether what was said stays readable on this device.
   * @returns {Promise<void>}
   */
  leaveRoom: (room, keep) => call('leave_room', { room, keep }),

  /**
   * For everyone; moderators and the owner.
   * @param {RoomId} room
   * @param {string} name
   * @returns {Promise<void>}
   */
  renameRoom: (room, name) => call('rename_room', { room, name }),

  /**
   * On this device only; a `room` event follows.
   * @param {RoomId} room
   * @param {{favourite: boolean, muted: boolean}} prefs
   * @returns {Promise<void>}
   */
  setRoomPrefs: (room, { favourite, muted }) => call('set_room_prefs', { room, favourite, muted }),

  /** @returns {Promise<Storage>} */
  storage: () => call('storage'),

  /**
   * @param {string} name
   * @param {string} value At most 1 KiB.
   * @returns {Promise<void>}
   */
  setSetting: (name, value) => call('set_setting', { name, value }),

  /**
   * Opens an address outside of the app. The page has asked the person before.
   * @param {string} url http or https.
   * @returns {Promise<void>}
   */
  openLink: (url) => call('open_link', { url }),

  /**
   * Keeps the screen on while a code is shown.
   * @param {boolean} on
   * @returns {Promise<void>}
   */
  keepAwake: (on) => call('keep_awake', { on }),

  /**
   * Whether there is a place for an icon that brings the window back when it was closed.
   * @returns {Promise<{tray: boolean}>}
   */
  hasTray: () => call('has_tray'),

  /** Opens the system's dialog for printing the page. @returns {Promise<void>} */
  print: () => call('print'),

  /**
   * Says which room is on the screen, so that the desktop stays silent about it.
   * @param {RoomId | null} room
   * @returns {Promise<void>}
   */
  lookingAt: (room) => call('looking_at', { room }),

  /**
   * Destroys the key and everything on this device; the app ends.
   * @returns {Promise<void>}
   */
  wipe: () => call('wipe'),

  /**
   * @param {RoomId} room
   * @param {AuthorId} author
   * @returns {Promise<Verify>}
   */
  verifyCode: (room, author) => call('verify_code', { room, author }),

  /**
   * @param {RoomId} room
   * @param {AuthorId} author Whose screen was scanned.
   * @param {string} code
   * @returns {Promise<{author: AuthorId}>}
   */
  verifyScan: (room, author, code) => call('verify_scan', { room, author, code }),

  /**
   * @param {RoomId} room
   * @param {AuthorId} author
   * @param {boolean} on
   * @returns {Promise<void>}
   */
  setVerified: (room, author, on) => call('set_verified', { room, author, on }),

  /**
   * @param {RoomId} room
   * @param {AuthorId} author
   * @returns {Promise<void>}
   */
  confirmKey: (room, author) => call('confirm_key', { room, author }),

  /**
   * Asks to go on under a new key in a room where this device signed two histories.
   * @param {RoomId} room
   * @returns {Promise<void>}
   */
  moveOn: (room) => call('move_on', { room }),

  /**
   * Lets a member go on under the new key they asked for.
   * @param {RoomId} room
   * @param {AuthorId} author
   * @returns {Promise<void>}
   */
  confirmMove: (room, author) => call('confirm_move', { room, author }),

  /**
   * @param {RoomId} room
   * @param {AuthorId} author
   * @param {boolean} on
   * @returns {Promise<void>}
   */
  mute: (room, author, on) => call('mute_member', { room, author, on }),

  /**
   * @param {RoomId} room
   * @param {AuthorId} author
   * @param {boolean} on
   * @returns {Promise<void>}
   */
  block: (room, author, on) => call('block_member', { room, author, on }),

  /**
   * @param {RoomId} room
   * @param {AuthorId} author
   * @param {Role} role
   * @returns {Promise<void>}
   */
  setRole: (room, author, role) => call('set_role', { room, author, role }),

  /**
   * @param {RoomId} room
   * @param {AuthorId} author
   * @returns {Promise<void>}
   */
  removeMember: (room, author) => call('remove_member', { room, author }),

  /**
   * Removes them, and what they wrote is shown to nobody.
   * @param {RoomId} room
   * @param {AuthorId} author
   * @returns {Promise<void>}
   */
  banMember: (room, author) => call('ban_member', { room, author }),

  /**
   * @param {RoomId} room
   * @param {boolean} closed Whether it takes nobody new.
   * @returns {Promise<void>}
   */
  closeRoom: (room, closed) => call('close_room', { room, closed }),

  /**
   * @param {RoomId} room
   * @param {boolean} on Whether members leave sealed copies of what they say with its servers. Takes the owner.
   * @param {string} [pass] What the organiser of a box gave, as text.
   * @returns {Promise<void>}
   */
  backUpRoom: (room, on, pass) => call('back_up_room', { room, on, ...(pass === undefined ? {} : { pass }) }),

  /**
   * Who can be reached, over whom, and how the last message came.
   * @param {RoomId} room
   * @returns {Promise<NetworkMap>}
   */
  networkMap: (room) => call('network_map', { room }),

  /** @returns {Promise<Diagnostics>} */
  diagnostics: () => call('diagnostics'),

  /**
   * The code that gets a phone onto a network. Rejects with `bad_request` without a name, or with a password that is too short.
   * @param {Wifi} wifi
   * @returns {Promise<{svg: string}>}
   */
  wifiCode: ({ name, password, hidden }) => call('wifi_code', { name, password, hidden }),
});

/** @typedef {typeof ipc} Ipc */
