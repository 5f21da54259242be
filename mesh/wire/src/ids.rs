//! Identifiers as newtypes: fixed-size byte strings, shown in lower-case hex, short in logs.

use std::{fmt, str::FromStr};

use data_encoding::HEXLOWER_PERMISSIVE;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// A text that is not the hex form of the id it was parsed as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of this kind")]
pub struct ParseIdError;

macro_rules! byte_ids {
    ($($(#[$doc:meta])* $name:ident($len:literal);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;
            /// All zero: stands where there is no value yet (the `previous` of a first event).
            pub const ZERO: Self = Self([0; $len]);

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().take(4).try_for_each(|b| write!(f, "{b:02x}"))
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                if text.len() != 2 * $len {
                    return Err(ParseIdError);
                }
                let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| ParseIdError)?;
                Self::try_from(bytes.as_slice())
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = ParseIdError;
            fn try_from(bytes: &[u8]) -> Result<Self, ParseIdError> {
                bytes.try_into().map(Self).map_err(|_| ParseIdError)
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                let at = d.position();
                Self::try_from(d.bytes()?)
                    .map_err(|_| decode::Error::message(concat!("wrong length of ", stringify!($name))).at(at))
            }
        }
    )*};
}

byte_ids! {
    /// A room, as people and QR codes name it: the first 16 bytes of the hash of its `create` event.
    RoomId(16);
    /// A room inside authenticated links and signed headers: 16 random bytes chosen by its creator,
    /// bound to the [`RoomId`] because `create` carries them. Never visible outside a member link.
    RoomTag(16);
    /// A member of one room: an Ed25519 public key that this room alone sees.
    AuthorId(32);
    /// SHA-256 of an event's header and signature: names the event, links it into its author's chain.
    EventHash(32);
    /// The first 16 bytes of H(H(k_member) || H(k_content)): names an epoch's pair of keys.
    EpochId(16);
    /// SHA-256 of a DER certificate, as SDP's `a=fingerprint:sha-256` says it.
    Fingerprint(32);
    /// The public half P of an invite: an Ed25519 key seeded by the secret in the code.
    InviteKey(32);
    /// An Ed25519 signature.
    Signature(64);
    /// SHA-256 of something that is none of the above (a body, a set of heads).
    Digest(32);
    /// The first bytes of a [`RoomTag`]: which of the rooms that both ends of a link have proven a
    /// small frame is about. Two open rooms with one short name get none of those frames.
    RoomShort(4);
    /// The first bytes of an [`AuthorId`], for hints about authors that both ends know. Nothing
    /// is trusted because of it; one that fits two authors is ignored.
    AuthorShort(8);
    /// The first bytes of an [`EventHash`]: names an act that both ends hold, or not.
    EventShort(8);
}

impl EventHash {
    /// The short name.
    pub fn short(&self) -> EventShort {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        EventShort([a, b, c, d, e, f, g, h])
    }
}

impl RoomTag {
    /// The short name on a link.
    pub fn short(&self) -> RoomShort {
        let [a, b, c, d, ..] = self.0;
        RoomShort([a, b, c, d])
    }
}

impl AuthorId {
    /// The short name in hints.
    pub fn short(&self) -> AuthorShort {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        AuthorShort([a, b, c, d, e, f, g, h])
    }

    /// The lowest and the highest author with that short name.
    pub fn range_of(short: AuthorShort) -> std::ops::RangeInclusive<Self> {
        let fill = |rest: u8| {
            let mut bytes = [rest; 32];
            bytes
                .iter_mut()
                .zip(short.0)
                .for_each(|(byte, known)| *byte = known);
            Self(bytes)
        };
        fill(0)..=fill(0xff)
    }
}

/// A per-author log inside a room: 0 membership, 1 content, 2 and up direct messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Stream(#[n(0)] pub u32);

impl Stream {
    /// Who belongs, who may do what: never pruned, synced first, sealed under k_member.
    pub const MEMBERSHIP: Self = Self(0);
    /// What people say: sealed under k_content.
    pub const CONTENT: Self = Self(1);

    /// Whether it holds direct messages, which only two members have.
    pub fn is_direct(self) -> bool {
        self > Self::CONTENT
    }
}

/// Position in one author's stream; the first event has 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Seq(#[n(0)] pub u64);

impl Seq {
    /// The first event of a stream.
    pub const FIRST: Self = Self(1);

    /// The position after this one, `None` at the end of time.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_refuses_other_lengths() {
        let id = RoomId(*b"0123456789abcdef");
        assert_eq!(id.to_string().parse::<RoomId>(), Ok(id));
        assert_eq!(id.to_string().to_uppercase().parse::<RoomId>(), Ok(id));
        assert_eq!("00".parse::<RoomId>(), Err(ParseIdError));
        assert_eq!("zz".repeat(16).parse::<RoomId>(), Err(ParseIdError));
    }

    #[test]
    fn a_short_name_spans_exactly_its_authors() {
        let mut id = [7; 32];
        let range = AuthorId::range_of(AuthorId(id).short());
        assert!(range.contains(&AuthorId(id)));
        id[31] = 0xff;
        assert!(range.contains(&AuthorId(id)));
        id[7] = 8;
        assert!(!range.contains(&AuthorId(id)));
        assert_eq!(RoomTag([5; 16]).short(), RoomShort([5; 4]));
    }

    #[test]
    fn debug_form_is_short() {
        assert_eq!(format!("{:?}", AuthorId([0xab; 32])), "abababab");
    }
}
