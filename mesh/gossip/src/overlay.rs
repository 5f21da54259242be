//! Which members this device links up with.

use peddlenet_wire::{AuthorId, RoomTag, Timestamp};

use crate::engine::Engine;

impl Engine {
    pub(crate) fn on_known(&mut self, _room: RoomTag, _authors: &[AuthorId], _now: Timestamp) {}

    pub(crate) fn on_dial_failed(&mut self, _room: RoomTag, _author: AuthorId, _now: Timestamp) {}
}
