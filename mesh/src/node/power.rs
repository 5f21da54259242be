//! What owners and moderators can do.

use super::Node;
use crate::{
    api::{AuthorId, Role, RoomId},
    error::Error,
};

impl Node {
    /// Removes a member: it can read nothing that is said from here on. What it has it keeps.
    pub async fn remove(&self, room: RoomId, author: AuthorId) -> Result<(), Error> {
        self.call(move |actor, reply| actor.remove(room, author, false, reply))
            .await
    }

    /// Removes a member and stops showing what it said.
    pub async fn ban(&self, room: RoomId, author: AuthorId) -> Result<(), Error> {
        self.call(move |actor, reply| actor.remove(room, author, true, reply))
            .await
    }

    /// Changes what a member may do. Takes an owner.
    pub async fn set_role(&self, room: RoomId, author: AuthorId, role: Role) -> Result<(), Error> {
        self.call(move |actor, reply| actor.set_role(room, author, role, reply))
            .await
    }

    /// Asks to go on under a new key in a room where this device signed two histories, most often since it
    /// was restored from an old copy. A moderator confirms it; [`Event::Moved`](crate::Event::Moved) tells
    /// when. A frozen moderator confirms itself.
    pub async fn move_on(&self, room: RoomId) -> Result<(), Error> {
        self.call(move |actor, reply| actor.move_on(room, reply))
            .await
    }

    /// Lets a member go on under the new key it asked for. Takes a moderator, who should have asked
    /// that person: whoever stole the old key can ask, too.
    pub async fn confirm_move(&self, room: RoomId, author: AuthorId) -> Result<(), Error> {
        self.call(move |actor, reply| actor.confirm_move(room, author, reply))
            .await
    }

    /// Calls a room something else, for everybody; moderators may.
    pub async fn rename_room(&self, room: RoomId, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.call(move |actor, reply| actor.rename_room(room, &name, reply))
            .await
    }

    /// Closes a room to joiners, or opens it again. Takes a moderator.
    pub async fn close_to_joiners(&self, room: RoomId, closed: bool) -> Result<(), Error> {
        self.call(move |actor, reply| actor.close_to_joiners(room, closed, reply))
            .await
    }

    /// Lets members leave sealed copies of what they say with the room's servers, for those who come back while nobody
    /// else is there; or no more. Takes the owner. `pass` is what the organiser of a carrier box gave, as text: members use
    /// that box when it is near, and it keeps their copies within what the pass allows. Each call replaces the one before.
    ///
    /// # Errors
    /// `not_a_pass`, `pass_damaged` or `pass_newer`: that text can't be used, and nothing changes.
    pub async fn back_up(&self, room: RoomId, on: bool, pass: Option<&str>) -> Result<(), Error> {
        let pass = pass.map(str::to_owned);
        self.call(move |actor, reply| actor.back_up(room, on, pass.as_deref(), reply))
            .await
    }
}
