//! Codes that lead nowhere: each ends in a stable code and a plain sentence, and nothing breaks.

use std::{
    net::UdpSocket,
    time::{Duration, Instant},
};

use peddlenet_mesh::{Error, ErrorCode, RoomId};
use peddlenet_wire::{
    Invite,
    invite::{InviteSecret, PREFIX},
};

use crate::device::{DEADLINE, Device, TTL, pair, same_room, until};

/// Words that a person who scanned a code should not have to know.
const JARGON: &[&str] = &[
    "ICE",
    "STUN",
    "DTLS",
    "SCTP",
    "UDP",
    "socket",
    "handshake",
    "fingerprint",
    "peer",
    "gate",
    "os error",
    "timeout",
];

/// Joins by a link that can't work, and shows what the person is told.
async fn refused(device: &Device, link: &str) -> Error {
    let started = Instant::now();
    let outcome = tokio::time::timeout(DEADLINE, device.node.join(link)).await;
    let error = outcome
        .expect("a join ends by itself")
        .expect_err("this code leads nowhere");
    println!(
        "{} after {:?}: {}",
        error.code,
        started.elapsed(),
        error.message
    );
    assert!(error.message.ends_with('.') && error.message.contains(' '));
    for word in JARGON {
        assert!(!error.message.contains(word), "{}", error.message);
    }
    assert_eq!(
        device.node.rooms().await.unwrap(),
        [],
        "nothing is left behind"
    );
    error
}

/// A host with a room, and a guest who is not in it.
async fn host_and_guest() -> (Device, Device, RoomId) {
    let (host, guest) = (Device::new("Host").await, Device::new("Guest").await);
    let room = host.node.create_room("Door").await.unwrap();
    (host, guest, room)
}

/// After all that went wrong, a good code works.
async fn still_joins(host: &Device, guest: &mut Device, room: RoomId) {
    guest.join(&host.code(room).await).await;
    host.say(room, "you made it").await;
    guest.hear("you made it").await;
    same_room(room, &[host, guest]).await;
}

