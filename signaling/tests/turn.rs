//! STUN and TURN over real sockets on loopback, with the credentials that the WebSocket hands out.

mod local;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use local::stun::{Attribute, Raw, UDP, address, code, frame, mapped};
use local::{Client, PATIENCE, RED, Running, bound, limits, server, turn_server};
use peddlenet_signaling::{Limits, UdpConfig};
use serde_json::{Value, json};
use stun::attributes::{
    ATTR_DATA, ATTR_EVEN_PORT, ATTR_LIFETIME, ATTR_REQUESTED_ADDRESS_FAMILY,
    ATTR_REQUESTED_TRANSPORT, ATTR_XOR_PEER_ADDRESS, ATTR_XOR_RELAYED_ADDRESS,
};
use stun::message::{
    BINDING_REQUEST, METHOD_ALLOCATE, METHOD_CREATE_PERMISSION, METHOD_REFRESH, Message,
};
use tokio::net::UdpSocket;
use tokio::time::timeout;
use turn::client::ClientConfig;
use webrtc_util::Conn;

/// Loopback is refused like everything private, so tests must name it.
const LOOPBACK: &[&str] = &["127.0.0.1"];

async fn ice(server: &Running) -> Value {
    Client::connect(server).await.unwrap().ice().await
}

async fn device(server: &Running) -> Raw {
    Raw::new(server.udp.unwrap(), &ice(server).await).await
}

async fn peer() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

async fn heard(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 2048];
    let heard = timeout(PATIENCE, socket.recv_from(&mut buffer));
    let (length, from) = heard.await.expect("something comes").unwrap();
    buffer.truncate(length);
    (buffer, from)
}

/// Answers in order: whatever was sent before has been handled.
async fn settled(device: &Raw) {
    device.repeat(&frame(BINDING_REQUEST, &[])).await;
}

#[tokio::test]
async fn ways_are_offered_as_they_are_there() {
    let without = server(Limits::default()).await;
    let nothing = ice(&without).await;
    assert_eq!(nothing, json!({"v": 1, "type": "ice", "ttl_s": 3600}));

    let with = turn_server(Limits::default(), &[]).await;
    let offered = ice(&with).await;
    let udp = with.udp.unwrap().to_string();
    assert_eq!(
        (&offered["stun"], &offered["turn"]),
        (&json!(udp), &json!(udp))
    );
    assert_eq!(
        (&offered["realm"], &offered["ttl_s"]),
        (&json!("peddlenet"), &json!(3600))
    );
    let username = offered["username"].as_str().unwrap();
    let (ends, random) = username.split_once(':').unwrap();
    assert!(
        ends.parse::<u64>().is_ok() && random.len() == 16,
        "{username}"
    );
    let credential = offered["credential"].as_str().unwrap();
    assert_eq!(BASE64.decode(credential.as_bytes()).unwrap().len(), 20);
}

#[tokio::test]
async fn stun_tells_a_device_its_address() {
    let server = turn_server(Limits::default(), &[]).await;
    let device = device(&server).await;
    let answer = device.repeat(&frame(BINDING_REQUEST, &[])).await;
    assert_eq!(mapped(&answer), device.socket.local_addr().unwrap());
}

#[tokio::test]
async fn bytes_pass_both_ways_through_a_relay() {
    let server = turn_server(Limits::default(), LOOPBACK).await;
    let offered = ice(&server).await;
    let text = |key: &str| offered[key].as_str().unwrap().to_owned();
    // Not ours: the client that stands beside the server in the same library.
    let conn = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let client = turn::client::Client::new(ClientConfig {
        stun_serv_addr: text("stun"),
        turn_serv_addr: text("turn"),
        username: text("username"),
        password: text("credential"),
        realm: text("realm"),
        software: String::new(),
        rto_in_ms: 0,
        conn,
        vnet: None,
    });
    let client = client.await.unwrap();
    client.listen().await.unwrap();
    let relay = client.allocate().await.unwrap();
    let relayed = relay.local_addr().unwrap();
    let (peer, peer_address) = peer().await;

    let sent = timeout(PATIENCE, relay.send_to(b"to the peer", peer_address));
    sent.await.unwrap().unwrap();
    assert_eq!(heard(&peer).await, (b"to the peer".to_vec(), relayed));
    peer.send_to(b"to the device", relayed).await.unwrap();
    let mut buffer = [0; 64];
    let back = timeout(PATIENCE, relay.recv_from(&mut buffer));
    let (length, from) = back.await.unwrap().unwrap();
    assert_eq!(
        (&buffer[..length], from),
        (&b"to the device"[..], peer_address)
    );
}

