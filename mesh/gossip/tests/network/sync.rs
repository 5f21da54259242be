//! Neighbours that differ a little tell each other little; those that differ much, or lie, fall back.

use peddlenet_gossip::{Action, Input, Notice, Why, limits};
use peddlenet_wire::{
    AuthorId, Frame, Stream, Timestamp,
    sketch::{Cell, Cells, DigestOf, Sketch, Step, Summary},
};

use crate::{
    mallory::{misbehaved, with_mallory},
    net::{Net, ROOM},
};

const WRITERS: usize = 60;

/// Two nodes that hold the same logs of sixty authors, in rooms that are not open yet.
fn twins(each: usize, seed: u64) -> Net {
    let mut net = Net::new(2, seed);
    net.stand_in(WRITERS + 1);
    for writer in 2..WRITERS + 2 {
        net.seed_disk(0, writer, ROOM, Stream::MEMBERSHIP, 1);
        net.seed_disk(0, writer, ROOM, Stream::CONTENT, each);
    }
    copy_disk(&mut net);
    net
}

fn copy_disk(net: &mut Net) {
    let disk = net.nodes[0].disks[&ROOM].clone();
    let hashes: Vec<_> = disk.events.keys().map(|k| k.3).collect();
    net.nodes[1].shown.extend(&hashes);
    net.nodes[1].accepted.extend(hashes);
    net.nodes[1].disks.insert(ROOM, disk);
}

fn start(net: &mut Net) {
    net.open(0, ROOM);
    net.open(1, ROOM);
    net.link(0, 1, &[ROOM]);
}

/// The stand-ins lend their names alone.
fn same(net: &Net) -> bool {
    let [one, other] = [0, 1].map(|n: usize| net.nodes[n].engine.digest(ROOM));
    one == other
}

fn sent(net: &Net, node: usize, frame: &str) -> u64 {
    net.nodes[node].sent.get(frame).copied().unwrap_or(0)
}

#[test]
fn equal_devices_exchange_two_digests_and_fall_silent() {
    let mut net = twins(5, 1);
    start(&mut net);
    net.run_for(60_000);
    for node in [0, 1] {
        assert!(
            sent(&net, node, "digest") <= 2,
            "{:?}",
            net.nodes[node].sent
        );
        assert_eq!(sent(&net, node, "heads") + sent(&net, node, "sketch"), 0);
        let notices = &net.nodes[node].notices;
        assert!(notices.iter().any(|n| matches!(n, Notice::Synced { .. })));
    }
}

#[test]
fn a_small_difference_closes_in_two_round_trips_without_heads_and_wants() {
    for (writers, more) in [(1, 1), (1, 40), (30, 1), (60, 4)] {
        let mut net = twins(20, 2);
        for writer in 2..2 + writers {
            net.seed_disk(0, writer, ROOM, Stream::CONTENT, more);
        }
        start(&mut net);
        // Digest, cells, push: three crossings of 10 ms, and 2 ms of disk for each log.
        let took = net.run_until(200, "the difference", same);
        println!(
            "{writers} x {more} events in {took} ms: {:?}",
            net.nodes[0].sent
        );
        assert_eq!(sent(&net, 1, "sketch"), 1);
        assert_eq!(sent(&net, 1, "want") + sent(&net, 1, "heads"), 0);
        assert_eq!(sent(&net, 0, "heads"), 0);
        // Many short stretches fill one frame.
        assert!(sent(&net, 0, "batch") <= 3, "{:?}", net.nodes[0].sent);
        net.run_for(10_000);
        assert!(sent(&net, 0, "digest") + sent(&net, 1, "digest") <= 8);
    }
}

/// As after a flood that was pushed faster than it was taken: a log has fallen into as many stretches as it may, and the
/// gap that is asked for first is longer than one answer.
#[test]
fn a_log_that_is_full_of_gaps_is_filled_all_the_same() {
    const ALL: u64 = 4_000;
    let mut net = Net::new(2, 8);
    net.stand_in(2);
    net.seed_disk(0, 2, ROOM, Stream::MEMBERSHIP, 1);
    net.seed_disk(0, 2, ROOM, Stream::CONTENT, usize::try_from(ALL).unwrap());
    copy_disk(&mut net);
    let disk = net.nodes[1].disks.get_mut(&ROOM).unwrap();
    let gaps = 2 * limits::STRETCHES_MAX as u64;
    disk.events.retain(|&(_, stream, seq, _), _| {
        stream == Stream::MEMBERSHIP || (seq.0 <= gaps && seq.0 % 2 == 0) || seq.0 == ALL
    });
    let kept: Vec<_> = disk.events.keys().map(|place| place.3).collect();
    net.nodes[1].accepted.retain(|hash| kept.contains(hash));
    net.nodes[1].shown.retain(|hash| kept.contains(hash));
    start(&mut net);
    let took = net.run_until(120_000, "the rest of the log", same);
    println!("{ALL} events in {took} ms: {:?}", net.nodes[1].sent);
}

