//! Signs of life: signed like events, sealed not at all, since they say nothing but who lives.

use peddlenet_wire::{AuthorId, Hlc, RoomTag, Seq, Signature, tree::SignedBeacon};

use crate::{
    CryptoError,
    author::{AuthorKey, Context, verify},
};

/// Signs a beacon: this author lives at `clock`, and its content log ends at `seq`.
pub fn sign_beacon(room: RoomTag, clock: Hlc, seq: Seq, key: &AuthorKey) -> SignedBeacon {
    let mut beacon = SignedBeacon {
        author: key.id(),
        clock,
        seq,
        signature: Signature::ZERO,
    };
    beacon.signature = key.sign(Context::Beacon, &beacon.message(room));
    beacon
}

/// Whether the author in it signed the beacon for this room.
pub fn verify_beacon(room: RoomTag, beacon: &SignedBeacon) -> Result<AuthorId, CryptoError> {
    verify(
        beacon.author,
        Context::Beacon,
        &beacon.message(room),
        &beacon.signature,
    )?;
    Ok(beacon.author)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beacon_holds_for_its_room_its_clock_and_its_position_only() {
        let key = AuthorKey::from_seed([1; 32]);
        let room = RoomTag([2; 16]);
        let beacon = sign_beacon(room, Hlc(7), Seq(3), &key);
        assert_eq!(verify_beacon(room, &beacon).unwrap(), key.id());
        assert!(verify_beacon(RoomTag([3; 16]), &beacon).is_err());
        for other in [
            SignedBeacon {
                clock: Hlc(8),
                ..beacon.clone()
            },
            SignedBeacon {
                seq: Seq(4),
                ..beacon.clone()
            },
            SignedBeacon {
                author: AuthorKey::from_seed([4; 32]).id(),
                ..beacon.clone()
            },
        ] {
            assert!(verify_beacon(room, &other).is_err());
        }
    }
}
