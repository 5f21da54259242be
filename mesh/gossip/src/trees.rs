//! One tree per author.

use peddlenet_wire::{
    RoomTag, Timestamp,
    tree::{Graft, Ihave, Prune},
};

use crate::{api::PeerId, engine::Engine};

impl Engine {
    pub(crate) fn on_ihave(
        &mut self,
        _from: PeerId,
        _tag: RoomTag,
        _frame: &Ihave,
        _now: Timestamp,
    ) {
    }

    pub(crate) fn on_prune(
        &mut self,
        _from: PeerId,
        _tag: RoomTag,
        _frame: &Prune,
        _now: Timestamp,
    ) {
    }

    pub(crate) fn on_graft(
        &mut self,
        _from: PeerId,
        _tag: RoomTag,
        _frame: &Graft,
        _now: Timestamp,
    ) {
    }
}
