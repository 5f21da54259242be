//! A server on loopback and a WebSocket client that is not ours.

#![allow(dead_code, reason = "each test program uses a part")]

pub(crate) mod parcels;
pub(crate) mod passes;
pub(crate) mod process;
#[cfg(unix)]
pub(crate) mod redis;
pub(crate) mod stun;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use data_encoding::BASE64;
use futures_util::{SinkExt, StreamExt};
use peddlenet_signaling::{Limits, Server, UdpConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub(crate) const RED: &str = "00000000000000000000000000000001";
pub(crate) const BLUE: &str = "00000000000000000000000000000002";

/// Nothing here takes long; a test that waits longer than this has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running server; it closes when this is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) udp: Option<SocketAddr>,
    stop: Option<oneshot::Sender<()>>,
}

impl Running {
    pub(crate) fn start(server: Server) -> Self {
        let address = server.local_addr().unwrap();
        let udp = server.udp_addr();
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        let stop = Some(stop);
        Self { address, udp, stop }
    }

    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }
}

pub(crate) async fn bound(limits: Limits) -> Server {
    Server::bind((Ipv4Addr::LOCALHOST, 0).into(), limits)
        .await
        .unwrap()
}

pub(crate) async fn server(limits: Limits) -> Running {
    Running::start(bound(limits).await)
}

/// With STUN and TURN on loopback, whose relays may reach what is named.
pub(crate) async fn turn_server(limits: Limits, allow: &[&str]) -> Running {
    let mut config = UdpConfig::new((Ipv4Addr::LOCALHOST, 0).into());
    config.allow_peers = allow.iter().map(|peer| peer.parse().unwrap()).collect();
    let server = bound(limits).await.with_udp(config).await;
    Running::start(server.map_err(|(_, error)| error).unwrap())
}

pub(crate) fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

pub(crate) struct Client(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    pub(crate) async fn connect(server: &Running) -> Result<Self, tungstenite::Error> {
        Self::to(server.address).await
    }

    pub(crate) async fn to(address: SocketAddr) -> Result<Self, tungstenite::Error> {
        let (socket, _) = connect_async(format!("ws://{address}/v1")).await?;
        Ok(Self(socket))
    }

    pub(crate) async fn on(server: &Running, tag: &str) -> Self {
        let mut client = Self::connect(server).await.unwrap();
        assert_eq!(client.join(tag).await["type"], "joined");
        client
    }

    pub(crate) async fn say(&mut self, text: impl Into<String>) {
        self.0
            .send(Message::Text(text.into().into()))
            .await
            .unwrap();
    }

    /// The answer; `None` when the connection has ended.
    pub(crate) async fn try_ask(&mut self, frame: &Value) -> Option<Value> {
        let said = self.0.send(Message::Text(frame.to_string().into())).await;
        said.ok()?;
        match self.next().await? {
            Message::Text(text) => serde_json::from_str(&text).ok(),
            _ => None,
        }
    }

    pub(crate) async fn ask(&mut self, frame: &Value) -> Value {
        self.say(frame.to_string()).await;
        self.hear().await
    }

    pub(crate) async fn join(&mut self, tag: &str) -> Value {
        self.ask(&json!({"v": 1, "type": "join", "tag": tag})).await
    }

    pub(crate) async fn send(&mut self, tag: &str, data: &[u8]) {
        let data = BASE64.encode(data);
        self.say(json!({"v": 1, "type": "send", "tag": tag, "data": data}).to_string())
            .await;
    }

    /// What the server offers to get through NATs.
    pub(crate) async fn ice(&mut self) -> Value {
        self.ask(&json!({"v": 1, "type": "ice"})).await
    }

    /// The next JSON that the server says.
    pub(crate) async fn hear(&mut self) -> Value {
        match self.next().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).unwrap(),
            other => panic!("expected a reply, got {other:?}"),
        }
    }

    /// The next message that is no ping; `None` when the connection has ended.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        loop {
            let next = timeout(PATIENCE, self.0.next());
            match next.await.expect("the server stays silent") {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// Waits for the end; the close code, if one came.
    pub(crate) async fn end(&mut self) -> Option<u16> {
        loop {
            match self.next().await {
                Some(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Some(_) => {}
                None => return None,
            }
        }
    }

    /// Asks something that is surely answered: what was sent to this client before has come before.
    pub(crate) async fn hears_nothing_more(&mut self) {
        self.say("probe").await;
        assert_eq!(self.hear().await["code"], "malformed");
    }
}

/// A whole answer, headers and all.
pub(crate) async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = timeout(PATIENCE, stream.read_to_string(&mut answer));
    read.await.expect("an answer").unwrap();
    answer
}
