//! Everything on one UDP port: many joiners, both directions, several gates, NATs that move and
//! strangers that knock.

mod common;

use common::relay::Relay;
use common::{DEADLINE, dial_to, gate, listener, pair};
use peddlenet_peer::{
    Dial, DialError, Endpoint, EndpointConfig, GateId, Incoming, Kind, Lane, Link,
    ListenerCertificate,
};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::timeout;

const JOINERS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_joiners_on_one_code_all_get_in() {
    let key = gate(1, Kind::Invite, 1);
    let (host, mut incoming) = listener(vec![key.clone()]).await;
    let mut dials = JoinSet::new();
    let started = Instant::now();
    for joiner in 0..JOINERS {
        let (dial, key) = (dial_to(&host, key.clone()), key.clone());
        dials.spawn(async move {
            let (endpoint, _incoming) = listener(vec![key]).await;
            tokio::time::sleep(Duration::from_millis(joiner as u64 * 10)).await;
            // Generous: a busy machine may take seconds for 20 handshakes in a debug build.
            let deadline = DEADLINE * 4;
            let link = endpoint.dial(Dial { deadline, ..dial }).await;
            (endpoint, link)
        });
    }
    let mut links = Vec::new();
    while let Some(done) = dials.join_next().await {
        let (endpoint, link) = done.unwrap();
        links.push((endpoint, link.expect("a joiner was left outside")));
    }
    println!("{JOINERS} joiners after {:?}", started.elapsed());
    for _ in 0..JOINERS {
        let arrived = timeout(DEADLINE, incoming.recv()).await.unwrap().unwrap();
        assert_eq!(arrived.gate, GateId(1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_devices_that_dial_each_other_keep_exactly_one_link() {
    for round in 0..8u64 {
        let key = gate(1, Kind::Member, 1);
        let (a, mut to_a) = listener(vec![key.clone()]).await;
        let (b, mut to_b) = listener(vec![key.clone()]).await;
        let head_start = Duration::from_millis(round % 4 * 3);
        let (from_a, from_b) = tokio::join!(a.dial(dial_to(&b, key.clone())), async {
            tokio::time::sleep(head_start).await;
            b.dial(dial_to(&a, key.clone())).await
        });
        println!(
            "round {round}: a {:?}, b {:?}, a is lower: {}",
            from_a.as_ref().err(),
            from_b.as_ref().err(),
            a.fingerprint() < b.fingerprint()
        );
        let (dialer, accepted) = match (from_a, from_b) {
            (Ok(link), Err(DialError::Superseded | DialError::AlreadyLinked)) => {
                (link, next(&mut to_b).await)
            }
            (Err(DialError::Superseded | DialError::AlreadyLinked), Ok(link)) => {
                (link, next(&mut to_a).await)
            }
            other => panic!("round {round}: {other:?}"),
        };
        assert_eq!(dialer.handshake_hash(), accepted.handshake_hash());
        let more = timeout(Duration::from_millis(200), async {
            tokio::select! { link = to_a.recv() => link, link = to_b.recv() => link }
        });
        assert!(more.await.is_err(), "round {round}: a second link");
        exchange(dialer, accepted).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_key_opens_its_own_gate_even_beside_an_open_link() {
    let gates: Vec<_> = (1..=4u8).map(|n| gate(n.into(), Kind::Invite, n)).collect();
    let member = gate(9, Kind::Member, 9);
    let (host, mut incoming) =
        listener(gates.iter().cloned().chain([member.clone()]).collect()).await;
    let (guest, _guest_incoming) = listener(vec![]).await;
    let mut links = Vec::new();
    for key in gates.iter().chain([&member]).rev() {
        links.push(guest.dial(dial_to(&host, key.clone())).await.unwrap());
        let arrived = timeout(DEADLINE, incoming.recv()).await.unwrap().unwrap();
        assert_eq!(arrived.gate, key.id);
        assert_eq!(arrived.link.gate(), key.id);
        links.push(arrived.link);
    }
    // One member link between two devices serves every room.
    let again = guest.dial(dial_to(&host, member)).await.unwrap_err();
    assert!(matches!(again, DialError::AlreadyLinked), "{again}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_that_is_gone_opens_nothing() {
    let key = gate(1, Kind::Invite, 1);
    let (host, _incoming) = listener(vec![key.clone()]).await;
    host.set_gates(vec![]);
    let (guest, _) = listener(vec![]).await;
    let error = guest.dial(dial_to(&host, key)).await.unwrap_err();
    assert!(matches!(error, DialError::Refused), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replayed_first_packet_opens_nothing() {
    let key = gate(1, Kind::Invite, 1);
    let (host, mut incoming) = listener(vec![key.clone()]).await;
    let (guest, _) = listener(vec![]).await;
    let relay = Relay::to(host.local_addrs()[0]).await;
    let link = guest.dial(through(&relay, &host, key)).await.unwrap();
    let accepted = next(&mut incoming).await;
    drop((link, accepted));
    tokio::time::sleep(Duration::from_millis(700)).await;
    let attacker = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let packets = relay.captured.lock().unwrap().clone();
    for packet in &packets {
        let _ = attacker.send_to(packet, host.local_addrs()[0]).await;
    }
    let mut answer = [0; 2048];
    let answered = timeout(Duration::from_millis(500), attacker.recv_from(&mut answer)).await;
    assert!(answered.is_err(), "the host answered a replay");
    assert!(
        timeout(Duration::from_millis(100), incoming.recv())
            .await
            .is_err()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_survives_a_nat_that_moves() {
    let key = gate(1, Kind::Invite, 1);
    let (host, mut incoming) = listener(vec![key.clone()]).await;
    let (guest, _) = listener(vec![]).await;
    let relay = Relay::to(host.local_addrs()[0]).await;
    let dialer = guest.dial(through(&relay, &host, key)).await.unwrap();
    let accepted = next(&mut incoming).await;
    let (here, _from_host) = dialer.split();
    let (there, mut from_guest) = accepted.split();
    let before = there.peer_addr();
    relay.rebind().await;
    let started = Instant::now();
    here.send(Lane::Ordered, &b"still here"[..]).await.unwrap();
    let received = timeout(Duration::from_secs(20), from_guest.recv()).await;
    println!("moved after {:?}", started.elapsed());
    assert_eq!(&received.unwrap().unwrap().bytes[..], b"still here");
    assert_ne!(there.peer_addr(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_on_the_port_does_not_disturb_a_join() {
    let key = gate(1, Kind::Invite, 1);
    let (host, mut incoming) = listener(vec![key.clone()]).await;
    let target = host.local_addrs()[0];
    let noise = tokio::spawn(async move {
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut seed = 1u32;
        loop {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let packet: Vec<u8> = (0..seed % 300)
                .map(|n| seed.rotate_left(n).to_be_bytes()[0])
                .collect();
            let _ = socket.send_to(&packet, target).await;
            if seed.is_multiple_of(64) {
                tokio::task::yield_now().await;
            }
        }
    });
    let (guest, _) = listener(vec![]).await;
    let dialer = guest.dial(dial_to(&host, key)).await.unwrap();
    exchange(dialer, next(&mut incoming).await).await;
    noise.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_interface_of_both_families_accepts() {
    let key = gate(1, Kind::Invite, 1);
    let certificate = ListenerCertificate::generate().unwrap();
    let config = EndpointConfig {
        listen: vec![],
        certificate,
    };
    let (host, mut incoming) = Endpoint::bind(config).await.unwrap();
    host.set_gates(vec![key.clone()]);
    let port = host.local_addrs()[0].port();
    let mut addrs = host.local_addrs();
    addrs.push(([127, 0, 0, 1], port).into());
    if std::net::UdpSocket::bind("[::1]:0").is_ok() {
        addrs.push((std::net::Ipv6Addr::LOCALHOST, port).into());
    }
    for addr in addrs {
        let config = EndpointConfig {
            listen: vec![],
            certificate: ListenerCertificate::generate().unwrap(),
        };
        let (guest, _) = Endpoint::bind(config).await.unwrap();
        let mut dial = dial_to(&host, key.clone());
        dial.addrs = vec![addr];
        let dialer = guest.dial(dial).await;
        let dialer = dialer.unwrap_or_else(|error| panic!("{addr}: {error}"));
        exchange(dialer, next(&mut incoming).await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dialing_oneself_or_nowhere_is_said_at_once() {
    let key = gate(1, Kind::Invite, 1);
    let pair = pair().await;
    let error = pair.host.dial(dial_to(&pair.host, key.clone())).await;
    assert!(matches!(error, Err(DialError::Itself)));
    let mut nowhere = dial_to(&pair.host, key);
    nowhere.addrs = vec![];
    let error = pair.guest.dial(nowhere).await;
    assert!(matches!(error, Err(DialError::NoAddress)));
}

fn through(relay: &Relay, host: &Endpoint, key: peddlenet_peer::Gate) -> Dial {
    Dial {
        addrs: vec![relay.addr],
        ..dial_to(host, key)
    }
}

async fn next(incoming: &mut Incoming) -> Link {
    let arrived = timeout(DEADLINE, incoming.recv()).await;
    arrived.expect("no link came in").unwrap().link
}

async fn exchange(dialer: Link, accepted: Link) {
    let (a, mut from_b) = dialer.split();
    let (b, mut from_a) = accepted.split();
    a.send(Lane::Ordered, &b"ping"[..]).await.unwrap();
    assert_eq!(&from_a.recv().await.unwrap().bytes[..], b"ping");
    b.send(Lane::Ordered, &b"pong"[..]).await.unwrap();
    assert_eq!(&from_b.recv().await.unwrap().bytes[..], b"pong");
}

/// A member that has gone is dialled by all who miss it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_is_not_there_is_asked_for_and_nothing_more() {
    let (guest, _incoming) = listener(vec![]).await;
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let dial = Dial {
        addrs: vec![silent.local_addr().unwrap()],
        fingerprint: Some(ListenerCertificate::generate().unwrap().fingerprint()),
        gate: gate(1, Kind::Member, 1),
        deadline: Duration::from_secs(2),
    };
    let gone = guest.dial(dial).await;
    assert!(matches!(gone, Err(DialError::NobodyThere)), "{gone:?}");
    let (mut packets, mut packet) = (0, [0; 1500]);
    while let Ok(len) = silent.try_recv(&mut packet) {
        // A Binding Request (RFC 8489, 5), the same each time.
        assert_eq!((len, packet[..2].to_vec()), (128, vec![0, 1]));
        packets += 1;
    }
    assert!((1..=10).contains(&packets), "{packets} packets in 2 s");
}
