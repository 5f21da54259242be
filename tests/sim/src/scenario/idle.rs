//! Nobody says anything: what it costs to be ready.

use super::{Row, System, stage::Stage};
use crate::SECOND;

/// Before it is measured: what a new overlay does at first is over ..
const FIRST: u64 = 60 * SECOND;
/// .. and in a room of N everybody has given a first sign of life, which floods: one in 0.68 s.
const FIRST_A_NODE: u64 = SECOND * 3 / 4;
/// How long it is measured.
const SPAN: u64 = 300 * SECOND;

/// Bytes a second that a node sends while nobody speaks, pings included.
pub(super) fn idle<S: System>(system: &S, nodes: u32, seed: u64) -> Row {
    let mut stage = Stage::settle("idle", system, nodes, seed);
    // Someone has spoken: digests are not those of an empty room.
    let senders = stage.some(3);
    stage.warm(&senders);
    stage.world.run_for(FIRST + FIRST_A_NODE * u64::from(nodes));
    let before = stage.world.tally.total();
    let busy = stage.world.busy();
    stage.world.run_for(SPAN);
    let spent = stage.world.tally.total().since(&before);
    let busy = stage.world.busy() - busy;
    let per = |bytes: u64| bytes as f64 / f64::from(nodes) / (SPAN / SECOND) as f64;
    stage.figure(
        "sent_bytes_s",
        per(spent.payload + spent.control + spent.pings),
    );
    stage.figure("control_bytes_s", per(spent.control));
    stage.figure("ping_bytes_s", per(spent.pings));
    stage.figure("frames_s", per(spent.frames));
    let links: usize = (0..nodes).map(|node| stage.world.degree(node)).sum();
    stage.figure("links", links as f64 / f64::from(nodes));
    let cpu = busy.as_micros() as f64 / f64::from(nodes) / (SPAN / SECOND) as f64;
    stage.figure("cpu_us_s", cpu);
    stage.row()
}
