//! Wants: asking neighbours for what they offer, and taking in what they answer.
//!
//! ```text
//!  offers --pick--> Want --+--> Batch .. Batch(done)   events go through the same check as live ones
//!                          +--> 5 s of silence         the neighbour's offer is taken back, another is asked
//!                          +--> done, but not all      the rest is asked for again, unless nothing came
//! ```

use std::collections::BTreeSet;

use peddlenet_wire::{
    Frame, RoomTag, Seq, SignedEvent, Stream, Timestamp,
    frame::{Batch, Want, Wanted},
};

use crate::{
    api::{Lane, PeerId, Why},
    engine::{Due, Engine, count},
    intake::Arriving,
    limits,
    pick::Choice,
    recent::LogKey,
    room::Page,
};

/// A want without a complete answer.
#[derive(Debug)]
pub(crate) struct Outstanding {
    /// `None`: cells were sent, whatever this device turns out to lack.
    pub(crate) what: Option<Wanted>,
    /// The positions that are not asked of others meanwhile.
    pub(crate) log: Option<(LogKey, Seq, Seq)>,
    /// How many events an honest answer has at most, forks aside.
    pub(crate) expected: u64,
    /// Events that came.
    seen: u64,
    /// Of those, events that are held now or being checked.
    useful: u64,
    /// Something of use came since the timer was armed.
    progressed: bool,
    /// How often the timer was armed again.
    spans: u32,
    done: bool,
}

impl Outstanding {
    pub(crate) fn new(what: Option<Wanted>, expected: u64) -> Self {
        Self {
            what,
            log: None,
            expected,
            seen: 0,
            useful: 0,
            progressed: false,
            spans: 0,
            done: false,
        }
    }

    pub(crate) fn is_page(&self) -> bool {
        matches!(self.what, Some(Wanted::Page { .. }))
    }

    pub(crate) fn is_membership(&self) -> bool {
        self.log
            .is_some_and(|((_, stream), ..)| stream == Stream::MEMBERSHIP)
    }

    fn allows(&self, event: &SignedEvent) -> bool {
        let header = event.header();
        let spare = u64::try_from(limits::FORKS_MAX).unwrap_or(0);
        let most = match self.what {
            Some(Wanted::Range { .. }) => self.expected.saturating_mul(spare.saturating_add(1)),
            Some(Wanted::Page { .. }) | None => self.expected,
        };
        self.seen < most
            && match self.what {
                Some(Wanted::Range {
                    author,
                    stream,
                    from,
                    to,
                }) => {
                    header.author == author
                        && header.stream == stream
                        && (from..=to).contains(&header.seq)
                }
                Some(Wanted::Page { .. }) => header.stream == Stream::CONTENT,
                None => true,
            }
    }
}

impl Engine {
    /// Asks every side for what it offers and nobody was asked for, within bounds.
    pub(crate) fn pump(&mut self, tag: RoomTag, now: Timestamp) {
        if !self.config.controls.sync {
            return;
        }
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        room.starved = false;
        let mut peers = self.neighbours(tag);
        loop {
            // Those who keep their word first, then those who have least to do.
            peers.sort_by_cached_key(|&peer| {
                let side = self.side(peer, tag);
                side.map_or((u32::MAX, 0, peer), |s| (s.strikes, s.wanted(), peer))
            });
            let mut asked = false;
            for &peer in &peers {
                if let Some(choice) = self.pick(tag, peer) {
                    self.ask(tag, peer, choice, now);
                    asked = true;
                }
            }
            if !asked {
                break;
            }
        }
        self.settle(tag);
    }

    /// Goes on where a bound had stopped the pump.
    pub(crate) fn pump_if_starved(&mut self, tag: RoomTag, now: Timestamp) {
        let few = limits::FLIGHTS_SOFT.checked_div(2).unwrap_or(0);
        if self.flights.len() <= few && self.rooms.get(&tag).is_some_and(|r| r.starved) {
            self.pump(tag, now);
        }
    }

    pub(crate) fn on_pump_due(&mut self, tag: RoomTag, now: Timestamp) {
        if let Some(room) = self.rooms.get_mut(&tag) {
            room.pump_armed = false;
            self.pump(tag, now);
        }
    }

    fn ask(&mut self, tag: RoomTag, peer: PeerId, choice: Choice, now: Timestamp) {
        let range = |((author, stream), from, to)| Wanted::Range {
            author,
            stream,
            from,
            to,
        };
        let (what, log, expected) = match choice {
            Choice::Page => {
                let what = Wanted::Page {
                    before: None,
                    limit: limits::PAGE,
                };
                (what, None, u64::from(limits::PAGE))
            }
            Choice::Odd(log, seq) => (range((log, seq, seq)), None, 1),
            Choice::Range(log, from, to) => {
                let expected = to.0.saturating_sub(from.0).saturating_add(1);
                (range((log, from, to)), Some((log, from, to)), expected)
            }
        };
        let Some((room, side)) = self.room_and_side(tag, peer) else {
            return;
        };
        match choice {
            Choice::Page => room.page = Page::Asked,
            Choice::Odd(log, seq) => drop(side.odd.remove(&(log, seq))),
            Choice::Range(log, from, to) => {
                room.wanted.entry(log).or_default().insert_range(from, to)
            }
        }
        let id = side.next_want;
        side.next_want = id.wrapping_add(1);
        let mut want = Outstanding::new(Some(what), expected);
        want.log = log;
        side.wants.insert(id, want);
        count(&mut self.stats.wants);
        self.arm(Due::Want(peer, tag, id), now.after(limits::WANT_TIMEOUT));
        self.send(
            peer,
            Frame::Want(Want {
                room: tag,
                id,
                what,
            }),
            Lane::Ordered,
        );
    }

