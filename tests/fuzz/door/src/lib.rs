//! The front door of `mesh/peer`, compiled from its own files.
//!
//! It is pure and stands alone. Should one of these files come to need more of its crate, this one stops to
//! compile: then let it depend on the whole crate instead.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "the rest of the crate uses what is not used here"
)]

#[path = "../../../../mesh/peer/src/bans.rs"]
mod bans;
#[path = "../../../../mesh/peer/src/bucket.rs"]
mod bucket;
#[path = "../../../../mesh/peer/src/error.rs"]
mod error;
#[path = "../../../../mesh/peer/src/front_door.rs"]
pub mod front_door;
#[path = "../../../../mesh/peer/src/gate.rs"]
mod gate;
#[path = "../../../../mesh/peer/src/stats.rs"]
mod stats;
#[path = "../../../../mesh/peer/src/stun.rs"]
mod stun;

pub use error::{DialError, PeerError};
pub use gate::{Gate, GateId, Kind};
pub use peddlenet_wire::Fingerprint;
pub use stats::PeerStats;
