//! A room of two, for tests.

use peddlenet_crypto::{AuthorKey, EpochKeys};
use peddlenet_wire::{
    RoomId, RoomTag, Stream, Timestamp,
    codec::Name,
    content::{Create, History, Membership},
    event::sha256,
};

use super::Room;

/// Where the two keep it.
pub(crate) const TAG: RoomTag = RoomTag([9; 16]);
pub(crate) const AT: Timestamp = Timestamp(1_800_000_000_000);

/// The keys that the room speaks under.
pub(crate) fn epoch() -> EpochKeys {
    EpochKeys::from_seeds([1; 32], [2; 32])
}

/// What one with the room's keys has of it at first.
pub(crate) fn room(seed: u8) -> Room {
    let key = AuthorKey::from_seed([seed; 32]);
    Room::new(RoomId([8; 16]), TAG, key, vec![epoch()])
}

/// Ada, who made the room, and Bea, who knows her as a member.
pub(crate) fn ada_and_bea() -> (Room, Room) {
    let (mut ada, mut bea) = (room(1), room(2));
    let create = Membership::Create(Create {
        room_name: Name::new("Camp 7"),
        owner_name: Name::new("Ada"),
        history: History::Shared,
        inviters: None,
        retention_s: None,
    });
    let event = ada
        .seal(Stream::MEMBERSHIP, &create.to_bytes(), sha256(&[]), AT)
        .expect("it can be sealed");
    ada.take_membership(&event, &create);
    bea.take_membership(&event, &create);
    (ada, bea)
}
