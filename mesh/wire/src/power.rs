//! Acts of power: what owners and moderators say in stream 0, and the keys that follow.
//!
//! ```text
//!  role, remove, ban, move   carry a cut: how far the target's logs counted for who acted
//!  close                     no more joiners, or joiners again
//!  backup                    sealed copies may be left with servers, or no more; perhaps a carrier box's pass for it
//!  rekey, boxes              a new epoch; its seed sealed to each member, 88 bytes each
//! ```
//!
//! A cut names positions in the target's own hash-chained logs, so that an act means the same on
//! every device, whatever arrived there first and whatever the clocks say.

use std::fmt;

use minicbor::{Decode, Decoder, Encode, Encoder, bytes::ByteVec, data::Type, decode, encode};

use crate::{
    codec::Capped,
    ids::{AuthorId, AuthorShort, EpochId, EventHash, EventShort, Seq, Signature},
    limits,
    pass::Pass,
};

pub use crate::content::Role;

/// Where a member's logs end for the room: what lies beyond doesn't count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Cut {
    /// The last event of stream 0 that counts; 0 when none does.
    #[n(0)]
    pub membership: Seq,
    /// The last event of stream 1 that counts; 0 when none does.
    #[n(1)]
    pub content: Seq,
    /// That event; zero when none counts.
    #[n(2)]
    pub content_hash: EventHash,
}

impl Cut {
    /// Nothing counts.
    pub const NOTHING: Self = Self {
        membership: Seq(0),
        content: Seq(0),
        content_hash: EventHash::ZERO,
    };
}

/// An owner changes what a member may do.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SetRole {
    /// Whose role.
    #[n(0)]
    pub author: AuthorId,
    /// What it may do from then on.
    #[n(1)]
    pub role: Role,
    /// Acts of the target up to this position of stream 0 are judged by the role before.
    #[n(2)]
    pub after: Seq,
}

/// Somebody no longer belongs. A member may remove itself: that is leaving.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Removal {
    /// Who.
    #[n(0)]
    pub author: AuthorId,
    /// What of it still counts; of concurrent removals, the most.
    #[n(1)]
    pub cut: Cut,
}

/// Joiners are let in no more, or again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Close {
    /// Whether the room is closed.
    #[n(0)]
    pub closed: bool,
}

/// An owner lets members leave sealed copies of what they say with the servers that the room is met at, or no more.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Backup {
    /// Whether they may.
    #[n(0)]
    pub on: bool,
    /// By which a carrier box keeps them beyond its open pool. `None` where there is none, and in acts of old builds.
    #[n(1)]
    pub pass: Option<PassBytes>,
}

/// A [`Pass`] as it travels in an act: one byte string. What is longer than a pass may be, or no byte string, reads as
/// an empty one, and so as no pass: a later format must not make the act unreadable.
#[derive(Clone, PartialEq, Eq)]
pub struct PassBytes(Vec<u8>);

impl PassBytes {
    /// The pass; `None` where this build can't read it.
    pub fn open(&self) -> Option<Pass> {
        Pass::from_bytes(&self.0).ok()
    }
}

impl From<&Pass> for PassBytes {
    fn from(pass: &Pass) -> Self {
        Self(pass.to_bytes())
    }
}

/// Shows no seed.
impl fmt::Debug for PassBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PassBytes({} bytes)", self.0.len())
    }
}

impl<C> Encode<C> for PassBytes {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for PassBytes {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        if d.datatype()? != Type::Bytes {
            d.skip()?;
            return Ok(Self(Vec::new()));
        }
        let bytes = d.bytes()?;
        let bytes = Some(bytes).filter(|bytes| bytes.len() <= limits::PASS_MAX);
        Ok(Self(bytes.unwrap_or_default().to_vec()))
    }
}

/// A member asks to go on under a new key. A moderator who confirms it says [`Move`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Moving {
    /// The new key.
    #[n(0)]
    pub to: AuthorId,
    /// By the key until now over (room id, new key).
    #[n(1)]
    pub consent: Signature,
}

/// A member goes on under a new key (its log forked, or its profile moved); a moderator confirms it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Move {
    /// The key until now. It counts up to the cut.
    #[n(0)]
    pub from: AuthorId,
    /// The key from now on, with the same role.
    #[n(1)]
    pub to: AuthorId,
    /// By the old key over (room id, new key).
    #[n(2)]
    pub consent: Signature,
    /// What of the old key still counts.
    #[n(3)]
    pub cut: Cut,
}

/// A new epoch begins. Sealed under an epoch that everyone who is given a box could open.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rekey {
    /// Its name, which the keys hash to.
    #[n(0)]
    pub epoch: EpochId,
    /// The epoch that was the newest for who made this one; what was known there was known here, too.
    #[n(1)]
    pub after: EpochId,
    /// The removals that the maker knew of beside those: whom they removed is left out.
    #[n(2)]
    pub known: Capped<EventShort, { limits::REKEY_KNOWN_MAX }>,
    /// The first boxes; the rest follows in [`KeyBoxes`].
    #[n(3)]
    pub boxes: Boxes,
}

