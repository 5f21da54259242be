//! A member that breaks the rules, against a whole node.

use std::{collections::BTreeSet, time::Duration};

use peddlenet_crypto::{AuthorKey, EpochKeys};
use peddlenet_mesh::{Event, Reach};
use peddlenet_wire::{Frame, Hlc, SignedEvent, Timestamp, record::RecordKind};

use crate::{
    device::{Device, until},
    raw::{RawMember, host_and_raw, now, with_a_bad_signature},
};

/// The event of the host with this body or any, as it is pushed to the raw member.
async fn pushed(raw: &mut RawMember, count: usize) -> Vec<SignedEvent> {
    let own = raw.key.id();
    let mut events: Vec<SignedEvent> = Vec::new();
    while events.len() < count {
        let event = raw
            .hear(|frame| match frame {
                Frame::Event(f) if f.event.header().author != own => Some(f.event.clone()),
                _ => None,
            })
            .await;
        if !events.contains(&event) {
            events.push(event);
        }
    }
    events
}

/// bitchat and others: the check ran, and its result went nowhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_result_of_a_signature_check_is_not_ignored() {
    let (mut host, mut raw, room) = host_and_raw().await;
    raw.open().await;
    // In one place of its log: a forgery, which must not keep the true one out.
    let first = raw.message("first");
    raw.push(&with_a_bad_signature(&first)).await;
    raw.push(&first).await;
    host.hear("first").await;
    let shown = host.everything(room).await;
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert_eq!(shown[0].id.0, first.hash().0);
    // And with nothing true behind it.
    let never = with_a_bad_signature(&raw.message("never"));
    let before = host.heads(room).await;
    raw.push(&never).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(host.heads(room).await, before);
    assert_eq!(host.texts(room).await, ["first"]);
}

/// A window of an hour in which the same packet counts again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replayed_message_is_shown_once() {
    let (mut host, mut raw, room) = host_and_raw().await;
    raw.open().await;
    let once = raw.message("once");
    for _ in 0..30 {
        raw.push(&once).await;
    }
    host.hear("once").await;
    let last = raw.message("last");
    raw.push(&once).await;
    raw.push(&last).await;
    raw.push(&once).await;
    host.hear("last").await;
    let shown = |e: &&Event| matches!(e, Event::Message(m) if m.text == "once");
    assert_eq!(host.seen.iter().filter(shown).count(), 1);
    assert_eq!(host.texts(room).await, ["once", "last"]);
    // Nor after a restart, when nothing is remembered but what the disk holds.
    let mut host = Device::reopen(host.shut().await).await;
    let mut other = RawMember::join(&host.code(room).await, 78).await;
    other.open().await;
    other.push(&once).await;
    let fresh = other.message("fresh");
    other.push(&fresh).await;
    host.hear("fresh").await;
    assert_eq!(host.texts(room).await, ["once", "last", "fresh"]);
}

/// An announcement that binds another's name to the sender's link.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_opens_a_room_in_anothers_name() {
    let (host, mut raw, room) = host_and_raw().await;
    let bea = Device::new("Bea").await;
    bea.join(&host.code(room).await).await;
    let author = host.sees(room, "Bea", Reach::Linked).await.author;
    bea.shut().await;
    until("Bea's link to go", async || {
        let member = host.member(room, "Bea").await?;
        (member.state != Reach::Linked).then_some(())
    })
    .await;
    raw.open_as(author).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let member = host.member(room, "Bea").await.unwrap();
    assert_ne!(
        member.state,
        Reach::Linked,
        "a proof by another key was believed"
    );
    assert_eq!(member.author, author);
}

