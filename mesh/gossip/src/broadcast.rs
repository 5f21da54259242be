//! Checked events on their way out: to the other neighbours, to the store, to the app.
//!
//! ```text
//!                                              +--> cast along the author's tree (live only)
//!  Frame(Event) -+--> intake --Verify--> accept +--> Persist --> heads count it
//!  Batch --------+                             +--> Deliver
//!                                              +--> a gap below it: its senders offer what is there
//!  Publish --> Persist --> cast
//! ```

use peddlenet_wire::{EventHash, RoomTag, Seq, SignedEvent, Timestamp};

use crate::{
    api::{Action, Notice, PeerId, Ticket, Verdict, Why},
    engine::{Due, Engine, Flight, count},
    intake::{Arriving, gates_content},
    limits,
    parked::Waiting,
    recent::{Known, LogKey, Position, position_of},
};

impl Engine {
    pub(crate) fn on_verified(&mut self, ticket: Ticket, verdict: Verdict, now: Timestamp) {
        match self.flights.remove(&ticket) {
            Some(Flight::Check(tag, arriving)) => {
                self.on_event_verified(tag, *arriving, verdict, now);
                self.settle(tag);
            }
            Some(Flight::CheckRecord(tag, arriving)) => {
                self.on_record_verified(tag, *arriving, verdict, ticket, now);
            }
            Some(Flight::CheckBeacon(tag, arriving)) => {
                self.on_beacon_verified(tag, *arriving, verdict, ticket, now);
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
            Verdict::Drop => {
                room.pending.remove(&position);
                room.refused.insert(position.2, now);
                count(&mut self.stats.refused);
                self.retract(&arriving.from, tag, position);
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
            copies,
            hops,
            live,
            wanted,
            from,
            rival,
            ..
        } = arriving;
        let (key, seq, hash) = position;
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        if !room.has_space(key, seq, wanted) {
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
        let first = room.bases.first(key);
        let log = room.logs.entry(key).or_default();
        if fork && (log.forks.len() >= limits::BRANCH_MAX || !log.forks.insert(hash)) {
            return count(&mut self.stats.overflow);
        }
        log.got.insert(seq);
        let gap = seq
            .0
            .checked_sub(1)
            .map(Seq)
            .filter(|&below| live && below >= first && !log.got.contains(below));
        let gap = gap.map(|below| (log.got.floor(below).map_or(first, next), below));
        room.recent.insert(position, Known::of(&event));
        room.persisting = room.persisting.saturating_add(1);
        if let Some(below) = seq
            .0
            .checked_sub(1)
            .map(Seq)
            .filter(|s| fork && *s >= Seq::FIRST)
        {
            // Another branch: whoever has its end has what it grew from, down to where it parts.
            for &peer in &from {
                self.doubt(peer, tag, key, below);
            }
        }
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
            self.count_pace(tag, key.0, now);
        }
        if live && !before {
            self.cast(tag, &event, hops, &copies, now);
            self.heard_of(tag, key.0, now);
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
            self.deliver(tag, event, hops, live, now);
        }
        if let Some(stretch) = gap {
            for &peer in &from {
                self.guess(peer, tag, key, stretch);
            }
            self.pump_soon(tag, now);
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
        room.own = Some(position.0.0);
        room.causal.note(position.2);
        room.logs
            .entry(position.0)
            .or_default()
            .got
            .insert(position.1);
        room.recent.insert(position, Known::of(&event));
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
                self.on_event_persisted(room, position, ok, !live, now);
                self.after_commit(room, now);
            }
            Some(Flight::CommitOwn(event)) => {
                let (room, position) = (event.header().room, position_of(&event));
                let pushes = ok && self.may_push(room, position.0.0, now);
                // What is said faster than others take it unasked, they hear of and fetch.
                self.on_event_persisted(room, position, ok, false, now);
                if pushes {
                    self.cast(room, &event, 0, &[], now);
                } else if ok {
                    for peer in self.neighbours(room) {
                        self.nudge(peer, room, limits::PACE_NUDGE, now);
                    }
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

    fn on_event_persisted(
        &mut self,
        tag: RoomTag,
        position: Position,
        ok: bool,
        fetched: bool,
        now: Timestamp,
    ) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        room.persisting = room.persisting.saturating_sub(1);
        if ok {
            room.causal.saved(position.2);
            if fetched && !room.fresh {
                room.fresh = true;
                room.fresh_since = now;
            }
            return room.store(position, (!fetched).then_some(now));
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

    /// A side may hold another event at a place than this device does.
    fn doubt(&mut self, peer: PeerId, tag: RoomTag, log: LogKey, seq: Seq) {
        if let Some(side) = self.side(peer, tag)
            && side.odd.len() < limits::ODD_MAX
        {
            side.odd.insert((log, seq));
        }
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

fn next(seq: Seq) -> Seq {
    seq.next().unwrap_or(seq)
}
