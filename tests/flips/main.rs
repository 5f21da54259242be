//! Every kind of frame with every bit flipped: nothing false is accepted, and the state stays as it was.
//!
//! Links are encrypted, so a stranger's flip never gets as far as this; a hostile neighbour's does. What a frame
//! says is of three kinds:
//!
//! | what | a flipped bit |
//! |---|---|
//! | signed: events, records, beacons, proofs, vouchers, credentials, welcomes, the payload of a route | is refused; or the frame falls apart and its genuine rest counts, never a changed one |
//! | bound by a hash: bodies, epoch keys, what a want was asked for | is refused |
//! | hints between neighbours: hops, cost, ttl, attempt, ids of wants and routes; heads, digests, sketches, wants, ihave, prune, graft, choke, peers, replies, refusals | changes what is asked or sent next, never what is held or shown |
//!
//! So a flip in the `hops` of an event delivers the genuine event with another hop count, which is right: the
//! event is genuine, and `hops` is documented as unsigned. After each flip an honest neighbour sends one more
//! event, which must arrive: a flipped hint does not cut anybody off.

mod genuine;
mod proofs;
mod victim;

use std::collections::BTreeSet;

use peddlenet_wire::Frame;

use crate::{genuine::Genuine, victim::Victim};

/// `bytes` with each bit flipped, one after the other.
fn flips(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        (bit, flipped)
    })
}

#[test]
fn every_flipped_bit_of_every_frame_is_refused_or_changes_hints_only() {
    let genuine = Genuine::new();
    let mut tried = 0;
    for (name, frame) in genuine.frames() {
        let bytes = frame.to_bytes();
        let before = Victim::new(&genuine).holdings();
        let mut fed = Victim::new(&genuine);
        fed.hear(frame.clone());
        let after = fed.holdings();
        for (bit, flipped) in flips(&bytes) {
            tried += 1;
            // Refused by the decoder: the link's owner drops the frame, and nothing was touched.
            let Ok(frame) = Frame::from_bytes(&flipped) else {
                continue;
            };
            let mut victim = Victim::new(&genuine);
            victim.hear(frame);
            victim.accepted_only_what_is_genuine(&genuine);
            let now = victim.holdings();
            // Of a batch a part may be left.
            let allowed = if name == "batch" {
                now.between(&before, &after)
            } else {
                now == before || now == after
            };
            assert!(allowed, "{name}, bit {bit}: {now:?}");
            assert!(
                victim.hears_the_other_neighbour(&genuine),
                "{name}, bit {bit}"
            );
        }
    }
    println!("{tried} flips");
    assert!(tried > 10_000);
}

#[test]
fn the_genuine_frames_do_what_they_are_for() {
    let genuine = Genuine::new();
    let of = |wanted: &str| {
        let mut victim = Victim::new(&genuine);
        let mut frames = genuine.frames().into_iter();
        let (_, frame) = frames.find(|(name, _)| *name == wanted).unwrap();
        let before = victim.holdings();
        victim.hear(frame);
        (before, victim)
    };
    for (name, events, records, letters) in [
        ("event", 1, 0, 0),
        ("record", 0, 1, 0),
        ("batch", 2, 0, 0),
        ("route", 0, 0, 1),
        ("heads", 0, 0, 0),
    ] {
        let (before, victim) = of(name);
        assert_eq!(victim.events.len(), events, "{name}");
        assert_eq!(victim.records.len(), records, "{name}");
        assert_eq!(victim.letters.len(), letters, "{name}");
        assert_eq!(
            victim.holdings() == before,
            events + records + letters == 0,
            "{name}"
        );
    }
    assert_eq!(of("beacon").1.heard.len(), 1);
}

/// Kinds are numbered from 0 without a gap, and the first unknown one ends them.
#[test]
fn no_kind_of_frame_is_left_out() {
    let kind = |frame: &Frame| match frame.to_bytes()[..] {
        [0x82, 0x18, kind, ..] | [0x82, kind, ..] => kind,
        _ => panic!("a frame is a kind and its fields"),
    };
    let tried: BTreeSet<u8> = Genuine::new()
        .frames()
        .iter()
        .map(|(_, f)| kind(f))
        .collect();
    let unknown = (0..=255).find(|kind| {
        let head: &[u8] = if *kind < 24 {
            &[0x82, *kind]
        } else {
            &[0x82, 0x18, *kind]
        };
        matches!(
            Frame::from_bytes(&[head, &[0xf6]].concat()),
            Ok(Frame::Unknown(_))
        )
    });
    let all: BTreeSet<u8> = (0..unknown.unwrap()).collect();
    assert_eq!(
        tried, all,
        "add an example of the new kind to tests/flips/genuine.rs"
    );
}
