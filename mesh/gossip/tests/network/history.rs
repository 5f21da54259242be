//! Late joiners and long histories.

use peddlenet_gossip::{Input, Notice, limits};
use peddlenet_wire::{Seq, Stream};

use crate::net::{Net, OTHER, ROOM, author};

/// Node 0 holds membership and 2,000 messages of four authors; node 1 holds nothing.
fn long_history(seed: u64) -> Net {
    let mut net = Net::new(3, seed);
    net.seed_disk(0, 0, ROOM, Stream::MEMBERSHIP, 30);
    for round in 0..20 {
        for writer in 0..4 {
            let writer = if writer == 0 { 0 } else { 2 };
            net.seed_disk(0, writer, ROOM, Stream::CONTENT, 25);
            let _ = round;
        }
    }
    net.open(0, ROOM);
    net.open(1, ROOM);
    net
}

#[test]
fn a_late_joiner_sees_the_newest_page_first_and_then_everything() {
    let mut net = long_history(1);
    let newest: Vec<_> = {
        let mut all: Vec<_> = net.nodes[0].disks[&ROOM]
            .events
            .values()
            .map(|(e, _)| e.clone())
            .collect();
        all.retain(|e| e.header().stream == Stream::CONTENT);
        all.sort_by_key(|e| e.header().clock);
        all[all.len() - usize::from(limits::PAGE)..]
            .iter()
            .map(|e| e.hash())
            .collect()
    };
    net.link(0, 1, &[ROOM]);
    let took = net.run_until(20_000, "history", |n| n.counts(1).events == 2_030);
    // At 10 ms one way; the first page after the membership, in about four round trips.
    println!("2,030 events in {took} ms");
    assert!(took <= 1_000, "{took} ms");
    let delivered = &net.nodes[1].delivered;
    assert!(
        delivered[..30]
            .iter()
            .all(|(e, ..)| e.header().stream == Stream::MEMBERSHIP)
    );
    let first: Vec<_> = delivered[30..80].iter().map(|(e, ..)| e.hash()).collect();
    assert!(
        newest.iter().all(|hash| first.contains(hash)),
        "the newest page comes first"
    );
    assert!(delivered.iter().all(|(_, _, live)| !live));
    // The rest comes backwards, by and large.
    let clocks: Vec<_> = delivered[80..]
        .iter()
        .map(|(e, ..)| e.header().clock)
        .collect();
    let middle = clocks.len() / 2;
    let average = |part: &[peddlenet_wire::Hlc]| {
        part.iter().map(|c| c.timestamp().0 / 1_000).sum::<u64>() / part.len() as u64
    };
    assert!(clocks[..middle].iter().max() > clocks[middle..].iter().max());
    assert!(average(&clocks[..middle]) >= average(&clocks[middle..]));
    assert_eq!(
        net.nodes[0].engine.digest(ROOM),
        net.nodes[1].engine.digest(ROOM)
    );
    net.run_for(100);
    let notices = &net.nodes[1].notices;
    assert!(notices.iter().any(|n| matches!(n, Notice::Synced { .. })));
    assert!(matches!(
        notices
            .iter()
            .rfind(|n| matches!(n, Notice::HistoryProgress { .. })),
        Some(Notice::HistoryProgress {
            held: 2_030,
            missing: 0,
            ..
        })
    ));
    assert!(
        notices
            .iter()
            .all(|n| !matches!(n, Notice::Misbehaved { .. } | Notice::Fork { .. })),
        "{notices:?}"
    );
}

#[test]
fn live_messages_pass_while_history_streams() {
    let mut net = long_history(2);
    // 2,000 messages take about ten seconds.
    net.bulk_bytes_per_ms = 60;
    net.link(0, 1, &[ROOM]);
    net.run_for(1_000);
    assert!(net.counts(1).events < 1_000);
    net.say(0, "live");
    let took = net.run_until(500, "live message", |n| {
        n.bodies(1).contains(&"live".to_owned())
    });
    assert!(took < 50, "{took} ms");
    assert!(net.counts(1).events < 1_000, "history is still on its way");
    net.run_until(60_000, "history", |n| n.counts(1).events == 2_031);
}

