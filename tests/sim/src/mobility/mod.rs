//! Chat in a moving crowd: messages from random people at random times, against what any protocol could have reached.
//!
//! ```text
//!   Trace (.npy) ──► who is in range, a step a second ──► World: links, dials, dead links ◄──► Machines
//!        └─────────► Oracle: time-respecting flooding over all contacts ──► reach ──► delivered / reach
//! ```
//!
//! A link is possible between people in range. What is sent to somebody out of range is lost, and after 3 s of silence
//! both ends find the link dead; whoever is back before that has kept it. Out of range a dial fails fast.
//! The traces are Amigo's (CCS 2025): a march, a gathering, a human chain, half an hour each.

mod npy;
mod oracle;
mod rows;

pub use npy::{Trace, TraceError};
pub use oracle::Oracle;
pub use rows::rows;

use std::collections::{BTreeMap, BTreeSet};

use crate::{Dice, Machine, MessageId, Net, NodeId, SECOND, Traffic, World, scenario::System};

/// Who makes the links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linking {
    /// The devices link the nearest in range while both have links to spare, and keep a link
    /// while it lives. A link that a machine closed is not made again for [`REST`].
    Given,
    /// The machine dials whom it knows, in range or not.
    Dialled,
}

/// A run over a trace.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// How far a device hears.
    pub range_m: f32,
    /// Links a person, at most, where they are given; a machine that dials has its own.
    pub cap: usize,
    /// Who makes them.
    pub linking: Linking,
    /// How many messages are said.
    pub messages: usize,
    /// Of a sealed body.
    pub bytes: usize,
    /// What arrives later does not count.
    pub deadline_s: usize,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            range_m: 20.0,
            cap: 12,
            linking: Linking::Given,
            messages: 100,
            bytes: 200,
            deadline_s: 300,
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// (message, person) pairs that the oracle reaches by the deadline, authors left out.
    pub reachable: usize,
    /// Those of them that had the message by the deadline.
    pub delivered: usize,
    /// From the first second in which the oracle is there: median and p99, in milliseconds.
    pub lag_ms: (u64, u64),
    /// From publication: median and p99, in milliseconds.
    pub latency_ms: (u64, u64),
    /// What everybody sent.
    pub traffic: Traffic,
    /// Links of the person with the most, over the run.
    pub most_links: usize,
    /// Broken invariants.
    pub violations: Vec<String>,
    /// Hash over everything that happened.
    pub trace: u64,
}

impl Outcome {
    /// Delivered of what could be reached; 1 where nobody could be.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        match self.reachable {
            0 => 1.0,
            reachable => self.delivered as f64 / reachable as f64,
        }
    }
}

/// A device does not take up a link again so soon after its machine closed it.
pub const REST: u64 = 30 * SECOND;
/// Nobody speaks before the first links are up.
const WARM_UP_S: usize = 30;

/// Runs one machine a person over a trace.
///
/// # Errors
/// The trace is too short for the warm-up and the deadline.
pub fn run<S: System>(
    system: &S,
    trace: &Trace,
    scenario: &Scenario,
    seed: u64,
) -> Result<Outcome, TraceError> {
    let talk = talk(trace, scenario, seed)?;
    let people = trace.people() as u32;
    let machines = (0..people)
        .map(|person| system.machine(NodeId(person), seed))
        .collect();
    let mut world = World::new(Net::default(), seed, machines);
    world.lens = system.lens();
    let mut devices = Devices::default();
    let mut said = Vec::new();
    let mut most_links = 0;
    for step in 0..trace.steps() {
        let pairs: Vec<_> = (trace.in_range(step, scenario.range_m).into_iter())
            .map(|(a, b, _)| (a as u32, b as u32))
            .collect();
        world.set_in_range(pairs.iter().copied());
        if step == 0 {
            world.start_all(&[]);
        }
        if scenario.linking == Linking::Given {
            devices.link(&mut world, &pairs, scenario.cap);
        }
        while let Some(&(at, author)) = talk
            .get(said.len())
            .filter(|(at, _)| *at / SECOND == step as u64)
        {
            world.run_until(at);
            let id = world.publish(author as u32, scenario.bytes);
            said.push((id, author, at));
        }
        world.run_until((step as u64 + 1) * SECOND);
        most_links = (0..people)
            .map(|person| world.degree(person))
            .fold(most_links, usize::max);
    }
    Ok(judge(trace, scenario, &said, world, most_links))
}

