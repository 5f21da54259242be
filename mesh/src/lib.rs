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
mod keys;
mod logs;
mod node;
mod room;
mod stats;
mod trust;
mod wipe;

pub use api::{
    Attempts, AuthorId, Delivery, Diagnostics, Draft, Event, Failure, Found, Heads, History,
    InviteId, InviteInfo, InviteOptions, JoinStage, Joined, LanState, LinkInfo, Lookalike, MapLink,
    Member, Message, MessageId, NetworkMap, Noted, OnMap, OpenInvite, Path, Reach, Reaction, Role,
    RoomId, RoomOptions, RoomPrefs, RoomSize, RoomSummary, ServerState, Shown, Storage, Timestamp,
    VerifiedAs, VerifyInfo, Words,
};
pub use error::{Error, ErrorCode};
pub use keys::{KeyPlace, Keychain, KeychainError, Keys, Passphrase};
pub use logs::{LOG_FILTER, log_filter};
pub use node::{Announced, Config, Events, Node, Receipts};
pub use peddlenet_gossip::Stats as EngineStats;
pub use peddlenet_peer::{ServerUrl, UrlError};
pub use stats::{Reasons, Stats};

/// Whether a scanned text is a join code of ours, of whatever format and state.
pub fn is_join_code(text: &str) -> bool {
    !matches!(
        peddlenet_wire::Invite::from_link(text),
        Err(peddlenet_wire::invite::InviteError::NotOurs)
    )
}

/// Whether a scanned text is a code for checking a person, of whatever format and state.
pub fn is_verify_code(text: &str) -> bool {
    peddlenet_wire::VerifyCode::is_one(text)
}

/// Whether a scanned text is what a joiner shows back, of whatever format and state.
pub fn is_back_code(text: &str) -> bool {
    peddlenet_wire::back::BackCode::is_one(text)
}

/// Whether a scanned text is a pass of a carrier box, of whatever format and state.
pub fn is_pass(text: &str) -> bool {
    peddlenet_wire::Pass::is_one(text)
}

/// Whether a scanned text is a code of ours that this build can't read: made by a newer app, in a later format or
/// of a kind that is not known here.
pub fn is_newer_code(text: &str) -> bool {
    use peddlenet_wire::back::{BackCode, BackCodeError};
    use peddlenet_wire::invite::{InviteError, PREFIX};
    use peddlenet_wire::pass::{Pass, PassError};
    use peddlenet_wire::verify::VerifyCodeError;
    // Every kind of code starts with the scheme, then one letter says which.
    let scheme = PREFIX.len() - "J/".len();
    let ours = text
        .trim()
        .get(..scheme)
        .is_some_and(|start| start.eq_ignore_ascii_case(&PREFIX[..scheme]));
    let newer_invite = peddlenet_wire::Invite::from_link(text);
    let newer_check = peddlenet_wire::VerifyCode::from_link(text);
    let newer_back = BackCode::from_link(text);
    let newer_pass = Pass::from_link(text);
    match (newer_invite, newer_check, newer_back, newer_pass) {
        (Err(InviteError::Newer(_)), ..)
        | (_, Err(VerifyCodeError::Newer(_)), ..)
        | (_, _, Err(BackCodeError::Newer(_)), _)
        | (.., Err(PassError::Newer(_))) => true,
        (
            Err(InviteError::NotOurs),
            Err(VerifyCodeError::NotOurs),
            Err(BackCodeError::NotOurs),
            Err(PassError::NotOurs),
        ) => ours,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_a_newer_app_are_told_from_damaged_ones_and_from_other_peoples() {
        // The first byte's high nibble is the format: 2 is not known yet.
        for newer in [
            "PEDDLENET:J/EAAAAAAA",
            "peddlenet:v/EAAAAAAA",
            "peddlenet:c/AIAAAAAA",
            "PEDDLENET:Z/ABC",
        ] {
            assert!(is_newer_code(newer), "{newer}");
        }
        for other in [
            "PEDDLENET:J/CAAAAAAA",
            "PEDDLENET:J/!",
            "https://example.org",
            "é",
            "",
        ] {
            assert!(!is_newer_code(other), "{other}");
        }
    }
}
