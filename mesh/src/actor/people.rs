//! Who belongs to a room and how near they are.

use std::collections::BTreeSet;

use peddlenet_wire::{AuthorId, RoomId, RoomTag};

use super::{Actor, presence::reachable_for};
use crate::{
    api::{Event, Lookalike, Member, Reach, VerifiedAs},
    clock,
    error::Error,
    room::{Heard, Room},
};

/// Members whose marks changed with another's name that are told of at once (count); the list has them all.
const MARKS_TOLD: usize = 8;

impl Actor {
    pub(crate) fn member_list(&mut self, id: RoomId) -> Result<Vec<Member>, Error> {
        let tag = self.tag(id)?;
        if let Some(room) = self.rooms.get_mut(&tag) {
            room.compare_names();
        }
        let room = self.room(id)?;
        Ok(room
            .roster
            .members()
            .filter_map(|author| self.member(room, author))
            .collect())
    }

    fn member(&self, room: &Room, author: AuthorId) -> Option<Member> {
        let entry = room.roster.member(author)?;
        let state = self.reach_of(room, author);
        let heard = room.heard.get(&author).map_or(0, |heard| heard.hops);
        Some(Member {
            author,
            name: entry.name.as_str().to_owned(),
            state,
            hops: match state {
                Reach::Linked if author != room.me() => 1,
                Reach::Reachable => heard.max(2),
                _ => 0,
            },
            role: entry.role,
            since: entry.since,
            me: author == room.me(),
            direct_unread: self.directs.unread(room.tag, author),
            verified: room.trust.verified(author).map(|v| VerifiedAs {
                since: v.since,
                name: v.name.as_str().to_owned(),
            }),
            muted: room.trust.is_muted(author),
            blocked: room.trust.is_blocked(author),
            forked: room.trust.fork(author).is_some(),
            moving: room.is_moving(author),
            lookalike: room.trust.lookalike(author),
            key_changed: room.trust.key_changed(author).is_some(),
        })
    }

    /// Somebody who no longer belongs, for the event that says so.
    pub(super) fn gone_member(&self, tag: RoomTag, author: AuthorId) -> Member {
        let room = self.rooms.get(&tag);
        Member {
            author,
            name: room.map_or_else(String::new, |room| room.name_of(author)),
            state: Reach::Removed,
            hops: 0,
            role: peddlenet_wire::content::Role::Member,
            since: None,
            me: room.is_some_and(|room| room.me() == author),
            direct_unread: 0,
            verified: None,
            muted: false,
            blocked: false,
            forked: room.is_some_and(|room| room.trust.fork(author).is_some()),
            moving: false,
            lookalike: Lookalike::No,
            key_changed: false,
        }
    }

    pub(super) fn reach_of(&self, room: &Room, author: AuthorId) -> Reach {
        if author == room.me() || self.linked_to(room.tag, author) {
            return Reach::Linked;
        }
        match room.heard.get(&author) {
            // What was heard a moment ago says little once there is nobody left to carry it.
            Some(Heard { at: Some(at), .. })
                if clock::now().since(*at) < reachable_for(room.roster.len())
                    && self.neighbours(room.tag) > 0 =>
            {
                Reach::Reachable
            }
            _ => Reach::Away,
        }
    }

    /// Tells of a member, and of those whose marks changed with its name.
    pub(super) fn member_changed(&mut self, tag: RoomTag, author: AuthorId) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        let name = room.roster.member(author).map(|m| m.name.clone());
        let touched = room.trust.note_name(author, &name.unwrap_or_default());
        self.tell_member(tag, author);
        self.tell_marks(tag, touched);
    }

    pub(super) fn tell_marks(&mut self, tag: RoomTag, authors: BTreeSet<AuthorId>) {
        for author in authors.into_iter().take(MARKS_TOLD) {
            self.tell_member(tag, author);
        }
    }

    fn tell_member(&mut self, tag: RoomTag, author: AuthorId) {
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        if let Some(member) = self.member(room, author) {
            self.events.emit(Event::Member {
                room: room.id,
                member,
            });
        }
    }

    /// Tells of a member whose reach has changed since the last look.
    pub(super) fn refresh_reach(&mut self, tag: RoomTag, author: AuthorId) {
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        let reach = self.reach_of(room, author);
        if self.reach.insert((tag, author), reach) != Some(reach) {
            self.member_changed(tag, author);
            self.room_changed(tag);
            if reach != Reach::Away {
                self.direct_is_near(tag, author);
            }
        }
    }

    /// The same for everyone: signs of life grow old without anything happening.
    pub(super) fn refresh_all_reach(&mut self) {
        let known: Vec<_> = self.reach.keys().copied().collect();
        for (tag, author) in known {
            self.refresh_reach(tag, author);
        }
    }
}
