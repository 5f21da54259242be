//! One device's WebSocket, from upgrade to end.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout, timeout_at};

use crate::Limits;
use crate::bucket::Bucket;
use crate::counts::Counts;
use crate::exchange::Elsewhere;
use crate::frames::{Ice, Refusal, Reply, Request, Tag, parse};
use crate::hub::{ClientId, Hub, Waiting};
use crate::parcels::{Answer, Page, Parcels};
use crate::turn::Offer;

/// Serves one device until it leaves, breaks a limit for good, or the server closes.
pub(crate) async fn serve(
    socket: WebSocket,
    hub: Arc<Hub>,
    offer: Arc<Offer>,
    parcels: Option<Arc<Parcels>>,
    counts: Counts,
    limits: Arc<Limits>,
    closing: watch::Receiver<bool>,
) {
    counts.arrivals.inc();
    counts.devices.inc();
    let (id, outbox) = hub.enter();
    let now = Instant::now();
    let connection = Connection {
        socket,
        presence: Presence {
            hub,
            id,
            counts: counts.clone(),
        },
        offer,
        parcels,
        parcel_bucket: Bucket::full(limits.parcels.per_second, limits.parcels.burst, now),
        asked: None,
        bucket: Bucket::full(limits.messages_per_second, limits.burst, now),
        refused: 0,
        heard: now,
        limits,
    };
    let end = connection.run(outbox, closing).await;
    counts.ended(end.name());
    tracing::debug!(?end, "a device is gone");
}

/// Why a connection ended.
#[derive(Debug)]
enum End {
    Left,
    Unreadable,
    Silent,
    Blocked,
    Flooding,
    Slow,
    ServerCloses,
}

impl End {
    /// As the metrics call it.
    fn name(&self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Unreadable => "unreadable",
            Self::Silent => "silent",
            Self::Blocked => "blocked",
            Self::Flooding => "flooding",
            Self::Slow => "slow",
            Self::ServerCloses => "server_closes",
        }
    }

    /// What the device is told, where it can still be told something.
    fn farewell(&self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::Left | Self::Blocked => return None,
            Self::Unreadable => (close_code::SIZE, "the message is too large or broken"),
            Self::Silent => (close_code::POLICY, "nothing heard for too long"),
            Self::Flooding => (close_code::POLICY, "too many messages"),
            Self::Slow => (close_code::POLICY, "messages waited for too long"),
            Self::ServerCloses => (close_code::AWAY, "the server closes"),
        };
        let reason = Utf8Bytes::from_static(reason);
        Some(CloseFrame { code, reason })
    }
}

/// Leaves the hub when dropped, however the connection ends.
struct Presence {
    hub: Arc<Hub>,
    id: ClientId,
    counts: Counts,
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.hub.exit(self.id);
        self.counts.devices.dec();
    }
}

/// Done when the server begins to close. Keeps the watch's guard, which is not `Send`, out of the select.
async fn told(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}

/// Done at the time; never without one.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// A random part of it; all of it where there is no randomness.
fn some_of(span: Duration) -> Duration {
    let part = getrandom::u32().unwrap_or(u32::MAX);
    span.mul_f64(f64::from(part) / f64::from(u32::MAX))
}

/// A question to the backup or to other processes, with what belongs into the reply.
enum Asked {
    /// With the others that hold the tag here, and how long to wait.
    Join(Tag, usize, Elsewhere, Instant),
    /// With whether it came with a pass.
    Put(Tag, bool, Answer<u64>),
    Fetch(Tag, Answer<Page>),
}

