//! What this device leaves with one server that keeps sealed copies, and asks it for: queues and what is under way.
//! See [`carry`](super::carry).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use peddlenet_crypto::{CarryKey, Day, MeetingTag};
use peddlenet_wire::{EpochId, RoomTag, SignedEvent, Timestamp};

/// After a refusal nothing is left for so long.
const REFUSED_FOR: Duration = Duration::from_secs(5);
/// Tags that are to be asked for (count).
const FETCHES_MAX: usize = 512;
/// Events that wait to be left with one server (count); the oldest are let go.
const QUEUE_MAX: usize = 512;

/// Where parcels lie: a room's, of one epoch and day.
pub(super) type Place = (RoomTag, EpochId, Day);

/// What this device leaves with one server, and asks it for.
#[derive(Default)]
pub(super) struct Carrier {
    /// It takes parcels.
    pub(super) offered: bool,
    pub(super) queue: VecDeque<SignedEvent>,
    /// The one that it is about to keep, and since when. No longer in the queue.
    pub(super) putting: Option<(SignedEvent, Timestamp)>,
    pub(super) rest_until: Timestamp,
    pub(super) fetches: VecDeque<Place>,
    pub(super) fetching: Option<Fetch>,
    /// The last parcel seen on each tag.
    pub(super) seen: BTreeMap<MeetingTag, u64>,
    /// Epochs whose parcels were asked for since it was connected.
    pub(super) asked: BTreeSet<EpochId>,
    /// Rooms whose events of the past were looked through.
    pub(super) looked: BTreeSet<RoomTag>,
    /// Rooms, epochs or decisions changed since the plan was made.
    pub(super) stale: bool,
    /// It does not take the pass: its organiser's clock or key is another, or this device's clock. The open pool may do.
    pub(super) without_pass: bool,
    pub(super) alone_at: Timestamp,
}

/// A question under way.
pub(super) struct Fetch {
    pub(super) place: Place,
    pub(super) key: CarryKey,
    pub(super) since: Timestamp,
}

impl Carrier {
    pub(super) fn offered(&mut self, backup: bool) {
        self.offered = backup;
        self.stale = true;
    }

    /// Rooms or epochs changed.
    pub(super) fn plan_anew(&mut self) {
        self.stale = true;
    }

    /// The connection is gone: what was under way is done again.
    pub(super) fn is_gone(&mut self) {
        self.offered = false;
        self.without_pass = false;
        self.put_back();
        self.asked.clear();
        self.fetches.clear();
        self.fetching = None;
    }

    pub(super) fn refused(&mut self, code: &str, now: Timestamp) {
        match code {
            // That one it will never take.
            "too_large" | "malformed" | "bad_signature" if self.putting.is_some() => {
                self.putting = None;
            }
            "no_backup" => self.offered = false,
            "bad_pass" => self.without_pass = true,
            "rate_limited" | "quota" => self.rest_until = now.after(REFUSED_FOR),
            _ => return,
        }
        self.put_back();
        self.ask_again();
    }

    /// What was to be kept was not: it is the next to be left.
    pub(super) fn put_back(&mut self) {
        if let Some((event, _)) = self.putting.take() {
            self.queue.push_front(event);
        }
    }

    /// A question was not answered: it is the next to be asked.
    pub(super) fn ask_again(&mut self) {
        if let Some(Fetch { place, .. }) = self.fetching.take() {
            self.fetches.push_front(place);
        }
    }

    pub(super) fn holds(&self, event: &SignedEvent) -> bool {
        let putting = self.putting.iter().map(|(event, _)| event);
        let mut all = self.queue.iter().chain(putting);
        all.any(|known| known.hash() == event.hash())
    }

    pub(super) fn push(&mut self, event: SignedEvent) {
        if self.queue.len() >= QUEUE_MAX {
            self.queue.pop_front();
        }
        self.queue.push_back(event);
    }

    pub(super) fn want(&mut self, place: Place) {
        if self.fetches.len() < FETCHES_MAX && !self.fetches.contains(&place) {
            self.fetches.push_back(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use peddlenet_wire::{Stream, event::sha256};

    use super::*;
    use crate::room::made::{TAG, epoch, room};

    fn event(text: &str) -> SignedEvent {
        let now = Timestamp(1_800_000_000_000);
        let sealed = room(1).seal(Stream::CONTENT, text.as_bytes(), sha256(&[]), now);
        sealed.expect("it can be sealed")
    }

    #[test]
    fn what_is_on_its_way_is_no_other_when_the_queue_overflows() {
        let mut carrier = Carrier::default();
        let first = event("first");
        carrier.putting = Some((first.clone(), Timestamp(1)));
        for n in 0..=QUEUE_MAX {
            carrier.push(event(&n.to_string()));
        }
        assert_eq!(carrier.queue.len(), QUEUE_MAX);
        assert!(carrier.holds(&first));
        carrier.refused("rate_limited", Timestamp(2));
        assert_eq!(
            carrier.queue.front().map(SignedEvent::hash),
            Some(first.hash())
        );
        carrier.putting = carrier.queue.pop_front().map(|event| (event, Timestamp(3)));
        carrier.refused("too_large", Timestamp(4));
        assert!(!carrier.holds(&first), "it will never be taken");
    }

    #[test]
    fn where_a_pass_is_refused_the_same_is_left_without_it() {
        let mut carrier = Carrier::default();
        let first = event("first");
        carrier.putting = Some((first.clone(), Timestamp(1)));
        carrier.refused("bad_pass", Timestamp(2));
        assert!(carrier.without_pass && carrier.rest_until <= Timestamp(2));
        assert_eq!(
            carrier.queue.front().map(SignedEvent::hash),
            Some(first.hash())
        );
        carrier.is_gone();
        assert!(!carrier.without_pass, "the next connection is asked again");
    }

    #[test]
    fn a_question_that_was_refused_is_asked_again() {
        let mut carrier = Carrier::default();
        let epoch = epoch();
        let day = Day::at(Timestamp(1));
        let place = (TAG, epoch.id(), day);
        carrier.fetching = Some(Fetch {
            place,
            key: CarryKey::of_members(&epoch, day),
            since: Timestamp(1),
        });
        carrier.refused("malformed", Timestamp(2));
        assert!(carrier.fetching.is_some(), "that was about something else");
        carrier.refused("rate_limited", Timestamp(2));
        assert_eq!(carrier.fetches, [place]);
    }
}