#[tokio::test]
async fn a_channel_carries_bytes_both_ways() {
    let server = turn_server(Limits::default(), LOOPBACK).await;
    let mut device = device(&server).await;
    let relayed = device.allocate().await.unwrap();
    let (peer, peer_address) = peer().await;
    assert_eq!(device.bind_channel(0x4001, peer_address).await, 0);
    device.send_through(0x4001, b"out").await;
    assert_eq!(heard(&peer).await, (b"out".to_vec(), relayed));
    peer.send_to(b"in", relayed).await.unwrap();
    assert_eq!(device.hear().await, b"\x40\x01\x00\x02in\0\0");
    // Channels and peers belong to each other.
    assert_eq!(device.bind_channel(0x4002, peer_address).await, 400);
    assert_eq!(device.bind_channel(0x3fff, peer_address).await, 400);
}

#[tokio::test]
async fn every_peer_of_one_request_is_let_in_and_nobody_else() {
    let server = turn_server(Limits::default(), &["127.0.0.1", "127.0.0.2"]).await;
    let mut device = device(&server).await;
    let relayed = device.allocate().await.unwrap();
    let other = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    let (peer, peer_address) = peer().await;
    peer.send_to(b"too early", relayed).await.unwrap();
    let refused: SocketAddr = "10.0.0.1:9".parse().unwrap();
    let all = [refused, peer_address, other.local_addr().unwrap()];
    assert_eq!(device.permit(&all).await, 403, "one of them is refused");
    assert_eq!(device.permit(&all[1..]).await, 0);
    for socket in [&peer, &other] {
        socket.send_to(b"in time", relayed).await.unwrap();
        let mut indication = Message::new();
        indication.write(&device.hear().await).unwrap();
        let from = address(&indication, ATTR_XOR_PEER_ADDRESS);
        assert_eq!(from, socket.local_addr().unwrap());
        assert_eq!(indication.get(ATTR_DATA).unwrap(), b"in time");
    }
}

/// Data goes to a peer and back through a relay that listens at `at`.
async fn passes_data(device: &mut Raw, at: SocketAddr) {
    let socket = UdpSocket::bind((at.ip(), 0)).await.unwrap();
    let peer = socket.local_addr().unwrap();
    assert_eq!(device.permit(&[peer]).await, 0);
    device.send_to(b"to the peer", peer).await;
    assert_eq!(heard(&socket).await, (b"to the peer".to_vec(), at));
    socket.send_to(b"to the device", at).await.unwrap();
    let mut indication = Message::new();
    indication.write(&device.hear().await).unwrap();
    assert_eq!(indication.get(ATTR_DATA).unwrap(), b"to the device");
    assert_eq!(address(&indication, ATTR_XOR_PEER_ADDRESS), peer);
}

#[tokio::test]
async fn behind_a_nat_the_address_outside_is_told_and_the_one_inside_is_used() {
    // The NAT passes its ports on unchanged; here the test does.
    let outside: IpAddr = "9.9.9.9".parse().unwrap();
    let mut config = UdpConfig::new("127.0.0.1:0".parse().unwrap());
    config.public = vec![outside];
    config.allow_peers = vec!["127.0.0.1".parse().unwrap()];
    let server = bound(Limits::default()).await.with_udp(config).await;
    let server = Running::start(server.map_err(|(_, error)| error).unwrap());
    let (inside, offered) = (server.udp.unwrap(), ice(&server).await);
    let told = SocketAddr::new(outside, inside.port()).to_string();
    for way in ["stun", "turn"] {
        assert_eq!(offered[way], told);
    }
    let mut device = Raw::new(inside, &offered).await;
    let relayed = device.allocate().await.unwrap();
    assert_eq!(relayed.ip(), outside);
    passes_data(&mut device, SocketAddr::new(inside.ip(), relayed.port())).await;
    // Both are this machine's own, the one outside too.
    let own = SocketAddr::new(outside, 9);
    assert_eq!(device.permit(&[own]).await, 403);
}

