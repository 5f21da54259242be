//! A link: three lanes of frames between two devices, watched by pings.
//!
//! ```text
//! LinkSender --queue (1 MiB)--> writer --> lane ==== lane --> reader --queue--> LinkReceiver
//!                                    pinger: every second, dead after 3 misses
//! ```
//!
//! | lane | order | repeated | for |
//! |---|---|---|---|
//! | [`Lane::Ordered`] | yes | yes | events, control |
//! | [`Lane::Bulk`] | no | yes | pages, files |
//! | [`Lane::Datagram`] | no | no | presence, digests |
//!
//! The link ends when either side closes it, when the other side has been silent for
//! bit, when ICE or DTLS fail, or when [`LinkReceiver`] is dropped. Then `recv` gives `None`.

use crate::connection::{Connection, failed};
use crate::router::Registration;
use crate::session::Session;
use crate::{GateId, SendError};
use bytes::{BufMut, Bytes, BytesMut};
use peddlenet_crypto::Established;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use webrtc::data_channel::{DataChannel, DataChannelEvent};

/// Longest frame of the ordered and the bulk lane.
pub use peddlenet_wire::limits::FRAME_MAX;
/// Longest datagram: one packet, so that the loss of another one is not its loss too.
pub const DATAGRAM_MAX: usize = 1_100;
/// Bytes that may wait in one lane's queue.
pub const QUEUE_BYTES: usize = 1 << 20;
/// Frames that may wait in one lane's queue.
pub const QUEUE_FRAMES: usize = 4096;
/// Datagrams that may wait; more are dropped.
const QUEUE_DATAGRAMS: usize = 64;
/// Frames that may wait for `recv`.
const RECEIVED_MAX: usize = 64;
const PING_INTERVAL: Duration = Duration::from_secs(1);
/// A ping was missed: from here on they come faster.
const MISSED: Duration = Duration::from_millis(1200);
const HURRIED_PING_INTERVAL: Duration = Duration::from_millis(250);
/// Three pings missed, and a fourth on its way.
const DEAD_AFTER: Duration = Duration::from_secs(4);
/// How long a closing link tries to get its queue across.
const FLUSH: Duration = Duration::from_millis(500);
/// Pings on their way that an answer can still be matched with.
const PINGS_OPEN: usize = 16;

/// Which of the three lanes a frame takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Reliable, in order.
    Ordered,
    /// Reliable, in any order: one lost packet does not hold up the rest.
    Bulk,
    /// May be lost, at most [`DATAGRAM_MAX`] bytes.
    Datagram,
}

/// A frame that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The lane it came on.
    pub lane: Lane,
    /// The frame as it was sent.
    pub bytes: Bytes,
}

/// Numbers links within an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// Payload bytes and frames of a link so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkStats {
    /// Bytes of frames sent.
    pub bytes_out: u64,
    /// Bytes of frames received.
    pub bytes_in: u64,
    /// Frames sent.
    pub frames_out: u64,
    /// Frames received.
    pub frames_in: u64,
}

/// An open link, handshake done. [`split`](Link::split) it to use it; dropped, it closes.
#[derive(Debug)]
pub struct Link {
    sender: LinkSender,
    receiver: LinkReceiver,
}

impl Link {
    /// The two halves. The receiver carries the link: dropping it closes.
    pub fn split(self) -> (LinkSender, LinkReceiver) {
        (self.sender, self.receiver)
    }

    /// Number of this link.
    pub fn id(&self) -> LinkId {
        self.sender.id()
    }

    /// Where the other end is.
    pub fn peer_addr(&self) -> SocketAddr {
        self.sender.peer_addr()
    }

    /// The gate that opened this link.
    pub fn gate(&self) -> GateId {
        self.sender.gate()
    }

    /// Whether this side dialled.
    pub fn dialed(&self) -> bool {
        self.sender.dialed()
    }

    /// The hash of the link handshake, the same at both ends and on no other link. Author proofs
    /// sign it.
    pub fn handshake_hash(&self) -> [u8; 32] {
        self.sender.handshake_hash()
    }
}

/// Sends frames. Any number of clones.
#[derive(Debug, Clone)]
pub struct LinkSender {
    shared: Arc<Shared>,
    ordered: Queue,
    bulk: Queue,
    datagrams: mpsc::Sender<Bytes>,
}

#[derive(Debug, Clone)]
struct Queue {
    frames: mpsc::Sender<Queued>,
    room: Arc<Semaphore>,
}

type Queued = (Bytes, OwnedSemaphorePermit);

