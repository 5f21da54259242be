//! Latest-wins records: receipts, whereabouts, presence.
//!
//! Passed along their author's tree like events, compared by clock, no history. When a room starts to run over a link each
//! end sends all it has, step by step, from the second step on the bulk lane; what a lossy link
//! swallowed is offered again when digests differ, and one record a round otherwise, or in a few where nothing was
//! new for a while.

use std::ops::Bound;

use peddlenet_wire::{
    AuthorId, Frame, Hlc, RoomTag, SignedRecord, Timestamp,
    frame::{self},
    record::RecordKind,
};

use crate::{
    api::{Action, Item, Lane, PeerId, Ticket, Verdict, Why},
    engine::{Due, Engine, Flight, count},
    limits,
    overlay::scramble,
    parked::Waiting,
    recent::elapsed,
    room::{Room, spread},
};

/// One record of one author.
pub(crate) type RecordKey = (RecordKind, AuthorId);

/// A record between its arrival and the answer to its check.
#[derive(Debug)]
pub(crate) struct ArrivingRecord {
    pub(crate) record: SignedRecord,
    pub(crate) hops: u8,
    pub(crate) from: Vec<PeerId>,
    pub(crate) parked: Option<Timestamp>,
}

/// The greater clock wins; of equal clocks the greater bytes, the same on every device.
pub(crate) fn newer(one: &SignedRecord, other: &SignedRecord) -> bool {
    match one.header().clock.cmp(&other.header().clock) {
        // The hash first: most of what has the same clock is the same record once more.
        std::cmp::Ordering::Equal => {
            one.hash() != other.hash() && one.to_bytes() > other.to_bytes()
        }
        unequal => unequal.is_gt(),
    }
}

fn key(record: &SignedRecord) -> RecordKey {
    (record.header().kind, record.header().author)
}

fn has_space(room: &Room, (kind, author): RecordKey) -> bool {
    if room.records.contains_key(&(kind, author)) {
        return true;
    }
    let of_author = room.records.keys().filter(|(_, a)| *a == author).count();
    room.records.len() < limits::RECORDS_MAX && of_author < limits::RECORD_KINDS_MAX
}

impl Engine {
    pub(crate) fn on_record(&mut self, from: PeerId, frame: frame::Record, now: Timestamp) {
        let (record, hops) = (frame.record, frame.hops.saturating_add(1));
        let (tag, clock, key) = (record.header().room, record.header().clock, key(&record));
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        if room
            .records
            .get(&key)
            .is_some_and(|(held, _)| !newer(&record, held))
        {
            return count(&mut self.stats.duplicates);
        }
        if let Some((under_way, ticket)) = room.verifying_records.get(&key)
            && *under_way >= clock
        {
            count(&mut self.stats.duplicates);
            if let Some(Flight::CheckRecord(_, first)) = self.flights.get_mut(ticket)
                && first.record == record
                && !first.from.contains(&from)
            {
                first.from.push(from);
            }
            return;
        }
        let space = has_space(room, key);
        if !self.may_check(from, now) {
            return;
        }
        if !space {
            return count(&mut self.stats.overflow);
        }
        self.check_record(
            tag,
            ArrivingRecord {
                record,
                hops,
                from: vec![from],
                parked: None,
            },
        );
    }

    pub(crate) fn check_record(&mut self, tag: RoomTag, arriving: ArrivingRecord) {
        let (record, from) = (arriving.record.clone(), arriving.from.first().copied());
        let clock: Hlc = record.header().clock;
        let ticket = self.ticket(Flight::CheckRecord(tag, Box::new(arriving)));
        if let Some(room) = self.rooms.get_mut(&tag) {
            room.verifying_records.insert(key(&record), (clock, ticket));
        }
        count(&mut self.stats.checks);
        self.out.push(Action::Verify {
            ticket,
            item: Item::Record(record),
            from,
        });
    }

    pub(crate) fn on_record_verified(
        &mut self,
        tag: RoomTag,
        arriving: ArrivingRecord,
        verdict: Verdict,
        ticket: Ticket,
        now: Timestamp,
    ) {
        let key = key(&arriving.record);
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        if room
            .verifying_records
            .get(&key)
            .is_some_and(|(_, newest)| *newest == ticket)
        {
            room.verifying_records.remove(&key);
        }
        match verdict {
            Verdict::Accept => self.accept_record(tag, key, arriving),
            Verdict::Reject => {
                count(&mut self.stats.refused);
                for peer in arriving.from {
                    self.blame(peer, Why::BadSignature, now);
                }
            }
            Verdict::Drop => count(&mut self.stats.refused),
            Verdict::Later => {
                if !room.parked.push(Waiting::Record(Box::new(arriving)), now) {
                    count(&mut self.stats.overflow);
                }
            }
        }
    }

    fn accept_record(&mut self, tag: RoomTag, key: RecordKey, arriving: ArrivingRecord) {
        let ArrivingRecord {
            record, hops, from, ..
        } = arriving;
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        // A newer one may have come while this one was checked.
        let outdated = room
            .records
            .get(&key)
            .is_some_and(|(held, _)| !newer(&record, held));
        if outdated || !has_space(room, key) {
            return;
        }
        room.records.insert(key, (record.clone(), hops));
        room.records_calm = 0;
        if let Some(&first) = from.first() {
            self.praise(first);
        }
        self.spread_record(tag, key, &record, hops, &from, false);
        self.out.push(Action::DeliverRecord { record, hops });
    }