#[tokio::test]
async fn a_relay_of_ipv6_for_a_device_of_ipv6() {
    let mut config = UdpConfig::new("[::1]:0".parse().unwrap());
    config.allow_peers = ["::1", "127.0.0.1"]
        .map(|peer| peer.parse().unwrap())
        .into();
    let server = bound(Limits::default()).await.with_udp(config).await;
    let server = Running::start(server.map_err(|(_, error)| error).unwrap());
    let udp = server.udp.unwrap();
    let offered = ice(&server).await;
    assert_eq!(offered["turn"], udp.to_string());
    let mut device = Raw::new(udp, &offered).await;
    let answer = device.repeat(&frame(BINDING_REQUEST, &[])).await;
    assert_eq!(mapped(&answer), device.socket.local_addr().unwrap());
    assert_eq!(device.allocate().await, Err(440), "IPv4 unless asked for");
    let of_ipv6 = Attribute::Raw(ATTR_REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    let answer = device.ask(METHOD_ALLOCATE, &[UDP, of_ipv6]).await;
    assert_eq!(code(&answer), 0);
    let relayed = address(&answer, ATTR_XOR_RELAYED_ADDRESS);
    assert_eq!(relayed.ip(), udp.ip());
    passes_data(&mut device, relayed).await;
    assert_eq!(device.permit(&["127.0.0.1:9".parse().unwrap()]).await, 443);
}

#[tokio::test]
async fn the_matrix_of_refused_addresses_gets_nothing_through() {
    // No exception at all: not even loopback, where the test itself stands.
    let server = turn_server(Limits::default(), &[]).await;
    let mut device = device(&server).await;
    let relayed = device.allocate().await.unwrap();
    // On every address of this machine: whatever dress brought a datagram here, one of them would hear it.
    let everywhere = UdpSocket::bind("0.0.0.0:0").await.unwrap();
    let port = everywhere.local_addr().unwrap().port();
    let everywhere6 = UdpSocket::bind(("::1", port)).await.ok();

    let own = [relayed.ip(), server.address.ip()];
    let listed = include_str!("refused_addresses.txt").lines();
    let listed = listed.map(|address| address.parse::<IpAddr>().unwrap());
    let mut tried = 0;
    for ip in listed.chain(own) {
        let peer = SocketAddr::new(ip, port);
        assert_eq!(device.permit(&[peer]).await, 403, "{ip}");
        assert_eq!(device.bind_channel(0x4001, peer).await, 403, "{ip}");
        device.send_to(b"through", peer).await;
        device.send_through(0x4001, b"through").await;
        tried += 1;
    }
    assert!(tried > 50, "{tried}");
    // And nothing comes back in.
    everywhere
        .send_to(
            b"back",
            SocketAddr::new("127.0.0.1".parse().unwrap(), relayed.port()),
        )
        .await
        .unwrap();
    settled(&device).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut buffer = [0; 64];
    assert!(everywhere.try_recv_from(&mut buffer).is_err());
    assert!(everywhere6.is_none_or(|socket| socket.try_recv_from(&mut buffer).is_err()));
    assert!(device.unheard().is_none());
}

#[tokio::test]
async fn without_a_permission_nothing_passes() {
    let server = turn_server(Limits::default(), LOOPBACK).await;
    let mut device = device(&server).await;
    let relayed = device.allocate().await.unwrap();
    let (peer, peer_address) = peer().await;
    device.send_to(b"out", peer_address).await;
    device.send_through(0x4001, b"out").await;
    peer.send_to(b"in", relayed).await.unwrap();
    settled(&device).await;
    // The same with one does: the silence above was no accident.
    assert_eq!(device.permit(&[peer_address]).await, 0);
    device.send_to(b"permitted", peer_address).await;
    assert_eq!(heard(&peer).await.0, b"permitted");
    assert!(device.unheard().is_none());
}

#[tokio::test]
async fn a_wrong_or_an_old_credential_gets_no_relay() {
    let server = turn_server(
        limits(|limits| limits.turn.credential_ttl = Duration::ZERO),
        &[],
    )
    .await;
    let udp = server.udp.unwrap();
    let mut old = device(&server).await;
    assert_eq!(old.allocate().await, Err(401), "it ended when it began");

    let server = turn_server(Limits::default(), &[]).await;
    let udp_too = server.udp.unwrap();
    let offered = ice(&server).await;
    let text = |key: &str| offered[key].as_str().unwrap().to_owned();
    let later = text("username").replacen(|digit: char| digit.is_ascii_digit(), "9", 1);
    for (username, credential) in [
        (text("username"), "wrong".to_owned()),
        (later, text("credential")),
        ("guest".to_owned(), "guest".to_owned()),
        (String::new(), String::new()),
    ] {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut raw = Raw::with(socket, udp_too, username, credential);
        assert_eq!(raw.allocate().await, Err(401));
    }
    // Without any signature the answer is the challenge.
    let anybody = device(&server).await;
    let unsigned = frame(
        stun::message::MessageType::new(METHOD_ALLOCATE, stun::message::CLASS_REQUEST),
        &[UDP],
    );
    assert_eq!(code(&anybody.repeat(&unsigned).await), 401);
    // A credential of one server is nothing to another.
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut stranger = Raw::with(socket, udp, text("username"), text("credential"));
    assert_eq!(stranger.allocate().await, Err(401));
    assert!(
        Raw::new(udp_too, &offered).await.allocate().await.is_ok(),
        "the right one"
    );
}

#[tokio::test]
async fn relays_are_capped_for_a_username_and_an_address() {
    let server = turn_server(
        limits(|limits| {
            limits.turn.allocations_per_user = 2;
            limits.turn.allocations_per_address = 5;
        }),
        LOOPBACK,
    )
    .await;
    let udp = server.udp.unwrap();
    let a = ice(&server).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut raw = Raw::new(udp, &a).await;
        raw.allocate().await.unwrap();
        held.push(raw);
    }
    assert_eq!(
        Raw::new(udp, &a).await.allocate().await,
        Err(486),
        "the username's"
    );
    for _ in 0..3 {
        let mut raw = device(&server).await;
        raw.allocate().await.unwrap();
        held.push(raw);
    }
    assert_eq!(
        device(&server).await.allocate().await,
        Err(486),
        "the address's"
    );

    // Given back, it is free again.
    let mut first = held.swap_remove(0);
    let gone = first
        .ask(METHOD_REFRESH, &[Attribute::Raw(ATTR_LIFETIME, &[0; 4])])
        .await;
    assert_eq!(code(&gone), 0);
    let again = async {
        while Raw::new(udp, &a).await.allocate().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, again).await.expect("the place is free");
}

