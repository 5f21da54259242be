//! One broadcast tree per author: who gives me an author's events, and to whom I push them.
//!
//! ```text
//!  first event of an author      unknown origin: pushed over every link            (flood)
//!  the first copy came from P    P is the parent
//!  another copy came from Q      Q is pruned: neither pushes to the other; Q is a way to fall back on
//!  P is gone                     the best other way is grafted at once
//!  a new link                    lazy for known origins: announced, not pushed
//! ```
//!
//! After Plumtree (Leitão, Pereira, Rodrigues 2007), but with state per author: the first copy took
//! the fastest way, so each author's tree is made of shortest paths. This module is the state alone,
//! the engine's sides of it stand in `broadcast` (pushing, duplicates) and `lazy` (announcing, grafting).
//!
//! Costs are milliseconds from the author to a node, as its neighbours claim them. A way is
//! *feasible* when its neighbour is strictly nearer to the author than this node: following feasible
//! ways never leads in a circle (the feasibility condition of DUAL and Babel, RFC 8966 section 2.4).

use std::collections::BTreeMap;

use peddlenet_wire::AuthorId;

use crate::{api::PeerId, limits};

/// Ways beside the parent that are remembered per origin (count).
pub(crate) const WAYS: usize = 3;
/// The cost of an author of whom nothing came yet.
pub(crate) const FAR: u16 = u16::MAX;

/// A link of this room, by a small number. Numbers are used again; origins forget them first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Slot(u8);

impl Slot {
    fn bit(self) -> u64 {
        1u64.checked_shl(u32::from(self.0)).unwrap_or(0)
    }
}

/// A neighbour that has an author's events, too, and what it says they cost there.
#[derive(Debug, Clone, Copy)]
struct Way {
    slot: Slot,
    cost: u16,
}

/// What is known of one author's tree, about 40 bytes.
#[derive(Debug, Clone)]
struct Origin {
    parent: Option<Slot>,
    /// The parent's own cost.
    parent_cost: u16,
    /// What the way to the author costs from here.
    cost: u16,
    ways: [Option<Way>; WAYS],
    /// Links to which nothing of this author is pushed.
    lazy: u64,
    used: u64,
}

/// What to do about a further copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Further {
    /// Tell its sender to stop.
    Prune,
    /// Its sender is the parent now; tell the one before, if any, to stop.
    Adopt(Option<PeerId>),
    /// It came from the parent: a repetition.
    Ignore,
}

/// An author without a parent, and the way to try next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Orphan {
    pub(crate) author: AuthorId,
    pub(crate) next: Option<PeerId>,
}

/// The trees of one room.
#[derive(Debug, Default)]
pub(crate) struct Trees {
    slots: Vec<Option<PeerId>>,
    origins: BTreeMap<AuthorId, Origin>,
    uses: u64,
    /// This device came to a room that had talked before: an author that it does not know has a tree
    /// already, in which it is a leaf. It pushes nothing of such an author until somebody asks.
    pub(crate) latecomer: bool,
    /// Origins that were forgotten because there were too many: each floods once more.
    pub(crate) evicted: u64,
}

impl Trees {
    /// This device's own author: it pushes to everybody who did not ask to be spared.
    pub(crate) fn begin(&mut self, own: AuthorId) {
        self.touch(own).cost = 0;
    }

    /// A link that serves the room from now on; nothing but `own` is pushed there. True for the only one.
    pub(crate) fn join(&mut self, peer: PeerId, own: Option<AuthorId>) -> bool {
        if self.slot(peer).is_some() {
            return false;
        }
        let only = self.slots.iter().all(Option::is_none);
        let free = self.slots.iter().position(Option::is_none);
        let at = match free {
            Some(at) => at,
            None if self.slots.len() < limits::TREE_LINKS_MAX => {
                self.slots.push(None);
                self.slots.len().saturating_sub(1)
            }
            // One link too many: it gets a flood and no tree.
            None => return false,
        };
        if let (Some(place), Ok(number)) = (self.slots.get_mut(at), u8::try_from(at)) {
            *place = Some(peer);
            let bit = Slot(number).bit();
            for (author, origin) in &mut self.origins {
                if own == Some(*author) {
                    origin.lazy &= !bit;
                } else {
                    origin.lazy |= bit;
                }
            }
        }
        only
    }

    /// A link is gone: the authors whose parent it was.
    pub(crate) fn leave(&mut self, peer: PeerId) -> Vec<Orphan> {
        let Some(slot) = self.slot(peer) else {
            return Vec::new();
        };
        if let Some(place) = self.slots.get_mut(usize::from(slot.0)) {
            *place = None;
        }
        let mut orphans = Vec::new();
        for (&author, origin) in &mut self.origins {
            for way in &mut origin.ways {
                way.take_if(|w| w.slot == slot);
            }
            if origin.parent == Some(slot) {
                origin.parent = None;
                let next = origin.best_way().map(|way| way.slot);
                orphans.push((author, next));
            }
        }
        orphans
            .into_iter()
            .map(|(author, next)| Orphan {
                author,
                next: next.and_then(|slot| self.peer(slot)),
            })
            .collect()
    }

