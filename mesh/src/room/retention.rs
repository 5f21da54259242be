//! How long a room keeps what was said in it.
//!
//! The one who made the room laid it down in `create`, so it is the same for everybody. Devices let go at
//! the same moments, not each at its own: else one would hold what its neighbour let go, and they would
//! compare what they have for nothing. Membership is kept for ever, since it decides who may read.

use peddlenet_wire::{EventHash, Hlc, SignedEvent, Stream, Timestamp};

use super::Room;

/// The moments are a hundredth of what the room keeps apart, between these (ms).
const STEP_PART: u64 = 100;
const STEP_MIN: u64 = 1_000;
const STEP_MAX: u64 = 3_600_000;

/// Content from before that moment is let go. `None`: nothing is yet.
fn cutoff(keep_s: u32, now: Timestamp) -> Option<Timestamp> {
    let keep = u64::from(keep_s).saturating_mul(1_000);
    let step = (keep / STEP_PART).clamp(STEP_MIN, STEP_MAX);
    let at = now.0.checked_sub(keep)?;
    Some(Timestamp(at - at % step))
}

impl Room {
    /// The moment before which content is let go; `None` where it is kept for ever.
    pub(crate) fn cutoff(&self, now: Timestamp) -> Option<Timestamp> {
        cutoff(self.roster.policy()?.retention_s?, now)
    }

    /// Whether an event is older than the room keeps it.
    pub(crate) fn is_too_old(&self, event: &SignedEvent, now: Timestamp) -> bool {
        let header = event.header();
        let cutoff = self
            .cutoff(now)
            .filter(|_| header.stream == Stream::CONTENT);
        cutoff.is_some_and(|before| header.clock < Hlc::at(before))
    }

    /// What is gone is named as a parent no more: a joiner would wait for it.
    pub(crate) fn forget_tips(&mut self, before: Timestamp) {
        let before = (Hlc::at(before), EventHash::ZERO);
        self.tips.retain(|_, tip| *tip >= before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_let_go_at_the_same_moments() {
        let day = 86_400;
        let now = Timestamp(1_800_000_123_456);
        let at = cutoff(day, now).unwrap();
        assert_eq!(cutoff(day, Timestamp(now.0 + 5_000)), Some(at));
        let step = u64::from(day) * 1_000 / STEP_PART;
        assert_eq!(at.0 % step, 0);
        assert!(
            now.0 - at.0 >= u64::from(day) * 1_000,
            "never before its time"
        );
        assert!(now.0 - at.0 < u64::from(day) * 1_000 + step);
        assert_eq!(cutoff(day, Timestamp(1_000)), None);
        assert_eq!(cutoff(1, Timestamp(10_999)), Some(Timestamp(9_000)));
    }
}