/// More boxes of an epoch.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct KeyBoxes {
    /// Of which epoch.
    #[n(0)]
    pub epoch: EpochId,
    /// The boxes.
    #[n(1)]
    pub boxes: Boxes,
}

/// An epoch's seed, sealed to one member by HPKE: encapsulated key 32, ciphertext 32, tag 16.
pub type SealedSeed = [u8; KeyBox::SEALED];

/// One member's box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyBox {
    /// Whose it is. A hint: one that fits two members is tried by both.
    pub to: AuthorShort,
    /// What only that member opens.
    pub sealed: SealedSeed,
}

impl KeyBox {
    /// Bytes of a sealed seed.
    pub const SEALED: usize = 80;
    /// Bytes of a box.
    pub const LEN: usize = AuthorShort::LEN + Self::SEALED;
}

/// Boxes, one behind the other in one byte string: at most [`limits::KEY_BOXES_MAX`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Boxes(Vec<KeyBox>);

impl Boxes {
    /// All boxes, in as few groups as they fit in; at least one group, which may be empty.
    pub fn groups(boxes: &[KeyBox]) -> Vec<Self> {
        if boxes.is_empty() {
            return vec![Self::default()];
        }
        let groups = boxes.chunks(limits::KEY_BOXES_MAX);
        groups.map(|group| Self(group.to_vec())).collect()
    }

    /// The boxes.
    pub fn iter(&self) -> impl Iterator<Item = &KeyBox> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<C> Encode<C> for Boxes {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        let mut bytes = Vec::with_capacity(self.0.len().saturating_mul(KeyBox::LEN));
        for one in &self.0 {
            bytes.extend_from_slice(&one.to.0);
            bytes.extend_from_slice(&one.sealed);
        }
        e.encode(ByteVec::from(bytes))?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Boxes {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let at = d.position();
        let wrong = |why: &'static str| decode::Error::message(why).at(at);
        let bytes = d.bytes()?;
        if bytes.len() > limits::KEY_BOXES_MAX.saturating_mul(KeyBox::LEN) {
            return Err(wrong("too many key boxes"));
        }
        let (whole, rest) = bytes.as_chunks::<{ KeyBox::LEN }>();
        if !rest.is_empty() {
            return Err(wrong("a key box that is cut off"));
        }
        let boxes = whole.iter().map(|bytes| {
            let (to, sealed) = bytes.split_first_chunk()?;
            Some(KeyBox {
                to: AuthorShort(*to),
                sealed: *sealed.first_chunk()?,
            })
        });
        boxes
            .collect::<Option<_>>()
            .map(Self)
            .ok_or_else(|| wrong("a key box that is cut off"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;

    fn one(n: u8) -> KeyBox {
        KeyBox {
            to: AuthorShort([n; 8]),
            sealed: [n; KeyBox::SEALED],
        }
    }

    #[test]
    fn boxes_travel_in_groups_that_fit_and_a_torn_one_is_refused() {
        let groups = Boxes::groups(&[one(1); limits::KEY_BOXES_MAX + 1]);
        assert_eq!(groups.iter().map(Boxes::len).collect::<Vec<_>>(), [90, 1]);
        let bytes = codec::to_vec(&groups[0]);
        assert!(bytes.len() <= 8 * 1024, "{} bytes", bytes.len());
        let back: Boxes = codec::from_slice("boxes", &bytes, bytes.len()).unwrap();
        assert_eq!(back, groups[0]);
        let torn = codec::to_vec(&ByteVec::from(vec![0; KeyBox::LEN + 1]));
        assert!(codec::from_slice::<Boxes>("boxes", &torn, 1 << 16).is_err());
        let many = codec::to_vec(&ByteVec::from(vec![
            0;
            KeyBox::LEN
                * (limits::KEY_BOXES_MAX + 1)
        ]));
        assert!(codec::from_slice::<Boxes>("boxes", &many, 1 << 16).is_err());
        assert_eq!(Boxes::groups(&[]).len(), 1);
    }
    #[test]
    fn a_pass_of_another_kind_or_length_reads_as_none_and_the_act_stays_readable() {
        let read = |pass: &[u8]| {
            let bytes = [&[0xa2, 0x00, 0xf5, 0x01][..], pass].concat();
            codec::from_slice::<Backup>("backup", &bytes, 1 << 16).unwrap()
        };
        let long = codec::to_vec(&ByteVec::from(vec![1; limits::PASS_MAX + 1]));
        // A string, a map, no pass at all, one that is cut off, one that is too long.
        for pass in [
            &[0x61, b'a'][..],
            &[0xa1, 0x00, 0x00],
            &[0x40],
            &[0x42, 1, 2],
            &long,
        ] {
            let backup = read(pass);
            assert!(backup.on);
            assert_eq!(backup.pass.and_then(|pass| pass.open()), None);
        }
        assert_eq!(read(&[0xf6]).pass, None);
    }
}
