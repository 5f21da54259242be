//! Bytes that came in and that nobody has read yet, bounded for each link and for all together.
//!
//! ```text
//! inbox --took--> DTLS, SCTP, 256 messages of webrtc's, 256 more a lane --> readers --> LinkReceiver
//!   ^ stops here while too much is on that way                       `--- idle: nothing is on it
//! ```
//!
//! `webrtc` 0.21.1 counts messages, not bytes: what it holds for a reader that stopped is 256
//! messages and as many again for each lane, 48 MiB of long ones, and SCTP's own window closes only
//! after that. So the driver gets no datagrams while more than [`HELD_MAX`] are on their way to the
//! readers. What the other side may have in flight fits the inbox, so nothing is lost by it, and it
//! is SCTP that holds the sender up. Datagrams carry more than messages, so the sum is off by the
//! headers, and acknowledgements are for no reader at all. It begins anew whenever both reliable lanes
//! have nothing to read, and readers are asked for that whenever the bound is reached.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// Bytes of datagrams on their way to one link's readers. As frames of nothing they take twenty times
/// as much memory.
pub const HELD_MAX: usize = 256 << 10;
/// The same before a link is open: a DTLS and a link handshake are a tenth of it.
pub const HALF_OPEN_BYTES: usize = 64 << 10;
/// The same of all links of an endpoint together ..
pub const HELD_BY_ALL: usize = 3 << 20;
/// .. beyond which each link may still have so many, so that no link starves for another's sake.
pub const HELD_FREE: usize = 128 << 10;

/// The reliable lanes, one bit each.
const LANES: u8 = 0b11;

/// What the links of an endpoint hold together.
#[derive(Debug, Default)]
pub(crate) struct Pool(AtomicUsize);

/// What one link holds.
#[derive(Debug)]
pub(crate) struct Held {
    pool: Arc<Pool>,
    bytes: AtomicUsize,
    idle: AtomicU8,
}

impl Held {
    pub(crate) fn new(pool: Arc<Pool>) -> Self {
        Self {
            pool,
            bytes: AtomicUsize::new(0),
            idle: AtomicU8::new(0),
        }
    }

    /// Whether the driver may have another datagram.
    pub(crate) fn may_take(&self, open: bool) -> bool {
        let own = self.bytes.load(Ordering::Relaxed);
        match open {
            false => own < HALF_OPEN_BYTES,
            true if own < HELD_FREE => true,
            true => own < HELD_MAX && self.pool.0.load(Ordering::Relaxed) < HELD_BY_ALL,
        }
    }

    /// The driver took a datagram.
    pub(crate) fn took(&self, datagram: &[u8]) {
        // STUN and other handshakes end in the agent; only DTLS records carry what waits for a reader.
        if datagram.first().is_some_and(|first| *first >= 20) {
            // The pool first: what is taken out of it again has been put in.
            self.pool.0.fetch_add(datagram.len(), Ordering::AcqRel);
            self.bytes.fetch_add(datagram.len(), Ordering::AcqRel);
        }
    }

    /// A lane's reader has nothing to read. Says whether the link has room again.
    pub(crate) fn idle(&self, lane: u8) -> bool {
        let before = self.idle.fetch_or(1 << lane, Ordering::Relaxed);
        if (before | (1 << lane)) & LANES != LANES {
            return false;
        }
        let held = self.bytes.swap(0, Ordering::AcqRel);
        self.pool.0.fetch_sub(held, Ordering::AcqRel);
        held >= HELD_FREE.min(HALF_OPEN_BYTES)
    }

    /// Too much is held, as far as is known: both readers have to say anew that they have nothing to read.
    pub(crate) fn ask_again(&self) {
        self.idle.store(0, Ordering::Relaxed);
    }

    /// A lane's reader has something to read.
    pub(crate) fn busy(&self, lane: u8) {
        self.idle.fetch_and(!(1 << lane), Ordering::Relaxed);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let held = self.bytes.swap(0, Ordering::AcqRel);
        self.pool.0.fetch_sub(held, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(held: &Held, open: bool) -> usize {
        let record = [23; 1000];
        let mut taken = 0;
        while held.may_take(open) {
            held.took(&record);
            taken += record.len();
            assert!(taken < 64 << 20, "no bound");
        }
        taken
    }

    #[test]
    fn a_link_that_nobody_reads_is_bounded_and_less_before_it_is_open() {
        let held = Held::new(Arc::default());
        assert!(fill(&held, false) <= HALF_OPEN_BYTES + 1000);
        assert!(fill(&held, true) <= HELD_MAX);
        assert!(!held.may_take(true));
    }

    #[test]
    fn what_was_for_no_reader_holds_up_nothing_once_both_were_asked() {
        let held = Held::new(Arc::default());
        held.idle(0);
        held.idle(1);
        // Acknowledgements of what this side sends: no reader ever wakes for them.
        assert!(fill(&held, true) <= HELD_MAX + 1000);
        held.ask_again();
        assert!(
            !held.idle(1) && !held.may_take(true),
            "the other may have some"
        );
        assert!(held.idle(0), "the driver is to be woken");
        assert!(held.may_take(true));
    }

    #[test]
    fn it_may_take_again_once_both_lanes_are_read_empty() {
        let held = Held::new(Arc::default());
        fill(&held, true);
        assert!(!held.idle(0), "one lane may still have all of it");
        assert!(held.idle(1) && held.may_take(true));
        fill(&held, true);
        held.busy(0);
        assert!(!held.idle(1));
        assert!(held.idle(0));
    }

    #[test]
    fn links_share_a_bound_and_none_starves() {
        let pool = Arc::new(Pool::default());
        let links: Vec<_> = (0..20).map(|_| Held::new(Arc::clone(&pool))).collect();
        let taken: Vec<_> = links.iter().map(|held| fill(held, true)).collect();
        let sum: usize = taken.iter().sum();
        assert!(sum <= HELD_BY_ALL + 20 * (HELD_FREE + 1000), "{sum}");
        assert!(taken.iter().all(|one| *one >= HELD_FREE));
        drop(links);
        assert_eq!(pool.0.load(Ordering::Relaxed), 0, "gone with its links");
    }

    #[test]
    fn checks_of_ice_do_not_count() {
        let held = Held::new(Arc::default());
        (0..100_000).for_each(|_| held.took(&[0, 1, 0, 0]));
        assert!(held.may_take(false));
    }
}
