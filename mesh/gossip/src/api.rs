//! What goes into the engine and what comes out.

use peddlenet_wire::{
    AuthorId, EventHash, Frame, RoomTag, Seq, SignedEvent, SignedRecord, Stream, frame::Place,
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

/// How this engine differs from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Config {
    /// Spreads the engines' timers and choices. Any number that other devices are unlikely to have.
    pub salt: u64,
    /// How many links it keeps.
    pub degree: Degree,
    /// What is switched off; nothing in a product.
    pub controls: Controls,
}

/// How many links a device keeps, over all rooms (counts).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Degree {
    /// Neighbours that each room gets at least, while there are members to link with.
    pub floor: usize,
    /// Links that it goes for: 8 on a laptop, 6 on a phone.
    pub active: usize,
    /// Links beyond which surplus ones are closed.
    pub cap: usize,
}

impl Default for Degree {
    fn default() -> Self {
        Self {
            floor: 4,
            active: 8,
            cap: 12,
        }
    }
}

/// One switch per mechanism, for the negative controls of tests: with one off, what it is for
/// has to fail there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Controls {
    /// Heads, digests and fetching.
    pub sync: bool,
    /// Remembering and probing peers that were lost.
    pub lost_peers: bool,
    /// Pruning duplicates, so that trees grow.
    pub prune: bool,
    /// Announcing to pruned links, and grafting what is missing.
    pub lazy: bool,
    /// Other ways for a message to one member when the first fails.
    pub alternates: bool,
    /// Keeping messages for members that are away.
    pub custody: bool,
    /// Taking events elsewhere than from overloaded neighbours.
    pub load: bool,
}

