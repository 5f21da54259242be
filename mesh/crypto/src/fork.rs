//! Proof that an author signed two histories.
//!
//! ```text
//!  two branches                        a chain that names another past
//!    4 -- 5  signed by A                 4  signed by A
//!     \-- 5' signed by A                 5  signed by A, previous = some other 4
//! ```
//!
//! An honest device signs each place of a log once and names what it signed before, so two such
//! headers can't both be its own unless it was put back to an older state and went on. Whoever holds
//! the author's key and nobody else can make them: the proof convinces everyone, without its bodies.

use minicbor::{Decode, Encode};
use peddlenet_wire::{AuthorId, RoomTag, Seq, SignedEvent, Stream, WireError, codec, limits};

use crate::{CryptoError, verify_event};

/// The encoding: two headers with their signatures.
const PROOF_MAX: usize = 2 * (limits::HEADER_MAX + 128);

/// Two headers by one author that contradict each other, signatures checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForkProof {
    one: SignedEvent,
    other: SignedEvent,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Saved {
    #[n(0)]
    one: SignedEvent,
    #[n(1)]
    other: SignedEvent,
}

impl ForkProof {
    /// Makes a proof of two events; an error when they contradict nothing or are not both signed.
    pub fn new(a: &SignedEvent, b: &SignedEvent) -> Result<Self, CryptoError> {
        let (one, other) = if (a.header().seq, a.hash()) <= (b.header().seq, b.hash()) {
            (a, b)
        } else {
            (b, a)
        };
        if !contradict(one, other) {
            return Err(CryptoError::NoFork);
        }
        verify_event(one)?;
        verify_event(other)?;
        Ok(Self {
            one: stub(one)?,
            other: stub(other)?,
        })
    }

    /// The first proof among events of one log, in whatever order; `None` when they agree.
    pub fn among(events: &[SignedEvent]) -> Option<Self> {
        let mut sorted: Vec<_> = events.iter().collect();
        sorted.sort_unstable_by_key(|e| (e.header().seq, e.hash()));
        sorted
            .iter()
            .enumerate()
            .flat_map(|(at, one)| sorted.iter().skip(at + 1).map(move |other| (one, other)))
            .find_map(|(one, other)| Self::new(one, other).ok())
    }

    /// Who signed both.
    pub fn author(&self) -> AuthorId {
        self.one.header().author
    }

    /// In which room.
    pub fn room(&self) -> RoomTag {
        self.one.header().room
    }

    /// In which log.
    pub fn stream(&self) -> Stream {
        self.one.header().stream
    }

    /// The first place that is known to have been signed twice.
    pub fn seq(&self) -> Seq {
        self.one.header().seq
    }

    /// The two, without bodies, the lower place first.
    pub fn events(&self) -> [&SignedEvent; 2] {
        [&self.one, &self.other]
    }

    /// The encoding: for the store, or for another device.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::to_vec(&Saved {
            one: self.one.clone(),
            other: self.other.clone(),
        })
    }

    /// Reads and checks a proof, signatures included.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        let saved: Saved = codec::from_slice("fork proof", bytes, PROOF_MAX)?;
        Self::new(&saved.one, &saved.other)
    }
}

/// Whether two events, the lower place first, can't both be of one honest log.
fn contradict(one: &SignedEvent, other: &SignedEvent) -> bool {
    let (a, b) = (one.header(), other.header());
    if (a.room, a.author, a.stream) != (b.room, b.author, b.stream) {
        return false;
    }
    if a.seq == b.seq {
        one.hash() != other.hash()
    } else {
        a.seq.next() == Some(b.seq) && b.previous != one.hash()
    }
}

/// The event without its body: what was signed stays verifiable.
fn stub(event: &SignedEvent) -> Result<SignedEvent, WireError> {
    SignedEvent::from_parts(event.header_bytes().to_vec(), event.signature(), None)
}

#[cfg(test)]
mod tests {
    use peddlenet_wire::{Capped, EventHash, Hlc, Timestamp, ids::Digest};

    use super::*;
    use crate::{AuthorKey, Draft, EpochKeys, seal_event};

    fn event(author: u8, seq: u64, previous: EventHash, text: &str) -> SignedEvent {
        let draft = Draft {
            room: RoomTag([4; 16]),
            stream: Stream::CONTENT,
            seq: Seq(seq),
            previous,
            clock: Hlc::at(Timestamp(1_800_000_000_000 + seq)),
            parents: Capped::default(),
            membership: Digest::ZERO,
        };
        let epoch = EpochKeys::from_seeds([2; 32], [3; 32]);
        seal_event(
            &draft,
            &AuthorKey::from_seed([author; 32]),
            &epoch,
            [9; 24],
            text.as_bytes(),
        )
        .expect("it can be sealed")
    }

    #[test]
    fn two_events_at_one_place_are_a_proof_that_survives_its_encoding() {
        let (left, right) = (
            event(1, 1, EventHash::ZERO, "left"),
            event(1, 1, EventHash::ZERO, "right"),
        );
        let proof = ForkProof::new(&left, &right).expect("a proof");
        assert_eq!(ForkProof::new(&right, &left).as_ref(), Ok(&proof));
        assert_eq!(
            (proof.author(), proof.seq()),
            (left.header().author, Seq(1))
        );
        assert!(proof.events().iter().all(|e| e.body().is_none()));
        assert_eq!(ForkProof::from_bytes(&proof.to_bytes()), Ok(proof));
    }

    #[test]
    fn an_event_that_names_another_past_is_a_proof() {
        let four = event(1, 4, EventHash([1; 32]), "four");
        let five = event(1, 5, EventHash([2; 32]), "five");
        let proof = ForkProof::among(&[five.clone(), four.clone()]).expect("a proof");
        assert_eq!(proof.seq(), Seq(4));
        let honest = event(1, 5, four.hash(), "five");
        assert_eq!(ForkProof::among(&[four.clone(), honest]), None);
        let far = event(1, 6, EventHash([2; 32]), "six");
        assert_eq!(ForkProof::new(&four, &far), Err(CryptoError::NoFork));
    }

    #[test]
    fn nothing_is_proven_by_one_event_two_authors_or_a_forgery() {
        let left = event(1, 1, EventHash::ZERO, "left");
        assert_eq!(ForkProof::new(&left, &left), Err(CryptoError::NoFork));
        let other = event(2, 1, EventHash::ZERO, "left");
        assert_eq!(ForkProof::new(&left, &other), Err(CryptoError::NoFork));
        let right = event(1, 1, EventHash::ZERO, "right");
        let mut signature = right.signature();
        signature.0[0] ^= 1;
        let forged = SignedEvent::from_parts(right.header_bytes().to_vec(), signature, None)
            .expect("the form is right");
        assert_eq!(ForkProof::new(&left, &forged), Err(CryptoError::Signature));
    }

    #[test]
    fn bent_bytes_prove_nothing_and_never_panic() {
        let left = event(1, 1, EventHash::ZERO, "left");
        let right = event(1, 1, EventHash::ZERO, "right");
        let good = ForkProof::new(&left, &right).expect("a proof").to_bytes();
        for bit in 0..good.len() * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(ForkProof::from_bytes(&bytes).is_err(), "bit {bit}");
        }
        for len in 0..good.len() {
            assert!(ForkProof::from_bytes(&good[..len]).is_err());
        }
        assert!(ForkProof::from_bytes(&vec![0; PROOF_MAX + 1]).is_err());
    }
}
