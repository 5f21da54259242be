//! The tasks of a link: a writer and a reader a lane, the pinger, and the supervisor that ends
//! them all when one of them ends.

use super::{DATAGRAM_MAX, Lane, QUEUE_BYTES, Queued, RECEIVED_BYTES, Received, Shared};
use crate::connection::{Connection, failed};
use crate::router::Registration;
use bytes::{BufMut, Bytes, BytesMut};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use webrtc::data_channel::{DataChannel, DataChannelEvent};

/// How often the dialer asks whether the other end is there, unless one of them saves its battery.
pub(super) const PING_INTERVAL: Duration = Duration::from_millis(1500);
/// The other end asks so much more rarely.
const ANSWERED_FOR: u32 = 5;
/// The longest pause that a side can ask for.
pub(super) const PING_INTERVAL_MAX: Duration = Duration::from_secs(10);
/// So much beyond the interval, and a ping was missed: from here on they come faster.
const MISSED: Duration = Duration::from_millis(200);
const HURRIED_PING_INTERVAL: Duration = Duration::from_millis(250);
/// It is not looked more often.
const LOOK_LEAST: Duration = Duration::from_millis(20);
/// So much beyond the interval, and six were missed in a row: a loss is noticed within three seconds.
const DEAD: Duration = Duration::from_millis(1300);
/// A link on which a frame has waited so long for the other side's SCTP to take it is closed: pings
/// are answered, but nobody reads there, and what waits takes our memory.
pub const STALLED_FOR: Duration = Duration::from_secs(30);
/// How long a closing link tries to get its queue across.
const FLUSH: Duration = Duration::from_millis(500);
/// How long a link that the other side closed waits for its own reader.
const HAND_OVER: Duration = Duration::from_secs(5);
/// How often it looks.
const HANDING_OVER: Duration = Duration::from_millis(25);

/// What a link consists of while it runs.
pub(super) struct Work {
    pub(super) connection: Connection,
    pub(super) registration: Registration,
    /// Writers and the pinger.
    pub(super) tasks: JoinSet<()>,
    pub(super) readers: JoinSet<()>,
    pub(super) rooms: [Arc<Semaphore>; 2],
    /// Held until nothing can be sent any more, so that `recv` gives `None` no sooner.
    pub(super) received: Inlet,
}

/// A frame that waits for `recv`, and the room it takes.
pub(super) type Waiting = (Received, OwnedSemaphorePermit);

/// Where readers put frames for `recv`: bounded in frames and in bytes.
#[derive(Clone)]
pub(super) struct Inlet {
    pub(super) frames: mpsc::Sender<Waiting>,
    pub(super) room: Arc<Semaphore>,
}

impl Inlet {
    /// Gives the frame back when there is no room for it.
    fn try_put(&self, frame: Received) -> Result<(), Received> {
        let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(cost(&frame)) else {
            return Err(frame);
        };
        match self.frames.try_send((frame, room)) {
            Ok(()) => Ok(()),
            Err(
                mpsc::error::TrySendError::Full((frame, _))
                | mpsc::error::TrySendError::Closed((frame, _)),
            ) => Err(frame),
        }
    }

    /// Waits for room. `false` when nobody receives any more.
    async fn put(&self, frame: Received) -> bool {
        let room = Arc::clone(&self.room).acquire_many_owned(cost(&frame));
        tokio::select! {
            room = room => match room {
                Ok(room) => self.frames.send((frame, room)).await.is_ok(),
                Err(_) => false,
            },
            () = self.frames.closed() => false,
        }
    }
}

fn cost(frame: &Received) -> u32 {
    u32::try_from(frame.bytes.len().clamp(1, RECEIVED_BYTES)).unwrap_or(u32::MAX)
}

/// Why a link ends.
enum End {
    /// This side wants it to.
    Asked,
    /// The other side said goodbye.
    Bye,
    /// A lane, the pings or the connection failed.
    Broken,
}

/// Waits for the first reason to end, then takes the link down in order.
///
/// Who closes flushes, says goodbye and waits for the answer; who is told goodbye hands over what
/// has come in, then answers. So nothing that was queued before the close is lost, unless the
/// reader takes longer than the closer waits.
pub(super) async fn supervise(mut work: Work, shared: Arc<Shared>) {
    let end = work.ended(&shared).await;
    let connection = &work.connection;
    match end {
        End::Asked => {
            let flushed = flush(&connection.ordered, &connection.bulk, &work.rooms);
            let _ = tokio::time::timeout(FLUSH, flushed).await;
            say_bye(connection).await;
            let _ = tokio::time::timeout(FLUSH, shared.bye.notified()).await;
        }
        End::Bye => {
            work.rooms.iter().for_each(|room| room.close());
            let _ = tokio::time::timeout(HAND_OVER, handed_over(&shared)).await;
            say_bye(connection).await;
        }
        End::Broken => {}
    }
    work.rooms.iter().for_each(|room| room.close());
    work.tasks.shutdown().await;
    drop(work.registration);
    // Ends the lanes' event streams; the readers hand over what is in them, and end too.
    work.connection.close().await;
    drop(work.received);
    while work.readers.join_next().await.is_some() {}
    tracing::debug!(link = shared.session.id, "link down");
}

