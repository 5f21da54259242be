//! A token bucket: so many messages a second, so many at once.

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
        let waited = now.saturating_duration_since(self.filled).as_secs_f64();
        self.filled = now;
        self.tokens = (self.tokens + waited * self.per_second).min(self.burst);
        let taken = self.tokens >= 1.0;
        if taken {
            self.tokens -= 1.0;
        }
        taken
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
        // A long silence fills it up to the burst and no further.
        assert_eq!((0..9).filter(|_| bucket.take(at(99_000))).count(), 3);
    }
}
