//! Room offers: finding the rooms that two ends of a link share, without naming one.

use hmac::{Hmac, KeyInit as _, Mac as _};
use peddlenet_wire::{RoomTag, frame::RoomOffer};
use sha2::Sha256;

/// The room as it is offered on this link: the first 16 bytes of
/// HMAC-SHA256(handshake hash, room tag).
///
/// Both ends compute the same for a room that both are in. To anyone else it is noise, other
/// noise on every link, because the tag is 16 random bytes that only members know.
pub fn room_offer(handshake_hash: &[u8; 32], room: RoomTag) -> RoomOffer {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(handshake_hash) else {
        unreachable!("HMAC takes a key of any length")
    };
    mac.update(&room.0);
    let tag: [u8; 32] = mac.finalize().into_bytes().into();
    let Some(offer) = tag.first_chunk() else {
        unreachable!("a hash is longer than 16 bytes")
    };
    RoomOffer(*offer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_differ_by_link_and_by_room() {
        let offer = room_offer(&[1; 32], RoomTag([2; 16]));
        assert_eq!(offer, room_offer(&[1; 32], RoomTag([2; 16])));
        assert_ne!(offer, room_offer(&[3; 32], RoomTag([2; 16])));
        assert_ne!(offer, room_offer(&[1; 32], RoomTag([3; 16])));
    }
}
