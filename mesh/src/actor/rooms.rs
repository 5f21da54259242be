//! Rooms of this device: made, listed, left.

use std::time::Duration;

use peddlenet_crypto::{AuthorKey, EpochKeys, rendezvous::DAY};
use peddlenet_gossip::Input;
use peddlenet_room::Policy;
use peddlenet_store::Write;
use peddlenet_wire::{
    AuthorId, Pass, RoomId, RoomTag, SignedEvent, Stream, Timestamp,
    codec::Name,
    content::{Create, Membership, Profile, Role},
    limits,
};

use super::{Actor, Reply, Timer, load_room};
use crate::{
    api::{Event, Reach, RoomOptions, RoomSummary},
    clock, convert, entropy,
    error::{Error, ErrorCode},
    room::{Room, SavedRoom},
};

/// Changes to a room's line in the list are gathered that long.
const ROOMS_DELAY: Duration = Duration::from_millis(40);
impl Actor {
    pub(crate) fn create_room(&mut self, name: &str, options: &RoomOptions, reply: Reply<RoomId>) {
        let name = Name::new(name);
        if name.is_empty() {
            return drop(reply.send(Err(ErrorCode::NameEmpty.into())));
        }
        if self.rooms.len() >= limits::ROOMS_MAX {
            return drop(reply.send(Err(ErrorCode::TooManyRooms.into())));
        }
        let tag = RoomTag(entropy::bytes());
        let epoch = EpochKeys::from_seeds(entropy::bytes(), entropy::bytes());
        let create = Membership::Create(Create {
            room_name: name,
            owner_name: self.name.clone(),
            history: options.history,
            inviters: (options.inviters > Role::Member).then_some(options.inviters),
            retention_s: options.retention_s.filter(|seconds| *seconds > 0),
        });
        // The id is the hash of `create`, so it is known only once that is sealed.
        let mut room = Room::new(
            RoomId::ZERO,
            tag,
            AuthorKey::from_seed(entropy::bytes()),
            vec![epoch],
        );
        let sealed = room.seal(
            Stream::MEMBERSHIP,
            &create.to_bytes(),
            peddlenet_wire::event::sha256(&[]),
            clock::now(),
        );
        let Ok(event) = sealed else {
            return drop(reply.send(Err(ErrorCode::Internal.into())));
        };
        let mut id = RoomId::ZERO;
        id.0.copy_from_slice(&event.hash().0[..RoomId::LEN]);
        room.name_it(id);
        room.take_membership(&event, &create);
        self.save_new_room(room, &[event], move |actor, outcome| {
            let _ = reply.send(outcome.map(|()| {
                actor.settle_in(tag);
                id
            }));
        });
    }

    /// Makes a room and its first events durable in one commit, then opens it.
    pub(super) fn save_new_room(
        &mut self,
        room: Room,
        events: &[SignedEvent],
        then: impl FnOnce(&mut Self, Result<(), Error>) + Send + 'static,
    ) {
        let me = room.me();
        let mut writes: Vec<_> = events
            .iter()
            .map(|event| {
                let row = convert::to_row(event, 0);
                if event.header().author == me {
                    Write::OwnEvent(row)
                } else {
                    Write::Event(row)
                }
            })
            .collect();
        writes.push(Write::Meta {
            key: SavedRoom::key(room.tag),
            value: Some(room.saved().to_vec()),
        });
        self.disk.commit(writes, move |actor, outcome| {
            if let Err(e) = outcome {
                return then(actor, Err(e.into()));
            }
            actor.disk.update(
                move |store| Ok(load_room(store, room)),
                move |actor, loaded| {
                    let outcome = loaded
                        .map_err(Error::from)
                        .and_then(|l| l)
                        .map(|l| actor.insert_room(l));
                    then(actor, outcome);
                },
            );
        });
    }

    /// What a room that was just made or joined does first.
    pub(super) fn settle_in(&mut self, tag: RoomTag) {
        self.refresh_gates();
        self.announce(tag);
        self.offer_rooms_everywhere();
        self.room_changed(tag);
    }

    /// Says this device's name in a room; `then` runs once that is on disk, or at once without a name.
    pub(super) fn say_name(&mut self, tag: RoomTag, then: impl FnOnce() + Send + 'static) {
        if self.name.is_empty() {
            return then();
        }
        let profile = Membership::Profile(Profile {
            name: self.name.clone(),
        });
        if self.must_be_in(tag).is_err() {
            return then();
        }
        match self.seal(tag, Stream::MEMBERSHIP, &profile.to_bytes()) {
            Ok(event) => self.publish(event, |_, _| then()),
            Err(e) => tracing::error!(error = %e, "the name was not said"),
        }
    }

    /// At start: where the rooms know another name, or none since a kill came between joining and
    /// saying it.
    pub(super) fn say_new_name(&mut self) {
        let outdated = |room: &&Room| {
            let entry = room.roster.member(room.me());
            !self.name.is_empty()
                && room.is_in()
                && entry.is_some_and(|entry| entry.name != self.name)
        };
        let rooms: Vec<_> = self
            .rooms
            .values()
            .filter(outdated)
            .map(|r| r.tag)
            .collect();
        for tag in rooms {
            self.say_name(tag, || {});
        }
    }

