//! Writing the database anew, when it is far larger than what it holds.
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
    layout::LIVE_KEY,
    tables::{Change, Table, Tables},
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

/// Copies, compares and swaps. On an error before the first rename the old one stays.
pub(super) fn write_anew(from: Durable, folder: &Path, path: &Path) -> Result<()> {
    let (new, old) = (path.with_extension("new"), path.with_extension("old"));
    remove_if_there(&new)?;
    let to = Durable::open(&new)?;
    // Nothing of it counts before the rename, so one fsync at the end is enough.
    for (from, to) in from.trees().iter().zip(to.trees()) {
        for entry in from {
            let (key, value) = entry.map_err(failed)?;
            to.insert(key, value).map_err(failed)?;
        }
    }
    to.sync()?;
    drop(to);
    let copied = Durable::open(&new)?;
    let same = tally(&copied)? == tally(&from)?;
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

/// Entries, their bytes, and a sum over both that depends on their order.
fn tally(db: &Durable) -> Result<(u64, u64, u64)> {
    let (mut entries, mut bytes, mut sum) = (0_u64, 0_u64, 0xcbf2_9ce4_8422_2325_u64);
    for entry in db.trees().iter().flatten() {
        let (key, value) = entry.map_err(failed)?;
        entries = entries.wrapping_add(1);
        bytes = bytes
            .wrapping_add(key.len() as u64)
            .wrapping_add(value.len() as u64);
        let ends = [key.len() as u64, value.len() as u64].map(u64::to_be_bytes);
        for byte in ends
            .iter()
            .flatten()
            .chain(key.as_ref())
            .chain(value.as_ref())
        {
            sum = (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    Ok((entries, bytes, sum))
}

impl SledStore {
    /// What the database held when it was last counted. Zero, so that it is counted, if never.
    pub(super) fn last_live_bytes(&self) -> Result<u64> {
        let bytes = self.tables().get(Table::Meta, LIVE_KEY)?;
        Ok(bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(0, u64::from_be_bytes))
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
