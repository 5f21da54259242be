//! Which parcels there are, their numbers, and what space they take. Pure: no disk, no clock.
//!
//! ```text
//!  tag ──> its parcels, each in the open pool ── counts for its tag and for the pool
//!                        or under a pass      ── counts for its pass's day and for all passes
//! ```
//!
//! Invariant: the sums of the open pool and of all passes are those over all tags, and no tag's list and no pass is empty.
//! A tag's list is in the order of its numbers.

use std::collections::HashMap;
use std::mem::size_of;
use std::num::NonZeroU32;

use super::check::Parcel;
use super::pass::Under;
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
    /// The pass that it counts for.
    under: Option<PassId>,
}

impl Entry {
    /// In the open pool, until [`Pool::add`] says otherwise.
    pub(crate) fn new(n: u64, expires: u64, size: u32, digest: [u8; 32]) -> Self {
        Self {
            n,
            expires,
            size,
            digest,
            under: None,
        }
    }
}

/// Stands for a pass's day in the entries, which are many. Never used twice.
type PassId = NonZeroU32;

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
    open: Sum,
    under_passes: Sum,
    /// What the disk has left for parcels under passes; as much as they may take, where it doesn't say.
    disk: u64,
    tags: HashMap<Tag, OfTag>,
    passes: HashMap<PassId, OfPass>,
    /// By the day's key.
    ids: HashMap<[u8; 32], PassId>,
    last_id: u32,
}

/// Bytes that count, and parcels.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) bytes: u64,
    pub(crate) count: usize,
}

impl Sum {
    fn add(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.count = self.count.saturating_add(1);
    }

    fn take(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
        self.count = self.count.saturating_sub(1);
    }

    /// Whether a parcel more stays within both.
    fn has_room(self, bytes: u64, most_bytes: u64, most: usize) -> bool {
        self.bytes.saturating_add(bytes) <= most_bytes && self.count < most
    }
}

#[derive(Default)]
struct OfTag {
    /// Those in the open pool.
    open: Sum,
    entries: Vec<Entry>,
}

/// One day of a pass.
struct OfPass {
    key: [u8; 32],
    sum: Sum,
}

impl Pool {
    /// An empty pool whose next number is the one after `last`.
    pub(crate) fn new(limits: &ParcelLimits, last: u64) -> Self {
        Self {
            limits: limits.clone(),
            last,
            open: Sum::default(),
            under_passes: Sum::default(),
            disk: u64::MAX,
            tags: HashMap::new(),
            passes: HashMap::new(),
            ids: HashMap::new(),
            last_id: 0,
        }
    }

    /// Notes what the disk has left now, beyond its reserve.
    pub(crate) fn disk_has(&mut self, bytes: u64) {
        self.disk = bytes;
    }

    /// The last number given; it must never be given again.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Finds a place for a parcel; a new one counts from now on. One that lies there already stays as it was put first.
    pub(crate) fn place(&mut self, parcel: &Parcel) -> Result<Place, Refusal> {
        let Parcel {
            tag,
            expires,
            digest,
            ..
        } = *parcel;
        let of_tag = self.tags.get(&tag);
        if let Some(of_tag) = of_tag {
            let known = of_tag.entries.iter().find(|entry| entry.digest == digest);
            if let Some(known) = known {
                return Ok(Place::Known(known.n));
            }
        }
        let size = u32::try_from(parcel.data.len()).map_err(|_| Refusal::TooLarge)?;
        let counts = self.counts(size);
        let fits = match &parcel.under {
            None => {
                let of_tag = of_tag.map(|of_tag| of_tag.open).unwrap_or_default();
                self.fits_open(of_tag, counts)
            }
            Some(under) => self.fits_under(under, counts),
        };
        let n = self.last.checked_add(1);
        let (true, Some(n)) = (fits, n) else {
            return Err(Refusal::Quota);
        };
        let entry = Entry::new(n, expires, size, digest);
        if parcel.under.is_some() {
            self.disk = self.disk.saturating_sub(counts);
        }
        let key = parcel.under.map(|under| under.key);
        Ok(Place::New(self.add(tag, entry, key)))
    }

