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

mod frames;
mod proof;
mod url;

pub use frames::Parcel;
pub use url::{ServerUrl, UrlError};

use crate::approach::random;
use crate::bucket::Bucket;
use crate::ice_server::{IceServerConfig, TurnLogin};
use frames::{RawOffer, Reply, Request};
use futures_util::{SinkExt, StreamExt};
use peddlenet_wire::rendezvous::MeetingTag;
use proof::Unproven;
use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config};

/// Name, TCP, TLS and the upgrade are done by then.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Writing one message may take this long.
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// The server pings every 20 s; one that says nothing for so long is gone.
const SILENT_FOR: Duration = Duration::from_secs(60);
/// After a change of the network the connection may lead nowhere: a server that is asked then answers by now.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// The name of a STUN or TURN server is looked up by then.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(2);
/// The pause before the first new attempt; doubles ..
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// .. up to this.
const AGAIN_AT_MOST: Duration = Duration::from_secs(60);
/// Messages a second, below what the server takes for a flood (20, and 60 at once).
const MESSAGES_A_SECOND: u32 = 15;
/// Messages that wait to be sent (count); the oldest are let go.
const OUTBOX: usize = 128;
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

/// One connection that stands.
struct Connection<'n> {
    socket: Socket,
    /// Where the server is.
    host: IpAddr,
    news: &'n mpsc::Sender<News>,
    held: BTreeSet<MeetingTag>,
    /// What was asked and is not answered yet. A server that says more than that would make this device greet, look up
    /// names and send packets as often as it likes.
    joining: BTreeSet<MeetingTag>,
    asked_for_ice: bool,
    outbox: VecDeque<Request>,
    bucket: Bucket,
    heard: Instant,
    /// Since when it owes a sign that the connection outlived a change of the network; and whether it is to be asked.
    asked_at: Option<Instant>,
    ping: bool,
    /// When the credentials of the relay are asked for anew.
    ice_at: Instant,
}

impl<'n> Connection<'n> {
    fn new(socket: Socket, host: IpAddr, news: &'n mpsc::Sender<News>) -> Self {
        Self {
            socket,
            host,
            news,
            held: BTreeSet::new(),
            joining: BTreeSet::new(),
            asked_for_ice: true,
            outbox: VecDeque::from([Request::Ice]),
            bucket: Bucket::new(MESSAGES_A_SECOND),
            heard: Instant::now(),
            asked_at: None,
            ping: false,
            ice_at: Instant::now() + AGAIN_AT_MOST,
        }
    }

