//! What a link costs, and who asks to be spared.

use peddlenet_wire::{RoomTag, Timestamp};

use crate::{api::PeerId, engine::Engine};

impl Engine {
    pub(crate) fn on_load(
        &mut self,
        _peer: PeerId,
        _rtt_ms: u32,
        _queued: u64,
        _rate: u64,
        _now: Timestamp,
    ) {
    }

    pub(crate) fn on_choke(&mut self, _from: PeerId, _tag: RoomTag, _on: bool, _now: Timestamp) {}
}
