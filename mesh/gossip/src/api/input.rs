//! What goes into the engine.

use peddlenet_wire::{
    AuthorId, EventHash, Frame, RoomTag, Seq, SignedEvent, SignedRecord, Stream, tree::SignedBeacon,
};

use super::{Held, PeerId, QueryId, Ticket, TimerId, UnicastId, Verdict};

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
    /// An event that came over no link: left with a carrier by a member. Checked like any other, and passed on.
    Import {
        /// As signed.
        event: SignedEvent,
    },
    /// The answer to [`Action::Verify`](crate::Action::Verify); each ticket is answered once.
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
    /// Where logs end for the room, all of them: those of members who were removed. What is held beyond is
    /// hidden. Said again whenever it changes, and after a restart.
    Cuts {
        /// The room.
        room: RoomTag,
        /// Whose log, which, the last place that counts, and the event there.
        cuts: Vec<(AuthorId, Stream, Seq, EventHash)>,
    },
    /// Nothing of a log after a place is taken or asked for any more: its author was proven to have forked
    /// it. What is held stays and is given. Said again after a restart.
    EndLog {
        /// The room.
        room: RoomTag,
        /// Whose log.
        author: AuthorId,
        /// Which log.
        stream: Stream,
        /// The last place that is taken. Of several the lowest counts.
        last: Seq,
    },
    /// The room's content is kept for a while only, and a log up to a place was let go of: what lies
    /// there is neither held, taken nor asked for any more. Said again after a restart where nothing
    /// is held of the log.
    LetGo {
        /// The room.
        room: RoomTag,
        /// Whose log.
        author: AuthorId,
        /// Which log.
        stream: Stream,
        /// The last place that was let go. Of several the highest counts.
        last: Seq,
    },
    /// The answer to [`Action::Persist`](crate::Action::Persist); each ticket is answered once.
    Persisted {
        /// Which commit.
        ticket: Ticket,
        /// Whether it is durable now.
        ok: bool,
    },
    /// The answer to [`Action::Load`](crate::Action::Load); each query is answered once.
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
    /// This device is in another network, or was asleep: dials that failed before say nothing of those to come.
    Moved,
    /// Members that could be dialled: the overlay's candidates. May repeat; naming one again says that
    /// it may be reached now, so only when there is news of it (where it is, or that this device's
    /// network changed).
    Known {
        /// The room.
        room: RoomTag,
        /// Who; without this device.
        authors: Vec<AuthorId>,
    },
    /// Members whose devices were just seen near, on this network: a dial is likely to reach them. Whoever
    /// rests after dials that failed is dialled anew, and one that was lost at once, even where there are
    /// links enough: it may be the way to another half.
    Near {
        /// The room.
        room: RoomTag,
        /// Who; without this device.
        authors: Vec<AuthorId>,
    },
    /// The answer to [`Action::Dial`](crate::Action::Dial) that came to nothing; one that succeeded is a `PeerUp`.
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
    /// A message to one member. Answered by [`Action::UnicastDone`](crate::Action::UnicastDone).
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
    /// The answer to [`Action::Beacon`](crate::Action::Beacon): an own sign of life.
    Beacon {
        /// The room.
        room: RoomTag,
        /// As signed.
        beacon: SignedBeacon,
    },
    /// A timer that was armed is due.
    Timer(TimerId),
}
