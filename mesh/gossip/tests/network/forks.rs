//! Authors who sign two events for one place, or leave holes.

use peddlenet_gossip::{Input, Notice, PeerId, limits};
use peddlenet_wire::{
    EventHash, Frame, Seq, SignedEvent, Stream,
    frame::{self},
};

use crate::net::{Net, ROOM, START, author, event};

use crate::mallory::{MALLORY, push, with_mallory};

#[test]
fn two_events_in_one_place_are_both_kept_and_told() {
    let (mut net, peer) = with_mallory(14);
    let first = event(
        ROOM,
        author(MALLORY),
        Stream::CONTENT,
        (1, EventHash::ZERO),
        START,
        "left",
    );
    let second = event(
        ROOM,
        author(MALLORY),
        Stream::CONTENT,
        (1, EventHash::ZERO),
        START,
        "right",
    );
    push(&mut net, peer, first.clone());
    net.run_for(50);
    push(&mut net, peer, second.clone());
    net.run_for(50);
    for node in &net.nodes {
        assert!(node.notices.contains(&Notice::Fork {
            room: ROOM,
            author: author(MALLORY),
            stream: Stream::CONTENT,
            seq: Seq(1),
            events: [first.hash(), second.hash()],
        }));
        assert_eq!(node.delivered.len(), 2);
        assert_eq!(node.disks[&ROOM].events.len(), 2);
        assert_eq!(
            node.engine.heads(ROOM)[0].hash,
            first.hash(),
            "the first stays the head"
        );
    }
    // After a restart the store still knows both, and nothing is taken twice.
    net.restart(0);
    net.give(
        0,
        Input::PeerUp {
            peer,
            room: ROOM,
            author: author(MALLORY),
        },
    );
    push(&mut net, peer, second);
    push(&mut net, peer, first);
    net.run_for(50);
    assert!(
        net.nodes[0]
            .notices
            .iter()
            .filter(|n| matches!(n, Notice::Fork { .. }))
            .count()
            == 1
    );
    // More branches than that are no news.
    for n in 0..20 {
        let body = format!("branch {n}");
        push(
            &mut net,
            peer,
            event(
                ROOM,
                author(MALLORY),
                Stream::CONTENT,
                (1, EventHash::ZERO),
                START,
                &body,
            ),
        );
        net.run_for(20);
    }
    assert!(net.nodes[0].disks[&ROOM].events.len() <= 2 + limits::FORKS_MAX);
}

#[test]
fn branches_that_met_on_different_sides_reach_everybody() {
    let mut net = Net::room(2, 15);
    let (left, right) = (PeerId(1_000), PeerId(1_001));
    net.give(
        0,
        Input::PeerUp {
            peer: left,
            room: ROOM,
            author: author(MALLORY),
        },
    );
    net.give(
        1,
        Input::PeerUp {
            peer: right,
            room: ROOM,
            author: author(MALLORY),
        },
    );
    let fork = |body| {
        event(
            ROOM,
            author(MALLORY),
            Stream::CONTENT,
            (1, EventHash::ZERO),
            START,
            body,
        )
    };
    for (node, from, body) in [(0, left, "left"), (1, right, "right")] {
        let frame = Frame::Event(frame::Event {
            event: fork(body),
            hops: 0,
            cost: 0,
        });
        net.give(node, Input::Frame { from, frame });
    }
    net.run_for(100);
    net.link(0, 1, &[ROOM]);
    net.run_until(5_000, "both branches", |n| {
        n.nodes.iter().all(|n| n.delivered.len() == 2)
    });
    // Digests differ for good (who came first differs); that must not cost heads all the time.
    net.run_for(60_000);
    let before = net.nodes[0].sent["heads"];
    net.run_for(60_000);
    assert!(net.nodes[0].sent["heads"] - before <= 6);
}

