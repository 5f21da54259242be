//! Sketches of sets of heads: what two devices hold differently, in bytes that grow with the
//! difference and not with what they hold.
//!
//! After Yang, Gilad, Alizadeh, "Practical Rateless Set Reconciliation" (SIGCOMM 2024): every entry
//! is added to a sparse, endless row of cells, position i with probability 1/(1 + i/2); the first
//! cells of the row, about 1.4 to 2 for each difference, decode once the other side's are taken away
//! and cells with one difference left are peeled off; if they don't, more of the row does.
//!
//! Ours differs from the paper in what a cell holds. An entry is a key (a log) with a value (its
//! head), and a cell holds the sums of `value` and of `value * key` in the field of 2^48 - 59. Then a
//! log whose head differs counts once instead of twice; a cell with one difference left gives its
//! key by a division; and 16 of the key's 47 bits repeat the others, so that a cell of 12 bytes needs
//! neither checksum nor count. A decode counts only if every cell ends at zero.
//!
//! Keys and values depend on a salt that is new in each comparison, so that nobody can make
//! entries that collide.

use std::collections::BTreeSet;

use peddlenet_wire::{
    EventHash,
    event::sha256,
    sketch::{Cell, Cells},
};

use crate::{recent::LogKey, room::Log};

/// The largest prime below 2^48.
const PRIME: u64 = (1 << 48) - 59;
const NAME_BITS: u32 = 31;
const VALUE_MAX: u64 = (1 << 47) - 1;
/// Set in the value of a log that is held from its first event on.
const WHOLE: u64 = 1 << 46;
const SEQ_SHIFT: u32 = 30;

/// One log in a sketch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The log's short name under the salt, 31 bits.
    pub(crate) name: u32,
    pub(crate) value: u64,
}

/// What the other end holds of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theirs {
    Nothing,
    /// All from the first event to one whose position has these lower 16 bits.
    Until(u16),
    /// Something with gaps.
    Parts,
}

/// A log in which the two differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) name: u32,
    /// Which of one's own entries; `None` where no entry has the name, or several do.
    pub(crate) own: Option<usize>,
    /// Means nothing where several own entries have the name.
    pub(crate) theirs: Theirs,
}

impl Entry {
    pub(crate) fn of(salt: u64, log: LogKey, held: &Log) -> Self {
        let (seq, hash) = held.head.map_or((0, EventHash::ZERO), |(s, h)| (s.0, h));
        let check = check(salt, hash);
        let value = if held.is_whole() {
            WHOLE | ((seq & 0xffff) << SEQ_SHIFT) | (check >> (64 - SEQ_SHIFT))
        } else {
            let ends = held
                .lines(log)
                .fold(check, |sum, line| mix(mix(sum ^ line.base.0) ^ line.seq.0));
            (ends & (WHOLE - 1)).max(1)
        };
        Self {
            name: name(salt, log),
            value,
        }
    }

    fn key(self) -> u64 {
        key(self.name)
    }
}

/// The short name of a log in a comparison.
pub(crate) fn name(salt: u64, (author, stream): LogKey) -> u32 {
    let mut bytes = [0; 44];
    let parts = salt.to_be_bytes().into_iter();
    let parts = parts.chain(author.0).chain(stream.0.to_be_bytes());
    bytes
        .iter_mut()
        .zip(parts)
        .for_each(|(to, from)| *to = from);
    let [a, b, c, d, ..] = sha256(&bytes).0;
    u32::from_be_bytes([a, b, c, d]) >> (32 - NAME_BITS)
}

/// A head's hash under a salt. The hash is uniform already, so that mixing the salt in is enough.
fn check(salt: u64, hash: EventHash) -> u64 {
    let (words, _) = hash.0.as_chunks::<8>();
    let word = |bytes: &[u8; 8]| u64::from_be_bytes(*bytes);
    words
        .iter()
        .map(word)
        .fold(mix(salt), |sum, w| mix(sum ^ w))
}

/// A name with 16 bits that depend on it.
fn key(name: u32) -> u64 {
    let name = u64::from(name);
    (name << 16) | (mix(name) >> 48)
}

/// The output function of SplitMix64 (Steele, Lea, Flood 2014): a permutation that spreads every bit.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The cells that an entry is part of, ascending from the first, without end.
///
/// From place i on, the chance to be part of none up to j is the product of k / (k + 2), that is
/// (i+1)(i+2) / (j+1)(j+2): the next place is the first j for which that is at most a uniform number.
fn places(name: u32) -> impl Iterator<Item = u64> {
    let mut state = mix(u64::from(name));
    std::iter::successors(Some(0), move |&at: &u64| {
        state = mix(state);
        // In fractions of 2^32; saturates far beyond the last place that is ever sent.
        let uniform = (state >> 32).max(1);
        let next = at.saturating_add(1);
        let weight = u128::from(next.saturating_mul(at.saturating_add(2))) << 32;
        let weight = u64::try_from(weight.div_ceil(u128::from(uniform))).ok()?;
        // (j+1)(j+2) >= weight, for which j + 3/2 is about the square root.
        let near = weight.isqrt().saturating_sub(2).max(next);
        (near..).find(|&j| j.saturating_add(1).saturating_mul(j.saturating_add(2)) >= weight)
    })
}

