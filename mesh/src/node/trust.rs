//! What a person decides about the others in a room: verify, mute, block.

use peddlenet_wire::RoomId;

use super::Node;
use crate::{
    api::{AuthorId, VerifyInfo},
    error::Error,
};

impl Node {
    /// What to compare with a member: 60 digits that both see, and the code that their device scans.
    pub async fn verify_code(&self, room: RoomId, author: AuthorId) -> Result<VerifyInfo, Error> {
        self.call(move |actor, reply| drop(reply.send(actor.verify_info(room, author))))
            .await
    }

    /// The code on another member's screen was scanned: they are verified here if it matches, and
    /// their device does the same with this one's. Gives whose it was; with `expected` it must be theirs.
    pub async fn verify_scan(
        &self,
        room: RoomId,
        text: &str,
        expected: Option<AuthorId>,
    ) -> Result<AuthorId, Error> {
        let text = text.to_owned();
        self.call(move |actor, reply| actor.verify_scan(room, &text, expected, reply))
            .await
    }

    /// The digits were compared and are the same; or that is taken back. Refused with
    /// [`ErrorCode::KeyChanged`](crate::ErrorCode::KeyChanged) until [`confirm_key`](Self::confirm_key) where it applies.
    pub async fn set_verified(
        &self,
        room: RoomId,
        author: AuthorId,
        on: bool,
    ) -> Result<(), Error> {
        self.call(move |actor, reply| actor.set_verified(room, author, on, reply))
            .await
    }

    /// The person knows that a verified name now stands for this key, too.
    pub async fn confirm_key(&self, room: RoomId, author: AuthorId) -> Result<(), Error> {
        self.call(move |actor, reply| actor.confirm_key(room, author, reply))
            .await
    }

    /// Whether a message to this member alone may go out, or their key has to be confirmed first.
    pub async fn may_write_to(&self, room: RoomId, author: AuthorId) -> Result<(), Error> {
        self.call(move |actor, reply| drop(reply.send(actor.may_write_to(room, author))))
            .await
    }

    /// Shows a member's messages without counting or announcing them, or again with.
    pub async fn mute(&self, room: RoomId, author: AuthorId, on: bool) -> Result<(), Error> {
        self.call(move |actor, reply| actor.mute(room, author, on, reply))
            .await
    }

    /// Shows none of a member's messages, old or new, and confirms none; or shows them again. They are
    /// kept and passed on all the same, and nobody is told.
    pub async fn block(&self, room: RoomId, author: AuthorId, on: bool) -> Result<(), Error> {
        self.call(move |actor, reply| actor.block(room, author, on, reply))
            .await
    }
}
