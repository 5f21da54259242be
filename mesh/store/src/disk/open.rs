//! Opening a profile's store folder, whatever state it is in.
//!
//! ```text
//!  lock (folder.rs) -- held elsewhere --> InUse
//!   v
//!  sealed with another key --> WrongKey           sealed, no key --> KeyNeeded
//!   v
//!  finish a swap that was interrupted (compact.rs)
//!   v
//!  open sled, read it through after a stop that was not orderly
//!   |  damaged                 |  damaged again
//!   +--> set snapshots aside --+--> set the folder aside, start fresh --> Quarantined
//!   v
//!  plain, and to be sealed --> write it anew, sealed
//!   v
//!  schema newer than ours --> NewerSchema        older --> replay
//!   v
//!  far larger than what it holds --> write it anew
//!  read through, and larger than the cache --> open it once more
//! ```

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Folder, OnDisk, Result, SledStore, StoreError, at, compact, durable::Durable, remove_if_there,
    sync_dir, unpanicked,
};
use crate::{
    Cipher, Indexed,
    cipher::Seal,
    layout::SCHEMA_KEY,
    limits::{CACHE, COMPACT_FACTOR, COMPACT_FLOOR, QUARANTINES_MAX, VERIFY_MAX},
    own_heads::OwnHeads,
    tables::Table,
};

/// What opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Opened {
    /// Nothing was there.
    Fresh,
    /// Everything is there.
    Whole,
    /// sled's snapshots were damaged; everything is there.
    WithoutSnapshots,
    /// The database was damaged and set aside. The store is empty, to be filled by the other
    /// members; the person must be told. The guard still knows what was signed.
    Quarantined {
        /// Where the damaged database is.
        to: PathBuf,
    },
}

impl Opened {
    fn name(&self) -> &'static str {
        match self {
            Self::Fresh => "nothing",
            Self::Whole => "everything",
            Self::WithoutSnapshots => "damaged snapshots",
            Self::Quarantined { .. } => "damage",
        }
    }
}

/// How to open.
#[derive(Clone, Default)]
pub struct Options {
    /// Read everything through, also after an orderly stop and at any size: for opening again
    /// after [`StoreError::Corrupt`].
    pub verify: bool,
    /// Seals every value. A plain store is written anew, sealed; without a cipher a sealed store
    /// doesn't open.
    pub cipher: Option<Arc<dyn Cipher>>,
}

impl SledStore {
    /// Opens or creates the store in a folder.
    pub fn open_in(path: &Path, options: Options) -> Result<(Self, Opened)> {
        Self::open_held(Folder::take(path)?, options)
    }

    /// Opens or creates the store in a folder that was taken before.
    pub fn open_held(held: Folder, options: Options) -> Result<(Self, Opened)> {
        let seal = Seal::new(options.cipher);
        let noted = held.sealed_by()?;
        match (noted, seal.key_id()) {
            (Some(_), None) => return Err(StoreError::KeyNeeded),
            (Some(noted), Some(given)) if noted != given => return Err(StoreError::WrongKey),
            _ => {}
        }
        let folder = held.path();
        let path = folder.join("sled");
        compact::finish_swap(folder, &path)?;
        let was_there = path.join("db").exists();
        let clean = folder.join("clean");
        let orderly = clean.exists();
        remove_if_there(&clean)?;
        folder
            .parent()
            .map_or(Ok(()), |parent| sync_dir(parent).map_err(at(parent)))?;
        sync_dir(folder).map_err(at(folder))?;

        let verify = options.verify || (was_there && !orderly && db_bytes(&path) <= VERIFY_MAX);
        let (db, opened) = open_or_quarantine(folder, &path, verify)?;
        let opened = if was_there || opened != Opened::Whole {
            opened
        } else {
            Opened::Fresh
        };
        let kept = Kept::of(&db, &seal)?;
        // Before the first sealed value, and only once the key has proven to be the right one.
        if let Some(id) = seal.key_id().filter(|_| noted.is_none()) {
            held.note_seal(id)?;
        }
        let db = if kept == Kept::Plain && seal.is_sealed() {
            seal_plain(db, folder, &path, &seal)?
        } else {
            db
        };
        let own = OwnHeads::open(folder, seal.clone())?;
        let mut store = Indexed::open(OnDisk {
            own,
            db: Some(db),
            seal,
            held,
        })?;
        mark_born(&path)?;
        let counted = store.compact_if_due()?;
        if (verify || counted) && db_bytes(&path) > CACHE {
            store.reopen()?;
        }
        tracing::info!(
            found = opened.name(),
            orderly,
            bytes = db_bytes(&path),
            "store open"
        );
        Ok((store, opened))
    }

    /// Tells whether everything was read for nothing.
    fn compact_if_due(&mut self) -> Result<bool> {
        let disk = self.tables().db()?.disk_bytes();
        let is_due = |live| disk / COMPACT_FACTOR >= live;
        // Counting reads everything, so it comes last.
        if disk < COMPACT_FLOOR
            || !is_due(self.least_live_bytes()?)
            || !is_due(self.last_live_bytes()?)
        {
            return Ok(false);
        }
        let due = is_due(self.count_live_bytes()?);
        if due {
            self.compact()?;
        }
        Ok(!due)
    }

    /// Opens the database once more: of what was read through, sled keeps far more than [`CACHE`] says.
    fn reopen(&mut self) -> Result<()> {
        let disk = self.tables_mut();
        let path = disk.held.path().join("sled");
        disk.db()?.sync()?;
        disk.db = None;
        disk.db = Some(unpanicked(|| Durable::open(&path))?);
        Ok(())
    }

