//! The mesh around this device.

use super::Node;
use crate::{
    api::{Diagnostics, NetworkMap, RoomId},
    error::Error,
};

impl Node {
    /// A room as a mesh, as far as this device knows.
    pub async fn network_map(&self, room: RoomId) -> Result<NetworkMap, Error> {
        self.call(move |actor, reply| drop(reply.send(actor.network_map(room))))
            .await
    }

    /// What was tried, what failed and why, and how long things take.
    pub async fn diagnostics(&self) -> Result<Diagnostics, Error> {
        self.call(|actor, reply| drop(reply.send(Ok(actor.diagnostics()))))
            .await
    }
}
