//! Too many links: which one goes, and how.
//!
//! A link is left in two steps: its other end hears so, with the names of others, and looks for
//! another link at once; a moment later it is dropped. Both ends above their target for a while
//! agree to part. Beyond the cap this end decides, and spares those who have few links.

use std::cmp::Reverse;

use peddlenet_wire::{AuthorId, RoomTag, Timestamp, peers::Peers};

use crate::{
    api::{Action, PeerId, Why},
    engine::Engine,
    limits,
    recent::elapsed,
};

use super::{Ends, rank_of_link};

/// What speaks for keeping a link; the least is given up first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Merit {
    /// Somebody would be left below the floor.
    needed: bool,
    young: bool,
    /// The other end has no more links than it goes for, as far as it said.
    wanted: bool,
    /// One of the four cheapest, of two random ones, of the two with the fewest common neighbours.
    slot: bool,
    links: Reverse<u8>,
    cost: Reverse<u32>,
}

impl Engine {
    /// Closes links beyond the cap; fewer than `CAP_SLACK` beyond it stay open
    /// meanwhile, so that the next one that comes up has a place.
    pub(super) fn make_space(&mut self, now: Timestamp) {
        while self.staying() > self.config.degree.cap {
            let Some(victim) = self.least_needed(now, |_| true) else {
                break;
            };
            self.part_from(victim, now);
        }
        let most = self.config.degree.cap.saturating_add(limits::CAP_SLACK);
        while self.open_links() >= most {
            let leaving = |(&peer, ends): (&PeerId, &Ends)| {
                let open = self.links.get(&peer).is_some_and(|link| !link.dropped);
                Some((ends.leaving?, peer)).filter(|_| open)
            };
            let Some((_, longest)) = self.overlay.links.iter().filter_map(leaving).min() else {
                break;
            };
            self.drop_surplus(longest, now);
        }
    }

    /// Parts from a neighbour if both have had too many links for a while. Asks it first.
    pub(super) fn settle_surplus(&mut self, now: Timestamp) {
        let active = self.config.degree.active;
        if self.standing().count() <= active {
            self.overlay.over_since = None;
            return;
        }
        self.overlay.over_since.get_or_insert(now);
        let asked = self.overlay.parted;
        if !self.is_over(now) || asked.is_some_and(|at| !elapsed(at, now, limits::PART_EVERY)) {
            return;
        }
        let has_many = |ends: &Ends| ends.links.is_some_and(|n| usize::from(n) > active);
        let Some(peer) = self.least_needed(now, has_many) else {
            return;
        };
        if !self.can_spare(peer, now) {
            return;
        }
        self.overlay.parted = Some(now);
        if let Some(room) = self.some_room(peer) {
            let frame = Peers {
                part: true,
                ..self.peers_for(peer, room, now)
            };
            self.send_peers(peer, frame, now);
        }
    }

    /// A neighbour asks whether it may go.
    pub(super) fn consider_parting(&mut self, peer: PeerId, now: Timestamp) {
        let asking = self
            .overlay
            .parted
            .is_some_and(|at| !elapsed(at, now, limits::PART_PENDING));
        let spare = self.standing().count().saturating_sub(usize::from(asking));
        if self.is_over(now) && spare > self.config.degree.active && self.can_spare(peer, now) {
            self.part_from(peer, now);
        }
    }

    /// Says goodbye. The link carries on for a moment, so that both ends can find another one first.
    pub(super) fn part_from(&mut self, peer: PeerId, now: Timestamp) {
        let Some(room) = self.some_room(peer) else {
            return self.drop_surplus(peer, now);
        };
        let frame = Peers {
            closing: true,
            ..self.peers_for(peer, room, now)
        };
        self.send_peers(peer, frame, now);
        if let Some(ends) = self.overlay.links.get_mut(&peer) {
            ends.leaving = Some(now);
        }
    }

    /// Drops links that were said goodbye to, by whichever end.
    pub(super) fn close_leaving(&mut self, now: Timestamp) {
        let is_over = |ends: &Ends| {
            ends.leaving
                .is_some_and(|at| elapsed(at, now, limits::GOODBYE))
        };
        self.close_where(is_over, now);
    }

    /// Drops links over which no room runs that both ends want.
    pub(super) fn close_idle(&mut self, now: Timestamp) {
        for (&peer, ends) in &mut self.overlay.links {
            let rooms = self.links.get(&peer).map(|link| &link.rooms);
            let used = rooms.is_some_and(|on| on.keys().any(|r| self.rooms.contains_key(r)));
            ends.idle = if used { None } else { ends.idle.or(Some(now)) };
        }
        let is_idle = |ends: &Ends| {
            ends.idle
                .is_some_and(|at| elapsed(at, now, limits::IDLE_GRACE))
        };
        self.close_where(is_idle, now);
    }

    /// Two members that dial each other at once may end up with two links: the newer one goes.
    /// Both ends see that, and each waits for a while of its own, so that not both links go.
    pub(super) fn part_from_twins(&mut self, now: Timestamp) {
        let mut seen: Vec<(RoomTag, AuthorId)> = Vec::new();
        let mut twins = Vec::new();
        for (peer, link, ends) in self.standing() {
            let ours: Vec<_> = link.rooms.iter().map(|(&r, s)| (r, s.author)).collect();
            if ours.iter().all(|end| seen.contains(end)) && !ours.is_empty() {
                twins.push((peer, ends.up));
            }
            seen.extend(ours);
        }
        for (peer, up) in twins {
            let own = u32::try_from(rank_of_link(self.config.salt, peer) % 4).unwrap_or(0);
            let patience = limits::TWIN_PATIENCE.saturating_mul(own);
            if elapsed(up, now, limits::TWIN_PATIENCE.saturating_add(patience)) {
                self.part_from(peer, now);
            }
        }
    }