    pub(crate) fn set_name(&mut self, name: &str, reply: Reply<()>) {
        let name = Name::new(name);
        if name.is_empty() {
            return drop(reply.send(Err(ErrorCode::NameEmpty.into())));
        }
        self.name = name;
        let value = Some(self.name.as_str().as_bytes().to_vec());
        let write = Write::Meta {
            key: crate::node::META_NAME.to_vec(),
            value,
        };
        self.disk.commit(vec![write], move |actor, outcome| {
            if outcome.is_ok() {
                for tag in actor.rooms.keys().copied().collect::<Vec<_>>() {
                    actor.say_name(tag, || {});
                }
            }
            let _ = reply.send(outcome.map_err(Error::from));
        });
    }

    /// Says goodbye to the room, so that members wait for nobody; then forgets it, unless what was said
    /// is to stay readable here.
    pub(crate) fn leave(&mut self, id: RoomId, keep: bool, reply: Reply<()>) {
        let Ok(tag) = self.tag(id) else {
            return drop(reply.send(Err(ErrorCode::RoomUnknown.into())));
        };
        match self.say_leave(tag) {
            // The engine hands it to the links as soon as it is on disk, before they are told to close.
            Some(event) => self.publish(event, move |actor, _| match keep {
                true => drop(reply.send(Ok(()))),
                false => actor.forget_room(tag, id, reply),
            }),
            None if keep => drop(reply.send(Ok(()))),
            None => self.forget_room(tag, id, reply),
        }
    }

    fn forget_room(&mut self, tag: RoomTag, id: RoomId, reply: Reply<()>) {
        self.close_room_on_links(tag);
        self.feed(Input::CloseRoom { room: tag });
        self.forget_state(tag);
        self.by_id.remove(&id);
        self.refresh_gates();
        self.disk.drop_room(tag, move |actor, outcome| {
            actor.events.emit(Event::RoomGone(id));
            let _ = reply.send(outcome.map_err(Error::from));
        });
    }

    /// Everything that is kept in memory of a room.
    pub(super) fn forget_state(&mut self, tag: RoomTag) {
        self.rooms.remove(&tag);
        self.last.remove(&tag);
        self.reach.retain(|(room, _), _| *room != tag);
        self.dials.forget_room(tag);
        self.meetings.forget_room(tag);
        self.near.forget_room(tag);
        self.paths.remove(&tag);
        self.directs.forget_room(tag);
        self.said.remove(&tag);
        self.unreadable.forget_room(tag);
    }

    pub(crate) fn room_list(&self) -> Vec<RoomSummary> {
        self.rooms.values().map(|room| self.summary(room)).collect()
    }

    fn summary(&self, room: &Room) -> RoomSummary {
        let near =
            |author: &AuthorId| *author != room.me() && self.reach_of(room, *author) != Reach::Away;
        RoomSummary {
            room: room.id,
            name: room.roster.room_name().as_str().to_owned(),
            members: room.roster.len(),
            near: room.roster.members().filter(near).count(),
            unread: room.unread,
            direct_unread: self.directs.unread_in(room),
            last: self.last.get(&room.tag).cloned().flatten(),
            removed: !room.is_in(),
            left: room
                .roster
                .gone(room.me())
                .is_some_and(|gone| gone.left(room.me())),
            role: room.role(),
            prefs: room.prefs,
            closed: room.roster.is_closed(),
            backup: room.roster.is_backed_up(),
            pass_until: room.roster.pass().map(|pass| end_of(&pass)),
            rules: rules_of(room),
        }
    }

    /// A room's line in the list changed. Told a moment later, once for whatever happens till then.
    pub(super) fn room_changed(&mut self, tag: RoomTag) {
        if self.changed.insert(tag) && self.changed.len() == 1 {
            self.arm(Timer::Rooms, clock::now().after(ROOMS_DELAY));
        }
    }

    pub(super) fn tell_rooms(&mut self) {
        for tag in std::mem::take(&mut self.changed) {
            if let Some(summary) = self.rooms.get(&tag).map(|room| self.summary(room)) {
                self.events.emit(Event::Room(summary));
            }
        }
    }
}

/// What a room was made with; what most are made with before its `create` is here.
fn rules_of(room: &Room) -> RoomOptions {
    let rules = |policy: Policy| RoomOptions {
        history: policy.history,
        inviters: policy.inviters,
        retention_s: policy.retention_s,
    };
    room.roster.policy().map(rules).unwrap_or_default()
}

/// When the last day of a pass ends.
fn end_of(pass: &Pass) -> Timestamp {
    let last = pass.days().last().unwrap_or(pass.first_day);
    let day = u64::try_from(DAY.as_millis()).unwrap_or(u64::MAX);
    Timestamp(u64::from(last).saturating_add(1).saturating_mul(day))
}
