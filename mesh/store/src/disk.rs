//! The backend on disk: sled 0.34.7, made durable.
//!
//! sled is a good index and a careless writer: on Linux its `flush` returns after
//! `sync_file_range`, which neither reaches the disk's own cache nor the file's size. The rules
//! that make it keep its word (design: store.md), and where each one lives:
//!
//! ```text
//!  1  after opening, fsync conf, db, blobs/ and the folder           durable.rs
//!  2  a commit is done after flush() and fsync of db                 durable.rs
//!  3  no large values: what exceeds a piece is split, see parts.rs   parts.rs
//!  4  8 MiB of cache, flush every 500 ms, no compression             durable.rs
//!     every value sealed, where a cipher is given                  disk.rs, folder.rs
//!     damage: without snapshots, else quarantine and start fresh     open.rs
//!     four times larger than what it holds: write it anew, swap      compact.rs
//! ```

mod compact;
mod durable;
mod folder;
mod open;
mod parts;

use std::{
    fs::{self, File},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use self::durable::Durable;
pub use self::{
    folder::Folder,
    open::{Opened, Options},
};
use crate::{
    Indexed, OwnHead, StoreError,
    cipher::Seal,
    own_heads::OwnHeads,
    tables::{Change, Order, Span, Table, Tables, Visit},
};

type Result<T> = std::result::Result<T, StoreError>;

/// A [`Store`](crate::Store) in a folder.
pub type SledStore = Indexed<OnDisk>;

/// The tables of a [`SledStore`]. One process at a time: it holds the folder's lock.
#[derive(Debug)]
pub struct OnDisk {
    own: OwnHeads,
    /// `None` only while it is being closed.
    db: Option<Durable>,
    seal: Seal,
    /// Held until everything above is closed.
    held: Folder,
}

impl OnDisk {
    fn db(&self) -> Result<&Durable> {
        self.db.as_ref().ok_or(StoreError::Closed)
    }
}

impl Tables for OnDisk {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let db = self.db()?;
        let kept = unpanicked(|| db.get(table, key))?;
        kept.map(|kept| self.seal.open(table.name(), key, kept))
            .transpose()
    }

    fn scan(&self, table: Table, span: &Span, order: Order, visit: &mut Visit<'_>) -> Result<()> {
        let db = self.db()?;
        unpanicked(|| {
            db.scan(table, span, order, &mut |key, kept| {
                visit(key, &self.seal.open(table.name(), key, kept)?)
            })
        })
    }

    fn apply(&mut self, changes: &[Change]) -> Result<()> {
        let db = self.db()?;
        unpanicked(|| db.apply(changes, &self.seal).and_then(|()| db.sync()))
    }

    fn guards(&self) -> Vec<OwnHead> {
        self.own.list()
    }

    fn guard(&mut self, heads: &[OwnHead]) -> Result<()> {
        self.own.raise(heads)
    }

    fn disk_bytes(&self) -> u64 {
        self.db.as_ref().map_or(0, Durable::disk_bytes)
    }
}

impl Drop for OnDisk {
    /// Leaves word that the stop was orderly, which spares the next opening its reading-through.
    fn drop(&mut self) {
        let Some(db) = self.db.take() else { return };
        let closed = unpanicked(|| {
            db.sync()?;
            drop(db);
            open::mark_clean(self.held.path())
        });
        if let Err(error) = closed {
            tracing::warn!(%error, "the store was not closed in order");
        }
    }
}

/// sled panics on some kinds of damage; to us that is an error like others.
fn unpanicked<R>(run: impl FnOnce() -> Result<R>) -> Result<R> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|cause| {
        let text = cause
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| cause.downcast_ref::<&str>().copied())
            .unwrap_or("a panic");
        Err(StoreError::corrupt(text))
    })
}

/// Makes a folder's entries durable: names that were added, renamed or removed.
pub(crate) fn sync_dir(folder: &Path) -> io::Result<()> {
    // Windows has no handle for that; its file systems journal names.
    if cfg!(unix) {
        File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreError + '_ {
    move |source| StoreError::io(path, source)
}

fn remove_if_there(path: &Path) -> Result<()> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done.map_err(at(path)),
    }
}

#[cfg(test)]
mod tests;
