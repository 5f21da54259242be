//! Saying, reading, and what is said about messages.

use super::Node;
use crate::{
    actor::Change,
    api::{AuthorId, Found, Message, MessageId, Noted, RoomId, Words},
    error::Error,
};

impl Node {
    /// Says something. It is on disk when this returns, and goes out when someone is near.
    pub async fn send(&self, room: RoomId, words: impl Into<Words>) -> Result<Message, Error> {
        let words = words.into();
        self.call(move |actor, reply| actor.send(room, &words, reply))
            .await
    }

    /// Says something to one member alone. It is on disk when this returns, and goes out, again and
    /// again, until that member's device has confirmed it. At most
    /// [`DIRECT_TEXT_MAX`](peddlenet_wire::limits::DIRECT_TEXT_MAX) bytes of text.
    pub async fn dm(
        &self,
        room: RoomId,
        to: AuthorId,
        words: impl Into<Words>,
    ) -> Result<Message, Error> {
        let words = words.into();
        self.call(move |actor, reply| actor.dm(room, to, &words, reply))
            .await
    }

    /// Gives an own message another text, for everyone who gets to know of it.
    pub async fn edit(&self, room: RoomId, message: MessageId, text: &str) -> Result<Noted, Error> {
        self.change(room, message, Change::Edit(text.to_owned()))
            .await
    }

    /// Takes an own message back: devices that get to know of it show it no more. Its sealed bytes stay in
    /// the room's log, and whoever read it has read it.
    pub async fn delete(&self, room: RoomId, message: MessageId) -> Result<Noted, Error> {
        self.change(room, message, Change::Delete).await
    }

    /// Gives a sign about a message, in place of the one before; an empty one takes that back. At most
    /// [`REACTION_MAX`](peddlenet_wire::limits::REACTION_MAX) bytes.
    pub async fn react(
        &self,
        room: RoomId,
        message: MessageId,
        reaction: &str,
    ) -> Result<Noted, Error> {
        self.change(room, message, Change::React(reaction.to_owned()))
            .await
    }

    async fn change(
        &self,
        room: RoomId,
        message: MessageId,
        change: Change,
    ) -> Result<Noted, Error> {
        self.call(move |actor, reply| actor.change(room, message, change, reply))
            .await
    }

    /// One message as it is shown now.
    pub async fn message(&self, room: RoomId, message: MessageId) -> Result<Message, Error> {
        self.call(move |actor, reply| actor.message(room, message, reply))
            .await
    }

    /// Up to `limit` messages before one of them, or the newest; oldest first.
    pub async fn history(
        &self,
        room: RoomId,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<Message>, Error> {
        self.call(move |actor, reply| actor.history(room, before, limit, reply))
            .await
    }

    /// Like [`history`](Self::history), of what this device and one member said to each other alone.
    pub async fn direct_history(
        &self,
        room: RoomId,
        with: AuthorId,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<Message>, Error> {
        self.call(move |actor, reply| actor.direct_history(room, with, before, limit, reply))
            .await
    }

    /// Messages of this device's history that hold every word of `query`, whatever their case. Each call
    /// looks at some thousand of them; go on with what it gives.
    pub async fn search(
        &self,
        room: RoomId,
        query: &str,
        before: Option<MessageId>,
    ) -> Result<Found, Error> {
        let query = query.to_owned();
        self.call(move |actor, reply| actor.search(room, &query, before, reply))
            .await
    }

    /// The person has this message, and what came before it, on the screen.
    pub async fn mark_seen(&self, room: RoomId, message: MessageId) -> Result<(), Error> {
        self.call(move |actor, reply| actor.mark_seen(room, message, reply))
            .await
    }
}
