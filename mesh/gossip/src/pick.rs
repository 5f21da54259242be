//! What to ask a side for next: membership, then the newest page, then backwards.
//!
//! Membership decides whose content is accepted, so all of it comes first, oldest first. A device
//! that holds no content then asks for the newest page. The rest follows in chunks: of all logs the
//! one whose missing stretch ends latest (by the clock of the event above it).

use std::collections::BTreeMap;

use peddlenet_wire::{Hlc, RoomTag, Seq, Stream};

use crate::{
    api::PeerId,
    engine::Engine,
    limits,
    links::Side,
    ranges::Ranges,
    recent::LogKey,
    room::{Page, Room},
};

type Offers = BTreeMap<LogKey, Ranges>;

/// The next want for one side.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Choice {
    /// The newest content of all authors.
    Page,
    /// A place where this side names another event.
    Odd(LogKey, Seq),
    /// Part of one log.
    Range(LogKey, Seq, Seq),
}

impl Engine {
    pub(crate) fn pick(&mut self, tag: RoomTag, peer: PeerId) -> Option<Choice> {
        let total = self.wanted_everywhere();
        let membership_under_way = self.membership_under_way(tag, peer);
        let better = self.offered_by_better(tag, peer);
        let room = self.rooms.get_mut(&tag)?;
        let side = self
            .links
            .get_mut(&peer)
            .filter(|link| !link.dropped)?
            .rooms
            .get_mut(&tag)?;
        if side.distrusted.is_some() || (side.offers.is_empty() && side.odd.is_empty()) {
            return None;
        }
        let budget = limits::WANTED_PER_SIDE
            .saturating_sub(side.wanted())
            .min(limits::WANTED_MAX.saturating_sub(total));
        if side.wants.len() >= limits::WANTS_PER_SIDE
            || budget == 0
            || self.flights.len() >= limits::FLIGHTS_SOFT
        {
            room.starved = true;
            return None;
        }
        if let Some(&(log, seq)) = side.odd.first() {
            return Some(Choice::Odd(log, seq));
        }
        trim(room, side);
        let chunk = budget.min(limits::CHUNK);
        if let Some(choice) = membership(room, side, &better, chunk) {
            return Some(choice);
        }
        if membership_under_way || room.membership_checks > 0 {
            return None;
        }
        let content = content(room, side, &better, chunk)?;
        if room.page == Page::Needed && room.holds_a_page() {
            room.page = Page::Done;
        }
        match room.page {
            Page::Needed => Some(Choice::Page),
            Page::Asked => None,
            Page::Done => Some(content),
        }
    }

    pub(crate) fn wanted_everywhere(&self) -> u64 {
        let sides = self.links.values().flat_map(|link| link.rooms.values());
        sides.fold(0, |sum: u64, side| sum.saturating_add(side.wanted()))
    }

    /// What others offer that keep their word, when this side did not: it is asked only for the rest.
    fn offered_by_better(&self, tag: RoomTag, peer: PeerId) -> Offers {
        let mut better = Offers::new();
        let mut sides: Vec<&Side> = Vec::new();
        let mut struck = false;
        for (&other, link) in self.links.iter().filter(|(_, link)| !link.dropped) {
            match link.rooms.get(&tag) {
                Some(side) if other == peer => struck = side.strikes > 0,
                Some(side) if side.strikes == 0 => sides.push(side),
                _ => {}
            }
        }
        for side in sides.into_iter().filter(|_| struck) {
            for (&log, ranges) in &side.offers {
                let all = better.entry(log).or_default();
                ranges
                    .iter()
                    .for_each(|(from, to)| all.insert_range(from, to));
            }
        }
        better
    }

    /// Whether membership is on its way, from this side or from one that keeps its word: a silent
    /// neighbour does not hold up the others twice.
    fn membership_under_way(&self, tag: RoomTag, peer: PeerId) -> bool {
        self.links.iter().any(|(&other, link)| {
            link.rooms.get(&tag).is_some_and(|side| {
                (other == peer || side.strikes == 0)
                    && side.wants.values().any(|want| want.is_membership())
            })
        })
    }
}

/// What of an offer is worth asking for: not held, not asked of anybody, not being checked, and not
/// to be had from a better side.
fn missing(room: &Room, better: &Offers, log: LogKey, offer: &Ranges) -> Ranges {
    let mut missing = offer.clone();
    let elsewhere = [room.wanted.get(&log), better.get(&log)];
    for others in elsewhere.into_iter().flatten() {
        missing.subtract(others);
    }
    if !missing.is_empty() {
        room.pending_in(log).for_each(|seq| missing.remove(seq));
    }
    missing
}

/// Forgets offers of what is held by now.
fn trim(room: &Room, side: &mut Side) {
    side.trim(|log, ranges| room.trim(log, ranges));
}

fn membership(room: &Room, side: &Side, better: &Offers, chunk: u64) -> Option<Choice> {
    side.offers
        .iter()
        .filter(|((_, stream), _)| *stream == Stream::MEMBERSHIP)
        .find_map(|(&log, offer)| {
            let lacking = missing(room, better, log, offer);
            let (from, to) = lacking.bottom(chunk)?;
            Some(Choice::Range(log, from, to))
        })
}

fn content(room: &Room, side: &Side, better: &Offers, chunk: u64) -> Option<Choice> {
    let mut best: Option<(Hlc, Choice)> = None;
    for (&log, offer) in &side.offers {
        if log.1 == Stream::MEMBERSHIP {
            continue;
        }
        let lacking = missing(room, better, log, offer);
        let Some((from, to)) = lacking.top(chunk) else {
            continue;
        };
        let above = to.next().and_then(|seq| room.recent.at(log, seq));
        let clock = above.and_then(|(_, known)| known.clock).unwrap_or_default();
        if best.is_none_or(|(newest, _)| clock > newest) {
            best = Some((clock, Choice::Range(log, from, to)));
        }
    }
    best.map(|(_, choice)| choice)
}
