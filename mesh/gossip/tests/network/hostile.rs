//! Neighbours that forge and lie: nothing false is passed on.

use std::collections::BTreeSet;

use peddlenet_gossip::{Action, Input, Notice, PeerId, Why};
use peddlenet_wire::{
    EventHash, Frame, SignedEvent, Stream,
    frame::{self, Batch},
};

use crate::net::{Net, OTHER, ROOM, START, author, event, record};

use crate::mallory::{MALLORY, head, heads, misbehaved, push, wants, with_mallory};

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
