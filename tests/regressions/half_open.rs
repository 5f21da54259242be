//! Who knows a code and goes no further than the first packet.
//!
//! A test binary of its own: it counts what the whole process holds.
#![allow(
    unsafe_code,
    reason = "an allocator that counts has to implement GlobalAlloc"
)]

#[allow(dead_code, reason = "the other half counts what a thread takes")]
mod heap;
#[path = "../fuzz/src/targets/stun.rs"]
mod stun;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use data_encoding::BASE64_NOPAD;
use peddlenet_peer::{
    Dial, Endpoint, EndpointConfig, Gate, GateId, HALF_OPEN_FOR, Incoming, Kind,
    ListenerCertificate,
};
use tokio::net::UdpSocket;

use crate::stun::{request, server_pwd};

/// How long anything may take before it counts as not happening.
const DEADLINE: Duration = Duration::from_secs(60);
const KEY: [u8; 32] = [7; 32];
/// First packets, each of another dialer as far as anybody can tell (count).
const KNOCKS: u32 = 600;
/// What 32 half-open links may take, with room to spare: one takes a quarter of a megabyte.
const GROWTH_MAX: usize = 48 << 20;

fn gate() -> Gate {
    Gate {
        id: GateId(1),
        kind: Kind::Invite,
        ice_key: KEY,
        psk: KEY,
    }
}

async fn listener() -> (Endpoint, Incoming) {
    let bound = Endpoint::bind(EndpointConfig {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        certificate: ListenerCertificate::generate().unwrap(),
    })
    .await
    .unwrap();
    bound.0.set_gates(vec![gate()]);
    bound
}

/// A first packet under the right key, like no other.
fn knock(number: u32) -> Vec<u8> {
    let mut hash = [9; 32];
    hash[..4].copy_from_slice(&number.to_be_bytes());
    let mut username = b"J1".to_vec();
    username.extend(BASE64_NOPAD.encode(&hash).bytes());
    username.extend(format!("{number:024}").bytes());
    let s_pwd = server_pwd(&KEY, &username);
    username.extend(format!(":{number:08}").bytes());
    // PRIORITY and ICE-CONTROLLING, without which an agent would not go on.
    let attributes = [
        0, 0x24, 0, 4, 0x6e, 0, 1, 0xff, 0x80, 0x2a, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8,
    ];
    request(&username, &attributes, &s_pwd)
}

async fn knock_many(at: SocketAddr) {
    for number in 0..KNOCKS {
        // Each from a port of its own: one source has one link at most.
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.send_to(&knock(number), at).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_open_handshakes_do_not_pile_up() {
    let (host, mut incoming) = listener().await;
    let address = host.local_addrs()[0];
    let before = heap::live();
    heap::peak();
    knock_many(address).await;
    let growth = heap::peak().saturating_sub(before);
    println!("{KNOCKS} knocks: {} KiB at most", growth / 1024);
    // Fewer would mean that the packets never got in, and nothing was tried.
    assert!(growth > 1 << 20, "the knocks opened nothing: {growth} B");
    assert!(
        growth < GROWTH_MAX,
        "{growth} B for links that nobody finishes"
    );
    // Who is real gets in once the half-open ones are given up.
    let started = Instant::now();
    let (guest, _incoming) = listener().await;
    let dial = || Dial {
        addrs: host.local_addrs(),
        fingerprint: Some(host.fingerprint()),
        gate: gate(),
        deadline: HALF_OPEN_FOR * 3,
    };
    while guest.dial(dial()).await.is_err() {
        assert!(started.elapsed() < DEADLINE, "nobody gets in any more");
    }
    assert!(incoming.recv().await.is_some());
}
