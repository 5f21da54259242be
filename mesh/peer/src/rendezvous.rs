//! A device's connection to one rendezvous server: the protocol of `signaling/README.md` over a WebSocket.
//!
//! ```text
//!  hold(tags), say(tag, bytes) --> task --JSON--> server --JSON--> task --> News::Joined, Heard, Ice, Up, Down
//!                                   |  lost: again after 1 s, 2 s, 4 s .. 60 s, and all tags are held anew
//! ```
//!
//! The server is trusted with nothing: what it passes on is sealed for others than it, and TLS (where the address
//! asks for it) only hides from the network on the way which tags are held. A carrier box that is to be a certain one
//! proves that first (`proof`).

mod connection;
mod frames;
mod proof;
mod url;

pub use frames::Parcel;
pub use url::{ServerUrl, UrlError};

use crate::approach::random;
use crate::ice_server::IceServerConfig;
use connection::Connection;
use peddlenet_wire::rendezvous::MeetingTag;
use proof::Unproven;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config};

/// Name, TCP, TLS and the upgrade are done by then.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The pause before the first new attempt; doubles ..
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// .. up to this.
const AGAIN_AT_MOST: Duration = Duration::from_secs(60);
/// Bytes of one message either way.
const MESSAGE_MAX: usize = 64 * 1024;
/// Tags of one connection (count): as many as the server lets it hold.
pub const TAGS_MAX: usize = 64;
/// Commands and news that wait (count).
const QUEUE: usize = 64;

/// What a server told.
#[derive(Debug)]
#[non_exhaustive]
pub enum News {
    /// The connection stands.
    Up,
    /// What it offers beside: a STUN and TURN server, and to keep sealed copies.
    Offer {
        /// Where the STUN and TURN server is.
        ice: Option<IceServerConfig>,
        /// Whether parcels may be left.
        backup: bool,
    },
    /// A parcel that was left there is on its disk.
    Kept {
        /// Where.
        tag: MeetingTag,
    },
    /// Parcels that others left.
    Parcels {
        /// Where.
        tag: MeetingTag,
        /// Each with its number, which grows.
        parcels: Vec<(u64, Vec<u8>)>,
        /// There are more behind the last.
        more: bool,
    },
    /// It refused something.
    Refused {
        /// Which kind of refusal.
        code: String,
    },
    /// A tag is held, with so many others.
    Joined {
        /// Which.
        tag: MeetingTag,
        /// Others on it at that moment (count).
        peers: usize,
    },
    /// Somebody on a tag said something, or the server made it up.
    Heard {
        /// Where.
        tag: MeetingTag,
        /// What, sealed.
        data: Vec<u8>,
    },
    /// It is not the carrier box that it was taken for. It was told nothing, and is not tried again.
    NotThatBox,
    /// The connection is gone, or did not come up. The next attempt follows by itself.
    Down {
        /// Why, for Diagnostics.
        why: String,
    },
}

/// A handle on the connection; dropping it ends it.
#[derive(Debug)]
pub struct Rendezvous {
    commands: mpsc::Sender<Command>,
    held: watch::Sender<BTreeSet<MeetingTag>>,
}

#[derive(Debug)]
enum Command {
    Say(MeetingTag, Vec<u8>),
    Put(Box<Parcel>),
    Fetch(MeetingTag, u64),
    /// Connect at once, if it isn't.
    Hurry,
}

impl Rendezvous {
    /// Begins to connect. News come as long as the handle lives.
    pub fn start(url: ServerUrl) -> (Self, mpsc::Receiver<News>) {
        Self::begin(vec![url], None)
    }

    /// The same with a carrier box that was found on a network, at the first of its addresses that answers. One of which a
    /// key is known proves that it holds it before it is told any tag, each time.
    pub fn start_box(at: Vec<ServerUrl>, key: Option<[u8; 32]>) -> (Self, mpsc::Receiver<News>) {
        Self::begin(at, key)
    }

    fn begin(at: Vec<ServerUrl>, key: Option<[u8; 32]>) -> (Self, mpsc::Receiver<News>) {
        let (commands, told) = mpsc::channel(QUEUE);
        let (held, wanted) = watch::channel(BTreeSet::new());
        let (news, heard) = mpsc::channel(QUEUE);
        tokio::spawn(run(at, key, told, wanted, news));
        (Self { commands, held }, heard)
    }

    /// Which tags to hold from now on; beyond [`TAGS_MAX`] the last are left out.
    pub fn hold(&self, tags: impl IntoIterator<Item = MeetingTag>) {
        let tags: BTreeSet<_> = tags.into_iter().take(TAGS_MAX).collect();
        self.held.send_if_modified(|held| {
            let differs = *held != tags;
            *held = tags;
            differs
        });
    }

