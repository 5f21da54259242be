//! What a device says of itself to everyone on a network, so that its friends find it there.
//!
//! ```text
//!  entry   tag 8 | mark 4          one for each room, and one for each open code
//!  notice  entry * n               sorted, and filled up with made-up ones to 4, 8, 16, 32, 64 or 80
//! ```
//!
//! A tag says which room to those who hold its keys, a mark says who in it (`peddlenet_crypto::discovery`).
//! Both change every ten minutes, and to anybody else they are random bytes: neither how many rooms
//! there are nor which of them are codes can be told from a notice. It travels as values of a DNS-SD
//! TXT record, of which each holds at most 255 bytes with its key (RFC 6763, section 6.1).

use std::collections::BTreeSet;

/// Bytes of a tag.
pub const TAG_LEN: usize = 8;
/// Bytes of a mark.
pub const MARK_LEN: usize = 4;
const ENTRY_LEN: usize = TAG_LEN + MARK_LEN;
/// Entries of a notice (count): 64 rooms and 16 codes. It fits one Ethernet frame with its envelope.
pub const ENTRIES_MAX: usize = 80;
/// How many entries a notice may have.
const SIZES: [usize; 6] = [4, 8, 16, 32, 64, ENTRIES_MAX];
/// Entries in one value.
const ENTRIES_A_VALUE: usize = 20;
/// Values of a notice (count).
pub const VALUES_MAX: usize = ENTRIES_MAX / ENTRIES_A_VALUE;

/// Names a room, or a code, to those who know its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiscoveryTag(pub [u8; TAG_LEN]);

/// Names a member of the room to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(pub [u8; MARK_LEN]);

/// One room or code of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Which room or code.
    pub tag: DiscoveryTag,
    /// Who in it; made up for a code.
    pub mark: Mark,
}

impl Entry {
    fn to_bytes(self) -> [u8; ENTRY_LEN] {
        let mut out = [0; ENTRY_LEN];
        let whole = self.tag.0.iter().chain(&self.mark.0);
        out.iter_mut().zip(whole).for_each(|(to, from)| *to = *from);
        out
    }

    /// An entry of random bytes.
    pub fn made_up(random: [u8; ENTRY_LEN]) -> Self {
        let (mut tag, mut mark) = ([0; TAG_LEN], [0; MARK_LEN]);
        let (first, rest) = random.split_at(TAG_LEN);
        tag.copy_from_slice(first);
        mark.copy_from_slice(rest);
        Self {
            tag: DiscoveryTag(tag),
            mark: Mark(mark),
        }
    }
}

/// The values of a notice with these entries; beyond [`ENTRIES_MAX`] the last are left out.
/// `random` makes up what fills it.
pub fn to_values(entries: &[Entry], mut random: impl FnMut() -> [u8; 12]) -> Vec<Vec<u8>> {
    let mut all: BTreeSet<Entry> = entries.iter().take(ENTRIES_MAX).copied().collect();
    let size = SIZES.into_iter().find(|size| *size >= all.len());
    // One try each: a source that repeats itself leaves the notice shorter, no more.
    for _ in all.len()..size.unwrap_or(ENTRIES_MAX) {
        all.insert(Entry::made_up(random()));
    }
    let all: Vec<_> = all.into_iter().map(Entry::to_bytes).collect();
    all.chunks(ENTRIES_A_VALUE).map(<[_]>::concat).collect()
}

/// The entries in these values. What is no whole entry, or beyond [`VALUES_MAX`] values of the size that
/// [`to_values`] makes, is left out: a newer app may say more.
pub fn from_values<'v>(values: impl Iterator<Item = &'v [u8]>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for value in values.take(VALUES_MAX) {
        let whole = value.as_chunks::<ENTRY_LEN>().0;
        entries.extend(
            whole
                .iter()
                .take(ENTRIES_A_VALUE)
                .map(|e| Entry::made_up(*e)),
        );
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(n: u8) -> Entry {
        Entry::made_up([n; 12])
    }

    fn counter() -> impl FnMut() -> [u8; 12] {
        let mut n = 0u128;
        move || {
            n += 1;
            let mut out = [0xff; 12];
            out[4..].copy_from_slice(&n.to_be_bytes()[8..]);
            out
        }
    }

    #[test]
    fn what_was_said_is_read_among_what_is_made_up() {
        for count in [0u8, 1, 4, 5, 40, 80] {
            let said: Vec<_> = (0..count).map(entry).collect();
            let values = to_values(&said, counter());
            let read = from_values(values.iter().map(Vec::as_slice));
            assert!(SIZES.contains(&read.len()), "{count} became {}", read.len());
            assert!(said.iter().all(|e| read.contains(e)));
            assert!(read.is_sorted());
            // With a key of one letter and the sign after it.
            assert!(values.iter().all(|v| v.len() + 2 <= 255));
        }
    }

    #[test]
    fn more_than_fits_is_left_out() {
        let many: Vec<_> = (0..100).map(entry).collect();
        let values = to_values(&many, counter());
        assert_eq!(values.len(), VALUES_MAX);
        let read = from_values(values.iter().map(Vec::as_slice));
        assert_eq!(read.len(), ENTRIES_MAX);
    }

    #[test]
    fn odd_values_are_read_as_far_as_they_go() {
        let long = vec![1; 5_000];
        let cut = [2; 30];
        let values = std::iter::repeat_n(long.as_slice(), 3).chain([&cut[..], &[], &long]);
        let read = from_values(values);
        assert_eq!(read.len(), 3 * ENTRIES_A_VALUE + 2);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_survived(values: Vec<Vec<u8>>) {
            let read = from_values(values.iter().map(Vec::as_slice));
            proptest::prop_assert!(read.len() <= ENTRIES_MAX);
        }
    }
}
