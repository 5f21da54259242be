//! What others do, behind the same [`Machine`](crate::Machine) as our engine: same world, same seeds, same degree budget.
//!
//! | module | system | links |
//! |---|---|---|
//! | [`flood`] | TTL-7 flood, plain or with bitchat's clamp | those the world gives |
//! | [`gossipsub`] | gossipsub v1.1, D=6, without scoring | those the world gives |
//! | [`iroh`] | the real `iroh-gossip` crate (`HyParView` and Plumtree) | dials its own |
//!
//! None of them has history, unicast or an outbox: they ignore `In::SendTo` and `In::Load`. A full copy
//! of a message, with the envelope that its protocol puts around the body, counts as payload; every
//! other byte is control.

pub mod flood;
pub mod gossipsub;
pub mod iroh;
mod systems;

use crate::{Dice, NodeId, dice::spread};

pub use flood::Flood;
pub use gossipsub::Gossipsub;
pub use iroh::Iroh;
pub use systems::{
    FloodSystem, GossipsubSystem, IrohSystem, SYSTEMS, WithSystem, run, with_system,
};

/// The dice of one node: its own for each seed.
fn dice(seed: u64, me: NodeId) -> Dice {
    Dice::new(spread(seed) ^ u64::from(me.0))
}
