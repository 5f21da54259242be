//! Invite keys: what the secret in a join code is good for.
//!
//! ```text
//!  secret 16 (in the code) --HKDF "pn/invite/1"--> Ed25519 seed --> public half P
//!     holder of the code: signs a voucher           members: know P from the room's log
//!     gate keys from P  <------------------------>  gate keys from P      (crate::gate)
//! ```
//!
//! A member who knows P can answer the code without having drawn it, but can't vouch: `admit`
//! carries a signature that takes the secret. P never leaves the room or the code.

use std::fmt;

use ed25519_dalek::SigningKey;
use peddlenet_wire::{AuthorId, InviteKey, RoomId, Signature, invite::InviteSecret};

use crate::{
    CryptoError,
    author::{Context, check, sign},
    derive::derive,
};

const LABEL: &[u8] = b"pn/invite/1";

/// The key pair of one join code. Wiped on drop.
#[derive(Clone)]
pub struct InviteKeys(SigningKey);

impl InviteKeys {
    /// The pair that a code's secret stands for.
    pub fn from_secret(secret: &InviteSecret) -> Self {
        Self(SigningKey::from_bytes(&derive(&secret.0, &[LABEL])))
    }

    /// P, as the room's log names the invite.
    pub fn public(&self) -> InviteKey {
        InviteKey(self.0.verifying_key().to_bytes())
    }

    /// "This author held the code for this room": what `admit` embeds.
    pub fn voucher(&self, room: RoomId, author: AuthorId) -> Signature {
        sign(&self.0, Context::Voucher, &message(room, author))
    }
}

impl fmt::Debug for InviteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not even P: whoever knows it passes the gate.
        f.write_str("InviteKeys(..)")
    }
}

/// Whether a holder of this invite's code vouched for this author in this room.
pub fn verify_voucher(
    invite: InviteKey,
    room: RoomId,
    author: AuthorId,
    voucher: &Signature,
) -> Result<(), CryptoError> {
    check(&invite.0, Context::Voucher, &message(room, author), voucher)
}

fn message(room: RoomId, author: AuthorId) -> Vec<u8> {
    [&room.0[..], &author.0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voucher_holds_for_its_invite_room_and_author() {
        let keys = InviteKeys::from_secret(&InviteSecret([1; 16]));
        let other = InviteKeys::from_secret(&InviteSecret([2; 16]));
        let (room, author) = (RoomId([3; 16]), AuthorId([4; 32]));
        let voucher = keys.voucher(room, author);
        assert_eq!(
            verify_voucher(keys.public(), room, author, &voucher),
            Ok(())
        );
        assert!(verify_voucher(other.public(), room, author, &voucher).is_err());
        assert!(verify_voucher(keys.public(), RoomId([5; 16]), author, &voucher).is_err());
        assert!(verify_voucher(keys.public(), room, AuthorId([5; 32]), &voucher).is_err());
    }

    #[test]
    fn debug_output_shows_neither_half() {
        let keys = InviteKeys::from_secret(&InviteSecret([1; 16]));
        assert_eq!(format!("{keys:?}"), "InviteKeys(..)");
    }
}
