//! Many nodes fail, the network splits, members come and go.

use super::{
    Row, System,
    stage::{SENDERS, Stage, ms},
};
use crate::{Death, MS, Machine, MessageId, SECOND};

/// How long the split lasts.
const SPLIT: u64 = 600 * SECOND;
/// How long members come and go.
const CHURN: u64 = 60 * SECOND;
/// Those who left come back after about so long.
const AWAY: u64 = 10 * SECOND;

/// That many percent die at once, half of them refusing dials and half silent. A survivor speaks
/// 100 ms later, and more follow.
pub(super) fn at_once<S: System>(system: &S, nodes: u32, seed: u64, percent: u32) -> Row {
    let name = if percent == 50 { "fail50" } else { "fail80" };
    let mut stage = Stage::settle(name, system, nodes, seed);
    let mut order = stage.some(nodes as usize);
    let dead = order.split_off(order.len() - (nodes * percent / 100) as usize);
    let senders: Vec<u32> = order.iter().copied().take(SENDERS).collect();
    stage.warm(&senders);
    for (i, node) in dead.into_iter().enumerate() {
        stage.world.kill(node, death(i));
    }
    let failed = stage.world.now_us();
    stage.measure();
    stage.world.run_for(100 * MS);
    let first = stage.say(senders[0], 0);
    let mut one = stage.until(2 * SECOND, 100 * MS, Stage::is_one);
    for &sender in senders.iter().cycle().skip(1).take(20) {
        stage.say(sender, 0);
        if one.is_nan() {
            one = stage.until(SECOND, 100 * MS, Stage::is_one) + ms(stage.world.now_us() - failed);
        } else {
            stage.world.run_for(SECOND);
        }
    }
    stage.world.run_for(40 * SECOND);
    let up = stage.world.up();
    let in_time = stage.within(&[first], &up, 2 * SECOND);
    stage.figure("first_in_2s_ratio", in_time);
    let first_ever = stage.within(&[first], &up, u64::MAX);
    stage.figure("first_ratio", first_ever);
    let all = stage.lasts(&[first], &up)[0];
    stage.figure("first_all_ms", all);
    stage.figure("one_component_ms", one);
    stage.broadcast_figures(&up);
    stage.row()
}

/// Half and half cannot reach each other for ten minutes; both halves talk.
pub(super) fn partition<S: System>(system: &S, nodes: u32, seed: u64) -> Row {
    let mut stage = Stage::settle("partition", system, nodes, seed);
    let mut side = vec![0; nodes as usize];
    let order = stage.some(nodes as usize);
    let (left, right) = order.split_at(order.len() / 2);
    right.iter().for_each(|&node| side[node as usize] = 1);
    let senders: Vec<u32> = left
        .iter()
        .zip(right)
        .take(SENDERS / 2)
        .flat_map(|(&a, &b)| [a, b])
        .collect();
    stage.warm(&senders);
    stage.world.split(|node| side[node as usize]);
    stage.measure();
    let end = stage.world.now_us() + SPLIT;
    for &sender in senders.iter().cycle() {
        if stage.world.now_us() >= end {
            break;
        }
        stage.say(sender, 10 * SECOND);
    }
    stage.world.heal();
    let healed = stage.world.now_us();
    let merged = stage.until(180 * SECOND, 100 * MS, Stage::is_one);
    let so_far = ms(stage.world.now_us() - healed);
    let messages = stage.measured.clone();
    let converged = if merged.is_nan() {
        f64::NAN
    } else {
        let up = stage.world.up();
        let everywhere = |stage: &Stage<S::Machine>| has_all(stage, &messages, &up);
        so_far + stage.until(120 * SECOND, 100 * MS, everywhere)
    };
    stage.figure("merged_ms", merged);
    stage.figure("converged_ms", converged);
    // And does the healed room work?
    stage.measured.clear();
    for &sender in &senders {
        stage.say(sender, SECOND);
    }
    stage.world.run_for(5 * SECOND);
    let up = stage.world.up();
    let after = stage.within(&stage.measured, &up, u64::MAX);
    stage.figure("after_ratio", after);
    stage.measured.extend(messages);
    stage.broadcast_figures(&up);
    stage.row()
}

/// Every second a hundredth of the members goes, half of them without a word, and as many come back.
/// Two messages a second.
pub(super) fn churn<S: System>(system: &S, nodes: u32, seed: u64) -> Row {
    let mut stage = Stage::settle("churn", system, nodes, seed);
    let senders = stage.some(SENDERS);
    stage.warm(&senders);
    stage.measure();
    let mut stayed = vec![true; nodes as usize];
    let mut away: Vec<(u64, u32)> = Vec::new();
    let start = stage.world.now_us();
    let mut gone = 0;
    while stage.world.now_us() < start + CHURN {
        let due = (stage.world.now_us() - start) * u64::from(nodes) / (100 * SECOND);
        let candidates: Vec<u32> = stage.world.up();
        let mut leaving = stage.world.dice().sample(&candidates, candidates.len());
        leaving.retain(|node| !senders.contains(node));
        for node in leaving.into_iter().take((due - gone) as usize) {
            if gone % 2 == 0 {
                stage.world.kill(node, death((gone / 2) as usize));
            } else {
                stage.world.leave(node);
            }
            gone += 1;
            stayed[node as usize] = false;
            away.push((stage.world.now_us() + AWAY, node));
        }
        let now = stage.world.now_us();
        let back: Vec<u32> = away
            .iter()
            .filter(|&&(at, _)| at <= now)
            .map(|&(_, node)| node)
            .collect();
        away.retain(|&(at, _)| at > now);
        back.into_iter().for_each(|node| stage.world.start(node));
        let sender = senders[stage.measured.len() % senders.len()];
        stage.say(sender, SECOND / 2);
    }
    for (_, node) in away {
        stage.world.start(node);
    }
    stage.world.run_for(30 * SECOND);
    let up = stage.world.up();
    let stayed: Vec<u32> = up.into_iter().filter(|&n| stayed[n as usize]).collect();
    let in_time = stage.within(&stage.measured, &stayed, SECOND);
    stage.figure("stayed_in_1s_ratio", in_time);
    let in_the_end = stage.within(&stage.measured, &stayed, u64::MAX);
    stage.figure("stayed_ratio", in_the_end);
    let everybody = stage.world.up();
    stage.broadcast_figures(&everybody);
    stage.row()
}

/// Half of the dead refuse dials, half are silent.
fn death(i: usize) -> Death {
    if i.is_multiple_of(2) {
        Death::Refuses
    } else {
        Death::Silent
    }
}

fn has_all<M: Machine>(stage: &Stage<M>, messages: &[MessageId], nodes: &[u32]) -> bool {
    messages.iter().all(|&id| {
        let said = stage.world.tally.message(id);
        nodes.iter().all(|&node| said.took(node).is_some())
    })
}