impl LinkSender {
    /// Queues a frame if there is room for it.
    pub fn try_send(&self, lane: Lane, frame: impl Into<Bytes>) -> Result<(), SendError> {
        let frame = frame.into();
        let Some((queue, cost)) = self.queue(lane, &frame)? else {
            return self.try_datagram(frame);
        };
        let room = Arc::clone(&queue.room).try_acquire_many_owned(cost);
        let room = room.map_err(|error| match error {
            tokio::sync::TryAcquireError::Closed => SendError::Closed,
            tokio::sync::TryAcquireError::NoPermits => SendError::Full,
        })?;
        queue
            .frames
            .try_send((frame, room))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => SendError::Full,
                mpsc::error::TrySendError::Closed(_) => SendError::Closed,
            })
    }

    /// Queues a frame, waiting for room. A datagram does not wait: it is dropped when in the way.
    pub async fn send(&self, lane: Lane, frame: impl Into<Bytes>) -> Result<(), SendError> {
        let frame = frame.into();
        let Some((queue, cost)) = self.queue(lane, &frame)? else {
            return match self.try_datagram(frame) {
                Err(SendError::Full) => Ok(()),
                other => other,
            };
        };
        let room = Arc::clone(&queue.room).acquire_many_owned(cost).await;
        let room = room.map_err(|_| SendError::Closed)?;
        let sent = queue.frames.send((frame, room)).await;
        sent.map_err(|_| SendError::Closed)
    }

    fn queue(&self, lane: Lane, frame: &Bytes) -> Result<Option<(&Queue, u32)>, SendError> {
        let (queue, max) = match lane {
            Lane::Ordered => (Some(&self.ordered), FRAME_MAX),
            Lane::Bulk => (Some(&self.bulk), FRAME_MAX),
            Lane::Datagram => (None, DATAGRAM_MAX),
        };
        if frame.len() > max {
            return Err(SendError::TooLong);
        }
        let cost = u32::try_from(frame.len().max(1)).map_err(|_| SendError::TooLong)?;
        Ok(queue.map(|queue| (queue, cost)))
    }

    fn try_datagram(&self, frame: Bytes) -> Result<(), SendError> {
        self.datagrams.try_send(frame).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SendError::Full,
            mpsc::error::TrySendError::Closed(_) => SendError::Closed,
        })
    }

    /// Number of this link.
    pub fn id(&self) -> LinkId {
        LinkId(self.shared.session.id)
    }

    /// Where the other end is; it can change when a NAT moves it.
    pub fn peer_addr(&self) -> SocketAddr {
        self.shared.session.remote()
    }

    /// The gate that opened this link.
    pub fn gate(&self) -> GateId {
        self.shared.gate
    }

    /// Whether this side dialled.
    pub fn dialed(&self) -> bool {
        self.shared.dialed
    }

    /// See [`Link::handshake_hash`].
    pub fn handshake_hash(&self) -> [u8; 32] {
        self.shared.established.hash
    }

    /// What both ends agreed on: protocol version and features.
    pub fn established(&self) -> Established {
        self.shared.established
    }

    /// Smoothed round-trip time of pings (RFC 6298); `None` until the first answer.
    pub fn srtt(&self) -> Option<Duration> {
        match self.shared.srtt_us.load(Ordering::Relaxed) {
            0 => None,
            us => Some(Duration::from_micros(us.into())),
        }
    }

    /// Bytes of frames that wait in the queues of the two reliable lanes.
    pub fn queued_bytes(&self) -> usize {
        [&self.ordered, &self.bulk]
            .map(|queue| QUEUE_BYTES.saturating_sub(queue.room.available_permits()))
            .iter()
            .sum()
    }

    /// Bytes and frames so far.
    pub fn stats(&self) -> LinkStats {
        let counters = &self.shared.counters;
        LinkStats {
            bytes_out: counters.bytes_out.load(Ordering::Relaxed),
            bytes_in: counters.bytes_in.load(Ordering::Relaxed),
            frames_out: counters.frames_out.load(Ordering::Relaxed),
            frames_in: counters.frames_in.load(Ordering::Relaxed),
        }
    }

    /// Whether the link still carries frames.
    pub fn is_open(&self) -> bool {
        !self.datagrams.is_closed()
    }

    /// Ends the link, after what is queued has gone out or half a second has passed.
    pub fn close(&self) {
        self.shared.closing.store(true, Ordering::Relaxed);
        self.shared.close.notify_one();
    }
}

/// Receives frames, and carries the link: dropping it closes.
#[derive(Debug)]
pub struct LinkReceiver {
    shared: Arc<Shared>,
    frames: mpsc::Receiver<Received>,
}

