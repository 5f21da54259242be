//! `Node`: one device in its rooms. One task owns the state and drives the pure crates.
//!
//! Purpose: the whole program without a face. The desktop and phone shell, the headless
//! `peddlenet-node` and the tests all hold a [`Node`] and listen to its [`Events`].
//!
//! ```text
//!   shell / node / tests
//!        |  Node (commands)        ^  Events
//!        v                         |
//!   +---------------------- actor ----------------------+
//!   |  rooms (crypto, wire)     engine (gossip)         |
//!   +----+----------------------+------------------+----+
//!        v                      v                  v
//!     peer: links          store thread       verifier thread
//! ```
//!
//! Contract: a message that [`Node::send`] returned is on disk; it goes out when someone is near.
//! Every call ends, within seconds, in a value or in an [`Error`] with a code and a sentence. Nothing
//! of a room is on a link before both ends have proven to be its members.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod actor;
pub mod api;
mod certificates;
mod clock;
mod convert;
mod disk;
mod entropy;
mod error;
mod join;
mod membership;
mod node;
mod room;
mod stats;

pub use api::{
    AuthorId, Event, Heads, InviteId, InviteInfo, JoinStage, Joined, LinkInfo, Member, Message,
    MessageId, Reach, Role, RoomId, RoomSummary, Timestamp,
};
pub use error::{Error, ErrorCode};
pub use node::{Config, Events, Node, Receipts};
pub use stats::{Reasons, Stats};

/// What programs log unless `PEDDLENET_LOG` says otherwise: warnings of ours; the WebRTC stack warns
/// of what its one-scan use makes normal (no server name, no candidates yet), so only its errors; of
/// those, the ICE agent's say no more than that several addresses were tried.
pub const LOG_FILTER: &str =
    "warn,rtc=error,rtc_ice=off,rtc_dtls=error,rtc_sctp=error,webrtc=error";

/// Whether a scanned text is a join code of ours, of whatever format and state.
pub fn is_join_code(text: &str) -> bool {
    !matches!(
        peddlenet_wire::Invite::from_link(text),
        Err(peddlenet_wire::invite::InviteError::NotOurs)
    )
}
