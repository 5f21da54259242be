//! Messages and records on their way through a healthy network.

use peddlenet_gossip::{Action, Input, Notice};
use peddlenet_wire::{Stream, Timestamp, record::RecordKind};

use crate::net::{Net, OTHER, ROOM, author, record};

#[test]
fn three_in_a_line_pass_messages_both_ways() {
    let mut net = Net::line(3, 1);
    net.run_for(100);
    net.say(0, "hello from the left");
    net.say(2, "hello from the right");
    let took = net.run_until(1_000, "delivery", |n| {
        n.nodes.iter().all(|n| !n.delivered.is_empty()) && n.nodes[1].delivered.len() == 2
    });
    assert!(took <= 60, "{took} ms");
    net.run_for(200);
    assert_eq!(net.bodies(2), ["hello from the left"]);
    let hops: Vec<u8> = net.nodes[2].delivered.iter().map(|d| d.1).collect();
    assert_eq!(hops, [2]);
    assert!(net.nodes[2].delivered[0].2, "live");
    assert!(net.converged(ROOM, 2));
}

#[test]
fn a_ring_delivers_each_event_once_and_checks_it_once() {
    let mut net = Net::line(4, 2);
    net.link(3, 0, &[ROOM]);
    net.run_for(100);
    for n in 0..20 {
        net.say(n % 4, &format!("message {n}"));
        net.run_for(7);
    }
    net.run_for(1_000);
    assert!(net.converged(ROOM, 20));
    for node in &net.nodes {
        assert_eq!(node.delivered.len(), 15);
        assert_eq!(
            node.verified, 15,
            "one check an event, whatever number of links it came over"
        );
    }
}

#[test]
fn two_rooms_over_one_link_stay_apart() {
    let mut net = Net::room(3, 3);
    net.open(0, OTHER);
    net.open(1, OTHER);
    net.link(0, 1, &[ROOM, OTHER]);
    net.link(1, 2, &[ROOM]);
    net.run_for(100);
    net.say(0, "for everybody");
    net.say_in(0, OTHER, Stream::CONTENT, "for two");
    net.run_for(8_000);
    assert_eq!(net.bodies(1).len(), 2);
    assert_eq!(net.bodies(2), ["for everybody"]);
    assert_eq!(
        net.nodes[0].engine.digest(OTHER),
        net.nodes[1].engine.digest(OTHER)
    );
    assert_ne!(
        net.nodes[0].engine.digest(OTHER),
        net.nodes[0].engine.digest(ROOM)
    );
    assert_eq!(net.nodes[2].engine.digest(OTHER), None);
    // A room that closes takes its events with it and leaves the other alone.
    net.give(1, Input::CloseRoom { room: OTHER });
    net.say_in(0, OTHER, Stream::CONTENT, "nobody hears that");
    net.say(0, "still for everybody");
    net.run_for(1_000);
    assert_eq!(net.bodies(2).len(), 2);
    assert_eq!(net.bodies(1).len(), 3);
}

#[test]
fn an_own_event_is_sent_only_after_it_is_durable() {
    let mut net = Net::line(2, 4);
    net.run_for(100);
    let event = net.next_event(0, ROOM, Stream::CONTENT, "own");
    let now = Timestamp(net.now);
    let actions: Vec<_> = net.nodes[0]
        .engine
        .handle(
            Input::Publish {
                event: event.clone(),
            },
            now,
        )
        .collect();
    let [
        Action::Persist {
            ticket, own: true, ..
        },
    ] = actions[..]
    else {
        panic!("{actions:?}")
    };
    assert_eq!(net.counts(0).events, 0, "not durable, not counted");
    let failed: Vec<_> = net.nodes[0]
        .engine
        .handle(Input::Persisted { ticket, ok: false }, now)
        .collect();
    assert!(failed.iter().all(|a| !matches!(a, Action::Send { .. })));
    assert!(failed.contains(&Action::Notify(Notice::NotSaved {
        room: ROOM,
        event: event.hash()
    })));
    // Tried again, it goes out.
    net.give(0, Input::Publish { event });
    net.run_for(100);
    assert_eq!(net.bodies(1), ["own"]);
}

