//! What crosses an authenticated link.
//!
//! Encoded as `[kind, {fields}]`, one frame a data-channel message, at most
//! [`limits::FRAME_MAX`] bytes. A kind that this build does not know decodes to
//! [`Frame::Unknown`] and is ignored, so that a newer build may say more.
//!
//! ```text
//!  link opens   Rooms (what do we share?) -> Open (here I am this author) per shared room
//!  room opens   Heads both ways -> Want -> Batch .. Batch(done)
//!  live         Event, Record, Beacon: along the author's tree. Prune, Ihave, Graft, Choke shape the trees
//!  to one      Route there, RouteReply back; relays pass both on
//!  now and then DigestOf: equal means nothing is missing; else Sketch, and Heads where that fails. Peers: whom else to link up with
//!  keys         NeedEpochs -> Epochs, for who was not there when an epoch began; Removed, for who is out
//!  joining      JoinRequest -> Welcome | Refuse, before any of the above
//! ```

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::{
    codec::{self, Capped, WireError},
    content::kinds,
    event::SignedEvent,
    ids::{AuthorId, EpochId, EventHash, RoomTag, Seq, Signature, Stream},
    join::{EpochGrant, JoinRequest, Refuse, Welcome},
    limits,
    peers::Peers,
    record::SignedRecord,
    route::{Route, RouteReply},
    sketch::{DigestOf, Sketch},
    time::Hlc,
    tree::{Beacon, Choke, Graft, Ihave, Prune},
};

/// One message on a link.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame {
    /// Which rooms may we share?
    Rooms(Rooms),
    /// I am this member of this room.
    Open(Open),
    /// I left this room, or never was in it.
    Close(Close),
    /// A new event.
    Event(Event),
    /// A newer record.
    Record(Record),
    /// What I hold; fetch what you lack.
    Heads(Heads),
    /// Give me these.
    Want(Want),
    /// Here they are.
    Batch(Batch),
    /// A summary of what I hold: does it differ from yours?
    DigestOf(DigestOf),
    /// A signed sign of life of some member.
    Beacon(Beacon),
    /// Events that I hold and did not push to you.
    Ihave(Ihave),
    /// Don't push events of these authors to me: I have them from elsewhere.
    Prune(Prune),
    /// Push events of these authors to me, from these on.
    Graft(Graft),
    /// I have too much to carry; or no longer.
    Choke(Choke),
    /// Something for one member.
    Route(Route),
    /// What became of it.
    RouteReply(RouteReply),
    /// Let me in.
    JoinRequest(JoinRequest),
    /// You are in.
    Welcome(Welcome),
    /// You are not in.
    Refuse(Refuse),
    /// Our digests differ: in which logs?
    Sketch(Sketch),
    /// Whom I am linked with.
    Peers(Peers),
    /// I was not given the keys of these epochs.
    NeedEpochs(NeedEpochs),
    /// Here they are.
    Epochs(Epochs),
    /// You no longer belong to this room; the signed act says who decided so.
    Removed(Removed),
    /// Made by a newer app.
    Unknown(u16),
}

kinds!("frame", limits::FRAME_MAX, Frame {
    0 => Rooms,
    1 => Open,
    2 => Close,
    3 => Event,
    4 => Record,
    5 => Heads,
    6 => Want,
    7 => Batch,
    8 => DigestOf,
    9 => Beacon,
    10 => Ihave,
    11 => Prune,
    12 => Graft,
    13 => Choke,
    14 => Route,
    15 => RouteReply,
    16 => JoinRequest,
    17 => Welcome,
    18 => Refuse,
    19 => Sketch,
    20 => Peers,
    21 => NeedEpochs,
    22 => Epochs,
    23 => Removed,
});

/// A room as an outsider on this very link can't name it: HMAC-SHA256(handshake hash, room tag),
/// its first 16 bytes. Both ends compute it, and only rooms that both are in match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomOffer(pub [u8; 16]);

impl<C> Encode<C> for RoomOffer {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for RoomOffer {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let at = d.position();
        d.bytes()?
            .try_into()
            .map(Self)
            .map_err(|_| decode::Error::message("wrong length of a room offer").at(at))
    }
}

/// See [`Frame::Rooms`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rooms {
    /// Every room of the sender.
    #[n(0)]
    pub offers: Capped<RoomOffer, { limits::ROOMS_MAX }>,
}

/// See [`Frame::Open`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Open {
    /// The shared room.
    #[n(0)]
    pub room: RoomTag,
    /// The sender's key in it.
    #[n(1)]
    pub author: AuthorId,
    /// By that key over (handshake hash, room tag, whether the sender dialled).
    #[n(2)]
    pub proof: Signature,
    /// The admits that lead from the room's creator to this author, oldest first, for a receiver
    /// that has not heard of them yet. Empty for the creator.
    #[n(3)]
    pub credentials: Capped<SignedEvent, { limits::CREDENTIALS_MAX }>,
}

/// See [`Frame::Close`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Close {
    /// The room that is closed on this link.
    #[n(0)]
    pub room: RoomTag,
}

/// See [`Frame::Event`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Event {
    /// As its author signed it.
    #[n(0)]
    pub event: SignedEvent,
    /// Links it crossed before this one. A hint, not signed.
    #[n(1)]
    pub hops: u8,
    /// What the way from its author to the sender costs: about the milliseconds, capped. A hint.
    #[n(2)]
    #[cbor(default)]
    pub cost: u16,
}

