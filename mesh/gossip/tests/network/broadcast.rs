//! Trees: who pushes to whom, and what happens when a pusher is gone, spared or silent.

use peddlenet_gossip::{Action, Input};
use peddlenet_wire::{Frame, Seq, tree::SignedBeacon};

use crate::net::{Net, ROOM, author};

/// Everybody linked with everybody.
fn clique(nodes: usize, seed: u64) -> Net {
    let mut net = Net::room(nodes, seed);
    for a in 0..nodes {
        for b in a + 1..nodes {
            net.link(a, b, &[ROOM]);
        }
    }
    net.run_for(500);
    net
}

fn copies(net: &Net) -> u64 {
    net.nodes
        .iter()
        .map(|n| n.sent.get("event").copied().unwrap_or(0))
        .sum()
}

#[test]
fn after_one_flood_each_member_gets_one_copy() {
    let mut net = clique(6, 1);
    net.say(0, "first");
    net.run_for(500);
    let flood = copies(&net);
    assert!(flood > 5, "{flood}");
    for n in 0..10 {
        net.say(0, &format!("message {n}"));
        net.run_for(200);
    }
    assert_eq!(copies(&net) - flood, 50, "ten messages for five others");
    assert!(net.converged(ROOM, 11));
}

#[test]
fn a_large_first_event_is_announced_and_fetched_once_by_each() {
    let mut net = clique(6, 2);
    net.say(0, &"x".repeat(9_000));
    net.run_for(1_000);
    assert_eq!(copies(&net), 5);
    net.say(0, &"y".repeat(9_000));
    net.run_for(1_000);
    assert_eq!(copies(&net), 10, "the grafts made the tree");
    assert!(net.converged(ROOM, 2));
}

#[test]
fn when_the_parent_goes_another_neighbour_pushes() {
    // 0 - 1 - 3 and 0 - 2 - 3.
    let mut net = Net::room(4, 3);
    let links: Vec<_> = [(0, 1), (1, 3), (0, 2), (2, 3)]
        .map(|(a, b)| net.link(a, b, &[ROOM]))
        .into();
    net.run_for(500);
    net.say(0, "first");
    net.run_for(500);
    net.cut(links[1]);
    let before = net.now;
    net.say(0, "second");
    net.run_until(500, "the second", |n| n.bodies(3).len() == 2);
    let took = net.now - before;
    assert!(took <= 60, "pushed, not fetched: {took} ms");
    assert!(net.nodes[3].delivered.iter().all(|d| d.2), "live");
}

#[test]
fn a_silent_parent_is_replaced_after_the_first_message_it_keeps() {
    let mut net = Net::room(4, 4);
    for (a, b) in [(0, 1), (1, 3), (0, 2), (2, 3)] {
        net.link(a, b, &[ROOM]);
    }
    net.run_for(500);
    net.say(0, "first");
    net.run_for(500);
    // Whichever feeds 3 says nothing from now on, and the link stays up.
    let fed_by_1 = net.nodes[3]
        .arrived
        .iter()
        .next()
        .map(|(peer, _)| net.links[peer]);
    let silent = if fed_by_1 == Some((1, 3)) { 1 } else { 2 };
    net.nodes[silent].mute = true;
    for n in 0..3 {
        let (before, have) = (net.now, net.bodies(3).len());
        net.say(0, &format!("message {n}"));
        net.run_until(1_000, "it", |net| net.bodies(3).len() > have);
        let took = net.now - before;
        assert!(
            took <= if n == 0 { 250 } else { 60 },
            "message {n}: {took} ms"
        );
        net.run_for(200);
    }
}

#[test]
fn a_beacon_tells_of_a_last_message_that_was_lost() {
    let mut net = Net::room(2, 5);
    let link = net.link(0, 1, &[ROOM]);
    net.run_for(500);
    net.say(0, "heard");
    net.run_for(100);
    net.faults.loss = 100;
    net.say(0, "lost");
    net.run_for(200);
    net.faults.loss = 0;
    let beacon = SignedBeacon {
        author: author(0),
        clock: peddlenet_wire::Hlc(1),
        seq: Seq(2),
        signature: peddlenet_wire::Signature([3; 64]),
    };
    net.give(0, Input::Beacon { room: ROOM, beacon });
    let took = net.run_until(2_000, "the lost one", |n| n.bodies(1).len() == 2);
    assert!(took <= 200, "{took} ms");
    assert!(net.links.contains_key(&link));
}

