//! Every bound that crates share, in one place. Bounds of one room stand in that room.
//!
//! Bytes unless the name says otherwise.

use std::time::Duration;

/// One frame on a link, encoded. Fits a data-channel message of 64 KiB.
pub const FRAME_MAX: usize = 64 * 1024;
/// One event, encoded: header, signature and body. Leaves room for the frame around it, and fits
/// sled's safe value size.
pub const EVENT_MAX: usize = 48 * 1024;
/// An event's header.
pub const HEADER_MAX: usize = 1024;
/// An event's body as sealed.
pub const BODY_MAX: usize = EVENT_MAX - HEADER_MAX - 256;
/// The text of one message, UTF-8.
pub const TEXT_MAX: usize = 16 * 1024;
/// People that one message may name (count).
pub const MENTIONS_MAX: usize = 32;
/// A reaction, UTF-8: the longest emoji sequences in use have 35 bytes.
pub const REACTION_MAX: usize = 40;
/// A person's or a room's name, UTF-8.
pub const NAME_MAX: usize = 64;
/// Cross-author parents in a header (count).
pub const PARENTS_MAX: usize = 4;
/// A latest-wins record, encoded.
pub const RECORD_MAX: usize = 8 * 1024;
/// Authors in one receipt vector (count).
pub const RECEIPT_ENTRIES_MAX: usize = 170;
/// Addresses in a whereabouts record (count).
pub const ADDRESSES_MAX: usize = 8;
/// Events in one batch (count).
pub const BATCH_EVENTS_MAX: usize = 256;
/// The bytes of events that a batch is filled up to.
pub const BATCH_FILL: usize = 56 * 1024;
/// Heads in one frame (count); more heads travel in further frames.
pub const HEADS_MAX: usize = 500;
/// Cells of one comparison of heads (count); whoever needs more sends all heads (design: 2000 symbols).
pub const SKETCH_CELLS_MAX: usize = 2_000;
/// Entries in one frame that shapes the trees: Ihave, Prune, Graft (count).
pub const TREE_ENTRIES_MAX: usize = 256;
/// Members named in one frame about neighbours (count).
pub const PEERS_MAX: usize = 16;
/// A message to one member, as sealed.
pub const UNICAST_MAX: usize = 8 * 1024;
/// The text of one direct message, UTF-8. What is around it when it travels fits [`UNICAST_MAX`] with it.
pub const DIRECT_TEXT_MAX: usize = 7 * 1024;
/// What one room may take of a device's disk, headers and bodies (bytes).
pub const ROOM_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Rooms that one device is in (count). Also the room offers in one frame.
pub const ROOMS_MAX: usize = 64;
/// Members of one room that this build keeps (count).
pub const MEMBERS_MAX: usize = 5_000;
/// Authors of one room of whom this build keeps membership events, those that left included (count).
pub const AUTHORS_MAX: usize = 2 * MEMBERS_MAX;
/// Membership events of one author (count): more than anybody needs who lets a whole room in.
pub const MEMBERSHIP_EVENTS_MAX: u64 = 16_384;
/// Key boxes in one event (count): 90 of 88 bytes stay below 8 KB (design).
pub const KEY_BOXES_MAX: usize = 90;
/// Removals that one rekey names beyond those of the epoch before (count).
pub const REKEY_KNOWN_MAX: usize = 512;
/// Epochs that one frame asks for (count).
pub const EPOCHS_ASKED_MAX: usize = 32;
/// Epochs whose keys one room keeps (count).
pub const EPOCHS_MAX: usize = 256;
/// Events in the proof that an answerer belongs to the room: `create` and the chain of admits (count).
pub const PROOF_EVENTS_MAX: usize = 64;
/// Invites of one device that are open at a time (count), over all rooms.
pub const OPEN_INVITES_MAX: usize = 16;
/// Admits between a room's creator and one member (count): how deep invitations may nest.
pub const CREDENTIALS_MAX: usize = 60;
/// Text of an invite link before it is decoded.
pub const LINK_TEXT_MAX: usize = 1024;
/// Days of one carry pass (count).
pub const PASS_DAYS_MAX: usize = 14;
/// A carry pass, encoded.
pub const PASS_MAX: usize = 1 + 32 + 4 + 4 + 32 + 64 * PASS_DAYS_MAX;
/// Text of a carry pass before it is decoded: 1,563 characters, and the white space that chat programs put in.
pub const PASS_TEXT_MAX: usize = 2 * 1024;
/// A rendezvous server's address in an invite.
pub const SERVER_MAX: usize = 128;
/// A message through a rendezvous server, before it is sealed.
pub const SIGNAL_MAX: usize = RECORD_MAX + 64;
/// Links of one device (count).
pub const LINKS_MAX: usize = 12;
/// Links beside those, for joiners that were just admitted (count).
pub const JOIN_SLOTS: usize = 32;

/// How long an invite lasts where nothing else is asked.
pub const INVITE_TTL: Duration = Duration::from_secs(600);
/// The longest an invite may last.
pub const INVITE_TTL_MAX: Duration = Duration::from_secs(7 * 24 * 3600);
/// A join that has not opened by then failed.
pub const JOIN_DEADLINE: Duration = Duration::from_secs(5);
