//! Timers that fire together: a device with nothing else to do wakes once for all of them, and its radio too.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Since when this device counts time.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The last moment up to `at` at which everything of that pace is done.
pub(crate) fn in_step(at: Instant, pace: Duration) -> Instant {
    in_step_since(at, pace, *EPOCH)
}

fn in_step_since(at: Instant, pace: Duration, epoch: Instant) -> Instant {
    let since = at.saturating_duration_since(epoch).as_nanos();
    let beyond = since.checked_rem(pace.as_nanos()).unwrap_or_default();
    at - Duration::from_nanos(u64::try_from(beyond).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_out_of_step_is_done_together_and_nothing_waits_longer_than_its_pace() {
        let epoch = Instant::now();
        let pace = Duration::from_millis(1_500);
        let after = |ms| epoch + Duration::from_millis(ms);
        let next = |at: Instant| in_step_since(at + pace, pace, epoch);
        for ms in [0, 1, 700, 1_499] {
            assert_eq!(next(after(ms)), after(1_500), "{ms}");
        }
        // A timer that is a bit late doesn't shift the next one.
        assert_eq!(next(after(1_502)), after(3_000));
        assert_eq!(next(after(1_500)), after(3_000));
    }
}