/// A stretch of the row of cells over some entries.
pub(crate) fn cells(entries: &[Entry], first: usize, count: usize) -> Cells {
    let (from, to) = (as_place(first), as_place(first.saturating_add(count)));
    let mut row = vec![Cell::default(); count];
    for entry in entries {
        let inside = places(entry.name).take_while(|&at| at < to);
        for at in inside.skip_while(|&at| at < from) {
            if let Some(cell) = row.get_mut(at_index(at.saturating_sub(from))) {
                field::add(cell, entry.key(), entry.value);
            }
        }
    }
    Cells::take_from(row.into_iter())
}

/// How many cells are worth sending first, for so many differences as are likely: nineteen of
/// twenty such sketches decode (measured, see the tests).
pub(crate) fn enough_for(differences: usize) -> usize {
    let slope = differences.saturating_mul(7).div_ceil(5);
    let spread = differences.saturating_mul(25).isqrt().div_ceil(2);
    slope.saturating_add(spread).saturating_add(4)
}

/// The differences between own entries and the other end's cells; `None` if these are too few, or not
/// cells at all. Costs at most about 15 steps a cell, whatever the cells say.
pub(crate) fn decode(cells: &[Cell], own: &[Entry]) -> Option<Vec<Difference>> {
    let end = as_place(cells.len());
    let mut row: Vec<Cell> = cells.iter().copied().map(field::reduced).collect();
    for entry in own {
        for at in places(entry.name).take_while(|&at| at < end) {
            let cell = row.get_mut(at_index(at))?;
            field::add(cell, entry.key(), field::negative(entry.value));
        }
    }
    let mut by_name: Vec<(u32, usize)> = own.iter().enumerate().map(|(i, e)| (e.name, i)).collect();
    by_name.sort_unstable();
    let mut found = Vec::new();
    let mut peeled = BTreeSet::new();
    let mut queue: Vec<usize> = (0..row.len()).collect();
    while let Some(at) = queue.pop() {
        let Some((name, change)) = row.get(at).copied().and_then(single) else {
            continue;
        };
        let among = by_name.partition_point(|&(other, _)| other < name);
        let mut fits = by_name.iter().skip(among).take_while(|&&(n, _)| n == name);
        let (first, second) = (fits.next(), fits.next());
        let own_value = first.and_then(|&(_, i)| own.get(i)).map_or(0, |e| e.value);
        let theirs = field::sum(own_value, change);
        // Several own logs under one name: all that is known is that something differs.
        let is_value = second.is_some() || theirs <= VALUE_MAX;
        if !is_value
            || !places(name)
                .take_while(|&p| p < end)
                .any(|p| at_index(p) == at)
        {
            continue;
        }
        if !peeled.insert(name) {
            return None;
        }
        found.push(Difference {
            name,
            own: first.map(|&(_, i)| i).filter(|_| second.is_none()),
            theirs: held_as(theirs),
        });
        for at in places(name).take_while(|&at| at < end).map(at_index) {
            field::add(row.get_mut(at)?, key(name), field::negative(change));
            queue.push(at);
        }
    }
    let is_clean = row.iter().all(|cell| *cell == Cell::default());
    is_clean.then_some(found)
}

/// The name and the change of value in a cell with one difference left.
fn single(cell: Cell) -> Option<(u32, u64)> {
    if cell.sum == 0 {
        return None;
    }
    let ratio = field::divide(cell.weighted, cell.sum);
    let name = u32::try_from(ratio >> 16).ok()?;
    (key(name) == ratio && name >> NAME_BITS == 0).then_some((name, cell.sum))
}

fn held_as(value: u64) -> Theirs {
    if value == 0 {
        Theirs::Nothing
    } else if value & WHOLE == 0 {
        Theirs::Parts
    } else {
        Theirs::Until(u16::try_from((value >> SEQ_SHIFT) & 0xffff).unwrap_or(0))
    }
}

fn as_place(index: usize) -> u64 {
    u64::try_from(index).unwrap_or(u64::MAX)
}

fn at_index(place: u64) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

/// Numbers modulo [`PRIME`].
mod field {
    #![expect(
        clippy::arithmetic_side_effects,
        reason = "elements are below 2^48: sums stay below 2^49, products below 2^96"
    )]

    use super::{Cell, PRIME};

    pub(super) fn reduced(cell: Cell) -> Cell {
        Cell {
            sum: cell.sum % PRIME,
            weighted: cell.weighted % PRIME,
        }
    }

    pub(super) fn sum(a: u64, b: u64) -> u64 {
        let sum = a + b;
        if sum >= PRIME { sum - PRIME } else { sum }
    }

    pub(super) fn negative(a: u64) -> u64 {
        if a == 0 { 0 } else { PRIME - a }
    }

    pub(super) fn add(cell: &mut Cell, key: u64, value: u64) {
        cell.sum = sum(cell.sum, value);
        cell.weighted = sum(cell.weighted, product(key, value));
    }

    /// 2^48 is 59 here, so the upper half folds into the lower one, twice.
    fn product(a: u64, b: u64) -> u64 {
        const HALF: u128 = (1 << 48) - 1;
        let wide = u128::from(a) * u128::from(b);
        let wide = (wide >> 48) * 59 + (wide & HALF);
        let wide = (wide >> 48) * 59 + (wide & HALF);
        u64::try_from(wide).unwrap_or(0) % PRIME
    }

    /// By Fermat's little theorem. `b` is not zero.
    pub(super) fn divide(a: u64, b: u64) -> u64 {
        let (mut result, mut base, mut power) = (a, b, PRIME - 2);
        while power > 0 {
            if power & 1 == 1 {
                result = product(result, base);
            }
            base = product(base, base);
            power >>= 1;
        }
        result
    }
}

#[cfg(test)]
mod tests;
