//! Neighbours that want or send too much: nothing grows without bound.

use std::collections::BTreeSet;

use peddlenet_gossip::{Action, Input, Notice, Why, limits};
use peddlenet_wire::{
    Capped, EventHash, Frame, Seq, SignedEvent, Stream, Timestamp,
    frame::{Batch, Want, Wanted},
};

use crate::net::{Net, ROOM, START, author, event};

use crate::mallory::{MALLORY, head, heads, misbehaved, push, wants, with_mallory};

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

/// A member's own log, as fast as it can be told.
fn excess(from: u64, upto: u64, previous: &mut EventHash) -> Vec<SignedEvent> {
    let said = from..=upto;
    said.map(|seq| {
        let at = (seq, *previous);
        let event = event(ROOM, author(MALLORY), Stream::CONTENT, at, START, "excess");
        *previous = event.hash();
        event
    })
    .collect()
}

#[test]
fn a_members_flood_does_not_push_out_what_others_say() {
    // Mallory -- 0 -- 1, and what 0 says reaches 1 over the one link that the flood takes, too.
    let (mut net, peer) = with_mallory(16);
    let mut previous = EventHash::ZERO;
    for round in 0..100 {
        for event in excess(round * 50 + 1, round * 50 + 50, &mut previous) {
            push(&mut net, peer, event);
        }
        let said = net.say(0, &format!("honest {round}"));
        net.run_for(100);
        let shown = |(event, ..): &(SignedEvent, u8, bool)| event.hash() == said.hash();
        let heard = net.nodes[1].delivered.iter().any(shown);
        assert!(heard, "500 a second took the place of 10, in round {round}");
    }
    assert!(net.nodes[1].drops.is_empty(), "the relay is not to blame");
    let blamed = |n: &&Notice| matches!(n, Notice::Misbehaved { .. });
    let blamed: Vec<_> = net.nodes[1].notices.iter().filter(blamed).collect();
    assert!(blamed.is_empty(), "{blamed:?}");
}

#[test]
fn what_a_shunned_neighbour_fed_is_taken_from_another() {
    let (mut net, peer) = with_mallory(17);
    // 0 hears 1 over Mallory, who is quicker than their own link.
    for said in ["one", "two", "three"] {
        let next = net.next_event(1, ROOM, Stream::CONTENT, said);
        net.give(
            1,
            Input::Publish {
                event: next.clone(),
            },
        );
        push(&mut net, peer, next);
        net.run_for(500);
    }
    let grafts = |net: &Net| net.nodes[0].sent.get("graft").copied().unwrap_or(0);
    let before = grafts(&net);
    for n in 0..3 {
        let at = (50 + n, EventHash([9; 32]));
        let forged = event(ROOM, author(1), Stream::CONTENT, at, START, "bad");
        push(&mut net, peer, forged);
        net.run_for(20);
    }
    assert!(net.nodes[0].drops.is_empty(), "-30 is no reason to drop it");
    assert_eq!(grafts(&net), before + 1, "the other way is taken");
    net.say(1, "again");
    net.run_for(100);
    assert_eq!(net.bodies(0), ["one", "two", "three", "again"]);
}

#[test]
fn a_burst_beyond_the_quota_is_fetched_afterwards() {
    let mut net = Net::line(2, 7);
    net.run_for(100);
    for n in 0..600 {
        net.say(0, &format!("burst {n}"));
    }
    let took = net.run_until(15_000, "all of it", |n| n.converged(ROOM, 600));
    assert!(took <= 2_000, "{took} ms: not left to the next digest");
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
    assert!(net.nodes[1].engine.stats().wants >= 7, "224 KB a want");
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
