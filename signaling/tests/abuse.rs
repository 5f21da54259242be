//! Strangers who want the server to fall over: they are dropped, and the rest do not notice.

mod local;

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use local::stun::Raw;
use local::{BLUE, Client, PATIENCE, RED, Running, bound, get, limits, server, turn_server};
use peddlenet_signaling::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};

/// Two who talk, and say whether they still do.
struct Pair(Client, Client);

impl Pair {
    async fn on(server: &Running) -> Self {
        Self(Client::on(server, RED).await, Client::on(server, RED).await)
    }

    async fn talk(&mut self) {
        self.0.send(RED, b"still here").await;
        assert_eq!(self.1.hear().await["type"], "data");
    }
}

/// Reads until the other side closes; false when it doesn't.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    // An error is an end too: the server need not read what nobody wants.
    timeout(PATIENCE, stream.read_to_end(&mut rest))
        .await
        .is_ok()
}

#[tokio::test]
async fn half_open_connections_are_closed_and_the_rest_do_not_notice() {
    // The deadline that the server has by default.
    assert!(Limits::default().request < Duration::from_secs(10));
    let server = server(Limits::default()).await;
    let mut pair = Pair::on(&server).await;
    let mut half_open = Vec::new();
    for number in 0..500 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let said: &[u8] = match number % 4 {
            // Nothing; a request that never ends; one whose body never comes; an upgrade that never comes.
            0 => b"",
            1 => b"GET /v1 HTTP/1.1\r\nHost: here\r\nX: ",
            2 => b"POST /healthz HTTP/1.1\r\nHost: here\r\nContent-Length: 99\r\n\r\n",
            _ => b"GET /v1 HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\n",
        };
        stream.write_all(said).await.unwrap();
        half_open.push(stream);
    }
    pair.talk().await;
    assert_eq!(Client::on(&server, BLUE).await.join(BLUE).await["peers"], 0);
    let mut closed = 0;
    for stream in &mut half_open {
        closed += usize::from(is_closed(stream).await);
    }
    assert_eq!(closed, 500);
    pair.talk().await;
}

#[tokio::test]
async fn a_connection_that_drips_is_closed_like_one_that_is_silent() {
    let server = server(limits(|limits| limits.request = Duration::from_secs(1))).await;
    let mut pair = Pair::on(&server).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /v1 HTTP/1.1\r\n").await.unwrap();
    let dripping = async {
        // Ends with an error when nobody listens any more.
        while stream.write_all(b"X: y\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, dripping).await.expect("it is closed");
    pair.talk().await;
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let server = server(Limits::default()).await;
    let mut pair = Pair::on(&server).await;
    for filler in ["x".repeat(64 * 1024), "A: b\r\n".repeat(200)] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let request = format!("GET /v1 HTTP/1.1\r\nHost: here\r\n{filler}");
        let _ = stream.write_all(request.as_bytes()).await;
        assert!(is_closed(&mut stream).await);
    }
    pair.talk().await;
}

#[tokio::test]
async fn oversized_malformed_and_flooding_clients_are_dropped_and_the_rest_do_not_notice() {
    let server = server(limits(|limits| {
        limits.messages_per_second = 100;
        limits.burst = 100;
        limits.refused_in_a_row = 10;
    }))
    .await;
    let mut pair = Pair::on(&server).await;

    let mut oversized = Client::on(&server, BLUE).await;
    // What doesn't fit is not read to its end, so sending it fails sooner or later.
    let huge = Message::Text("x".repeat(8 << 20).into());
    let _ = timeout(PATIENCE, oversized.0.send(huge)).await.unwrap();
    oversized.end().await;
    pair.talk().await;

    let mut flooding = Client::on(&server, BLUE).await;
    for _ in 0..1000 {
        // Fails once the server has ended it.
        if flooding
            .0
            .feed(Message::Text("flood".into()))
            .await
            .is_err()
        {
            break;
        }
    }
    let _ = flooding.0.flush().await;
    flooding.end().await;
    pair.talk().await;

    // Frames that no WebSocket sends: reserved bits, a length that lies, unmasked, text that isn't UTF-8.
    for frame in [
        &b"\xff\x80\0\0\0\0"[..],
        b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",
        b"\x81\x05hello",
        b"\x81\x82\0\0\0\0\xc3\x28",
    ] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let upgrade = "GET /v1 HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(upgrade.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        timeout(PATIENCE, stream.read_exact(&mut answer))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(&answer, b"HTTP/1.1 101");
        stream.write_all(frame).await.unwrap();
        assert!(is_closed(&mut stream).await, "{frame:?}");
        pair.talk().await;
    }
    assert_eq!(Client::on(&server, BLUE).await.join(BLUE).await["peers"], 0);
}

