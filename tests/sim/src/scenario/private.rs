//! Messages to one member: over relays that die, and to somebody who is away.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{
    Row, System,
    stage::{BODY, PAUSE, Stage, ms, percentile},
};
use crate::{Death, MS, Machine, MessageId, SECOND, World};

/// Pairs that write to each other.
const PAIRS: usize = 50;
/// Recipients that are away, and for how long.
const ABSENT: usize = 10;
const AWAY: u64 = 600 * SECOND;

/// Fifty members write to one other each, first in calm, then while every fifth node dies 40 ms after
/// they wrote. Both ends of each pair have spoken to all once before.
pub(super) fn relays_die<S: System>(system: &S, nodes: u32, seed: u64) -> Row {
    let mut stage = Stage::settle("unicast", system, nodes, seed);
    let pairs = PAIRS.min(nodes as usize / 4);
    let ends = stage.some(2 * pairs);
    stage.warm(&ends);
    let (from, to) = ends.split_at(pairs);
    let write = |stage: &mut Stage<S::Machine>| -> Vec<MessageId> {
        let pairs = from.iter().zip(to);
        pairs
            .map(|(&from, &to)| stage.world.send_to(from, to, BODY))
            .collect()
    };
    let shortest = shortest_all(&stage.world, from, to);
    let calm = write(&mut stage);
    stage.world.run_for(5 * SECOND);
    figures(
        &mut stage,
        &calm,
        &shortest,
        ["calm_in_2s_ratio", "calm_stretch_ratio", "calm_p99_ms"],
    );
    let shortest = shortest_all(&stage.world, from, to);
    let hit = write(&mut stage);
    stage.world.run_for(40 * MS);
    let mut relays: Vec<u32> = stage.world.up();
    relays.retain(|node| !ends.contains(node));
    let dying = stage.world.dice().sample(&relays, nodes as usize / 5);
    for (i, node) in dying.into_iter().enumerate() {
        stage
            .world
            .kill(node, [Death::Refuses, Death::Silent][i % 2]);
    }
    stage.world.run_for(30 * SECOND);
    figures(
        &mut stage,
        &hit,
        &shortest,
        ["in_2s_ratio", "stretch_ratio", "p99_ms"],
    );
    let got = hit
        .iter()
        .filter(|&&id| stage.world.tally.unicast_took(id).is_some());
    let ever = got.count() as f64 / hit.len() as f64;
    stage.figure("delivered_ratio", ever);
    stage.row()
}

/// Stretch: the time taken over that of the quickest path before anything died, the median of those
/// that arrived.
fn figures<M: Machine>(
    stage: &mut Stage<M>,
    ids: &[MessageId],
    shortest: &[u64],
    names: [&'static str; 3],
) {
    let took: Vec<Option<u64>> = ids
        .iter()
        .map(|&id| stage.world.tally.unicast_took(id))
        .collect();
    let in_time = took.iter().flatten().filter(|&&us| us <= 2 * SECOND);
    let in_time = in_time.count() as f64 / took.len().max(1) as f64;
    let mut stretch: Vec<f64> = took
        .iter()
        .zip(shortest)
        .filter_map(|(took, &best)| Some((*took)? as f64 / best.max(1) as f64))
        .collect();
    stretch.sort_by(f64::total_cmp);
    let mut times: Vec<u64> = took.into_iter().flatten().collect();
    times.sort_unstable();
    let [ratio, stretched, p99] = names;
    stage.figure(ratio, in_time);
    stage.figure(
        stretched,
        stretch.get(stretch.len() / 2).copied().unwrap_or(f64::NAN),
    );
    stage.figure(p99, percentile(&times, 99.0));
}

/// Ten members leave; five seconds later somebody writes to each, and dies after half a minute. They
/// come back after ten minutes.
pub(super) fn recipient_away<S: System>(system: &S, nodes: u32, seed: u64) -> Row {
    let mut stage = Stage::settle("custody", system, nodes, seed);
    let absent = ABSENT.min(nodes as usize / 4);
    let ends = stage.some(2 * absent);
    stage.warm(&ends);
    let (from, to) = ends.split_at(absent);
    to.iter().for_each(|&node| stage.world.leave(node));
    stage.world.run_for(5 * SECOND);
    let mut ids = Vec::new();
    for (&from, &to) in from.iter().zip(to) {
        ids.push(stage.world.send_to(from, to, BODY));
        stage.world.run_for(PAUSE);
    }
    stage.world.run_for(30 * SECOND);
    // Or the sender itself would hand it over.
    from.iter()
        .for_each(|&node| stage.world.kill(node, Death::Refuses));
    stage.world.run_for(AWAY);
    let back = stage.world.now_us();
    to.iter().for_each(|&node| stage.world.start(node));
    stage.world.run_for(60 * SECOND);
    let mut times: Vec<u64> = Vec::new();
    for &id in &ids {
        let at = stage.world.tally.message(id).at_us;
        times.extend(
            stage
                .world
                .tally
                .unicast_took(id)
                .map(|took| (at + took).saturating_sub(back)),
        );
    }
    times.sort_unstable();
    let in_time = times.iter().filter(|&&us| us <= 5 * SECOND).count();
    stage.figure("in_5s_ratio", in_time as f64 / ids.len().max(1) as f64);
    stage.figure(
        "delivered_ratio",
        times.len() as f64 / ids.len().max(1) as f64,
    );
    stage.figure("return_p50_ms", percentile(&times, 50.0));
    stage.figure("return_max_ms", times.last().map_or(f64::NAN, |&us| ms(us)));
    stage.row()
}

/// The quickest path of each pair over the links that are up, in µs.
fn shortest_all<M: Machine>(world: &World<M>, from: &[u32], to: &[u32]) -> Vec<u64> {
    from.iter()
        .zip(to)
        .map(|(&a, &b)| shortest(world, a, b))
        .collect()
}

/// Dijkstra's.
fn shortest<M: Machine>(world: &World<M>, from: u32, to: u32) -> u64 {
    let mut best = vec![u64::MAX; world.len() as usize];
    let mut todo = BinaryHeap::from([Reverse((0, from))]);
    best[from as usize] = 0;
    while let Some(Reverse((cost, node))) = todo.pop() {
        if node == to {
            return cost;
        }
        for peer in world.neighbours(node) {
            let next = cost + world.latency(node, peer);
            if next < best[peer as usize] {
                best[peer as usize] = next;
                todo.push(Reverse((next, peer)));
            }
        }
    }
    u64::MAX
}
