//! Acts of power and what follows: who goes, whom to tell, where logs end.
//!
//! ```text
//!  remove, ban, role, close --sealed, on disk--> stream 0 --> every device folds it in
//!       |                                                        gone: Removed on its links, room closed there
//!       +--> a new epoch at once (see `epochs`)                  cuts: the engine counts no further
//! ```
//!
//! A device that others take for removed is shown why. It may know better, since of two who remove each
//! other one stays: then it shows what it knows, once a link, and is taken in again.

use peddlenet_crypto::{Day, EpochKeys, open_event, verify_event, verify_pass};
use peddlenet_gossip::{Input, Lane, PeerId};
use peddlenet_room::{Judgement, News};
use peddlenet_store::Write;
use peddlenet_wire::{
    AuthorId, Capped, EventHash, Frame, Pass, RoomId, RoomTag, Seq, SignedEvent, Stream,
    codec::Name,
    content::{Membership, Rename, Role},
    frame::Removed,
    join::EpochGrant,
    pass::PassError,
    power::{Backup, Close, Removal, SetRole},
};

use super::{Actor, Reply};
use crate::{
    api::Event,
    clock, convert,
    error::{Error, ErrorCode},
    room::Room,
};

/// Frames about a removal that one link may send (count): an honest one sends one, or an answer.
pub(super) const REMOVED_FRAMES_MAX: u8 = 4;

impl Actor {
    /// Removes or bans a member.
    pub(crate) fn remove(&mut self, id: RoomId, author: AuthorId, ban: bool, reply: Reply<()>) {
        let sealed = self.check_power(id, |room| {
            if !room.roster.is_member(author) {
                return Err(ErrorCode::MemberUnknown);
            }
            let may = room.roster.may_remove(room.me(), author);
            if may {
                Ok(())
            } else {
                Err(ErrorCode::NotAllowed)
            }
        });
        let act = sealed.and_then(|tag| {
            let removal = self.removal(tag, author)?;
            let act = match ban {
                true => Membership::Ban(removal),
                false => Membership::Remove(removal),
            };
            self.seal(tag, Stream::MEMBERSHIP, &act.to_bytes())
        });
        self.say_ending(act, reply);
    }

    /// Says an act that ends somebody's membership, and begins the epoch that it calls for.
    pub(super) fn say_ending(&mut self, act: Result<SignedEvent, Error>, reply: Reply<()>) {
        match act {
            Ok(event) => self.publish(event, |actor, event| {
                actor.begin_epoch_if_needed(event.header().room);
                let _ = reply.send(Ok(()));
            }),
            Err(e) => drop(reply.send(Err(e))),
        }
    }

    /// What removes somebody: their logs count as far as this device holds them.
    pub(super) fn removal(&self, tag: RoomTag, author: AuthorId) -> Result<Removal, Error> {
        let room = self.rooms.get(&tag).ok_or(ErrorCode::RoomUnknown)?;
        let cut = room.cut_of(author, &self.engine.heads(tag));
        Ok(Removal { author, cut })
    }

    /// Changes what a member may do.
    pub(crate) fn set_role(&mut self, id: RoomId, author: AuthorId, role: Role, reply: Reply<()>) {
        let sealed = self.check_power(id, |room| {
            let me = room.role();
            let creator = room.roster.policy().is_some_and(|p| p.creator == author);
            match room.roster.is_member(author) {
                false => Err(ErrorCode::MemberUnknown),
                true if me != Some(Role::Owner) || creator => Err(ErrorCode::NotAllowed),
                true => Ok(()),
            }
        });
        let outcome = sealed.and_then(|tag| {
            let after = self.removal(tag, author)?.cut.membership;
            let set = Membership::SetRole(SetRole {
                author,
                role,
                after,
            });
            self.seal(tag, Stream::MEMBERSHIP, &set.to_bytes())
        });
        self.say_power(outcome, reply);
    }

    /// Calls a room something else.
    pub(crate) fn rename_room(&mut self, id: RoomId, name: &str, reply: Reply<()>) {
        let room_name = Name::new(name);
        if room_name.is_empty() {
            return drop(reply.send(Err(ErrorCode::NameEmpty.into())));
        }
        self.say_as_moderator(id, &Membership::Rename(Rename { room_name }), reply);
    }

    /// Closes a room to joiners, or opens it again.
    pub(crate) fn close_to_joiners(&mut self, id: RoomId, closed: bool, reply: Reply<()>) {
        self.say_as_moderator(id, &Membership::Close(Close { closed }), reply);
    }

