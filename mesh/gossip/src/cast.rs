//! Passing on: along the author's tree, announced beside it.
//!
//! Events, records and beacons of an author take the same tree; a large first event is announced
//! instead of flooded, and the grafts make the tree. What is new decides who the parent
//! is; what has come before tells which links are one too many. See `trees` for the state.

use peddlenet_wire::{
    AuthorId, Capped, Frame, RoomTag, Seq, SignedEvent, Timestamp, frame,
    tree::{Announced, Prune},
};

use crate::{
    api::{Lane, PeerId},
    engine::{Engine, count},
    graft::event_size,
    limits,
    recent::log_of,
    trees::Further,
};

/// A copy that a neighbour pushed: from whom, and what it cost there.
pub(crate) type Copy = (PeerId, u16);

impl Engine {
    /// Something new of an author came, in these copies: the first one's sender is the parent, the
    /// others are told to stop.
    pub(crate) fn grow_tree(&mut self, tag: RoomTag, author: AuthorId, copies: &[Copy]) {
        let Some(&(first, theirs)) = copies.first() else {
            return;
        };
        let link = self.link_cost(first);
        let Some(room) = self.rooms.get_mut(&tag).filter(|r| r.own != Some(author)) else {
            return;
        };
        room.trees.first(author, first, theirs, link);
        for &copy in copies.iter().skip(1) {
            self.one_too_many(tag, author, copy);
        }
    }

    /// Something that is known already came again, pushed.
    pub(crate) fn one_too_many(&mut self, tag: RoomTag, author: AuthorId, (from, theirs): Copy) {
        if !self.config.controls.prune {
            return;
        }
        let link = self.link_cost(from);
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        let own = room.own == Some(author);
        let parent = room.trees.parent(author);
        let spare = parent.is_some_and(|parent| self.is_choked(parent, tag));
        let prefer = spare && !self.is_choked(from, tag);
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        let tell = if own {
            room.trees.spare(author, from);
            Some(from)
        } else {
            match room.trees.further(author, from, theirs, link, prefer) {
                Further::Prune => Some(from),
                Further::Adopt(old) => old,
                Further::Ignore => None,
            }
        };
        if let Some(peer) = tell {
            self.send_prunes(tag, peer, &[author]);
        }
    }

    /// Tells a neighbour to push no more of these authors.
    pub(crate) fn send_prunes(&mut self, tag: RoomTag, peer: PeerId, authors: &[AuthorId]) {
        if !self.config.controls.prune {
            return;
        }
        for authors in Capped::parts(authors.iter().map(AuthorId::short)) {
            count(&mut self.stats.prunes);
            let room = tag.short();
            self.send(peer, Frame::Prune(Prune { room, authors }), Lane::Ordered);
        }
    }

    /// Passes an event on: pushed along its author's tree, announced to the other neighbours.
    pub(crate) fn cast(
        &mut self,
        tag: RoomTag,
        event: &SignedEvent,
        hops: u8,
        copies: &[Copy],
        now: Timestamp,
    ) {
        let ((author, stream), seq) = (log_of(event), event.header().seq);
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        let own = room.own == Some(author);
        // A flood of something large costs more than the time that asking for it takes.
        let cold = !room.trees.knows(author);
        let large = event_size(event) > limits::LARGE_BYTES;
        let late = room.trees.latecomer && seq > Seq::FIRST;
        if cold && late && !own {
            room.trees.begin_as_leaf(author);
        }
        let offered = cold && (large || (self.overload.on && !own));
        let announcers = self.passed(tag, event, hops, now);
        self.grow_tree(tag, author, copies);
        let shorter = self.shorter_way(tag, author, &announcers);
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        if own {
            room.trees.begin(author);
        }
        let cost = room.cost_of(author);
        if cold && !own {
            self.narrow_flood(tag, author);
        }
        let what = Announced {
            author: author.short(),
            stream,
            seq,
            cost,
        };
        for peer in self.neighbours(tag) {
            let has_it = copies.iter().chain(&announcers).any(|&(p, _)| p == peer);
            if has_it {
                continue;
            }
            if offered && let Some(room) = self.rooms.get_mut(&tag) {
                room.trees.spare(author, peer);
            }
            if self.is_eager(tag, author, peer) {
                let frame = Frame::Event(frame::Event {
                    event: event.clone(),
                    hops,
                    cost,
                });
                self.send(peer, frame, Lane::Ordered);
            } else {
                self.announce_to(tag, peer, what, now);
            }
        }
        if let Some(better) = shorter {
            self.switch(tag, author, better);
        }
    }

