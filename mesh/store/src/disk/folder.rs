//! A profile's store folder, held: who may open it, and which key it is sealed with.
//!
//! ```text
//!  lock    one process at a time                 taken here, kept until the store is closed
//!  seal    "PNSEAL" 6 | version 1 | key id 16     there once a sealed store was made
//! ```
//!
//! The file `seal` says with which key, not what the key is. It stands beside the database, so that a
//! wrong key is noticed before anything is opened, and also when the database is damaged: the guard
//! is sealed with the same key and must not be taken for empty.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    thread,
    time::Instant,
};

use super::{Result, StoreError, at, remove_if_there, sync_dir};
use crate::{
    KeyId,
    limits::{LOCK_PATIENCE, LOCK_POLL},
};

const MAGIC: &[u8; 7] = b"PNSEAL\x01";
const SEAL: &str = "seal";
/// More bytes than `seal` has.
const SEAL_MAX: usize = 64;
const LOCK: &str = "lock";

/// A store folder that this process alone may use.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Held for as long as this lives.
    _lock: File,
}

impl Folder {
    /// Takes the folder, and makes it if it isn't there.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process has it.
    pub fn take(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).map_err(at(path))?;
        Ok(Self {
            path: path.to_path_buf(),
            _lock: take_lock(path)?,
        })
    }

    /// Whether nobody has the folder at this moment. It may be taken in the next; `true` where nobody can tell.
    pub fn is_free(path: &Path) -> bool {
        let lock = OpenOptions::new().write(true).open(path.join(LOCK));
        !lock.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The key that the store is sealed with; `None` when there is no store, or a plain one.
    pub fn sealed_by(&self) -> Result<Option<KeyId>> {
        let Some(bytes) = crate::file::read(&self.path.join(SEAL), SEAL_MAX)? else {
            return Ok(None);
        };
        bytes
            .strip_prefix(MAGIC)
            .and_then(|id| id.try_into().ok())
            .map(Some)
            .ok_or(StoreError::Altered { table: SEAL })
    }

    /// Notes the key. Durable on return.
    pub(super) fn note_seal(&self, id: KeyId) -> Result<()> {
        crate::file::write(&self.path.join(SEAL), &[&MAGIC[..], &id].concat())
    }

    /// Removes the store and everything that belongs to it. May be repeated after a crash; the seal
    /// goes first, so that what is left over is never taken for a store whose key is missing.
    ///
    /// The bytes stay on the disk until the system uses their place again: what makes them
    /// worthless is that their key is gone.
    pub fn erase(self) -> Result<()> {
        remove_if_there(&self.path.join(SEAL))?;
        sync_dir(&self.path).map_err(at(&self.path))?;
        for entry in fs::read_dir(&self.path).map_err(at(&self.path))? {
            let entry = entry.map_err(at(&self.path))?;
            if entry.file_name() != LOCK {
                remove_if_there(&entry.path())?;
            }
        }
        remove_if_there(&self.path.join(LOCK))?;
        sync_dir(&self.path).map_err(at(&self.path))
    }
}

/// A process that was killed holds its lock until the kernel has ended its last thread, so somebody
/// who starts the app again at once waits a moment rather than being turned away.
fn take_lock(folder: &Path) -> Result<File> {
    let path = folder.join(LOCK);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(at(&path))?;
    let until = Instant::now() + LOCK_PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(LOCK_POLL),
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse),
            Err(TryLockError::Error(error)) => return Err(StoreError::io(path, error)),
        }
    }
}
