//! Neighbours that lie, flood and forge: nothing false is passed on, and nothing grows without bound.

use std::collections::BTreeSet;

use peddlenet_gossip::{Action, Input, Notice, PeerId, Why, limits};
use peddlenet_wire::{
    Capped, EventHash, Frame, Seq, SignedEvent, Stream, Timestamp,
    frame::{self, Batch, Head, Heads, Want, Wanted},
};

use crate::net::{Net, OTHER, ROOM, START, author, event, record};

const MALLORY: usize = 99;

/// Two honest nodes in a line, and a link of node 0 whose other end the test plays by hand.
fn with_mallory(seed: u64) -> (Net, PeerId) {
    let mut net = Net::line(2, seed);
    net.run_for(100);
    let peer = PeerId(1_000);
    net.give(
        0,
        Input::PeerUp {
            peer,
            room: ROOM,
            author: author(MALLORY),
        },
    );
    (net, peer)
}

fn push(net: &mut Net, peer: PeerId, event: SignedEvent) {
    net.give(
        0,
        Input::Frame {
            from: peer,
            frame: Frame::Event(frame::Event { event, hops: 255 }),
        },
    );
}

fn heads(net: &mut Net, peer: PeerId, heads: Vec<Head>) -> Vec<Action> {
    let frame = Frame::Heads(Heads {
        room: ROOM,
        heads: heads.try_into().unwrap(),
        reply: false,
    });
    let now = Timestamp(net.now);
    net.nodes[0]
        .engine
        .handle(Input::Frame { from: peer, frame }, now)
        .collect()
}

fn head(n: usize, stream: Stream, base: u64, seq: u64) -> Head {
    Head {
        author: author(n),
        stream,
        base: Seq(base),
        seq: Seq(seq),
        hash: EventHash([5; 32]),
    }
}

fn wants(actions: &[Action]) -> Vec<Want> {
    actions
        .iter()
        .filter_map(|a| match a {
            Action::Send {
                frame: Frame::Want(want),
                ..
            } => Some(want.clone()),
            _ => None,
        })
        .collect()
}

fn misbehaved(net: &Net, why: Why) -> usize {
    net.nodes[0]
        .notices
        .iter()
        .filter(|n| matches!(n, Notice::Misbehaved { why: w, .. } if *w == why))
        .count()
}

#[test]
fn a_forged_event_goes_nowhere_and_its_sender_is_dropped_in_the_end() {
    let (mut net, peer) = with_mallory(1);
    for n in 1..=6 {
        push(
            &mut net,
            peer,
            event(
                ROOM,
                author(1),
                Stream::CONTENT,
                (n, hash_or_zero(n)),
                START,
                "bad",
            ),
        );
        net.run_for(20);
    }
    assert_eq!(
        net.nodes[1].delivered.len() + net.nodes[0].delivered.len(),
        0
    );
    assert_eq!(net.counts(0).events, 0);
    assert!(net.nodes[0].disks[&ROOM].events.is_empty());
    assert_eq!(net.nodes[0].drops, [(peer, Why::BadSignature)]);
}

fn hash_or_zero(seq: u64) -> EventHash {
    if seq == 1 {
        EventHash::ZERO
    } else {
        EventHash([seq as u8; 32])
    }
}

#[test]
fn a_forged_event_does_not_keep_the_real_one_out() {
    let (mut net, peer) = with_mallory(2);
    let fake = event(
        ROOM,
        author(1),
        Stream::CONTENT,
        (1, EventHash::ZERO),
        START,
        "bad",
    );
    push(&mut net, peer, fake);
    net.say(1, "real");
    net.run_for(100);
    assert_eq!(net.bodies(0), ["real"]);
}

#[test]
fn an_event_without_its_body_is_not_taken() {
    let (mut net, peer) = with_mallory(3);
    let whole = net.next_event(1, ROOM, Stream::CONTENT, "whole");
    let stub =
        SignedEvent::from_parts(whole.header_bytes().to_vec(), whole.signature(), None).unwrap();
    push(&mut net, peer, stub);
    net.give(1, Input::Publish { event: whole });
    net.run_for(100);
    assert_eq!(net.bodies(0), ["whole"]);
    assert_eq!(misbehaved(&net, Why::Stripped), 1);
}

