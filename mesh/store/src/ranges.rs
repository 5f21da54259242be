//! Sets of positions as ascending, disjoint, non-adjacent ranges.

use peddlenet_wire::Seq;

/// Positions in a stream, as ranges with both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// The ranges, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (Seq, Seq)> + '_ {
        self.0.iter().map(|&(from, to)| (Seq(from), Seq(to)))
    }

    /// How many ranges there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a position is in.
    pub fn contains(&self, seq: Seq) -> bool {
        let at = self.0.partition_point(|&(_, to)| to < seq.0);
        self.0.get(at).is_some_and(|&(from, _)| from <= seq.0)
    }

    /// How many positions are in, saturating.
    pub fn count(&self) -> u64 {
        self.0.iter().fold(0, |sum: u64, &(from, to)| {
            sum.saturating_add((to - from).saturating_add(1))
        })
    }

    /// Adds a position and tells whether it was new.
    pub fn insert(&mut self, seq: Seq) -> bool {
        let seq = seq.0;
        // The first range that ends at or after the position's left neighbour.
        let at = self
            .0
            .partition_point(|&(_, to)| to.saturating_add(1) < seq);
        let touches_next =
            |next: Option<&(u64, u64)>| next.is_some_and(|n| n.0.checked_sub(1) == Some(seq));
        let joins_right = touches_next(self.0.get(at.saturating_add(1)));
        match self.0.get_mut(at) {
            Some(range) if range.0 <= seq && seq <= range.1 => return false,
            // It continues this range, and may close the gap to the next one.
            Some(range) if range.1.checked_add(1) == Some(seq) => {
                range.1 = seq;
                if joins_right {
                    let next = self.0.remove(at.saturating_add(1));
                    if let Some(range) = self.0.get_mut(at) {
                        range.1 = next.1;
                    }
                }
            }
            Some(range) if range.0.checked_sub(1) == Some(seq) => range.0 = seq,
            _ => self.0.insert(at, (seq, seq)),
        }
        true
    }

    /// Takes a position out.
    pub(crate) fn remove(&mut self, seq: Seq) {
        let at = self.0.partition_point(|&(_, to)| to < seq.0);
        let Some((from, to)) = self.0.get(at).copied().filter(|r| r.0 <= seq.0) else {
            return;
        };
        let left = seq.0.checked_sub(1).filter(|end| from <= *end);
        let right = seq.0.checked_add(1).filter(|start| *start <= to);
        let rest = [left.map(|end| (from, end)), right.map(|start| (start, to))];
        self.0.splice(at..=at, rest.into_iter().flatten());
    }

    /// Forgets the lowest ranges until at most `limit` are left.
    pub(crate) fn truncate_oldest(&mut self, limit: usize) {
        let excess = self.0.len().saturating_sub(limit);
        self.0.drain(..excess);
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        for (from, to) in &self.0 {
            out.extend_from_slice(&from.to_be_bytes());
            out.extend_from_slice(&to.to_be_bytes());
        }
    }

    /// `None` unless the ranges are ascending, disjoint and apart.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (pairs, rest) = bytes.as_chunks::<16>();
        let ranges: Vec<(u64, u64)> = pairs
            .iter()
            .map(|pair| {
                let both = u128::from_be_bytes(*pair);
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "the two halves of 128 bits"
                )]
                ((both >> 64) as u64, both as u64)
            })
            .collect();
        let apart = ranges
            .windows(2)
            .all(|two| matches!(two, [(_, a), (b, _)] if a.saturating_add(1) < *b));
        let forward = ranges.iter().all(|(from, to)| from <= to);
        (rest.is_empty() && apart && forward).then_some(Self(ranges))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_agree_with_a_set(seqs in prop::collection::vec(0u64..40, 0..60)) {
            let mut ranges = Ranges::default();
            let mut set = BTreeSet::new();
            for seq in seqs {
                prop_assert_eq!(ranges.insert(Seq(seq)), set.insert(seq));
                let listed: Vec<u64> = ranges.iter().flat_map(|(a, b)| a.0..=b.0).collect();
                prop_assert_eq!(listed, set.iter().copied().collect::<Vec<_>>());
                prop_assert_eq!(ranges.count(), set.len() as u64);
                prop_assert!((0..41).all(|n| ranges.contains(Seq(n)) == set.contains(&n)));
                let mut bytes = Vec::new();
                ranges.encode(&mut bytes);
                prop_assert_eq!(Ranges::decode(&bytes), Some(ranges.clone()));
            }
        }

        #[test]
        fn taking_out_agrees_with_a_set(steps in prop::collection::vec((any::<bool>(), 0u64..20), 0..80)) {
            let mut ranges = Ranges::default();
            let mut set = BTreeSet::new();
            for (take, seq) in steps {
                if take {
                    ranges.remove(Seq(seq));
                    set.remove(&seq);
                } else {
                    ranges.insert(Seq(seq));
                    set.insert(seq);
                }
                let listed: Vec<u64> = ranges.iter().flat_map(|(a, b)| a.0..=b.0).collect();
                prop_assert_eq!(listed, set.iter().copied().collect::<Vec<_>>());
            }
        }

        #[test]
        fn decoding_arbitrary_bytes_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Ranges::decode(&bytes);
        }
    }

    #[test]
    fn the_ends_of_the_number_line_are_positions_like_others() {
        let mut ranges = Ranges::default();
        assert!(ranges.insert(Seq(u64::MAX)) && ranges.insert(Seq(0)));
        assert!(ranges.insert(Seq(u64::MAX - 1)) && ranges.insert(Seq(1)));
        assert_eq!(ranges.len(), 2);
        assert!(!ranges.insert(Seq(u64::MAX)));
    }

    #[test]
    fn beyond_the_limit_the_newest_ranges_stay() {
        let mut ranges = Ranges::default();
        (0..10).for_each(|n| assert!(ranges.insert(Seq(n * 2))));
        ranges.truncate_oldest(3);
        assert_eq!(
            ranges.iter().map(|(from, _)| from.0).collect::<Vec<_>>(),
            [14, 16, 18]
        );
    }
}