    pub(crate) fn publish_record(&mut self, record: &SignedRecord) {
        let (tag, key) = (record.header().room, key(record));
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        if room
            .records
            .get(&key)
            .is_some_and(|(held, _)| !newer(record, held))
        {
            return;
        }
        room.records.insert(key, (record.clone(), 0));
        room.records_calm = 0;
        self.spread_record(tag, key, record, 0, &[], true);
    }

    fn spread_record(
        &mut self,
        tag: RoomTag,
        key: RecordKey,
        record: &SignedRecord,
        hops: u8,
        except: &[PeerId],
        own: bool,
    ) {
        for peer in self.eager(tag, key.1, except) {
            self.send_record(peer, record.clone(), hops, Lane::Ordered);
        }
        let ticket = self.ticket(Flight::CommitRecord(tag, key));
        self.out.push(Action::Persist {
            ticket,
            events: Vec::new(),
            records: vec![record.clone()],
            own,
        });
    }

    fn send_record(&mut self, to: PeerId, record: SignedRecord, hops: u8, lane: Lane) {
        self.send(to, Frame::Record(frame::Record { record, hops }), lane);
    }

    pub(crate) fn on_record_persisted(&mut self, tag: RoomTag, key: RecordKey, ok: bool) {
        if !ok {
            // It counts as long as this process runs; its author will make another one.
            tracing::error!(room = ?tag, kind = key.0.0, author = ?key.1, "a record could not be made durable");
        }
    }

    /// Starts to send all records to a side.
    pub(crate) fn begin_records(&mut self, peer: PeerId, tag: RoomTag, now: Timestamp) {
        let Some(side) = self.side(peer, tag).filter(|s| !s.records_running) else {
            return;
        };
        side.records_running = true;
        side.records_sent = None;
        side.records_begun = now;
        if let Some(room) = self.rooms.get_mut(&tag) {
            room.records_calm = 0;
        }
        self.send_records(peer, tag, now);
    }

    /// Something was lost on this link, perhaps records too.
    pub(crate) fn records_again(&mut self, peer: PeerId, tag: RoomTag, now: Timestamp) {
        let again = self
            .side(peer, tag)
            .is_some_and(|s| elapsed(s.records_begun, now, limits::RECORDS_AGAIN));
        if again {
            self.begin_records(peer, tag, now);
        }
    }

    /// The next step of records for a side.
    pub(crate) fn send_records(&mut self, peer: PeerId, tag: RoomTag, now: Timestamp) {
        let Some((room, side)) = self.room_and_side(tag, peer) else {
            return;
        };
        // The first step must not overtake what opens the room at the other end, which would drop it.
        let lane = match side.records_sent {
            None => Lane::Ordered,
            Some(_) => Lane::Bulk,
        };
        let start = side.records_sent.map_or(Bound::Unbounded, Bound::Excluded);
        let step: Vec<_> = room
            .records
            .range((start, Bound::Unbounded))
            .take(limits::RECORDS_STEP)
            .map(|(&key, (record, hops))| (key, record.clone(), *hops))
            .collect();
        match step.last() {
            Some((last, ..)) => side.records_sent = Some(*last),
            None => side.records_running = false,
        }
        if step.len() == limits::RECORDS_STEP {
            self.arm(Due::Records(peer, tag), now.after(limits::RECORDS_PAUSE));
        } else {
            side.records_running = false;
        }
        for (_, record, hops) in step {
            self.send_record(peer, record, hops, lane);
        }
    }

    /// One record a round goes to one neighbour again, whichever chance names: cheap, and heals in the end. Once
    /// that has gone on without news for a while it is one in [`limits::RECORDS_CALM_EVERY`] rounds: a device
    /// with nothing to say is to say little.
    pub(crate) fn offer_one_record(&mut self, tag: RoomTag) {
        let neighbours = self.neighbours(tag);
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        room.records_calm = room.records_calm.saturating_add(1);
        let calm = room.records_calm.checked_sub(limits::RECORDS_CALM_AFTER);
        if calm.is_some_and(|rounds| !rounds.is_multiple_of(limits::RECORDS_CALM_EVERY)) {
            return;
        }
        let turn = scramble(spread(self.config.salt, tag, !room.ticks));
        let turn = usize::try_from(turn >> 32).unwrap_or(0);
        let peer = turn
            .checked_rem(neighbours.len())
            .and_then(|at| neighbours.get(at));
        let start = room.record_turn.map_or(Bound::Unbounded, Bound::Excluded);
        let next = room
            .records
            .range((start, Bound::Unbounded))
            .next()
            .or_else(|| room.records.iter().next())
            .map(|(&key, (record, hops))| (key, record.clone(), *hops));
        let (Some((key, record, hops)), Some(&peer)) = (next, peer) else {
            return;
        };
        room.record_turn = Some(key);
        self.send_record(peer, record, hops, Lane::Bulk);
    }
}