impl Default for Controls {
    fn default() -> Self {
        Self {
            sync: true,
            lost_peers: true,
            prune: true,
            lazy: true,
            alternates: true,
            custody: true,
            load: true,
        }
    }
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

/// Something happened. Each is handled together with the time at which it did.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Input {
    /// A room takes part from now on: at start, after creating it, after joining it.
    OpenRoom {
        /// The room.
        room: RoomTag,
        /// What the store holds of its logs.
        held: Vec<Held>,
        /// What the store holds of its records.
        records: Vec<SignedRecord>,
    },
    /// A room was left. Everything about it is forgotten, also over which links it ran.
    CloseRoom {
        /// The room.
        room: RoomTag,
    },
    /// An own event, freshly sealed. Persisted first, sent when that is done.
    Publish {
        /// As signed. Not delivered back.
        event: SignedEvent,
    },
    /// An own record. Sent and persisted side by side.
    PublishRecord {
        /// As signed. Not delivered back.
        record: SignedRecord,
    },
    /// A member's device proved itself for a room on a link.
    PeerUp {
        /// The link.
        peer: PeerId,
        /// One of the rooms that both ends share.
        room: RoomTag,
        /// Who is at the other end.
        author: AuthorId,
    },
    /// A room no longer runs over a link.
    RoomDown {
        /// The link.
        peer: PeerId,
        /// The room.
        room: RoomTag,
    },
    /// A link is gone, for all rooms.
    PeerDown {
        /// The link.
        peer: PeerId,
    },
    /// A frame came in. Kinds other than events, records, heads, digests, wants and batches are ignored.
    Frame {
        /// Over which link.
        from: PeerId,
        /// What.
        frame: Frame,
    },
    /// The answer to [`Action::Verify`]; each ticket is answered once.
    Verified {
        /// Which check.
        ticket: Ticket,
        /// How it ended.
        verdict: Verdict,
    },
    /// Somebody may count as a member now who did not before: what is parked is checked again.
    MembershipChanged {
        /// The room.
        room: RoomTag,
    },
    /// The answer to [`Action::Persist`]; each ticket is answered once.
    Persisted {
        /// Which commit.
        ticket: Ticket,
        /// Whether it is durable now.
        ok: bool,
    },
    /// The answer to [`Action::Load`]; each query is answered once.
    Loaded {
        /// Which question.
        query: QueryId,
        /// What is there, with the links that each crossed: ascending for a range, newest first for a page.
        events: Vec<(SignedEvent, u8)>,
        /// Whether more would have fitted the question (the driver may stop before its limit).
        more: bool,
    },
    /// How many members a room has, this device's included: it paces the signs of life.
    RoomSize {
        /// The room.
        room: RoomTag,
        /// How many (count).
        members: usize,
    },
    /// Members that could be dialled: the overlay's candidates. May repeat; naming one again says that
    /// it may be reached now, so only when there is news of it (where it is, or that this device's
    /// network changed).
    Known {
        /// The room.
        room: RoomTag,
        /// Who; without this device.
        authors: Vec<AuthorId>,
    },
    /// The answer to [`Action::Dial`] that came to nothing; one that succeeded is a `PeerUp`.
    DialFailed {
        /// The room.
        room: RoomTag,
        /// Who could not be reached.
        author: AuthorId,
    },
    /// How a link does, about once a second.
    Load {
        /// The link.
        peer: PeerId,
        /// The smoothed time of a ping and its answer, in milliseconds.
        rtt_ms: u32,
        /// Bytes that wait to be sent.
        queued_bytes: u64,
        /// What the link carries, in bytes a second; 0 while nobody knows.
        bytes_per_s: u64,
    },
    /// A message to one member. Answered by [`Action::UnicastDone`].
    SendTo {
        /// The room.
        room: RoomTag,
        /// To whom.
        to: AuthorId,
        /// Names it, together with the sender.
        id: UnicastId,
        /// Opaque, at most [`UNICAST_MAX`](peddlenet_wire::limits::UNICAST_MAX) bytes.
        payload: Vec<u8>,
    },
    /// The answer to [`Action::Beacon`]: an own sign of life.
    Beacon {
        /// The room.
        room: RoomTag,
        /// As signed.
        beacon: SignedBeacon,
    },
    /// A timer that was armed is due.
    Timer(TimerId),
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
    /// Its recipient can't be reached; this device keeps it for a day, and up to three neighbours do, too.
    Custody,
    /// Neither, or a day passed.
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

/// Something is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Queue a frame on a link. If it can't be, drop it: the engine recovers.
    Send {
        /// Over which link.
        to: PeerId,
        /// What.
        frame: Frame,
        /// Which way.
        lane: Lane,
    },
    /// Check signature and membership, then answer [`Input::Verified`].
    Verify {
        /// To be named in the answer.
        ticket: Ticket,
        /// What.
        item: Item,
        /// Where it came from first; `None` once that link is forgotten.
        from: Option<PeerId>,
    },
    /// Make these durable, then answer [`Input::Persisted`].
    Persist {
        /// To be named in the answer.
        ticket: Ticket,
        /// Events with the links that each crossed.
        events: Vec<(SignedEvent, u8)>,
        /// Records; each replaces an older one.
        records: Vec<SignedRecord>,
        /// Whether this device signed them.
        own: bool,
    },
    /// Read from the store, then answer [`Input::Loaded`].
    Load {
        /// To be named in the answer.
        query: QueryId,
        /// The question.
        what: Query,
    },
    /// A verified event, new to this device. Live ones come after what they follow on, others may not.
    Deliver {
        /// The event.
        event: SignedEvent,
        /// Links it crossed: a hint, not signed; for history the least that is possible.
        hops: u8,
        /// Whether it was pushed, not fetched, and everything before it was delivered.
        live: bool,
    },
    /// A verified record, newer than what this device had.
    DeliverRecord {
        /// The record.
        record: SignedRecord,
        /// Links it crossed: a hint, not signed.
        hops: u8,
    },
    /// Give [`Input::Timer`] at that time or soon after.
    Arm {
        /// To be named.
        timer: TimerId,
        /// When, on the clock that inputs come with.
        at: peddlenet_wire::Timestamp,
    },
    /// Link up with a member, by whatever way there is; then `PeerUp` or `DialFailed`. A neighbour
    /// may have made the name up: who is no member is not dialled, that fails.
    Dial {
        /// The room.
        room: RoomTag,
        /// Who.
        author: AuthorId,
    },
    /// A message to this member, new to this device.
    DeliverTo {
        /// The room.
        room: RoomTag,
        /// From whom; a claim that the payload has to prove.
        from: AuthorId,
        /// Names it.
        id: UnicastId,
        /// As given to `SendTo`.
        payload: Vec<u8>,
    },
    /// The answer to [`Input::SendTo`].
    UnicastDone {
        /// The room.
        room: RoomTag,
        /// Which.
        id: UnicastId,
        /// How it ended.
        outcome: Outcome,
    },
    /// Sign a beacon now, then give [`Input::Beacon`].
    Beacon {
        /// The room.
        room: RoomTag,
    },
    /// A member gave a sign of life, newer than what this device had.
    Heard {
        /// The room.
        room: RoomTag,
        /// Who.
        author: AuthorId,
        /// Links it crossed: a hint, not signed.
        hops: u8,
    },
    /// Something worth knowing.
    Notify(Notice),
    /// Close a link, then give [`Input::PeerDown`]. What it still sends is ignored.
    Drop {
        /// The link.
        peer: PeerId,
        /// Why.
        why: Why,
    },
}

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
    /// An author signed two events for one place. Both are kept; the first stays the head.
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
    /// Times that this device asked to be spared as a relay.
    pub chokes: u64,
    /// Of those, comparisons in which this device sent cells.
    pub sketches: u64,
}