impl LinkReceiver {
    /// The next frame, or `None` once the link is down. A reader that waits too long holds up its
    /// sender, as it should.
    pub async fn recv(&mut self) -> Option<Received> {
        self.frames.recv().await
    }
}

impl Drop for LinkReceiver {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Relaxed);
        self.shared.close.notify_one();
    }
}

#[derive(Debug)]
struct Shared {
    session: Arc<Session>,
    gate: GateId,
    dialed: bool,
    established: Established,
    srtt_us: AtomicU32,
    counters: Counters,
    closing: AtomicBool,
    close: Notify,
    /// Readers that wait for `recv`: then silence is our own doing.
    holding: AtomicU32,
    pings: Mutex<VecDeque<(u32, Instant)>>,
}

#[derive(Debug, Default)]
struct Counters {
    bytes_out: AtomicU64,
    bytes_in: AtomicU64,
    frames_out: AtomicU64,
    frames_in: AtomicU64,
}

/// Puts a connection whose handshake is done to work.
pub(crate) fn start(
    connection: Connection,
    registration: Registration,
    gate: GateId,
    dialed: bool,
    established: Established,
) -> Link {
    let session = Arc::clone(&connection.session);
    session.on_message();
    session.facts.open.store(true, Ordering::Relaxed);
    let shared = Arc::new(Shared {
        session,
        gate,
        dialed,
        established,
        srtt_us: AtomicU32::new(0),
        counters: Counters::default(),
        closing: AtomicBool::new(false),
        close: Notify::new(),
        holding: AtomicU32::new(0),
        pings: Mutex::default(),
    });
    let (ordered, ordered_queue) = queue();
    let (bulk, bulk_queue) = queue();
    let (datagrams, datagram_queue) = mpsc::channel(QUEUE_DATAGRAMS);
    let (received, frames) = mpsc::channel(RECEIVED_MAX);
    let rooms = [Arc::clone(&ordered.room), Arc::clone(&bulk.room)];

    let mut tasks = JoinSet::new();
    let lane = |lane: &Arc<dyn DataChannel>| Arc::clone(lane);
    tasks.spawn(write(
        lane(&connection.ordered),
        ordered_queue,
        shared.clone(),
    ));
    tasks.spawn(write(lane(&connection.bulk), bulk_queue, shared.clone()));
    for (kind, channel) in [
        (Lane::Ordered, &connection.ordered),
        (Lane::Bulk, &connection.bulk),
    ] {
        tasks.spawn(read(kind, lane(channel), received.clone(), shared.clone()));
    }
    tasks.spawn(read_quick(
        lane(&connection.quick),
        received,
        shared.clone(),
    ));
    tasks.spawn(write_quick(
        lane(&connection.quick),
        datagram_queue,
        shared.clone(),
    ));
    tasks.spawn(ping(lane(&connection.quick), shared.clone()));
    tokio::spawn(supervise(
        connection,
        registration,
        tasks,
        rooms,
        shared.clone(),
    ));

    let sender = LinkSender {
        shared: Arc::clone(&shared),
        ordered,
        bulk,
        datagrams,
    };
    let receiver = LinkReceiver { shared, frames };
    Link { sender, receiver }
}

fn queue() -> (Queue, mpsc::Receiver<Queued>) {
    let (frames, receiver) = mpsc::channel(QUEUE_FRAMES);
    let room = Arc::new(Semaphore::new(QUEUE_BYTES));
    (Queue { frames, room }, receiver)
}

