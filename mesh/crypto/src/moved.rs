//! Going on under a new key: the old one's word for it.
//!
//! A device whose log forked (a restored backup) or that moved to another one mints a new author key.
//! The old key signs which one; a moderator's act in stream 0 makes it count.

use peddlenet_wire::{AuthorId, RoomId, Signature};

use crate::{
    CryptoError,
    author::{AuthorKey, Context, verify},
};

/// "I go on as `to` in this room", by the key until now.
pub fn move_consent(from: &AuthorKey, room: RoomId, to: AuthorId) -> Signature {
    from.sign(Context::Move, &message(room, to))
}

/// Whether the old key said so.
pub fn verify_move(
    from: AuthorId,
    room: RoomId,
    to: AuthorId,
    consent: &Signature,
) -> Result<(), CryptoError> {
    verify(from, Context::Move, &message(room, to), consent)
}

fn message(room: RoomId, to: AuthorId) -> Vec<u8> {
    [&room.0[..], &to.0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consent_holds_for_its_room_and_both_keys() {
        let (old, new) = (AuthorKey::from_seed([1; 32]), AuthorKey::from_seed([2; 32]));
        let room = RoomId([3; 16]);
        let consent = move_consent(&old, room, new.id());
        assert_eq!(verify_move(old.id(), room, new.id(), &consent), Ok(()));
        assert!(verify_move(old.id(), RoomId([4; 16]), new.id(), &consent).is_err());
        assert!(verify_move(old.id(), room, old.id(), &consent).is_err());
        assert!(verify_move(new.id(), room, new.id(), &consent).is_err());
    }
}
