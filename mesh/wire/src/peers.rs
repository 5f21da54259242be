//! What neighbours tell each other about whom they are linked with: how a room finds more links.
//!
//! Hints, nothing of it signed. After Leitão, Pereira, Rodrigues, "HyParView" (2007): its shuffle,
//! and the exchange on a goodbye as in gossipsub's PX.

use minicbor::{Decode, Encode};

use crate::{
    codec::Capped,
    ids::{AuthorId, RoomShort},
    limits,
};

/// How the sender stands, and members that are likely to be reached.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Peers {
    /// The room.
    #[n(0)]
    pub room: RoomShort,
    /// Links of the sender, over all rooms.
    #[n(1)]
    pub links: u8,
    /// Whether the receiver should answer with its own.
    #[n(2)]
    pub want: bool,
    /// The sender has more links than it needs: if the receiver has, too, it may close this one.
    #[n(3)]
    pub part: bool,
    /// The sender closes this link in a moment. Nothing is wrong with either end.
    #[n(4)]
    pub closing: bool,
    /// Members that the sender is linked with, then such that it heard of lately.
    #[n(5)]
    pub authors: Capped<AuthorId, { limits::PEERS_MAX }>,
    /// How many of them, the first ones, the sender is linked with.
    #[n(6)]
    pub neighbours: Option<u8>,
}
