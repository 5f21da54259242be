//! What others may make this device do in a second: so many times, and no more.

use std::{collections::VecDeque, time::Duration};

use peddlenet_wire::Timestamp;

const SECOND: Duration = Duration::from_secs(1);

/// Allows something so many times in any one second. The clock is an argument.
#[derive(Debug)]
pub(super) struct Rate {
    a_second: usize,
    /// When it was allowed in the last second, at most `a_second` times.
    at: VecDeque<Timestamp>,
}

impl Rate {
    pub(super) fn new(a_second: usize) -> Self {
        let at = VecDeque::new();
        Self { a_second, at }
    }

    /// Whether it may be done once more. A clock that is set back forgets what was.
    pub(super) fn allows(&mut self, now: Timestamp) -> bool {
        self.at.retain(|at| *at <= now && now.since(*at) < SECOND);
        let allows = self.at.len() < self.a_second;
        if allows {
            self.at.push_back(now);
        }
        allows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_allowed_a_few_times_a_second() {
        let mut rate = Rate::new(16);
        let at = |ms: u64| Timestamp(1_800_000_000_000 + ms);
        let allowed = (0..1_000).filter(|n| rate.allows(at(n / 2))).count();
        assert_eq!(allowed, 16);
        assert!(rate.allows(at(2_000)));
        assert!(rate.at.len() <= 16);
        assert!(rate.allows(at(1_000)), "a clock that was set back");
    }
}