    /// Says something to all others on a tag that is held. It may be lost, as datagrams may.
    pub fn say(&self, tag: MeetingTag, data: Vec<u8>) {
        let _ = self.commands.try_send(Command::Say(tag, data));
    }

    /// Leaves a parcel there: [`News::Kept`] or [`News::Refused`] answers, or nothing does.
    pub fn put(&self, parcel: Parcel) {
        let _ = self.commands.try_send(Command::Put(Box::new(parcel)));
    }

    /// Asks for parcels that were left after one, 0 for all: [`News::Parcels`] answers, or nothing does.
    pub fn fetch(&self, tag: MeetingTag, after: u64) {
        let _ = self.commands.try_send(Command::Fetch(tag, after));
    }

    /// The network changed: a new attempt is worth it at once.
    pub fn hurry(&self) {
        let _ = self.commands.try_send(Command::Hurry);
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn run(
    at: Vec<ServerUrl>,
    key: Option<[u8; 32]>,
    mut told: mpsc::Receiver<Command>,
    mut wanted: watch::Receiver<BTreeSet<MeetingTag>>,
    news: mpsc::Sender<News>,
) {
    let mut pause = AGAIN_AFTER;
    loop {
        let why = match open(&at, key.as_ref()).await {
            Err(Unproven::False) => {
                let _ = news.send(News::NotThatBox).await;
                return;
            }
            Ok((socket, host)) => {
                let began = Instant::now();
                if news.send(News::Up).await.is_err() {
                    return;
                }
                let connection = Connection::new(socket, host, &news);
                let ended = connection.serve(&mut told, &mut wanted).await;
                let Some(why) = ended else { return };
                if began.elapsed() > AGAIN_AT_MOST {
                    pause = AGAIN_AFTER;
                }
                why
            }
            Err(Unproven::Unknown(why)) => why,
        };
        tracing::debug!(why, "no connection to the rendezvous server");
        if news.send(News::Down { why }).await.is_err() {
            return;
        }
        if !rest(pause, &mut told).await {
            return;
        }
        pause = pause.saturating_mul(2).min(AGAIN_AT_MOST);
    }
}

/// Waits before the next attempt. False when nobody wants one any more.
async fn rest(pause: Duration, told: &mut mpsc::Receiver<Command>) -> bool {
    // Devices that lost the same server don't come back in step.
    let early = u32::from(random::<1>().map_or(0, |[byte]| byte));
    let pause = pause.saturating_sub(pause / 2 * early / 255);
    let until = tokio::time::Instant::now() + pause;
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(until) => return true,
            command = told.recv() => match command {
                None => return false,
                Some(Command::Hurry) => return true,
                Some(Command::Say(..) | Command::Put(_) | Command::Fetch(..)) => {}
            },
        }
    }
}

/// Connects to the first address that answers, and has it prove itself where it must.
async fn open(at: &[ServerUrl], key: Option<&[u8; 32]>) -> Result<(Socket, IpAddr), Unproven> {
    let mut failed = "it has no address".to_owned();
    for url in at {
        let (mut socket, host) = match connect(url).await {
            Ok(connected) => connected,
            Err(why) => {
                failed = why;
                continue;
            }
        };
        if let Some(key) = key {
            proof::prove(&mut socket, key).await?;
        }
        return Ok((socket, host));
    }
    Err(Unproven::Unknown(failed))
}

/// Connects, and says where the server is.
async fn connect(url: &ServerUrl) -> Result<(Socket, IpAddr), String> {
    let connecting = async {
        let stream = TcpStream::connect((url.host(), url.port()))
            .await
            .map_err(|e| e.to_string())?;
        let _ = stream.set_nodelay(true);
        let host = stream.peer_addr().map_err(|e| e.to_string())?.ip();
        let mut config = WebSocketConfig::default();
        // One connection with small messages: the library's buffers of 128 KiB are for others.
        config.read_buffer_size = 4096;
        config.write_buffer_size = 0;
        config.max_message_size = Some(2 * MESSAGE_MAX);
        config.max_frame_size = Some(2 * MESSAGE_MAX);
        let connector = match url.is_tls() {
            true => Connector::Rustls(url::tls_config()?),
            false => Connector::Plain,
        };
        let request = url.to_string();
        let opening = client_async_tls_with_config(request, stream, Some(config), Some(connector));
        let (socket, _) = opening.await.map_err(|e| e.to_string())?;
        Ok((socket, host))
    };
    let timed = tokio::time::timeout(CONNECT_WITHIN, connecting).await;
    timed.unwrap_or_else(|_| Err("it did not answer in time".to_owned()))
}
