//! The rows of the table in gossip.md: each runs one system once and says what came of it.
//!
//! A row's function takes a [`System`], the number of nodes and a seed, and gives a [`Row`]. All
//! systems get the same links to begin with (degree 8), the same messages and the same faults. What a
//! figure means stands where it is computed and in this crate's README.md; a unit is in its name.

mod calm;
mod failures;
mod idle;
mod private;
mod stage;
mod streams;

use peddlenet_gossip::Controls;

use crate::{Lens, Machine, NodeId, ours::Ours};

/// A protocol that rows can run.
pub trait System {
    /// What a node runs.
    type Machine: Machine;
    /// For the table.
    fn name(&self) -> &'static str;
    /// A node of a run with that seed.
    fn machine(&self, node: NodeId, seed: u64) -> Self::Machine;
    /// How the simulator reads its messages.
    fn lens(&self) -> Lens<<Self::Machine as Machine>::Message>;
    /// Links that the simulator keeps up for each node; 0 for a protocol with an overlay of its own.
    fn upkeep(&self) -> usize {
        8
    }
    /// Links that each node begins with; 0 for a protocol that could not use links it did not dial.
    fn given_links(&self) -> u32 {
        8
    }
    /// Whether it can send to one member.
    fn has_unicast(&self) -> bool {
        false
    }
}

/// Our engine.
#[derive(Debug, Clone, Copy, Default)]
pub struct OurEngine {
    /// What is switched off.
    pub controls: Controls,
}

impl System for OurEngine {
    type Machine = Ours;

    fn name(&self) -> &'static str {
        "peddlenet"
    }

    fn machine(&self, node: NodeId, seed: u64) -> Ours {
        Ours::new(node, self.controls, seed)
    }

    fn lens(&self) -> Lens<peddlenet_wire::Frame> {
        Ours::lens()
    }

    fn upkeep(&self) -> usize {
        0
    }

    fn has_unicast(&self) -> bool {
        true
    }
}

/// What one run of one system came to.
#[derive(Debug, Clone)]
pub struct Row {
    /// Which row.
    pub scenario: &'static str,
    /// Which system.
    pub system: &'static str,
    /// How many nodes.
    pub nodes: u32,
    /// Of all chance.
    pub seed: u64,
    /// Names with units and values, in the order of the row. `NaN`: did not happen in time.
    pub figures: Vec<(&'static str, f64)>,
    /// Broken invariants.
    pub violations: Vec<String>,
    /// Hash over everything that happened.
    pub trace: u64,
}

impl Row {
    /// A figure; `NaN` when the row has none of that name.
    pub fn figure(&self, name: &str) -> f64 {
        let found = self.figures.iter().find(|(key, _)| *key == name);
        found.map_or(f64::NAN, |&(_, value)| value)
    }
}

impl Row {
    /// One JSON object; a figure that did not happen in time is null.
    pub fn json(&self) -> String {
        let figures = self.figures.iter().map(|(key, value)| {
            let value = if value.is_finite() {
                value.to_string()
            } else {
                "null".to_owned()
            };
            format!("\"{key}\":{value}")
        });
        let fixed = format!(
            "\"bench\":\"gossip\",\"scenario\":\"{}\",\"system\":\"{}\",\"nodes\":{},\"seed\":{},\"violations\":{}",
            self.scenario,
            self.system,
            self.nodes,
            self.seed,
            self.violations.len()
        );
        let all: Vec<String> = [fixed].into_iter().chain(figures).collect();
        format!("{{{}}}", all.join(","))
    }
}

/// A figure for people.
pub fn short(value: f64) -> String {
    if value.is_nan() {
        "never".to_owned()
    } else if value.fract() == 0.0 || value.abs() >= 100.0 {
        format!("{value:.0}")
    } else if value.abs() < 10.0 {
        format!("{value:.5}")
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned()
    } else {
        format!("{value:.1}")
    }
}

/// The rows, in the table's order.
pub const SCENARIOS: [&str; 14] = [
    "steady",
    "cold",
    "loss",
    "fail50",
    "fail80",
    "partition",
    "churn",
    "droppers",
    "idle",
    "unicast",
    "custody",
    "slow",
    "parent-kill",
    "memory",
];

/// The rows that `bench gossip` runs unless it is told otherwise.
pub const MAIN: [&str; 9] = [
    "steady",
    "cold",
    "loss",
    "fail50",
    "fail80",
    "droppers",
    "slow",
    "parent-kill",
    "unicast",
];

/// Runs one row. `None`: there is no such row, or the system can't do what it asks.
pub fn run<S: System>(scenario: &str, system: &S, nodes: u32, seed: u64) -> Option<Row> {
    let row = match scenario {
        "steady" => calm::steady(system, nodes, seed),
        "cold" => calm::cold(system, nodes, seed),
        "loss" => calm::loss(system, nodes, seed),
        "droppers" => calm::droppers(system, nodes, seed),
        "memory" => calm::memory(system, nodes, seed),
        "fail50" => failures::at_once(system, nodes, seed, 50),
        "fail80" => failures::at_once(system, nodes, seed, 80),
        "partition" => failures::partition(system, nodes, seed),
        "churn" => failures::churn(system, nodes, seed),
        "idle" => idle::idle(system, nodes, seed),
        "slow" => streams::slow_uplinks(system, nodes, seed),
        "parent-kill" => streams::parent_kill(system, nodes, seed),
        "unicast" if system.has_unicast() => private::relays_die(system, nodes, seed),
        "custody" if system.has_unicast() => private::recipient_away(system, nodes, seed),
        _ => return None,
    };
    Some(row)
}