impl Work {
    async fn ended(&mut self, shared: &Shared) -> End {
        let mut state = self.connection.state.clone();
        let facts = &shared.session.facts;
        let asked = async {
            while !shared.closing.load(Ordering::Relaxed) {
                shared.close.notified().await;
            }
        };
        let superseded = async {
            while !facts.superseded.load(Ordering::Relaxed) {
                facts.changed.notified().await;
            }
        };
        let end = tokio::select! {
            () = asked => End::Asked,
            () = superseded => End::Asked,
            () = shared.bye.notified() => End::Bye,
            _ = self.tasks.join_next() => broken("a writer"),
            _ = self.readers.join_next() => broken("a reader"),
            () = failed(&mut state) => broken("the connection"),
        };
        match end {
            // A reader with nobody to read for ends too.
            End::Broken if shared.closing.load(Ordering::Relaxed) => End::Asked,
            end => end,
        }
    }
}

fn broken(what: &str) -> End {
    tracing::debug!(what, "a link breaks");
    End::Broken
}

/// Returns when no reader has waited for `recv` and nothing has come for a while. Not a short one: on a
/// busy machine a reader is not scheduled for tens of milliseconds, and what it has not read is lost.
async fn handed_over(shared: &Shared) {
    let (mut quiet, mut before) = (0, u64::MAX);
    while quiet < 3 {
        tokio::time::sleep(HANDING_OVER).await;
        let frames = shared.counters.frames_in.load(Ordering::Relaxed);
        let holding = shared.holding.load(Ordering::Relaxed) > 0;
        let busy = holding || std::mem::replace(&mut before, frames) != frames;
        quiet = if busy { 0 } else { quiet + 1 };
    }
}

async fn say_bye(connection: &Connection) {
    let bye = BytesMut::from(&[Tag::Bye as u8][..]);
    let _ = connection.quick.try_send(bye).await;
}

/// Returns when every queued frame has been acknowledged.
async fn flush(
    ordered: &Arc<dyn DataChannel>,
    bulk: &Arc<dyn DataChannel>,
    rooms: &[Arc<Semaphore>; 2],
) {
    loop {
        let queued = rooms
            .iter()
            .any(|room| room.available_permits() < QUEUE_BYTES);
        let mut outstanding = 0;
        for lane in [ordered, bulk] {
            outstanding += lane.outstanding_bytes().await.unwrap_or_default();
        }
        if !queued && outstanding == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub(super) async fn write(
    lane: Arc<dyn DataChannel>,
    mut queue: mpsc::Receiver<Queued>,
    shared: Arc<Shared>,
) {
    while let Some((frame, room)) = queue.recv().await {
        let len = frame.len() as u64;
        match tokio::time::timeout(STALLED_FOR, lane.send(frame.into())).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                tracing::info!(link = shared.session.id, "the other side takes nothing");
                return shared.session.counters.stalled.one();
            }
        }
        drop(room);
        shared.counters.bytes_out.fetch_add(len, Ordering::Relaxed);
        shared.counters.frames_out.fetch_add(1, Ordering::Relaxed);
    }
    // Every sender is gone, and the link may still receive.
    std::future::pending().await
}

pub(super) async fn write_quick(
    lane: Arc<dyn DataChannel>,
    mut queue: mpsc::Receiver<Bytes>,
    shared: Arc<Shared>,
) {
    while let Some(frame) = queue.recv().await {
        let mut datagram = BytesMut::with_capacity(frame.len() + 1);
        datagram.put_u8(Tag::User as u8);
        datagram.extend_from_slice(&frame);
        let len = frame.len() as u64;
        match lane.try_send(datagram).await {
            Ok(()) => {
                shared.counters.bytes_out.fetch_add(len, Ordering::Relaxed);
                shared.counters.frames_out.fetch_add(1, Ordering::Relaxed);
            }
            Err(webrtc::error::Error::ErrSendBufferFull) => {}
            Err(_) => return,
        }
    }
    std::future::pending().await
}

pub(super) async fn read(
    kind: Lane,
    lane: Arc<dyn DataChannel>,
    received: Inlet,
    shared: Arc<Shared>,
) {
    let number = u8::from(kind == Lane::Bulk);
    loop {
        let mut asked_again = std::pin::pin!(shared.session.asked_again());
        asked_again.as_mut().enable();
        let next = tokio::select! {
            biased;
            next = next_message(&lane) => next,
            () = std::future::ready(()) => {
                // All that came has been read: the driver may have more.
                shared.session.reader_idle(number);
                tokio::select! {
                    biased;
                    next = next_message(&lane) => next,
                    () = asked_again => continue,
                }
            }
        };
        shared.session.reader_busy(number);
        let Some(bytes) = next else { return };
        shared.session.on_message();
        shared.count_in(bytes.len());
        let frame = Received { lane: kind, bytes };
        let Err(frame) = received.try_put(frame) else {
            continue;
        };
        shared.holding.fetch_add(1, Ordering::Relaxed);
        let sent = received.put(frame).await;
        shared.holding.fetch_sub(1, Ordering::Relaxed);
        shared.session.on_message();
        if !sent {
            return;
        }
    }
}

