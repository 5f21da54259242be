//! What the engine tells without asking for anything, and what it counts.

use peddlenet_wire::{AuthorId, EventHash, RoomTag, Seq, Stream};

use super::PeerId;

/// Something worth knowing that asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// Everything that this neighbour had to give in a room has arrived and is durable.
    Synced {
        /// The room.
        room: RoomTag,
        /// The link.
        peer: PeerId,
    },
    /// An author signed two events for one place. Both are kept.
    Fork {
        /// The room.
        room: RoomTag,
        /// Who.
        author: AuthorId,
        /// In which log.
        stream: Stream,
        /// Where the branches part, as far as is known.
        seq: Seq,
        /// Two events that can't both belong to one chain.
        events: [EventHash; 2],
    },
    /// A neighbour did what no honest engine does, or too much of what it may.
    Misbehaved {
        /// The link.
        peer: PeerId,
        /// What.
        why: Why,
    },
    /// How far the history of a room is.
    HistoryProgress {
        /// The room.
        room: RoomTag,
        /// Events that are durable here.
        held: u64,
        /// Events that one neighbour at least still has to give.
        missing: u64,
    },
    /// An own event could not be made durable and was not sent.
    NotSaved {
        /// The room.
        room: RoomTag,
        /// The event.
        event: EventHash,
    },
}

/// What a neighbour did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Why {
    /// Spoke of a room that is not open on this link. Happens when a room was just left.
    NotOpen,
    /// Sent something whose check failed.
    BadSignature,
    /// Sent more than its share of unasked events, heads or wants.
    OverQuota,
    /// Had more wants open than an honest engine has.
    TooManyWants,
    /// Sent a batch that was never asked for, or events that do not belong in it.
    NotWanted,
    /// Offered what it did not give, again and again.
    BrokenPromise,
    /// Sent an event without its body.
    Stripped,
    /// Sent a frame that contradicts itself.
    Nonsense,
    /// Nothing wrong: there are more links than needed.
    Surplus,
}

/// How much of a room is durable here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Events of all streams.
    pub events: u64,
    /// Of those, content.
    pub content: u64,
    /// Logs with at least one event.
    pub logs: usize,
    /// Authors with at least one event.
    pub authors: usize,
    /// Latest records.
    pub records: usize,
    /// Events and records that wait for their author's admission.
    pub parked: usize,
}

/// What the engine has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Frames that came in.
    pub frames_in: u64,
    /// Frames handed out to be sent.
    pub frames_out: u64,
    /// Events and records handed out to be checked.
    pub checks: u64,
    /// Events and records that came in again.
    pub duplicates: u64,
    /// Events delivered.
    pub delivered: u64,
    /// Events and records whose check failed.
    pub refused: u64,
    /// Events and records that were let go because a bound was reached.
    pub overflow: u64,
    /// Wants sent.
    pub wants: u64,
    /// Wants that nobody answered in time.
    pub timeouts: u64,
    /// Wants answered.
    pub served: u64,
    /// Comparisons begun because digests differed.
    pub mismatches: u64,
    /// Times that an author's events were asked of another neighbour.
    pub grafts: u64,
    /// Neighbours told to stop pushing an author's events.
    pub prunes: u64,
    /// Pushed events that waited for what they follow on.
    pub waited: u64,
    /// Authors whose trees were forgotten because there were too many, in rooms that are open.
    pub evictions: u64,
    /// Times that this device asked to be spared as a relay.
    pub chokes: u64,
    /// Of those, comparisons in which this device sent cells.
    pub sketches: u64,
}
