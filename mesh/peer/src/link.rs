//! A link: three lanes of frames between two devices, watched by keep-alives.
//!
//! ```text
//! LinkSender --queue (1 MiB)--> writer --> lane ==== lane --> reader --queue--> LinkReceiver
//!                        keep-alives: every 1.5 s, dead after 2.8 s
//! ```
//!
//! | lane | order | repeated | for |
//! |---|---|---|---|
//! | [`Lane::Ordered`] | yes | yes | events, control |
//! | [`Lane::Bulk`] | no | yes | pages, files |
//! | [`Lane::Datagram`] | no | no | presence, digests |
//!
//! The link ends when either side closes it, when the other side has been silent for a bit or has
//! taken nothing of what waits for it for [`STALLED_FOR`], when ICE or DTLS fail, or when [`LinkReceiver`] is dropped. Then `recv` gives `None`.

mod lanes;
#[cfg(test)]
mod tests;
mod watch;

pub use lanes::STALLED_FOR;

use crate::connection::Connection;
use crate::keepalive::Keepalive;
use crate::router::Registration;
use crate::session::Session;
use crate::{GateId, SendError};
use bytes::Bytes;
use peddlenet_crypto::{DatagramCipher, Established};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;

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
/// Frames that may wait for `recv`, and their bytes.
const RECEIVED_MAX: usize = 64;
/// See [`RECEIVED_MAX`].
pub const RECEIVED_BYTES: usize = 512 << 10;
/// How often it is looked whether an answer came.
const LOOK: Duration = Duration::from_millis(10);

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

