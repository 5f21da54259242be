//! The one-scan join on loopback: a dialer that knows addresses, a fingerprint and a key opens a
//! link in one go, and everything else fails with the reason, in time.

mod common;

use common::{gate, listener, pair};
use peddlenet_peer::{Dial, DialError, Fingerprint, Kind, Lane};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_opens_and_carries_bytes_both_ways() {
    let started = Instant::now();
    let pair = pair().await;
    println!("open after {:?}", started.elapsed());
    assert_eq!(pair.dialer.handshake_hash(), pair.accepted.handshake_hash());
    assert!(pair.dialer.dialed() && !pair.accepted.dialed());
    let (a, mut from_b) = pair.dialer.split();
    let (b, mut from_a) = pair.accepted.split();
    for lane in [Lane::Ordered, Lane::Bulk, Lane::Datagram] {
        a.send(lane, &b"to b"[..]).await.unwrap();
        let received = from_a.recv().await.unwrap();
        assert_eq!((received.lane, &received.bytes[..]), (lane, &b"to b"[..]));
        b.send(lane, &b"to a"[..]).await.unwrap();
        let received = from_b.recv().await.unwrap();
        assert_eq!((received.lane, &received.bytes[..]), (lane, &b"to a"[..]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there_is_said_at_the_deadline() {
    let (dialer, _incoming) = listener(vec![]).await;
    let vacant = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let started = Instant::now();
    let error = dialer
        .dial(Dial {
            addrs: vec![vacant.local_addr().unwrap()],
            fingerprint: Some(Fingerprint([1; 32])),
            gate: gate(1, Kind::Invite, 1),
            deadline: Duration::from_secs(1),
        })
        .await
        .unwrap_err();
    assert!(matches!(error, DialError::NobodyThere), "{error}");
    assert!(started.elapsed() < Duration::from_millis(1500));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_is_refused() {
    let (host, _incoming) = listener(vec![gate(1, Kind::Invite, 1)]).await;
    let (dialer, _) = listener(vec![]).await;
    let started = Instant::now();
    let error = dialer
        .dial(Dial {
            addrs: host.local_addrs(),
            fingerprint: Some(host.fingerprint()),
            gate: gate(1, Kind::Invite, 2),
            deadline: Duration::from_secs(5),
        })
        .await
        .unwrap_err();
    assert!(matches!(error, DialError::Refused), "{error}");
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_fingerprint_opens_nothing() {
    let (host, mut incoming) = listener(vec![gate(1, Kind::Invite, 1)]).await;
    let (dialer, _) = listener(vec![]).await;
    let started = Instant::now();
    let error = dialer
        .dial(Dial {
            addrs: host.local_addrs(),
            fingerprint: Some(Fingerprint([1; 32])),
            gate: gate(1, Kind::Invite, 1),
            deadline: Duration::from_secs(5),
        })
        .await
        .unwrap_err();
    println!("{error} after {:?}", started.elapsed());
    assert!(matches!(error, DialError::WrongFingerprint), "{error}");
    assert!(started.elapsed() < Duration::from_millis(5500));
    let nobody = tokio::time::timeout(Duration::from_millis(300), incoming.recv()).await;
    assert!(nobody.is_err(), "the listener accepted a link");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_psk_behind_the_same_gate_fails_the_handshake() {
    let (host, mut incoming) = listener(vec![gate(1, Kind::Invite, 1)]).await;
    let (dialer, _) = listener(vec![]).await;
    let mut other = gate(1, Kind::Invite, 1);
    other.psk = [9; 32];
    let error = dialer
        .dial(Dial {
            addrs: host.local_addrs(),
            fingerprint: Some(host.fingerprint()),
            gate: other,
            deadline: Duration::from_secs(5),
        })
        .await
        .unwrap_err();
    assert!(
        matches!(error, DialError::Handshake | DialError::Closed),
        "{error}"
    );
    let nobody = tokio::time::timeout(Duration::from_millis(300), incoming.recv()).await;
    assert!(nobody.is_err(), "the listener accepted a link");
}
