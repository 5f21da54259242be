//! What this device keeps for its person alone, and what it all takes.

use std::collections::BTreeMap;

use super::Node;
use crate::{
    api::{Draft, RoomId, RoomPrefs, Storage},
    error::Error,
};

impl Node {
    /// Leaves a room and deletes what this device has of it.
    pub async fn leave(&self, room: RoomId) -> Result<(), Error> {
        self.call(move |actor, reply| actor.leave(room, false, reply))
            .await
    }

    /// Leaves a room; what was said in it stays readable on this device, until
    /// [`leave`](Self::leave) deletes that, too.
    pub async fn leave_and_keep(&self, room: RoomId) -> Result<(), Error> {
        self.call(move |actor, reply| actor.leave(room, true, reply))
            .await
    }

    /// Saves what the person thinks of a room.
    pub async fn set_prefs(&self, room: RoomId, prefs: RoomPrefs) -> Result<(), Error> {
        self.call(move |actor, reply| actor.set_prefs(room, prefs, reply))
            .await
    }

    /// Keeps what the person began to write; an empty text forgets it.
    pub async fn set_draft(&self, draft: Draft) -> Result<(), Error> {
        self.call(move |actor, reply| actor.set_draft(draft, reply))
            .await
    }

    /// Everything that the person began to write.
    pub async fn drafts(&self) -> Result<Vec<Draft>, Error> {
        self.call(|actor, reply| actor.drafts(reply)).await
    }

    /// The person's settings, by name. One means something here: `receipts` = `off` confirms nothing.
    pub async fn settings(&self) -> Result<BTreeMap<String, String>, Error> {
        self.call(|actor, reply| drop(reply.send(Ok(actor.settings().clone()))))
            .await
    }

    /// Saves a setting; an empty value forgets it.
    pub async fn set_setting(&self, name: &str, value: &str) -> Result<(), Error> {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.call(move |actor, reply| actor.set_setting(name, value, reply))
            .await
    }

    /// What the rooms take on the disk.
    pub async fn storage(&self) -> Result<Storage, Error> {
        self.call(|actor, reply| actor.storage(reply)).await
    }
}