    /// Until it ends: why, or `None` when nobody wants it any more.
    async fn serve(
        mut self,
        told: &mut mpsc::Receiver<Command>,
        wanted: &mut watch::Receiver<BTreeSet<MeetingTag>>,
    ) -> Option<String> {
        wanted.mark_changed();
        let mut tick = tokio::time::interval(Duration::from_millis(500));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let step = tokio::select! {
                message = self.socket.next() => match message {
                    None => Err("it closed the connection".to_owned()),
                    Some(Err(error)) => Err(error.to_string()),
                    Some(Ok(message)) => self.on_message(&message).await,
                },
                command = told.recv() => match command {
                    None => break,
                    Some(command) => {
                        self.on_command(command);
                        Ok(())
                    }
                },
                changed = wanted.changed() => match changed {
                    Err(_) => break,
                    Ok(()) => {
                        self.hold(wanted.borrow_and_update().clone());
                        Ok(())
                    }
                },
                _ = tick.tick() => self.on_tick(),
            };
            let step = match step {
                Ok(()) => self.flush().await,
                failed => failed,
            };
            if let Err(why) = step {
                return Some(why);
            }
        }
        let _ = tokio::time::timeout(Duration::from_secs(1), self.socket.close(None)).await;
        None
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Say(tag, data) if self.held.contains(&tag) => {
                self.push(Request::Send { tag, data });
            }
            Command::Put(parcel) => self.push(Request::Put(parcel)),
            Command::Fetch(tag, after) => self.push(Request::Fetch { tag, after }),
            Command::Hurry => {
                self.asked_at.get_or_insert_with(Instant::now);
                self.ping = true;
            }
            // A tag that is no longer held.
            Command::Say(..) => {}
        }
    }

    fn on_tick(&mut self) -> Result<(), String> {
        let now = Instant::now();
        if self.asked_at.is_some_and(|at| self.heard > at) {
            self.asked_at = None;
        }
        let unanswered = self.asked_at.is_some_and(|at| at.elapsed() > ANSWER_WITHIN);
        if unanswered || self.heard.elapsed() > SILENT_FOR {
            return Err("it says nothing any more".to_owned());
        }
        if now >= self.ice_at {
            self.ice_at = now + AGAIN_AT_MOST;
            self.asked_for_ice = true;
            self.push(Request::Ice);
        }
        Ok(())
    }

    fn hold(&mut self, tags: BTreeSet<MeetingTag>) {
        for tag in self.held.difference(&tags).copied().collect::<Vec<_>>() {
            self.joining.remove(&tag);
            self.push(Request::Leave { tag });
        }
        for tag in tags.difference(&self.held).copied().collect::<Vec<_>>() {
            self.joining.insert(tag);
            self.push(Request::Join { tag });
        }
        self.held = tags;
    }

    fn push(&mut self, request: Request) {
        if self.outbox.len() >= OUTBOX {
            // What is said is let go first; tags are few.
            let said = |r: &Request| matches!(r, Request::Send { .. });
            if let Some(oldest) = self.outbox.iter().position(said) {
                self.outbox.remove(oldest);
            }
        }
        self.outbox.push_back(request);
    }

    async fn flush(&mut self) -> Result<(), String> {
        if std::mem::take(&mut self.ping) {
            self.send(Message::Ping(Default::default())).await?;
        }
        while !self.outbox.is_empty() && self.bucket.take(1, Instant::now()) {
            let Some(request) = self.outbox.pop_front() else {
                break;
            };
            let text = request.to_json();
            if text.len() <= MESSAGE_MAX {
                self.send(Message::Text(text.into())).await?;
            }
        }
        Ok(())
    }

    async fn send(&mut self, message: Message) -> Result<(), String> {
        let sending = self.socket.send(message);
        match tokio::time::timeout(WRITE_WITHIN, sending).await {
            Ok(sent) => sent.map_err(|e| e.to_string()),
            Err(_) => Err("it takes nothing any more".to_owned()),
        }
    }

    async fn on_message(&mut self, message: &Message) -> Result<(), String> {
        self.heard = Instant::now();
        let Message::Text(text) = message else {
            // Pings are answered by the library, with the next message or the next read.
            return Ok(());
        };
        let news = match Reply::parse(text) {
            Some(Reply::Joined { tag, peers }) if self.joining.remove(&tag) => {
                News::Joined { tag, peers }
            }
            Some(Reply::Data { tag, data }) if self.held.contains(&tag) => {
                News::Heard { tag, data }
            }
            Some(Reply::Ice(offer)) if std::mem::take(&mut self.asked_for_ice) => {
                self.ice_at = Instant::now() + offer.ttl / 2;
                News::Offer {
                    ice: locate(&offer, self.host).await,
                    backup: offer.backup,
                }
            }
            Some(Reply::Kept { tag }) => News::Kept { tag },
            Some(Reply::Parcels { tag, parcels, more }) => News::Parcels { tag, parcels, more },
            Some(Reply::Error { code }) => {
                tracing::debug!(code, "the rendezvous server refuses something");
                News::Refused { code }
            }
            // A newer server may say more; and a hostile one.
            _ => return Ok(()),
        };
        let gone = || "nobody listens any more".to_owned();
        self.news.send(news).await.map_err(|_| gone())
    }
}

/// Where the STUN and TURN server of an offer is. One that offers both at different places is asked at the relay's,
/// which answers to STUN as well (RFC 8656, 3).
async fn locate(offer: &RawOffer, server: IpAddr) -> Option<IceServerConfig> {
    let place = offer.turn.as_ref().or(offer.stun.as_ref())?;
    let (host, port) = place.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let addr = match host {
        "" => SocketAddr::new(server, port),
        name => {
            let looking = tokio::net::lookup_host((name, port));
            let found = tokio::time::timeout(LOOK_UP_WITHIN, looking).await;
            let mut found = found.ok()?.ok()?;
            // The family by which the server itself is reached is there.
            found.find(|addr| addr.is_ipv4() == server.is_ipv4())?
        }
    };
    let turn = offer.turn.is_some().then(|| TurnLogin {
        username: offer.username.clone(),
        credential: offer.credential.clone(),
        realm: offer.realm.clone(),
    });
    Some(IceServerConfig { addr, turn })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_offer_without_a_host_means_the_server_itself() {
        let server = IpAddr::from([203, 0, 113, 9]);
        let offer = |stun: Option<&str>, turn: Option<&str>| RawOffer {
            stun: stun.map(str::to_owned),
            turn: turn.map(str::to_owned),
            ..RawOffer::default()
        };
        let at = async |stun, turn| {
            let config = locate(&offer(stun, turn), server).await?;
            Some((config.addr, config.turn.is_some()))
        };
        let own = SocketAddr::new(server, 3478);
        assert_eq!(at(Some(":3478"), None).await, Some((own, false)));
        assert_eq!(at(Some(":1"), Some(":3478")).await, Some((own, true)));
        let other = SocketAddr::from(([10, 0, 0, 1], 5));
        assert_eq!(at(None, Some("10.0.0.1:5")).await, Some((other, true)));
        let family = at(Some("[::1]:5"), None).await;
        assert_eq!(family, None, "a family that is not known to be there");
        for nonsense in ["", "3478", ":", "a:b"] {
            assert_eq!(at(Some(nonsense), None).await, None, "{nonsense}");
        }
    }
}
