//! An epoch's seed, sealed to each member: how new keys reach those who stay and nobody else.
//!
//! ```text
//!  seed 32 --HKDF--> k_member, k_content --hash--> epoch id
//!    |
//!    +--HPKE to each author--> box 88 = author's short name 8 | enc 32 | ciphertext 32 | tag 16
//!                              info "pn/rekey/1" | room tag, associated data: the epoch id
//! ```
//!
//! A box opens to keys only where they hash to the epoch's name, so nobody can be given other keys
//! than the rest of the room.

use peddlenet_wire::{
    AuthorId, EpochId, RoomTag,
    power::{KeyBox, SealedSeed},
};
use zeroize::Zeroizing;

use crate::{
    AuthorKey, CryptoError, EpochKeys,
    derive::derive,
    sealed_to::{open_sealed, seal_to},
};

const INFO: &[u8] = b"pn/rekey/1";
/// Each box takes 32 fresh bytes; they come from one secret, a label and a number.
const FRESH: &[u8] = b"pn/rekey/fresh/1";

/// A new epoch from 32 fresh random bytes, and a box for each author. `fresh` are 32 more. An author
/// that nothing can be sealed to gets none: no key of ours is one.
pub fn seal_epoch(
    seed: &[u8; 32],
    fresh: &[u8; 32],
    room: RoomTag,
    to: impl IntoIterator<Item = AuthorId>,
) -> (EpochKeys, Vec<KeyBox>) {
    let keys = EpochKeys::from_seed(seed);
    let info = info(room);
    let one = |(n, to): (u64, AuthorId)| {
        let fresh = derive(fresh, &[FRESH, &n.to_be_bytes()]);
        let sealed = seal_to(to, &info, &keys.id().0, *fresh, seed).ok()?;
        Some(KeyBox {
            to: to.short(),
            sealed: SealedSeed::try_from(sealed).ok()?,
        })
    };
    let boxes = (0_u64..).zip(to).filter_map(one).collect();
    (keys, boxes)
}

/// The keys in a box for this author. Fails where it is somebody else's, was altered, or holds keys
/// of another name.
pub fn open_box(
    key: &AuthorKey,
    room: RoomTag,
    epoch: EpochId,
    sealed: &KeyBox,
) -> Result<EpochKeys, CryptoError> {
    let seed = open_sealed(key, &info(room), &epoch.0, &sealed.sealed)?;
    let seed: Zeroizing<[u8; 32]> = match <[u8; 32]>::try_from(seed.as_slice()) {
        Ok(seed) => Zeroizing::new(seed),
        Err(_) => return Err(CryptoError::ForgedEpoch(epoch)),
    };
    let keys = EpochKeys::from_seed(&seed);
    if keys.id() == epoch {
        Ok(keys)
    } else {
        Err(CryptoError::ForgedEpoch(epoch))
    }
}

fn info(room: RoomTag) -> Vec<u8> {
    [INFO, &room.0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomTag = RoomTag([9; 16]);

    fn key(n: u8) -> AuthorKey {
        AuthorKey::from_seed([n; 32])
    }

    #[test]
    fn each_member_opens_its_own_box_and_no_other() {
        let members = [key(1), key(2), key(3)];
        let ids = members.iter().map(AuthorKey::id);
        let (keys, boxes) = seal_epoch(&[5; 32], &[6; 32], ROOM, ids);
        assert_eq!(boxes.len(), 3);
        for (at, member) in members.iter().enumerate() {
            for (other, sealed) in boxes.iter().enumerate() {
                let opened = open_box(member, ROOM, keys.id(), sealed);
                assert_eq!(opened.is_ok(), at == other);
            }
        }
        assert_ne!(boxes[0].sealed[..32], boxes[1].sealed[..32]);
    }

    #[test]
    fn a_box_of_another_room_or_epoch_and_every_flipped_bit_are_refused() {
        let member = key(1);
        let (keys, boxes) = seal_epoch(&[5; 32], &[6; 32], ROOM, [member.id()]);
        let sealed = boxes[0];
        assert!(open_box(&member, RoomTag([8; 16]), keys.id(), &sealed).is_err());
        assert!(open_box(&member, ROOM, EpochId([1; 16]), &sealed).is_err());
        for bit in 0..KeyBox::SEALED * 8 {
            let mut bent = sealed;
            bent.sealed[bit / 8] ^= 1 << (bit % 8);
            assert!(open_box(&member, ROOM, keys.id(), &bent).is_err());
        }
    }

    #[test]
    fn a_box_with_another_seed_than_the_epoch_s_is_refused() {
        let member = key(1);
        let honest = EpochKeys::from_seed(&[5; 32]).id();
        let other = seal_to(member.id(), &info(ROOM), &honest.0, [6; 32], &[7; 32]).unwrap();
        let sealed = KeyBox {
            to: member.id().short(),
            sealed: other.try_into().unwrap(),
        };
        let refused = open_box(&member, ROOM, honest, &sealed).map(|keys| keys.id());
        assert_eq!(refused, Err(CryptoError::ForgedEpoch(honest)));
    }
}
