//! The tasks of a link: a writer and a reader a lane, the pinger, and the supervisor that ends
//! them all when one of them ends.

use super::{Lane, QUEUE_BYTES, Queued, Received, Shared};
use crate::connection::{Connection, failed};
use crate::router::Registration;
use bytes::{BufMut, Bytes, BytesMut};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use webrtc::data_channel::{DataChannel, DataChannelEvent};

const PING_INTERVAL: Duration = Duration::from_secs(1);
/// A ping was missed: from here on they come faster.
const MISSED: Duration = Duration::from_millis(1200);
const HURRIED_PING_INTERVAL: Duration = Duration::from_millis(250);
/// Three pings missed, and a fourth on its way.
const DEAD_AFTER: Duration = Duration::from_secs(4);
/// How long a closing link tries to get its queue across.
const FLUSH: Duration = Duration::from_millis(500);
/// Waits for the first reason to end, then takes the link down in order.
pub(super) async fn supervise(
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

pub(super) async fn write(
    lane: Arc<dyn DataChannel>,
    mut queue: mpsc::Receiver<Queued>,
    shared: Arc<Shared>,
) {
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

pub(super) async fn read_quick(
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

pub(super) async fn ping(lane: Arc<dyn DataChannel>, shared: Arc<Shared>) {
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
