//! The guard: what this device signed, in a file of its own.
//!
//! Contract: [`OwnHeads::raise`] returns once the positions would survive a power cut. The file is
//! independent of the database, so that it outlives a database that was rolled back or quarantined.
//!
//! ```text
//! file = records, then zeros in advance
//! own-heads          record 100 = room 16 | author 32 | stream 4 | seq 8 | hash 32 | check 8
//! own-heads.sealed   record 132 = nonce 24 | the same without the check, 92 | tag 16
//! ```
//!
//! Of several records of one stream the highest position counts. A torn record fails its check (sealed:
//! its tag) and is written over; it was never acknowledged. The zeros are there so that a record
//! changes neither the file's size nor its blocks: such an fsync takes half the time. Opening writes
//! the file anew when most of it is superseded. A sealed store that finds a plain file takes over what
//! it says and removes it.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use peddlenet_wire::{AuthorId, EventHash, RoomTag, Seq, Stream};

use crate::{OwnHead, StoreError, cipher::Seal, disk::sync_dir};

type Result<T> = std::result::Result<T, StoreError>;

const BODY: usize = 92;
/// What the seal takes for a table.
const NAME: &str = "own-heads";
const SEALED_NAME: &str = "own-heads.sealed";
/// Records in the file before an opening writes it anew (count).
const REWRITE_AT: usize = 4096;
/// Room for records that is made at a time (count).
const ADVANCE: usize = 512;

#[derive(Debug)]
pub(crate) struct OwnHeads {
    heads: BTreeMap<(RoomTag, AuthorId, Stream), OwnHead>,
    file: File,
    path: PathBuf,
    seal: Seal,
    /// Where the next record goes, and where the zeros end.
    next: u64,
    end: u64,
}

impl OwnHeads {
    /// Opens or creates the guard in a folder.
    pub(crate) fn open(folder: &Path, seal: Seal) -> Result<Self> {
        let plain = folder.join(NAME);
        if !seal.is_sealed() {
            return load(plain.clone(), folder, seal).map_err(|e| StoreError::io(&plain, e));
        }
        let path = folder.join(SEALED_NAME);
        let mut own =
            load(path.clone(), folder, seal).map_err(|source| StoreError::io(&path, source))?;
        if plain.exists() {
            let before = load(plain.clone(), folder, Seal::default())
                .map_err(|source| StoreError::io(&plain, source))?;
            own.raise(&before.list())?;
            fs::remove_file(&plain)
                .and_then(|()| sync_dir(folder))
                .map_err(|source| StoreError::io(&plain, source))?;
        }
        Ok(own)
    }

    pub(crate) fn list(&self) -> Vec<OwnHead> {
        self.heads.values().copied().collect()
    }

    /// Notes higher positions.
    pub(crate) fn raise(&mut self, heads: &[OwnHead]) -> Result<()> {
        let mut bytes = Vec::with_capacity(heads.len().saturating_mul(record_len(&self.seal)));
        for head in heads {
            let slot = self.heads.entry((head.room, head.author, head.stream));
            let higher = match slot {
                std::collections::btree_map::Entry::Vacant(slot) => {
                    slot.insert(*head);
                    true
                }
                std::collections::btree_map::Entry::Occupied(mut slot) => {
                    let higher = head.guarded.0 > slot.get().guarded.0;
                    if higher {
                        slot.insert(*head);
                    }
                    higher
                }
            };
            if higher {
                bytes.extend_from_slice(&encode(head, &self.seal)?);
            }
        }
        if bytes.is_empty() {
            return Ok(());
        }
        self.append(&bytes)
            .map_err(|source| StoreError::io(&self.path, source))
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let after = self.next.saturating_add(bytes.len() as u64);
        if after > self.end {
            let zeros = vec![
                0;
                bytes
                    .len()
                    .saturating_add(record_len(&self.seal).saturating_mul(ADVANCE))
            ];
            self.file.seek(SeekFrom::Start(self.end))?;
            self.file.write_all(&zeros)?;
            self.file.sync_all()?;
            self.end = self.end.saturating_add(zeros.len() as u64);
        }
        self.file.seek(SeekFrom::Start(self.next))?;
        self.file.write_all(bytes)?;
        self.file.sync_data()?;
        self.next = after;
        Ok(())
    }
}