fn tampered(link: &str, change: impl FnOnce(&mut Invite)) -> String {
    let mut invite = Invite::from_link(link).unwrap();
    change(&mut invite);
    invite.to_link()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_that_are_no_code_say_so() {
    let (host, mut guest, room) = host_and_guest().await;
    let good = host.code(room).await;
    let newer = format!("{PREFIX}{}", "7".repeat(128));
    let cases = [
        ("", ErrorCode::NotACode),
        ("hello", ErrorCode::NotACode),
        ("WIFI:S:camp;T:WPA;P:secret;;", ErrorCode::NotACode),
        ("https://example.org/PEDDLENET:J/", ErrorCode::NotACode),
        ("\u{0}\u{202e}💥", ErrorCode::NotACode),
        (PREFIX, ErrorCode::CodeDamaged),
        (&good[..good.len() - 1], ErrorCode::CodeDamaged),
        (&good[..PREFIX.len() + 20], ErrorCode::CodeDamaged),
        ("PEDDLENET:J/!!!!", ErrorCode::CodeDamaged),
        (&newer, ErrorCode::CodeNewer),
    ];
    for (text, code) in cases {
        assert_eq!(refused(&guest, text).await.code, code, "{text:?}");
    }
    let long = format!("{good}{}", "A".repeat(1 << 20));
    assert_eq!(refused(&guest, &long).await.code, ErrorCode::CodeDamaged);
    still_joins(&host, &mut guest, room).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invite_that_has_ended_says_so() {
    let (host, mut guest, room) = host_and_guest().await;
    let brief = host
        .node
        .invite(room, Duration::from_secs(1), 9)
        .await
        .unwrap();
    let over = brief.expires.0;
    until("the invite to end", async || {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        (now.unwrap().as_millis() > u128::from(over)).then_some(())
    })
    .await;
    let error = refused(&guest, &brief.link).await;
    assert_eq!(error.code, ErrorCode::InviteExpired);
    assert!(
        error.message.contains("ended just now"),
        "{}",
        error.message
    );
    still_joins(&host, &mut guest, room).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invite_counts_its_uses() {
    let (host, mut guest, room) = host_and_guest().await;
    let once = host.node.invite(room, TTL, 1).await.unwrap().link;
    Device::new("First").await.join(&once).await;
    let error = refused(&guest, &once).await;
    assert_eq!(error.code, ErrorCode::InviteUsedUp);
    assert_eq!(host.node.members(room).await.unwrap().len(), 2);
    still_joins(&host, &mut guest, room).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_at_once_one_gets_the_last_use() {
    let (host, one, room) = host_and_guest().await;
    let two = Device::new("Other").await;
    let once = host.node.invite(room, TTL, 1).await.unwrap().link;
    let (a, b) = tokio::join!(one.node.join(&once), two.node.join(&once));
    let codes: Vec<_> = [a, b]
        .into_iter()
        .filter_map(|r| r.err().map(|e| e.code))
        .collect();
    assert_eq!(codes, [ErrorCode::InviteUsedUp]);
    assert_eq!(host.node.members(room).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_invite_says_so() {
    let (host, mut guest, room) = host_and_guest().await;
    let invite = host.node.invite(room, TTL, 9).await.unwrap();
    host.node.revoke(room, invite.id).await.unwrap();
    let error = refused(&guest, &invite.link).await;
    assert_eq!(error.code, ErrorCode::InviteRevoked);
    still_joins(&host, &mut guest, room).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_is_not_known_there() {
    let (host, mut guest, room) = host_and_guest().await;
    let good = host.code(room).await;
    let wrong = tampered(&good, |invite| invite.secret = InviteSecret([7; 16]));
    let error = refused(&guest, &wrong).await;
    assert_eq!(error.code, ErrorCode::InviteUnknown);
    still_joins(&host, &mut guest, room).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_with_another_fingerprint_leads_to_a_wrong_host() {
    let (host, mut guest, room) = host_and_guest().await;
    let good = host.code(room).await;
    let wrong = tampered(&good, |invite| invite.fingerprint.0[0] ^= 1);
    assert_eq!(refused(&guest, &wrong).await.code, ErrorCode::WrongHost);
    still_joins(&host, &mut guest, room).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_with_another_room_opens_no_room() {
    let (host, mut guest, room) = host_and_guest().await;
    let good = host.code(room).await;
    let wrong = tampered(&good, |invite| invite.room.0[0] ^= 1);
    let error = refused(&guest, &wrong).await;
    assert_eq!(error.code, ErrorCode::InviteUnknown);
    still_joins(&host, &mut guest, room).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inviter_who_left_is_told_from_one_who_is_there() {
    let (host, mut guest, room) = host_and_guest().await;
    let good = host.code(room).await;
    // A port where nothing listens ..
    let vacant = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = vacant.local_addr().unwrap().port();
    drop(vacant);
    let closed = tampered(&good, |invite| invite.port = port);
    assert_eq!(refused(&guest, &closed).await.code, ErrorCode::NoAnswer);
    // .. and one where something listens and says nothing.
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let silent_code = tampered(&good, |invite| invite.port = port);
    assert_eq!(
        refused(&guest, &silent_code).await.code,
        ErrorCode::NoAnswer
    );
    // The device is there, but the room was left.
    let (ada, _bea, left) = pair("Left behind").await;
    let code = ada.code(left).await;
    ada.node.leave(left).await.unwrap();
    assert_eq!(refused(&guest, &code).await.code, ErrorCode::InviteUnknown);
    still_joins(&host, &mut guest, room).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_without_addresses_or_to_another_network_says_what_to_do() {
    let (host, mut guest, room) = host_and_guest().await;
    let good = host.code(room).await;
    let none = tampered(&good, |invite| invite.addresses.clear());
    assert_eq!(refused(&guest, &none).await.code, ErrorCode::NobodyNear);
    // This guest's only network is loopback.
    let elsewhere = tampered(&good, |invite| {
        invite.addresses = vec!["192.0.2.77".parse().unwrap()];
    });
    assert_eq!(refused(&guest, &elsewhere).await.code, ErrorCode::NoNetwork);
    still_joins(&host, &mut guest, room).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ones_own_code_is_for_others() {
    let (host, _, room) = host_and_guest().await;
    let own = host.code(room).await;
    let error = host.node.join(&own).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::OwnCode);
    assert_eq!(host.node.members(room).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_join_ends_at_once_and_another_works() {
    let (host, mut guest, room) = host_and_guest().await;
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let nowhere = tampered(&host.code(room).await, |invite| invite.port = port);
    let joining = tokio::spawn({
        let (node, link) = (guest.node.clone(), nowhere.clone());
        async move { node.join(&link).await }
    });
    // The dial is on its way once the first packet is here.
    let first = tokio::task::spawn_blocking(move || silent.recv_from(&mut [0; 2048]));
    first.await.unwrap().unwrap();
    guest.node.cancel_join();
    let error = joining.await.unwrap().unwrap_err();
    assert_eq!(error.code, ErrorCode::Cancelled);
    still_joins(&host, &mut guest, room).await;
}