    /// Lets members leave sealed copies of what they say with the room's servers, or no more.
    pub(crate) fn back_up(&mut self, id: RoomId, on: bool, pass: Option<&str>, reply: Reply<()>) {
        let sealed = self.check_power(id, |room| match room.role() {
            Some(Role::Owner) => Ok(()),
            _ => Err(ErrorCode::NotAllowed),
        });
        let outcome = sealed.and_then(|tag| {
            let pass = pass.map(read_pass).transpose()?;
            let pass = pass.as_ref().map(Into::into);
            let act = Membership::Backup(Backup { on, pass });
            self.seal(tag, Stream::MEMBERSHIP, &act.to_bytes())
        });
        self.say_power(outcome, reply);
    }

    fn say_as_moderator(&mut self, id: RoomId, act: &Membership, reply: Reply<()>) {
        let sealed = self.check_power(id, |room| {
            if room.role() >= Some(Role::Moderator) {
                Ok(())
            } else {
                Err(ErrorCode::NotAllowed)
            }
        });
        let outcome = sealed.and_then(|tag| self.seal(tag, Stream::MEMBERSHIP, &act.to_bytes()));
        self.say_power(outcome, reply);
    }

    pub(super) fn check_power(
        &self,
        id: RoomId,
        check: impl FnOnce(&Room) -> Result<(), ErrorCode>,
    ) -> Result<RoomTag, Error> {
        let room = self.room(id)?;
        if !room.is_in() {
            return Err(ErrorCode::Removed.into());
        }
        check(room)?;
        Ok(room.tag)
    }

    fn say_power(&mut self, event: Result<SignedEvent, Error>, reply: Reply<()>) {
        match event {
            Ok(event) => self.publish(event, move |_, _| drop(reply.send(Ok(())))),
            Err(e) => drop(reply.send(Err(e))),
        }
    }

    /// Who came, went, or stands elsewhere now, told to everyone whom it concerns.
    pub(super) fn standing_changed(&mut self, tag: RoomTag, news: &News) {
        for author in &news.came {
            self.known_changed(tag, *author);
        }
        for author in news.came.iter().chain(&news.changed) {
            self.member_changed(tag, *author);
        }
        for author in &news.gone {
            self.member_gone(tag, *author);
        }
        if news.cuts {
            self.tell_cuts(tag);
        }
        if !news.gone.is_empty() {
            // What was banned with its author is no room's newest message.
            self.refresh_shown(tag, || {});
        }
        if news.invites || !news.gone.is_empty() {
            self.refresh_gates();
        }
        if news.backup {
            self.backup_changed(tag);
        } else if !news.changed.is_empty() {
            // Whose pass counts hangs on who is an owner.
            self.servers.keys_changed();
        }
        if news.invites || !news.came.is_empty() || !news.gone.is_empty() {
            self.epoch_may_be_due(tag);
        }
    }

    /// Where logs end for the room, told to the engine.
    pub(super) fn tell_cuts(&mut self, tag: RoomTag) {
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        let cuts: Vec<(AuthorId, Stream, Seq, EventHash)> = room
            .roster
            .cuts()
            .map(|(author, seq, hash)| (author, Stream::CONTENT, seq, hash))
            .collect();
        self.feed(Input::Cuts { room: tag, cuts });
    }

    fn member_gone(&mut self, tag: RoomTag, author: AuthorId) {
        let Some(me) = self.rooms.get(&tag).map(Room::me) else {
            return;
        };
        if author == me && self.go_on_as_moved(tag) {
            return;
        }
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        let id = room.id;
        self.events.emit(Event::Member {
            room: id,
            member: self.gone_member(tag, author),
        });
        if author == me {
            tracing::info!("removed from a room");
            self.events.emit(Event::Removed(id));
            self.close_room_on_links(tag);
            return;
        }
        let opened = |link: &super::links::LinkState| {
            link.rooms
                .get(&tag)
                .and_then(super::opening::Opening::author)
                == Some(author)
        };
        let theirs: Vec<PeerId> = self
            .links
            .iter()
            .filter(|(_, link)| opened(link))
            .map(|(peer, _)| *peer)
            .collect();
        for peer in theirs {
            self.show_removal(peer, tag, author);
            self.on_close(peer, tag);
        }
    }

    /// Shows somebody why this device takes them for removed.
    pub(super) fn show_removal(&mut self, peer: PeerId, tag: RoomTag, author: AuthorId) {
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        if let Some(proof) = room.roster.proof_of_removal(author) {
            self.send_removed(peer, tag, author, proof);
        }
    }

