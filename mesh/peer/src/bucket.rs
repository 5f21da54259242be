//! A token bucket, fed with the time.

use std::time::Instant;

/// So many a second, and as many at once.
#[derive(Debug)]
pub(crate) struct Bucket {
    a_second: u32,
    /// Thousandths of a token.
    level: u64,
    filled: Option<Instant>,
}

impl Bucket {
    pub(crate) fn new(a_second: u32) -> Self {
        Self {
            a_second,
            level: u64::from(a_second).saturating_mul(1000),
            filled: None,
        }
    }

    /// Takes so many tokens if they are there.
    pub(crate) fn take(&mut self, tokens: u32, now: Instant) -> bool {
        let since = self.filled.map_or(0, |filled| {
            u64::try_from(now.saturating_duration_since(filled).as_millis()).unwrap_or(u64::MAX)
        });
        // Parts of a millisecond are not lost: the time stands still until a whole one has passed.
        if since > 0 || self.filled.is_none() {
            self.filled = Some(now);
        }
        let full = u64::from(self.a_second).saturating_mul(1000);
        let gained = since.saturating_mul(u64::from(self.a_second));
        self.level = self.level.saturating_add(gained).min(full);
        match self
            .level
            .checked_sub(u64::from(tokens).saturating_mul(1000))
        {
            Some(left) => {
                self.level = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_bucket_holds_a_second_and_refills() {
        let (mut bucket, start) = (Bucket::new(10), Instant::now());
        assert_eq!((0..20).filter(|_| bucket.take(1, start)).count(), 10);
        let later = start + Duration::from_millis(500);
        assert_eq!((0..20).filter(|_| bucket.take(1, later)).count(), 5);
        assert!(
            !bucket.take(11, later + Duration::from_secs(100)),
            "never more than a second's"
        );
        assert!(bucket.take(10, later + Duration::from_secs(100)));
    }

    #[test]
    fn many_looks_within_a_millisecond_lose_no_time() {
        let (mut bucket, start) = (Bucket::new(1000), Instant::now());
        assert!(bucket.take(1000, start));
        let micros = (1..=10_000).map(|n| start + Duration::from_micros(n));
        let taken = micros.filter(|now| bucket.take(1, *now)).count();
        assert!((9..=10).contains(&taken), "{taken} in ten milliseconds");
    }
}