#[test]
fn what_both_lack_closes_both_ways() {
    let mut net = twins(20, 3);
    for writer in 2..12 {
        net.seed_disk(0, writer, ROOM, Stream::CONTENT, 3);
    }
    for writer in 30..50 {
        net.seed_disk(1, writer, ROOM, Stream::CONTENT, 2);
    }
    start(&mut net);
    net.run_until(500, "the difference", same);
    assert_eq!(sent(&net, 0, "heads") + sent(&net, 1, "heads"), 0);
    assert_eq!(net.counts(0).events, 60 * 21 + 30 + 40);
}

#[test]
fn a_log_that_one_has_never_heard_of_is_named_to_it() {
    for holder in [0, 1] {
        let mut net = twins(5, 4);
        net.stand_in(WRITERS + 9);
        net.seed_disk(holder, WRITERS + 5, ROOM, Stream::CONTENT, 2);
        // The other end holds more, so that cells go from the newcomer's friend, or to him.
        net.seed_disk(0, 2, ROOM, Stream::CONTENT, 9);
        start(&mut net);
        net.run_until(500, "the difference", same);
        let heads = sent(&net, 0, "heads") + sent(&net, 1, "heads");
        assert_eq!(heads, if holder == 0 { 0 } else { 1 });
    }
}

#[test]
fn a_large_difference_is_told_in_heads_and_asked_for() {
    let mut net = twins(5, 5);
    for writer in 2..42 {
        net.seed_disk(0, writer, ROOM, Stream::CONTENT, 20);
    }
    start(&mut net);
    net.run_until(2_000, "the difference", same);
    assert_eq!(sent(&net, 1, "sketch"), 1);
    assert_eq!((sent(&net, 0, "heads"), sent(&net, 1, "heads")), (1, 0));
    assert!((40..=44).contains(&sent(&net, 1, "want")));
}

/// The counts say that one event is missing, and fifty logs differ.
#[test]
fn cells_that_are_too_few_are_followed_by_more() {
    let mut net = twins(5, 6);
    for writer in 2..27 {
        net.seed_disk(0, writer, ROOM, Stream::CONTENT, 1);
        net.seed_disk(1, writer + 30, ROOM, Stream::CONTENT, 1);
    }
    net.seed_disk(0, 2, ROOM, Stream::CONTENT, 1);
    start(&mut net);
    net.run_until(1_000, "the difference", same);
    assert!(sent(&net, 0, "sketch") >= 2, "asked for more");
    assert_eq!(sent(&net, 0, "heads") + sent(&net, 1, "heads"), 0);
}

#[test]
fn a_crowd_of_differences_falls_back_to_heads() {
    let mut net = Net::new(2, 7);
    // One long log there, many short ones here: more than cells for one log could ever tell.
    net.stand_in(250);
    net.seed_disk(0, 2, ROOM, Stream::CONTENT, 300);
    for writer in 3..250 {
        net.seed_disk(1, writer, ROOM, Stream::CONTENT, 1);
    }
    start(&mut net);
    net.run_until(5_000, "the difference", same);
    assert!(sent(&net, 0, "heads") >= 1 && sent(&net, 1, "heads") >= 1);
}

#[test]
fn logs_with_holes_are_told_line_by_line() {
    let mut net = twins(30, 8);
    let author = crate::make::author(7);
    let one = &mut net.nodes[1];
    one.disks.get_mut(&ROOM).unwrap().events.retain(|k, _| {
        let lost = k.0 == author && k.1 == Stream::CONTENT && (11..=20).contains(&k.2.0);
        if lost {
            one.shown.remove(&k.3);
            one.accepted.remove(&k.3);
        }
        !lost
    });
    start(&mut net);
    net.run_until(2_000, "the hole", same);
    assert_eq!(sent(&net, 1, "want"), 1);
    assert!(sent(&net, 0, "heads") + sent(&net, 1, "heads") <= 2);
}

/// The negative control: without anti-entropy, what was lost stays lost.
#[test]
fn with_sync_off_nothing_is_compared_and_nothing_heals() {
    let mut net = twins(5, 9);
    net.seed_disk(0, 2, ROOM, Stream::CONTENT, 3);
    for node in &mut net.nodes {
        let mut config = peddlenet_gossip::Config::default();
        config.controls.sync = false;
        node.engine = peddlenet_gossip::Engine::new(config);
    }
    start(&mut net);
    net.run_for(60_000);
    assert!(!same(&net));
    for node in [0, 1] {
        for frame in ["digest", "heads", "sketch", "want"] {
            assert_eq!(sent(&net, node, frame), 0, "{frame}");
        }
    }
    net.say(0, "live");
    net.run_for(100);
    assert!(
        net.bodies(1).contains(&"live".to_owned()),
        "live traffic still flows"
    );
}

