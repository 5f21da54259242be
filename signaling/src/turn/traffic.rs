//! What STUN and TURN did since the start, counted for the metrics. Sums only.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn more(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Default)]
pub(crate) struct Traffic {
    /// Requests for the own address that were answered.
    pub(crate) bindings: Count,
    /// Relays handed out.
    pub(crate) relays: Count,
    /// Bytes from and to peers.
    pub(crate) bytes: Count,
    /// Datagrams lost to the rate of a relay or a busy network.
    pub(crate) dropped: Count,
    /// Peers and datagrams that the refusal list stopped.
    pub(crate) refused: Count,
    /// Requests with a wrong or an old credential.
    pub(crate) unauthorized: Count,
    /// Requests unanswered because their address asks too often.
    pub(crate) flooding: Count,
}