#[test]
fn content_waits_for_its_authors_admission() {
    let mut net = Net::line(3, 4);
    for node in &mut net.nodes {
        node.members = Some(BTreeSet::from([author(0), author(1), author(2)]));
    }
    net.run_for(100);
    let peer = PeerId(1_000);
    net.give(
        0,
        Input::PeerUp {
            peer,
            room: ROOM,
            author: author(MALLORY),
        },
    );
    push(
        &mut net,
        peer,
        event(
            ROOM,
            author(MALLORY),
            Stream::CONTENT,
            (1, EventHash::ZERO),
            START,
            "early",
        ),
    );
    let early = record(
        ROOM,
        author(MALLORY),
        peddlenet_wire::record::RecordKind::PRESENCE,
        START,
        "alive",
    );
    net.give(
        0,
        Input::Frame {
            from: peer,
            frame: Frame::Record(frame::Record {
                record: early,
                hops: 0,
            }),
        },
    );
    net.run_for(200);
    assert_eq!(
        (
            net.counts(0).parked,
            net.nodes[0].delivered.len(),
            net.nodes[1].delivered.len()
        ),
        (2, 0, 0)
    );
    net.say_in(1, ROOM, Stream::MEMBERSHIP, &format!("admit {MALLORY}"));
    net.run_for(500);
    assert_eq!(net.counts(0).parked, 0);
    for node in [0, 2] {
        assert!(
            net.bodies(node).contains(&"early".to_owned()),
            "node {node}"
        );
        assert_eq!(net.nodes[node].delivered_records.len(), 1);
    }
    assert_eq!(net.nodes[1].delivered.len(), 1);
}

#[test]
fn what_waits_is_bounded() {
    let (mut net, peer) = with_mallory(5);
    net.nodes[0].members = Some(BTreeSet::from([author(0), author(1)]));
    for n in 0..5_000 {
        push(
            &mut net,
            peer,
            event(
                ROOM,
                author(2_000 + n),
                Stream::CONTENT,
                (1, EventHash::ZERO),
                START,
                "stranger",
            ),
        );
        net.run_for(6);
    }
    assert!(net.counts(0).parked <= limits::PARKED_PER_LINK);
    assert!(net.nodes[1].delivered.is_empty());
    // And in the end it is let go.
    net.run_for(limits::PARKED_FOR.as_millis() as u64 + 10_000);
    assert_eq!(net.counts(0).parked, 0);
}

#[test]
fn unasked_events_are_checked_at_a_bounded_rate() {
    let (mut net, peer) = with_mallory(6);
    for n in 0..2_000 {
        push(
            &mut net,
            peer,
            event(
                ROOM,
                author(3_000 + n),
                Stream::CONTENT,
                (1, EventHash::ZERO),
                START,
                "flood",
            ),
        );
    }
    net.run_for(50);
    assert_eq!(net.nodes[0].verified, u64::from(limits::CHECKS_A_SECOND));
    assert_eq!(misbehaved(&net, Why::OverQuota), 1);
}

#[test]
fn a_burst_beyond_the_quota_is_fetched_afterwards() {
    let mut net = Net::line(2, 7);
    net.run_for(100);
    for n in 0..600 {
        net.say(0, &format!("burst {n}"));
    }
    net.run_until(15_000, "all of it", |n| n.converged(ROOM, 600));
    assert!(net.nodes[1].drops.is_empty());
}

#[test]
fn a_flood_of_wants_is_bounded() {
    let (mut net, peer) = with_mallory(8);
    net.say(0, "something to ask for");
    net.run_for(50);
    let mut loads = 0;
    for id in 0..10_000 {
        let what = if id % 2 == 0 {
            Wanted::Page {
                before: None,
                limit: u16::MAX,
            }
        } else {
            Wanted::Range {
                author: author(0),
                stream: Stream::CONTENT,
                from: Seq(0),
                to: Seq(u64::MAX),
            }
        };
        let frame = Frame::Want(Want {
            room: ROOM,
            id,
            what,
        });
        let now = Timestamp(net.now);
        for action in net.nodes[0]
            .engine
            .handle(Input::Frame { from: peer, frame }, now)
        {
            if let Action::Load { what, .. } = action {
                let (peddlenet_gossip::Query::Range { limit, .. }
                | peddlenet_gossip::Query::Page { limit, .. }) = what;
                assert!(limit <= peddlenet_wire::limits::BATCH_EVENTS_MAX);
                loads += 1;
            }
        }
    }
    assert_eq!(loads, limits::SERVES_ACTIVE);
}

#[test]
fn the_answer_to_one_want_is_clamped_and_the_rest_comes_on_request() {
    let mut net = Net::new(2, 9);
    net.open(0, ROOM);
    net.run_for(10);
    for _ in 0..40 {
        net.say(0, &"x".repeat(40_000));
        net.run_for(10);
    }
    net.open(1, ROOM);
    net.link(0, 1, &[ROOM]);
    net.run_until(10_000, "1.6 MB", |n| n.converged(ROOM, 40));
    assert!(net.nodes[1].engine.stats().wants >= 40 * 40_000 / limits::SERVE_BYTES as u64);
}

