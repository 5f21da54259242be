//! The way on for a member whose log forked, most often because a device was restored from an old copy.
//!
//! ```text
//!  frozen device:  a new key, on disk --> record "I go on as .., signed by the key until now" --> everyone
//!  a moderator:    sees who asks, asks them in person, confirms --> `Move` in stream 0
//!  every device:   the old key ends at its cut, the new one belongs, with the same role and the same name
//!  frozen device:  hears of it --> the room is saved under the new key, closed, and opened anew
//! ```
//!
//! Killed anywhere in between, the next start goes on: the record is there, or the act. A frozen
//! moderator confirms itself, since whoever holds its key could do all that a moderator can.
//! Private messages stay with the key they were sealed to: they can be read on, and end there.

use peddlenet_crypto::AuthorKey;
use peddlenet_gossip::Input;
use peddlenet_store::{Store, Write};
use peddlenet_wire::{AuthorId, RoomId, RoomTag, Stream, codec, content::Role, record::RecordKind};

use super::{Actor, LoadedRoom, Reply, load_room, read_saved};
use crate::{
    api::Event,
    entropy,
    error::{Error, ErrorCode},
    room::{Room, SavedRoom, next_key},
};

impl Actor {
    /// Asks to go on under a new key in a room where this device is frozen.
    pub(crate) fn move_on(&mut self, id: RoomId, reply: Reply<()>) {
        let checked = self.check_power(id, |_| Ok(()));
        let room = match checked.and_then(|_| self.room(id)) {
            Ok(room) => room,
            Err(e) => return drop(reply.send(Err(e))),
        };
        if room.trust.fork(room.me()).is_none() {
            return drop(reply.send(Err(Error::new(
                ErrorCode::BadRequest,
                "This device's key is in order. A new one is for a device that signed two histories.",
            ))));
        }
        let tag = room.tag;
        if room.next_key().is_some() {
            self.say_moving(tag);
            return drop(reply.send(Ok(())));
        }
        let key = AuthorKey::from_seed(entropy::bytes());
        let write = Write::Meta {
            key: next_key(tag),
            value: Some(key.seed().to_vec()),
        };
        self.disk.commit(vec![write], move |actor, outcome| {
            if outcome.is_ok()
                && let Some(room) = actor.rooms.get_mut(&tag)
            {
                room.set_next_key(key);
                let me = room.me();
                actor.say_moving(tag);
                actor.member_changed(tag, me);
            }
            let _ = reply.send(outcome.map_err(Error::from));
        });
    }

    /// At start: a kill may have come between the key and asking.
    pub(super) fn ask_on_to_move(&mut self) {
        let asks = |room: &&Room| room.is_in() && room.next_key().is_some();
        let rooms: Vec<_> = self
            .rooms
            .values()
            .filter(asks)
            .map(|room| room.tag)
            .collect();
        for tag in rooms {
            self.say_moving(tag);
        }
    }

    /// Tells the others; who moderates the room confirms itself.
    fn say_moving(&mut self, tag: RoomTag) {
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        if room.role() >= Some(Role::Moderator) {
            let me = room.me();
            match self.confirmed(tag, me) {
                Ok(act) => self.publish(act, |_, _| {}),
                Err(e) => tracing::error!(error = %e, "going on under a new key failed"),
            }
        } else if let Some(moving) = room.own_moving() {
            self.publish_record(tag, RecordKind::MOVING, &codec::to_vec(&moving));
        }
    }

    /// Lets a member go on who asked to.
    pub(crate) fn confirm_move(&mut self, id: RoomId, author: AuthorId, reply: Reply<()>) {
        let checked = self.check_power(id, |room| {
            if room.role() < Some(Role::Moderator) {
                Err(ErrorCode::NotAllowed)
            } else if !room.is_moving(author) {
                Err(ErrorCode::MemberUnknown)
            } else {
                Ok(())
            }
        });
        let act = checked.and_then(|tag| self.confirmed(tag, author));
        self.say_ending(act, reply);
    }

    fn confirmed(
        &mut self,
        tag: RoomTag,
        author: AuthorId,
    ) -> Result<peddlenet_wire::SignedEvent, Error> {
        let cut = self.removal(tag, author)?.cut;
        let room = self.rooms.get(&tag).ok_or(ErrorCode::RoomUnknown)?;
        let act = room.confirmation(author, cut);
        let act = act.ok_or(ErrorCode::MemberUnknown)?;
        self.seal(tag, Stream::MEMBERSHIP, &act.to_bytes())
    }

    /// Where this device's old key ended and its next one goes on: does so. True if it does.
    pub(super) fn go_on_as_moved(&mut self, tag: RoomTag) -> bool {
        let Some(room) = self.rooms.get(&tag) else {
            return false;
        };
        let Some(saved) = room.saved_moved() else {
            return false;
        };
        let writes = vec![
            Write::Meta {
                key: SavedRoom::key(tag),
                value: Some(saved.to_vec()),
            },
            Write::Meta {
                key: next_key(tag),
                value: None,
            },
        ];
        tracing::info!("going on under a new key");
        self.disk.commit(writes, move |actor, outcome| {
            if let Err(e) = outcome {
                return tracing::error!(error = %e, "the new key was not saved; the next start does it");
            }
            actor.disk.update(
                move |store| Ok(reload(store, &saved)),
                move |actor, loaded| match loaded.map_err(Error::from).and_then(|l| l) {
                    Ok(loaded) => actor.reopen(tag, loaded),
                    Err(e) => tracing::error!(error = %e, "the room opens under its new key at the next start"),
                },
            );
        });
        true
    }

    fn reopen(&mut self, tag: RoomTag, loaded: LoadedRoom) {
        let from = self.rooms.get(&tag).map(Room::me);
        self.close_room_on_links(tag);
        self.feed(Input::CloseRoom { room: tag });
        self.forget_state(tag);
        self.insert_room(loaded);
        self.settle_in(tag);
        self.say_name(tag, || {});
        self.begin_epoch_if_needed(tag);
        if let (Some(from), Some(room)) = (from, self.rooms.get(&tag)) {
            self.events.emit(Event::Moved {
                room: room.id,
                from,
                to: room.me(),
            });
        }
    }
}

fn reload(store: &mut dyn Store, saved: &[u8]) -> Result<LoadedRoom, Error> {
    let room = read_saved(store, saved)?.map_err(|_| ErrorCode::Internal)?;
    load_room(store, room)
}