type Heads = BTreeMap<(RoomTag, AuthorId, Stream), OwnHead>;

fn load(path: PathBuf, folder: &Path, seal: Seal) -> io::Result<OwnHeads> {
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read?,
    };
    let mut heads = Heads::new();
    let mut used = 0;
    for (slot, head) in bytes
        .chunks_exact(record_len(&seal))
        .enumerate()
        .filter_map(|(slot, record)| Some((slot, decode(record, &seal)?)))
    {
        used = slot.saturating_add(1);
        let kept = heads
            .entry((head.room, head.author, head.stream))
            .or_insert(head);
        if head.guarded.0 > kept.guarded.0 {
            *kept = head;
        }
    }
    if used > REWRITE_AT.max(heads.len().saturating_mul(2)) {
        rewrite(&path, folder, &heads, &seal)?;
        used = heads.len();
    }
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)?;
    file.sync_all()?;
    sync_dir(folder)?;
    let end = file.metadata()?.len();
    let next = used.saturating_mul(record_len(&seal)) as u64;
    Ok(OwnHeads {
        heads,
        file,
        path,
        seal,
        next,
        end,
    })
}

fn rewrite(path: &Path, folder: &Path, heads: &Heads, seal: &Seal) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = File::create(&fresh)?;
    for head in heads.values() {
        let record = encode(head, seal).map_err(io::Error::other)?;
        file.write_all(&record)?;
    }
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    sync_dir(folder)
}

fn record_len(seal: &Seal) -> usize {
    if seal.is_sealed() {
        BODY + 40
    } else {
        BODY + 8
    }
}

fn encode(head: &OwnHead, seal: &Seal) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(record_len(seal));
    bytes.extend_from_slice(&head.room.0);
    bytes.extend_from_slice(&head.author.0);
    bytes.extend_from_slice(&head.stream.0.to_be_bytes());
    bytes.extend_from_slice(&head.guarded.0.0.to_be_bytes());
    bytes.extend_from_slice(&head.guarded.1.0);
    if seal.is_sealed() {
        let sealed = seal.seal(NAME, &[], &bytes)?.into_owned();
        // A cipher that adds anything else than 40 bytes would shift every record after this one.
        return if sealed.len() == record_len(seal) {
            Ok(sealed)
        } else {
            Err(StoreError::Altered { table: NAME })
        };
    }
    bytes.extend_from_slice(&check(&bytes).to_be_bytes());
    Ok(bytes)
}

fn decode(record: &[u8], seal: &Seal) -> Option<OwnHead> {
    if record.iter().all(|byte| *byte == 0) {
        return None;
    }
    let body = if seal.is_sealed() {
        seal.open(NAME, &[], record.to_vec()).ok()?
    } else {
        let (body, sum) = record.split_last_chunk()?;
        if check(body).to_be_bytes() != *sum {
            return None;
        }
        body.to_vec()
    };
    let (room, rest) = body.split_first_chunk()?;
    let (author, rest) = rest.split_first_chunk()?;
    let (stream, rest) = rest.split_first_chunk()?;
    let (seq, hash) = rest.split_first_chunk()?;
    Some(OwnHead {
        room: RoomTag(*room),
        author: AuthorId(*author),
        stream: Stream(u32::from_be_bytes(*stream)),
        guarded: (
            Seq(u64::from_be_bytes(*seq)),
            EventHash::try_from(hash).ok()?,
        ),
        stored: None,
    })
}

