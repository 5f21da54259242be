//! Two members who are not linked tell each other where they are, over those between them.
//!
//! ```text
//!  A --offer: my addresses, now--> B        B dials A at once, and answers
//!  A <--answer: my addresses, now-- B       A dials B: what one sends opens the other's firewall
//! ```
//!
//! Each is the body of a [`SignedRecord`](crate::SignedRecord) of kind
//! [`MEET`](crate::record::RecordKind::MEET), so that its author, its room and its time are signed
//! and only members read it. It travels as the payload of a [`Route`](crate::route::Route) to one
//! member and is never flooded; or, sealed once more, through a rendezvous server ([`crate::rendezvous`]). There
//! an offer to nobody ([`AuthorId::ZERO`]) says to all who are there that this device is, too.

use minicbor::{Decode, Encode};

use crate::{
    codec::Capped,
    ids::{AuthorId, Fingerprint},
    limits,
    record::Address,
};

/// An offer, or the answer to one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Meet {
    /// For whom: signed with the rest, so that nobody can hand it on to another.
    #[n(0)]
    pub to: AuthorId,
    /// Chosen by who offers, and echoed in the answer.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub id: [u8; 8],
    /// Whether this answers an offer.
    #[n(2)]
    pub answer: bool,
    /// Addresses as seen by the device itself at this moment; none: no room for another link.
    #[n(3)]
    pub addresses: Capped<Address, { limits::ADDRESSES_MAX }>,
    /// The listener's DTLS certificate.
    #[n(4)]
    pub fingerprint: Fingerprint,
    /// In an offer: the way there was tried in vain, and an address at a relay (TURN) is asked for.
    #[n(5)]
    pub relay: Option<bool>,
}
