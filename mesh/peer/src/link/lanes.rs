//! The tasks of a link: a writer and a reader a lane, and the supervisor that ends
//! them all when one of them, or the watch, ends.

use super::{DATAGRAM_MAX, Lane, QUEUE_BYTES, Queued, RECEIVED_BYTES, Received, Shared};
use crate::connection::{Connection, failed};
use crate::router::Registration;
use bytes::{BufMut, Bytes, BytesMut};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use webrtc::data_channel::{DataChannel, DataChannelEvent};

/// A link on which a frame has waited so long for the other side's SCTP to take it is closed: it
/// is there, but nobody reads there, and what waits takes our memory.
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
    /// Writers and the watch.
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
    /// A lane or the connection failed, or the other side has gone.
    Broken,
}

/// Waits for the first reason to end, then takes the link down in order.
///
/// Who closes flushes, says goodbye and waits for the answer; who is told goodbye hands over what
/// has come in, then answers. So nothing that was queued before the close is lost, unless the
/// reader takes longer than the closer waits.
pub(super) async fn supervise(mut work: Work, shared: Arc<Shared>) {
    let end = work.ended(&shared).await;
    shared.session.no_rest();
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
            _ = self.tasks.join_next() => broken("a writer or the watch"),
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

/// The datagram lane carries our goodbye beside the user's frames.
#[derive(Clone, Copy)]
enum Tag {
    User = 0,
    Bye = 1,
}

impl Tag {
    fn read(byte: u8) -> Option<Self> {
        [Self::User, Self::Bye]
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
        match tag {
            Tag::User => {
                shared.count_in(body.len());
                let lane = Lane::Datagram;
                // Unreliable by contract: a reader that is behind loses datagrams.
                let _ = received.try_put(Received { lane, bytes: body });
            }
            Tag::Bye => shared.bye.notify_one(),
        }
    }
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