    /// Writes the database anew and swaps it in. A crash at any point leaves one of the two whole.
    pub fn compact(&mut self) -> Result<()> {
        let disk = self.tables_mut();
        let Some(old) = disk.db.take() else {
            return Err(StoreError::Closed);
        };
        let folder = disk.held.path().to_path_buf();
        let path = folder.join("sled");
        let before = old.disk_bytes();
        let swapped = unpanicked(|| compact::write_anew(old, &folder, &path, None));
        // Whether the swap happened or not, what is at `path` now is whole.
        disk.db = Some(unpanicked(|| Durable::open(&path))?);
        swapped?;
        tracing::info!(
            before,
            after = disk.db()?.disk_bytes(),
            "database written anew"
        );
        Ok(())
    }
}

/// What a database's own schema row tells of its values. A plain row has four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// There is no row, and nothing else.
    Blank,
    Plain,
    Sealed,
}

impl Kept {
    fn of(db: &Durable, seal: &Seal) -> Result<Self> {
        unpanicked(|| match db.get(Table::Meta, SCHEMA_KEY)? {
            None if db.is_empty() => Ok(Self::Blank),
            None => Ok(Self::Plain),
            Some(row) if seal.opens(SCHEMA_KEY, &row) => Ok(Self::Sealed),
            Some(row) if row.len() == size_of::<u32>() => Ok(Self::Plain),
            Some(_) if seal.is_sealed() => Err(StoreError::WrongKey),
            Some(_) => Err(StoreError::KeyNeeded),
        })
    }
}

/// Seals a store from before there was sealing. Databases that were set aside are plain as well,
/// and what is in them can't be read anyway: they go.
fn seal_plain(db: Durable, folder: &Path, path: &Path, seal: &Seal) -> Result<Durable> {
    tracing::info!("sealing a store that was plain");
    unpanicked(|| compact::write_anew(db, folder, path, Some(seal)))?;
    for number in quarantines(folder)? {
        remove_if_there(&folder.join(format!("quarantine-{number}")))?;
    }
    unpanicked(|| Durable::open(path))
}

/// Beside sled's own files: the database has once held a schema version.
const BORN: &str = "born";

pub(super) fn mark_born(path: &Path) -> Result<()> {
    let file = path.join(BORN);
    if !file.exists() {
        File::create(&file)
            .and_then(|file| file.sync_all())
            .map_err(at(&file))?;
        sync_dir(path).map_err(at(path))?;
    }
    Ok(())
}

/// Says that what follows the last commit is nothing.
pub(super) fn mark_clean(folder: &Path) -> Result<()> {
    let path = folder.join("clean");
    File::create(&path)
        .and_then(|file| file.sync_all())
        .map_err(at(&path))?;
    sync_dir(folder).map_err(at(folder))
}

fn open_or_quarantine(folder: &Path, path: &Path, verify: bool) -> Result<(Durable, Opened)> {
    let open = || {
        unpanicked(|| {
            let db = Durable::open(path)?;
            // sled takes a log that it cannot read at all for a new one.
            if path.join(BORN).exists() && db.get(Table::Meta, SCHEMA_KEY)?.is_none() {
                return Err(StoreError::corrupt("the database has lost everything"));
            }
            if verify {
                db.verify()?;
            }
            Ok(db)
        })
    };
    let first = match open() {
        Err(StoreError::Corrupt(why)) => why,
        opened => return Ok((opened?, Opened::Whole)),
    };
    tracing::warn!(%first, "the database is damaged, trying without its snapshots");
    if set_snapshots_aside(path)? {
        match open() {
            // A failed attempt's threads may still hold the file: that is damage too.
            Err(StoreError::Corrupt(_) | StoreError::InUse) => {}
            opened => return Ok((opened?, Opened::WithoutSnapshots)),
        }
    }
    let to = quarantine(folder, path)?;
    tracing::error!("the database is damaged, set aside; starting fresh");
    Ok((open()?, Opened::Quarantined { to }))
}

/// Renames `snap.*`, so that sled reads its whole log; tells whether there were any.
fn set_snapshots_aside(path: &Path) -> Result<bool> {
    let mut found = false;
    for entry in fs::read_dir(path).map_err(at(path))? {
        let entry = entry.map_err(at(path))?;
        let name = entry.file_name();
        if let Some(rest) = name.to_str().and_then(|name| name.strip_prefix("snap.")) {
            fs::rename(entry.path(), path.join(format!("aside-{rest}"))).map_err(at(path))?;
            found = true;
        }
    }
    sync_dir(path).map_err(at(path))?;
    Ok(found)
}

/// The numbers of the databases that were set aside, ascending.
fn quarantines(folder: &Path) -> Result<Vec<u64>> {
    let mut numbers: Vec<u64> = Vec::new();
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let name = entry.map_err(at(folder))?.file_name();
        let number: Option<u64> = name
            .to_str()
            .and_then(|name| name.strip_prefix("quarantine-")?.parse().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn quarantine(folder: &Path, path: &Path) -> Result<PathBuf> {
    let numbers = quarantines(folder)?;
    let next = numbers.last().map_or(1, |last| last.saturating_add(1));
    let excess = numbers
        .len()
        .saturating_add(1)
        .saturating_sub(QUARANTINES_MAX);
    for number in numbers.iter().take(excess) {
        remove_if_there(&folder.join(format!("quarantine-{number}")))?;
    }
    let to = folder.join(format!("quarantine-{next}"));
    fs::rename(path, &to).map_err(at(path))?;
    sync_dir(folder).map_err(at(folder))?;
    Ok(to)
}

fn db_bytes(path: &Path) -> u64 {
    fs::metadata(path.join("db")).map_or(0, |meta| meta.len())
}