/// The datagram lane carries our own signs of life beside the user's frames.
#[derive(Clone, Copy)]
enum Tag {
    User = 0,
    Ping = 1,
    Pong = 2,
    Bye = 3,
}

impl Tag {
    fn read(byte: u8) -> Option<Self> {
        [Self::User, Self::Ping, Self::Pong, Self::Bye]
            .into_iter()
            .find(|tag| *tag as u8 == byte)
    }
}

pub(super) async fn read_quick(lane: Arc<dyn DataChannel>, received: Inlet, shared: Arc<Shared>) {
    while let Some(mut bytes) = next_message(&lane).await {
        shared.session.on_message();
        if bytes.len() > DATAGRAM_MAX + 1 {
            continue;
        }
        let Some(tag) = bytes.first().copied().and_then(Tag::read) else {
            continue;
        };
        let body = bytes.split_off(1);
        match (tag, body.first_chunk::<4>()) {
            (Tag::User, _) => {
                shared.count_in(body.len());
                let lane = Lane::Datagram;
                // Unreliable by contract: a reader that is behind loses datagrams.
                let _ = received.try_put(Received { lane, bytes: body });
            }
            (Tag::Ping, Some(nonce)) => {
                if let Some(pace) = body.get(4..).and_then(|rest| rest.first_chunk::<2>()) {
                    shared.set_their_pace(u16::from_be_bytes(*pace));
                }
                let _ = lane.try_send(sign(Tag::Pong, *nonce)).await;
            }
            (Tag::Pong, Some(nonce)) => shared.on_pong(u32::from_be_bytes(*nonce)),
            (Tag::Bye, _) => shared.bye.notify_one(),
            (Tag::Ping | Tag::Pong, None) => {}
        }
    }
}

pub(super) async fn ping(
    lane: Arc<dyn DataChannel>,
    reliable: [Arc<dyn DataChannel>; 2],
    shared: Arc<Shared>,
) {
    let mut pinged: Option<Instant> = None;
    for nonce in 0u32.. {
        let pace = shared.pace();
        shared.session.set_pause(pace);
        let silence = shared.session.silence();
        let holding = shared.holding.load(Ordering::Relaxed) > 0;
        if !holding && silence >= pace + DEAD {
            tracing::debug!(link = shared.session.id, "silent for too long");
            return;
        }
        let missed = silence >= pace + MISSED;
        if missed {
            shared.session.send_check();
        }
        let mut busy = false;
        for (lane, bytes) in reliable.iter().zip(&shared.in_sctp) {
            let outstanding = lane.outstanding_bytes().await.unwrap_or_default();
            bytes.store(outstanding as u64, Ordering::Relaxed);
            busy |= outstanding > 0;
        }
        // The dialer's question tells the other end as much as its answer tells the dialer; what it can't
        // tell is how long an answer takes.
        let pause = match shared.dialed {
            true => pace,
            false => pace * ANSWERED_FOR,
        };
        if missed || pinged.is_none_or(|at| at.elapsed() >= pause) {
            pinged = Some(Instant::now());
            shared.on_ping(nonce);
            let mut ping = sign(Tag::Ping, nonce.to_be_bytes());
            // An older app reads no further than the nonce.
            ping.put_u16(shared.own_pace());
            let sent = lane.try_send(ping).await;
            if matches!(sent, Err(webrtc::error::Error::ErrDataChannelClosed)) {
                return;
            }
        }
        // The next ping, or the moment when an answer is late: one lost ping must not take a link's life.
        let late = (pace + MISSED).saturating_sub(silence);
        let due = pause.saturating_sub(pinged.map_or(Duration::ZERO, |at| at.elapsed()));
        // How full the lanes are is of interest while they are.
        let look = if busy { PING_INTERVAL } else { due };
        tokio::time::sleep(if missed {
            HURRIED_PING_INTERVAL
        } else {
            look.min(late).max(LOOK_LEAST)
        })
        .await;
    }
}

fn sign(tag: Tag, nonce: [u8; 4]) -> BytesMut {
    let mut datagram = BytesMut::with_capacity(7);
    datagram.put_u8(tag as u8);
    datagram.extend_from_slice(&nonce);
    datagram
}

async fn next_message(lane: &Arc<dyn DataChannel>) -> Option<Bytes> {
    loop {
        match lane.poll().await? {
            DataChannelEvent::OnMessage(message) => return Some(message.data.freeze()),
            DataChannelEvent::OnClose => return None,
            _ => {}
        }
    }
}