/// The answer as JSON; never done while nothing is asked. May be dropped halfway and called again.
async fn answered(asked: Option<&mut Asked>, counts: &Counts) -> Result<String, Refusal> {
    let Some(asked) = asked else {
        return std::future::pending().await;
    };
    match asked {
        Asked::Join(tag, here, elsewhere, deadline) => {
            // Without an answer from elsewhere: those that can be reached, which are here.
            let elsewhere = timeout_at(*deadline, elsewhere).await;
            let elsewhere = elsewhere.ok().and_then(Result::ok).unwrap_or(0);
            let (tag, peers) = (*tag, here.saturating_add(elsewhere));
            Ok(Reply::Joined { tag, peers }.to_json())
        }
        Asked::Put(tag, under_pass, answer) => {
            let (tag, n) = (*tag, answer.wait().await?);
            counts.kept(*under_pass);
            Ok(Reply::Kept { tag, n }.to_json())
        }
        Asked::Fetch(tag, answer) => {
            let (tag, Page { parcels, more }) = (*tag, answer.wait().await?);
            let parcels = &parcels;
            Ok(Reply::Parcels { tag, parcels, more }.to_json())
        }
    }
}

struct Connection {
    socket: WebSocket,
    presence: Presence,
    offer: Arc<Offer>,
    /// Where the backup is offered.
    parcels: Option<Arc<Parcels>>,
    /// Puts and fetches: they cost a signature or the disk.
    parcel_bucket: Bucket,
    /// What the disk or other processes were asked. Nothing more is read from the device until it is answered.
    asked: Option<Asked>,
    bucket: Bucket,
    /// Messages in a row that were refused for their rate.
    refused: u32,
    heard: Instant,
    limits: Arc<Limits>,
}

impl Connection {
    async fn run(
        mut self,
        mut outbox: mpsc::Receiver<Waiting>,
        mut closing: watch::Receiver<bool>,
    ) -> End {
        let every = self.limits.ping_every;
        // Those who came together are not pinged together.
        let first = self.presence.id.part_of(every);
        let mut ping = interval_at(Instant::now() + first, every);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut leaves: Option<Instant> = None;
        let end = loop {
            let step = tokio::select! {
                message = self.socket.recv(), if self.asked.is_none() => match message {
                    None | Some(Ok(Message::Close(_))) => Err(End::Left),
                    Some(Err(_)) => Err(End::Unreadable),
                    Some(Ok(message)) => self.handle_message(message).await,
                },
                answer = answered(self.asked.as_mut(), &self.presence.counts) => {
                    self.asked = None;
                    match answer {
                        Ok(json) => self.write(Message::Text(json.into())).await,
                        Err(refusal) => self.reply(&Reply::Error(refusal)).await,
                    }
                }
                frame = outbox.recv(), if !self.is_joining() => match frame {
                    Some(waiting) => self.write(Message::Text(waiting.into_frame())).await,
                    None => Err(End::Slow),
                },
                _ = ping.tick() => self.check_alive().await,
                () = told(&mut closing), if leaves.is_none() => {
                    leaves = Some(Instant::now() + some_of(self.limits.drain));
                    Ok(())
                }
                () = until(leaves) => Err(End::ServerCloses),
            };
            if let Err(end) = step {
                break end;
            }
        };
        // The tags are free before the farewell: writing it may take a while.
        drop(self.presence);
        if let Some(farewell) = end.farewell() {
            let farewell = self.socket.send(Message::Close(Some(farewell)));
            let _ = timeout(self.limits.write, farewell).await;
        }
        end
    }

    async fn handle_message(&mut self, message: Message) -> Result<(), End> {
        self.heard = Instant::now();
        if matches!(message, Message::Pong(_)) {
            return Ok(());
        }
        self.presence.counts.messages.inc();
        if !self.bucket.take(self.heard) {
            self.refused += 1;
            if self.refused > self.limits.refused_in_a_row {
                return Err(End::Flooding);
            }
            return self.reply(&Reply::Error(Refusal::RateLimited)).await;
        }
        self.refused = 0;
        match message {
            Message::Text(text) => match self.handle_request(&text) {
                Ok(None) => Ok(()),
                Ok(Some(reply)) => self.reply(&reply).await,
                Err(refusal) => self.reply(&Reply::Error(refusal)).await,
            },
            Message::Binary(_) => self.reply(&Reply::Error(Refusal::Malformed)).await,
            // The WebSocket layer answers pings; closes are seen before.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => Ok(()),
        }
    }

