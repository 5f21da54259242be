//! The shapes that cross to the page, and how they come from the node's own values.
//!
//! Names are camelCase, ids are lower-case hex, times are milliseconds since 1970. The page has
//! the same shapes in ui/ipc/types.js; tests.rs pins them.

mod kept;
mod messages;
mod network;
mod people;
mod power;
mod rooms;
mod session;

use serde::Serialize;

pub(crate) use kept::{Draft, Storage};
pub(crate) use messages::{Found, History, Message};
pub(crate) use network::{Back, Diagnostics, Drawn, NetworkMap};
pub(crate) use people::{Member, Members, Scanned, Verify};
pub(crate) use power::{Role, Rules};
pub(crate) use rooms::{Created, Invite, Invites, Joined, OpenInvite, Room};
pub(crate) use session::{Batch, Profile, Snapshot, UiEvent};

/// The reply of a command that has nothing to say: `{}`.
#[derive(Debug, Serialize)]
pub(crate) struct Done {}

#[cfg(test)]
mod tests;
