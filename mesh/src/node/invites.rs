//! Codes that let people in.

use std::time::Duration;

use super::Node;
use crate::{
    api::{InviteId, InviteInfo, InviteOptions, OpenInvite, RoomId},
    error::Error,
};

impl Node {
    /// Opens an invite to a room.
    pub async fn invite(
        &self,
        room: RoomId,
        ttl: Duration,
        uses: u32,
    ) -> Result<InviteInfo, Error> {
        let options = InviteOptions {
            ttl,
            uses: Some(uses),
            poster: false,
        };
        self.invite_with(room, options).await
    }

    /// The same with every choice.
    pub async fn invite_with(
        &self,
        room: RoomId,
        options: InviteOptions,
    ) -> Result<InviteInfo, Error> {
        self.call(move |actor, reply| actor.invite(room, options, reply))
            .await
    }

    /// The invites of a room that let somebody in now, whoever made them; those that end first first.
    pub async fn invites(&self, room: RoomId) -> Result<Vec<OpenInvite>, Error> {
        self.call(move |actor, reply| drop(reply.send(actor.open_invites(room))))
            .await
    }

    /// Closes an invite.
    pub async fn revoke(&self, room: RoomId, invite: InviteId) -> Result<(), Error> {
        self.call(move |actor, reply| actor.revoke(room, invite, reply))
            .await
    }
}