#[tokio::test]
async fn a_relay_that_is_not_refreshed_ends_and_one_that_is_goes_on() {
    let lifetime = Duration::from_secs(2);
    let server = turn_server(
        limits(|limits| {
            limits.turn.lifetime = lifetime;
            limits.turn.allocations_per_user = 2;
        }),
        LOOPBACK,
    )
    .await;
    let offered = ice(&server).await;
    let udp = server.udp.unwrap();
    let [mut kept, mut left] = [Raw::new(udp, &offered).await, Raw::new(udp, &offered).await];
    kept.allocate().await.unwrap();
    left.allocate().await.unwrap();
    // However long a device asks for, it is granted no more.
    let hour = [Attribute::Raw(ATTR_LIFETIME, &[0, 0, 0x0e, 0x10])];
    let mut third = Raw::new(udp, &offered).await;
    let ended = async {
        while third.allocate().await.is_err() {
            let answer = kept.ask(METHOD_REFRESH, &hour).await;
            assert_eq!(answer.get(ATTR_LIFETIME).unwrap(), [0, 0, 0, 2]);
            tokio::time::sleep(lifetime / 10).await;
        }
    };
    timeout(PATIENCE, ended)
        .await
        .expect("one relay ends by itself");
    assert_eq!(code(&left.ask(METHOD_REFRESH, &hour).await), 437);
    assert_eq!(code(&kept.ask(METHOD_REFRESH, &hour).await), 0);
}

