//! The mesh in virtual time: N machines, the network between them, and what must hold.
//!
//! Purpose: run a gossip protocol ([`Machine`]) over a seeded network that loses, delays, reorders,
//! splits and kills, and count what it costs. Time is whole microseconds, all chance comes from one
//! seed, everything is visited in a fixed order: the same seed gives the same trace.
//!
//! ```text
//!   scenario --publish, kill, split--> World --In--> Machine (ours, or a baseline)
//!                                        ^            |
//!                                        +----Out-----+   Tally: who got what when, and what it cost
//! ```
//!
//! A broken invariant is noted in [`World::violations`]; tests demand that there are none.

#![forbid(unsafe_code)]
#![expect(
    clippy::cast_possible_truncation,
    reason = "node numbers, dice and virtual times stay far below the widths they are cut to"
)]

pub mod baselines;
mod dice;
mod graph;
mod machine;
pub mod mobility;
mod net;
pub mod ours;
mod queue;
pub mod scenario;
pub mod table;
mod tally;
mod world;

pub use dice::{Dice, spread};
pub use graph::rings;
pub use machine::{In, Machine, MessageId, NodeId, Out};
pub use net::{Death, Net};
pub use tally::{Said, Tally, Traffic};
pub use world::{Lens, Unicast, World};

/// A millisecond of virtual time.
pub const MS: u64 = 1_000;
/// A second of virtual time.
pub const SECOND: u64 = 1_000 * MS;
