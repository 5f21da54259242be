//! Messages to one member: known ways, dead relays, dead ends, searches, and waiting for who is away.

use std::collections::BTreeSet;

use peddlenet_gossip::{Config, Controls, Engine, Input, Outcome, UnicastId, limits};

use crate::net::{Dice, Net, ROOM, author};

pub(crate) fn send(net: &mut Net, from: usize, to: usize, n: u64) -> UnicastId {
    let id = UnicastId(n.to_be_bytes());
    net.give(
        from,
        Input::SendTo {
            room: ROOM,
            to: author(to),
            id,
            payload: format!("letter {n}").into_bytes(),
        },
    );
    id
}

/// Runs until a letter is there; how long that took.
#[track_caller]
fn arrives(net: &mut Net, at: usize, within_ms: u64) -> u64 {
    net.run_until(within_ms, "a letter", |n| !n.nodes[at].letters.is_empty())
}

/// Nodes in a circle, 0 to n-1.
fn ring(nodes: usize, seed: u64) -> Net {
    let mut net = Net::line(nodes, seed);
    net.link(nodes - 1, 0, &[ROOM]);
    net
}

fn with_controls(net: &mut Net, controls: Controls) {
    for (n, node) in net.nodes.iter_mut().enumerate() {
        node.engine = Engine::new(Config {
            salt: n as u64,
            controls,
            ..Config::default()
        });
    }
}

/// A circle whose engines have something switched off.
fn ring_without(nodes: usize, seed: u64, controls: Controls) -> Net {
    let mut net = Net::new(nodes, seed);
    with_controls(&mut net, controls);
    (0..nodes).for_each(|n| net.open(n, ROOM));
    (0..nodes).for_each(|n| {
        net.link(n, (n + 1) % nodes, &[ROOM]);
    });
    net
}

/// Everybody has heard `speaker`, so that ways to it are known.
fn warm(net: &mut Net, speaker: usize) {
    net.run_for(200);
    for n in 0..3 {
        net.say(speaker, &format!("here I am {n}"));
        net.run_for(500);
    }
}

fn outcome(net: &Net, node: usize) -> Vec<Outcome> {
    net.nodes[node].outcomes.iter().map(|o| o.1).collect()
}

#[test]
fn it_takes_the_reverse_of_the_recipients_tree_and_nobody_else_reads_it() {
    let mut net = Net::line(4, 1);
    warm(&mut net, 3);
    let id = send(&mut net, 0, 3, 1);
    let took = arrives(&mut net, 3, 1_000);
    assert_eq!(took, 30, "three links of 10 ms");
    assert_eq!(
        net.nodes[3].letters,
        [(author(0), id, b"letter 1".to_vec())]
    );
    net.run_for(1_000);
    assert_eq!(net.nodes[0].outcomes, [(id, Outcome::Delivered)]);
    assert!(net.nodes[1].letters.is_empty() && net.nodes[2].letters.is_empty());
    let routes: Vec<_> = net.nodes.iter().map(|n| n.sent.get("route")).collect();
    assert_eq!(routes, [Some(&1), Some(&1), Some(&1), None]);
}

#[test]
fn who_never_said_anything_is_searched_for() {
    let mut net = ring(9, 2);
    net.run_for(200);
    send(&mut net, 0, 4, 1);
    // Two rings that are too small, and there and back and there.
    let took = arrives(&mut net, 4, 2_000);
    assert!((250..=700).contains(&took), "{took} ms");
    net.run_for(1_000);
    assert_eq!(outcome(&net, 0), [Outcome::Delivered]);
}

#[test]
fn a_relay_that_died_silently_is_passed_by() {
    let mut net = ring(6, 3);
    warm(&mut net, 3);
    // Whichever way is the known one, it is dead.
    for dead in [1, 5] {
        net.nodes[dead].mute = true;
        send(&mut net, 0, 3, dead as u64);
        arrives(&mut net, 3, 1_000);
        net.nodes[dead].mute = false;
        net.nodes[3].letters.clear();
        net.run_for(20_000);
    }
    let mut all = outcome(&net, 0);
    all.dedup();
    assert_eq!(all, [Outcome::Delivered]);
}

#[test]
fn a_relay_that_accepts_and_then_dies_is_passed_by() {
    let mut net = ring(6, 4);
    warm(&mut net, 3);
    send(&mut net, 0, 3, 1);
    net.run_for(12);
    let relay = if net.nodes[1].sent.contains_key("route") {
        1
    } else {
        5
    };
    assert!(
        net.nodes[relay].sent.contains_key("route-reply"),
        "accepted"
    );
    // What it passed on is lost with it.
    for link in net.links_of(relay) {
        net.links.remove(&link);
    }
    arrives(&mut net, 3, 1_500);
}

