//! Many messages a second: who carries them, and what happens when a carrier dies.

use super::{
    Row, System,
    stage::{Stage, ms, percentile},
};
use crate::{Death, MS, Machine, MessageId, SECOND, World};

/// Slow nodes send a tenth of what others do: 250 kB/s.
const SLOW_PART: u64 = 10;
/// Sealed body in the row with slow nodes: large enough that a relay's uplink notices.
const LARGE: usize = 600;
/// Senders and their messages in that row.
const TALKERS: usize = 50;
const ROUNDS: usize = 8;
/// A message every so often: 25 a second.
const BEAT: u64 = SECOND / 25;
/// Carriers killed in the other row, one every so often.
const KILLS: usize = 6;
const BETWEEN: u64 = 5 * SECOND;
/// A gap that did not end (µs).
const NEVER: u64 = u64::MAX / 2;
/// Pause between two messages of the stream.
const STREAM: u64 = 200 * MS;

/// Every tenth node has a tenth of the uplink. Runs twice: with them, and with all alike.
pub(super) fn slow_uplinks<S: System>(system: &S, nodes: u32, seed: u64) -> Row {
    let (even, _) = crowd_talks(system, nodes, seed, false);
    let (mut stage, slow) = crowd_talks(system, nodes, seed, true);
    let up = stage.world.up();
    let mut all: Vec<u64> = (0..nodes)
        .map(|n| stage.world.tally.traffic[n as usize].payload)
        .collect();
    let by_slow: Vec<u64> = slow.iter().map(|&n| all[n as usize]).collect();
    let mean = by_slow.iter().sum::<u64>() as f64 / by_slow.len().max(1) as f64;
    all.sort_unstable();
    stage.figure(
        "slow_forward_ratio",
        mean / all[all.len() / 2].max(1) as f64,
    );
    stage.broadcast_figures(&up);
    let [with, without] = [&stage, &even].map(|stage| {
        let mut lasts = stage.lasts(&stage.measured, &up);
        lasts.sort_by(f64::total_cmp);
        lasts[lasts.len() / 2]
    });
    stage.figure("last_growth_ratio", with / without);
    stage.row()
}

fn crowd_talks<S: System>(
    system: &S,
    nodes: u32,
    seed: u64,
    slowed: bool,
) -> (Stage<S::Machine>, Vec<u32>) {
    let mut stage = Stage::settle("slow", system, nodes, seed);
    let mut order = stage.some(nodes as usize);
    let slow = order.split_off(order.len() - nodes as usize / 10);
    order.truncate(TALKERS);
    for &node in slow.iter().filter(|_| slowed) {
        let uplink = stage.world.net.uplink / SLOW_PART;
        stage.world.set_uplink(node, uplink);
    }
    // Each speaks twice before it counts: once to grow its tree, once for the tree to move.
    for _ in 0..2 {
        round(&mut stage, &order);
    }
    stage.world.run_for(3 * SECOND);
    stage.world.tally.forget_traffic();
    stage.measure();
    stage.measured.clear();
    for _ in 0..ROUNDS {
        round(&mut stage, &order);
    }
    stage.world.run_for(5 * SECOND);
    (stage, slow)
}

fn round<M: Machine>(stage: &mut Stage<M>, senders: &[u32]) {
    for &sender in senders {
        let id = stage.world.publish(sender, LARGE);
        stage.measured.push(id);
        stage.world.run_for(BEAT);
    }
}

/// One member streams five messages a second; every five seconds the node that forwarded most of the
/// last ones dies.
pub(super) fn parent_kill<S: System>(system: &S, nodes: u32, seed: u64) -> Row {
    let mut stage = Stage::settle("parent-kill", system, nodes, seed);
    let origin = stage.some(1)[0];
    stage.warm(&[origin, origin]);
    stage.measure();
    let mut around: Vec<Vec<MessageId>> = Vec::new();
    for kill in 0..KILLS {
        let before = forwarded(&stage.world);
        let mut close = stream(&mut stage, origin, BETWEEN);
        let after = forwarded(&stage.world);
        // What was said in the last 200 ms may still be on its way through the dying node.
        let mut hit = close.split_off(close.len() - 1);
        let busiest = (0..nodes)
            .filter(|&n| n != origin && stage.world.is_up(n))
            .max_by_key(|&n| (after[n as usize] - before[n as usize], n));
        let Some(busiest) = busiest else { break };
        let death = [Death::Refuses, Death::Silent][kill % 2];
        stage.world.kill(busiest, death);
        hit.extend(stream(&mut stage, origin, BETWEEN));
        around.push(hit);
    }
    stage.world.run_for(15 * SECOND);
    let up = stage.world.up();
    let times = stage.times(&stage.measured, &up);
    stage.figure("lost", times.iter().filter(|t| t.is_none()).count() as f64);
    // A node's gap at a kill: the longest that a message took to it around then.
    let mut gaps: Vec<u64> = Vec::new();
    for hit in &around {
        for &node in up.iter().filter(|&&node| node != origin) {
            let took = hit
                .iter()
                .map(|&id| stage.world.tally.message(id).took(node));
            gaps.push(took.map(|t| t.unwrap_or(NEVER)).max().unwrap_or(0));
        }
    }
    gaps.sort_unstable();
    for (name, percent) in [
        ("gap_p50_ms", 50.0),
        ("gap_p99_ms", 99.0),
        ("gap_max_ms", 100.0),
    ] {
        let gap = percentile(&gaps, percent);
        stage.figure(name, if gap < ms(NEVER) { gap } else { f64::NAN });
    }
    stage.broadcast_figures(&up);
    stage.row()
}

fn stream<M: Machine>(stage: &mut Stage<M>, origin: u32, span: u64) -> Vec<MessageId> {
    (0..span / STREAM)
        .map(|_| stage.say(origin, STREAM))
        .collect()
}

fn forwarded<M: Machine>(world: &World<M>) -> Vec<u64> {
    world.tally.traffic.iter().map(|t| t.payload).collect()
}