#[test]
fn a_chain_that_does_not_hold_together_is_told() {
    let (mut net, peer) = with_mallory(16);
    push(
        &mut net,
        peer,
        event(
            ROOM,
            author(MALLORY),
            Stream::CONTENT,
            (1, EventHash::ZERO),
            START,
            "one",
        ),
    );
    net.run_for(50);
    push(
        &mut net,
        peer,
        event(
            ROOM,
            author(MALLORY),
            Stream::CONTENT,
            (2, EventHash([8; 32])),
            START,
            "two, after another one",
        ),
    );
    net.run_for(50);
    assert!(
        net.nodes[0]
            .notices
            .iter()
            .any(|n| matches!(n, Notice::Fork { seq: Seq(1), .. }))
    );
}

#[test]
fn a_log_full_of_holes_is_bounded() {
    let (mut net, peer) = with_mallory(17);
    for n in 1..=2 * limits::STRETCHES_MAX as u64 {
        push(
            &mut net,
            peer,
            event(
                ROOM,
                author(MALLORY),
                Stream::CONTENT,
                (2 * n, EventHash([8; 32])),
                START,
                "hole",
            ),
        );
        // Slowly enough that the author's pace lets all of them through.
        net.run_for(2_000 / u64::from(limits::AUTHOR_A_SECOND));
    }
    net.run_for(100);
    assert_eq!(net.counts(0).events, limits::STRETCHES_MAX as u64);
    assert!(net.nodes[0].engine.heads(ROOM).len() <= limits::STRETCHES_TOLD);
}

/// One author's log from `from` on, each event naming the one before.
fn chain(from: u64, upto: u64, mut previous: EventHash, text: &str) -> Vec<SignedEvent> {
    (from..=upto)
        .map(|seq| {
            let said = format!("{text} {seq}");
            let at = (seq, previous);
            let event = event(ROOM, author(MALLORY), Stream::CONTENT, at, START, &said);
            previous = event.hash();
            event
        })
        .collect()
}

/// Two nodes that hold the two branches of a log which forks after 5.
fn parted(seed: u64, left: u64, right: u64) -> Net {
    let mut net = Net::room(2, seed);
    let trunk = chain(1, 5, EventHash::ZERO, "trunk");
    let parts = trunk[4].hash();
    for (node, length, text) in [(0, left, "left"), (1, right, "right")] {
        let peer = PeerId(1_000 + node as u64);
        let (room, author) = (ROOM, author(MALLORY));
        net.give(node, Input::PeerUp { peer, room, author });
        for event in [trunk.clone(), chain(6, length, parts, text)].concat() {
            let frame = Frame::Event(frame::Event {
                event,
                hops: 0,
                cost: 0,
            });
            net.give(node, Input::Frame { from: peer, frame });
            net.run_for(20);
        }
        net.give(node, Input::PeerDown { peer });
    }
    net
}

#[test]
fn both_branches_are_fetched_down_to_where_they_part() {
    let mut net = parted(31, 12, 12);
    net.link(0, 1, &[ROOM]);
    net.run_until(60_000, "both branches everywhere", |n| {
        n.nodes
            .iter()
            .all(|n| n.disks[&ROOM].events.len() == 5 + 7 + 7)
    });
}

#[test]
fn nothing_after_the_end_of_a_log_is_taken_or_asked_for() {
    let mut net = parted(32, 12, 30);
    net.give(
        0,
        Input::EndLog {
            room: ROOM,
            author: author(MALLORY),
            stream: Stream::CONTENT,
            last: Seq(20),
        },
    );
    net.link(0, 1, &[ROOM]);
    net.run_until(60_000, "what is before the end", |n| {
        n.counts(0).events == 20
    });
    net.run_for(60_000);
    let places = net.nodes[0].disks[&ROOM].events.values();
    assert!(places.map(|(e, _)| e.header().seq).max() <= Some(Seq(20)));
    let asked = net.nodes[0].sent.get("want").copied().unwrap_or_default();
    net.run_for(60_000);
    let later = net.nodes[0].sent.get("want").copied().unwrap_or_default();
    assert!(later - asked <= 2, "{} wants in a minute", later - asked);
    assert_eq!(net.nodes[1].sent.get("drop"), None);
}
