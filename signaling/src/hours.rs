//! Counts by hour of the last day, for the status page. Pure: the time is an argument.

use std::collections::VecDeque;

/// Hours that are kept.
const KEPT: usize = 24;

/// Sums since the start, and how many are there now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) devices: u64,
    pub(crate) arrivals: u64,
    pub(crate) messages: u64,
    pub(crate) relays: u64,
}

/// What happened in one hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hour {
    /// Hours since 1970, UTC.
    pub(crate) number: u64,
    /// The most that were there at once, of the moments that were looked at.
    pub(crate) devices: u64,
    pub(crate) arrivals: u64,
    pub(crate) messages: u64,
    pub(crate) relays: u64,
}

/// The last 24 hours in which something was noted, oldest first.
#[derive(Default)]
pub(crate) struct Hours {
    hours: VecDeque<Hour>,
    last: Totals,
}

impl Hours {
    /// Adds what happened since the last time to the hour of `now`, in seconds since 1970.
    pub(crate) fn note(&mut self, now: u64, totals: Totals) {
        let number = now / 3600;
        // A clock that was set back goes on in the hour that it had reached.
        if self.hours.back().is_none_or(|hour| hour.number < number) {
            self.hours.push_back(Hour {
                number,
                ..Hour::default()
            });
        }
        while self.hours.len() > KEPT {
            self.hours.pop_front();
        }
        if let Some(hour) = self.hours.back_mut() {
            let since = |new: u64, old: u64| new.saturating_sub(old);
            hour.devices = hour.devices.max(totals.devices);
            hour.arrivals += since(totals.arrivals, self.last.arrivals);
            hour.messages += since(totals.messages, self.last.messages);
            hour.relays += since(totals.relays, self.last.relays);
        }
        self.last = totals;
    }

    /// Newest first, and none that is a day old.
    pub(crate) fn recent(&self, now: u64) -> impl Iterator<Item = &Hour> {
        let oldest = (now / 3600).saturating_sub(KEPT as u64 - 1);
        let recent = self.hours.iter().rev();
        recent.filter(move |hour| hour.number >= oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(devices: u64, arrivals: u64) -> Totals {
        Totals {
            devices,
            arrivals,
            messages: arrivals * 10,
            relays: 0,
        }
    }

    #[test]
    fn each_hour_has_what_happened_in_it() {
        let mut hours = Hours::default();
        hours.note(7200, totals(2, 2));
        hours.note(9000, totals(5, 6));
        hours.note(10_799, totals(1, 6));
        hours.note(10_800, totals(1, 7));
        let seen: Vec<_> = hours.recent(10_800).copied().collect();
        let hour = |number, devices, arrivals, messages| Hour {
            number,
            devices,
            arrivals,
            messages,
            relays: 0,
        };
        assert_eq!(seen, [hour(3, 1, 1, 10), hour(2, 5, 6, 60)]);
    }

    #[test]
    fn a_day_is_kept_and_no_more() {
        let mut hours = Hours::default();
        for number in 0..100 {
            hours.note(number * 3600, totals(1, number));
        }
        assert_eq!(hours.hours.len(), KEPT);
        assert_eq!(hours.recent(99 * 3600).count(), KEPT);
        assert_eq!(
            hours.recent(110 * 3600).count(),
            KEPT - 11,
            "a day ago is long ago"
        );
        hours.note(0, totals(1, 200));
        assert_eq!(hours.hours.len(), KEPT, "a clock that was set back");
    }
}
