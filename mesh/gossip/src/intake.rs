//! Events on their way in: which are worth a check.
//!
//! ```text
//!  known by hash, or being checked, or parked    a duplicate: remember where else it came from
//!  refused of late, no body, no space            let go
//!  too many unasked ones over this link, or      let go, and asked for at this device's own pace
//!  of this author (see [`pace`](crate::pace))
//!  its place is taken                            compared with the store: the same, or another branch?
//!  everything else                               checked
//! ```

use peddlenet_wire::{EventHash, RoomTag, Seq, SignedEvent, Stream, Timestamp, frame};

use crate::{
    api::{Action, Item, PeerId, Query, Why},
    cast::Copy,
    engine::{Asked, Engine, Flight, count},
    limits,
    recent::{Known, LogKey, Position, log_of, position_of},
};

/// The name of no link: whoever drives the engine counts links from below.
const NO_LINK: PeerId = PeerId(u64::MAX);

/// An event between its arrival and the answer to its check.
#[derive(Debug)]
pub(crate) struct Arriving {
    pub(crate) event: SignedEvent,
    /// The copies that were pushed, in the order in which they came.
    pub(crate) copies: Vec<Copy>,
    /// Links it crossed, the last one included.
    pub(crate) hops: u8,
    /// Pushed, so it is pushed on.
    pub(crate) live: bool,
    /// Asked for, so it is not counted against the link's quota.
    pub(crate) wanted: bool,
    /// The links it came over, the first one first. It is not sent back there.
    pub(crate) from: Vec<PeerId>,
    /// Another event that is held at its place.
    pub(crate) rival: Option<EventHash>,
    /// Since when it waits for its author's admission.
    pub(crate) parked: Option<Timestamp>,
}

impl Engine {
    pub(crate) fn on_event(&mut self, from: PeerId, frame: frame::Event, now: Timestamp) {
        let arriving = Arriving {
            event: frame.event,
            copies: vec![(from, frame.cost)],
            hops: frame.hops.saturating_add(1),
            live: true,
            wanted: false,
            from: vec![from],
            rival: None,
            parked: None,
        };
        self.intake(from, arriving, now);
    }

    /// An event that a member left with a carrier. Nobody's link is to blame for it.
    pub(crate) fn import(&mut self, event: SignedEvent, now: Timestamp) {
        let arriving = Arriving {
            event,
            copies: Vec::new(),
            hops: 1,
            live: true,
            wanted: true,
            from: Vec::new(),
            rival: None,
            parked: None,
        };
        self.intake(NO_LINK, arriving, now);
    }

    /// Decides whether an event is worth a check. True when its place is no longer missing: it is
    /// held, or its check is under way.
    pub(crate) fn intake(&mut self, from: PeerId, arriving: Arriving, now: Timestamp) -> bool {
        let position = position_of(&arriving.event);
        let (log, seq, hash) = position;
        let tag = arriving.event.header().room;
        let Some(room) = self.rooms.get_mut(&tag) else {
            return false;
        };
        if arriving.event.body().is_none() {
            // Nothing deletes bodies yet: a relay took it off, and the event is to be had whole.
            self.blame(from, Why::Stripped, now);
            return false;
        }
        let held = room.logs.get(&log).filter(|l| l.got.contains(seq));
        let is_stored = held.is_some_and(|l| l.stored.contains(seq));
        // On its way to the store and forgotten before it got there: only own events come in such masses.
        let in_between = held.is_some() && !is_stored && room.recent.at(log, seq).is_none();
        let known = in_between
            || room.recent.event(&position).is_some_and(|k| k.saved)
            || held.is_some_and(|l| l.forks.contains(&hash) || l.head == Some((seq, hash)));
        if known || room.pending.contains(&position) {
            count(&mut self.stats.duplicates);
            if let Some(Flight::Check(_, first)) = room
                .verifying
                .get(&hash)
                .and_then(|ticket| self.flights.get_mut(ticket))
                && !first.from.contains(&from)
            {
                first.from.push(from);
                first.live |= arriving.live;
                first.copies.extend(arriving.copies);
            } else if known {
                for copy in arriving.copies {
                    self.one_too_many(tag, log.0, copy);
                }
            }
            return true;
        }
        if room.refused.contains(hash, now) {
            count(&mut self.stats.duplicates);
            return false;
        }
        let forks_full = held.is_some_and(|l| l.forks.len() >= limits::BRANCH_MAX);
        let is_held = held.is_some();
        if forks_full
            || !room.has_space(log, seq, arriving.wanted)
            || self.flights.len() >= limits::FLIGHTS_MAX
        {
            count(&mut self.stats.overflow);
            return false;
        }
        let before = seq.0.checked_sub(1).map(Seq);
        let follows = before.is_none_or(|s| s < Seq::FIRST || room.is_done_with(log, s));
        if !arriving.wanted && !self.in_pace(from, tag, (log.0, follows), now) {
            return self.over_quota(from, tag, position, is_held, now);
        }
        if is_stored {
            self.compare(tag, arriving, position);
        } else {
            self.check(tag, arriving);
        }
        true
    }