#[tokio::test]
async fn an_ended_credential_keeps_a_relay_for_a_while_and_makes_no_new_one() {
    let server = turn_server(
        limits(|limits| limits.turn.credential_ttl = Duration::from_secs(2)),
        LOOPBACK,
    )
    .await;
    let offered = ice(&server).await;
    let udp = server.udp.unwrap();
    let mut raw = Raw::new(udp, &offered).await;
    raw.allocate().await.unwrap();
    let ended = async {
        loop {
            match Raw::new(udp, &offered).await.allocate().await {
                Err(401) => break,
                Err(486) | Ok(_) => tokio::time::sleep(Duration::from_millis(200)).await,
                Err(code) => panic!("{code}"),
            }
        }
    };
    timeout(PATIENCE, ended).await.expect("it ends");
    assert_eq!(code(&raw.ask(METHOD_REFRESH, &[]).await), 0);
    // And a new one does too, from the same socket.
    raw.renew(&ice(&server).await);
    assert_eq!(code(&raw.ask(METHOD_REFRESH, &[]).await), 0);
    raw.renew(&json!({"username": "9999999999:0000000000000000", "credential": "no"}));
    assert_eq!(code(&raw.ask(METHOD_REFRESH, &[]).await), 401);
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_relay_and_a_second_one_none() {
    let server = turn_server(Limits::default(), &[]).await;
    let mut raw = device(&server).await;
    // Learns the nonce.
    assert_eq!(code(&raw.ask(METHOD_REFRESH, &[]).await), 437);
    let request = raw.request(METHOD_ALLOCATE, &[UDP]);
    let [first, again] = [raw.repeat(&request).await, raw.repeat(&request).await];
    let relayed = |answer| address(answer, ATTR_XOR_RELAYED_ADDRESS);
    assert_eq!(relayed(&first), relayed(&again));
    assert_eq!(raw.allocate().await, Err(437));
}

#[tokio::test]
async fn what_is_not_offered_is_refused_by_name() {
    let server = turn_server(Limits::default(), &[]).await;
    let mut raw = device(&server).await;
    for (attributes, expected) in [
        (vec![], 400),
        (
            vec![Attribute::Raw(ATTR_REQUESTED_TRANSPORT, &[6, 0, 0, 0])],
            442,
        ),
        (
            vec![
                UDP,
                Attribute::Raw(ATTR_REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]),
            ],
            440,
        ),
        (vec![UDP, Attribute::Raw(ATTR_EVEN_PORT, &[0x80])], 420),
    ] {
        assert_eq!(code(&raw.ask(METHOD_ALLOCATE, &attributes).await), expected);
    }
    assert_eq!(code(&raw.ask(METHOD_CREATE_PERMISSION, &[]).await), 437);
    raw.allocate().await.unwrap();
    assert_eq!(code(&raw.ask(METHOD_CREATE_PERMISSION, &[]).await), 400);
    assert_eq!(raw.permit(&["[2600::1]:9".parse().unwrap()]).await, 443);
}

#[tokio::test]
async fn permissions_of_one_relay_are_bounded() {
    let few = limits(|limits| limits.turn.peers_per_allocation = 3);
    let server = turn_server(few, &["127.0.0.0/8"]).await;
    let mut raw = device(&server).await;
    raw.allocate().await.unwrap();
    for (host, expected) in [(1, 0), (2, 0), (3, 0), (4, 508), (3, 0)] {
        assert_eq!(
            raw.permit(&[([127, 0, 0, host], 9).into()]).await,
            expected,
            "{host}"
        );
    }
    for (number, expected) in [(0x4000, 0), (0x4001, 0), (0x4002, 0), (0x4003, 508)] {
        let peer = ([127, 0, 0, 1], number).into();
        assert_eq!(raw.bind_channel(number, peer).await, expected, "{number:x}");
    }
}

#[tokio::test]
async fn a_relay_carries_no_more_than_its_rate() {
    let server = turn_server(
        limits(|limits| {
            limits.turn.bytes_per_second = 1;
            limits.turn.burst_bytes = 1000;
        }),
        LOOPBACK,
    )
    .await;
    let mut raw = device(&server).await;
    raw.allocate().await.unwrap();
    let (peer, peer_address) = peer().await;
    assert_eq!(raw.permit(&[peer_address]).await, 0);
    for number in 0..20 {
        raw.send_to(&[number; 100], peer_address).await;
    }
    settled(&raw).await;
    let mut passed = 0;
    let mut buffer = [0; 2048];
    while let Ok(Ok(_)) = timeout(Duration::from_millis(300), peer.recv_from(&mut buffer)).await {
        passed += 1;
    }
    assert_eq!(passed, 10);
}

#[tokio::test]
async fn an_address_that_asks_too_often_is_not_answered_and_the_websocket_goes_on() {
    let server = turn_server(
        limits(|limits| {
            limits.turn.requests_per_second = 1;
            limits.turn.burst_requests = 5;
        }),
        &[],
    )
    .await;
    let raw = device(&server).await;
    for _ in 0..50 {
        raw.send(&frame(BINDING_REQUEST, &[]).raw).await;
    }
    let mut answers = 0;
    while let Ok(Ok(_)) = timeout(Duration::from_millis(300), raw.socket.recv(&mut [0; 512])).await
    {
        answers += 1;
    }
    assert!((5..10).contains(&answers), "{answers}");
    let _ = Client::on(&server, RED).await;
}