/// How busy a link is, for choosing among links.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkLoad {
    /// Bytes of the ordered lane that were sent and have not arrived, those in the queue included.
    pub live_bytes: u64,
    /// The same of both reliable lanes.
    pub waiting_bytes: u64,
    /// Bytes of frames that have arrived so far.
    pub delivered_bytes: u64,
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

    /// Whether it came in over an address of ours at a relay.
    pub fn is_relayed(&self) -> bool {
        self.sender.is_relayed()
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

    /// Whether the link came in over an address of ours at a relay.
    pub fn is_relayed(&self) -> bool {
        self.shared.session.sockets.iter().any(|s| s.is_relay())
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

    /// Smoothed round-trip time of keep-alives (RFC 6298); `None` until the first answer.
    pub fn srtt(&self) -> Option<Duration> {
        self.shared.keepalive.srtt()
    }

    /// Of the last questions whether the other end is there so many in a hundred had no answer; `None` until ten or so
    /// were asked.
    pub fn loss_percent(&self) -> Option<u8> {
        self.shared.keepalive.loss_percent()
    }

    /// Bytes of frames that wait in the queues of the two reliable lanes.
    pub fn queued_bytes(&self) -> usize {
        [&self.ordered, &self.bulk]
            .map(|queue| QUEUE_BYTES.saturating_sub(queue.room.available_permits()))
            .iter()
            .sum()
    }

    /// How busy the link is. What waits in SCTP is as of the last time that could be told.
    pub fn load(&self) -> LinkLoad {
        let shared = &self.shared;
        let in_sctp = |lane: usize, known: &AtomicU64| match shared.session.outstanding(lane) {
            Some(bytes) => {
                known.store(bytes as u64, Ordering::Relaxed);
                bytes as u64
            }
            None => known.load(Ordering::Relaxed),
        };
        let [ordered, bulk] = &shared.in_sctp;
        let (ordered, bulk) = (in_sctp(0, ordered), in_sctp(1, bulk));
        let queued =
            |queue: &Queue| QUEUE_BYTES.saturating_sub(queue.room.available_permits()) as u64;
        let live_bytes = ordered + queued(&self.ordered);
        let sent = self.shared.counters.bytes_out.load(Ordering::Relaxed);
        LinkLoad {
            live_bytes,
            waiting_bytes: live_bytes + bulk + queued(&self.bulk),
            delivered_bytes: sent.saturating_sub(ordered + bulk),
        }
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

    /// How often the two sides ask whether the other is there: every second and a half, unless one of them asks
    /// for longer pauses, up to ten seconds, to save its battery. A loss is noticed 1.3 s after that.
    pub fn set_pace(&self, pace: Duration) {
        self.shared.keepalive.set_pace(pace);
    }

    /// Asks whether the other end is there; whether anything came from it within `patience`, or within three usual round
    /// trips where those take longer.
    pub async fn is_answered(&self, patience: Duration) -> bool {
        let session = &self.shared.session;
        let asked = Instant::now();
        if !session.ask() {
            return false;
        }
        let until = asked + patience.max(self.srtt().unwrap_or_default() * 3);
        // What was heard is known to the millisecond.
        while session.silence() > asked.elapsed() + Duration::from_millis(1) {
            if Instant::now() >= until {
                return false;
            }
            tokio::time::sleep(LOOK).await;
        }
        true
    }

    /// Whether the link still carries frames.
    pub fn is_open(&self) -> bool {
        !self.ordered.room.is_closed()
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
    frames: mpsc::Receiver<lanes::Waiting>,
}

impl LinkReceiver {
    /// The next frame, or `None` once the link is down. A reader that waits too long holds up its
    /// sender, as it should.
    pub async fn recv(&mut self) -> Option<Received> {
        self.frames.recv().await.map(|(received, _room)| received)
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
    keepalive: Arc<Keepalive>,
    counters: Counters,
    /// Bytes that the ordered and the bulk lane have handed to SCTP and that have not arrived, as of
    /// the last look.
    in_sctp: [AtomicU64; 2],
    closing: AtomicBool,
    close: Notify,
    /// The other side said goodbye.
    bye: Notify,
    /// Readers that wait for `recv`.
    holding: AtomicU32,
}

#[derive(Debug, Default)]
struct Counters {
    bytes_out: AtomicU64,
    bytes_in: AtomicU64,
    frames_out: AtomicU64,
    frames_in: AtomicU64,
}

/// A connection whose handshake is done.
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    pub(crate) established: Established,
    /// For what travels beside the lanes.
    pub(crate) cipher: DatagramCipher,
}

/// Puts it to work.
pub(crate) fn start(
    opened: Opened,
    registration: Registration,
    gate: GateId,
    dialed: bool,
) -> Link {
    let Opened {
        connection,
        established,
        cipher,
    } = opened;
    let session = Arc::clone(&connection.session);
    let keepalive = Arc::new(Keepalive::new(cipher));
    session.on_message();
    session.keep_alive(Arc::clone(&keepalive));
    session.opened();
    session.may_rest(&connection.lanes());
    let shared = Arc::new(Shared {
        session,
        gate,
        dialed,
        established,
        keepalive,
        counters: Counters::default(),
        in_sctp: Default::default(),
        closing: AtomicBool::new(false),
        close: Notify::new(),
        bye: Notify::new(),
        holding: AtomicU32::new(0),
    });
    let (ordered, ordered_queue) = queue();
    let (bulk, bulk_queue) = queue();
    let (datagrams, datagram_queue) = mpsc::channel(QUEUE_DATAGRAMS);
    let (received, frames) = mpsc::channel(RECEIVED_MAX);
    let received = lanes::Inlet {
        frames: received,
        room: Arc::new(Semaphore::new(RECEIVED_BYTES)),
    };
    let rooms = [Arc::clone(&ordered.room), Arc::clone(&bulk.room)];

    let [ordered_lane, bulk_lane, quick_lane] = connection.lanes();
    let mut tasks = JoinSet::new();
    tasks.spawn(lanes::write(
        ordered_lane.clone(),
        ordered_queue,
        shared.clone(),
    ));
    tasks.spawn(lanes::write(bulk_lane.clone(), bulk_queue, shared.clone()));
    tasks.spawn(lanes::write_quick(
        quick_lane.clone(),
        datagram_queue,
        shared.clone(),
    ));
    tasks.spawn(watch::watch(shared.clone()));
    let mut readers = JoinSet::new();
    for (kind, lane) in [(Lane::Ordered, ordered_lane), (Lane::Bulk, bulk_lane)] {
        readers.spawn(lanes::read(kind, lane, received.clone(), shared.clone()));
    }
    readers.spawn(lanes::read_quick(
        quick_lane,
        received.clone(),
        shared.clone(),
    ));
    let work = lanes::Work {
        connection,
        registration,
        tasks,
        readers,
        rooms,
        received,
    };
    tokio::spawn(lanes::supervise(work, shared.clone()));

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

impl Shared {
    fn count_in(&self, len: usize) {
        self.counters
            .bytes_in
            .fetch_add(len as u64, Ordering::Relaxed);
        self.counters.frames_in.fetch_add(1, Ordering::Relaxed);
    }
}
