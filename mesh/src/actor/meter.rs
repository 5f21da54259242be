//! How fast one link may bring frames: beyond it the link waits, and so does its sender; one that
//! keeps it up is no member's device.
//!
//! Pure: a time in, a pause out. After the generic cell rate algorithm (ITU-T I.371): what a link
//! has brought is due at a time, and that time may lie [`AT_ONCE`] ahead.

use std::time::{Duration, Instant};

/// Units a second from one link: a frame is one, and one more for each [`UNIT`] bytes, so that an
/// announcement of 256 events costs more than one of one. What was asked for (batches) is one, however
/// long. An honest engine brings a few hundred: live events at the pace of people (200 checks a
/// second is the engine's own bound), announcements every 25 ms.
pub(super) const UNITS_A_SECOND: u32 = 1_500;
/// See [`UNITS_A_SECOND`] (bytes).
const UNIT: usize = 1024;
/// Bytes a second from one link; more than most networks carry. Being over it alone is no offence.
pub(super) const BYTES_A_SECOND: u32 = 32 << 20;
/// How much of both may come at once.
const AT_ONCE: Duration = Duration::from_secs(2);
/// A link that has brought more frames than it may for so long, without a pause of a second
/// in all, floods.
pub(super) const FLOOD_FOR: Duration = Duration::from_secs(8);

/// What one link has brought of late.
#[derive(Debug)]
pub(super) struct Meter {
    frames_due: Instant,
    bytes_due: Instant,
    over_since: Option<Instant>,
}

impl Meter {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            frames_due: now,
            bytes_due: now,
            over_since: None,
        }
    }

    /// Counts a frame, which this device asked for or not, and says how long to wait before the next is read.
    pub(super) fn take(&mut self, bytes: usize, asked_for: bool, now: Instant) -> Duration {
        let more = if asked_for { 0 } else { bytes / UNIT };
        let units = u32::try_from(more).unwrap_or(u32::MAX).saturating_add(1);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let cost = Duration::from_secs(1).mul_f64(f64::from(units) / f64::from(UNITS_A_SECOND));
        let frames = ahead(&mut self.frames_due, cost, now);
        let a_byte = Duration::from_secs(1).mul_f64(f64::from(bytes) / f64::from(BYTES_A_SECOND));
        let size = ahead(&mut self.bytes_due, a_byte, now);
        if frames > AT_ONCE {
            self.over_since.get_or_insert(now);
        } else if frames < AT_ONCE / 2 {
            self.over_since = None;
        }
        frames.max(size).saturating_sub(AT_ONCE)
    }

    /// Whether the link has been bringing too many frames for long.
    pub(super) fn floods(&self, now: Instant) -> bool {
        self.over_since
            .is_some_and(|since| now.saturating_duration_since(since) >= FLOOD_FOR)
    }
}

/// Moves a due time on, and says how far ahead it lies.
fn ahead(due: &mut Instant, by: Duration, now: Instant) -> Duration {
    *due = (*due).max(now) + by;
    due.saturating_duration_since(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Brings frames as fast as the meter lets it, for so long; gives their number, and whether
    /// it was a flood.
    fn push(meter: &mut Meter, bytes: usize, start: Instant, span: Duration) -> (u32, bool) {
        let asked_for = bytes > 10_000;
        let (mut now, mut frames) = (start, 0);
        while now < start + span {
            // What a frame takes to arrive at line rate.
            now += meter.take(bytes, asked_for, now) + Duration::from_micros(20);
            frames += 1;
            if meter.floods(now) {
                return (frames, true);
            }
        }
        (frames, false)
    }

    #[test]
    fn a_flood_is_slowed_at_once_and_told_after_a_while() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        let (frames, floods) = push(&mut meter, 100, start, Duration::from_secs(60));
        assert!(floods);
        let seconds = u32::try_from((FLOOD_FOR + AT_ONCE).as_secs()).unwrap() + 1;
        assert!(frames <= seconds * UNITS_A_SECOND, "{frames}");
    }

    #[test]
    fn a_burst_that_pauses_is_none() {
        let start = Instant::now();
        let (mut meter, mut now) = (Meter::new(start), start);
        for _ in 0..20 {
            assert!(!push(&mut meter, 100, now, Duration::from_secs(3)).1);
            now += Duration::from_secs(5);
        }
    }

    #[test]
    fn long_batches_are_slowed_and_are_no_flood() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        let (frames, floods) = push(&mut meter, 64 << 10, start, Duration::from_secs(60));
        assert!(!floods);
        let bytes = u64::from(frames) * (64 << 10);
        assert!(bytes <= 63 * u64::from(BYTES_A_SECOND), "{bytes}");
    }

    #[test]
    fn what_an_honest_engine_sends_waits_for_nothing() {
        let (mut meter, mut now) = (Meter::new(Instant::now()), Instant::now());
        for _ in 0..20_000 {
            now += Duration::from_millis(5);
            assert_eq!(meter.take(1_000, false, now), Duration::ZERO);
        }
    }
}