#[test]
fn the_latest_record_wins_everywhere() {
    let mut net = Net::line(4, 5);
    net.run_for(100);
    let at = |clock, body| record(ROOM, author(0), RecordKind::RECEIPTS, clock, body);
    net.give(
        0,
        Input::PublishRecord {
            record: at(20, "new"),
        },
    );
    net.run_for(500);
    // An old one that somebody still has changes nothing.
    net.give(
        3,
        Input::PublishRecord {
            record: at(10, "old"),
        },
    );
    net.run_for(500);
    net.give(
        0,
        Input::PublishRecord {
            record: at(30, "newest"),
        },
    );
    net.run_for(500);
    for node in &net.nodes[1..] {
        let bodies: Vec<_> = node
            .delivered_records
            .iter()
            .map(|(r, _)| r.body().to_vec())
            .collect();
        assert_eq!(bodies, [b"new".to_vec(), b"newest".to_vec()]);
        let kept: Vec<_> = node.disks[&ROOM].records.values().collect();
        assert_eq!(kept, [&at(30, "newest")]);
    }
    assert_eq!(net.nodes[3].delivered_records[1].1, 3, "hops");
}

#[test]
fn a_late_joiner_gets_all_records() {
    let mut net = Net::line(2, 6);
    for n in 0..100 {
        let record = record(ROOM, author(1_000 + n), RecordKind::WHEREABOUTS, 5, "here");
        net.give(0, Input::PublishRecord { record });
        net.run_for(10);
    }
    let joiner = net.nodes.len() - 1;
    net.restart(joiner);
    net.nodes[joiner].disks.clear();
    net.nodes[joiner].delivered_records.clear();
    net.restart(joiner);
    net.open(joiner, ROOM);
    net.link(0, joiner, &[ROOM]);
    net.run_for(5_000);
    assert_eq!(net.counts(joiner).records, 100);
}

#[test]
fn a_lost_record_comes_back() {
    let mut net = Net::line(2, 7);
    net.run_for(100);
    net.faults.loss = 100;
    let record = record(ROOM, author(0), RecordKind::RECEIPTS, 5, "seen");
    net.give(0, Input::PublishRecord { record });
    net.run_for(100);
    net.heal();
    net.run_until(30_000, "record", |n| {
        n.nodes[1].delivered_records.len() == 1
    });
}

#[test]
fn records_are_offered_again_to_every_neighbour_and_rarely_while_nothing_is_new() {
    let mut net = Net::room(9, 11);
    for leaf in 1..9 {
        net.link(0, leaf, &[ROOM]);
    }
    let known = record(ROOM, author(0), RecordKind::WHEREABOUTS, 5, "here");
    net.give(0, Input::PublishRecord { record: known });
    net.run_for(120_000);
    let sent = |net: &Net| net.nodes[0].sent.get("record").copied().unwrap_or(0);
    let had: Vec<_> = net.nodes[1..]
        .iter()
        .map(|n| n.engine.stats().duplicates)
        .collect();
    let before = sent(&net);
    let minutes = 60;
    net.run_for(minutes * 60_000);
    let offers = sent(&net) - before;
    assert!(
        (minutes..=3 * minutes).contains(&offers),
        "{offers} an hour"
    );
    for (leaf, had) in net.nodes[1..].iter().zip(had) {
        assert!(
            leaf.engine.stats().duplicates > had,
            "each neighbour had one"
        );
    }
}

#[test]
fn silence_when_nothing_is_missing() {
    let mut net = Net::line(3, 8);
    net.run_for(100);
    net.say(0, "one");
    net.run_for(60_000);
    let (frames, links) = (net.nodes[1].engine.stats().frames_out, 2);
    net.run_for(60_000);
    let more = net.nodes[1].engine.stats().frames_out - frames;
    assert!(more <= links * 60 / 4 + 2, "{more} frames a minute");
    assert_eq!(
        net.nodes[1].sent.get("want"),
        None,
        "nobody wanted anything"
    );
}
