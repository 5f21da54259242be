//! Messages to one member.

use peddlenet_wire::{AuthorId, RoomTag, Timestamp};

use crate::{api::UnicastId, engine::Engine};

impl Engine {
    pub(crate) fn send_to(
        &mut self,
        _room: RoomTag,
        _to: AuthorId,
        _id: UnicastId,
        _payload: Vec<u8>,
        _now: Timestamp,
    ) {
    }
}