    /// An author whose tree is there without this device: a leaf of it.
    pub(crate) fn begin_as_leaf(&mut self, author: AuthorId) {
        self.touch(author).lazy = u64::MAX;
    }

    /// Whether something of this author has come before.
    pub(crate) fn knows(&self, author: AuthorId) -> bool {
        self.origins.contains_key(&author)
    }

    /// The first copy of something came over a link at that cost; the parent's own is named, too.
    pub(crate) fn first(&mut self, author: AuthorId, peer: PeerId, theirs: u16, link: u16) {
        let Some(slot) = self.slot(peer) else {
            return;
        };
        let origin = self.touch(author);
        if let Some(old) = origin.parent.filter(|&old| old != slot) {
            origin.note_way(old, origin.parent_cost);
        }
        origin.adopt(slot, theirs, link);
    }

    /// A further copy came. `prefer` says that this sender is a better parent for other reasons.
    pub(crate) fn further(
        &mut self,
        author: AuthorId,
        peer: PeerId,
        theirs: u16,
        link: u16,
        prefer: bool,
    ) -> Further {
        let Some(slot) = self.slot(peer) else {
            return Further::Ignore;
        };
        let origin = self.touch(author);
        match origin.parent {
            Some(parent) if parent == slot => Further::Ignore,
            Some(_) if !prefer => {
                origin.lazy |= slot.bit();
                origin.note_way(slot, theirs);
                Further::Prune
            }
            old => {
                if let Some(old) = old {
                    origin.lazy |= old.bit();
                    origin.note_way(old, origin.parent_cost);
                }
                origin.adopt(slot, theirs, link);
                Further::Adopt(old.and_then(|old| self.peer(old)))
            }
        }
    }

    /// Nothing of this author is pushed to a neighbour, until it asks.
    pub(crate) fn spare(&mut self, author: AuthorId, peer: PeerId) {
        if let Some(slot) = self.slot(peer) {
            self.touch(author).lazy |= slot.bit();
        }
    }

    /// A neighbour announced something of this author.
    pub(crate) fn announced(&mut self, author: AuthorId, peer: PeerId, theirs: u16) {
        let Some(slot) = self.slot(peer) else {
            return;
        };
        if let Some(origin) = self.origins.get_mut(&author) {
            if origin.parent == Some(slot) {
                origin.parent_cost = theirs;
            } else {
                origin.note_way(slot, theirs);
            }
        }
    }

    /// A neighbour wants no more of this author, and will not push either.
    pub(crate) fn pruned_by(&mut self, author: AuthorId, peer: PeerId) {
        let Some(slot) = self.slot(peer) else {
            return;
        };
        if let Some(origin) = self.origins.get_mut(&author) {
            origin.lazy |= slot.bit();
            if origin.parent == Some(slot) {
                origin.parent = None;
            }
        }
    }

    /// A neighbour wants this author's events.
    pub(crate) fn grafted_by(&mut self, author: AuthorId, peer: PeerId) {
        let Some(slot) = self.slot(peer) else {
            return;
        };
        if let Some(origin) = self.origins.get_mut(&author) {
            origin.lazy &= !slot.bit();
            // Whoever asks me for it does not give it to me.
            origin.parent.take_if(|parent| *parent == slot);
            for way in &mut origin.ways {
                way.take_if(|w| w.slot == slot);
            }
        }
    }

    /// A neighbour wants everybody's events.
    pub(crate) fn grafted_all_by(&mut self, peer: PeerId) {
        if let Some(slot) = self.slot(peer) {
            for origin in self.origins.values_mut() {
                origin.lazy &= !slot.bit();
            }
        }
    }

    /// This device asks a neighbour for an author's events, which makes it the parent. Gives the
    /// parent before, unless there was none.
    pub(crate) fn graft(&mut self, author: AuthorId, peer: PeerId, link: u16) -> Option<PeerId> {
        let slot = self.slot(peer)?;
        let origin = self.touch(author);
        let old = origin.parent.filter(|&old| old != slot);
        let theirs = origin.way(slot).map_or(FAR, |way| way.cost);
        if let Some(old) = old {
            origin.lazy |= old.bit();
            origin.note_way(old, origin.parent_cost);
        }
        origin.adopt(slot, theirs, link);
        old.and_then(|old| self.peer(old))
    }

    /// The neighbour that gives this author's events.
    pub(crate) fn parent(&self, author: AuthorId) -> Option<PeerId> {
        self.peer(self.origins.get(&author)?.parent?)
    }

    /// What the way to an author costs from here.
    pub(crate) fn cost(&self, author: AuthorId) -> u16 {
        self.origins.get(&author).map_or(FAR, |origin| origin.cost)
    }

