//! Seeds full of faults. What is safe stays safe at every step; once the network heals, everybody
//! ends up with everything.
//!
//! `SIM_SEEDS=2000` for a long run, `SIM_SEED=17` for one seed with its log.

#![expect(clippy::cast_possible_truncation, reason = "dice with few sides")]

use std::collections::BTreeSet;

use peddlenet_gossip::Controls;
use peddlenet_sim::{
    Death, Dice, MS, Net, NodeId, SECOND, World,
    ours::{Costs, Ours},
    rings,
};

/// Seeds that CI runs.
const SEEDS: u64 = 200;
/// What a healed network may take until all hold the same: refusals are remembered for half a minute,
/// lost peers probed every half minute.
const HEALS_WITHIN: u64 = 240 * SECOND;
/// The engine's cap of links, and two that may be on their way.
const DEGREE_MAX: usize = 14;

fn seeds() -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse().ok());
    match number("SIM_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("SIM_SEEDS").unwrap_or(SEEDS)).collect(),
    }
}

fn is_replay() -> bool {
    std::env::var("SIM_SEED").is_ok()
}

fn replay(seed: u64) -> String {
    format!("SIM_SEED={seed} cargo test -p peddlenet-sim --test chaos -- --nocapture")
}

/// A network whose size, shape and faults come from the seed.
struct Storm {
    world: World<Ours>,
    dice: Dice,
    nodes: u32,
}

/// More than an event waits for what it follows on (2 s).
const WAITS: u64 = 3 * SECOND;

impl Storm {
    fn brew(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x5eed);
        let nodes = dice.between(5, 50) as u32;
        let costs = Costs {
            failing_checks: dice.roll(3) as u32 * 5_000,
            failing_commits: dice.roll(3) as u32 * 10_000,
            check_us: dice.between(50, 1_000),
            ..Costs::default()
        };
        let machine = |n| Ours::new(NodeId(n), Controls::default(), seed).with_costs(costs);
        let net = Net {
            latency_us: (dice.between(1, 10) * MS, dice.between(10, 150) * MS),
            loss: dice.roll(150_000) as u32,
            one_way_loss: dice.roll(2) as u32 * dice.roll(500_000) as u32,
            duplicate: dice.roll(100_000) as u32,
            reorder: dice.roll(200_000) as u32,
            uplink: [0, 2_500_000, 100_000][dice.roll(3) as usize],
            queue_bytes: [1_000_000, 20_000][dice.roll(2) as usize],
            dial_refused: dice.roll(300_000) as u32,
            dial_hangs: dice.roll(300_000) as u32,
            upkeep: 0,
        };
        let mut world = World::new(net, seed, (0..nodes).map(machine).collect());
        world.log = is_replay();
        world.degree_max = DEGREE_MAX;
        world.lens = Ours::lens();
        let degree = 2 * dice.between(1, 4) as u32;
        let links = rings(nodes, degree, &mut dice);
        world.start_all(&links);
        Self { world, dice, nodes }
    }

    fn anyone(&mut self) -> u32 {
        self.dice.roll(self.nodes.into()) as u32
    }

    /// One thing happens, most often somebody says something.
    fn step(&mut self) {
        let node = self.anyone();
        let up = self.world.is_up(node);
        match self.dice.roll(24) {
            0 => {
                let death = [Death::Refuses, Death::Silent][self.dice.roll(2) as usize];
                self.world.kill(node, death);
            }
            1 => self.world.leave(node),
            2..=4 => self.world.start(node),
            5 => {
                let span = self.dice.roll(20 * SECOND);
                self.world.sleep(node, span);
            }
            6 => {
                let ms = self.dice.roll(1_200_000).cast_signed() - 600_000;
                self.world.machine_mut(node).jump(ms);
            }
            7 => {
                let sides: Vec<u8> = (0..self.nodes).map(|_| self.dice.roll(2) as u8).collect();
                self.world.split(|n| sides[n as usize]);
            }
            8 => self.world.heal(),
            9 | 10 if up => {
                let to = self.anyone();
                if to != node {
                    let bytes = self.dice.between(8, 2_000) as usize;
                    self.world.send_to(node, to, bytes);
                }
            }
            _ if up => {
                let bytes = self.dice.between(8, 3_000) as usize;
                self.world.publish(node, bytes);
            }
            _ => {}
        }
        let pause = self.dice.roll(1_500 * MS);
        self.world.run_for(pause);
    }

    /// No more faults, and everybody is there.
    fn calm(&mut self) {
        self.world.net = Net::default();
        self.world.heal();
        for node in 0..self.nodes {
            self.world.machine_mut(node).set_costs(Costs::default());
            self.world.start(node);
        }
    }

    fn agree(&self) -> bool {
        let digests: BTreeSet<_> = (0..self.nodes)
            .map(|n| self.world.machine(n).digest())
            .collect();
        digests.len() == 1
    }

    /// What is wrong once all say that they agree.
    fn differences(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let first = self.world.machine(0);
        let held = first.held();
        for node in 0..self.nodes {
            let one = self.world.machine(node);
            if one.held() != held || one.bodies() != first.bodies() {
                wrong.push(format!("{node} holds something else than 0"));
            }
            let unseen = held
                .iter()
                .find(|&&id| self.world.tally.message(id).took(node).is_none());
            if let Some(id) = unseen {
                wrong.push(format!("{node} holds {id:?} and never showed it"));
            }
        }
        wrong
    }

    fn violations(&self) -> Vec<String> {
        let mut all = self.world.violations.clone();
        for node in 0..self.nodes {
            let own = &self.world.machine(node).violations;
            all.extend(own.iter().map(|v| format!("{node}: {v}")));
        }
        all
    }
}