/// Waits for the first reason to end, then takes the link down in order.
async fn supervise(
    connection: Connection,
    registration: Registration,
    mut tasks: JoinSet<()>,
    rooms: [Arc<Semaphore>; 2],
    shared: Arc<Shared>,
) {
    let mut state = connection.state.clone();
    let asked = async {
        loop {
            shared.close.notified().await;
            if shared.closing.load(Ordering::Relaxed) {
                return;
            }
        }
    };
    let superseded = async {
        while !shared.session.facts.superseded.load(Ordering::Relaxed) {
            shared.session.facts.changed.notified().await;
        }
    };
    let polite = tokio::select! {
        () = asked => true,
        () = superseded => true,
        // A writer, a reader or the pinger found the link gone.
        _ = tasks.join_next() => false,
        () = failed(&mut state) => false,
    };
    if polite {
        let flushed = flush(&connection.ordered, &connection.bulk, &rooms);
        let _ = tokio::time::timeout(FLUSH, flushed).await;
        let bye = BytesMut::from(&[Tag::Bye as u8][..]);
        let _ = connection.quick.try_send(bye).await;
    }
    rooms.iter().for_each(|room| room.close());
    tasks.shutdown().await;
    drop(registration);
    connection.close().await;
    tracing::debug!(link = shared.session.id, polite, "link down");
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

async fn write(lane: Arc<dyn DataChannel>, mut queue: mpsc::Receiver<Queued>, shared: Arc<Shared>) {
    while let Some((frame, room)) = queue.recv().await {
        let len = frame.len() as u64;
        if lane.send(frame.into()).await.is_err() {
            return;
        }
        drop(room);
        shared.counters.bytes_out.fetch_add(len, Ordering::Relaxed);
        shared.counters.frames_out.fetch_add(1, Ordering::Relaxed);
    }
    // Every sender is gone, and the link may still receive.
    std::future::pending().await
}

async fn write_quick(
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

async fn read(
    kind: Lane,
    lane: Arc<dyn DataChannel>,
    received: mpsc::Sender<Received>,
    shared: Arc<Shared>,
) {
    while let Some(bytes) = next_message(&lane).await {
        shared.session.on_message();
        shared.count_in(bytes.len());
        let frame = Received { lane: kind, bytes };
        let Err(mpsc::error::TrySendError::Full(frame)) = received.try_send(frame) else {
            continue;
        };
        shared.holding.fetch_add(1, Ordering::Relaxed);
        let sent = received.send(frame).await;
        shared.holding.fetch_sub(1, Ordering::Relaxed);
        shared.session.on_message();
        if sent.is_err() {
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

async fn read_quick(
    lane: Arc<dyn DataChannel>,
    received: mpsc::Sender<Received>,
    shared: Arc<Shared>,
) {
    while let Some(mut bytes) = next_message(&lane).await {
        shared.session.on_message();
        let Some(tag) = bytes.first().copied().and_then(Tag::read) else {
            continue;
        };
        let body = bytes.split_off(1);
        match (tag, body.first_chunk::<4>()) {
            (Tag::User, _) => {
                shared.count_in(body.len());
                let lane = Lane::Datagram;
                // Unreliable by contract: a reader that is behind loses datagrams.
                let _ = received.try_send(Received { lane, bytes: body });
            }
            (Tag::Ping, Some(nonce)) => {
                let _ = lane.try_send(sign(Tag::Pong, *nonce)).await;
            }
            (Tag::Pong, Some(nonce)) => shared.on_pong(u32::from_be_bytes(*nonce)),
            (Tag::Bye, _) => return,
            (Tag::Ping | Tag::Pong, None) => {}
        }
    }
}

async fn ping(lane: Arc<dyn DataChannel>, shared: Arc<Shared>) {
    for nonce in 0u32.. {
        let silence = shared.session.silence();
        let holding = shared.holding.load(Ordering::Relaxed) > 0;
        if !holding && silence >= DEAD_AFTER {
            tracing::debug!(link = shared.session.id, "silent for too long");
            return;
        }
        let missed = silence >= MISSED;
        if missed {
            shared.session.send_check();
        }
        shared.on_ping(nonce);
        let sent = lane.try_send(sign(Tag::Ping, nonce.to_be_bytes())).await;
        if matches!(sent, Err(webrtc::error::Error::ErrDataChannelClosed)) {
            return;
        }
        tokio::time::sleep(if missed {
            HURRIED_PING_INTERVAL
        } else {
            PING_INTERVAL
        })
        .await;
    }
}

fn sign(tag: Tag, nonce: [u8; 4]) -> BytesMut {
    let mut datagram = BytesMut::with_capacity(5);
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

impl Shared {
    fn count_in(&self, len: usize) {
        self.counters
            .bytes_in
            .fetch_add(len as u64, Ordering::Relaxed);
        self.counters.frames_in.fetch_add(1, Ordering::Relaxed);
    }

    fn on_ping(&self, nonce: u32) {
        let mut pings = crate::session::lock(&self.pings);
        if pings.len() >= PINGS_OPEN {
            pings.pop_front();
        }
        pings.push_back((nonce, Instant::now()));
    }

    fn on_pong(&self, nonce: u32) {
        let mut pings = crate::session::lock(&self.pings);
        let Some(at) = pings.iter().position(|(sent, _)| *sent == nonce) else {
            return;
        };
        let Some((_, sent)) = pings.remove(at) else {
            return;
        };
        let sample = u32::try_from(sent.elapsed().as_micros())
            .unwrap_or(u32::MAX)
            .max(1);
        let smoothed = match self.srtt_us.load(Ordering::Relaxed) {
            0 => sample,
            // Seven parts old, one part new.
            old => old - old / 8 + sample / 8,
        };
        self.srtt_us.store(smoothed.max(1), Ordering::Relaxed);
    }
}
