//! Negative controls: with a mechanism switched off, the row that it is for gets much worse. A row that
//! does not notice would prove nothing.

use peddlenet_gossip::Controls;
use peddlenet_sim::scenario::{self, OurEngine, Row};

const NODES: u32 = 100;
const SEED: u64 = 1;

/// A row with everything on, and with one thing off.
fn with_and_without(scenario: &str, off: impl Fn(&mut Controls)) -> (Row, Row) {
    let run = |controls| {
        let row = scenario::run(scenario, &OurEngine { controls }, NODES, SEED);
        let row = row.expect("a row of that name");
        assert_eq!(row.violations, Vec::<String>::new(), "seed {SEED}");
        println!("{}", row.json());
        row
    };
    let mut controls = Controls::default();
    off(&mut controls);
    (run(Controls::default()), run(controls))
}

#[test]
fn without_pruning_every_link_carries_every_message() {
    let (with, without) = with_and_without("steady", |c| c.prune = false);
    assert!(with.figure("rmr_ratio") <= 0.05);
    assert!(without.figure("rmr_ratio") >= 3.0);
}

#[test]
fn without_announcements_loss_is_found_by_sync_alone_and_late() {
    let (with, without) = with_and_without("loss", |c| c.lazy = false);
    assert!(with.figure("in_1s_ratio") >= 0.999);
    assert!(without.figure("in_1s_ratio") <= 0.95);
    assert!(with.figure("p99_ms") * 4.0 <= without.figure("p99_ms"));
}

#[test]
fn without_lost_peers_a_split_never_merges() {
    let (with, without) = with_and_without("partition", |c| c.lost_peers = false);
    assert!(with.figure("merged_ms") <= 35_000.0);
    assert!(without.figure("merged_ms").is_nan());
    assert!(without.figure("after_ratio") <= 0.6);
}

#[test]
fn without_sync_halves_that_merged_do_not_converge() {
    let (with, without) = with_and_without("partition", |c| c.sync = false);
    assert!(with.figure("converged_ms") <= 60_000.0);
    // Only when members speak again does anybody miss what came before.
    assert!(without.figure("converged_ms").is_nan());
}

#[test]
fn without_alternates_messages_to_one_die_with_their_relays() {
    let (with, without) = with_and_without("unicast", |c| c.alternates = false);
    assert!(with.figure("in_2s_ratio") >= 0.98);
    assert!(without.figure("in_2s_ratio") <= 0.9);
}

#[test]
fn without_custody_nothing_waits_for_who_is_away() {
    let (with, without) = with_and_without("custody", |c| c.custody = false);
    // Senders that die are custodians, too: all copies of one message may go with them.
    assert!(with.figure("in_5s_ratio") >= 0.9);
    assert_eq!(without.figure("delivered_ratio"), 0.0);
}

#[test]
fn without_load_slow_nodes_carry_as_much_as_others() {
    let (with, without) = with_and_without("slow", |c| c.load = false);
    assert!(with.figure("slow_forward_ratio") <= 0.3);
    assert!(with.figure("slow_forward_ratio") * 1.5 <= without.figure("slow_forward_ratio"));
}