/// FNV-1a, 64 bits: tells a torn write from a whole one; not against an adversary.
fn check(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::cipher;

    fn open(folder: &Path) -> OwnHeads {
        OwnHeads::open(folder, Seal::default()).unwrap()
    }

    fn open_sealed(folder: &Path) -> OwnHeads {
        OwnHeads::open(folder, Seal::new(Some(cipher(1)))).unwrap()
    }

    fn head(author: u8, seq: u64) -> OwnHead {
        OwnHead {
            room: RoomTag([7; 16]),
            author: AuthorId([author; 32]),
            stream: Stream::CONTENT,
            guarded: (Seq(seq), EventHash([u8::try_from(seq % 251).unwrap(); 32])),
            stored: None,
        }
    }

    #[test]
    fn the_highest_position_is_there_after_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let mut own = open(folder.path());
        own.raise(&[head(1, 4), head(2, 9)]).unwrap();
        own.raise(&[head(1, 5), head(2, 3)]).unwrap();
        assert_eq!(open(folder.path()).list(), [head(1, 5), head(2, 9)]);
    }

    #[test]
    fn a_torn_record_is_skipped_and_the_next_one_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own-heads");
        open(folder.path()).raise(&[head(1, 4)]).unwrap();
        let mut file = OpenOptions::new().write(true).open(&path).unwrap();
        file.seek(SeekFrom::Start(100)).unwrap();
        file.write_all(&encode(&head(1, 5), &Seal::default()).unwrap()[..60])
            .unwrap();
        let mut own = open(folder.path());
        assert_eq!(own.list(), [head(1, 4)]);
        own.raise(&[head(1, 6)]).unwrap();
        assert_eq!(open(folder.path()).list(), [head(1, 6)]);
    }

    #[test]
    fn more_records_than_there_is_room_for_make_room() {
        let folder = tempfile::tempdir().unwrap();
        let mut own = open(folder.path());
        for seq in 1..=ADVANCE as u64 + 3 {
            own.raise(&[head(1, seq), head(2, seq)]).unwrap();
        }
        assert_eq!(open(folder.path()).list(), own.list());
        assert_eq!(own.list()[0].guarded.0, Seq(ADVANCE as u64 + 3));
    }

    #[test]
    fn a_file_of_zeros_holds_no_positions() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("own-heads"), [0; 350]).unwrap();
        assert!(open(folder.path()).list().is_empty());
    }

    #[test]
    fn a_long_file_is_written_anew_on_opening() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own-heads");
        let bytes: Vec<u8> = (1..=REWRITE_AT as u64 + 1)
            .flat_map(|seq| encode(&head(1, seq), &Seal::default()).unwrap())
            .collect();
        fs::write(&path, bytes).unwrap();
        assert_eq!(open(folder.path()).list(), [head(1, REWRITE_AT as u64 + 1)]);
        assert_eq!(fs::metadata(&path).unwrap().len(), 100);
    }

    #[test]
    fn a_sealed_file_names_nobody_and_reads_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let mut own = open_sealed(folder.path());
        own.raise(&[head(1, 4), head(2, 9)]).unwrap();
        own.raise(&[head(1, 5), head(2, 3)]).unwrap();
        assert_eq!(open_sealed(folder.path()).list(), [head(1, 5), head(2, 9)]);
        let bytes = fs::read(folder.path().join(SEALED_NAME)).unwrap();
        assert!(!bytes.windows(16).any(|w| w == [7; 16] || w == [1; 16]));
        // A torn record, and one that was changed, are skipped.
        let mut torn = bytes.clone();
        torn[132 * 2 + 50] ^= 1;
        fs::write(folder.path().join(SEALED_NAME), torn).unwrap();
        let mut own = open_sealed(folder.path());
        assert_eq!(own.list(), [head(1, 4), head(2, 9)]);
        own.raise(&[head(1, 6)]).unwrap();
        assert_eq!(open_sealed(folder.path()).list(), [head(1, 6), head(2, 9)]);
    }

    #[test]
    fn a_plain_file_is_taken_over_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path())
            .raise(&[head(1, 4), head(2, 9)])
            .unwrap();
        assert_eq!(open_sealed(folder.path()).list(), [head(1, 4), head(2, 9)]);
        assert!(!folder.path().join(NAME).exists());
        assert_eq!(open_sealed(folder.path()).list().len(), 2);
        // A stop between taking over and removing: the same file is there again, and older.
        open(folder.path()).raise(&[head(1, 3)]).unwrap();
        assert_eq!(open_sealed(folder.path()).list()[0], head(1, 4));
    }
}
