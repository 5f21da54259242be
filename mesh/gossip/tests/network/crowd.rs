//! Many members: what one joins when half a festival is already there.

use peddlenet_gossip::Input;
use peddlenet_wire::{Stream, record::RecordKind};

use crate::net::{Net, ROOM, author, record};

#[test]
fn a_joiner_of_a_crowd_gets_every_log() {
    const MEMBERS: usize = 400;
    let mut net = Net::new(2, 1);
    // Every member has a profile in stream 0 and three messages.
    for writer in 2..MEMBERS {
        net.stand_in(writer);
        net.seed_disk(0, writer, ROOM, Stream::MEMBERSHIP, 1);
        net.seed_disk(0, writer, ROOM, Stream::CONTENT, 3);
    }
    net.open(0, ROOM);
    for member in 2..MEMBERS {
        let record = record(ROOM, author(member), RecordKind::WHEREABOUTS, 5, "here");
        net.give(0, Input::PublishRecord { record });
    }
    net.run_for(100);
    net.open(1, ROOM);
    net.link(0, 1, &[ROOM]);
    let events = 4 * (MEMBERS - 2);
    let took = net.run_until(20_000, "everything", |n| {
        n.counts(1).events == events as u64
    });
    assert!(
        took <= 5_000,
        "{took} ms for {events} events at 10 ms one way"
    );
    let wants = net.nodes[1].engine.stats().wants;
    println!("{events} events in {took} ms, {wants} wants");
    assert!(wants <= 2 * MEMBERS as u64, "{wants} wants");
    net.run_until(10_000, "records", |n| n.counts(1).records == MEMBERS - 2);
    assert!(
        net.nodes[1]
            .notices
            .iter()
            .all(|n| !matches!(n, peddlenet_gossip::Notice::Misbehaved { .. }))
    );
}
