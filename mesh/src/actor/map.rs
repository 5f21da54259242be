//! A room as a picture of a mesh: its people, the links that this device has, and those that its
//! neighbours say they have.

use std::{collections::BTreeSet, time::Duration};

use peddlenet_gossip::PeerId;
use peddlenet_wire::{AuthorId, RoomTag};

use super::Actor;
use crate::{
    api::{MapLink, Message, NetworkMap, OnMap, Path, Reach, RoomId},
    clock,
    error::Error,
};

impl Actor {
    pub(crate) fn network_map(&mut self, id: RoomId) -> Result<NetworkMap, Error> {
        let members = self.member_list(id)?;
        let room = self.room(id)?;
        let tag = room.tag;
        let person = |member: crate::api::Member| {
            let link = self.link_to(tag, member.author);
            OnMap {
                author: member.author,
                name: member.name,
                me: member.me,
                state: member.state,
                hops: match member.state {
                    Reach::Away => None,
                    Reach::Linked => Some(u8::from(!member.me)),
                    _ => Some(member.hops.max(1)),
                },
                rtt: link.and_then(|link| link.sender.srtt()),
                loss_percent: link.and_then(|link| link.sender.loss_percent()),
                via: link.map(|link| link.via),
            }
        };
        let people: Vec<_> = members.into_iter().map(person).collect();
        let here: BTreeSet<_> = people
            .iter()
            .filter(|p| p.state != Reach::Away)
            .map(|p| p.author)
            .collect();
        let mut links = Vec::new();
        let mut pairs = BTreeSet::new();
        let neighbourhood = self.engine.neighbourhood(tag);
        for (neighbour, _) in &neighbourhood {
            if pairs.insert(pair(room.me(), *neighbour)) {
                let link = self.link_to(tag, *neighbour);
                links.push(MapLink {
                    a: room.me(),
                    b: *neighbour,
                    rtt: link.and_then(|link| link.sender.srtt()),
                    loss_percent: link.and_then(|link| link.sender.loss_percent()),
                    via: link.map(|link| link.via),
                });
            }
        }
        for (neighbour, linked) in neighbourhood {
            for other in linked.into_iter().filter(|other| here.contains(other)) {
                if pairs.insert(pair(neighbour, other)) {
                    links.push(MapLink {
                        a: neighbour,
                        b: other,
                        rtt: None,
                        loss_percent: None,
                        via: None,
                    });
                }
            }
        }
        let path = self.paths.get(&tag).copied();
        Ok(NetworkMap {
            people,
            links,
            path,
        })
    }

    /// A message of somebody else came: which way?
    pub(super) fn note_path(&mut self, tag: RoomTag, message: &Message, hops: u8) {
        if message.mine {
            return;
        }
        let author = message.author;
        let by = match self.linked_to(tag, author) {
            true if hops <= 1 => Some(author),
            _ => self.engine.parent(tag, author),
        };
        let path = Path {
            message: message.id,
            author,
            by,
            hops,
            at: clock::now(),
        };
        self.paths.insert(tag, path);
    }

    /// The names of whoever is at the other end of a link, and since when it is up.
    pub(super) fn whose_link(&self, peer: u64) -> (Vec<String>, Duration) {
        let Some(link) = self.links.get(&PeerId(peer)) else {
            return Default::default();
        };
        let name = |(tag, opening): (&RoomTag, &super::opening::Opening)| {
            let room = self.rooms.get(tag)?;
            Some(room.name_of(opening.author()?))
        };
        let names: BTreeSet<_> = link.rooms.iter().filter_map(name).collect();
        (names.into_iter().collect(), link.since.elapsed())
    }
}

/// Two ends, whichever is named first.
fn pair(a: AuthorId, b: AuthorId) -> (AuthorId, AuthorId) {
    (a.min(b), a.max(b))
}
