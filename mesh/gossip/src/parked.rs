//! What waits for its author to become a member.
//!
//! Content can overtake the admission of its author. It is kept for a while, bounded per link and
//! per room, and checked again when the room's membership changes. Nothing here has been forwarded,
//! stored or delivered.

use std::collections::{BTreeMap, VecDeque};

use peddlenet_wire::{RoomTag, Timestamp};

use crate::{
    api::PeerId,
    engine::{Due, Engine},
    intake::Arriving,
    limits,
    recent::{elapsed, position_of},
    records::ArrivingRecord,
};

/// An event or a record that waits.
#[derive(Debug)]
pub(crate) enum Waiting {
    Event(Box<Arriving>),
    Record(Box<ArrivingRecord>),
}

impl Waiting {
    fn size(&self) -> usize {
        match self {
            Self::Event(a) => a
                .event
                .header_bytes()
                .len()
                .saturating_add(a.event.body().map_or(0, <[u8]>::len)),
            Self::Record(a) => a
                .record
                .header_bytes()
                .len()
                .saturating_add(a.record.body().len()),
        }
    }

    fn from(&self) -> Option<PeerId> {
        match self {
            Self::Event(a) => a.from.first().copied(),
            Self::Record(a) => a.from.first().copied(),
        }
    }

    fn since(&mut self) -> &mut Option<Timestamp> {
        match self {
            Self::Event(a) => &mut a.parked,
            Self::Record(a) => &mut a.parked,
        }
    }
}

/// Everything that waits in a room, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Parked {
    queue: VecDeque<Waiting>,
    bytes: usize,
    per_link: BTreeMap<PeerId, usize>,
}

impl Parked {
    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Keeps one, unless a bound is reached or it has waited too long.
    pub(crate) fn push(&mut self, mut waiting: Waiting, now: Timestamp) -> bool {
        let since = *waiting.since().get_or_insert(now);
        let (size, from) = (waiting.size(), waiting.from());
        let share = from
            .and_then(|peer| self.per_link.get(&peer))
            .copied()
            .unwrap_or(0);
        let bytes = self.bytes.saturating_add(size);
        if self.queue.len() >= limits::PARKED_MAX
            || share >= limits::PARKED_PER_LINK
            || bytes > limits::PARKED_BYTES
            || elapsed(since, now, limits::PARKED_FOR)
        {
            return false;
        }
        self.bytes = bytes;
        if let Some(peer) = from {
            self.per_link.insert(peer, share.saturating_add(1));
        }
        self.queue.push_back(waiting);
        true
    }

    fn take(&mut self) -> VecDeque<Waiting> {
        self.bytes = 0;
        self.per_link.clear();
        std::mem::take(&mut self.queue)
    }
}

impl Engine {
    /// Many changes in a row (a room's whole membership arrives) cause few retries.
    pub(crate) fn on_membership_changed(&mut self, tag: RoomTag, now: Timestamp) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        if room.parked.len() == 0 || room.retry_armed {
            return;
        }
        if elapsed(room.retried, now, limits::PARKED_RETRY_EVERY) {
            self.retry_parked(tag, now);
        } else {
            room.retry_armed = true;
            self.arm(Due::Retry(tag), now.after(limits::PARKED_RETRY_EVERY));
        }
    }

    pub(crate) fn on_retry_due(&mut self, tag: RoomTag, now: Timestamp) {
        if let Some(room) = self.rooms.get_mut(&tag) {
            room.retry_armed = false;
            self.retry_parked(tag, now);
        }
    }

    fn retry_parked(&mut self, tag: RoomTag, now: Timestamp) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        room.retried = now;
        for waiting in room.parked.take() {
            if self.flights.len() >= limits::FLIGHTS_MAX {
                self.park_again(tag, waiting, now);
                continue;
            }
            match waiting {
                Waiting::Event(arriving) => self.check(tag, *arriving),
                Waiting::Record(arriving) => self.check_record(tag, *arriving),
            }
        }
    }

    /// Lets go of what has waited too long.
    pub(crate) fn expire_parked(&mut self, tag: RoomTag, now: Timestamp) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        for waiting in room.parked.take() {
            self.park_again(tag, waiting, now);
        }
    }

    fn park_again(&mut self, tag: RoomTag, waiting: Waiting, now: Timestamp) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        let position = match &waiting {
            Waiting::Event(arriving) => Some(position_of(&arriving.event)),
            Waiting::Record(_) => None,
        };
        if !room.parked.push(waiting, now)
            && let Some(position) = position
        {
            room.pending.remove(&position);
        }
    }
}
