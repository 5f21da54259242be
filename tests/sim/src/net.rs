//! What the network is like. All of it may change while a run goes on.

use crate::{MS, dice::spread};

/// Conditions that hold for all nodes and links.
#[derive(Debug, Clone)]
pub struct Net {
    /// One-way latency, drawn for each pair of nodes, the same in both directions and for each new link.
    pub latency_us: (u64, u64),
    /// Messages lost, in a million.
    pub loss: u32,
    /// More messages lost in one direction of every second link, in a million.
    pub one_way_loss: u32,
    /// Messages that come twice, in a million.
    pub duplicate: u32,
    /// Messages held back by up to [`REORDER_US`], past the ones behind them, in a million. All others
    /// keep their order on a link.
    pub reorder: u32,
    /// Uplink of a node in bytes a second, shared by its links; 0: no limit. A node may have its own.
    pub uplink: u64,
    /// Bytes that wait for a node's uplink at most; what is more is dropped and counted.
    pub queue_bytes: u64,
    /// Dials among living nodes that fail at once, in a million.
    pub dial_refused: u32,
    /// Dials among living nodes that hang until [`DIAL_TIMEOUT_US`], in a million.
    pub dial_hangs: u32,
    /// Nodes with fewer links than this are linked with random known nodes by the simulator, one dial
    /// a second: for protocols without an overlay of their own. 0: never.
    pub upkeep: usize,
}

/// How far a message may be held back.
pub(crate) const REORDER_US: u64 = 50 * MS;
/// Added to two round trips for a dial that works (key agreement, channel set-up).
pub(crate) const DIAL_COST_US: u64 = 50 * MS;
/// A dial that nobody answers fails then.
pub(crate) const DIAL_TIMEOUT_US: u64 = 5_000 * MS;
/// A link whose other end is silent is found dead then ...
pub(crate) const SILENCE_US: u64 = 3_000 * MS;
/// ... or so much later, as its pings happen to fall.
pub(crate) const SILENCE_JITTER_US: u64 = 500 * MS;
/// A ping as mesh/peer sends it: a tag and a nonce of 4 bytes. One a second from each side.
pub(crate) const PING_BYTES: u64 = 5;
/// Members that a starting node knows whereabouts of, at most.
pub(crate) const KNOWN_MAX: usize = 200;

/// What a dial to a dead node comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// Nothing listens there: it fails after a round trip.
    Refuses,
    /// Nobody answers: it hangs.
    Silent,
}

impl Default for Net {
    /// 10-50 ms one way, 20 Mbit/s up, nothing lost.
    fn default() -> Self {
        Self {
            latency_us: (10 * MS, 50 * MS),
            loss: 0,
            one_way_loss: 0,
            duplicate: 0,
            reorder: 0,
            uplink: 2_500_000,
            queue_bytes: 1_000_000,
            dial_refused: 0,
            dial_hangs: 0,
            upkeep: 0,
        }
    }
}

impl Net {
    /// One-way latency between two nodes.
    pub(crate) fn latency(&self, seed: u64, a: u32, b: u32) -> u64 {
        let (low, high) = self.latency_us;
        low + pair(seed, a, b) % (high - low + 1)
    }

    /// Messages lost from `from` to `to`, in a million.
    pub(crate) fn loss_on(&self, seed: u64, from: u32, to: u32) -> u32 {
        // The pair's upper bits say whether one direction is bad, and which.
        let bits = pair(seed, from, to) >> 62;
        let bad = bits & 1 == 1 && ((bits >> 1 == 1) == (from < to));
        self.loss + if bad { self.one_way_loss } else { 0 }
    }
}

/// A number that belongs to a pair of nodes.
fn pair(seed: u64, a: u32, b: u32) -> u64 {
    let pair = u64::from(a.min(b)) << 32 | u64::from(a.max(b));
    spread(spread(pair) ^ seed)
}
