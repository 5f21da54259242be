//! The guard: what this device signed, in a file of its own.
//!
//! Contract: [`OwnHeads::raise`] returns once the positions would survive a power cut. The file is
//! independent of the database, so that it outlives a database that was rolled back or quarantined.
//!
//! ```text
//! file = records, then zeros in advance
//! record 100 = room 16 | author 32 | stream 4 | seq 8 | hash 32 | check 8
//! ```
//!
//! Of several records of one stream the highest position counts. A torn record fails its check and
//! is written over; it was never acknowledged. The zeros are there so that a record changes neither
//! the file's size nor its blocks: such an fsync takes half the time. Opening writes the file anew
//! when most of it is superseded.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use peddlenet_wire::{AuthorId, EventHash, RoomTag, Seq, Stream};

use crate::{OwnHead, StoreError, disk::sync_dir};

type Result<T> = std::result::Result<T, StoreError>;

const RECORD: usize = 100;
const CHECKED: usize = RECORD - 8;
/// Records in the file before an opening writes it anew (count).
const REWRITE_AT: usize = 4096;
/// Room for records that is made at a time (count).
const ADVANCE: usize = 512;

#[derive(Debug)]
pub(crate) struct OwnHeads {
    heads: BTreeMap<(RoomTag, AuthorId, Stream), OwnHead>,
    file: File,
    path: PathBuf,
    /// Where the next record goes, and where the zeros end.
    next: u64,
    end: u64,
}

impl OwnHeads {
    /// Opens or creates `own-heads` in a folder.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join("own-heads");
        load(&path, folder).map_err(|source| StoreError::io(&path, source))
    }

    pub(crate) fn list(&self) -> Vec<OwnHead> {
        self.heads.values().copied().collect()
    }

    /// Notes higher positions.
    pub(crate) fn raise(&mut self, heads: &[OwnHead]) -> Result<()> {
        let mut bytes = Vec::with_capacity(heads.len().saturating_mul(RECORD));
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
                bytes.extend_from_slice(&encode(head));
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
            let zeros = vec![0; bytes.len().saturating_add(RECORD * ADVANCE)];
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

fn load(path: &Path, folder: &Path) -> io::Result<OwnHeads> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read?,
    };
    let (slots, _) = bytes.as_chunks::<RECORD>();
    let mut heads = Heads::new();
    let mut used = 0;
    for (slot, head) in slots
        .iter()
        .enumerate()
        .filter_map(|(slot, record)| Some((slot, decode(record)?)))
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
        rewrite(path, folder, &heads)?;
        used = heads.len();
    }
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    file.sync_all()?;
    sync_dir(folder)?;
    let end = file.metadata()?.len();
    let next = used.saturating_mul(RECORD) as u64;
    Ok(OwnHeads {
        heads,
        file,
        path: path.to_path_buf(),
        next,
        end,
    })
}

fn rewrite(path: &Path, folder: &Path, heads: &Heads) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = File::create(&fresh)?;
    let bytes: Vec<u8> = heads.values().flat_map(encode).collect();
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    sync_dir(folder)
}

fn encode(head: &OwnHead) -> [u8; RECORD] {
    let mut bytes = Vec::with_capacity(RECORD);
    bytes.extend_from_slice(&head.room.0);
    bytes.extend_from_slice(&head.author.0);
    bytes.extend_from_slice(&head.stream.0.to_be_bytes());
    bytes.extend_from_slice(&head.guarded.0.0.to_be_bytes());
    bytes.extend_from_slice(&head.guarded.1.0);
    bytes.extend_from_slice(&check(&bytes).to_be_bytes());
    let mut record = [0; RECORD];
    record.copy_from_slice(&bytes);
    record
}

fn decode(record: &[u8; RECORD]) -> Option<OwnHead> {
    let (body, sum) = record.split_first_chunk::<CHECKED>()?;
    if check(body).to_be_bytes() != *sum {
        return None;
    }
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
        let mut own = OwnHeads::open(folder.path()).unwrap();
        own.raise(&[head(1, 4), head(2, 9)]).unwrap();
        own.raise(&[head(1, 5), head(2, 3)]).unwrap();
        assert_eq!(
            OwnHeads::open(folder.path()).unwrap().list(),
            [head(1, 5), head(2, 9)]
        );
    }

    #[test]
    fn a_torn_record_is_skipped_and_the_next_one_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own-heads");
        OwnHeads::open(folder.path())
            .unwrap()
            .raise(&[head(1, 4)])
            .unwrap();
        let mut file = OpenOptions::new().write(true).open(&path).unwrap();
        file.seek(SeekFrom::Start(RECORD as u64)).unwrap();
        file.write_all(&encode(&head(1, 5))[..60]).unwrap();
        let mut own = OwnHeads::open(folder.path()).unwrap();
        assert_eq!(own.list(), [head(1, 4)]);
        own.raise(&[head(1, 6)]).unwrap();
        assert_eq!(OwnHeads::open(folder.path()).unwrap().list(), [head(1, 6)]);
    }

    #[test]
    fn more_records_than_there_is_room_for_make_room() {
        let folder = tempfile::tempdir().unwrap();
        let mut own = OwnHeads::open(folder.path()).unwrap();
        for seq in 1..=ADVANCE as u64 + 3 {
            own.raise(&[head(1, seq), head(2, seq)]).unwrap();
        }
        assert_eq!(OwnHeads::open(folder.path()).unwrap().list(), own.list());
        assert_eq!(own.list()[0].guarded.0, Seq(ADVANCE as u64 + 3));
    }

    #[test]
    fn a_file_of_zeros_holds_no_positions() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("own-heads"), [0; 350]).unwrap();
        assert!(OwnHeads::open(folder.path()).unwrap().list().is_empty());
    }

    #[test]
    fn a_long_file_is_written_anew_on_opening() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own-heads");
        let bytes: Vec<u8> = (1..=REWRITE_AT as u64 + 1)
            .flat_map(|seq| encode(&head(1, seq)))
            .collect();
        fs::write(&path, bytes).unwrap();
        assert_eq!(
            OwnHeads::open(folder.path()).unwrap().list(),
            [head(1, REWRITE_AT as u64 + 1)]
        );
        assert_eq!(fs::metadata(&path).unwrap().len(), RECORD as u64);
    }
}
