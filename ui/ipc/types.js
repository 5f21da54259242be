/**
 * What crosses between the UI and the shell. The Rust side pins the same shapes in its tests.
 * Ids are lower-case hex; times are milliseconds since 1970.
 *
 * @typedef {string} RoomId
 * @typedef {string} AuthorId
 * @typedef {string} MessageId
 *
 * @typedef {'keychain' | 'passphrase' | 'file'} KeyPlace What keeps the key to this device's data.
 *
 * @typedef {object} Profile
 * @property {string | null} name Empty or null until the first start is done.
 * @property {KeyPlace} key
 *
 * @typedef {object} LastMessage
 * @property {string} name
 * @property {string} text
 * @property {number} timeMs
 * @property {boolean} [deleted]
 * @property {boolean} [newer]
 *
 * @typedef {object} Room
 * @property {RoomId} room
 * @property {string} name
 * @property {number} members Everyone in the room, me included.
 * @property {number} near Members reachable now, not counting me.
 * @property {number} unread
 * @property {number} directUnread Messages to me alone that I have not seen, of people who are neither muted nor blocked.
 * @property {LastMessage | null} last
 * @property {boolean} removed I was removed: the room can be read, and nothing more.
 * @property {boolean} closed It takes nobody new.
 * @property {boolean} backup Members leave sealed copies of what they say with its servers.
 * @property {number | null} passUntilMs When the last day ends for which a box's organiser gave this room a pass; null without one.
 * @property {Rules} rules What it was made with.
 * @property {boolean} favourite On this device only; so is `muted`.
 * @property {boolean} muted
 * @property {boolean} left I left and kept the history; `removed` is true, too.
 * @property {Role | null} role Mine.
 *
 * @typedef {object} Reaction
 * @property {string} reaction
 * @property {AuthorId[]} authors One reaction a person and message.
 *
 * @typedef {object} Message
 * @property {MessageId} message
 * @property {RoomId} room
 * @property {AuthorId} author
 * @property {string} name
 * @property {string} text
 * @property {number} timeMs
 * @property {number} hops
 * @property {boolean} mine
 * @property {string | null} clientId
 * @property {AuthorId[]} seenBy
 * @property {AuthorId | null} direct The other of the two, for a message that only they can read.
 * @property {MessageId | null} replyTo The message it answers, which this device may not have.
 * @property {AuthorId[]} mentions
 * @property {Reaction[]} reactions Most used first.
 * @property {number | null} editedMs
 * @property {boolean} deleted For everyone; the text is empty then.
 * @property {boolean} newer Made by a newer app: it can't be shown, and the text is empty.
 * @property {number} sentTo Own messages: how many neighbours have taken it so far.
 *
 * @typedef {'member' | 'moderator' | 'owner'} Role
 *
 * @typedef {object} Rules What a room is made with; it stays as it is.
 * @property {'shared' | 'fromJoin'} history Whether new people can read what was written before they came.
 * @property {Role} inviters Who may invite: that role and those above.
 * @property {number | null} retentionS After how many seconds messages are let go of; null: never.
 *
 * @typedef {object} Member
 * @property {AuthorId} author
 * @property {string} name
 * @property {'linked' | 'reachable' | 'away' | 'removed'} state
 * @property {number} hops
 * @property {Role} role
 * @property {number | null} sinceMs When they were let in, by the clock of who did that.
 * @property {boolean} me
 * @property {number} directUnread Messages to me alone that I have not seen.
 * @property {string | null} verifiedAs The name under which their key was compared.
 * @property {boolean} muted
 * @property {boolean} blocked
 * @property {boolean} forked Signed two histories: nothing new of theirs is taken.
 * @property {boolean} moving Asks to go on under a new key, and nobody has confirmed it yet.
 * @property {'no' | 'alike' | 'imitates'} lookalike
 * @property {AuthorId | null} imitates
 * @property {boolean} keyChanged A verified name under another key, not accepted yet.
 *
 * @typedef {object} Verify
 * @property {AuthorId} author
 * @property {string} name
 * @property {string} digits 60 of them.
 * @property {string} link
 * @property {string} svg
 * @property {boolean} verified
 * @property {boolean} keyChanged
 *
 * @typedef {object} Invite
 * @property {string} invite
 * @property {string} link
 * @property {string} svg Dark on light with a quiet zone of four modules.
 * @property {number} bytes
 * @property {number} expiresMs
 *
 * @typedef {object} OpenInvite A code of the room that still works.
 * @property {string} invite
 * @property {AuthorId} author Who made it.
 * @property {boolean} mine
 * @property {number} expiresMs
 * @property {number | null} uses Null: as many as come.
 * @property {number} used
 * @property {boolean} poster
 *
 * @typedef {object} Storage
 * @property {number} diskBytes
 * @property {{room: RoomId, events: number, bytes: number}[]} rooms
 *
 * @typedef {object} Found What one step of a search found.
 * @property {Message[]} messages Newest first.
 * @property {MessageId | null} before Where the next step goes on; null: everything was looked at.
 *
 * @typedef {object} Draft
 * @property {RoomId} room
 * @property {AuthorId | null} to
 * @property {string} text
 *
 * @typedef {{result: 'none', why: 'dark' | 'bright' | 'unclear' | null}
 *   | {result: 'invite', link: string}
 *   | {result: 'back', link: string}
 *   | {result: 'verify', code: string}
 *   | {result: 'other', kind: 'newer' | 'wifi' | 'web' | 'contact' | 'other', hint: string}} Scan
 *
 * @typedef {object} Back What a joiner shows to whoever made a code that could not be followed.
 * @property {string} link
 * @property {string} svg
 *
 * @typedef {object} Joined
 * @property {RoomId} room
 * @property {Via} via
 * @property {number} ms
 *
 * @typedef {'dialing' | 'proving' | 'fetching' | 'open'} JoinStage
 *
 * @typedef {{kind: 'message', message: Message}
 *   | {kind: 'changed', message: Message}
 *   | {kind: 'setting', name: string, value: string}
 *   | {kind: 'link', link: string}
 *   | {kind: 'show', room: RoomId}
 *   | {kind: 'sent', room: RoomId, message: MessageId, sentTo: number}
 *   | {kind: 'receipt', room: RoomId, message: MessageId, seenBy: AuthorId[]}
 *   | {kind: 'member', room: RoomId, member: Member}
 *   | {kind: 'room', room: Room}
 *   | {kind: 'letGo', room: RoomId, beforeMs: number}
 *   | {kind: 'roomGone', room: RoomId}
 *   | {kind: 'join', stage: JoinStage}
 *   | {kind: 'fork', room: RoomId, author: AuthorId, me: boolean}
 *   | {kind: 'network'}} UiEvent
 *
 * @typedef {object} Batch
 * @property {number} seq One more than the batch before.
 * @property {UiEvent[]} events
 *
 * @typedef {object} Snapshot
 * @property {number} seq The last batch that this snapshot includes.
 * @property {Profile} profile
 * @property {Room[]} rooms
 * @property {Draft[]} drafts
 * @property {Record<string, string>} settings
 *
 * @typedef {'direct' | 'lan' | 'relay' | 'two-scan' | 'server' | 'turn'} Via How a link came about.
 *
 * @typedef {object} MapPerson
 * @property {AuthorId} author
 * @property {string} name
 * @property {boolean} me
 * @property {'linked' | 'reachable' | 'away'} state
 * @property {number | null} hops
 * @property {number | null} rttMs Own links only; so are the next two.
 * @property {number | null} lossPercent Questions over it that had no answer; null until enough were asked.
 * @property {Via | null} via
 *
 * @typedef {object} MapLink Between two people, each pair once. What a neighbour told of has neither time, nor loss, nor way.
 * @property {AuthorId} a
 * @property {AuthorId} b
 * @property {number | null} rttMs
 * @property {number | null} lossPercent
 * @property {Via | null} via
 *
 * @typedef {object} MessagePath How the last message came here.
 * @property {MessageId} message
 * @property {AuthorId} author
 * @property {AuthorId | null} by The neighbour that handed it over.
 * @property {number} hops Over how many links it came.
 * @property {number} timeMs
 *
 * @typedef {object} NetworkMap
 * @property {MapPerson[]} people
 * @property {MapLink[]} links
 * @property {MessagePath | null} path
 *
 * @typedef {object} ServerState A rendezvous server in use.
 * @property {string} url
 * @property {boolean} box A carrier box that was found on this network.
 * @property {string | null} whyNot Why it is not there, as a library said it; null when it is.
 * @property {string | null} seenAs How this device looks from there: address and port.
 *
 * @typedef {object} Diagnostics
 * @property {number} upS
 * @property {number} tasks Of the runtime, now.
 * @property {'on' | 'off' | 'unavailable'} lan Whether devices are looked for on this network; unavailable: the system refused it.
 * @property {number} near Devices of my rooms that are seen on this network now.
 * @property {string[]} addresses This device's own.
 * @property {ServerState[]} servers
 * @property {boolean} apart Devices are seen, and none can be reached: the network keeps them apart.
 * @property {{via: Via, tried: number, opened: number, beaten: number, p50Ms: number | null, p95Ms: number | null}[]} attempts
 * @property {{via: Via, reason: string, tookMs: number, atMs: number}[]} failures Newest first.
 * @property {{peer: number, via: Via, names: string[], rttMs: number | null, lossPercent: number | null, upS: number, bytesIn: number, bytesOut: number}[]} links
 * @property {{sent: number, p50Ms: number | null, p95Ms: number | null}} delivery From saved to the first that has seen it.
 * @property {[string, number][]} counters
 *
 * @typedef {object} Wifi A network that friends need first.
 * @property {string} name
 * @property {string} password Empty: an open one.
 * @property {boolean} hidden Whether it does not say its name by itself.
 *
 * @typedef {object} Luma A grey picture, row by row, one byte a pixel.
 * @property {number} width
 * @property {number} height
 * @property {Uint8Array} bytes
 * @property {boolean} [live] A frame of the camera: the shell takes a quick look, another kind of look at each.
 */
export {};
