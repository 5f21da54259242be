//! Values as sled likes them: small.
//!
//! sled writes a whole leaf page at a time, 16 entries and some more, and a page above a quarter
//! of a log segment (128 KiB) becomes a file of its own in `blobs/`, which it neither fsyncs nor
//! removes in an order that survives a power cut. So it is the sum of a page that must stay small,
//! not only the value: a value above [`PIECE`] is split, and the pieces go into a tree of their own.
//!
//! ```text
//!  value <= PIECE   0 | value
//!  value >  PIECE   1 | pieces 2 | first piece      and in `parts`: table 1 | key | index 2 -> piece
//! ```

use sled::{IVec, Tree};

use super::{Result, StoreError};
use crate::tables::Table;

/// Bytes of a value in one entry. Twenty entries of a page, two of them merged, stay below 128 KiB.
pub(super) const PIECE: usize = 5 * 1024;

const WHOLE: u8 = 0;
const SPLIT: u8 = 1;

/// The entry itself, and the pieces that go into `parts`, from index 1 on.
pub(super) fn split(value: &[u8]) -> (Vec<u8>, impl Iterator<Item = (u16, &[u8])>) {
    let (first, rest) = value.split_at(value.len().min(PIECE));
    let pieces = rest.len().div_ceil(PIECE);
    // VALUE_MAX keeps it at a dozen.
    let count = u16::try_from(pieces).unwrap_or(u16::MAX);
    let mut entry = Vec::with_capacity(first.len().saturating_add(3));
    if count == 0 {
        entry.push(WHOLE);
    } else {
        entry.push(SPLIT);
        entry.extend_from_slice(&count.to_be_bytes());
    }
    entry.extend_from_slice(first);
    (entry, (1..=count).zip(rest.chunks(PIECE)))
}

/// How many pieces an entry has in `parts`.
pub(super) fn pieces(entry: &[u8]) -> u16 {
    match entry {
        [SPLIT, a, b, ..] => u16::from_be_bytes([*a, *b]),
        _ => 0,
    }
}

/// The value of an entry.
pub(super) fn join(entry: &IVec, table: Table, key: &[u8], parts: &Tree) -> Result<Vec<u8>> {
    match entry.as_ref() {
        [WHOLE, value @ ..] => Ok(value.to_vec()),
        [SPLIT, _, _, first @ ..] => {
            let mut value = first.to_vec();
            for index in 1..=pieces(entry) {
                let piece = parts
                    .get(piece_key(table, key, index))
                    .map_err(super::durable::failed)?;
                value.extend_from_slice(
                    &piece.ok_or_else(|| StoreError::corrupt("a value with a missing piece"))?,
                );
            }
            Ok(value)
        }
        _ => Err(StoreError::corrupt("an entry of an unknown form")),
    }
}

/// The key of a piece. Two keys of different lengths cannot meet, as the index has a fixed length.
pub(super) fn piece_key(table: Table, key: &[u8], index: u16) -> Vec<u8> {
    [&[table as u8], key, &index.to_be_bytes()].concat()
}
