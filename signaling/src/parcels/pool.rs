//! Which parcels there are, their numbers, and what space they take. Pure: no disk, no clock.
//!
//! Invariant: `bytes` and `count` are the sums over all tags, and no tag's list is empty. A tag's list is in
//! the order of its numbers.

use std::collections::HashMap;
use std::mem::size_of;

use crate::ParcelLimits;
use crate::frames::{Refusal, Tag};

/// What is remembered of a parcel. Its bytes are on the shelf.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// Counts up from 1 over all tags; never used twice.
    pub(crate) n: u64,
    pub(crate) expires: u64,
    pub(crate) size: u32,
    pub(crate) digest: [u8; 32],
}

/// Where a parcel came to lie.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Place {
    /// The same bytes lie under this number already.
    Known(u64),
    New(Entry),
}

pub(crate) struct Pool {
    limits: ParcelLimits,
    /// The last number given.
    last: u64,
    bytes: u64,
    count: usize,
    tags: HashMap<Tag, OfTag>,
}

#[derive(Default)]
struct OfTag {
    bytes: u64,
    entries: Vec<Entry>,
}

impl Pool {
    /// An empty pool whose next number is the one after `last`.
    pub(crate) fn new(limits: &ParcelLimits, last: u64) -> Self {
        Self {
            limits: limits.clone(),
            last,
            bytes: 0,
            count: 0,
            tags: HashMap::new(),
        }
    }

    /// The last number given; it must never be given again.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Finds a place for a parcel; a new one counts from now on.
    pub(crate) fn place(
        &mut self,
        tag: Tag,
        expires: u64,
        size: usize,
        digest: [u8; 32],
    ) -> Result<Place, Refusal> {
        let of_tag = self.tags.get(&tag);
        if let Some(of_tag) = of_tag {
            let known = of_tag.entries.iter().find(|entry| entry.digest == digest);
            if let Some(known) = known {
                return Ok(Place::Known(known.n));
            }
        }
        let size = u32::try_from(size).map_err(|_| Refusal::TooLarge)?;
        let counts = self.counts(size);
        let (bytes, count) = of_tag.map_or((0, 0), |of_tag| (of_tag.bytes, of_tag.entries.len()));
        let fits = self.bytes.saturating_add(counts) <= self.limits.pool_bytes
            && bytes.saturating_add(counts) <= self.limits.tag_bytes
            && self.count < self.limits.count
            && count < self.limits.count_per_tag;
        if !fits {
            return Err(Refusal::Quota);
        }
        self.last = self.last.checked_add(1).ok_or(Refusal::Quota)?;
        let entry = Entry {
            n: self.last,
            expires,
            size,
            digest,
        };
        self.add(tag, entry.clone());
        Ok(Place::New(entry))
    }

    /// Counts a parcel that is there. Numbers of one tag come in ascending order.
    pub(crate) fn add(&mut self, tag: Tag, entry: Entry) {
        let counts = self.counts(entry.size);
        self.last = self.last.max(entry.n);
        self.bytes = self.bytes.saturating_add(counts);
        self.count = self.count.saturating_add(1);
        let of_tag = self.tags.entry(tag).or_default();
        of_tag.bytes = of_tag.bytes.saturating_add(counts);
        of_tag.entries.push(entry);
    }

    /// Forgets a parcel; fine when it isn't there.
    pub(crate) fn remove(&mut self, tag: Tag, n: u64) {
        let Some(of_tag) = self.tags.get_mut(&tag) else {
            return;
        };
        let Ok(at) = of_tag.entries.binary_search_by_key(&n, |entry| entry.n) else {
            return;
        };
        let entry = of_tag.entries.remove(at);
        let counts = u64::from(entry.size).saturating_add(self.limits.overhead_bytes);
        of_tag.bytes = of_tag.bytes.saturating_sub(counts);
        self.bytes = self.bytes.saturating_sub(counts);
        self.count = self.count.saturating_sub(1);
        if of_tag.entries.is_empty() {
            self.tags.remove(&tag);
        }
    }

    /// The numbers of a tag's parcels after `after` that fit one answer and live at `now`, and whether there are
    /// more. At least one, where there is one.
    pub(crate) fn page(&self, tag: Tag, after: u64, now: u64) -> (Vec<u64>, bool) {
        let entries = self.tags.get(&tag).map_or(&[][..], |tag| &tag.entries);
        let from = entries.partition_point(|entry| entry.n <= after);
        let mut room = self.limits.page_bytes.saturating_sub(FRAME);
        let mut page = Vec::new();
        let later = entries.get(from..).unwrap_or_default().iter();
        for entry in later.filter(|entry| entry.expires > now) {
            let takes = json_bytes(entry.size);
            if takes > room && !page.is_empty() {
                return (page, true);
            }
            room = room.saturating_sub(takes);
            page.push(entry.n);
        }
        (page, false)
    }

