//! What goes in and what comes out.

use peddlenet_wire::{AuthorId, EventHash, Hlc, RoomTag, Seq, Stream, record::RecordKind};

use crate::{Ranges, limits::RANGES_MAX};

/// Where an event stands. The hash at the end lets both branches of a fork in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey {
    /// The room.
    pub room: RoomTag,
    /// Who signed it.
    pub author: AuthorId,
    /// Which of the author's logs.
    pub stream: Stream,
    /// The position in that log.
    pub seq: Seq,
    /// The event's name.
    pub hash: EventHash,
}

/// An event as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Where it stands.
    pub key: EventKey,
    /// The signed clock: the order of [`Store::page`](crate::Store::page).
    pub clock: Hlc,
    /// Links it crossed on its way here: a hint, not signed.
    pub hops: u8,
    /// Header and signature as received. Stays when the body goes.
    pub header: Vec<u8>,
    /// The sealed body; `None` once it was deleted, or where it never came.
    pub body: Option<Vec<u8>>,
}

/// A record of which only the latest by clock stays, per room, kind and author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// The room.
    pub room: RoomTag,
    /// Which record.
    pub kind: RecordKind,
    /// Who signed it.
    pub author: AuthorId,
    /// The signed clock; of two equal clocks the greater bytes win, the same on every device.
    pub clock: Hlc,
    /// The record as received.
    pub bytes: Vec<u8>,
}

/// What somebody said about a message: an edit, a deletion, a reaction. Of each author and kind only the
/// latest by clock stays. It goes with the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredNote {
    /// The room.
    pub room: RoomTag,
    /// The message it is about, which need not be there yet.
    pub target: EventHash,
    /// Which note: the caller's number.
    pub kind: u8,
    /// Who said it.
    pub author: AuthorId,
    /// The signed clock; of two equal clocks the greater event wins.
    pub clock: Hlc,
    /// The event that said it.
    pub event: EventHash,
    /// What the caller wants to find again, small.
    pub value: Vec<u8>,
}

/// One change. A commit applies its writes in order, all or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// An event from elsewhere. One that is there already stays as it is, except that a body
    /// fills a stub whose body never came.
    Event(StoredEvent),
    /// An event that this device signed. Its position goes into the guard before the commit
    /// returns, and a position that the guard knows under another hash is refused.
    OwnEvent(StoredEvent),
    /// Delete a body, keep the stub, and never take the body back.
    DeleteBody(EventKey),
    /// A latest-wins record.
    Record(StoredRecord),
    /// Something said about a message.
    Note(StoredNote),
    /// Something that waits to be sent, by room and event; `None` removes it.
    Outbox {
        /// The room.
        room: RoomTag,
        /// The event that waits.
        hash: EventHash,
        /// What to remember about it.
        value: Option<Vec<u8>>,
    },
    /// What this device knows about another; `None` removes it.
    Peer {
        /// The caller's name for it.
        key: Vec<u8>,
        /// What to remember.
        value: Option<Vec<u8>>,
    },
    /// Anything else the program keeps; `None` removes it.
    Meta {
        /// The caller's name for it.
        key: Vec<u8>,
        /// What to remember.
        value: Option<Vec<u8>>,
    },
}

impl Write {
    /// The bytes of its value, for filling a group.
    pub fn size(&self) -> usize {
        match self {
            Self::Event(event) | Self::OwnEvent(event) => event
                .header
                .len()
                .saturating_add(event.body.as_ref().map_or(0, Vec::len)),
            Self::DeleteBody(_) => 0,
            Self::Record(record) => record.bytes.len(),
            Self::Note(note) => note.value.len(),
            Self::Outbox { value, .. } | Self::Peer { value, .. } | Self::Meta { value, .. } => {
                value.as_ref().map_or(0, Vec::len)
            }
        }
    }
}

/// What the store holds of one stream: where gossip starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Whose log.
    pub author: AuthorId,
    /// Which log.
    pub stream: Stream,
    /// The positions that are there, at most [`RANGES_MAX`] ranges.
    pub ranges: Ranges,
    /// The highest position, also when its event was let go since.
    pub head: Seq,
    /// The event there; of a fork, the one with the greatest hash, whichever came first.
    pub head_hash: EventHash,
    /// Events stored, forks counted twice: more than the ranges hold means a fork, or ranges that were too many.
    pub events: u64,
    /// Bytes of those events: headers, signatures and bodies.
    pub bytes: u64,
}

impl Held {
    /// Where the log ends, and nothing held of it.
    pub(crate) fn emptied(self) -> Self {
        Self {
            ranges: Ranges::default(),
            events: 0,
            bytes: 0,
            ..self
        }
    }

    /// Takes in an event that was not counted yet, of `size` bytes.
    pub(crate) fn count(&mut self, key: &EventKey, size: u64) {
        self.hold(key.seq);
        self.events = self.events.saturating_add(1);
        self.bytes = self.bytes.saturating_add(size);
        if (key.seq, key.hash) > (self.head, self.head_hash) {
            (self.head, self.head_hash) = (key.seq, key.hash);
        }
    }

    /// Notes a position; of too many ranges the lowest goes. Tells whether the position was new.
    pub(crate) fn hold(&mut self, seq: Seq) -> bool {
        let new = self.ranges.insert(seq);
        self.ranges.truncate_oldest(RANGES_MAX);
        new
    }
}

/// What [`Store::evict`](crate::Store::evict) deleted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evicted {
    /// The places, by author.
    pub places: Vec<(AuthorId, Seq)>,
    /// Bytes of events that are gone.
    pub freed: u64,
    /// The last event that was looked at: where to go on.
    pub upto: Option<(Hlc, EventHash)>,
    /// Whether there are events behind it.
    pub more: bool,
}

/// What this device signed in one stream, and what the store still has of it.
///
/// The guard is a file of its own, fsynced before an own event is acknowledged. A store that was
/// rolled back (an old backup, a quarantined database) is behind it, and signing on from there
/// would give one position two events: a fork that freezes the author.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnHead {
    /// The room.
    pub room: RoomTag,
    /// This device's author in that room.
    pub author: AuthorId,
    /// Which log.
    pub stream: Stream,
    /// The last position signed, and the event there.
    pub guarded: (Seq, EventHash),
    /// The last position in the store, and the event there.
    pub stored: Option<(Seq, EventHash)>,
}

impl OwnHead {
    /// Whether the store is older than what this device has signed.
    pub fn rolled_back(&self) -> bool {
        self.stored.is_none_or(|(seq, hash)| {
            seq < self.guarded.0 || (seq == self.guarded.0 && hash != self.guarded.1)
        })
    }
}

/// Figures for `stats` and the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreStats {
    /// Commits since the store was opened.
    pub commits: u64,
    /// Writes in them.
    pub writes: u64,
    /// Bytes on disk (in memory: of keys and values).
    pub disk_bytes: u64,
}
