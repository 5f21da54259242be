//! Rest: letting the driver of a link that has nothing to do sleep.
//!
//! The driver sleeps until the next deadline of anything in it, and the ICE agent of `rtc` 0.21.1 names one every
//! 200 ms for as long as a connection lives, whatever its timeouts are: forty wake-ups a second with eight links.
//! After the link is open that deadline is empty, since the agent's own timeouts are switched off (see
//! [`connection`](crate::connection)). What else has deadlines then is SCTP: it repeats what was not acknowledged,
//! and acknowledges what came in up to 200 ms late.
//!
//! So a sleep is made longer while nothing waits for an acknowledgement and no packet has passed for a little while.
//! Whatever happens ends it: datagrams that come in, and frames that are to go out.

use super::{Session, lock};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use webrtc::data_channel::DataChannel;

/// The deadline that says nothing; see the module. A longer one is SCTP's.
const ICE_TICK: Duration = Duration::from_millis(200);
/// So long after the last packet: what SCTP holds back has gone out by then, and what the driver forgot to send (see
/// [`with_awake_driver`](crate::connection::Connection::with_awake_driver)) has gone with two ticks.
const QUIET: Duration = Duration::from_millis(350);
/// How long a driver rests. It wakes for whatever happens; this bounds what nobody thought of.
const REST: Duration = Duration::from_secs(30);

/// Lanes of a link.
const LANES: usize = 3;

/// What tells whether the driver may rest.
#[derive(Default)]
pub(super) struct Rest {
    /// Milliseconds after the session's epoch at which its driver last took or gave a packet.
    packet_ms: AtomicU64,
    /// Of a link that is open. They know the session through their connection.
    lanes: OnceLock<[Weak<dyn DataChannel>; LANES]>,
    /// The link is being taken down.
    over: AtomicBool,
}

impl Session {
    /// From now on the driver may rest between packets, and these lanes say whether there is something to do.
    pub(crate) fn may_rest(&self, lanes: &[Arc<dyn DataChannel>; LANES]) {
        let _ = self.rest.lanes.set(lanes.each_ref().map(Arc::downgrade));
    }

    /// The link ends: the driver sleeps as it likes.
    pub(crate) fn no_rest(&self) {
        self.rest.over.store(true, Ordering::Relaxed);
    }

    /// The driver took or gave a packet.
    pub(super) fn packet_passed(&self) {
        self.rest.packet_ms.store(self.age_ms(), Ordering::Relaxed);
    }

    /// How long the driver shall sleep that asks to sleep for so long. Called by it, between two looks at the
    /// connection.
    pub(crate) fn rest(&self, asked: Duration) -> Duration {
        match asked <= ICE_TICK && self.is_at_rest() {
            true => REST,
            false => asked,
        }
    }

    fn is_at_rest(&self) -> bool {
        let packet = self.rest.packet_ms.load(Ordering::Relaxed);
        let quiet = Duration::from_millis(self.age_ms().saturating_sub(packet));
        let over = self.rest.over.load(Ordering::Relaxed);
        if over || quiet < QUIET || !lock(&self.inbox).queue.is_empty() {
            return false;
        }
        let mut waiting = (0..LANES).map(|lane| self.outstanding(lane));
        waiting.all(|bytes| bytes == Some(0))
    }

    /// Bytes that a lane has handed to SCTP and that have not arrived. `None` where that can't be told now: the
    /// connection's lock is tried and never waited for. Whoever waits for it is served in turn, and a driver that does
    /// so in its sleep isn't there to be served when something else wakes it.
    pub(crate) fn outstanding(&self, lane: usize) -> Option<usize> {
        let lane = self.rest.lanes.get()?.get(lane)?.upgrade()?;
        let mut asked = lane.outstanding_bytes();
        match asked.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(bytes) => bytes.ok(),
            Poll::Pending => None,
        }
    }
}
