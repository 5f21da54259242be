//! A token bucket: so many messages or bytes a second, so many at once.

use tokio::time::Instant;

/// Holds up to `burst` tokens, refilled at a steady rate; time is an argument.
pub(crate) struct Bucket {
    tokens: f64,
    burst: f64,
    per_second: f64,
    filled: Instant,
}

impl Bucket {
    pub(crate) fn full(per_second: u32, burst: u32, now: Instant) -> Self {
        let burst = f64::from(burst);
        Self {
            tokens: burst,
            burst,
            per_second: f64::from(per_second),
            filled: now,
        }
    }

    /// Takes a token; false when there is none.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        self.take_some(1, now)
    }

    /// Takes so many tokens, or none of them and is false.
    pub(crate) fn take_some(&mut self, tokens: u32, now: Instant) -> bool {
        self.fill(now);
        let wanted = f64::from(tokens);
        let taken = self.tokens >= wanted;
        if taken {
            self.tokens -= wanted;
        }
        taken
    }

    /// Whether nothing was taken for so long that it remembers nothing.
    pub(crate) fn is_full(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.tokens >= self.burst
    }

    fn fill(&mut self, now: Instant) {
        let waited = now.saturating_duration_since(self.filled).as_secs_f64();
        self.filled = now;
        self.tokens = (self.tokens + waited * self.per_second).min(self.burst);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let start = Instant::now();
        let mut bucket = Bucket::full(10, 3, start);
        let at = |ms| start + Duration::from_millis(ms);
        assert!((0..3).all(|_| bucket.take(at(0))));
        assert!(!bucket.take(at(0)));
        assert!(!bucket.take(at(50)));
        assert!(bucket.take(at(110)));
        assert!(!bucket.take(at(120)));
        assert!(!bucket.is_full(at(200)) && !bucket.take_some(4, at(98_000)));
        // A long silence fills it up to the burst and no further.
        assert!(bucket.is_full(at(98_000)));
        assert_eq!((0..9).filter(|_| bucket.take(at(99_000))).count(), 3);
    }
}
