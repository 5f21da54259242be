//! Bytes and typed values: what travels between devices and what is signed, pure.
//!
//! Purpose: parse once, at the edge. Everything that another device can send enters the program
//! through one of this crate's decoders, which check sizes and counts before they allocate and
//! return a [`WireError`] for anything else; they never panic and read no clock, no RNG, no I/O.
//!
//! ```text
//!  camera, paste --> invite::Invite          who to dial and what to prove
//!                --> back::BackCode          where a joiner is that can't get through
//!                --> verify::VerifyCode      whose key a person's screen shows
//!                --> pass::Pass              what a carrier box promised to keep
//!  network       --> near::Entry             which rooms a device nearby has, to those who know them
//!  link bytes    --> frame::Frame -+-> event::SignedEvent    a signed header over a deletable body
//!                                  +-> record::SignedRecord  latest-wins: receipts, whereabouts, presence
//!                                  +-> join::*               admission through an invite
//!  opened body   --> content::{Membership, Content}          what only members read
//! ```
//!
//! The encoding is CBOR with integer keys (RFC 8949, `minicbor`): a decoder skips keys that it
//! does not know, so an old build carries what a newer one wrote. Signatures are checked over the
//! bytes as received; nothing is re-encoded on its way through.
//!
//! Every crate of the mesh imports this one; it imports none of ours.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod back;
mod code;
pub mod codec;
pub mod content;
pub mod direct;
mod envelope;
pub mod event;
pub mod frame;
pub mod ids;
pub mod invite;
pub mod join;
pub mod limits;
pub mod meet;
pub mod name;
pub mod near;
pub mod pass;
pub mod peers;
pub mod power;
pub mod record;
pub mod rendezvous;
pub mod route;
pub mod said;
pub mod sketch;
pub mod time;
pub mod tree;
pub mod verify;

pub use codec::{Capped, WireError};
pub use event::{Header, SignedEvent};
pub use frame::Frame;
pub use ids::{
    AuthorId, AuthorShort, EpochId, EventHash, EventShort, Fingerprint, InviteKey, RoomId,
    RoomShort, RoomTag, Seq, Signature, Stream,
};
pub use invite::Invite;
pub use name::{Name, Skeleton};
pub use pass::Pass;
pub use record::SignedRecord;
pub use time::{Hlc, Timestamp};
pub use verify::VerifyCode;
