//! The panic wipe: the key first, then everything it sealed.
//!
//! ```text
//!  1  note `wiping` in the data folder; fsync        killed before: nothing happened
//!  2  destroy the key: file overwritten and          killed from here on: the next start
//!     removed, keychain entry deleted                does 2, 3 and 4 before anything else
//!  3  remove the store
//!  4  remove the note
//! ```
//!
//! After step 2 nobody can read what is left, which is why it comes before the slow part. What the note
//! says is where the key is, so that a later start with other options destroys the same one.

use std::path::{Path, PathBuf};

use peddlenet_crypto::vault::KEY_FILE_MAX;
use peddlenet_store::{Folder, StoreError, file};

use crate::{
    error::Error,
    keys::{self, Kept, Keys},
};

const NOTE: &str = "wiping";
const FIRST_LINE: &str = "pn wipe 1";
/// More bytes than a note has.
const NOTE_MAX: usize = 16 * 1024;

/// Steps 1 and 2. The key is tried even when the note could not be written: a full disk doesn't save it.
pub(crate) fn begin(data_dir: &Path, kept: &Kept) -> Result<(), Error> {
    let path = kept.file.to_str().unwrap_or_default();
    let note = format!("{FIRST_LINE}\n{}\n{path}\n", kept.account);
    if let Err(error) = file::write(&data_dir.join(NOTE), note.as_bytes()) {
        tracing::error!(%error, "a wipe that is interrupted now can't be resumed");
    }
    kept.destroy()
}

/// Steps 3 and 4. The folder is this process's alone.
pub(crate) fn finish(data_dir: &Path, folder: Folder) -> Result<(), StoreError> {
    folder.erase()?;
    file::destroy(&data_dir.join(NOTE), NOTE_MAX)
}

/// Whether an earlier process was interrupted in a wipe.
pub(crate) fn is_begun(data_dir: &Path) -> bool {
    data_dir.join(NOTE).exists()
}

/// Does what an earlier process began.
pub(crate) fn resume(data_dir: &Path, folder: Folder, keys: &Keys) -> Result<(), Error> {
    tracing::warn!("finishing a wipe that was interrupted");
    let note = file::read(&data_dir.join(NOTE), NOTE_MAX).unwrap_or_default();
    let note = String::from_utf8(note.unwrap_or_default()).unwrap_or_default();
    let mut lines = note.lines().skip_while(|line| *line != FIRST_LINE).skip(1);
    let account = lines.next().unwrap_or_default().to_owned();
    let noted = PathBuf::from(lines.next().unwrap_or_default());
    // A note that can't be read leaves the place that these options name.
    let here = keys::key_path(data_dir, keys)?;
    let path = if noted.is_absolute() {
        noted
    } else {
        here.clone()
    };
    let destroyed = Kept::noted(keys, path, account).destroy();
    file::destroy(&here, KEY_FILE_MAX)?;
    if let Err(error) = destroyed {
        // What it sealed goes now; a key without data opens nothing.
        tracing::error!(%error, "the key of a wiped profile is still there");
    }
    Ok(finish(data_dir, folder)?)
}
