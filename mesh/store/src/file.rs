//! Small files beside the store: written whole or not at all, and destroyed for good.
//!
//! Contract: what was written survives a power cut, and a reader sees the old bytes or the new ones.
//! For a few hundred bytes: a key, a note about what is under way.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::Path,
};

use crate::{StoreError, disk::sync_dir};

type Result<T> = std::result::Result<T, StoreError>;

/// The bytes of a file of at most `max` bytes; `None` when there is none.
///
/// # Errors
/// It can't be read, or it is longer: nothing beyond `max` is taken in.
pub fn read(path: &Path, max: usize) -> Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(|error| StoreError::io(path, error))?,
    };
    let mut bytes = Vec::new();
    file.take((max as u64).saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| StoreError::io(path, error))?;
    if bytes.len() > max {
        return Err(StoreError::TooLarge {
            what: "a file",
            size: bytes.len(),
            limit: max,
        });
    }
    Ok(Some(bytes))
}

/// Writes a file that only its owner may read, through a fresh one beside it that is renamed.
///
/// # Errors
/// The disk said no; what was there before is unchanged.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    let written = create(&fresh)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&fresh, path));
    written.map_err(|error| StoreError::io(path, error))?;
    sync_parent(path)
}

/// Overwrites a file of at most `max` bytes with zeros and removes it. One that isn't there, or a longer
/// one, which is not what the caller means, is left alone.
///
/// The overwriting reaches the bytes themselves on a plain disk; a flash drive or a file system that
/// copies on write may keep an old copy for a while.
///
/// # Errors
/// The disk said no: the file may still be there.
pub fn destroy(path: &Path, max: usize) -> Result<()> {
    let destroyed = (|| {
        let mut file = OpenOptions::new().write(true).open(path)?;
        let meta = file.metadata()?;
        if !meta.is_file() || meta.len() > max as u64 {
            return Ok(());
        }
        file.write_all(&vec![
            0;
            max.min(usize::try_from(meta.len()).unwrap_or(max))
        ])?;
        file.sync_all()?;
        drop(file);
        fs::remove_file(path)
    })();
    match destroyed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        done => done.map_err(|error| StoreError::io(path, error))?,
    }
    sync_parent(path)
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn sync_parent(path: &Path) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return Ok(()),
    };
    match sync_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        synced => synced.map_err(|error| StoreError::io(folder, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_whole_read_up_to_a_limit_and_destroyed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        assert_eq!(read(&path, 9).unwrap(), None);
        write(&path, b"first").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(read(&path, 6).unwrap().as_deref(), Some(&b"second"[..]));
        assert!(matches!(read(&path, 5), Err(StoreError::TooLarge { .. })));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        // A second name shows what the bytes became.
        let copy = folder.path().join("copy");
        fs::hard_link(&path, &copy).unwrap();
        destroy(&path, 9).unwrap();
        assert!(!path.exists());
        assert_eq!(fs::read(&copy).unwrap(), [0; 6]);
        destroy(&path, 9).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_too_long_to_be_meant_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("photo");
        fs::write(&path, [7; 300]).unwrap();
        destroy(&path, 256).unwrap();
        destroy(folder.path(), 256).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), [7; 300]);
    }
}
