//! One connection to a server while it stands: what goes either way, and whether it is still there.

use super::frames::{RawOffer, Reply, Request};
use super::{AGAIN_AT_MOST, Command, MESSAGE_MAX, News, Socket};
use crate::bucket::Bucket;
use crate::ice_server::{IceServerConfig, TurnLogin};
use futures_util::{SinkExt, StreamExt};
use peddlenet_wire::rendezvous::MeetingTag;
use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::Message;

/// Writing one message may take this long.
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// The server pings every 20 s; one that says nothing for so long is gone.
const SILENT_FOR: Duration = Duration::from_secs(60);
/// After a change of the network the connection may lead nowhere: a server that is asked then answers by now.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// The name of a STUN or TURN server is looked up by then.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(2);
/// Messages a second, below what the server takes for a flood (20, and 60 at once).
const MESSAGES_A_SECOND: u32 = 15;
/// Messages that wait to be sent (count); the oldest are let go.
const OUTBOX: usize = 128;

/// One connection that stands.
pub(super) struct Connection<'n> {
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
    /// When it was asked last whether the connection outlived a change of the network.
    asked_at: Option<Instant>,
    /// When the credentials of the relay are asked for anew.
    ice_at: Instant,
}

impl<'n> Connection<'n> {
    pub(super) fn new(socket: Socket, host: IpAddr, news: &'n mpsc::Sender<News>) -> Self {
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
            ice_at: Instant::now() + AGAIN_AT_MOST,
        }
    }

    /// Until it ends: why, or `None` when nobody wants it any more.
    pub(super) async fn serve(
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
                    Some(command) => self.on_command(command).await,
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

    async fn on_command(&mut self, command: Command) -> Result<(), String> {
        match command {
            Command::Say(tag, data) if self.held.contains(&tag) => {
                self.push(Request::Send { tag, data });
            }
            Command::Put(parcel) => self.push(Request::Put(parcel)),
            Command::Fetch(tag, after) => self.push(Request::Fetch { tag, after }),
            Command::Hurry if self.unanswered().is_none() => {
                self.asked_at = Some(Instant::now());
                return self.send(Message::Ping(Default::default())).await;
            }
            // A tag that is no longer held, and who was asked already.
            Command::Say(..) | Command::Hurry => {}
        }
        Ok(())
    }

    /// Since when an answer is owed, of whatever kind.
    fn unanswered(&self) -> Option<Instant> {
        self.asked_at.filter(|at| self.heard < *at)
    }

    fn on_tick(&mut self) -> Result<(), String> {
        let now = Instant::now();
        let late = |at: Instant| at.elapsed() > ANSWER_WITHIN;
        if self.unanswered().is_some_and(late) || self.heard.elapsed() > SILENT_FOR {
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
