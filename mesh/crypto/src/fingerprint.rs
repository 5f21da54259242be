//! What two people compare to know that nobody stands between them.
//!
//! ```text
//!  room, my key    --5200 x SHA-512--> 30 digits -+
//!                                                 +- sorted --> 60 digits, read aloud
//!  room, their key --5200 x SHA-512--> 30 digits -+
//!
//!  room, key --SHA-256--> print 32: two of them stand in the code that one screen shows the other
//! ```
//!
//! The digits are Signal's numeric fingerprint, version 1 (`rust/protocol/src/fingerprint.rs` of
//! libsignal; "Safety number" in its documentation): `H0 = SHA-512(version ‖ key ‖ identifier ‖ key)`,
//! `Hn = SHA-512(Hn-1 ‖ key)`, 5200 hashes in all, then six times five bytes as a number modulo 100,000. The
//! identifier here is a context string and the room, so the numbers of one pair differ in every room. Iterating
//! makes it 5200 times dearer to search for a key whose 30 digits (99.7 bits) are like another's; the
//! print keeps all 256 bits of its hash and needs none of it.
//!
//! Author keys are public to the room: nothing here is secret. Comparisons take the same time
//! wherever two values part, so that a scanner answers no faster for a near miss.

use std::fmt;

use peddlenet_wire::{AuthorId, RoomId, VerifyCode, ids::Digest};
use sha2::{Digest as _, Sha256, Sha512};
use subtle::ConstantTimeEq as _;

/// Hashes behind one author's digits (count); Signal's figure.
pub const ITERATIONS: usize = 5_200;
/// Digits of one author.
pub const AUTHOR_DIGITS: usize = 30;
/// Digits in one group, as people read them.
pub const GROUP: usize = 5;

const VERSION: [u8; 2] = [0, 1];
const CONTEXT: &[u8] = b"pn/fingerprint/1";
const PRINT_CONTEXT: &[u8] = b"pn/print/1";
/// Bytes that make one group.
const CHUNK: usize = 5;

/// The number that two members of a room both see: 60 digits.
#[derive(Clone, PartialEq, Eq)]
pub struct SafetyNumber(String);

impl SafetyNumber {
    /// The number of two authors in a room. The same whoever of the two asks.
    pub fn of(room: RoomId, one: AuthorId, other: AuthorId) -> Self {
        let (one, other) = (author_digits(room, one), author_digits(room, other));
        let (low, high) = if one <= other {
            (one, other)
        } else {
            (other, one)
        };
        Self(low + &high)
    }

    /// All digits, without blanks.
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// Groups of five, as they stand on the screen and are read aloud.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        let starts = (0..self.0.len()).step_by(GROUP);
        starts.filter_map(|at| self.0.get(at..at.saturating_add(GROUP)))
    }
}

impl fmt::Debug for SafetyNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SafetyNumber(..)")
    }
}

fn author_digits(room: RoomId, author: AuthorId) -> String {
    let key = author.as_bytes();
    let mut hash = Sha512::new()
        .chain_update(VERSION)
        .chain_update(key)
        .chain_update(CONTEXT)
        .chain_update(room.0)
        .chain_update(key)
        .finalize();
    for _ in 1..ITERATIONS {
        hash = Sha512::new()
            .chain_update(hash)
            .chain_update(key)
            .finalize();
    }
    let (chunks, _) = hash.as_chunks::<CHUNK>();
    let group = |chunk: &[u8; CHUNK]| {
        let number = chunk
            .iter()
            .fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
        format!("{:05}", number % 100_000)
    };
    chunks
        .iter()
        .take(AUTHOR_DIGITS / GROUP)
        .map(group)
        .collect()
}

/// An author of a room, as the code for scanning names them: only who knows the key finds it.
pub fn author_print(room: RoomId, author: AuthorId) -> Digest {
    let hash = Sha256::new()
        .chain_update(PRINT_CONTEXT)
        .chain_update(room.0)
        .chain_update(author.0)
        .finalize();
    Digest(hash.into())
}

/// The code that `me` shows to `them`.
pub fn verify_code(room: RoomId, me: AuthorId, them: AuthorId) -> VerifyCode {
    VerifyCode {
        room,
        shown_by: author_print(room, me),
        shown_to: author_print(room, them),
    }
}

/// Whether a code that was scanned is the one that `them`, as this device knows them, show to `me`.
pub fn code_matches(code: &VerifyCode, room: RoomId, me: AuthorId, them: AuthorId) -> bool {
    let wanted = verify_code(room, them, me);
    let same = code.room.0.ct_eq(&wanted.room.0)
        & code.shown_by.0.ct_eq(&wanted.shown_by.0)
        & code.shown_to.0.ct_eq(&wanted.shown_to.0);
    same.into()
}

/// Whether a print is this author's.
pub fn is_print_of(print: Digest, room: RoomId, author: AuthorId) -> bool {
    print.0.ct_eq(&author_print(room, author).0).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomId = RoomId([5; 16]);
    const ADA: AuthorId = AuthorId([6; 32]);
    const BEA: AuthorId = AuthorId([7; 32]);

    #[test]
    fn both_see_the_same_sixty_digits() {
        let number = SafetyNumber::of(ROOM, ADA, BEA);
        assert_eq!(number, SafetyNumber::of(ROOM, BEA, ADA));
        assert_eq!(number.digits().len(), 2 * AUTHOR_DIGITS);
        assert!(number.digits().bytes().all(|b| b.is_ascii_digit()));
        let groups: Vec<_> = number.groups().collect();
        assert_eq!(groups.len(), 12);
        assert!(groups.iter().all(|g| g.len() == GROUP));
        assert_eq!(groups.concat(), number.digits());
    }

    #[test]
    fn another_key_or_room_shows_in_the_digits() {
        let number = SafetyNumber::of(ROOM, ADA, BEA);
        let mut close = BEA;
        close.0[31] ^= 1;
        assert_ne!(number, SafetyNumber::of(ROOM, ADA, close));
        assert_ne!(number, SafetyNumber::of(RoomId([4; 16]), ADA, BEA));
    }

    #[test]
    fn a_code_holds_for_its_pair_its_room_and_its_direction() {
        let by_bea = verify_code(ROOM, BEA, ADA);
        assert!(code_matches(&by_bea, ROOM, ADA, BEA));
        assert!(!code_matches(&by_bea, ROOM, BEA, ADA), "her own code");
        assert!(!code_matches(&by_bea, RoomId([4; 16]), ADA, BEA));
        assert!(!code_matches(&by_bea, ROOM, ADA, AuthorId([8; 32])));
        assert!(!code_matches(&by_bea, ROOM, AuthorId([8; 32]), BEA));
        assert!(is_print_of(by_bea.shown_by, ROOM, BEA));
        assert!(!is_print_of(by_bea.shown_by, ROOM, ADA));
    }

    #[test]
    fn every_bit_of_a_code_counts() {
        let good = verify_code(ROOM, BEA, ADA).to_bytes();
        for bit in 8..good.len() * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let bent = VerifyCode::from_bytes(&bytes).expect("the form is right");
            assert!(!code_matches(&bent, ROOM, ADA, BEA), "bit {bit}");
        }
    }
}