#[test]
fn a_link_that_goes_down_under_way_sends_it_elsewhere_at_once() {
    let mut net = ring(6, 5);
    warm(&mut net, 3);
    send(&mut net, 0, 3, 1);
    let (carries, ..) = *net.nodes[0].routed.first().unwrap();
    net.run_for(5);
    net.cut(carries);
    let took = arrives(&mut net, 3, 600);
    assert!(took <= 500, "{took} ms");
}

#[test]
fn a_dead_end_says_so_and_the_message_turns_round() {
    let mut net = ring(8, 6);
    warm(&mut net, 4);
    // Both ways from 0 are equally long; the link before the recipient is gone on one side.
    for side in [3, 5] {
        let links = net.links_of(4);
        let gone = links
            .into_iter()
            .find(|p| net.links_of(side).contains(p))
            .unwrap();
        net.cut(gone);
        send(&mut net, 0, 4, side as u64);
        let took = arrives(&mut net, 4, 1_000);
        assert!(took <= 400, "{took} ms");
        net.nodes[4].letters.clear();
        net.run_for(2_000);
        net.link(side, 4, &[ROOM]);
        warm(&mut net, 4);
    }
}

#[test]
fn without_alternates_a_dead_relay_is_the_end() {
    for alternates in [true, false] {
        let controls = Controls {
            alternates,
            custody: false,
            ..Controls::default()
        };
        let mut net = ring_without(6, 7, controls);
        warm(&mut net, 3);
        send(&mut net, 0, 3, 1);
        arrives(&mut net, 3, 100);
        net.run_for(100);
        let relay = [1, 5].map(|n| (n, net.nodes[n].sent.contains_key("route")));
        let (relay, _) = relay.into_iter().find(|(_, used)| *used).unwrap();
        net.nodes[relay].mute = true;
        net.nodes[3].letters.clear();
        send(&mut net, 0, 3, 2);
        net.run_for(2_000);
        assert_eq!(!net.nodes[3].letters.is_empty(), alternates);
        let last = if alternates {
            Outcome::Delivered
        } else {
            Outcome::Failed
        };
        assert_eq!(outcome(&net, 0), [Outcome::Delivered, last]);
    }
}

/// 0-1-2-3 in a circle with a tail 3-4; 4 goes away, and 0 writes to it.
fn away(seed: u64, controls: Controls) -> Net {
    let mut net = ring_without(4, seed, controls);
    net.beacons = true;
    net.stand_in(4);
    with_controls_of(&mut net, 4, controls);
    net.open(4, ROOM);
    let tail = net.link(3, 4, &[ROOM]);
    warm(&mut net, 4);
    net.cut(tail);
    net.run_for(60_000);
    send(&mut net, 0, 4, 1);
    net
}

fn with_controls_of(net: &mut Net, node: usize, controls: Controls) {
    net.nodes[node].engine = Engine::new(Config {
        salt: node as u64,
        controls,
        ..Config::default()
    });
}

#[test]
fn a_message_for_somebody_away_waits_with_others_and_is_delivered_on_return() {
    let mut net = away(8, Controls::default());
    net.run_for(3_000);
    assert_eq!(outcome(&net, 0), [Outcome::Custody]);
    // Its writer leaves; ten minutes later the recipient is back.
    for link in net.links_of(0) {
        net.cut(link);
    }
    net.run_for(600_000);
    assert!(net.nodes[4].letters.is_empty());
    net.link(4, 2, &[ROOM]);
    let took = arrives(&mut net, 4, 5_000);
    assert!(took <= 5_000, "{took} ms");
    net.run_for(60_000);
    assert_eq!(net.nodes[4].letters.len(), 1);
    // The writer learns it when it is back, too.
    net.link(0, 1, &[ROOM]);
    net.run_for(60_000);
    assert_eq!(net.nodes[4].letters.len(), 1);
    assert_eq!(outcome(&net, 0), [Outcome::Custody, Outcome::Delivered]);
}

#[test]
fn when_who_keeps_it_goes_its_writer_asks_another() {
    // 0 with five neighbours, which 6 joins; 7 is away.
    let mut net = Net::room(8, 13);
    net.beacons = true;
    for n in 1..=5 {
        net.link(0, n, &[ROOM]);
        net.link(n, 6, &[ROOM]);
    }
    let away = net.link(6, 7, &[ROOM]);
    warm(&mut net, 7);
    net.cut(away);
    net.run_for(60_000);
    send(&mut net, 0, 7, 1);
    net.run_for(3_000);
    assert_eq!(outcome(&net, 0), [Outcome::Custody]);
    // Three of its neighbours keep it, whichever: four go one after another, and their memory with them.
    for gone in 1..=4 {
        net.links_of(gone)
            .into_iter()
            .for_each(|link| net.cut(link));
        net.run_for(1_000);
    }
    net.links_of(0).into_iter().for_each(|link| net.cut(link));
    net.run_for(600_000);
    assert!(net.nodes[7].letters.is_empty());
    net.link(6, 7, &[ROOM]);
    arrives(&mut net, 7, 5_000);
}

