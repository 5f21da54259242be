//! Parcels on disk, or in memory for tests: entries of `peddlenet-store`, which makes sled durable.
//!
//! ```text
//!  "i" | tag 16 | n 8   ->  expires 8 | size 4 | digest 32      read at every opening: the quotas
//!                           and, under a pass, its day's key 32
//!  "d" | tag 16 | n 8   ->  data
//!  "last"               ->  the last number given, 8
//! ```
//! Numbers are big-endian. An index entry and its data are written and removed in one commit.

use std::path::Path;

use peddlenet_store::{
    MemoryStore, Opened, Options, SledStore, Store, StoreError, Write,
    limits::{COMMIT_BYTES_MAX, COMMIT_WRITES_MAX},
};

use super::BackupError;
use super::check::Parcel;
use super::pool::{Entry, Pool};
use crate::ParcelLimits;
use crate::frames::Tag;

const LAST: &[u8] = b"last";
const INDEX: u8 = b'i';
const DATA: u8 = b'd';
/// Writes that a parcel takes in a commit, added or removed.
const WRITES: usize = 2;

/// Either backend, behind the trait that both pass one suite of.
pub(crate) struct Shelf {
    store: Box<dyn Store>,
}

impl Shelf {
    /// A folder's database. Waits a moment for a process that was just killed.
    pub(crate) fn on_disk(folder: &Path) -> Result<Self, BackupError> {
        let shown = || folder.display().to_string();
        let opened = SledStore::open_in(folder, Options::default());
        let (store, found) = opened.map_err(|error| match error {
            StoreError::InUse => BackupError::InUse(shown()),
            other => BackupError::Folder {
                folder: shown(),
                why: other.to_string(),
            },
        })?;
        if let Opened::Quarantined { .. } = found {
            tracing::error!("the parcels' database was damaged and is set aside; starting empty");
        }
        Ok(Self {
            store: Box::new(store),
        })
    }

    /// Forgets everything at the end.
    #[cfg_attr(not(test), expect(dead_code, reason = "the backend of the tests"))]
    pub(crate) fn in_memory() -> Result<Self, StoreError> {
        Ok(Self {
            store: Box::new(MemoryStore::new()?),
        })
    }

    /// Counts what is there.
    pub(crate) fn recount(&self, limits: &ParcelLimits) -> Result<Pool, StoreError> {
        let last = self.store.meta(LAST)?;
        let last = last.and_then(|last| Some(u64::from_be_bytes(last.try_into().ok()?)));
        let mut pool = Pool::new(limits, last.unwrap_or(0));
        for (key, value) in self.store.meta_under(&[INDEX])? {
            match read_index(&key, &value) {
                Some((tag, entry, key)) => drop(pool.add(tag, entry, key)),
                None => tracing::warn!("an entry of the parcels' index has an unknown form"),
            }
        }
        Ok(pool)
    }

    /// Applies some changes, all or none; durable on return.
    pub(crate) fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.store.commit(&changes.writes)
    }

    /// A parcel's bytes.
    pub(crate) fn data(&self, tag: Tag, n: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.meta(&key(DATA, tag, n))
    }
}

/// Parcels that come and go in one commit.
#[derive(Default)]
pub(crate) struct Changes {
    writes: Vec<Write>,
    bytes: usize,
}

impl Changes {
    /// Whether a parcel of this size still fits.
    pub(crate) fn has_room(&self, size: usize) -> bool {
        // One write is the counter's; an index entry takes less than 80 bytes.
        let writes = self.writes.len().saturating_add(WRITES + 1);
        let bytes = self.bytes.saturating_add(size).saturating_add(128);
        writes <= COMMIT_WRITES_MAX && bytes <= COMMIT_BYTES_MAX
    }

    /// Adds a parcel under its number.
    pub(crate) fn add(&mut self, parcel: Parcel, entry: &Entry) {
        let under = parcel.under.map(|under| under.key);
        let index = [
            &entry.expires.to_be_bytes()[..],
            &entry.size.to_be_bytes(),
            &entry.digest,
            under.as_ref().map_or(&[], |key| &key[..]),
        ];
        self.set(key(INDEX, parcel.tag, entry.n), Some(index.concat()));
        self.set(key(DATA, parcel.tag, entry.n), Some(parcel.data));
    }

    /// Removes a parcel.
    pub(crate) fn remove(&mut self, tag: Tag, n: u64) {
        self.set(key(INDEX, tag, n), None);
        self.set(key(DATA, tag, n), None);
    }

    /// Notes the last number given: the same commit as the parcels that have them.
    pub(crate) fn last(&mut self, n: u64) {
        self.set(LAST.to_vec(), Some(n.to_be_bytes().to_vec()));
    }

    fn set(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        let size = value.as_ref().map_or(0, Vec::len);
        self.bytes = self.bytes.saturating_add(size);
        self.writes.push(Write::Meta { key, value });
    }
}

fn key(kind: u8, tag: Tag, n: u64) -> Vec<u8> {
    [&[kind][..], &tag.0, &n.to_be_bytes()].concat()
}

/// A parcel, and the day's key that it counts for.
fn read_index(key: &[u8], value: &[u8]) -> Option<(Tag, Entry, Option<[u8; 32]>)> {
    let (tag, n) = key.strip_prefix(&[INDEX])?.split_first_chunk::<16>()?;
    let (expires, rest) = value.split_first_chunk::<8>()?;
    let (size, rest) = rest.split_first_chunk::<4>()?;
    let (digest, under) = rest.split_first_chunk::<32>()?;
    let under = match under {
        [] => None,
        key => Some(key.try_into().ok()?),
    };
    let n = u64::from_be_bytes(n.try_into().ok()?);
    let (expires, size) = (u64::from_be_bytes(*expires), u32::from_be_bytes(*size));
    Some((Tag(*tag), Entry::new(n, expires, size, *digest), under))
}
