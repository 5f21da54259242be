//! Messages between two members of a room, and what comes back for them.
//!
//! ```text
//!  plaintext:  {0: to, 1: content}                  sealed to the two alone, inside a signed event
//!  parcel:     [0, event] | [1, receipt]            sealed to who it is for
//!  on the way: 0x01 | sealed parcel                 the payload of a Route: all that others see
//! ```
//!
//! The event stands in a log of its own (a [`Stream`](crate::Stream) from 2 on), which only the two
//! hold. It is never flooded, synced or shown to others: who passes a parcel on, or keeps it while
//! its recipient is away, sees from whom, for whom and about how long.

use std::fmt;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::{
    codec::{self, WireError},
    content::{Content, kinds},
    event::SignedEvent,
    ids::{AuthorId, EventHash, Signature},
    limits,
};

/// The first byte of a parcel on its way. A [`SignedRecord`](crate::SignedRecord), the other thing that
/// goes to one member, never begins with it.
pub const PARCEL_VERSION: u8 = 1;

/// The plaintext of a direct message.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Direct {
    /// For whom: two of an author's recipients may share a log.
    #[n(0)]
    pub to: AuthorId,
    /// What is said.
    #[n(1)]
    pub content: Content,
}

impl Direct {
    /// The encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::to_vec(self)
    }

    /// Decodes one that fills `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        codec::from_slice("direct message", bytes, limits::UNICAST_MAX)
    }
}

/// What goes from one member to another, before it is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Parcel {
    /// A direct message.
    Event(SignedEvent),
    /// It arrived, or was seen.
    Receipt(DirectReceipt),
    /// Made by a newer app.
    Unknown(u16),
}

kinds!("parcel", limits::UNICAST_MAX, Parcel { 0 => Event, 1 => Receipt });

/// The recipient's word on one direct message. Goes to its author and nobody else.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DirectReceipt {
    /// The message.
    #[n(0)]
    pub event: EventHash,
    /// What became of it.
    #[n(1)]
    pub state: Arrived,
    /// The recipient's signature over room, message and state.
    #[n(2)]
    pub signature: Signature,
}

impl fmt::Debug for DirectReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DirectReceipt({:?} {:?})", self.event, self.state)
    }
}

/// See [`DirectReceipt::state`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Arrived {
    /// It is on the recipient's disk.
    #[n(0)]
    Stored,
    /// It was displayed, so it is on the disk, too.
    #[n(1)]
    Seen,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::content::Text;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn receipt(state: Arrived) -> DirectReceipt {
        DirectReceipt {
            event: EventHash([1; 32]),
            state,
            signature: Signature([2; 64]),
        }
    }

    #[test]
    fn known_bytes() {
        let direct = Direct {
            to: AuthorId([3; 32]),
            content: Content::Text(Text::new("hi").unwrap()),
        };
        assert_eq!(
            hex(&direct.to_bytes()),
            format!("a2005820{}018200a100626869", "03".repeat(32))
        );
        let parcel = Parcel::Receipt(receipt(Arrived::Seen));
        assert_eq!(
            hex(&parcel.to_bytes()),
            format!(
                "8201a3005820{}0101025840{}",
                "01".repeat(32),
                "02".repeat(64)
            )
        );
    }

    #[test]
    fn a_parcel_of_a_newer_app_is_unknown_and_damaged_ones_are_refused() {
        let newer = [0x82, 0x07, 0x01];
        assert_eq!(Parcel::from_bytes(&newer), Ok(Parcel::Unknown(7)));
        let good = Parcel::Receipt(receipt(Arrived::Stored)).to_bytes();
        for len in 0..good.len() {
            assert!(Parcel::from_bytes(&good[..len]).is_err(), "{len}");
        }
        let mut state = good.clone();
        state[38] = 9;
        assert!(Parcel::from_bytes(&state).is_err());
    }

    proptest! {
        #[test]
        fn round_trips(to in any::<[u8; 32]>(), text in ".{0,200}", seen in any::<bool>()) {
            let content = Content::Text(Text::new(&text).unwrap());
            let direct = Direct { to: AuthorId(to), content };
            prop_assert_eq!(Direct::from_bytes(&direct.to_bytes()), Ok(direct));
            let state = if seen { Arrived::Seen } else { Arrived::Stored };
            let parcel = Parcel::Receipt(receipt(state));
            prop_assert_eq!(Parcel::from_bytes(&parcel.to_bytes()), Ok(parcel));
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = (Direct::from_bytes(&bytes), Parcel::from_bytes(&bytes));
        }
    }
}
