//! Time as integers. The pure crates receive it as an argument and never read a clock.

use std::time::Duration;

use minicbor::{Decode, Encode};

/// Milliseconds since the Unix epoch, by the clock of the device that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Timestamp(#[n(0)] pub u64);

impl Timestamp {
    /// This instant and a span later, saturating.
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }

    /// This instant and a span earlier, saturating.
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }

    /// How long ago `earlier` was; zero when it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Whole seconds, for formats that count those in 32 bits (until 2106).
    pub fn unix_seconds(self) -> u32 {
        u32::try_from(self.0 / 1000).unwrap_or(u32::MAX)
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Hybrid logical clock: 48 bits of Unix milliseconds, 16 bits of counter.
///
/// After Kulkarni et al., "Logical Physical Clocks" (2014). An event's clock is greater than the
/// clocks of everything its author had seen, so sorting by clock never shows an answer before its
/// question, whatever the wall clocks say. It is signed and never clamped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Hlc(#[n(0)] pub u64);

impl Hlc {
    const COUNTER_BITS: u32 = 16;

    /// The smallest clock of a wall time.
    pub fn at(now: Timestamp) -> Self {
        Self(now.0.min(u64::MAX >> Self::COUNTER_BITS) << Self::COUNTER_BITS)
    }

    /// The wall time inside.
    pub fn timestamp(self) -> Timestamp {
        Timestamp(self.0 >> Self::COUNTER_BITS)
    }

    /// The next clock of a device that reads `now` and has seen `self`.
    ///
    /// A counter that overflows carries into the milliseconds, which keeps the order.
    pub fn tick(self, now: Timestamp) -> Self {
        Self(self.0.saturating_add(1)).max(Self::at(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tick_exceeds_what_was_seen_even_when_the_wall_clock_jumps_back() {
        let seen = Hlc::at(Timestamp(5_000));
        assert!(seen.tick(Timestamp(1_000)) > seen);
        assert_eq!(seen.tick(Timestamp(9_000)), Hlc::at(Timestamp(9_000)));
    }

    #[test]
    fn the_ends_of_the_range_do_not_overflow() {
        assert_eq!(Hlc(u64::MAX).tick(Timestamp(u64::MAX)), Hlc(u64::MAX));
        assert_eq!(
            Timestamp(u64::MAX).after(Duration::MAX),
            Timestamp(u64::MAX)
        );
        assert_eq!(Timestamp(1).since(Timestamp(2)), Duration::ZERO);
    }
}
