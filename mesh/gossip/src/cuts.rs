//! Logs that end before their last event: what a removed member said beyond where it was cut.
//!
//! Devices learn of a removal at different times, and one that took more of the log before must come to
//! the same heads as one that did not. So a cut hides: what lies beyond it is neither told, nor given,
//! nor taken, nor part of any digest, while the store may hold it. Cuts follow from who belongs, which
//! every device folds anew as acts arrive; one that is raised or lifted shows what it hid.

use std::collections::BTreeMap;

use peddlenet_wire::{AuthorId, EventHash, RoomTag, Seq, Stream, Timestamp};

use crate::{
    engine::Engine,
    ranges::Ranges,
    recent::LogKey,
    room::{Log, Room},
};

/// Where logs end, and what is held beyond.
#[derive(Debug, Default)]
pub(crate) struct Cuts {
    ends: BTreeMap<LogKey, (Seq, EventHash)>,
    hidden: BTreeMap<LogKey, Hidden>,
}

#[derive(Debug, Default)]
struct Hidden {
    held: Ranges,
    /// The highest event of the log before it was cut.
    head: Option<(Seq, EventHash)>,
}

impl Cuts {
    /// The last place of a log that counts; `None` where it wasn't cut.
    pub(crate) fn end(&self, log: LogKey) -> Option<Seq> {
        self.ends.get(&log).map(|(seq, _)| *seq)
    }

    /// An event became durable beyond a cut that came meanwhile. False where there is none.
    pub(crate) fn hide(&mut self, log: LogKey, seq: Seq, hash: EventHash) -> bool {
        let beyond = self.end(log).is_some_and(|end| seq > end);
        if beyond {
            let hidden = self.hidden.entry(log).or_default();
            hidden.held.insert(seq);
            hidden.head = hidden.head.max(Some((seq, hash)));
        }
        beyond
    }
}

impl Room {
    fn set_cuts(&mut self, new: BTreeMap<LogKey, (Seq, EventHash)>) {
        let old = std::mem::replace(&mut self.cuts.ends, new);
        let mut moved: Vec<LogKey> = old.keys().copied().collect();
        moved.extend(self.cuts.ends.keys().copied());
        moved.sort_unstable();
        moved.dedup();
        moved.retain(|log| old.get(log) != self.cuts.ends.get(log));
        for key in moved {
            let hidden = self.cuts.hidden.remove(&key).unwrap_or_default();
            let cut = self.cuts.ends.get(&key).copied();
            let Some(log) = self.logs.get_mut(&key) else {
                continue;
            };
            for (from, to) in hidden.held.iter() {
                log.stored.insert_range(from, to);
                log.got.insert_range(from, to);
            }
            log.head = log.head.max(hidden.head);
            if let Some(cut) = cut {
                let hidden = cut_off(log, cut, |seq| self.recent.at(key, seq).map(|(h, _)| h));
                if !hidden.held.is_empty() {
                    self.cuts.hidden.insert(key, hidden);
                }
            }
            self.touch(key);
        }
    }
}

/// Takes out of a log what lies beyond a cut, and gives it.
fn cut_off(
    log: &mut Log,
    (end, hash): (Seq, EventHash),
    hash_at: impl Fn(Seq) -> Option<EventHash>,
) -> Hidden {
    let Some(next) = end.next() else {
        return Hidden::default();
    };
    let mut hidden = Hidden {
        held: log.stored.clone(),
        head: log.head,
    };
    hidden.held.remove_range(Seq(0), end);
    log.stored.remove_range(next, Seq(u64::MAX));
    log.got.remove_range(next, Seq(u64::MAX));
    if log.head.is_some_and(|(top, _)| top > end) {
        // Below the cut there may be less than it allows; what stands there is told once it is known.
        log.head = log.stored.last().map(|top| {
            let at_cut = (top == end).then_some(hash);
            (
                top,
                at_cut.or_else(|| hash_at(top)).unwrap_or(EventHash::ZERO),
            )
        });
    }
    hidden
}

impl Engine {
    /// See [`Input::Cuts`](crate::Input::Cuts).
    pub(crate) fn on_cuts(
        &mut self,
        tag: RoomTag,
        cuts: Vec<(AuthorId, Stream, Seq, EventHash)>,
        now: Timestamp,
    ) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        let cuts = cuts
            .into_iter()
            .map(|(author, stream, seq, hash)| ((author, stream), (seq, hash)));
        room.set_cuts(cuts.collect());
        self.pump_soon(tag, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: LogKey = (AuthorId([1; 32]), Stream::CONTENT);

    fn hash(n: u64) -> EventHash {
        EventHash([u8::try_from(n).unwrap(); 32])
    }

    fn room(upto: u64) -> Room {
        let mut room = Room::open(Vec::new(), Vec::new(), Timestamp(0));
        (1..=upto).for_each(|n| room.store((LOG, Seq(n), hash(n)), None));
        room
    }

    fn cut(at: u64) -> BTreeMap<LogKey, (Seq, EventHash)> {
        BTreeMap::from([(LOG, (Seq(at), hash(at)))])
    }

    #[test]
    fn whoever_held_more_comes_to_the_same_digest() {
        let (mut long, short) = (room(9), room(5));
        long.set_cuts(cut(5));
        assert_eq!(long.heads(), short.heads());
        assert_eq!(long.compute_digest(), short.compute_digest());
        assert!(!long.has_space(LOG, Seq(6), false));
        // An event that was on its way to the disk when the cut came.
        long.store((LOG, Seq(10), hash(10)), None);
        assert_eq!(long.heads(), short.heads());
    }

    #[test]
    fn a_cut_that_is_raised_or_lifted_shows_what_it_hid() {
        let mut one = room(9);
        one.set_cuts(cut(3));
        one.set_cuts(cut(7));
        assert_eq!(one.heads(), room(7).heads());
        one.set_cuts(BTreeMap::new());
        assert_eq!(one.heads(), room(9).heads());
        assert!(one.has_space(LOG, Seq(10), false));
    }

    #[test]
    fn of_a_log_that_counts_for_nothing_nothing_is_told() {
        let mut one = room(4);
        one.set_cuts(BTreeMap::from([(LOG, (Seq(0), EventHash::ZERO))]));
        assert_eq!(one.heads(), []);
        one.set_cuts(cut(9));
        assert_eq!(one.heads(), room(4).heads());
    }
}
