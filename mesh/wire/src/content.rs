//! What members read: the plaintext inside an event's body.
//!
//! Encoded as `[kind, {fields}]`. A kind that this build does not know decodes to `Unknown`, is
//! kept and relayed like any other, and is shown as "made by a newer app". Kind and field numbers
//! are never used again for something else.
//!
//! | stream 0 | kind | | stream 1 | kind |
//! |---|---|---|---|---|
//! | create | 0 | | text | 0 |
//! | invite | 1 | | edit, delete, react | 1-3 |
//! | admit | 2 | | *file* | *4, reserved* |
//! | profile | 3 | | | |
//! | revoke-invite | 4 | | | |
//! | role, remove, ban | 5-7 | | | |
//! | rekey, boxes | 8, 11 | | | |
//! | close, move | 9, 10 | | | |
//! | rename, backup | 12, 13 | | | |
//!
//! The fields of kinds 5 to 11 stand in [`crate::power`], those of stream 1 in [`crate::said`].

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

pub use crate::said::{Content, Delete, Edit, React, Text};
use crate::{
    codec::{self, Name, WireError},
    ids::{AuthorId, InviteKey, Signature},
    limits,
    power::{Backup, Close, KeyBoxes, Move, Rekey, Removal, SetRole},
    time::Timestamp,
};

/// An event of stream 0, sealed under k_member.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Membership {
    /// The room begins; its author is the owner, its hash the room's id.
    Create(Create),
    /// A code was made: whoever proves to hold its secret may be admitted.
    Invite(InviteOpened),
    /// A member lets a joiner in.
    Admit(Admit),
    /// How the author wants to be called in this room.
    Profile(Profile),
    /// A code is closed.
    RevokeInvite(RevokeInvite),
    /// An owner changes what a member may do.
    SetRole(SetRole),
    /// A moderator removes a member, or somebody leaves.
    Remove(Removal),
    /// The same, and what the member said is shown no more.
    Ban(Removal),
    /// A new epoch begins.
    Rekey(Rekey),
    /// The room is closed to joiners, or open again.
    Close(Close),
    /// A member goes on under a new key.
    Move(Move),
    /// More of a new epoch's keys.
    KeyBoxes(KeyBoxes),
    /// A moderator calls the room something else.
    Rename(Rename),
    /// An owner decides whether sealed copies are left with servers.
    Backup(Backup),
    /// Made by a newer app.
    Unknown(u16),
}

/// See [`Membership::Create`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Create {
    /// The room's name.
    #[n(0)]
    pub room_name: Name,
    /// The owner's name.
    #[n(1)]
    pub owner_name: Name,
    /// Whether a joiner is given the past.
    #[n(2)]
    pub history: History,
    /// Who may make codes and let joiners in: that role and those above; everyone unless it says.
    #[n(3)]
    pub inviters: Option<Role>,
    /// Messages are let go that many seconds after they were said; kept for good unless it says.
    #[n(4)]
    pub retention_s: Option<u32>,
}

/// What of the past a joiner is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum History {
    /// Everything.
    #[n(0)]
    Shared,
    /// What is said from their epoch on.
    #[n(1)]
    FromJoin,
}

/// See [`Membership::Invite`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct InviteOpened {
    /// The public half P. The secret stays in the code.
    #[n(0)]
    pub key: InviteKey,
    /// From then on nobody is admitted by it; judged by who answers.
    #[n(1)]
    pub expires: Timestamp,
    /// How many may be admitted; exact per admitter, best effort across partitions. The largest number
    /// stands for any.
    #[n(2)]
    pub uses: u32,
    /// The code is printed and hangs somewhere: it carries no address.
    #[cbor(n(3), default)]
    pub poster: Option<bool>,
}

/// See [`Membership::Admit`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Admit {
    /// The new member.
    #[n(0)]
    pub author: AuthorId,
    /// The invite that let them in.
    #[n(1)]
    pub invite: InviteKey,
    /// The joiner's signature by the invite key over (room id, author): only a holder of the code has one.
    #[n(2)]
    pub voucher: Signature,
    /// What the new member may do.
    #[n(3)]
    pub role: Role,
}

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Role {
    /// Reads, writes, invites where the policy lets members.
    #[n(0)]
    Member,
    /// Also removes members.
    #[n(1)]
    Moderator,
    /// Made the room.
    #[n(2)]
    Owner,
}

/// See [`Membership::Profile`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Profile {
    /// The name to show. Untrusted: two people may choose one name.
    #[n(0)]
    pub name: Name,
}

/// See [`Membership::RevokeInvite`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RevokeInvite {
    /// The invite's public half.
    #[n(0)]
    pub key: InviteKey,
}

/// See [`Membership::Rename`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rename {
    /// The room's name from then on.
    #[n(0)]
    pub room_name: Name,
}

macro_rules! kinds {
    ($what:literal, $max:expr, $Enum:ident { $($kind:literal => $Variant:ident),* $(,)? }) => {
        impl $Enum {
            /// The encoding.
            pub fn to_bytes(&self) -> Vec<u8> {
                codec::to_vec(self)
            }

            /// Decodes one that fills `bytes`; longer than its limit is refused before anything is read.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
                codec::from_slice($what, bytes, $max)
            }
        }

        impl<C> Encode<C> for $Enum {
            fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), encode::Error<W::Error>> {
                e.array(2)?;
                match self {
                    $(Self::$Variant(fields) => e.u16($kind)?.encode_with(fields, ctx)?.ok(),)*
                    Self::Unknown(kind) => e.u16(*kind)?.null()?.ok(),
                }
            }
        }

        impl<'b, C> Decode<'b, C> for $Enum {
            fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
                if d.array()? != Some(2) {
                    return Err(decode::Error::message(concat!($what, " has a kind and fields")));
                }
                match d.u16()? {
                    $($kind => d.decode_with(ctx).map(Self::$Variant),)*
                    kind => {
                        d.skip()?;
                        Ok(Self::Unknown(kind))
                    }
                }
            }
        }
    };
}
pub(crate) use kinds;

kinds!("membership event", limits::BODY_MAX, Membership { 0 => Create, 1 => Invite, 2 => Admit, 3 => Profile, 4 => RevokeInvite, 5 => SetRole, 6 => Remove, 7 => Ban, 8 => Rekey, 9 => Close, 10 => Move, 11 => KeyBoxes, 12 => Rename, 13 => Backup });