    fn fits_open(&self, of_tag: Sum, counts: u64) -> bool {
        let limits = &self.limits;
        self.open.has_room(counts, limits.pool_bytes, limits.count)
            && of_tag.has_room(counts, limits.tag_bytes, limits.count_per_tag)
    }

    fn fits_under(&self, under: &Under, counts: u64) -> bool {
        let limits = &self.limits;
        let of_pass = self.ids.get(&under.key).and_then(|id| self.passes.get(id));
        let of_pass = of_pass.map(|of_pass| of_pass.sum).unwrap_or_default();
        let all = self.under_passes;
        all.has_room(counts, limits.passes_bytes, limits.passes_count)
            && of_pass.has_room(counts, under.bytes, limits.count_per_pass)
            && counts <= self.disk
    }

    /// Counts a parcel that is there, under a day's key or in the open pool; returns it as it is remembered. Numbers of one tag
    /// come in ascending order.
    pub(crate) fn add(&mut self, tag: Tag, mut entry: Entry, key: Option<[u8; 32]>) -> Entry {
        let counts = self.counts(entry.size);
        self.last = self.last.max(entry.n);
        entry.under = key.and_then(|key| self.count_under(key, counts));
        let of_tag = self.tags.entry(tag).or_default();
        if entry.under.is_some() {
            self.under_passes.add(counts);
        } else {
            self.open.add(counts);
            of_tag.open.add(counts);
        }
        of_tag.entries.push(entry.clone());
        entry
    }

    /// `None` once four thousand million days of passes were seen: what comes then counts as open.
    fn count_under(&mut self, key: [u8; 32], counts: u64) -> Option<PassId> {
        let id = match self.ids.get(&key) {
            Some(id) => *id,
            None => {
                let id = PassId::new(self.last_id.checked_add(1)?)?;
                self.last_id = id.get();
                self.ids.insert(key, id);
                id
            }
        };
        let sum = Sum::default();
        let of_pass = self.passes.entry(id).or_insert(OfPass { key, sum });
        of_pass.sum.add(counts);
        Some(id)
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
        if entry.under.is_none() {
            of_tag.open.take(counts);
            self.open.take(counts);
        }
        if of_tag.entries.is_empty() {
            self.tags.remove(&tag);
        }
        if let Some(id) = entry.under {
            self.under_passes.take(counts);
            self.uncount_under(id, counts);
        }
    }

