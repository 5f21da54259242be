//! Comparing what two neighbours hold in few bytes: a digest first, then a sketch of the heads.
//!
//! ```text
//!  A -- DigestOf --------------------> B   equal: nothing follows
//!  A <------------- Sketch: cells ---- B   B holds less; A takes the cells of its own heads away, and
//!                                          what is left decodes to the logs in which the two differ
//!  A -- Batch with the sketch's id --> B   what B lacks (or heads, if that is much)
//!  A -- Want ------------------------> B   what A lacks
//!  A -- Sketch: more, or lines ------> B   too few cells; or logs that A has never heard of
//! ```
//!
//! The cells are those of Yang, Gilad, Alizadeh, "Practical Rateless Set Reconciliation" (SIGCOMM
//! 2024), with sums in a prime field in place of exclusive-ors: see the engine's `sketch` module.

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::{codec::Capped, ids::RoomShort, limits};

/// What a device holds of a room, so short that it can be told every few seconds: 24 bytes as a frame.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct DigestOf {
    /// The room.
    #[n(0)]
    pub room: RoomShort,
    /// What the sender holds.
    #[n(1)]
    pub summary: Summary,
}

/// All heads in 15 bytes. Equal summaries mean equal heads; smaller ones sort first, so that both
/// ends agree on who holds less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Summary {
    /// Events, at most [`Self::EVENTS_MAX`].
    pub events: u32,
    /// The first bytes of a SHA-256 over the heads. Who forges two states with one digest (2^48
    /// tries) hides the difference between the two until the next event, and nothing else.
    pub digest: [u8; 12],
}

impl Summary {
    /// The largest count that fits; stands for all above.
    pub const EVENTS_MAX: u32 = 0x00ff_ffff;
}

impl<C> Encode<C> for Summary {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        let [_, high, middle, low] = self.events.min(Self::EVENTS_MAX).to_be_bytes();
        let [a, b, c, d, f, g, h, i, j, k, l, m] = self.digest;
        e.bytes(&[high, middle, low, a, b, c, d, f, g, h, i, j, k, l, m])?
            .ok()
    }
}

impl<'b, C> Decode<'b, C> for Summary {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let at = d.position();
        let wrong = || decode::Error::message("wrong length of a summary").at(at);
        let (count, digest) = d.bytes()?.split_at_checked(3).ok_or_else(wrong)?;
        let digest = digest.try_into().map_err(|_| wrong())?;
        let count = count
            .iter()
            .fold(0, |sum: u32, &b| (sum << 8) | u32::from(b));
        Ok(Self {
            events: count,
            digest,
        })
    }
}

/// A step of comparing heads. All steps of one comparison carry the id of its first.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Sketch {
    /// The room.
    #[n(0)]
    pub room: RoomShort,
    /// Chosen by who sends the cells, from the same numbers as the ids of its wants: the answer is a
    /// [`Batch`](crate::frame::Batch) with this id.
    #[n(1)]
    pub id: u32,
    /// Which step.
    #[n(2)]
    pub step: Step,
}

/// See [`Sketch`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Step {
    /// Cells over the sender's heads.
    #[n(0)]
    Cells {
        /// Keys the short names of logs and the checks of heads.
        #[n(0)]
        salt: u64,
        /// The position of the first cell.
        #[n(1)]
        first: u16,
        /// Cells in a row.
        #[n(2)]
        cells: Cells,
    },
    /// The cells so far do not decode: more of them.
    #[n(1)]
    More {
        /// The position of the first cell that is asked for.
        #[n(0)]
        first: u16,
    },
    /// Heads of these logs, of which the sender only knows the short names.
    #[n(2)]
    Lines {
        /// Short names as in the cells.
        #[n(0)]
        logs: Capped<u32, { limits::HEADS_MAX }>,
    },
}

/// A cell: two sums modulo 2^48 - 59.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cell {
    /// Of the values of its logs. The lower 48 bits count.
    pub sum: u64,
    /// Of each value times the key of its log. The lower 48 bits count.
    pub weighted: u64,
}

impl Cell {
    /// Bytes on the wire.
    pub const LEN: usize = 12;
}

/// Cells in a row, at most [`limits::SKETCH_CELLS_MAX`], as one byte string.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cells(Vec<Cell>);

impl Cells {
    /// The first cells of an iterator, as many as may stand in a frame.
    pub fn take_from(cells: impl Iterator<Item = Cell>) -> Self {
        Self(cells.take(limits::SKETCH_CELLS_MAX).collect())
    }
}

impl std::ops::Deref for Cells {
    type Target = [Cell];
    fn deref(&self) -> &[Cell] {
        &self.0
    }
}

impl<C> Encode<C> for Cells {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        let mut bytes = Vec::with_capacity(self.0.len().saturating_mul(Cell::LEN));
        for half in self.0.iter().flat_map(|c| [c.sum, c.weighted]) {
            bytes.extend(half.to_be_bytes().iter().skip(2));
        }
        e.bytes(&bytes)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Cells {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let at = d.position();
        let (cells, rest) = d.bytes()?.as_chunks::<{ Cell::LEN }>();
        if !rest.is_empty() || cells.len() > limits::SKETCH_CELLS_MAX {
            return Err(decode::Error::message("wrong length of cells").at(at));
        }
        let number = |bytes: &[u8]| bytes.iter().fold(0, |n: u64, &b| (n << 8) | u64::from(b));
        let cell = |bytes: &[u8; Cell::LEN]| {
            let (sum, weighted) = bytes.split_at(Cell::LEN / 2);
            Cell {
                sum: number(sum),
                weighted: number(weighted),
            }
        };
        Ok(Self(cells.iter().map(cell).collect()))
    }
}