#[tokio::test]
async fn one_address_cannot_take_all_places() {
    let server = server(limits(|limits| {
        limits.connections_per_address = 2;
        limits.counts_loopback = true;
    }))
    .await;
    let _pair = Pair::on(&server).await;
    match Client::connect(&server).await.err() {
        Some(tungstenite::Error::Http(response)) => {
            assert_eq!(response.status(), 429);
            let body = response.body().as_deref().unwrap_or_default();
            assert!(String::from_utf8_lossy(body).contains("address_full"));
        }
        other => panic!("expected 429, got {other:?}"),
    }
}

#[tokio::test]
async fn one_address_cannot_open_connections_without_end() {
    let server = server(limits(|limits| {
        limits.new_per_second = 1;
        limits.burst_new = 5;
        limits.counts_loopback = true;
    }))
    .await;
    let mut pair = Pair::on(&server).await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(TcpStream::connect(server.address).await.unwrap());
    }
    let mut closed = 0;
    for stream in &mut streams {
        // Those let in are waited for; the others have been closed already.
        let read = timeout(Duration::from_millis(300), stream.read(&mut [0; 1])).await;
        closed += usize::from(read.is_ok());
    }
    assert!(closed >= 10, "{closed}");
    pair.talk().await;
}

#[tokio::test]
async fn behind_a_proxy_the_address_that_it_names_counts() {
    let few = limits(|limits| limits.connections_per_address = 1);
    let server = Running::start(bound(few.clone()).await.behind_proxy());
    let connect = async |server: SocketAddr, forwarded: &str| {
        let mut request = format!("ws://{server}/v1").into_client_request().unwrap();
        let value = forwarded.parse().unwrap();
        request.headers_mut().insert("x-forwarded-for", value);
        connect_async(request).await
    };
    let _first = connect(server.address, "9.9.9.9").await.unwrap();
    // What the device claims stands first and counts for nothing.
    assert!(connect(server.address, "1.1.1.1, 9.9.9.9").await.is_err());
    let _other = connect(server.address, "9.9.9.9, 9.9.9.8").await.unwrap();

    // Without the option the header is worth nothing: this is all loopback.
    let server = Running::start(bound(few).await);
    let _first = connect(server.address, "9.9.9.9").await.unwrap();
    let _second = connect(server.address, "9.9.9.9").await.unwrap();
}

#[tokio::test]
async fn rubbish_over_udp_is_ignored_and_relays_go_on() {
    let server = turn_server(Limits::default(), &["127.0.0.1"]).await;
    let udp = server.udp.unwrap();
    let ice = Client::connect(&server).await.unwrap().ice().await;
    let mut device = Raw::new(udp, &ice).await;
    let relayed = device.allocate().await.unwrap();
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let peer_address = peer.local_addr().unwrap();
    assert_eq!(device.permit(&[peer_address]).await, 0);

    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut seed = 0x9e37_79b9_u32;
    for length in 0..1500_usize {
        let noise = (0..length).map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed.to_be_bytes()[0]
        });
        let mut noise: Vec<u8> = noise.collect();
        if length > 8 {
            // Every second one looks like STUN at first sight.
            noise[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
            noise[0] &= u8::from(length % 2 == 0);
        }
        stranger.send_to(&noise, udp).await.unwrap();
    }
    device.send_to(b"still here", peer_address).await;
    let mut buffer = [0; 64];
    let heard = timeout(PATIENCE, peer.recv_from(&mut buffer));
    let (length, from) = heard.await.unwrap().unwrap();
    assert_eq!((&buffer[..length], from), (&b"still here"[..], relayed));
}

#[tokio::test]
async fn the_status_page_shows_counts_and_nothing_else() {
    let server = server(Limits::default()).await;
    let _pair = Pair::on(&server).await;
    let page = get(server.address, "/").await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("<dt>Devices now</dt><dd>2</dd>"), "{page}");
    assert!(
        page.contains("<dt>Meeting places now</dt><dd>1</dd>"),
        "{page}"
    );
    assert!(page.contains("content-security-policy: default-src 'none'; style-src 'self'"));
    for foreign in ["<script", "http://", "https://", RED, "127.0.0.1", "{"] {
        assert!(!page.contains(foreign), "{foreign} in {page}");
    }
    let style = get(server.address, "/status.css").await;
    assert!(style.contains("content-type: text/css"), "{style}");
    // A stranger's socket that was asked nothing.
    let mut stream = connect_async(format!("ws://{}/v1", server.address))
        .await
        .unwrap()
        .0;
    stream.close(None).await.unwrap();
    while stream.next().await.is_some() {}
}
