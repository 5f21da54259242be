//! What comes out of the engine.

use peddlenet_wire::{AuthorId, Frame, RoomTag, SignedEvent, SignedRecord};

use super::{Item, Lane, Notice, Outcome, PeerId, Query, QueryId, Ticket, TimerId, UnicastId, Why};

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
    /// Check signature and membership, then answer [`Input::Verified`](crate::Input::Verified).
    Verify {
        /// To be named in the answer.
        ticket: Ticket,
        /// What.
        item: Item,
        /// Where it came from first; `None` once that link is forgotten.
        from: Option<PeerId>,
    },
    /// Make these durable, then answer [`Input::Persisted`](crate::Input::Persisted).
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
    /// Read from the store, then answer [`Input::Loaded`](crate::Input::Loaded).
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
        /// Whether it is durable already: one that waited for what it follows on may be. Otherwise its
        /// commit is under way.
        saved: bool,
    },
    /// A verified record, newer than what this device had.
    DeliverRecord {
        /// The record.
        record: SignedRecord,
        /// Links it crossed: a hint, not signed.
        hops: u8,
    },
    /// Give [`Input::Timer`](crate::Input::Timer) at that time or soon after.
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
    /// The answer to [`Input::SendTo`](crate::Input::SendTo).
    UnicastDone {
        /// The room.
        room: RoomTag,
        /// Which.
        id: UnicastId,
        /// How it ended.
        outcome: Outcome,
    },
    /// Sign a beacon now, then give [`Input::Beacon`](crate::Input::Beacon).
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
    /// Close a link, then give [`Input::PeerDown`](crate::Input::PeerDown). What it still sends is ignored.
    Drop {
        /// The link.
        peer: PeerId,
        /// Why.
        why: Why,
    },
}
