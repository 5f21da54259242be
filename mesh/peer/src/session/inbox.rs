//! What waits between the shared socket and the driver of one link.

use bytes::Bytes;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::task::Waker;

/// Datagrams that wait for the driver.
#[derive(Default)]
pub(crate) struct Inbox {
    /// Whether the ICE agent is ready: before it has its local candidate it would throw away the
    /// very packet that opened the session, and the dialer would lose a check interval.
    pub(super) released: bool,
    pub(super) queue: VecDeque<(Bytes, SocketAddr)>,
    pub(super) bytes: usize,
    /// Whether the driver had to wait for readers when it last asked.
    pub(super) held_up: bool,
    pub(crate) waker: Option<Waker>,
}

impl Inbox {
    pub(super) fn pop(&mut self) -> Option<(Bytes, SocketAddr)> {
        let next = self.queue.pop_front()?;
        self.bytes = self.bytes.saturating_sub(next.0.len());
        Some(next)
    }
}