    /// Up to `most` parcels whose time is over.
    pub(crate) fn expired(&self, now: u64, most: usize) -> Vec<(Tag, u64)> {
        let expired = self.tags.iter().flat_map(|(tag, of_tag)| {
            let over = of_tag.entries.iter().filter(|entry| entry.expires <= now);
            over.map(|entry| (*tag, entry.n))
        });
        expired.take(most).collect()
    }

    /// Bytes that count, and parcels.
    #[cfg(test)]
    pub(crate) fn used(&self) -> (u64, usize) {
        (self.bytes, self.count)
    }

    fn counts(&self, size: u32) -> u64 {
        u64::from(size).saturating_add(self.limits.overhead_bytes)
    }
}

/// JSON around the parcels of an answer: `{"v":1,"type":"parcels","tag":"..32..","parcels":[],"more":false}`.
const FRAME: usize = 96;

/// A parcel in an answer: `{"n":18446744073709551615,"data":""},` and base64.
fn json_bytes(size: u32) -> usize {
    let base64 = u64::from(size).div_ceil(3).saturating_mul(4);
    usize::try_from(base64.saturating_add(38)).unwrap_or(usize::MAX)
}

// What `ParcelLimits::count` promises about memory.
const _: () = assert!(size_of::<Entry>() <= 64);

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(change: impl FnOnce(&mut ParcelLimits)) -> Pool {
        let mut limits = ParcelLimits::default();
        change(&mut limits);
        Pool::new(&limits, 0)
    }

    fn place(pool: &mut Pool, tag: u8, digest: u8, size: usize) -> Result<u64, Refusal> {
        match pool.place(Tag::of(tag), 100, size, [digest; 32])? {
            Place::Known(n) => Ok(n),
            Place::New(entry) => Ok(entry.n),
        }
    }

    #[test]
    fn numbers_count_up_and_doubles_keep_theirs() {
        let mut pool = pool(|_| {});
        assert_eq!(place(&mut pool, 1, 1, 10), Ok(1));
        assert_eq!(place(&mut pool, 2, 1, 10), Ok(2), "another tag");
        assert_eq!(place(&mut pool, 1, 1, 10), Ok(1));
        assert_eq!(pool.used(), (2 * 74, 2));
        pool.remove(Tag::of(2), 2);
        assert_eq!(place(&mut pool, 2, 1, 10), Ok(3), "never 2 again");
    }

    #[test]
    fn each_quota_is_held_and_space_comes_back() {
        for change in [
            |limits: &mut ParcelLimits| limits.pool_bytes = 148,
            |limits: &mut ParcelLimits| limits.tag_bytes = 148,
            |limits: &mut ParcelLimits| limits.count = 2,
            |limits: &mut ParcelLimits| limits.count_per_tag = 2,
        ] {
            let mut pool = pool(change);
            assert!(place(&mut pool, 1, 1, 10).is_ok() && place(&mut pool, 1, 2, 10).is_ok());
            assert_eq!(place(&mut pool, 1, 3, 10), Err(Refusal::Quota));
            assert_eq!(place(&mut pool, 1, 2, 10), Ok(2), "known, takes nothing");
            pool.remove(Tag::of(1), 1);
            pool.remove(Tag::of(1), 1);
            assert_eq!(place(&mut pool, 1, 3, 10), Ok(3));
        }
    }

    #[test]
    fn pages_fit_a_message_and_lead_on() {
        let mut pool = pool(|_| {});
        for digest in 0..10 {
            place(&mut pool, 1, digest, 10_000).unwrap();
        }
        let (first, more) = pool.page(Tag::of(1), 0, 0);
        assert_eq!((first, more), (vec![1, 2, 3, 4], true));
        assert_eq!(pool.page(Tag::of(1), 8, 0), (vec![9, 10], false));
        assert_eq!(pool.page(Tag::of(1), 10, 0), (vec![], false));
        assert_eq!(pool.page(Tag::of(2), 0, 0), (vec![], false));
        assert_eq!(pool.page(Tag::of(1), 0, 100), (vec![], false), "expired");
    }

    #[test]
    fn expired_ones_are_found_some_at_a_time() {
        let mut pool = pool(|_| {});
        for digest in 0..3 {
            place(&mut pool, digest, digest, 10).unwrap();
        }
        assert!(pool.expired(99, 9).is_empty());
        let some = pool.expired(100, 2);
        assert_eq!(some.len(), 2);
        for (tag, n) in some {
            pool.remove(tag, n);
        }
        assert_eq!(pool.expired(100, 9).len(), 1);
        assert_eq!(pool.used(), (74, 1));
    }
}
