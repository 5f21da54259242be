//! Admission through an invite, inside the encrypted link.
//!
//! ```text
//!  joiner                                          answerer (any member who may admit)
//!    | -- Noise XXpsk0, psk from P ------------------> |
//!    | -- JoinRequest: author, proof, voucher -------> |  open? not expired? uses left? already in?
//!    | <------------- Welcome: epochs, proof, events - |  `admit` is durable before this leaves
//!    |    or Refuse: code, detail                      |
//! ```
//!
//! A request holds nothing but a key made for this room, so a stranger who poses as the room with a
//! photo of the code learns nothing. The joiner trusts a welcome only when its events lead from a
//! `create` whose hash is the room id in the code to the answerer and to the joiner's own `admit`.

use minicbor::{Decode, Encode};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    codec::Capped,
    event::SignedEvent,
    ids::{AuthorId, EpochId, InviteKey, RoomId, Signature},
    limits,
};

/// Lets me in, says a holder of the code.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct JoinRequest {
    /// The room in the code.
    #[n(0)]
    pub room: RoomId,
    /// The joiner's key for this room.
    #[n(1)]
    pub author: AuthorId,
    /// By the author key over (handshake hash, room): the key is held here, now.
    #[n(2)]
    pub proof: Signature,
    /// Which invite.
    #[n(3)]
    pub invite: InviteKey,
    /// By the invite key over (room, author): the code is held.
    #[n(4)]
    pub voucher: Signature,
}

/// You are in.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Welcome {
    /// Who answers.
    #[n(0)]
    pub author: AuthorId,
    /// By the answerer's author key over (handshake hash, room).
    #[n(1)]
    pub proof: Signature,
    /// The keys this joiner is given, newest last.
    #[n(2)]
    pub epochs: Capped<EpochGrant, { limits::EPOCHS_MAX }>,
    /// `create`, then the admits that lead to the answerer, then the joiner's own.
    #[n(3)]
    pub events: Capped<SignedEvent, { limits::PROOF_EVENTS_MAX }>,
}

/// The keys of one epoch. `content` is missing for a past that is not shared.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop, Encode, Decode)]
#[cbor(map)]
pub struct EpochGrant {
    /// The name that both keys hash to, checked on receipt.
    #[n(0)]
    #[zeroize(skip)]
    pub epoch: EpochId,
    /// Opens stream 0 and whereabouts.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub member: [u8; 32],
    /// Opens what people say.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub content: Option<[u8; 32]>,
    /// H(k_content), so that the name can be checked without the key.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub content_hash: [u8; 32],
}

impl std::fmt::Debug for EpochGrant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EpochGrant({:?})", self.epoch)
    }
}

/// You are not in, and why.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Refuse {
    /// The reason.
    #[n(0)]
    pub code: u16,
    /// For [`Refuse::EXPIRED`]: milliseconds since the invite ended.
    #[n(1)]
    pub detail: u64,
}

impl Refuse {
    /// The invite ended `detail` ms ago.
    pub const EXPIRED: u16 = 0;
    /// As many as it allowed have joined.
    pub const USED_UP: u16 = 1;
    /// Somebody closed it.
    pub const REVOKED: u16 = 2;
    /// Nobody here made such an invite.
    pub const UNKNOWN: u16 = 3;
    /// The room is full.
    pub const FULL: u16 = 4;
    /// The request did not hold together.
    pub const BAD_REQUEST: u16 = 5;
    /// The room lets nobody in at present.
    pub const CLOSED: u16 = 6;
}