/// An admission by somebody who is no member himself, with a voucher that holds. Not on the list either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_no_member_admits_nobody() {
    let (mut host, mut raw, room) = host_and_raw().await;
    raw.open().await;
    let (stranger, friend) = (
        AuthorKey::from_seed([50; 32]),
        AuthorKey::from_seed([51; 32]),
    );
    let forged = raw.admit(&stranger, AuthorKey::from_seed([52; 32]).id());
    raw.push(&forged).await;
    let last = raw.message("last");
    raw.push(&last).await;
    host.hear("last").await;
    // The same from a member counts, so nothing but its author was wrong with the first.
    let genuine = raw.admit(&raw.key, friend.id());
    raw.push(&genuine).await;
    until("the friend to be a member", async || {
        let members = host.node.members(room).await.unwrap();
        members
            .iter()
            .any(|m| m.author == friend.id())
            .then_some(())
    })
    .await;
    let members = host.node.members(room).await.unwrap();
    assert_eq!(members.len(), 3, "{members:?}");
}

/// Receipts as an oracle: they tell that a device is on, to whoever throws something at it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_message_that_was_opened_is_confirmed() {
    let (mut host, mut raw, room) = host_and_raw().await;
    raw.open().await;
    raw.heard().await;
    let receipts = |frames: &[Frame]| {
        let is_one = |frame: &&Frame| matches!(frame, Frame::Record(f) if f.record.header().kind == RecordKind::RECEIPTS);
        frames.iter().filter(is_one).count()
    };
    // Signed by a member, and sealed by keys that nobody has.
    let foreign = EpochKeys::from_seeds([1; 32], [2; 32]);
    let closed = raw.message_in(&foreign, "closed", Hlc::at(now()));
    raw.push(&closed).await;
    raw.push(&with_a_bad_signature(&closed)).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(
        receipts(&raw.heard().await),
        0,
        "confirmed what it can't have read"
    );
    let opened = raw.message("opened");
    raw.push(&opened).await;
    host.hear("opened").await;
    raw.hear(|frame| (receipts(std::slice::from_ref(frame)) > 0).then_some(()))
        .await;
    assert_eq!(host.texts(room).await, ["opened"]);
}

/// A packet from the year 2100 drags everybody's clock along, and everything after it sorts behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_from_the_future_is_shown_and_moves_no_clock() {
    for clock in [Hlc::at(Timestamp(4_102_444_800_000)), Hlc(u64::MAX)] {
        let (mut host, mut raw, room) = host_and_raw().await;
        raw.open().await;
        raw.greeted().await;
        let epoch = raw.epoch();
        let early = raw.message_in(&epoch, "from 2100", clock);
        raw.push(&early).await;
        host.hear("from 2100").await;
        host.say(room, "today").await;
        let event = pushed(&mut raw, 1).await.remove(0);
        let ahead = event.header().clock.timestamp().since(now());
        assert!(ahead < Duration::from_secs(600), "{ahead:?} ahead of time");
        let shown = host.everything(room).await;
        assert_eq!(
            shown.last().unwrap().text,
            "from 2100",
            "its place is where it says"
        );
    }
}

/// A nonce that comes twice under one key opens both messages. Not on the list, and worth a test all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_two_messages_share_a_nonce() {
    const MESSAGES: usize = 12;
    let (host, mut raw, room) = host_and_raw().await;
    raw.open().await;
    raw.greeted().await;
    for _ in 0..MESSAGES {
        host.say(room, "the same text").await;
    }
    let events = pushed(&mut raw, MESSAGES).await;
    let nonces: BTreeSet<_> = events
        .iter()
        .map(|e| e.body().unwrap()[..24].to_vec())
        .collect();
    assert_eq!(nonces.len(), MESSAGES);
}

/// A timer that overflows: an invite for all eternity ends when the longest one does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_time_is_no_overflow() {
    let host = Device::new("Host").await;
    let room = host.node.create_room("Room").await.unwrap();
    let forever = host.node.invite(room, Duration::MAX, u32::MAX).await;
    let other = Device::new("Guest").await;
    other.join(&forever.unwrap().link).await;
    let never = host.node.invite(room, Duration::ZERO, 1).await;
    println!("{never:?}");
}