/// Whoever was away comes back somewhere else, while the trees of those who said nothing meanwhile
/// lost nodes: nothing showed where they broke.
#[test]
fn everybody_hears_of_a_return() {
    for seed in 1..=10 {
        println!("seed {seed}");
        let mut net = Net::room(60, seed);
        net.beacons = true;
        let mut dice = crate::net::Dice::new(seed);
        let mut join = |net: &mut Net, node: usize, from: usize, links: u64| {
            for _ in 0..links {
                let other = from + dice.roll((60 - from) as u64) as usize;
                if other != node {
                    net.link(node, other, &[ROOM]);
                }
            }
        };
        (0..60).for_each(|node| join(&mut net, node, 0, 2));
        net.run_for(100_000);
        // It goes, and some relays for ever.
        for node in 0..12 {
            net.links_of(node)
                .into_iter()
                .for_each(|link| net.cut(link));
        }
        net.run_for(21_000);
        (12..60).for_each(|node| join(&mut net, node, 12, 1));
        let back = net.now;
        join(&mut net, 0, 12, 3);
        net.run_for(1_000);
        let heard = |node: &usize| net.nodes[*node].heard.get(&author(0)) > Some(&back);
        let deaf: Vec<usize> = (12..60).filter(|node| !heard(node)).collect();
        assert!(deaf.is_empty(), "{deaf:?} did not hear of it");
    }
}

#[test]
fn the_tree_of_a_silent_author_is_mended_when_its_beacons_stop_coming() {
    let mut net = Net::room(4, 8);
    net.beacons = true;
    let links: Vec<_> = [(0, 1), (1, 3), (0, 2), (2, 3)]
        .map(|(a, b)| net.link(a, b, &[ROOM]))
        .into();
    net.run_for(100_000);
    let heard = |net: &Net| net.nodes[3].heard.get(&author(0)).copied().unwrap_or(0);
    assert!(net.now - heard(&net) <= 40_000, "warm");
    // Both neighbours are told that 3 has it from elsewhere, as if a graft had been lost.
    for peer in [links[1], links[3]] {
        let (feeder, _) = net.links[&peer];
        let frame = Frame::Prune(peddlenet_wire::tree::Prune {
            room: ROOM.short(),
            authors: vec![author(0).short()].try_into().unwrap(),
        });
        net.give(feeder, Input::Frame { from: peer, frame });
    }
    let broken = net.now;
    net.run_for(45_000);
    assert!(heard(&net) <= broken, "the tree is broken");
    net.run_until(120_000, "a sign of life", |net| heard(net) > broken);
}

#[test]
fn who_asks_to_be_spared_stops_relaying_where_there_is_another_way() {
    let mut net = Net::room(4, 6);
    let links: Vec<_> = [(0, 1), (1, 3), (0, 2), (2, 3)]
        .map(|(a, b)| net.link(a, b, &[ROOM]))
        .into();
    net.run_for(500);
    net.say(0, "first");
    net.run_for(500);
    let relayed = |net: &Net, n: usize| net.nodes[n].sent.get("event").copied().unwrap_or(0);
    let busy = if net.nodes[3]
        .arrived
        .iter()
        .any(|&(peer, _)| peer == links[1])
    {
        1
    } else {
        2
    };
    for &peer in &links {
        net.give(
            busy,
            Input::Load {
                peer,
                rtt_ms: 20,
                queued_bytes: 1 << 20,
                bytes_per_s: 1 << 20,
            },
        );
    }
    net.run_for(500);
    let before = relayed(&net, busy);
    for n in 0..5 {
        net.say(0, &format!("message {n}"));
        net.run_for(200);
    }
    assert_eq!(relayed(&net, busy), before);
    assert!(net.converged(ROOM, 6));
    // Its own messages it pushes all the same.
    net.say(busy, "own");
    net.run_for(500);
    assert!(net.converged(ROOM, 7) && relayed(&net, busy) > before);
}

#[test]
fn hints_in_masses_cost_their_sender_and_nothing_else() {
    let mut net = Net::room(2, 7);
    let link = net.link(0, 1, &[ROOM]);
    net.run_for(500);
    let entries = |n: u64| {
        let entry = |i: u64| peddlenet_wire::tree::Announced {
            author: author(1).short(),
            stream: peddlenet_wire::Stream::CONTENT,
            seq: Seq(n * 1_000 + i),
            cost: 1,
        };
        let all: Vec<_> = (0..256).map(entry).collect();
        all.try_into().unwrap()
    };
    let mut grafts = 0;
    for n in 0..100 {
        let frame = Frame::Ihave(peddlenet_wire::tree::Ihave {
            room: ROOM.short(),
            entries: entries(n),
        });
        let now = peddlenet_wire::Timestamp(net.now);
        let actions: Vec<_> = net.nodes[0]
            .engine
            .handle(Input::Frame { from: link, frame }, now)
            .collect();
        grafts += actions
            .iter()
            .filter(|a| {
                matches!(
                    a,
                    Action::Send {
                        frame: Frame::Graft(_),
                        ..
                    }
                )
            })
            .count();
    }
    assert!(grafts <= 100, "{grafts} frames");
    let stats = net.nodes[0].engine.stats();
    assert!(stats.overflow > 0, "what was announced is bounded");
}