#[test]
fn a_link_that_drops_in_the_middle_of_a_fetch_is_replaced_by_another() {
    let mut net = long_history(3);
    net.nodes[2].disks = Default::default();
    net.open(2, ROOM);
    net.link(0, 2, &[ROOM]);
    net.run_until(20_000, "the first copy", |n| n.counts(2).events == 2_030);
    net.bulk_bytes_per_ms = 100;
    let first = net.link(0, 1, &[ROOM]);
    net.run_until(10_000, "part of it", |n| n.counts(1).events > 300);
    net.cut(first);
    assert!(net.counts(1).events < 1_500);
    net.link(2, 1, &[ROOM]);
    net.run_until(30_000, "the rest", |n| n.counts(1).events == 2_030);
    assert!(net.same(ROOM));
}

#[test]
fn two_neighbours_share_the_work() {
    let mut net = long_history(4);
    net.open(2, ROOM);
    net.link(0, 2, &[ROOM]);
    net.run_until(20_000, "the first copy", |n| n.counts(2).events == 2_030);
    let before: Vec<_> = [0, 2]
        .map(|n: usize| net.nodes[n].engine.stats().served)
        .to_vec();
    net.link(0, 1, &[ROOM]);
    net.link(2, 1, &[ROOM]);
    net.run_until(20_000, "history", |n| n.counts(1).events == 2_030);
    for (node, before) in [0, 2].into_iter().zip(before) {
        assert!(
            net.nodes[node].engine.stats().served > before,
            "node {node} served"
        );
    }
    assert!(net.nodes[1].engine.stats().duplicates < 100);
}

#[test]
fn history_travels_down_a_line() {
    let mut net = Net::new(4, 5);
    net.seed_disk(0, 0, ROOM, Stream::CONTENT, 600);
    (0..4).for_each(|n| net.open(n, ROOM));
    (1..4).for_each(|n| {
        net.link(n - 1, n, &[ROOM]);
    });
    net.run_until(15_000, "everybody", |n| n.converged(ROOM, 600));
}

#[test]
fn a_restart_asks_only_for_what_is_missing() {
    let mut net = Net::line(2, 6);
    net.run_for(50);
    for n in 0..300 {
        net.say(0, &format!("message {n}"));
        net.run_for(8);
    }
    net.run_for(3_000);
    net.restart(1);
    for n in 0..10 {
        net.say(0, &format!("while you were away {n}"));
    }
    net.run_for(100);
    let verified = net.nodes[1].verified;
    net.link(0, 1, &[ROOM]);
    net.run_until(3_000, "the rest", |n| n.converged(ROOM, 310));
    assert_eq!(net.nodes[1].verified - verified, 10);
}

#[test]
fn a_gap_in_the_live_stream_is_filled_from_the_link_that_showed_it() {
    let mut net = Net::line(2, 7);
    net.run_for(100);
    net.say(0, "first");
    net.run_for(100);
    net.faults.loss = 100;
    net.say(0, "lost");
    net.say(0, "lost too");
    net.run_for(50);
    net.heal();
    net.say(0, "shows the gap");
    let took = net.run_until(1_000, "the gap", |n| n.nodes[1].delivered.len() == 4);
    assert!(took < 300, "{took} ms");
}

#[test]
fn a_want_that_nobody_answers_goes_to_another_neighbour() {
    let mut net = Net::new(3, 8);
    net.seed_disk(0, 0, ROOM, Stream::CONTENT, 200);
    net.nodes[1].disks.insert(ROOM, Default::default());
    (0..3).for_each(|n| net.open(n, ROOM));
    net.link(0, 1, &[ROOM]);
    net.run_until(10_000, "the copy", |n| n.counts(1).events == 200);
    // Node 0 tells its heads and then falls silent.
    net.link(0, 2, &[ROOM]);
    net.run_for(11);
    net.nodes[0].mute = true;
    net.run_for(100);
    assert_eq!(net.counts(2).events, 0);
    net.link(1, 2, &[ROOM]);
    let took = net.run_until(20_000, "history", |n| n.counts(2).events == 200);
    assert!(took <= 7_000, "{took} ms");
    assert!(net.nodes[2].engine.stats().timeouts >= 1);
}

#[test]
fn a_neighbour_that_falls_silent_is_not_asked_for_ever() {
    let mut net = Net::new(2, 11);
    net.seed_disk(0, 0, ROOM, Stream::CONTENT, 200);
    (0..2).for_each(|n| net.open(n, ROOM));
    net.link(0, 1, &[ROOM]);
    net.run_for(11);
    net.nodes[0].mute = true;
    net.run_for(120_000);
    // The first page some times, then the two chunks of the log once each.
    let wants = net.nodes[1].engine.stats().wants;
    assert_eq!(wants, u64::from(limits::PAGE_TRIES) + 2);
    // It finds its voice again, and what it had said before counts once more.
    net.nodes[0].mute = false;
    net.run_until(15_000, "history", |n| n.counts(1).events == 200);
}

