//! Bounded memories: events seen of late with their place in the chain, and hashes refused of late.

use std::collections::{BTreeMap, VecDeque};

use peddlenet_wire::{AuthorId, EventHash, Hlc, Seq, SignedEvent, Stream, Timestamp};

use crate::limits;

/// Which log of a room.
pub(crate) type LogKey = (AuthorId, Stream);
/// Which event of a room; two hashes at one place are a fork.
pub(crate) type Position = (LogKey, Seq, EventHash);

/// The log that an event belongs to.
pub(crate) fn log_of(event: &SignedEvent) -> LogKey {
    (event.header().author, event.header().stream)
}

/// Where an event stands.
pub(crate) fn position_of(event: &SignedEvent) -> Position {
    (log_of(event), event.header().seq, event.hash())
}

/// What is remembered of an accepted event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// The event before it; `None` for a head that the store told.
    pub(crate) previous: Option<EventHash>,
    /// Its clock, if known.
    pub(crate) clock: Option<Hlc>,
    /// False after a commit failed: take it again, but don't deliver it again.
    pub(crate) saved: bool,
}

impl Known {
    pub(crate) fn of(event: &SignedEvent) -> Self {
        Self {
            previous: Some(event.header().previous),
            clock: Some(event.header().clock),
            saved: true,
        }
    }
}

/// The newest [`limits::RECENT_MAX`] accepted events, first in first out.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    known: BTreeMap<Position, Known>,
    order: VecDeque<Position>,
}

impl Recent {
    pub(crate) fn event(&self, position: &Position) -> Option<&Known> {
        self.known.get(position)
    }

    /// Any event at a place, with its hash.
    pub(crate) fn at(&self, log: LogKey, seq: Seq) -> Option<(EventHash, &Known)> {
        self.all_at(log, seq).next()
    }

    fn all_at(&self, log: LogKey, seq: Seq) -> impl Iterator<Item = (EventHash, &Known)> {
        let places = (log, seq, EventHash::ZERO)..=(log, seq, EventHash([0xff; 32]));
        self.known.range(places).map(|(p, known)| (p.2, known))
    }

    /// Whether an event and its neighbours in the chain, as far as they are remembered, name each
    /// other. If not: where the chain parts, and two events that both claim that place.
    pub(crate) fn clash(&self, event: &SignedEvent) -> Option<(Seq, [EventHash; 2])> {
        let (log, seq, previous) = (log_of(event), event.header().seq, event.header().previous);
        if let Some(below) = seq.0.checked_sub(1).map(Seq)
            && let Some((other, _)) = self.at(log, below)
            && self.all_at(log, below).all(|(hash, _)| hash != previous)
        {
            return Some((below, [other, previous]));
        }
        let mut above = self
            .all_at(log, seq.next()?)
            .filter_map(|(_, known)| known.previous);
        let named = above.next()?;
        (named != event.hash() && above.all(|hash| hash != event.hash()))
            .then_some((seq, [event.hash(), named]))
    }

    pub(crate) fn insert(&mut self, position: Position, known: Known) {
        if self.known.insert(position, known).is_none() {
            self.order.push_back(position);
        }
        while self.order.len() > limits::RECENT_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }

    pub(crate) fn set_saved(&mut self, position: &Position, saved: bool) {
        if let Some(known) = self.known.get_mut(position) {
            known.saved = saved;
        }
    }
}

/// Hashes of events whose check failed; each for [`limits::REFUSED_FOR`].
#[derive(Debug, Default)]
pub(crate) struct Refused {
    since: BTreeMap<EventHash, Timestamp>,
    order: VecDeque<EventHash>,
}

impl Refused {
    pub(crate) fn contains(&self, hash: EventHash, now: Timestamp) -> bool {
        self.since
            .get(&hash)
            .is_some_and(|&since| !elapsed(since, now, limits::REFUSED_FOR))
    }

    pub(crate) fn insert(&mut self, hash: EventHash, now: Timestamp) {
        if self.since.insert(hash, now).is_none() {
            self.order.push_back(hash);
        }
        while self.order.len() > limits::REFUSED_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.since.remove(&oldest);
            }
        }
    }
}

/// Whether a span has passed. A clock that jumped back counts as passed: waiting for it to catch
/// up could take hours.
pub(crate) fn elapsed(since: Timestamp, now: Timestamp, span: std::time::Duration) -> bool {
    now < since || now.since(since) >= span
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(n: u64) -> Position {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&n.to_be_bytes());
        (
            (AuthorId([1; 32]), Stream::CONTENT),
            Seq(n),
            EventHash(hash),
        )
    }

    #[test]
    fn the_oldest_events_are_forgotten_at_the_bound() {
        let mut recent = Recent::default();
        let known = Known {
            previous: None,
            clock: None,
            saved: true,
        };
        for n in 0..=limits::RECENT_MAX as u64 {
            recent.insert(position(n), known);
        }
        assert!(recent.event(&position(0)).is_none());
        assert!(recent.at(position(1).0, Seq(1)).is_some());
        assert_eq!(recent.known.len(), limits::RECENT_MAX);
        assert_eq!(recent.order.len(), limits::RECENT_MAX);
    }

    #[test]
    fn a_refusal_ends() {
        let mut refused = Refused::default();
        let hash = position(1).2;
        refused.insert(hash, Timestamp(1_000));
        assert!(refused.contains(hash, Timestamp(2_000)));
        assert!(!refused.contains(hash, Timestamp(61_000)));
        // A clock that jumped back does not make it eternal.
        assert!(!refused.contains(hash, Timestamp(0)));
    }

    #[test]
    fn refusals_are_bounded() {
        let mut refused = Refused::default();
        for n in 0..2 * limits::REFUSED_MAX as u64 {
            refused.insert(position(n).2, Timestamp(0));
        }
        assert_eq!(refused.since.len(), limits::REFUSED_MAX);
    }
}