/// Runs seeds one after the other and names all that fail, each with its replay.
fn each(run: impl Fn(u64) -> Vec<String>) {
    let mut failed = Vec::new();
    for seed in seeds() {
        let wrong = run(seed);
        if !wrong.is_empty() {
            eprintln!("seed {seed}: {}\n  {}", wrong.join("; "), replay(seed));
            failed.push(seed);
        }
    }
    assert!(failed.is_empty(), "seeds {failed:?}; {}", replay(failed[0]));
}

#[test]
fn storms_break_no_promise_and_end_in_agreement() {
    each(|seed| {
        let mut storm = Storm::brew(seed);
        for _ in 0..60 {
            storm.step();
        }
        storm.calm();
        let healed = storm.world.now_us();
        while !storm.agree() && storm.world.now_us() < healed + HEALS_WITHIN {
            storm.world.run_for(SECOND);
        }
        // What follows on something that a crash took before anybody had it is shown after a wait.
        storm.world.run_for(WAITS);
        let mut wrong = storm.violations();
        if storm.agree() {
            wrong.extend(storm.differences());
        } else {
            wrong.push(format!("{} nodes do not agree", storm.nodes));
        }
        wrong
    });
}

/// Far worse than any network: nothing need arrive, and nothing wrong may.
#[test]
fn the_worst_network_breaks_no_promise() {
    each(|seed| {
        let mut storm = Storm::brew(seed);
        storm.world.net.loss = 200_000 + storm.dice.roll(500_000) as u32;
        storm.world.net.duplicate = 300_000;
        storm.world.net.reorder = 500_000;
        let costs = Costs {
            failing_checks: 50_000,
            failing_commits: 100_000,
            ..Costs::default()
        };
        for node in 0..storm.nodes {
            storm.world.machine_mut(node).set_costs(costs);
        }
        for _ in 0..60 {
            storm.step();
        }
        storm.violations()
    });
}

#[test]
fn the_same_storm_leaves_the_same_trace() {
    each(|seed| {
        let run = || {
            let mut storm = Storm::brew(seed);
            (0..20).for_each(|_| storm.step());
            (storm.world.trace(), storm.violations())
        };
        let ((first, mut wrong), (second, _)) = (run(), run());
        if first != second {
            wrong.push("two runs, two traces".to_owned());
        }
        wrong
    });
}