#[test]
fn absurd_heads_cost_little_and_end_in_distrust() {
    let (mut net, peer) = with_mallory(10);
    let absurd = (0..500)
        .map(|n| head(4_000 + n, Stream::CONTENT, 1, u64::MAX))
        .collect();
    let mut asked = wants(&heads(&mut net, peer, absurd));
    assert_eq!(asked.len(), 1, "the newest page first");
    // Whatever is asked, the answer is empty: after a while nothing is asked any more.
    let mut total = 0;
    while let Some(want) = asked.pop() {
        total += 1;
        let frame = Frame::Batch(Batch {
            room: ROOM,
            id: want.id,
            events: Capped::default(),
            done: true,
        });
        let now = Timestamp(net.now);
        let mut actions: Vec<_> = net.nodes[0]
            .engine
            .handle(Input::Frame { from: peer, frame }, now)
            .collect();
        net.now += 200;
        while let Some(action) = actions.pop() {
            match action {
                Action::Arm { timer, .. } => {
                    let now = Timestamp(net.now);
                    actions.extend(net.nodes[0].engine.handle(Input::Timer(timer), now));
                }
                Action::Notify(notice) => net.nodes[0].notices.push(notice),
                other => asked.extend(wants(&[other])),
            }
        }
    }
    assert!(total <= 40, "{total} wants");
    assert_eq!(misbehaved(&net, Why::BrokenPromise), 1);
    // The others are served as before.
    net.say(1, "still here");
    net.run_for(100);
    assert_eq!(net.bodies(0), ["still here"]);
}

#[test]
fn heads_that_contradict_themselves_are_nonsense() {
    let (mut net, peer) = with_mallory(11);
    let actions = heads(
        &mut net,
        peer,
        vec![
            head(1, Stream::CONTENT, 9, 3),
            head(1, Stream::CONTENT, 0, 3),
        ],
    );
    assert!(wants(&actions).is_empty());
    assert!(actions.contains(&Action::Notify(Notice::Misbehaved {
        peer,
        why: Why::Nonsense
    })));
}

#[test]
fn batches_that_nobody_asked_for_are_ignored() {
    let (mut net, peer) = with_mallory(12);
    let stray = event(
        ROOM,
        author(1),
        Stream::CONTENT,
        (1, EventHash::ZERO),
        START,
        "stray",
    );
    let frame = |id, event: &SignedEvent| {
        Frame::Batch(Batch {
            room: ROOM,
            id,
            events: vec![event.clone()].try_into().unwrap(),
            done: true,
        })
    };
    net.give(
        0,
        Input::Frame {
            from: peer,
            frame: frame(7, &stray),
        },
    );
    assert_eq!(
        (net.nodes[0].verified, misbehaved(&net, Why::NotWanted)),
        (0, 1)
    );
    // Nor is something else in an answer to a want.
    let asked = wants(&heads(
        &mut net,
        peer,
        vec![head(1, Stream::MEMBERSHIP, 1, 5)],
    ));
    net.give(
        0,
        Input::Frame {
            from: peer,
            frame: frame(asked[0].id, &stray),
        },
    );
    assert_eq!(net.nodes[0].verified, 0);
}

#[test]
fn rooms_that_are_not_open_on_a_link_are_ignored() {
    let (mut net, peer) = with_mallory(13);
    net.open(0, OTHER);
    push(
        &mut net,
        peer,
        event(
            OTHER,
            author(1),
            Stream::CONTENT,
            (1, EventHash::ZERO),
            START,
            "elsewhere",
        ),
    );
    net.run_for(50);
    assert_eq!(
        (net.nodes[0].verified, misbehaved(&net, Why::NotOpen)),
        (0, 1)
    );
}

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
        net.run_for(10);
    }
    net.run_for(100);
    assert_eq!(net.counts(0).events, limits::STRETCHES_MAX as u64);
    assert!(net.nodes[0].engine.heads(ROOM).len() <= limits::STRETCHES_TOLD);
}

#[test]
fn a_dropped_link_is_deaf_and_its_wants_go_elsewhere() {
    let mut net = Net::new(2, 18);
    net.seed_disk(1, 1, ROOM, Stream::CONTENT, 100);
    net.open(0, ROOM);
    net.open(1, ROOM);
    let peer = PeerId(1_000);
    net.give(
        0,
        Input::PeerUp {
            peer,
            room: ROOM,
            author: author(MALLORY),
        },
    );
    // Mallory offers what node 1 has, and is asked for it, but only sends forgeries.
    let asked = wants(&heads(
        &mut net,
        peer,
        vec![head(1, Stream::CONTENT, 1, 100)],
    ));
    assert_eq!(asked.len(), 1);
    net.link(0, 1, &[ROOM]);
    net.run_for(100);
    for n in 1..=6 {
        push(
            &mut net,
            peer,
            event(
                ROOM,
                author(50 + n as usize),
                Stream::CONTENT,
                (1, EventHash::ZERO),
                START,
                "bad",
            ),
        );
        net.run_for(5);
    }
    assert_eq!(net.nodes[0].drops.len(), 1);
    net.run_until(2_000, "history from the other", |n| {
        n.counts(0).events == 100
    });
    let frames = net.nodes[0].engine.stats().checks;
    push(
        &mut net,
        peer,
        event(
            ROOM,
            author(77),
            Stream::CONTENT,
            (1, EventHash::ZERO),
            START,
            "deaf",
        ),
    );
    assert_eq!(net.nodes[0].engine.stats().checks, frames);
}