#[test]
fn a_message_is_given_to_so_many_neighbours_and_no_more() {
    let mut net = Net::room(2, 14);
    send(&mut net, 0, 1, 1);
    // Neighbours that come, keep it and go, for ever.
    for n in 2..40 {
        net.stand_in(n);
        net.open(n, ROOM);
        let link = net.link(0, n, &[ROOM]);
        net.run_for(35_000);
        net.cut(link);
        net.run_for(1_000);
    }
    let keeps = |node: &&crate::node::Node| node.sent.contains_key("route-reply");
    let keepers = net.nodes.iter().filter(keeps).count();
    assert_eq!(keepers, limits::KEEPERS_EVER);
}

#[test]
fn without_custody_nobody_waits() {
    let controls = Controls {
        custody: false,
        ..Controls::default()
    };
    let mut net = away(9, controls);
    net.run_for(5_000);
    assert_eq!(outcome(&net, 0), [Outcome::Failed]);
    net.link(4, 2, &[ROOM]);
    net.run_for(60_000);
    assert!(net.nodes[4].letters.is_empty());
}

#[test]
fn a_message_of_a_device_without_links_sets_out_when_there_is_one() {
    let mut net = Net::room(3, 10);
    net.link(1, 2, &[ROOM]);
    warm(&mut net, 2);
    send(&mut net, 0, 2, 1);
    net.run_for(10_000);
    assert_eq!(outcome(&net, 0), [Outcome::Custody], "kept here");
    net.link(0, 1, &[ROOM]);
    arrives(&mut net, 2, 5_000);
}

#[test]
fn who_keeps_a_copy_lets_it_go_when_it_arrived() {
    let mut net = away(11, Controls::default());
    net.run_for(3_000);
    net.link(4, 3, &[ROOM]);
    arrives(&mut net, 4, 5_000);
    net.run_for(30_000);
    let before: u64 = net.nodes.iter().filter_map(|n| n.sent.get("route")).sum();
    net.say(4, "again");
    net.run_for(30_000);
    let after: u64 = net.nodes.iter().filter_map(|n| n.sent.get("route")).sum();
    assert_eq!(before, after, "nothing is left to be sent");
}

#[test]
fn what_nobody_can_take_fails() {
    let mut net = Net::line(2, 12);
    let payload = vec![0; peddlenet_wire::limits::UNICAST_MAX + 1];
    let id = UnicastId([1; 8]);
    let to = author(1);
    net.give(
        0,
        Input::SendTo {
            room: ROOM,
            to,
            id,
            payload,
        },
    );
    assert_eq!(net.nodes[0].outcomes, [(id, Outcome::Failed)]);
}

/// Whatever is lost, doubled, late or cut: no message crosses a link twice in one attempt (the
/// network checks that), none arrives twice, and in the end each arrives.
#[test]
fn chaos_brings_every_letter_once() {
    for seed in 1..=40 {
        println!("seed {seed}");
        let mut dice = Dice::new(seed);
        let nodes = 8 + dice.roll(12) as usize;
        let mut net = ring(nodes, seed);
        net.beacons = true;
        for _ in 0..nodes {
            let (a, b) = (dice.roll(nodes as u64), dice.roll(nodes as u64));
            if a != b {
                net.link(a as usize, b as usize, &[ROOM]);
            }
        }
        net.run_for(40_000);
        net.faults.loss = 10;
        net.faults.duplicate = 10;
        net.faults.reorder = 20;
        let mut sent = BTreeSet::new();
        for n in 0..30 {
            let (from, to) = (dice.roll(nodes as u64), dice.roll(nodes as u64));
            if from != to {
                send(&mut net, from as usize, to as usize, n);
                sent.insert(n);
            }
            let links: Vec<_> = net.links.iter().map(|(&p, &ends)| (p, ends)).collect();
            let (peer, (a, b)) = links[dice.roll(links.len() as u64) as usize];
            if dice.percent(30) {
                net.cut(peer);
                net.run_for(dice.roll(300));
                net.link(a, b, &[ROOM]);
            }
            net.run_for(dice.roll(200));
        }
        net.heal();
        net.run_for(120_000);
        let came: usize = net.nodes.iter().map(|n| n.letters.len()).sum();
        assert_eq!(came, sent.len(), "seed {seed}");
    }
}
