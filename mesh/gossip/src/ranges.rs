//! Sets of positions in a log, as stretches.
//!
//! Positions come from the wire: sets are computed on their ends, never position by position, so
//! that a claim of 2^64 events costs what a claim of one does.

use peddlenet_wire::Seq;

/// Positions as ascending, disjoint, non-adjacent stretches with both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The stretches, ascending.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (Seq, Seq)> + '_ {
        self.0.iter().map(|&(from, to)| (Seq(from), Seq(to)))
    }

    /// How many stretches there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The highest position.
    pub(crate) fn last(&self) -> Option<Seq> {
        self.0.last().map(|&(_, to)| Seq(to))
    }

    /// The highest position at or below `seq`.
    pub(crate) fn floor(&self, seq: Seq) -> Option<Seq> {
        let at = self.0.partition_point(|&(from, _)| from <= seq.0);
        let &(_, to) = self.0.get(at.checked_sub(1)?)?;
        Some(Seq(to.min(seq.0)))
    }

    pub(crate) fn contains(&self, seq: Seq) -> bool {
        self.floor(seq) == Some(seq)
    }

    /// How many positions are in, saturating.
    pub(crate) fn count(&self) -> u64 {
        self.0.iter().fold(0, |sum: u64, &(from, to)| {
            sum.saturating_add(to.saturating_sub(from).saturating_add(1))
        })
    }

    /// Whether adding a position makes one stretch more.
    pub(crate) fn would_split(&self, seq: Seq) -> bool {
        let near = |n: Option<u64>| n.is_some_and(|n| self.contains(Seq(n)));
        !self.contains(seq) && !near(seq.0.checked_sub(1)) && !near(seq.0.checked_add(1))
    }

    pub(crate) fn insert(&mut self, seq: Seq) {
        self.insert_range(seq, seq);
    }

    /// Adds a stretch; nothing when it is the wrong way round.
    pub(crate) fn insert_range(&mut self, from: Seq, to: Seq) {
        let (mut from, mut to) = (from.0, to.0);
        if from > to {
            return;
        }
        // Every stretch that overlaps or touches the new one melts into it.
        let start = self.0.partition_point(|&(_, t)| t.saturating_add(1) < from);
        let end = self.0.partition_point(|&(f, _)| f <= to.saturating_add(1));
        let melting = self.0.get(start..end.max(start)).unwrap_or_default();
        if let (Some(first), Some(last)) = (melting.first(), melting.last()) {
            from = from.min(first.0);
            to = to.max(last.1);
        }
        self.0.splice(start..end.max(start), [(from, to)]);
    }

    /// Takes a stretch out.
    pub(crate) fn remove_range(&mut self, from: Seq, to: Seq) {
        let (from, to) = (from.0, to.0);
        let start = self.0.partition_point(|&(_, t)| t < from);
        let end = self.0.partition_point(|&(f, _)| f <= to);
        if from > to || start >= end {
            return;
        }
        let cut = self.0.get(start..end).unwrap_or_default();
        let mut rest = Vec::with_capacity(2);
        if let Some(&(f, _)) = cut.first()
            && let Some(left) = from.checked_sub(1)
            && f <= left
        {
            rest.push((f, left));
        }
        if let Some(&(_, t)) = cut.last()
            && let Some(right) = to.checked_add(1)
            && right <= t
        {
            rest.push((right, t));
        }
        self.0.splice(start..end, rest);
    }

    pub(crate) fn remove(&mut self, seq: Seq) {
        self.remove_range(seq, seq);
    }

    /// Takes out everything that is in another set.
    pub(crate) fn subtract(&mut self, other: &Self) {
        // Only stretches of the other set that can touch this one are worth a look.
        let (Some(&(low, _)), Some(&(_, high))) = (self.0.first(), self.0.last()) else {
            return;
        };
        let start = other.0.partition_point(|&(_, to)| to < low);
        for &(from, to) in other.0.get(start..).unwrap_or_default() {
            if from > high {
                break;
            }
            self.remove_range(Seq(from), Seq(to));
        }
    }

    /// Keeps only the highest `limit` stretches.
    pub(crate) fn keep_highest(&mut self, limit: usize) {
        let excess = self.0.len().saturating_sub(limit);
        self.0.drain(..excess);
    }

    /// The upper end of the set: at most `limit` positions of its highest stretch.
    pub(crate) fn top(&self, limit: u64) -> Option<(Seq, Seq)> {
        let &(from, to) = self.0.last()?;
        let low = to.saturating_sub(limit.saturating_sub(1));
        Some((Seq(from.max(low)), Seq(to)))
    }

    /// The lower end of the set: at most `limit` positions of its lowest stretch.
    pub(crate) fn bottom(&self, limit: u64) -> Option<(Seq, Seq)> {
        let &(from, to) = self.0.first()?;
        let high = from.saturating_add(limit.saturating_sub(1));
        Some((Seq(from), Seq(to.min(high))))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn listed(ranges: &Ranges) -> Vec<u64> {
        ranges.iter().flat_map(|(a, b)| a.0..=b.0).collect()
    }

    fn well_formed(ranges: &Ranges) -> bool {
        ranges.0.iter().all(|(a, b)| a <= b) && ranges.0.windows(2).all(|w| w[0].1 + 1 < w[1].0)
    }

    proptest! {
        #[test]
        fn ranges_agree_with_a_set(ops in prop::collection::vec((any::<bool>(), 0u64..40, 0u64..8), 0..40)) {
            let (mut ranges, mut set) = (Ranges::new(), BTreeSet::new());
            for (add, from, len) in ops {
                let splits = ranges.would_split(Seq(from));
                let before = ranges.len();
                if add {
                    ranges.insert_range(Seq(from), Seq(from + len));
                    set.extend(from..=from + len);
                    prop_assert!(len > 0 || splits == (ranges.len() == before + 1));
                } else {
                    ranges.remove_range(Seq(from), Seq(from + len));
                    set.retain(|n| !(from..=from + len).contains(n));
                }
                prop_assert!(well_formed(&ranges));
                prop_assert_eq!(listed(&ranges), set.iter().copied().collect::<Vec<_>>());
                prop_assert_eq!(ranges.count(), set.len() as u64);
                prop_assert!((0..50).all(|n| ranges.contains(Seq(n)) == set.contains(&n)));
                prop_assert!((0..50).all(|n| ranges.floor(Seq(n)).map(|s| s.0) == set.range(..=n).next_back().copied()));
            }
        }

        #[test]
        fn subtraction_agrees_with_a_set(a in prop::collection::vec((0u64..60, 0u64..9), 0..9), b in prop::collection::vec((0u64..60, 0u64..9), 0..9)) {
            let make = |parts: &[(u64, u64)]| {
                let mut ranges = Ranges::new();
                parts.iter().for_each(|&(from, len)| ranges.insert_range(Seq(from), Seq(from + len)));
                ranges
            };
            let (mut left, right) = (make(&a), make(&b));
            let expected: Vec<u64> = listed(&left).into_iter().filter(|n| !right.contains(Seq(*n))).collect();
            left.subtract(&right);
            prop_assert!(well_formed(&left));
            prop_assert_eq!(listed(&left), expected);
        }
    }

    #[test]
    fn the_ends_of_the_number_line_are_positions_like_others() {
        let mut ranges = Ranges::new();
        ranges.insert_range(Seq(0), Seq(u64::MAX));
        assert_eq!(ranges.count(), u64::MAX);
        ranges.remove(Seq(u64::MAX));
        ranges.remove(Seq(0));
        assert_eq!(ranges.top(4), Some((Seq(u64::MAX - 4), Seq(u64::MAX - 1))));
        assert_eq!(ranges.bottom(4), Some((Seq(1), Seq(4))));
        ranges.insert(Seq(u64::MAX));
        ranges.insert(Seq(0));
        assert_eq!(ranges.len(), 1);
    }

    #[test]
    fn a_stretch_the_wrong_way_round_is_empty() {
        let mut ranges = Ranges::new();
        ranges.insert_range(Seq(9), Seq(3));
        assert!(ranges.is_empty());
    }

    #[test]
    fn only_the_newest_stretches_are_kept() {
        let mut ranges = Ranges::new();
        (0..10).for_each(|n| ranges.insert(Seq(n * 2)));
        ranges.keep_highest(3);
        assert_eq!(listed(&ranges), [14, 16, 18]);
    }
}