    /// The flood of a new author leaves out the dearest links of each node: they are on few shortest
    /// paths, and hear of it all the same.
    pub(crate) fn narrow_flood(&mut self, tag: RoomTag, author: AuthorId) {
        let mut peers = self.neighbours(tag);
        peers.sort_by_key(|&peer| (self.link_cost(peer), peer));
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        let parent = room.trees.parent(author);
        let others = peers.into_iter().filter(|&peer| Some(peer) != parent);
        for peer in others.skip(limits::FLOOD_FANOUT) {
            room.trees.spare(author, peer);
        }
    }

    /// The neighbours that get something of an author pushed, but for those.
    pub(crate) fn eager(&self, tag: RoomTag, author: AuthorId, except: &[PeerId]) -> Vec<PeerId> {
        let mut peers = self.neighbours(tag);
        peers.retain(|&peer| !except.contains(&peer) && self.is_eager(tag, author, peer));
        peers
    }

    /// Where to send something that is for one member, with what the way costs from here: to itself if
    /// it is a neighbour, then over its tree's parent, then over feasible ways, the cheapest first.
    pub(crate) fn route_to(&self, tag: RoomTag, author: AuthorId) -> Vec<(PeerId, u32)> {
        let itself = self.links.iter().filter(|(_, link)| !link.dropped);
        let itself = itself
            .filter(|(_, link)| link.rooms.get(&tag).is_some_and(|s| s.author == author))
            .map(|(&peer, _)| (peer, 0));
        let mut ways: Vec<(PeerId, u32)> = itself
            .chain(
                self.rooms
                    .get(&tag)
                    .map_or(Vec::new(), |r| r.trees.ways(author)),
            )
            .map(|(peer, cost)| (peer, self.over(peer, cost)))
            .collect();
        let mut seen = std::collections::BTreeSet::new();
        ways.retain(|&(peer, _)| seen.insert(peer));
        ways
    }

    /// This device came to a room that had talked before. A neighbour is asked for everything, once.
    pub(crate) fn came_late(&mut self, tag: RoomTag, from: PeerId) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        if !std::mem::replace(&mut room.trees.latecomer, true) {
            self.graft_all(tag, from);
        }
    }

    fn is_eager(&self, tag: RoomTag, author: AuthorId, peer: PeerId) -> bool {
        let room = self.rooms.get(&tag);
        room.is_none_or(|room| room.trees.is_eager(author, peer))
    }

    /// A neighbour that announced an event before the parent's copy came, and is nearer to its author
    /// by more than the hysteresis.
    fn shorter_way(&self, tag: RoomTag, author: AuthorId, announcers: &[Copy]) -> Option<PeerId> {
        let trees = &self.rooms.get(&tag)?.trees;
        let parent = trees.parent(author)?;
        let cost = trees.cost(author);
        let margin = cost
            .checked_mul(limits::SWITCH_PERCENT)
            .map_or(cost, |percents| percents / 100)
            .max(limits::SWITCH_MS);
        announcers
            .iter()
            .filter(|&&(peer, _)| peer != parent && !self.is_choked(peer, tag))
            .map(|&(peer, theirs)| (self.over(peer, theirs), peer))
            .min()
            .filter(|&(over, _)| over.saturating_add(u32::from(margin)) < u32::from(cost))
            .map(|(_, peer)| peer)
    }

    /// Takes an author's events over a shorter way from now on.
    fn switch(&mut self, tag: RoomTag, author: AuthorId, better: PeerId) {
        let link = self.link_cost(better);
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        let old = room.trees.graft(author, better, link);
        let line = self.graft_line(tag, author);
        count(&mut self.stats.grafts);
        self.send_grafts(tag, std::iter::once((better, vec![line])).collect());
        if let Some(old) = old {
            self.send_prunes(tag, old, &[author]);
        }
    }
}