    /// Authors whose events come from a neighbour, with the best other way of each.
    pub(crate) fn children_of(&self, peer: PeerId) -> Vec<Orphan> {
        let Some(slot) = self.slot(peer) else {
            return Vec::new();
        };
        let of_slot = self
            .origins
            .iter()
            .filter(|(_, o)| o.parent == Some(slot))
            .map(|(&author, origin)| Orphan {
                author,
                next: origin.best_way().and_then(|way| self.peer(way.slot)),
            });
        of_slot.collect()
    }

    /// Whether a link gets an author's events pushed. Of unknown authors it does.
    pub(crate) fn is_eager(&self, author: AuthorId, peer: PeerId) -> bool {
        match (self.origins.get(&author), self.slot(peer)) {
            (Some(origin), Some(slot)) => origin.lazy & slot.bit() == 0,
            _ => true,
        }
    }

    /// Ways back to an author: the parent, then feasible ones by cost.
    pub(crate) fn ways(&self, author: AuthorId) -> Vec<(PeerId, u16)> {
        let Some(origin) = self.origins.get(&author) else {
            return Vec::new();
        };
        let mut others: Vec<Way> = origin
            .ways
            .iter()
            .flatten()
            .filter(|way| way.cost < origin.cost)
            .copied()
            .collect();
        others.sort_by_key(|way| way.cost);
        let parent = origin.parent.map(|slot| Way {
            slot,
            cost: origin.parent_cost,
        });
        parent
            .into_iter()
            .chain(others)
            .filter_map(|way| Some((self.peer(way.slot)?, way.cost)))
            .collect()
    }

    /// The first known author in a range of keys.
    pub(crate) fn author_between(&self, low: AuthorId, high: AuthorId) -> Option<AuthorId> {
        self.origins
            .range(low..=high)
            .next()
            .map(|(&author, _)| author)
    }

    /// Origins that are known (count).
    pub(crate) fn len(&self) -> usize {
        self.origins.len()
    }

    fn slot(&self, peer: PeerId) -> Option<Slot> {
        let at = self.slots.iter().position(|&place| place == Some(peer))?;
        u8::try_from(at).ok().map(Slot)
    }

    fn peer(&self, slot: Slot) -> Option<PeerId> {
        self.slots.get(usize::from(slot.0)).copied().flatten()
    }

    /// The origin, made if need be; the ones not used for longest make place.
    fn touch(&mut self, author: AuthorId) -> &mut Origin {
        self.uses = self.uses.wrapping_add(1);
        if !self.origins.contains_key(&author) && self.origins.len() >= limits::ORIGINS_MAX {
            self.evict();
        }
        let origin = self.origins.entry(author).or_insert(Origin {
            parent: None,
            parent_cost: FAR,
            cost: FAR,
            ways: [None; WAYS],
            lazy: 0,
            used: 0,
        });
        origin.used = self.uses;
        origin
    }

    /// A sixteenth at a time, so that the search for the oldest is rare.
    fn evict(&mut self) {
        let mut uses: Vec<u64> = self.origins.values().map(|o| o.used).collect();
        let nth = uses.len() / 16;
        if nth >= uses.len() {
            return;
        }
        let (_, &mut oldest, _) = uses.select_nth_unstable(nth);
        let before = self.origins.len();
        self.origins.retain(|_, origin| origin.used > oldest);
        let gone = before.saturating_sub(self.origins.len());
        self.evicted = self
            .evicted
            .saturating_add(u64::try_from(gone).unwrap_or(u64::MAX));
    }
}

impl Origin {
    fn adopt(&mut self, slot: Slot, theirs: u16, link: u16) {
        self.parent = Some(slot);
        self.parent_cost = theirs;
        self.cost = theirs.saturating_add(link);
        self.lazy &= !slot.bit();
        for way in &mut self.ways {
            way.take_if(|w| w.slot == slot);
        }
    }

    fn way(&self, slot: Slot) -> Option<Way> {
        self.ways.iter().flatten().find(|w| w.slot == slot).copied()
    }

    /// The cheapest way beside the parent, feasible or not: who grafts it asks, and does not route.
    fn best_way(&self) -> Option<Way> {
        self.ways.iter().flatten().min_by_key(|w| w.cost).copied()
    }

    /// Remembers a way; the dearest one makes place.
    fn note_way(&mut self, slot: Slot, cost: u16) {
        let same = self.ways.iter_mut().flatten().find(|w| w.slot == slot);
        if let Some(way) = same {
            way.cost = cost;
            return;
        }
        let dearest = self
            .ways
            .iter_mut()
            .max_by_key(|way| way.map_or(u32::MAX, |w| u32::from(w.cost)));
        if let Some(place) = dearest
            && place.is_none_or(|old| cost < old.cost)
        {
            *place = Some(Way { slot, cost });
        }
    }
}

#[cfg(test)]
mod tests;