    pub(crate) fn on_batch(&mut self, from: PeerId, batch: Batch, now: Timestamp) {
        let (tag, id) = (batch.room, batch.id);
        let Some(side) = self.side(from, tag) else {
            return;
        };
        let author = side.author;
        let asked = side.wants.contains_key(&id);
        if !asked && id >= side.next_want {
            return self.blame(from, Why::NotWanted, now);
        }
        for event in batch.events.into_inner() {
            if event.header().room != tag {
                return self.blame(from, Why::NotWanted, now);
            }
            // An answer that came too late counts against the quota like any unasked event.
            if asked {
                let want = self.side(from, tag).and_then(|s| s.wants.get_mut(&id));
                let Some(want) = want.filter(|w| w.allows(&event)) else {
                    return self.blame(from, Why::NotWanted, now);
                };
                want.seen = want.seen.saturating_add(1);
            }
            // The frame does not say how far it came; at least from its author, over this link.
            let hops = if event.header().author == author {
                1
            } else {
                2
            };
            let arriving = Arriving {
                event,
                copies: Vec::new(),
                hops,
                live: false,
                wanted: asked,
                from: vec![from],
                rival: None,
                parked: None,
            };
            if self.intake(from, arriving, now)
                && let Some(want) = self.side(from, tag).and_then(|s| s.wants.get_mut(&id))
            {
                want.useful = want.useful.saturating_add(1);
                want.progressed = true;
            }
        }
        let Some(want) = self.side(from, tag).and_then(|s| s.wants.get_mut(&id)) else {
            return;
        };
        let just_done = batch.done && !want.done;
        want.done |= batch.done;
        let is_empty_push = want.what.is_none() && want.seen == 0;
        if want.done && (want.useful >= want.expected || want.is_page() || is_empty_push) {
            self.finish_want(from, tag, id, now);
        } else if just_done {
            // Batches may overtake each other on the bulk lane.
            self.arm(Due::Linger(from, tag, id), now.after(limits::LINGER));
        }
    }

    /// The answer is as complete as it gets.
    pub(crate) fn finish_want(&mut self, peer: PeerId, tag: RoomTag, id: u32, now: Timestamp) {
        let Some(want) = self.side(peer, tag).and_then(|s| s.wants.remove(&id)) else {
            return;
        };
        self.close_want(&want, tag);
        self.end_comparison(tag, peer, id);
        let Some(side) = self.side(peer, tag) else {
            return;
        };
        if want.what.is_none() {
            side.heard = true;
        }
        if want.useful > 0 || (want.is_page() && want.seen > 0) {
            side.trust();
        } else if let Some((log, from, to)) = want.log {
            let promised = side.promised(log, (from, to));
            side.retract(log, from, to);
            if promised {
                self.strike(peer, tag, now);
            }
        }
        self.pump(tag, now);
    }

    pub(crate) fn on_want_due(&mut self, peer: PeerId, tag: RoomTag, id: u32, now: Timestamp) {
        let Some(side) = self.side(peer, tag) else {
            return;
        };
        let Some(want) = side.wants.get_mut(&id) else {
            return;
        };
        want.spans = want.spans.saturating_add(1);
        if std::mem::take(&mut want.progressed) && want.spans < limits::WANT_SPANS {
            return self.arm(Due::Want(peer, tag, id), now.after(limits::WANT_TIMEOUT));
        }
        let Some(want) = side.wants.remove(&id) else {
            return;
        };
        if let Some((log, from, to)) = want.log {
            side.retract(log, from, to);
        }
        count(&mut self.stats.timeouts);
        self.close_want(&want, tag);
        self.end_comparison(tag, peer, id);
        if want.is_page()
            && let Some(room) = self.rooms.get_mut(&tag)
            && room.page_tries < limits::PAGE_TRIES
        {
            room.page = Page::Needed;
        }
        self.strike(peer, tag, now);
        self.pump(tag, now);
    }

    fn close_want(&mut self, want: &Outstanding, tag: RoomTag) {
        if let Some(room) = self.rooms.get_mut(&tag) {
            room.unwant(want);
            if want.is_page() {
                room.page = Page::Done;
                room.page_tries = room.page_tries.saturating_add(1);
            }
        }
    }

    /// A promise was not kept. After many in a row this side's offers count for nothing for a while.
    fn strike(&mut self, peer: PeerId, tag: RoomTag, now: Timestamp) {
        let Some(side) = self.side(peer, tag) else {
            return;
        };
        side.strikes = side.strikes.saturating_add(1);
        if side.strikes >= limits::STRIKES_MAX && side.distrusted.is_none() {
            side.distrusted = Some(now.after(side.distrust));
            side.distrust = side.distrust.saturating_mul(2).min(limits::DISTRUST_MAX);
            side.offers.clear();
            side.odd = BTreeSet::new();
            self.blame(peer, Why::BrokenPromise, now);
        }
    }
}
