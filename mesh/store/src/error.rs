//! What can go wrong, each with a sentence that may be shown.

use std::{io, path::PathBuf, sync::Arc};

use peddlenet_wire::Seq;

/// Why the store could not do what was asked. Cheap to clone: one failure answers a whole group.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process holds this profile's lock.
    #[error(
        "this profile is already open in another window; close that one, or choose another profile"
    )]
    InUse,
    /// A newer build wrote this folder.
    #[error(
        "this profile was written by a newer version (format {found}, this version knows {known}); update the app to open it"
    )]
    NewerSchema {
        /// The format on disk.
        found: u32,
        /// The newest format that this build reads.
        known: u32,
    },
    /// A value, key or commit beyond its limit. Nothing was written.
    #[error("{what} has {size} bytes or entries, the limit is {limit}")]
    TooLarge {
        /// Which of the limits.
        what: &'static str,
        /// What was given.
        size: usize,
        /// What is allowed.
        limit: usize,
    },
    /// This device has already signed another event with this position. Nothing was written.
    #[error("position {} of this stream is already signed: the store is older than what was sent", seq.0)]
    SeqUsed {
        /// The position that was asked for.
        seq: Seq,
    },
    /// The database does not read back as it was written.
    #[error("the database is damaged: {0}")]
    Corrupt(Arc<str>),
    /// The store is sealed with another key than the given one. Nothing was touched.
    #[error(
        "this data was sealed with another key; start with the key or passphrase that belongs to it"
    )]
    WrongKey,
    /// The store is sealed, and no key was given. Nothing was touched.
    #[error("this data is sealed; its key is needed to open it")]
    KeyNeeded,
    /// A sealed value does not open although the key is the right one: something else than this
    /// program wrote there.
    #[error("this data was changed by something else than this program (in {table})")]
    Altered {
        /// The table, or the file.
        table: &'static str,
    },
    /// A file operation failed.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Arc<io::Error>,
    },
    /// An earlier write failed half-way. After a failed fsync nobody knows what is on disk, so the
    /// store takes no more writes until it is opened again.
    #[error("an earlier write to disk failed; restart the app to go on")]
    Poisoned,
    /// Too many requests wait for the store thread.
    #[error("the disk cannot keep up; try again in a moment")]
    Busy,
    /// The store thread has ended.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    pub(crate) fn io(path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Io {
            path: path.into(),
            source: Arc::new(source),
        }
    }

    pub(crate) fn corrupt(why: impl AsRef<str>) -> Self {
        Self::Corrupt(Arc::from(why.as_ref()))
    }
}