/// Cells by hand: what the engine makes of them.
fn give(net: &mut Net, peer: peddlenet_gossip::PeerId, id: u32, step: Step) -> Vec<Action> {
    let room = ROOM.short();
    let frame = Frame::Sketch(Sketch { room, id, step });
    let input = Input::Frame { from: peer, frame };
    let now = Timestamp(net.now);
    net.nodes[0].engine.handle(input, now).collect()
}

fn junk(first: u16, count: usize) -> Step {
    let cell = |n: usize| Cell {
        sum: n as u64 * 77_777 + 1,
        weighted: n as u64 * 999_999_937,
    };
    Step::Cells {
        salt: 5,
        first,
        cells: Cells::take_from((0..count).map(cell)),
    }
}

#[test]
fn junk_cells_are_asked_for_more_and_then_answered_with_heads() {
    let (mut net, peer) = with_mallory(10);
    for n in 0..200 {
        net.say_in(0, ROOM, Stream(n % 60), "x");
        net.run_for(2);
    }
    net.run_for(2_000);
    let mut first = 0u16;
    let heads = loop {
        let actions = give(&mut net, peer, 3, junk(first, 20));
        net.run_for(200);
        let answer = actions.into_iter().find_map(|a| match a {
            Action::Send { frame, .. } => Some(frame),
            _ => None,
        });
        match answer {
            Some(Frame::Sketch(Sketch {
                step: Step::More { first: more },
                ..
            })) => {
                assert_eq!(more, first + 20);
                first = more;
            }
            other => break other,
        }
    };
    assert!(matches!(heads, Some(Frame::Heads(h)) if !h.some && h.reply));
    assert!(usize::from(first) <= 60 * limits::SKETCH_CELLS_PER_LOG);
    // Cells out of turn are nonsense, too many of them over quota.
    give(&mut net, peer, 4, junk(0, 5));
    give(&mut net, peer, 4, junk(9, 5));
    net.run_for(2_000);
    let mut blamed = 0;
    for id in 5..40 {
        let actions = give(&mut net, peer, id, junk(0, 5));
        blamed += actions
            .iter()
            .filter(|a| {
                matches!(
                    a,
                    Action::Notify(Notice::Misbehaved {
                        why: Why::OverQuota,
                        ..
                    })
                )
            })
            .count();
    }
    assert_eq!(blamed, 1, "told once a second");
}

/// Cells of a device that claims to hold nothing: it is pushed no more than one want would bring.
#[test]
fn who_claims_to_lack_everything_is_not_pushed_without_limit() {
    let (mut net, peer) = with_mallory(11);
    for n in 0..600 {
        net.say(0, &format!("message {n}"));
        net.run_for(2);
    }
    net.run_for(2_000);
    for round in 0..limits::SKETCHES_A_SECOND * 3 {
        let zeros = Step::Cells {
            salt: u64::from(round),
            first: 0,
            cells: Cells::take_from(std::iter::repeat_n(Cell::default(), 30)),
        };
        let actions = give(&mut net, peer, round, zeros);
        let loads = actions.iter().filter(|a| matches!(a, Action::Load { .. }));
        assert_eq!(loads.count(), 0, "600 events are told in a line instead");
    }
}

/// An event that comes instead of what is lacking is checked like any other, and no more of them
/// are taken than were allowed.
#[test]
fn a_push_is_bounded_and_checked() {
    let (mut net, peer) = with_mallory(12);
    net.say(0, "mine");
    net.run_for(2_000);
    let frame = Frame::DigestOf(DigestOf {
        room: ROOM.short(),
        summary: Summary {
            events: 9_000,
            digest: [1; 12],
        },
    });
    let now = Timestamp(net.now);
    let input = Input::Frame { from: peer, frame };
    let actions: Vec<_> = net.nodes[0].engine.handle(input, now).collect();
    let id = actions.iter().find_map(|a| match a {
        Action::Send {
            frame: Frame::Sketch(s),
            ..
        } => Some(s.id),
        _ => None,
    });
    let id = id.expect("holds less, so sends cells");
    // A second comparison does not begin while the first is open.
    let author = AuthorId([77; 32]);
    let mut checks = 0;
    let mut previous = peddlenet_wire::EventHash::ZERO;
    for n in 1..=limits::PUSH_MAX + 20 {
        let event = crate::net::event(ROOM, author, Stream::CONTENT, (n, previous), 5, "x");
        previous = event.hash();
        let batch = peddlenet_wire::frame::Batch {
            room: ROOM,
            id,
            events: vec![event].try_into().unwrap(),
            done: false,
        };
        let input = Input::Frame {
            from: peer,
            frame: Frame::Batch(batch),
        };
        let actions: Vec<_> = net.nodes[0].engine.handle(input, now).collect();
        checks += actions
            .iter()
            .filter(|a| matches!(a, Action::Verify { .. }))
            .count();
    }
    assert_eq!(checks as u64, limits::PUSH_MAX);
    assert!(misbehaved(&net, Why::NotWanted) <= 1);
}
