//! What goes into the engine and what comes out.

mod action;
mod config;
mod input;
mod notice;

pub use action::Action;
pub use config::{Config, Controls, Degree};
pub use input::Input;
pub use notice::{Counts, Notice, Stats, Why};

use peddlenet_wire::{
    AuthorId, EventHash, RoomTag, Seq, SignedEvent, SignedRecord, Stream, frame::Place,
    tree::SignedBeacon,
};

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);
    )*};
}

numbers! {
    /// A link, numbered by the driver. A number is not used again.
    PeerId;
    /// A check or a commit under way, numbered by the engine.
    Ticket;
    /// A question to the store, numbered by the engine.
    QueryId;
    /// A timer, numbered by the engine.
    TimerId;
}

/// What the store holds of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Whose log.
    pub author: AuthorId,
    /// Which log.
    pub stream: Stream,
    /// The positions that are there, both ends included.
    pub ranges: Vec<(Seq, Seq)>,
    /// The event at the highest position; of a fork, the one that came first.
    pub hash: EventHash,
}

/// A message to one member, unique per sender and room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnicastId(pub [u8; 8]);

/// How a message to one member ended. After [`Self::Custody`] comes one of the others, once it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Its recipient's engine has it, as those on the way say: a proof is for the payload's reader to give.
    Delivered,
    /// Its recipient can't be reached; this device keeps it for three days, and up to three neighbours do, too.
    Custody,
    /// Neither, or three days passed.
    Failed,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The signature is good and its author was a member.
    Accept,
    /// The signature is bad, or its author may certainly not do this. Counts against who sent it:
    /// no honest neighbour passes such a thing on.
    Reject,
    /// It counts for nothing, and who passed it on may not know why: it lies beyond where a removed
    /// member's log was cut. It is let go, and nobody is blamed.
    Drop,
    /// Its author is not known as a member, yet. The item is checked again when membership changes,
    /// so that its signature need not have been looked at.
    Later,
}

/// What is to be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An event.
    Event(SignedEvent),
    /// A record.
    Record(SignedRecord),
    /// A sign of life.
    Beacon(RoomTag, SignedBeacon),
}

/// Which of a link's ways a frame takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// In order: live traffic and small control frames.
    Ordered,
    /// History and records in bulk; never in front of live traffic.
    Bulk,
}

/// A question to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Query {
    /// Events of one log, ascending; both branches of a fork.
    Range {
        /// The room.
        room: RoomTag,
        /// Whose log.
        author: AuthorId,
        /// Which log.
        stream: Stream,
        /// The first position.
        from: Seq,
        /// The last position.
        to: Seq,
        /// At most as many events.
        limit: usize,
    },
    /// Content of a room by clock, newest first.
    Page {
        /// The room.
        room: RoomTag,
        /// Only what is older than this; `None` from the newest.
        before: Option<Place>,
        /// At most as many events.
        limit: usize,
    },
}
