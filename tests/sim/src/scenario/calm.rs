//! Everybody is there: what a message costs, and what loss and silent droppers do to it.

use super::{
    Row, System,
    stage::{PAUSE, SENDERS, Stage},
};
use crate::SECOND;

/// Measured messages of each sender.
const EACH: usize = 5;
/// Messages lost in the row with loss, in a million.
const LOSS: u32 = 50_000;

/// Ten random members; each sends once to warm its tree, then five times.
pub(super) fn steady<S: System>(system: &S, nodes: u32, seed: u64) -> Row {
    let mut stage = Stage::settle("steady", system, nodes, seed);
    let senders = stage.some(SENDERS);
    stage.warm(&senders);
    talk(&mut stage, &senders, EACH);
    stage.world.run_for(5 * SECOND);
    let up = stage.world.up();
    stage.broadcast_figures(&up);
    stage.row()
}

/// Ten random members send once each, for the first time.
pub(super) fn cold<S: System>(system: &S, nodes: u32, seed: u64) -> Row {
    let mut stage = Stage::settle("cold", system, nodes, seed);
    let senders = stage.some(SENDERS);
    talk(&mut stage, &senders, 1);
    stage.world.run_for(5 * SECOND);
    let up = stage.world.up();
    stage.broadcast_figures(&up);
    stage.row()
}

/// As steady, while every twentieth message on a link is lost.
pub(super) fn loss<S: System>(system: &S, nodes: u32, seed: u64) -> Row {
    let mut stage = Stage::settle("loss", system, nodes, seed);
    let senders = stage.some(SENDERS);
    stage.world.net.loss = LOSS;
    stage.warm(&senders);
    talk(&mut stage, &senders, EACH);
    end_of_hardship(stage)
}

/// As steady, while a fifth of the members take part but keep to themselves what others say.
pub(super) fn droppers<S: System>(system: &S, nodes: u32, seed: u64) -> Row {
    let mut stage = Stage::settle("droppers", system, nodes, seed);
    let mut order = stage.some(nodes as usize);
    let droppers = order.split_off(order.len() - nodes as usize / 5);
    let senders: Vec<u32> = order.into_iter().take(SENDERS).collect();
    droppers
        .into_iter()
        .for_each(|node| stage.world.set_dropper(node));
    stage.warm(&senders);
    talk(&mut stage, &senders, EACH);
    end_of_hardship(stage)
}

/// As steady with few messages: what a node takes of this machine, to be run alone in a process.
pub(super) fn memory<S: System>(system: &S, nodes: u32, seed: u64) -> Row {
    let before = resident();
    let mut stage = Stage::settle("memory", system, nodes, seed);
    let senders = stage.some(SENDERS);
    stage.warm(&senders);
    talk(&mut stage, &senders, 1);
    stage.world.run_for(5 * SECOND);
    let up = stage.world.up();
    stage.broadcast_figures(&up);
    // With the simulator's own share: its links, its queue, its tally.
    let taken = resident().saturating_sub(before) as f64;
    stage.figure("resident_bytes", taken / f64::from(nodes));
    stage.row()
}

/// What got there in a second, and in the end.
fn end_of_hardship<M: crate::Machine>(mut stage: Stage<M>) -> Row {
    stage.world.run_for(15 * SECOND);
    let up = stage.world.up();
    let in_time = stage.within(&stage.measured, &up, SECOND);
    stage.figure("in_1s_ratio", in_time);
    stage.broadcast_figures(&up);
    stage.row()
}

fn talk<M: crate::Machine>(stage: &mut Stage<M>, senders: &[u32], each: usize) {
    stage.measure();
    for _ in 0..each {
        for &sender in senders {
            stage.say(sender, PAUSE);
        }
    }
}

/// Bytes of this process in memory (Linux; 0 elsewhere).
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|n| n.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}
