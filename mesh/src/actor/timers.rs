//! What the actor does later.
//!
//! Deadlines are handed over as times of the wall clock, like all else here, and kept as time that has to pass: a clock
//! that is set back by an hour must not stop dials, discovery and the engine for that hour. What a device slept through
//! has passed, although no counter of the system's may say so.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use peddlenet_gossip::TimerId;
use peddlenet_wire::{AuthorId, RoomTag, Timestamp};

/// What time may wake the actor for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    Engine(TimerId),
    Tick,
    Rooms,
    Receipts(RoomTag),
    Known,
    /// An epoch is due unless somebody else made one.
    Epoch(RoomTag),
    /// Neighbours are asked for missing keys.
    NeedEpochs(RoomTag),
    /// The way over the mesh is to be tried, too.
    Meet(RoomTag, AuthorId),
    /// The way over a server is to be tried, too; then the one over its relay.
    Serve(RoomTag, AuthorId),
    Relay(RoomTag, AuthorId),
    /// Servers are looked after: which are used, what is held and asked for there.
    Servers,
    WayFailed(RoomTag, AuthorId),
    DialFailed(RoomTag, AuthorId),
    /// Direct messages that wait set out again.
    Direct(RoomTag),
}

/// What is to be done, and when.
#[derive(Debug, Default)]
pub(super) struct Timers(BTreeSet<(Instant, Timer)>);

impl Timers {
    /// `now` is the same moment by both clocks.
    pub(super) fn arm(&mut self, timer: Timer, at: Timestamp, now: (Timestamp, Instant)) {
        let (wall, instant) = now;
        self.0.insert((instant + at.since(wall), timer));
    }

    /// The next one that is due.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Timer> {
        let first = self.0.first().filter(|(at, _)| *at <= now)?;
        let timer = first.1;
        self.0.pop_first();
        Some(timer)
    }

    /// From now to the next one.
    pub(super) fn wait(&self, now: Instant) -> Option<Duration> {
        let (at, _) = self.0.first()?;
        Some(at.saturating_duration_since(now))
    }

    /// The device slept for so long, uncounted. What became due meanwhile is due now, in the same order.
    pub(super) fn slept(&mut self, span: Duration, now: Instant) {
        for (n, (at, timer)) in (0..).zip(std::mem::take(&mut self.0)) {
            let sooner = at.checked_sub(span).map_or(now, |at| at.max(now));
            self.0.insert((sooner + Duration::from_nanos(n), timer));
        }
    }

    pub(super) fn has(&self, timer: Timer) -> bool {
        self.0.iter().any(|(_, armed)| *armed == timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const NOON: Timestamp = Timestamp(1_800_000_000_000);

    #[test]
    fn a_clock_that_is_set_back_delays_nothing() {
        let (mut timers, start) = (Timers::default(), Instant::now());
        timers.arm(Timer::Tick, NOON.after(MINUTE), (NOON, start));
        // An hour back: the clock shows eleven.
        let eleven = NOON.before(MINUTE * 60);
        timers.arm(Timer::Known, eleven.after(MINUTE * 2), (eleven, start));
        assert_eq!(timers.wait(start), Some(MINUTE));
        assert_eq!(timers.pop(start), None);
        assert_eq!(timers.pop(start + MINUTE), Some(Timer::Tick));
        assert_eq!(timers.pop(start + MINUTE), None);
        assert_eq!(timers.pop(start + MINUTE * 2), Some(Timer::Known));
        assert_eq!(timers.wait(start), None);
    }

    #[test]
    fn what_is_due_already_is_done_at_once() {
        let (mut timers, start) = (Timers::default(), Instant::now());
        timers.arm(Timer::Rooms, NOON.before(MINUTE), (NOON, start));
        assert_eq!(timers.wait(start), Some(Duration::ZERO));
        assert_eq!(timers.pop(start), Some(Timer::Rooms));
    }

    #[test]
    fn what_was_slept_through_has_passed() {
        let (mut timers, start) = (Timers::default(), Instant::now());
        for (timer, minutes) in [(Timer::Rooms, 9), (Timer::Servers, 2), (Timer::Tick, 1)] {
            timers.arm(timer, NOON.after(MINUTE * minutes), (NOON, start));
        }
        timers.slept(MINUTE * 5, start);
        let soon = start + Duration::from_millis(1);
        assert_eq!(timers.pop(soon), Some(Timer::Tick));
        assert_eq!(timers.pop(soon), Some(Timer::Servers));
        assert_eq!(timers.pop(soon), None);
        let left = timers.wait(start).unwrap();
        assert_eq!(left.as_secs(), (MINUTE * 4).as_secs());
    }
}
