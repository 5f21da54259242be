//! Signs of life.

use peddlenet_wire::{
    RoomTag, Timestamp,
    tree::{Beacon, SignedBeacon},
};

use crate::{api::PeerId, engine::Engine};

impl Engine {
    pub(crate) fn publish_beacon(
        &mut self,
        _room: RoomTag,
        _beacon: SignedBeacon,
        _now: Timestamp,
    ) {
    }

    pub(crate) fn on_beacon(
        &mut self,
        _from: PeerId,
        _tag: RoomTag,
        _frame: Beacon,
        _now: Timestamp,
    ) {
    }
}