    /// Too many unasked events: what was let go is asked for, at this device's own pace.
    fn over_quota(
        &mut self,
        from: PeerId,
        tag: RoomTag,
        position: Position,
        held: bool,
        now: Timestamp,
    ) -> bool {
        let (log, seq, _) = position;
        count(&mut self.stats.overflow);
        if !held {
            self.guess(from, tag, log, (seq, seq));
            self.pump_soon(tag, now);
        }
        false
    }

    /// Nothing of a log after `last` is taken any more; see [`Input::EndLog`](crate::Input::EndLog).
    pub(crate) fn end_log(&mut self, tag: RoomTag, log: LogKey, last: Seq) {
        if let Some(room) = self.rooms.get_mut(&tag) {
            let end = room.ends.entry(log).or_insert(last);
            *end = last.min(*end);
        }
    }

    /// A neighbour that sent an event is taken to hold those before it.
    pub(crate) fn guess(&mut self, peer: PeerId, tag: RoomTag, log: LogKey, stretch: (Seq, Seq)) {
        let known = self
            .rooms
            .get(&tag)
            .is_some_and(|r| r.logs.contains_key(&log));
        if let Some(side) = self.side(peer, tag) {
            side.guess(log, stretch, known);
        }
    }

    /// The place is taken: the store knows whether by the same event or by other branches.
    fn compare(&mut self, tag: RoomTag, arriving: Arriving, position: Position) {
        let under_way = self
            .queries
            .values()
            .filter(|a| matches!(a, Asked::Compare(..)))
            .count();
        if under_way >= limits::COMPARES_MAX {
            count(&mut self.stats.overflow);
            return;
        }
        if let Some(room) = self.rooms.get_mut(&tag) {
            room.pending.insert(position);
        }
        let ((author, stream), seq, _) = position;
        let limit = limits::FORKS_MAX.saturating_add(1);
        let what = Query::Range {
            room: tag,
            author,
            stream,
            from: seq,
            to: seq,
            limit,
        };
        self.load(Asked::Compare(tag, Box::new(arriving)), what);
    }

    pub(crate) fn on_compared(
        &mut self,
        tag: RoomTag,
        mut arriving: Arriving,
        events: &[(SignedEvent, u8)],
        now: Timestamp,
    ) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        let position = position_of(&arriving.event);
        room.pending.remove(&position);
        match events.first() {
            _ if events.iter().any(|(held, _)| held.hash() == position.2) => {
                room.recent.insert(position, Known::of(&arriving.event));
                count(&mut self.stats.duplicates);
            }
            Some((rival, _)) if events.len() <= limits::FORKS_MAX => {
                arriving.rival = Some(rival.hash());
                self.check(tag, arriving);
            }
            _ => count(&mut self.stats.overflow),
        }
        self.pump_if_starved(tag, now);
    }

    /// Hands an event out to be checked.
    pub(crate) fn check(&mut self, tag: RoomTag, arriving: Arriving) {
        let (event, from) = (arriving.event.clone(), arriving.from.first().copied());
        let gates = gates_content(&arriving);
        let ticket = self.ticket(Flight::Check(tag, Box::new(arriving)));
        if let Some(room) = self.rooms.get_mut(&tag) {
            room.pending.insert(position_of(&event));
            room.verifying.insert(event.hash(), ticket);
            if gates {
                room.membership_checks = room.membership_checks.saturating_add(1);
            }
        }
        count(&mut self.stats.checks);
        self.out.push(Action::Verify {
            ticket,
            item: Item::Event(event),
            from,
        });
    }
}

/// Content is not asked for while wanted membership is being checked.
pub(crate) fn gates_content(arriving: &Arriving) -> bool {
    arriving.wanted && log_of(&arriving.event).1 == Stream::MEMBERSHIP
}
