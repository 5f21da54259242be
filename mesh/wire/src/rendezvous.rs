//! What devices say to each other through a rendezvous server, before they have a link.
//!
//! ```text
//!  joiner  --Knock: where I am--------------> the invite's tag      whoever may answer the code
//!  joiner  <-Place: where I am, certificate-- the invite's tag      sends first to the joiner, who dials
//!
//!  member  --Record: a signed Meet----------> the room's tag        to all: here I am; to one: let us meet
//! ```
//!
//! Each is sealed for its tag (`peddlenet_crypto::rendezvous`), so a server passes on bytes of one of few sizes. Who
//! holds the tag's key could write any of them: they make a device send packets and dial, nothing more, and
//! who answers there has to prove itself on the link. What a member says is signed besides.

use minicbor::{Decode, Encode};

use crate::{
    codec::{self, Capped, WireError},
    ids::Fingerprint,
    limits,
    record::Address,
};

/// Bytes of a tag.
pub const TAG_LEN: usize = 16;

/// A meeting place on a server: one room's or one code's, for one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeetingTag(pub [u8; TAG_LEN]);

/// One message through a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// A joiner asks who answers its code.
    Knock(Knock),
    /// Somebody answers.
    Place(Place),
    /// A [`SignedRecord`](crate::SignedRecord) of kind [`MEET`](crate::record::RecordKind::MEET), encoded.
    Record(Vec<u8>),
    /// Of a newer app: not read.
    Unknown(u16),
}

/// A joiner's question.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Knock {
    /// Chosen by the joiner, and echoed in the answer.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub id: [u8; 8],
    /// From where it dials, as it knows itself and as the server's STUN sees it.
    #[n(1)]
    pub addresses: Capped<Address, { limits::ADDRESSES_MAX }>,
    /// It could not get through and asks for an address at a relay (TURN).
    #[n(2)]
    pub relay: bool,
}

/// The answer to a knock.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Place {
    /// Of the knock.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub id: [u8; 8],
    /// Where to dial.
    #[n(1)]
    pub addresses: Capped<Address, { limits::ADDRESSES_MAX }>,
    /// The listener's DTLS certificate.
    #[n(2)]
    pub fingerprint: Fingerprint,
    /// The addresses are at a relay.
    #[n(3)]
    pub relay: bool,
}

/// Number and body, so that a kind this build doesn't know can be told from damage.
#[derive(Encode, Decode)]
struct Framed<'b>(
    #[n(0)] u16,
    #[cbor(n(1), with = "minicbor::bytes")] &'b [u8],
);

const KNOCK: u16 = 0;
const PLACE: u16 = 1;
const RECORD: u16 = 2;

impl Signal {
    /// The binary form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (kind, body) = match self {
            Self::Knock(knock) => (KNOCK, codec::to_vec(knock)),
            Self::Place(place) => (PLACE, codec::to_vec(place)),
            Self::Record(record) => (RECORD, record.clone()),
            Self::Unknown(kind) => (*kind, Vec::new()),
        };
        codec::to_vec(&Framed(kind, &body))
    }

    /// Reads the binary form, of at most [`limits::SIGNAL_MAX`] bytes.
    ///
    /// # Errors
    /// Too long, or not such a message.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        const WHAT: &str = "a message through a server";
        let Framed(kind, body) = codec::from_slice(WHAT, bytes, limits::SIGNAL_MAX)?;
        Ok(match kind {
            KNOCK => Self::Knock(codec::from_slice(WHAT, body, limits::SIGNAL_MAX)?),
            PLACE => Self::Place(codec::from_slice(WHAT, body, limits::SIGNAL_MAX)?),
            RECORD => Self::Record(body.to_vec()),
            kind => Self::Unknown(kind),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use proptest::prelude::*;

    use super::*;

    fn addresses(count: u16) -> Capped<Address, { limits::ADDRESSES_MAX }> {
        let at = |n| Address(SocketAddr::from(([192, 168, 1, 7], 4000 + n)));
        Capped::take_from(&mut (0..count).map(at))
    }

    #[test]
    fn every_kind_is_read_back() {
        let knock = Knock {
            id: [1; 8],
            addresses: addresses(3),
            relay: true,
        };
        let place = Place {
            id: [1; 8],
            addresses: addresses(8),
            fingerprint: Fingerprint([7; 32]),
            relay: false,
        };
        for signal in [
            Signal::Knock(knock),
            Signal::Place(place),
            Signal::Record(vec![5; 700]),
            Signal::Unknown(99),
        ] {
            assert_eq!(Signal::from_bytes(&signal.to_bytes()), Ok(signal));
        }
    }

    #[test]
    fn what_is_too_long_is_not_looked_at() {
        let signal = Signal::Record(vec![0; limits::SIGNAL_MAX]);
        assert!(matches!(
            Signal::from_bytes(&signal.to_bytes()),
            Err(WireError::TooLong { .. })
        ));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(signal) = Signal::from_bytes(&bytes) {
                let again = Signal::from_bytes(&signal.to_bytes());
                prop_assert!(again.is_ok());
            }
        }
    }
}
