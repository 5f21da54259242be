//! What a server is told on one day has nothing in common with what it is told on another.

use std::collections::BTreeSet;

use peddlenet_crypto::{Day, EpochKeys, MeetingKey, rendezvous::DAY};
use peddlenet_wire::{
    Capped, Fingerprint, InviteKey,
    record::Address,
    rendezvous::{Knock, Place, Signal},
};

use crate::operator::{now, random};

/// Bytes in a row that never come twice by chance (2^-64 for each pair).
const WINDOW: usize = 8;

/// What the same device says in the same places, as the server gets it.
fn said(day: Day) -> (Vec<[u8; 16]>, Vec<Vec<u8>>) {
    let addresses = || {
        let own = ["192.168.1.7:20000", "203.0.113.9:20000"].map(|a| Address(a.parse().unwrap()));
        Capped::take_from(&mut own.into_iter())
    };
    let signals = [
        Signal::Knock(Knock {
            id: [1; 8],
            addresses: addresses(),
            relay: false,
        }),
        Signal::Place(Place {
            id: [1; 8],
            addresses: addresses(),
            fingerprint: Fingerprint([7; 32]),
            relay: false,
        }),
        Signal::Record(vec![5; 400]),
    ];
    let keys = [
        MeetingKey::of_invite(&InviteKey([3; 32]), day),
        MeetingKey::of_members(&EpochKeys::from_seeds([4; 32], [5; 32]), day),
    ];
    let sealed = keys.iter().flat_map(|key| {
        let twice = signals.iter().chain(&signals);
        twice.map(|signal| key.seal(&random(), &signal.to_bytes()).unwrap())
    });
    (
        keys.iter().map(|key| key.tag().0).collect(),
        sealed.collect(),
    )
}

/// All windows of some messages; how many of them are there more than once, too.
fn windows(messages: &[Vec<u8>]) -> (BTreeSet<&[u8]>, usize) {
    let all = || messages.iter().flat_map(|message| message.windows(WINDOW));
    let once: BTreeSet<_> = all().collect();
    let repeated = all().count() - once.len();
    (once, repeated)
}

#[test]
fn two_days_share_no_tag_and_no_eight_bytes() {
    let today = now();
    let tomorrow = today.after(DAY);
    let days = [today, tomorrow].map(Day::at);
    assert_ne!(days[0], days[1]);
    let [(tags, sealed), (tags_after, sealed_after)] = days.map(said);
    for tag in &tags {
        assert!(!tags_after.contains(tag));
    }
    // Nor do two messages of one day, though they say the same.
    let with_tags = |tags: Vec<[u8; 16]>, mut sealed: Vec<Vec<u8>>| {
        sealed.extend(tags.into_iter().map(Vec::from));
        sealed
    };
    let (first, second) = (with_tags(tags, sealed), with_tags(tags_after, sealed_after));
    let (first, repeated) = windows(&first);
    let (second, repeated_after) = windows(&second);
    assert_eq!((repeated, repeated_after), (0, 0));
    assert_eq!(first.intersection(&second).count(), 0);
    assert!(first.len() > 1_000, "{} windows", first.len());
}

#[test]
fn the_same_day_keeps_its_tags() {
    let day = Day::at(now());
    assert_eq!(said(day).0, said(day).0);
}