    fn send_removed(&mut self, peer: PeerId, tag: RoomTag, to: AuthorId, events: Vec<SignedEvent>) {
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        let mut epochs: Vec<_> = events.iter().map(|event| event.header().epoch).collect();
        epochs.sort_unstable();
        epochs.dedup();
        let grant = |epoch| room.ring.parting_grant(epoch, to, &room.roster);
        let mut grants = epochs.into_iter().filter_map(grant);
        let frame = Frame::Removed(Removed {
            room: tag,
            grants: Capped::take_from(&mut grants),
            events: Capped::take_from(&mut events.into_iter()),
        });
        self.send_frame(peer, &frame, Lane::Ordered);
    }

    /// Somebody shows why this device, or who removed it, does not belong.
    pub(super) fn on_removed(&mut self, peer: PeerId, removed: &Removed) {
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        link.removed_frames = link.removed_frames.saturating_add(1);
        let answered = link.removed_frames > 1;
        let tag = removed.room;
        if link.removed_frames > REMOVED_FRAMES_MAX || !self.rooms.contains_key(&tag) {
            return;
        }
        for event in removed.events.iter() {
            self.take_shown(tag, event, removed.grants.iter());
        }
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        if room.is_in() && !answered {
            let powers = room.roster.powers();
            let me = room.me();
            self.send_removed(peer, tag, me, powers);
        }
        self.retry_open(peer, tag);
    }

    /// An event of stream 0 that came outside the engine's ways. It is kept, and counts. Keys that came
    /// with it are taken where they open it and its author is known: whoever made them up gains nothing.
    fn take_shown<'a>(
        &mut self,
        tag: RoomTag,
        event: &SignedEvent,
        grants: impl Iterator<Item = &'a EpochGrant>,
    ) {
        let header = event.header();
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        if header.room != tag || header.stream != Stream::MEMBERSHIP || verify_event(event).is_err()
        {
            return;
        }
        let given = grants.filter(|grant| grant.epoch == header.epoch);
        let given: Vec<EpochKeys> = given
            .filter_map(|grant| EpochKeys::from_grant(grant).ok())
            .collect();
        let opened = room.open_membership(event).or_else(|| {
            let body = given.iter().find_map(|keys| open_event(event, keys).ok())?;
            Membership::from_bytes(&body).ok()
        });
        let accepted = |opened: &Membership| room.roster.judge(event, opened) == Judgement::Accept;
        if !opened.as_ref().is_some_and(accepted) {
            return;
        }
        for keys in given {
            self.take_keys(tag, keys);
        }
        // Membership counts at once: the next event of the same proof may depend on it.
        let write = Write::Event(convert::to_row(event, 1));
        self.save_quietly(write, "an act was not saved; it is shown again");
        self.deliver(event.clone(), 1, true);
    }

    /// Leaving is said, so that the others don't wait for somebody who won't come.
    pub(super) fn say_leave(&mut self, tag: RoomTag) -> Option<SignedEvent> {
        let room = self.rooms.get(&tag).filter(|room| room.is_in())?;
        let me = room.me();
        let mut removal = self.removal(tag, me).ok()?;
        // The act itself counts, too.
        removal.cut.membership = removal.cut.membership.next()?;
        let act = Membership::Remove(removal).to_bytes();
        self.seal(tag, Stream::MEMBERSHIP, &act).ok()
    }

    /// When this device comes to know that it was removed it stays able to read what it has.
    pub(super) fn must_be_in(&self, tag: RoomTag) -> Result<(), Error> {
        let room = self.rooms.get(&tag).ok_or(ErrorCode::RoomUnknown)?;
        if room.is_in() {
            Ok(())
        } else {
            Err(ErrorCode::Removed.into())
        }
    }
}

/// Reads what the organiser of a carrier box gave.
fn read_pass(text: &str) -> Result<Pass, Error> {
    let pass = Pass::from_link(text).map_err(|error| match error {
        PassError::NotOurs => ErrorCode::NotAPass,
        PassError::Newer(_) => ErrorCode::CodeNewer,
        _ => ErrorCode::CodeDamaged,
    })?;
    // One with a letter read wrong.
    verify_pass(&pass).map_err(|_| ErrorCode::CodeDamaged)?;
    // Clocks differ, and the box takes a day more or less.
    let yesterday = Day::at(clock::now()).before(1).number();
    if pass.days().all(|day| day < yesterday) {
        return Err(ErrorCode::PassOver.into());
    }
    Ok(pass)
}
