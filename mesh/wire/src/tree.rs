//! Small frames that shape the trees along which events travel, and signs of life.
//!
//! After Leitão, Pereira, Rodrigues, "Epidemic Broadcast Trees" (2007), with one tree per author
//! instead of one for all. Everything here is a hint between neighbours but the [`Beacon`], which
//! its author signs.

use minicbor::{Decode, Encode};

use crate::{
    codec::Capped,
    ids::{AuthorId, AuthorShort, RoomShort, RoomTag, Seq, Signature, Stream},
    limits,
    time::Hlc,
};

/// A sign of life, and where its author's content log ends: 128 bytes at most as a frame, so that a
/// room of a thousand can afford them. Warms the author's tree and the routes back to it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Beacon {
    /// The room.
    #[n(0)]
    pub room: RoomShort,
    /// What the author signed.
    #[n(1)]
    pub signed: SignedBeacon,
    /// Links it crossed before this one. A hint, not signed.
    #[n(2)]
    pub hops: u8,
    /// What the way from its author to the sender costs, see [`crate::frame::Event::cost`].
    #[n(3)]
    pub cost: u16,
    /// Its author was away: the tree that leads to where it was may be broken, so this goes over every
    /// link. A hint, not signed.
    #[n(4)]
    #[cbor(default)]
    pub returned: bool,
}

/// What a member says about itself. The signature is by [`Self::author`] over [`Self::message`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SignedBeacon {
    /// Who lives.
    #[n(0)]
    pub author: AuthorId,
    /// The greater clock wins.
    #[n(1)]
    pub clock: Hlc,
    /// The last event of the author's content log; zero before the first.
    #[n(2)]
    pub seq: Seq,
    /// By the author.
    #[n(3)]
    pub signature: Signature,
}

impl SignedBeacon {
    /// What is signed, without the signature's context: room tag, author, clock, position.
    pub fn message(&self, room: RoomTag) -> [u8; 64] {
        let parts = room
            .0
            .into_iter()
            .chain(self.author.0)
            .chain(self.clock.0.to_be_bytes())
            .chain(self.seq.0.to_be_bytes());
        let mut message = [0; 64];
        message
            .iter_mut()
            .zip(parts)
            .for_each(|(byte, part)| *byte = part);
        message
    }
}

/// Events that the sender holds and did not push to the receiver, who may [`Graft`] what it misses.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Ihave {
    /// The room.
    #[n(0)]
    pub room: RoomShort,
    /// Which.
    #[n(1)]
    pub entries: Capped<Announced, { limits::TREE_ENTRIES_MAX }>,
}

/// One line of [`Ihave`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Announced {
    /// Whose log.
    #[n(0)]
    pub author: AuthorShort,
    /// Which log.
    #[n(1)]
    pub stream: Stream,
    /// Where in it.
    #[n(2)]
    pub seq: Seq,
    /// What the way from its author to the sender costs, see [`crate::frame::Event::cost`].
    #[n(3)]
    pub cost: u16,
}

/// The receiver stops to push events of these authors to the sender, and announces them instead.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Prune {
    /// The room.
    #[n(0)]
    pub room: RoomShort,
    /// Whose.
    #[n(1)]
    pub authors: Capped<AuthorShort, { limits::TREE_ENTRIES_MAX }>,
}

/// The receiver pushes events of these authors to the sender from now on, and those it holds from
/// the named positions at once.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Graft {
    /// The room.
    #[n(0)]
    pub room: RoomShort,
    /// Which.
    #[n(1)]
    pub entries: Capped<Grafted, { limits::TREE_ENTRIES_MAX }>,
    /// Those of all other authors, too: the sender has no other link.
    #[n(2)]
    pub all: bool,
}

/// One line of [`Graft`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Grafted {
    /// Whose log.
    #[n(0)]
    pub author: AuthorShort,
    /// Which log is missing something; the tree is for all of the author's.
    #[n(1)]
    pub stream: Stream,
    /// The first position that is missing.
    #[n(2)]
    pub from: Seq,
    /// How many from there on are wanted at once.
    #[n(3)]
    pub count: u8,
}

/// Whether the sender asks to be spared as a relay: others take their events elsewhere if they can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Choke {
    /// The room.
    #[n(0)]
    pub room: RoomShort,
    /// Asked, or no longer.
    #[n(1)]
    pub on: bool,
}
