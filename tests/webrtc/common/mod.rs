//! Endpoints on loopback, as the link tests need them.
#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod relay;

use peddlenet_peer::{
    Dial, Endpoint, EndpointConfig, Gate, GateId, Incoming, Kind, Link, ListenerCertificate,
};
use std::time::{Duration, Instant};

pub(crate) const DEADLINE: Duration = Duration::from_secs(5);

pub(crate) fn gate(id: u64, kind: Kind, key: u8) -> Gate {
    Gate {
        id: GateId(id),
        kind,
        ice_key: [key; 32],
        psk: [key.wrapping_add(100); 32],
    }
}

pub(crate) async fn listener(gates: Vec<Gate>) -> (Endpoint, Incoming) {
    listener_as(ListenerCertificate::generate().unwrap(), gates).await
}

pub(crate) async fn listener_as(
    certificate: ListenerCertificate,
    gates: Vec<Gate>,
) -> (Endpoint, Incoming) {
    let _ = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_env("PEDDLENET_LOG"))
        .with_test_writer()
        .try_init();
    let listen = vec!["127.0.0.1:0".parse().unwrap()];
    let (endpoint, incoming) = Endpoint::bind(EndpointConfig {
        listen,
        certificate,
    })
    .await
    .unwrap();
    endpoint.set_gates(gates);
    (endpoint, incoming)
}

pub(crate) fn dial_to(host: &Endpoint, gate: Gate) -> Dial {
    Dial {
        addrs: host.local_addrs(),
        fingerprint: Some(host.fingerprint()),
        gate,
        deadline: DEADLINE,
    }
}

/// Two endpoints with one open link.
pub(crate) struct Pair {
    pub(crate) host: Endpoint,
    pub(crate) host_incoming: Incoming,
    pub(crate) guest: Endpoint,
    pub(crate) guest_incoming: Incoming,
    pub(crate) dialer: Link,
    pub(crate) accepted: Link,
}

pub(crate) async fn pair() -> Pair {
    let key = gate(1, Kind::Invite, 1);
    let (host, mut host_incoming) = listener(vec![key.clone()]).await;
    let (guest, guest_incoming) = listener(vec![]).await;
    let started = Instant::now();
    let dialer = guest.dial(dial_to(&host, key)).await.unwrap();
    println!("dial to open: {:?}", started.elapsed());
    let accepted = host_incoming.recv().await.unwrap().link;
    Pair {
        host,
        host_incoming,
        guest,
        guest_incoming,
        dialer,
        accepted,
    }
}