    fn handle_request(&mut self, text: &str) -> Result<Option<Reply<'static>>, Refusal> {
        if text.len() > self.limits.message_bytes {
            return Err(Refusal::TooLarge);
        }
        let Presence { hub, id, counts } = &self.presence;
        match parse(text)? {
            Request::Join { tag } => {
                let peers = hub.join(*id, tag)?;
                let Some(elsewhere) = hub.elsewhere(tag) else {
                    return Ok(Some(Reply::Joined { tag, peers }));
                };
                let deadline = self.heard + self.limits.exchange.wait;
                self.asked = Some(Asked::Join(tag, peers, elsewhere, deadline));
                Ok(None)
            }
            Request::Leave { tag } => {
                hub.leave(*id, tag);
                Ok(Some(Reply::Left { tag }))
            }
            Request::Send { tag, data } => {
                let frame = Reply::Data { tag, data: &data }.to_json();
                hub.relay(*id, tag, &frame.into())?;
                hub.publish(tag, data);
                counts.relayed.inc();
                Ok(None)
            }
            Request::Ice => {
                let backup = self.parcels.is_some();
                let ice = Ice {
                    backup,
                    ..self.offer.ice()
                };
                Ok(Some(Reply::Ice(Box::new(ice))))
            }
            Request::Put(put) => {
                let (tag, under_pass) = (put.tag, put.pass.is_some());
                let answer = self.backup()?.put(put)?;
                self.asked = Some(Asked::Put(tag, under_pass, answer));
                Ok(None)
            }
            Request::Fetch { tag, after } => {
                let answer = self.backup()?.fetch(tag, after)?;
                self.asked = Some(Asked::Fetch(tag, answer));
                Ok(None)
            }
            Request::Box { nonce } => {
                let parcels = self.backup().map_err(|refusal| match refusal {
                    // A server without parcels is no box.
                    Refusal::NoBackup => Refusal::NoBox,
                    other => other,
                })?;
                let (key, signature) = parcels.prove(&nonce)?;
                Ok(Some(Reply::Box { key, signature }))
            }
        }
    }

    /// Messages on a tag come after the answer to its join.
    fn is_joining(&self) -> bool {
        matches!(self.asked, Some(Asked::Join(..)))
    }

    /// The backup, if it is offered and this device doesn't ask too often.
    fn backup(&mut self) -> Result<&Parcels, Refusal> {
        let parcels = self.parcels.as_ref().ok_or(Refusal::NoBackup)?;
        if !self.parcel_bucket.take(self.heard) {
            return Err(Refusal::RateLimited);
        }
        Ok(parcels)
    }

    async fn check_alive(&mut self) -> Result<(), End> {
        if self.heard.elapsed() >= self.limits.idle {
            return Err(End::Silent);
        }
        self.write(Message::Ping(Default::default())).await
    }

    async fn reply(&mut self, reply: &Reply<'_>) -> Result<(), End> {
        if let Reply::Error(refusal) = reply {
            self.presence.counts.refused(refusal.code());
        }
        self.write(Message::Text(reply.to_json().into())).await
    }

    async fn write(&mut self, message: Message) -> Result<(), End> {
        match timeout(self.limits.write, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Left),
            Err(_) => Err(End::Blocked),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goodbyes_fall_into_every_part_of_their_span() {
        let span = Duration::from_secs(10);
        let mut tenths = [0; 10];
        for _ in 0..2_000 {
            let part = some_of(span);
            assert!(part <= span);
            tenths[part.as_secs().min(9) as usize] += 1;
        }
        // 200 each are expected; 100 and fewer come once in 10^13 runs.
        assert!(tenths.iter().all(|count| *count > 100), "{tenths:?}");
        assert_eq!(some_of(Duration::ZERO), Duration::ZERO);
    }
}