/// See [`Frame::Record`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Record {
    /// As its author signed it.
    #[n(0)]
    pub record: SignedRecord,
    /// Links it crossed before this one. A hint, not signed.
    #[n(1)]
    pub hops: u8,
}

/// See [`Frame::Heads`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Heads {
    /// The room.
    #[n(0)]
    pub room: RoomTag,
    /// The last event of each (author, stream) that the sender holds.
    #[n(1)]
    pub heads: Capped<Head, { limits::HEADS_MAX }>,
    /// Whether the other end should answer with its own heads.
    #[n(2)]
    pub reply: bool,
    /// These are some logs of many: what is not named may be there all the same. The answer to such
    /// a frame is about the logs that it names.
    #[n(3)]
    #[cbor(default)]
    pub some: bool,
}

/// One line of [`Heads`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct Head {
    /// Whose log.
    #[n(0)]
    pub author: AuthorId,
    /// Which log.
    #[n(1)]
    pub stream: Stream,
    /// The lowest position held; what lies below was let go.
    #[n(2)]
    pub base: Seq,
    /// The highest position held.
    #[n(3)]
    pub seq: Seq,
    /// The event there.
    #[n(4)]
    pub hash: EventHash,
}

/// See [`Frame::Want`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Want {
    /// The room.
    #[n(0)]
    pub room: RoomTag,
    /// Echoed in the batches that answer.
    #[n(1)]
    pub id: u32,
    /// What.
    #[n(2)]
    pub what: Wanted,
}

/// What a [`Want`] asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Wanted {
    /// A stretch of one log, both ends included.
    #[n(0)]
    Range {
        /// Whose log.
        #[n(0)]
        author: AuthorId,
        /// Which log.
        #[n(1)]
        stream: Stream,
        /// The first position.
        #[n(2)]
        from: Seq,
        /// The last position.
        #[n(3)]
        to: Seq,
    },
    /// The newest content events of all authors, newest first.
    #[n(1)]
    Page {
        /// Only what is older than this place in the room's order; `None` from the top.
        #[n(0)]
        before: Option<Place>,
        /// At most as many.
        #[n(1)]
        limit: u16,
    },
}

/// A place in a room's order: by clock, ties by hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(array)]
pub struct Place {
    /// The event's clock.
    #[n(0)]
    pub clock: Hlc,
    /// The event.
    #[n(1)]
    pub hash: EventHash,
}

/// See [`Frame::Batch`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Batch {
    /// The room.
    #[n(0)]
    pub room: RoomTag,
    /// The [`Want`] it answers.
    #[n(1)]
    pub id: u32,
    /// Some of what was wanted.
    #[n(2)]
    pub events: Capped<SignedEvent, { limits::BATCH_EVENTS_MAX }>,
    /// Nothing more follows for this want.
    #[n(3)]
    pub done: bool,
}

/// See [`Frame::NeedEpochs`]. Answered for epochs that a member may have, on a link on which both
/// ends have proven who they are.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct NeedEpochs {
    /// The room.
    #[n(0)]
    pub room: RoomTag,
    /// Whose keys are missing.
    #[n(1)]
    pub epochs: Capped<EpochId, { limits::EPOCHS_ASKED_MAX }>,
}

/// See [`Frame::Epochs`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Epochs {
    /// The room.
    #[n(0)]
    pub room: RoomTag,
    /// As much of each as its reader may have.
    #[n(1)]
    pub grants: Capped<EpochGrant, { limits::EPOCHS_ASKED_MAX }>,
}

/// See [`Frame::Removed`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Removed {
    /// The room.
    #[n(0)]
    pub room: RoomTag,
    /// The removal or ban, and what its reader may lack to judge it: the admits and the roles that
    /// lead to its author.
    #[n(1)]
    pub events: Capped<SignedEvent, { limits::CREDENTIALS_MAX }>,
    /// k_member of the epochs that those are sealed in.
    #[n(2)]
    pub grants: Capped<EpochGrant, { limits::EPOCHS_ASKED_MAX }>,
}

impl Frame {
    /// A short name for logs and counters.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rooms(_) => "rooms",
            Self::Open(_) => "open",
            Self::Close(_) => "close",
            Self::Event(_) => "event",
            Self::Record(_) => "record",
            Self::Heads(_) => "heads",
            Self::Want(_) => "want",
            Self::Batch(_) => "batch",
            Self::DigestOf(_) => "digest",
            Self::Beacon(_) => "beacon",
            Self::Ihave(_) => "ihave",
            Self::Prune(_) => "prune",
            Self::Graft(_) => "graft",
            Self::Choke(_) => "choke",
            Self::Route(_) => "route",
            Self::RouteReply(_) => "route-reply",
            Self::JoinRequest(_) => "join-request",
            Self::Welcome(_) => "welcome",
            Self::Refuse(_) => "refuse",
            Self::Sketch(_) => "sketch",
            Self::Peers(_) => "peers",
            Self::NeedEpochs(_) => "need-epochs",
            Self::Epochs(_) => "epochs",
            Self::Removed(_) => "removed",
            Self::Unknown(_) => "unknown",
        }
    }
}
