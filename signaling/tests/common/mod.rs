//! The server as a process of its own, and a device that speaks JSON to it with a WebSocket that is not ours.

#![allow(dead_code, reason = "each test program uses a part")]

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signer, SigningKey};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Nothing here takes long; a test that waits longer than this has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running `peddlenet-signaling`; killed when this is dropped.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
}

impl Process {
    pub(crate) async fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_peddlenet-signaling"))
            .args(["--listen", "127.0.0.1:0", "--udp", "off", "--drain-s", "0"])
            .args(args)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await;
        let line = line.expect("it starts").unwrap().expect("it says where");
        let address = line.strip_prefix("listening on ").unwrap();
        Self {
            address: address.parse().unwrap(),
            child,
        }
    }

    /// SIGKILL, on Unix.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.address).await.unwrap()
    }
}

pub(crate) struct Client(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self, tungstenite::Error> {
        let (socket, _) = connect_async(format!("ws://{address}/v1")).await?;
        Ok(Self(socket))
    }

    /// An error where the connection is gone.
    pub(crate) async fn say(&mut self, frame: &Value) -> Result<(), tungstenite::Error> {
        self.0.send(Message::Text(frame.to_string().into())).await
    }

    /// The next JSON; `None` when the connection has ended.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            let next = timeout(PATIENCE, self.0.next());
            match next.await.expect("the server stays silent") {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).ok(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return None,
            }
        }
    }

    pub(crate) async fn ask(&mut self, frame: &Value) -> Value {
        self.say(frame).await.unwrap();
        self.next().await.expect("an answer")
    }

    pub(crate) async fn join(&mut self, tag: &str) -> Value {
        self.ask(&json!({"v": 1, "type": "join", "tag": tag})).await
    }

    pub(crate) async fn send(&mut self, tag: &str, data: &[u8]) {
        let data = BASE64.encode(data);
        let frame = json!({"v": 1, "type": "send", "tag": tag, "data": data});
        self.say(&frame).await.unwrap();
    }

    /// Every parcel of a tag, page by page.
    pub(crate) async fn fetch_all(&mut self, tag: &str) -> Vec<(u64, Vec<u8>)> {
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let ask = json!({"type": "fetch", "tag": tag, "after": after});
            let page = self.ask(&ask).await;
            if page["code"] == "rate_limited" {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
            assert_eq!(page["type"], "parcels", "{page}");
            assert_eq!(page["tag"], tag);
            for parcel in page["parcels"].as_array().unwrap() {
                after = parcel["n"].as_u64().unwrap();
                let data = parcel["data"].as_str().unwrap();
                all.push((after, BASE64.decode(data.as_bytes()).unwrap()));
            }
            if page["more"] == false {
                return all;
            }
        }
    }
}

/// What members of a room hold for one day.
pub(crate) struct DayKey(SigningKey);

impl DayKey {
    pub(crate) fn of(seed: u8) -> Self {
        Self(SigningKey::from_bytes(&[seed; 32]))
    }

    pub(crate) fn tag(&self) -> String {
        let key = self.0.verifying_key();
        let hash = Sha256::new()
            .chain_update("pn/parcels/1")
            .chain_update(key.as_bytes());
        HEXLOWER.encode(&hash.finalize()[..16])
    }

    /// A `put` that expires in so many seconds.
    pub(crate) fn put(&self, data: &[u8], ttl_s: u64) -> Value {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let expires = now.unwrap().as_secs() + ttl_s;
        let tag = HEXLOWER.decode(self.tag().as_bytes()).unwrap();
        let signed = [
            &b"pn/parcel/1"[..],
            &tag,
            &expires.to_be_bytes(),
            &Sha256::digest(data),
        ];
        let signature = self.0.sign(&signed.concat());
        json!({
            "v": 1,
            "type": "put",
            "tag": self.tag(),
            "key": BASE64.encode(self.0.verifying_key().as_bytes()),
            "expires": expires,
            "data": BASE64.encode(data),
            "signature": BASE64.encode(&signature.to_bytes()),
        })
    }
}