/// When who says something, in order.
fn talk(trace: &Trace, scenario: &Scenario, seed: u64) -> Result<Vec<(u64, usize)>, TraceError> {
    let span = trace
        .steps()
        .saturating_sub(WARM_UP_S + scenario.deadline_s);
    if span == 0 {
        let (steps, deadline) = (trace.steps(), scenario.deadline_s);
        return Err(TraceError::new(format!(
            "{steps} steps are too short for {WARM_UP_S} s of warm-up and {deadline} s to deliver"
        )));
    }
    let mut dice = Dice::new(seed);
    let mut talk: Vec<_> = (0..scenario.messages)
        .map(|_| {
            let at = WARM_UP_S as u64 * SECOND + dice.roll(span as u64 * SECOND);
            (at, dice.roll(trace.people() as u64) as usize)
        })
        .collect();
    talk.sort_unstable();
    Ok(talk)
}

/// What links the machines where they do not dial.
#[derive(Default)]
struct Devices {
    /// Pairs in range that were linked a step ago: where the link is gone, a machine closed it.
    linked: BTreeSet<(u32, u32)>,
    resting: BTreeMap<(u32, u32), u64>,
}

impl Devices {
    /// `pairs` in range, the nearest first.
    fn link<M: Machine>(&mut self, world: &mut World<M>, pairs: &[(u32, u32)], cap: usize) {
        let now = world.now_us();
        self.resting.retain(|_, until| *until > now);
        let before = std::mem::take(&mut self.linked);
        for &(a, b) in pairs {
            let pair = (a, b);
            let is_linked = world.is_linked(a, b);
            if !is_linked && before.contains(&pair) {
                self.resting.insert(pair, now + REST);
            }
            let spare = world.degree(a) < cap && world.degree(b) < cap;
            if !is_linked && spare && !self.resting.contains_key(&pair) {
                world.link(a, b);
            }
            if is_linked || world.is_linked(a, b) {
                self.linked.insert(pair);
            }
        }
    }
}

fn judge<M: Machine>(
    trace: &Trace,
    scenario: &Scenario,
    said: &[(MessageId, usize, u64)],
    world: World<M>,
    most_links: usize,
) -> Outcome {
    let oracle = Oracle::new(trace, scenario.range_m);
    let (mut reachable, mut lags, mut latencies) = (0, Vec::new(), Vec::new());
    for &(id, author, at) in said {
        let step = (at / SECOND) as usize;
        let deadline = scenario.deadline_s as u64 * SECOND;
        let reach = oracle.reach(author, step, step + scenario.deadline_s);
        for (person, since) in reach.into_iter().enumerate() {
            let Some(since) = since.filter(|_| person != author) else {
                continue;
            };
            reachable += 1;
            let took = world.tally.message(id).took(person as u32);
            if let Some(took) = took.filter(|took| *took <= deadline) {
                let possible = at.max(since as u64 * SECOND);
                lags.push((at + took).saturating_sub(possible) / 1_000);
                latencies.push(took / 1_000);
            }
        }
    }
    Outcome {
        reachable,
        delivered: lags.len(),
        lag_ms: median_and_p99(lags),
        latency_ms: median_and_p99(latencies),
        traffic: world.tally.total(),
        most_links,
        trace: world.trace(),
        violations: world.violations,
    }
}

fn median_and_p99(mut values: Vec<u64>) -> (u64, u64) {
    values.sort_unstable();
    let at = |percent: usize| values.get(values.len() * percent / 100).copied();
    (at(50).unwrap_or(0), at(99).unwrap_or(0))
}