    fn uncount_under(&mut self, id: PassId, counts: u64) {
        let Some(of_pass) = self.passes.get_mut(&id) else {
            return;
        };
        of_pass.sum.take(counts);
        if of_pass.sum.count == 0 {
            self.ids.remove(&of_pass.key);
            self.passes.remove(&id);
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

    /// What the open pool takes, and what all passes take.
    pub(crate) fn used(&self) -> [Sum; 2] {
        [self.open, self.under_passes]
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
        place_under(pool, tag, digest, size, None)
    }

    /// `pass`: the byte that the day's key consists of, and its space.
    fn place_under(
        pool: &mut Pool,
        tag: u8,
        digest: u8,
        size: usize,
        pass: Option<(u8, u64)>,
    ) -> Result<u64, Refusal> {
        let parcel = Parcel {
            tag: Tag::of(tag),
            expires: 100,
            data: vec![0; size],
            digest: [digest; 32],
            under: pass.map(|(key, bytes)| Under {
                key: [key; 32],
                bytes,
            }),
        };
        match pool.place(&parcel)? {
            Place::Known(n) => Ok(n),
            Place::New(entry) => Ok(entry.n),
        }
    }

    /// So many parcels of ten bytes in the open pool, and so many under passes.
    fn tens(open: usize, under: usize) -> [Sum; 2] {
        [open, under].map(|count| Sum {
            bytes: 74 * u64::try_from(count).unwrap(),
            count,
        })
    }

    #[test]
    fn numbers_count_up_and_doubles_keep_theirs() {
        let mut pool = pool(|_| {});
        assert_eq!(place(&mut pool, 1, 1, 10), Ok(1));
        assert_eq!(place(&mut pool, 2, 1, 10), Ok(2), "another tag");
        assert_eq!(place(&mut pool, 1, 1, 10), Ok(1));
        assert_eq!(pool.used(), tens(2, 0));
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
    fn space_under_a_pass_is_counted_by_its_key_over_all_tags() {
        let mut pool = pool(|_| {});
        let pass = Some((1, 3 * 74 - 1));
        assert!(place_under(&mut pool, 1, 1, 10, pass).is_ok());
        assert!(place_under(&mut pool, 2, 1, 10, pass).is_ok());
        let full = place_under(&mut pool, 3, 1, 10, pass);
        assert_eq!(full, Err(Refusal::Quota));
        assert_eq!(place_under(&mut pool, 1, 1, 10, pass), Ok(1), "known");
        assert!(place_under(&mut pool, 3, 1, 10, Some((2, 74))).is_ok());
        assert_eq!(pool.used(), tens(0, 3));
        pool.remove(Tag::of(1), 1);
        assert!(place_under(&mut pool, 3, 2, 10, pass).is_ok());
        for (tag, n) in pool.expired(100, 9) {
            pool.remove(tag, n);
        }
        assert_eq!(pool.used(), tens(0, 0));
        assert!(pool.passes.is_empty() && pool.ids.is_empty() && pool.tags.is_empty());
    }

    #[test]
    fn passes_and_the_open_pool_take_nothing_from_each_other() {
        let mut pool = pool(|limits| {
            limits.pool_bytes = 148;
            limits.tag_bytes = 74;
            limits.passes_bytes = 148;
        });
        let pass = Some((1, u64::MAX));
        for digest in [1, 2] {
            assert!(place_under(&mut pool, 1, digest, 10, pass).is_ok());
        }
        let full = place_under(&mut pool, 1, 3, 10, pass);
        assert_eq!(full, Err(Refusal::Quota), "all passes together");
        assert!(place(&mut pool, 1, 4, 10).is_ok(), "the tag's open space");
        assert_eq!(place(&mut pool, 1, 5, 10), Err(Refusal::Quota));
        assert!(place(&mut pool, 2, 5, 10).is_ok(), "the pool's");
        assert_eq!(pool.used(), tens(2, 2));
    }

    #[test]
    fn counts_under_passes_and_the_disk_are_bounds_too() {
        for change in [
            |limits: &mut ParcelLimits| limits.passes_count = 2,
            |limits: &mut ParcelLimits| limits.count_per_pass = 2,
        ] {
            let mut pool = pool(change);
            let pass = Some((1, u64::MAX));
            for digest in [1, 2] {
                assert!(place_under(&mut pool, 1, digest, 10, pass).is_ok());
            }
            let full = place_under(&mut pool, 1, 3, 10, pass);
            assert_eq!(full, Err(Refusal::Quota));
        }
        let mut pool = pool(|_| {});
        pool.disk_has(100);
        let pass = Some((1, u64::MAX));
        assert!(place_under(&mut pool, 1, 1, 10, pass).is_ok());
        let full = place_under(&mut pool, 1, 2, 10, pass);
        assert_eq!(full, Err(Refusal::Quota), "26 bytes are left");
        assert!(place(&mut pool, 1, 2, 10).is_ok(), "the open pool is small");
        pool.disk_has(1000);
        assert!(place_under(&mut pool, 1, 3, 10, pass).is_ok());
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
        assert_eq!(pool.used(), tens(1, 0));
    }
}
