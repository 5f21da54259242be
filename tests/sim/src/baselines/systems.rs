//! The baselines as [`System`]s, and every system by its name.

use super::{Flood, Gossipsub, Iroh, flood, gossipsub, iroh};
use crate::{
    Lens, Machine, NodeId,
    scenario::{self, OurEngine, Row, System},
};

/// TTL-7 flood.
#[derive(Debug, Clone, Copy)]
pub struct FloodSystem(pub flood::Clamp);

/// gossipsub v1.1, D=6.
#[derive(Debug, Clone, Copy)]
pub struct GossipsubSystem;

/// iroh-gossip with so many active neighbours.
#[derive(Debug, Clone, Copy)]
pub struct IrohSystem(pub usize);

impl System for FloodSystem {
    type Machine = Flood;

    fn name(&self) -> &'static str {
        match self.0 {
            flood::Clamp::None => "flood",
            flood::Clamp::Bitchat => "flood-clamped",
        }
    }

    fn machine(&self, node: NodeId, seed: u64) -> Flood {
        Flood::new(node, seed, self.0)
    }

    fn lens(&self) -> Lens<flood::Packet> {
        Flood::lens()
    }
}

impl System for GossipsubSystem {
    type Machine = Gossipsub;

    fn name(&self) -> &'static str {
        "gossipsub"
    }

    fn machine(&self, node: NodeId, seed: u64) -> Gossipsub {
        Gossipsub::new(node, seed)
    }

    fn lens(&self) -> Lens<gossipsub::Rpc> {
        Gossipsub::lens()
    }
}

impl System for IrohSystem {
    type Machine = Iroh;

    fn name(&self) -> &'static str {
        match self.0 {
            5 => "iroh-5",
            8 => "iroh-8",
            _ => "iroh",
        }
    }

    fn machine(&self, node: NodeId, seed: u64) -> Iroh {
        Iroh::new(node, seed, self.0)
    }

    fn lens(&self) -> Lens<<Iroh as Machine>::Message> {
        iroh::lens()
    }

    fn upkeep(&self) -> usize {
        0
    }

    fn given_links(&self) -> u32 {
        0
    }
}

/// What is compared, by the names that rows carry.
pub const SYSTEMS: [&str; 6] = [
    "peddlenet",
    "flood",
    "flood-clamped",
    "gossipsub",
    "iroh-5",
    "iroh-8",
];

/// What to do with a system whose name is known only at run time.
pub trait WithSystem {
    /// What comes of it.
    type Output;
    /// Does it.
    fn with<S: System>(self, system: &S) -> Self::Output;
}

/// Does something with the system of that name; `peddlenet` is `ours`. `None`: there is none of that name.
pub fn with_system<W: WithSystem>(name: &str, ours: &OurEngine, what: W) -> Option<W::Output> {
    Some(match name {
        "peddlenet" => what.with(ours),
        "flood" => what.with(&FloodSystem(flood::Clamp::None)),
        "flood-clamped" => what.with(&FloodSystem(flood::Clamp::Bitchat)),
        "gossipsub" => what.with(&GossipsubSystem),
        "iroh-5" => what.with(&IrohSystem(5)),
        "iroh-8" => what.with(&IrohSystem(8)),
        _ => return None,
    })
}

/// One row of the system of that name. `None`: there is no such row or system, or the system can't do what it asks.
pub fn run(name: &str, ours: &OurEngine, row: &str, nodes: u32, seed: u64) -> Option<Row> {
    with_system(name, ours, RunRow { row, nodes, seed })?
}

struct RunRow<'a> {
    row: &'a str,
    nodes: u32,
    seed: u64,
}

impl WithSystem for RunRow<'_> {
    type Output = Option<Row>;

    fn with<S: System>(self, system: &S) -> Option<Row> {
        scenario::run(self.row, system, self.nodes, self.seed)
    }
}