#[test]
fn a_room_opened_after_its_links_is_synced_at_once() {
    let mut net = Net::new(2, 9);
    net.seed_disk(0, 0, OTHER, Stream::CONTENT, 5);
    net.open(0, OTHER);
    net.link(0, 1, &[OTHER]);
    net.run_for(100);
    net.open(1, OTHER);
    net.run_until(150, "history", |n| {
        n.nodes[1].engine.counts(OTHER).events == 5
    });
}

#[test]
fn what_has_holes_says_so() {
    let mut net = Net::new(2, 10);
    net.seed_disk(0, 0, ROOM, Stream::CONTENT, 30);
    let disk = net.nodes[0].disks.get_mut(&ROOM).unwrap();
    disk.events
        .retain(|(_, _, seq, _), _| !(11..=20).contains(&seq.0));
    net.open(0, ROOM);
    net.open(1, ROOM);
    let ends: Vec<_> = net.nodes[0]
        .engine
        .heads(ROOM)
        .iter()
        .map(|h| (h.base, h.seq))
        .collect();
    assert_eq!(ends, [(Seq(1), Seq(10)), (Seq(21), Seq(30))]);
    net.link(0, 1, &[ROOM]);
    net.run_until(5_000, "what there is", |n| n.converged(ROOM, 20));
    net.give(1, Input::CloseRoom { room: ROOM });
    assert_eq!(net.counts(1).events, 0);
}

#[test]
fn what_one_let_go_of_is_not_fetched_back_from_who_has_not_yet() {
    let mut net = Net::line(3, 21);
    net.run_for(100);
    for n in 0..20 {
        net.say(0, &format!("old {n}"));
        net.run_for(20);
    }
    net.run_until(10_000, "all of it", |n| n.converged(ROOM, 20));
    let let_go = |net: &mut Net, node: usize, last: u64| {
        let (author, stream) = (author(0), Stream::CONTENT);
        let log = net.nodes[node].disks.get_mut(&ROOM).unwrap();
        log.events
            .retain(|(a, s, seq, _), _| (*a, *s) != (author, stream) || seq.0 > last);
        let last = Seq(last);
        net.give(
            node,
            Input::LetGo {
                room: ROOM,
                author,
                stream,
                last,
            },
        );
    };
    // The one in the middle is first, the author last.
    let_go(&mut net, 1, 15);
    let wants = |net: &Net| {
        net.nodes
            .iter()
            .map(|n| n.engine.stats().wants)
            .sum::<u64>()
    };
    let before = wants(&net);
    net.run_for(30_000);
    assert_eq!(wants(&net), before, "nobody asked for what was let go");
    assert_eq!(net.counts(1).events, 5);
    let said = net.say(0, "meanwhile");
    net.run_for(500);
    assert!((1..3).all(|n| {
        net.nodes[n]
            .delivered
            .iter()
            .any(|(e, ..)| e.hash() == said.hash())
    }));
    let_go(&mut net, 2, 15);
    let_go(&mut net, 0, 15);
    net.run_until(20_000, "the same again", |n| n.converged(ROOM, 6));
    // All of it goes, and its author goes on, also after a restart.
    (0..3).for_each(|node| let_go(&mut net, node, 21));
    net.restart(1);
    net.give(
        1,
        Input::LetGo {
            room: ROOM,
            author: author(0),
            stream: Stream::CONTENT,
            last: Seq(21),
        },
    );
    net.link(0, 1, &[ROOM]);
    net.link(1, 2, &[ROOM]);
    net.run_for(1_000);
    net.say(0, "after that");
    net.run_until(20_000, "the next one", |n| n.converged(ROOM, 1));
    let blamed = |n: &Notice| matches!(n, Notice::Misbehaved { .. });
    assert!(!net.nodes.iter().any(|n| n.notices.iter().any(blamed)));
}

#[test]
fn those_who_say_more_at_once_than_a_link_pushes_are_heard_whole() {
    // Each says a thousand messages in two seconds, twelve times as fast as they are pushed: the others hold a hole
    // between any two that came, until they have asked for what is in it.
    let mut net = Net::line(3, 5);
    net.run_for(500);
    for _ in 0..1_000 {
        for node in 0..3 {
            net.say(node, "and another thing");
        }
        net.run_for(2);
    }
    let took = net.run_until(60_000, "all of it everywhere", |n| n.converged(ROOM, 3_000));
    println!("3,000 events held by all {took} ms after the last");
    assert!(took < 10_000, "{took} ms");
}
