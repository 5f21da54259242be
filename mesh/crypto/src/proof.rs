//! Proofs of identity on a link: signatures over the handshake hash.
//!
//! The hash names one link between two ends, so a proof can't be replayed on another, and a
//! middle man, who has a link to each, holds no proof that fits both.
//!
//! | proof | signed after its context | says |
//! |---|---|---|
//! | open | hash 32 · room tag 16 · dialled 1 | I am this member of this room |
//! | join | hash 32 · room id 16 | I hold the author key that asks to be let in |
//! | welcome | hash 32 · room id 16 | I am the member who lets you in |

use peddlenet_wire::{AuthorId, RoomId, RoomTag, Signature};

use crate::{
    CryptoError,
    author::{AuthorKey, Context, verify},
};

/// The proof in [`Open`](peddlenet_wire::frame::Open). `dialer` is whether the prover dialled:
/// without it a proof could be sent straight back to who made it.
pub fn open_proof(
    key: &AuthorKey,
    handshake_hash: &[u8; 32],
    room: RoomTag,
    dialer: bool,
) -> Signature {
    key.sign(
        Context::LinkOpen,
        &open_message(handshake_hash, room, dialer),
    )
}

/// Checks an [`open_proof`]; `dialer` is whether the *prover* dialled.
pub fn verify_open(
    author: AuthorId,
    handshake_hash: &[u8; 32],
    room: RoomTag,
    dialer: bool,
    proof: &Signature,
) -> Result<(), CryptoError> {
    let message = open_message(handshake_hash, room, dialer);
    verify(author, Context::LinkOpen, &message, proof)
}

/// The proof in [`JoinRequest`](peddlenet_wire::join::JoinRequest).
pub fn join_proof(key: &AuthorKey, handshake_hash: &[u8; 32], room: RoomId) -> Signature {
    key.sign(Context::Join, &admission_message(handshake_hash, room))
}

/// Checks a [`join_proof`].
pub fn verify_join(
    author: AuthorId,
    handshake_hash: &[u8; 32],
    room: RoomId,
    proof: &Signature,
) -> Result<(), CryptoError> {
    let message = admission_message(handshake_hash, room);
    verify(author, Context::Join, &message, proof)
}

/// The proof in [`Welcome`](peddlenet_wire::join::Welcome).
pub fn welcome_proof(key: &AuthorKey, handshake_hash: &[u8; 32], room: RoomId) -> Signature {
    key.sign(Context::Welcome, &admission_message(handshake_hash, room))
}

/// Checks a [`welcome_proof`].
pub fn verify_welcome(
    author: AuthorId,
    handshake_hash: &[u8; 32],
    room: RoomId,
    proof: &Signature,
) -> Result<(), CryptoError> {
    let message = admission_message(handshake_hash, room);
    verify(author, Context::Welcome, &message, proof)
}

fn open_message(handshake_hash: &[u8; 32], room: RoomTag, dialer: bool) -> Vec<u8> {
    [&handshake_hash[..], &room.0, &[u8::from(dialer)]].concat()
}

fn admission_message(handshake_hash: &[u8; 32], room: RoomId) -> Vec<u8> {
    [&handshake_hash[..], &room.0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: [u8; 32] = [7; 32];
    const OTHER_LINK: [u8; 32] = [8; 32];

    #[test]
    fn an_open_proof_holds_on_its_link_for_its_room_author_and_direction() {
        let (key, other) = (AuthorKey::from_seed([1; 32]), AuthorKey::from_seed([2; 32]));
        let room = RoomTag([3; 16]);
        let proof = open_proof(&key, &LINK, room, true);
        assert_eq!(verify_open(key.id(), &LINK, room, true, &proof), Ok(()));
        assert!(verify_open(key.id(), &LINK, room, false, &proof).is_err());
        assert!(verify_open(key.id(), &OTHER_LINK, room, true, &proof).is_err());
        assert!(verify_open(key.id(), &LINK, RoomTag([4; 16]), true, &proof).is_err());
        assert!(verify_open(other.id(), &LINK, room, true, &proof).is_err());
    }

    #[test]
    fn join_and_welcome_do_not_stand_for_each_other() {
        let key = AuthorKey::from_seed([1; 32]);
        let room = RoomId([3; 16]);
        let (join, welcome) = (
            join_proof(&key, &LINK, room),
            welcome_proof(&key, &LINK, room),
        );
        assert_eq!(verify_join(key.id(), &LINK, room, &join), Ok(()));
        assert_eq!(verify_welcome(key.id(), &LINK, room, &welcome), Ok(()));
        assert!(verify_join(key.id(), &LINK, room, &welcome).is_err());
        assert!(verify_welcome(key.id(), &LINK, room, &join).is_err());
        assert!(verify_join(key.id(), &OTHER_LINK, room, &join).is_err());
        assert!(verify_welcome(key.id(), &LINK, RoomId([4; 16]), &welcome).is_err());
    }
}
