//! The server's TURN with the client that our app has inside its links: `turn` of `rtc` 0.21, alone and as
//! `peddlenet-peer` drives it.

mod local;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use local::{Client, PATIENCE, turn_server};
use peddlenet_peer::{Endpoint, EndpointConfig, IceServerConfig, ListenerCertificate, TurnLogin};
use peddlenet_signaling::Limits;
use rtc::sansio::Protocol;
use rtc::shared::{TransportContext, TransportMessage, TransportProtocol};
use rtc::turn::client::{self, ClientConfig, Event};
use serde_json::Value;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// The client and its socket, stepped by hand.
struct Driven {
    client: client::Client,
    socket: UdpSocket,
}

impl Driven {
    async fn new(ice: &Value) -> Self {
        let text = |key: &str| ice[key].as_str().unwrap().to_owned();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let config = ClientConfig {
            turn_serv_addr: text("turn"),
            local_addr: socket.local_addr().unwrap(),
            username: text("username"),
            password: text("credential"),
            realm: text("realm"),
            ..ClientConfig::default()
        };
        let provider = rtc::crypto::default_provider().unwrap();
        let client = client::Client::new(config, provider).unwrap();
        Self { client, socket }
    }

    /// The next event, however many datagrams it takes.
    async fn event(&mut self) -> Event {
        let until = Instant::now() + PATIENCE;
        let mut buffer = vec![0; 2048];
        loop {
            while let Some(out) = self.client.poll_write() {
                let to = out.transport.peer_addr;
                self.socket.send_to(&out.message, to).await.unwrap();
            }
            if let Some(event) = self.client.poll_event() {
                return event;
            }
            assert!(Instant::now() < until, "nothing happens");
            let heard = timeout(
                Duration::from_millis(50),
                self.socket.recv_from(&mut buffer),
            );
            match heard.await {
                Ok(heard) => {
                    let (length, peer_addr) = heard.unwrap();
                    let message = TransportMessage {
                        now: Instant::now(),
                        transport: TransportContext {
                            local_addr: self.socket.local_addr().unwrap(),
                            peer_addr,
                            transport_protocol: TransportProtocol::UDP,
                            ecn: None,
                        },
                        message: buffer[..length].into(),
                    };
                    self.client.handle_read(message).unwrap();
                }
                Err(_) => self.client.handle_timeout(Instant::now()).unwrap(),
            }
        }
    }

    async fn relayed(&mut self) -> SocketAddr {
        self.client.allocate(Instant::now()).unwrap();
        match self.event().await {
            Event::AllocateResponse(_, relayed) => relayed,
            other => panic!("no relay: {other:?}"),
        }
    }
}

#[tokio::test]
async fn the_apps_client_relays_both_ways() {
    let server = turn_server(Limits::default(), &["127.0.0.1"]).await;
    let mut socket = Client::connect(&server).await.unwrap();
    let mut device = Driven::new(&socket.ice().await).await;
    let relayed = device.relayed().await;
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let peer_address = peer.local_addr().unwrap();

    let mut relay = device.client.relay(relayed).unwrap();
    relay
        .create_permission(Instant::now(), peer_address)
        .unwrap();
    let event = device.event().await;
    assert!(
        matches!(event, Event::CreatePermissionResponse(..)),
        "{event:?}"
    );

    let mut heard = vec![0; 64];
    // The second one goes through a channel, which the first one asked for.
    for said in ["first", "second", "third"] {
        let mut relay = device.client.relay(relayed).unwrap();
        relay
            .send_to(Instant::now(), said.as_bytes(), peer_address)
            .unwrap();
        while let Some(out) = device.client.poll_write() {
            let to = out.transport.peer_addr;
            device.socket.send_to(&out.message, to).await.unwrap();
        }
        let (length, from) = timeout(PATIENCE, peer.recv_from(&mut heard))
            .await
            .unwrap()
            .unwrap();
        assert_eq!((&heard[..length], from), (said.as_bytes(), relayed));
        peer.send_to(said.as_bytes(), relayed).await.unwrap();
        match device.event().await {
            Event::DataIndicationOrChannelData(_, from, data) => {
                assert_eq!((&data[..], from), (said.as_bytes(), peer_address));
            }
            other => panic!("no data: {other:?}"),
        }
    }
}

#[tokio::test]
async fn the_apps_client_is_told_that_a_peer_or_a_credential_is_refused() {
    let server = turn_server(Limits::default(), &[]).await;
    let mut ice = Client::connect(&server).await.unwrap().ice().await;
    let mut device = Driven::new(&ice).await;
    let relayed = device.relayed().await;
    let mut relay = device.client.relay(relayed).unwrap();
    let private = "10.0.0.1:9".parse().unwrap();
    relay.create_permission(Instant::now(), private).unwrap();
    match device.event().await {
        Event::CreatePermissionError(_, error) => {
            assert!(error.to_string().contains("403"), "{error}");
        }
        other => panic!("permitted: {other:?}"),
    }

    ice["credential"] = "d3Jvbmc=".into();
    let mut wrong = Driven::new(&ice).await;
    wrong.client.allocate(Instant::now()).unwrap();
    match wrong.event().await {
        Event::AllocateError(_, error) => assert!(error.to_string().contains("401"), "{error}"),
        other => panic!("a relay: {other:?}"),
    }
}

#[tokio::test]
async fn who_gives_a_server_up_and_takes_it_again_has_the_relay_it_had() {
    let server = turn_server(Limits::default(), &["127.0.0.1"]).await;
    let ice = Client::connect(&server).await.unwrap().ice().await;
    let text = |key: &str| ice[key].as_str().unwrap().to_owned();
    let config = IceServerConfig {
        addr: text("turn").parse().unwrap(),
        turn: Some(TurnLogin {
            username: text("username"),
            credential: text("credential"),
            realm: text("realm"),
        }),
    };
    let (endpoint, _incoming) = Endpoint::bind(EndpointConfig {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        certificate: ListenerCertificate::generate().unwrap(),
    })
    .await
    .unwrap();
    let friend = vec!["127.0.0.1".parse().unwrap()];

    let first = endpoint.ice_server(config.clone());
    let outside = first.wait_seen_as().await;
    assert_eq!(outside, endpoint.local_addrs().first().copied());
    let relayed = first.relay(friend.clone()).await.unwrap();
    drop(first);
    let again = endpoint.ice_server(config.clone());
    assert_eq!(again.relay(friend.clone()).await, Ok(relayed));

    // Two who use it at once share it as well, and who leaves takes nothing from the other.
    let beside = endpoint.ice_server(config);
    drop(again);
    assert_eq!(beside.relay(friend).await, Ok(relayed));
    assert_eq!(beside.seen_as(), outside);
}
