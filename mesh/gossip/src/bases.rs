//! Logs that begin after their first event: what a room keeps for a while only.
//!
//! When content grows older than the room keeps it, every device lets go of it by the same rule, at about
//! the same time ([`Input::LetGo`](crate::Input::LetGo)). From then on the log's *base* is the first place
//! that counts. A neighbour that has not let go yet still offers what is below, and is not asked for it;
//! heads and digests agree as soon as both have.
//!
//! ```text
//!   1 .. base-1      base .. head
//!   let go           held, told, given
//! ```

use std::collections::BTreeMap;

use peddlenet_wire::{RoomTag, Seq};

use crate::{engine::Engine, limits, ranges::Ranges, recent::LogKey, room::Room};

/// The first place that counts, of each log of which something was let go.
#[derive(Debug, Default)]
pub(crate) struct Bases(BTreeMap<LogKey, Seq>);

impl Bases {
    /// Whether a place was let go.
    pub(crate) fn covers(&self, log: LogKey, seq: Seq) -> bool {
        self.0.get(&log).is_some_and(|base| seq < *base)
    }

    /// Takes what was let go out of an offer.
    pub(crate) fn trim(&self, log: LogKey, offer: &mut Ranges) {
        if let Some(last) = self.0.get(&log).and_then(|base| base.0.checked_sub(1)) {
            offer.remove_range(Seq(0), Seq(last));
        }
    }

    /// Where a log that has nothing below a place begins.
    pub(crate) fn first(&self, log: LogKey) -> Seq {
        self.0.get(&log).copied().unwrap_or(Seq::FIRST)
    }

    fn raise(&mut self, log: LogKey, base: Seq) -> bool {
        let full = self.0.len() >= limits::LOGS_MAX && !self.0.contains_key(&log);
        let raised = !full && self.first(log) < base;
        if raised {
            self.0.insert(log, base);
        }
        raised
    }
}

impl Room {
    /// Whether nothing is to be had at a place: it is held, or was let go.
    pub(crate) fn is_done_with(&self, log: LogKey, seq: Seq) -> bool {
        self.got(log, seq) || self.bases.covers(log, seq)
    }

    fn let_go(&mut self, key: LogKey, last: Seq) {
        let Some(base) = last.next() else { return };
        if !self.bases.raise(key, base) {
            return;
        }
        if let Some(log) = self.logs.get_mut(&key) {
            log.stored.remove_range(Seq(0), last);
            log.got.remove_range(Seq(0), last);
            self.touch(key);
        }
    }
}

impl Engine {
    pub(crate) fn on_let_go(&mut self, tag: RoomTag, log: LogKey, last: Seq) {
        if let Some(room) = self.rooms.get_mut(&tag) {
            room.let_go(log, last);
        }
    }
}

#[cfg(test)]
mod tests {
    use peddlenet_wire::{AuthorId, EventHash, Stream, Timestamp};

    use super::*;

    const LOG: LogKey = (AuthorId([1; 32]), Stream::CONTENT);

    fn room(upto: u64) -> Room {
        let mut room = Room::open(Vec::new(), Vec::new(), Timestamp(0));
        let hash = |n: u64| EventHash([u8::try_from(n).unwrap(); 32]);
        (1..=upto).for_each(|n| room.store((LOG, Seq(n), hash(n)), None));
        room
    }

    #[test]
    fn who_held_all_of_it_and_who_held_less_come_to_the_same_digest() {
        let (mut one, mut other) = (room(9), room(9));
        one.let_go(LOG, Seq(5));
        assert_ne!(one.compute_digest(), other.compute_digest());
        other.let_go(LOG, Seq(3));
        other.let_go(LOG, Seq(5));
        other.let_go(LOG, Seq(4));
        assert_eq!(one.heads(), other.heads());
        assert_eq!(one.compute_digest(), other.compute_digest());
        assert_eq!(one.summary(), other.summary());
    }

    #[test]
    fn below_the_base_nothing_is_lacking_or_taken() {
        let mut room = room(9);
        room.let_go(LOG, Seq(9));
        assert_eq!(room.heads(), []);
        assert!(room.is_done_with(LOG, Seq(9)) && !room.is_done_with(LOG, Seq(10)));
        assert!(!room.has_space(LOG, Seq(9), false) && room.has_space(LOG, Seq(10), false));
        let mut offer = Ranges::new();
        offer.insert_range(Seq(1), Seq(12));
        room.trim(LOG, &mut offer);
        assert_eq!(offer.iter().collect::<Vec<_>>(), [(Seq(10), Seq(12))]);
        room.let_go(LOG, Seq(u64::MAX));
        assert!(
            room.has_space(LOG, Seq(10), false),
            "the last place of all is none"
        );
    }
}
