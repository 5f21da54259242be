//! Writing the database anew, when it is far larger than what it holds, or when it is plain and is to be
//! sealed.
//!
//! ```text
//!  sled.new <- every entry; fsync; open again, compare       a crash here: sled.new is removed
//!  rename sled     -> sled.old;  fsync folder                a crash here: the next step is done
//!  rename sled.new -> sled;      fsync folder                a crash here: sled.old is removed
//!  remove sled.old
//! ```

use std::{fs, path::Path};

use super::{
    Result, StoreError, at,
    durable::{Durable, failed},
    remove_if_there, sync_dir,
};
use crate::{
    SledStore,
    cipher::Seal,
    layout::{self, EVENT_KEYS, LIVE_KEY},
    limits::{COMMIT_BYTES_MAX, SWEEP},
    tables::{Change, Order, Span, Table, Tables},
};

/// Brings a folder out of the middle of a swap.
pub(super) fn finish_swap(folder: &Path, path: &Path) -> Result<()> {
    let (new, old) = (path.with_extension("new"), path.with_extension("old"));
    if !path.exists() && old.exists() {
        // Only after the new one was complete and compared is the old one renamed.
        let whole = if new.exists() { &new } else { &old };
        fs::rename(whole, path).map_err(at(whole))?;
        sync_dir(folder).map_err(at(folder))?;
    }
    remove_if_there(&new)?;
    remove_if_there(&old)
}

/// Copies, compares and swaps; with a seal, the copy of a plain database is sealed. On an error before
/// the first rename the old one stays.
pub(super) fn write_anew(
    from: Durable,
    folder: &Path,
    path: &Path,
    seal: Option<&Seal>,
) -> Result<()> {
    let (new, old) = (path.with_extension("new"), path.with_extension("old"));
    remove_if_there(&new)?;
    let to = Durable::open(&new)?;
    // Nothing of it counts before the rename, so one fsync at the end is enough.
    match seal {
        None => copy(&from, &to)?,
        Some(seal) => copy_sealed(&from, &to, seal)?,
    }
    to.sync()?;
    drop(to);
    let copied = Durable::open(&new)?;
    let same = match seal {
        None => tally(&copied)? == tally(&from)?,
        Some(seal) => tally_opened(&copied, seal)? == tally_opened(&from, &Seal::default())?,
    };
    drop(copied);
    if !same {
        return Err(StoreError::corrupt(
            "the copy of the database differs from it",
        ));
    }
    drop(from);
    super::open::mark_born(&new)?;
    fs::rename(path, &old).map_err(at(path))?;
    sync_dir(folder).map_err(at(folder))?;
    fs::rename(&new, path).map_err(at(&new))?;
    sync_dir(folder).map_err(at(folder))?;
    remove_if_there(&old)
}

/// Entries and pieces as they are.
fn copy(from: &Durable, to: &Durable) -> Result<()> {
    for (from, to) in from.trees().iter().zip(to.trees()) {
        for entry in from {
            let (key, value) = entry.map_err(failed)?;
            to.insert(key, value).map_err(failed)?;
        }
    }
    Ok(())
}

/// Values of a plain database, sealed, in commits of some size.
fn copy_sealed(from: &Durable, to: &Durable, seal: &Seal) -> Result<()> {
    for table in Table::ALL {
        let (mut changes, mut bytes) = (Vec::new(), 0_usize);
        from.scan(table, &Span::all(), Order::Ascending, &mut |key, value| {
            bytes = bytes.saturating_add(value.len());
            changes.push(Change {
                table,
                key: key.to_vec(),
                value: Some(value),
            });
            if changes.len() >= SWEEP || bytes >= COMMIT_BYTES_MAX {
                to.apply(&changes, seal)?;
                changes.clear();
                bytes = 0;
            }
            Ok(true)
        })?;
        // sled takes no empty transaction.
        if !changes.is_empty() {
            to.apply(&changes, seal)?;
        }
    }
    Ok(())
}

/// [`tally`] over values as they are read, not as they are kept.
fn tally_opened(db: &Durable, seal: &Seal) -> Result<(u64, u64, u64)> {
    let mut tally = Tally::default();
    for table in Table::ALL {
        db.scan(table, &Span::all(), Order::Ascending, &mut |key, kept| {
            tally.add(key, &seal.open(table.name(), key, kept)?);
            Ok(true)
        })?;
    }
    Ok(tally.sums())
}

/// Entries, their bytes, and a sum over both that depends on their order.
fn tally(db: &Durable) -> Result<(u64, u64, u64)> {
    let mut tally = Tally::default();
    for entry in db.trees().iter().flatten() {
        let (key, value) = entry.map_err(failed)?;
        tally.add(&key, &value);
    }
    Ok(tally.sums())
}

struct Tally {
    entries: u64,
    bytes: u64,
    sum: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            entries: 0,
            bytes: 0,
            sum: 0xcbf2_9ce4_8422_2325,
        }
    }
}

impl Tally {
    fn add(&mut self, key: &[u8], value: &[u8]) {
        self.entries = self.entries.wrapping_add(1);
        self.bytes = self
            .bytes
            .wrapping_add(key.len() as u64)
            .wrapping_add(value.len() as u64);
        let ends = [key.len() as u64, value.len() as u64].map(u64::to_be_bytes);
        for byte in ends.iter().flatten().chain(key).chain(value) {
            self.sum = (self.sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn sums(&self) -> (u64, u64, u64) {
        (self.entries, self.bytes, self.sum)
    }
}

impl SledStore {
    /// What the database held when it was last counted. Zero, so that it is counted, if never.
    pub(super) fn last_live_bytes(&self) -> Result<u64> {
        let bytes = self.tables().get(Table::Meta, LIVE_KEY)?;
        Ok(bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(0, u64::from_be_bytes))
    }

    /// What the database holds at least, for all that the heads say of events: far fewer entries than there are.
    pub(super) fn least_live_bytes(&self) -> Result<u64> {
        let mut least = 0_u64;
        let span = Span::all();
        self.tables()
            .scan(Table::Heads, &span, Order::Ascending, &mut |key, value| {
                // One that can't be read tells of none, which is less still.
                if let Ok((_, held)) = layout::read_head(key, value) {
                    let keys = held.events.saturating_mul(EVENT_KEYS);
                    least = least.saturating_add(keys).saturating_add(held.bytes);
                }
                Ok(true)
            })?;
        Ok(least)
    }

    pub(super) fn count_live_bytes(&mut self) -> Result<u64> {
        let live = tally(self.tables().db()?)?.1;
        let value = Some(live.to_be_bytes().to_vec());
        self.tables_mut().apply(&[Change {
            table: Table::Meta,
            key: LIVE_KEY.to_vec(),
            value,
        }])?;
        Ok(live)
    }
}
