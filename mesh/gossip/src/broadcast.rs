//! Events on their way in, through the check, and on to the other neighbours.
//!
//! ```text
//!  Frame(Event)  --+                                      +--> Send to every other neighbour (live only)
//!  Batch ----------+--> intake --Verify--> on_verified ---+--> Persist --> on_persisted: heads count it
//!                        |  known, refused, too much        +--> Deliver
//!                        v                                  +--> a gap below it: the sender offers it
//!                       let go
//! ```

use peddlenet_wire::{
    EventHash, Frame, RoomTag, Seq, SignedEvent, Stream, Timestamp,
    frame::{self},
};

use crate::{
    api::{Action, Item, Lane, Notice, PeerId, Query, Ticket, Verdict, Why},
    engine::{Asked, Due, Engine, Flight, count},
    limits,
    parked::Waiting,
    recent::{Known, LogKey, Position, log_of, position_of},
};

/// An event between its arrival and the answer to its check.
#[derive(Debug)]
pub(crate) struct Arriving {
    pub(crate) event: SignedEvent,
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
            hops: frame.hops.saturating_add(1),
            live: true,
            wanted: false,
            from: vec![from],
            rival: None,
            parked: None,
        };
        self.intake(from, arriving, now);
    }

    /// Decides whether an event is worth a check. True when its place is no longer missing: it is
    /// held, or its check is under way.
    pub(crate) fn intake(&mut self, from: PeerId, mut arriving: Arriving, now: Timestamp) -> bool {
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
        let known = room.recent.event(&position).is_some_and(|k| k.saved)
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
            }
            return true;
        }
        if room.refused.contains(hash, now) {
            count(&mut self.stats.duplicates);
            return false;
        }
        let forks_full = held.is_some_and(|l| l.forks.len() >= limits::FORKS_MAX);
        let is_held = held.is_some();
        if forks_full || !room.has_space(log, seq) || self.flights.len() >= limits::FLIGHTS_MAX {
            count(&mut self.stats.overflow);
            return false;
        }
        arriving.rival = room
            .recent
            .at(log, seq)
            .map(|(other, _)| other)
            .filter(|_| is_held);
        if !arriving.wanted
            && !self
                .links
                .get_mut(&from)
                .is_some_and(|l| l.checks.take(now))
        {
            return self.over_quota(from, tag, position, is_held, now);
        }
        if is_held && arriving.rival.is_none() {
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
        self.blame(from, Why::OverQuota, now);
        false
    }

    /// A neighbour that sent an event is taken to hold those before it.
    fn guess(&mut self, peer: PeerId, tag: RoomTag, log: LogKey, stretch: (Seq, Seq)) {
        let known = self
            .rooms
            .get(&tag)
            .is_some_and(|r| r.logs.contains_key(&log));
        if let Some(side) = self.side(peer, tag) {
            side.offer(log, stretch, known);
        }
    }

    /// The place is taken and its hash forgotten: the store knows whether this is the same event.
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
                room.recent.insert(position, known(&arriving.event));
                count(&mut self.stats.duplicates);
            }
            Some((rival, _)) => {
                arriving.rival = Some(rival.hash());
                self.check(tag, arriving);
            }
            None => count(&mut self.stats.overflow),
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

    pub(crate) fn on_verified(&mut self, ticket: Ticket, verdict: Verdict, now: Timestamp) {
        match self.flights.remove(&ticket) {
            Some(Flight::Check(tag, arriving)) => {
                self.on_event_verified(tag, *arriving, verdict, now);
                self.settle(tag);
            }
            Some(Flight::CheckRecord(tag, arriving)) => {
                self.on_record_verified(tag, *arriving, verdict, ticket, now);
            }
            // A commit is answered by `Persisted` only.
            Some(other) => drop(self.flights.insert(ticket, other)),
            None => {}
        }
    }

    fn on_event_verified(
        &mut self,
        tag: RoomTag,
        arriving: Arriving,
        verdict: Verdict,
        now: Timestamp,
    ) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        let position = position_of(&arriving.event);
        room.verifying.remove(&position.2);
        let gated = gates_content(&arriving);
        if gated {
            room.membership_checks = room.membership_checks.saturating_sub(1);
        }
        let gate_opens = gated && room.membership_checks == 0;
        match verdict {
            Verdict::Accept => {
                room.pending.remove(&position);
                self.accept(tag, arriving, position, now);
            }
            Verdict::Reject => {
                room.pending.remove(&position);
                room.refused.insert(position.2, now);
                count(&mut self.stats.refused);
                for &peer in &arriving.from {
                    self.blame(peer, Why::BadSignature, now);
                }
                // Somebody else may have the right event for this place.
                self.retract(&arriving.from, tag, position);
                self.pump_soon(tag, now);
            }
            Verdict::Later => {
                let from = arriving.from.clone();
                let parked = room.parked.push(Waiting::Event(Box::new(arriving)), now);
                if !parked {
                    room.pending.remove(&position);
                    count(&mut self.stats.overflow);
                    self.retract(&from, tag, position);
                }
            }
        }
        if gate_opens {
            self.pump(tag, now);
        }
        self.pump_if_starved(tag, now);
    }

    fn accept(&mut self, tag: RoomTag, arriving: Arriving, position: Position, now: Timestamp) {
        let Arriving {
            event,
            hops,
            live,
            from,
            rival,
            ..
        } = arriving;
        let (key, seq, hash) = position;
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        if !room.has_space(key, seq) {
            count(&mut self.stats.overflow);
            return self.retract(&from, tag, position);
        }
        let before = room.recent.event(&position).is_some();
        let fork = room.got(key, seq);
        let clash = if fork {
            let held = rival.or(room.recent.at(key, seq).map(|(other, _)| other));
            Some((seq, [held.unwrap_or(EventHash::ZERO), hash]))
        } else {
            room.recent.clash(&event)
        };
        let log = room.logs.entry(key).or_default();
        if fork && (log.forks.len() >= limits::FORKS_MAX || !log.forks.insert(hash)) {
            return count(&mut self.stats.overflow);
        }
        log.got.insert(seq);
        let gap = seq
            .0
            .checked_sub(1)
            .map(Seq)
            .filter(|&below| live && below >= Seq::FIRST && !log.got.contains(below));
        let gap = gap.map(|below| (log.got.floor(below).map_or(Seq::FIRST, next), below));
        room.recent.insert(position, known(&event));
        room.persisting = room.persisting.saturating_add(1);
        if let Some((seq, events)) = clash {
            tracing::warn!(author = ?key.0, stream = key.1.0, seq = seq.0, "two events in one place");
            let (author, stream) = key;
            self.out.push(Action::Notify(Notice::Fork {
                room: tag,
                author,
                stream,
                seq,
                events,
            }));
        }
        if let Some(&peer) = from.first() {
            self.praise(peer);
        }
        if live {
            self.push(tag, &event, hops, &from);
        }
        let ticket = self.ticket(Flight::Commit {
            room: tag,
            position,
            live,
        });
        self.out.push(Action::Persist {
            ticket,
            events: vec![(event.clone(), hops)],
            records: Vec::new(),
            own: false,
        });
        if !before {
            count(&mut self.stats.delivered);
            self.out.push(Action::Deliver { event, hops, live });
        }
        if let Some(stretch) = gap {
            for &peer in &from {
                self.guess(peer, tag, key, stretch);
            }
            self.pump_soon(tag, now);
        }
    }

    /// Sends an event to every neighbour that it did not come from.
    fn push(&mut self, tag: RoomTag, event: &SignedEvent, hops: u8, except: &[PeerId]) {
        for peer in self.neighbours(tag) {
            if !except.contains(&peer) {
                let frame = Frame::Event(frame::Event {
                    event: event.clone(),
                    hops,
                });
                self.send(peer, frame, Lane::Ordered);
            }
        }
    }

    pub(crate) fn publish(&mut self, event: SignedEvent) {
        let position = position_of(&event);
        let tag = event.header().room;
        let Some(room) = self.rooms.get_mut(&tag) else {
            let notice = Notice::NotSaved {
                room: tag,
                event: position.2,
            };
            return self.out.push(Action::Notify(notice));
        };
        if room.recent.event(&position).is_some_and(|k| k.saved) {
            return;
        }
        room.logs
            .entry(position.0)
            .or_default()
            .got
            .insert(position.1);
        room.recent.insert(position, known(&event));
        room.persisting = room.persisting.saturating_add(1);
        let ticket = self.ticket(Flight::CommitOwn(event.clone()));
        self.out.push(Action::Persist {
            ticket,
            events: vec![(event, 0)],
            records: Vec::new(),
            own: true,
        });
    }

    pub(crate) fn on_persisted(&mut self, ticket: Ticket, ok: bool, now: Timestamp) {
        match self.flights.remove(&ticket) {
            Some(Flight::Commit {
                room,
                position,
                live,
            }) => {
                self.on_event_persisted(room, position, ok, !live);
                self.after_commit(room, now);
            }
            Some(Flight::CommitOwn(event)) => {
                let (room, position) = (event.header().room, position_of(&event));
                self.on_event_persisted(room, position, ok, false);
                if ok {
                    self.push(room, &event, 0, &[]);
                } else {
                    let notice = Notice::NotSaved {
                        room,
                        event: position.2,
                    };
                    self.out.push(Action::Notify(notice));
                }
                self.after_commit(room, now);
            }
            Some(Flight::CommitRecord(room, key)) => self.on_record_persisted(room, key, ok),
            // A check is answered by `Verified` only.
            Some(other) => drop(self.flights.insert(ticket, other)),
            None => {}
        }
    }

    fn on_event_persisted(&mut self, tag: RoomTag, position: Position, ok: bool, fetched: bool) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        room.persisting = room.persisting.saturating_sub(1);
        if ok {
            room.fresh |= fetched;
            return room.store(position);
        }
        let (key, seq, hash) = position;
        tracing::error!(?hash, "an event could not be made durable");
        room.recent.set_saved(&position, false);
        if let Some(log) = room.logs.get_mut(&key) {
            log.forks.remove(&hash);
            if !log.stored.contains(seq) {
                log.got.remove(seq);
            }
        }
        // Missing again, but not at once: the next heads bring it back.
        let everyone = self.neighbours(tag);
        self.retract(&everyone, tag, position);
    }

    fn after_commit(&mut self, tag: RoomTag, now: Timestamp) {
        self.pump_if_starved(tag, now);
        self.settle(tag);
        self.report(tag, now);
        self.announce(tag, now);
    }

    /// These sides do not have the event at a place, whatever they said.
    pub(crate) fn retract(&mut self, peers: &[PeerId], tag: RoomTag, position: Position) {
        for &peer in peers {
            if let Some(side) = self.side(peer, tag) {
                side.retract(position.0, position.1, position.1);
            }
        }
    }

    /// Asks for what is missing after a short while, in which it may come by itself.
    pub(crate) fn pump_soon(&mut self, tag: RoomTag, now: Timestamp) {
        if let Some(room) = self.rooms.get_mut(&tag).filter(|r| !r.pump_armed) {
            room.pump_armed = true;
            self.arm(Due::Pump(tag), now.after(limits::GAP_GRACE));
        }
    }
}

/// Content is not asked for while wanted membership is being checked.
fn gates_content(arriving: &Arriving) -> bool {
    arriving.wanted && log_of(&arriving.event).1 == Stream::MEMBERSHIP
}

fn next(seq: Seq) -> Seq {
    seq.next().unwrap_or(seq)
}

fn known(event: &SignedEvent) -> Known {
    let header = event.header();
    Known {
        previous: Some(header.previous),
        clock: Some(header.clock),
        saved: true,
    }
}