    fn close_where(&mut self, go: impl Fn(&Ends) -> bool, now: Timestamp) {
        let gone: Vec<PeerId> = self
            .overlay
            .links
            .iter()
            .filter(|(peer, ends)| {
                go(ends) && self.links.get(peer).is_some_and(|link| !link.dropped)
            })
            .map(|(&peer, _)| peer)
            .collect();
        for peer in gone {
            self.drop_surplus(peer, now);
        }
    }

    fn drop_surplus(&mut self, peer: PeerId, now: Timestamp) {
        let Some(link) = self.links.get_mut(&peer).filter(|link| !link.dropped) else {
            return;
        };
        link.dropped = true;
        let authors: Vec<_> = link.rooms.iter().map(|(&r, s)| (r, s.author)).collect();
        let why = Why::Surplus;
        self.out.push(Action::Drop { peer, why });
        self.doomed.push(peer);
        for (room, author) in authors {
            self.unlinked(room, author, false, now);
        }
    }

    fn is_over(&self, now: Timestamp) -> bool {
        let since = self.overlay.over_since;
        since.is_some_and(|at| elapsed(at, now, limits::OVER_FOR))
    }

    /// Whether this end does well without a link.
    fn can_spare(&self, peer: PeerId, now: Timestamp) -> bool {
        let old = |ends: &Ends| !ends.is_young(now) && elapsed(ends.up, now, limits::OVER_FOR);
        self.overlay.links.get(&peer).is_some_and(old) && !self.leaves_poor(peer)
    }

    /// Whether a room of this device would be left below its floor without a link.
    fn leaves_poor(&self, peer: PeerId) -> bool {
        self.links.get(&peer).is_some_and(|link| {
            let open = link.rooms.keys().filter(|r| self.rooms.contains_key(r));
            open.copied()
                .any(|room| self.have(room) <= self.config.degree.floor)
        })
    }

    pub(super) fn least_needed(
        &self,
        now: Timestamp,
        may_go: impl Fn(&Ends) -> bool,
    ) -> Option<PeerId> {
        let kept = self.slots();
        let floor = self.config.degree.floor;
        let active = self.config.degree.active;
        self.staying_links()
            .filter(|(_, ends)| may_go(ends))
            .map(|(peer, ends)| {
                let links = ends.links.map(usize::from);
                let merit = Merit {
                    needed: self.leaves_poor(peer) || links.is_some_and(|n| n <= floor),
                    young: ends.is_young(now),
                    wanted: links.is_none_or(|n| n <= active),
                    slot: kept.contains(&peer),
                    links: Reverse(ends.links.unwrap_or(0)),
                    cost: Reverse(self.known_cost(peer)),
                };
                (merit, peer)
            })
            .min()
            .map(|(_, peer)| peer)
    }

    /// The links that are kept for what they are: 4 cheap, 2 random, 2 diverse.
    fn slots(&self) -> Vec<PeerId> {
        let mine: Vec<AuthorId> = self
            .standing()
            .flat_map(|(_, link, _)| link.rooms.values().map(|side| side.author))
            .collect();
        let common = |ends: &Ends| ends.peers.iter().filter(|a| mine.contains(a)).count();
        let mut rest: Vec<(PeerId, &Ends)> = self.standing().map(|(p, _, e)| (p, e)).collect();
        let mut kept = Vec::new();
        rest.sort_by_key(|&(peer, _)| self.known_cost(peer));
        kept.extend(rest.drain(..rest.len().min(limits::SLOTS_CHEAP)));
        rest.sort_by_key(|&(peer, _)| rank_of_link(self.config.salt, peer));
        kept.extend(rest.drain(..rest.len().min(limits::SLOTS_RANDOM)));
        rest.sort_by_key(|(_, ends)| common(ends));
        kept.extend(rest.drain(..rest.len().min(limits::SLOTS_DIVERSE)));
        kept.into_iter().map(|(peer, _)| peer).collect()
    }

    fn staying_links(&self) -> impl Iterator<Item = (PeerId, &Ends)> {
        let open = |peer| self.links.get(peer).is_some_and(|link| !link.dropped);
        self.overlay
            .links
            .iter()
            .filter(move |(peer, ends)| ends.leaving.is_none() && open(peer))
            .map(|(&peer, ends)| (peer, ends))
    }

    fn staying(&self) -> usize {
        self.staying_links().count()
    }

    /// What a link costs, in milliseconds; one that was not measured yet is taken for a poor one.
    pub(super) fn known_cost(&self, peer: PeerId) -> u32 {
        let link = self.links.get(&peer);
        let cost = link.and_then(|link| link.speed.measured());
        cost.map_or(limits::COST_UNKNOWN, u32::from)
    }

    fn open_links(&self) -> usize {
        self.links.values().filter(|link| !link.dropped).count()
    }
}
