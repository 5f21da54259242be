//! Parents before children: what is pushed is delivered after what it follows on.
//!
//! An event names the one before it in its author's log and up to four events of others that its author
//! had seen. A pushed event waits here for those that have not been delivered, for a short while: they
//! are on their way, or being grafted. Then it is delivered all the same, not as live. While history
//! streams in, nothing waits: what it lacks may come in an hour.
//!
//! ```text
//!  accepted, pushed --all of its past was delivered--> Deliver(live), then those that waited for it
//!        |                                                 ^
//!        +--something is missing--> waits, at most 2 s ----+--> Deliver(not live)
//!  accepted, fetched --------------------------------> Deliver(not live), then those that waited for it
//! ```
//!
//! After a restart the newest page is read back, so that its events are known as delivered.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use peddlenet_wire::{EventHash, RoomTag, SignedEvent, Stream, Timestamp};

use crate::{
    api::{Action, Query},
    engine::{Asked, Due, Engine, count},
    limits,
    recent::log_of,
};

/// A pushed event that waits.
#[derive(Debug)]
struct Waiting {
    event: SignedEvent,
    hops: u8,
    lacks: BTreeSet<EventHash>,
    /// Whether it became durable meanwhile.
    saved: bool,
}

/// The order of delivery in one room.
#[derive(Debug, Default)]
pub(crate) struct Causal {
    delivered: BTreeSet<EventHash>,
    order: VecDeque<EventHash>,
    waiting: BTreeMap<EventHash, Waiting>,
    /// Who waits for an event.
    children: BTreeMap<EventHash, Vec<EventHash>>,
    /// What waits, the longest first.
    since: VecDeque<(Timestamp, EventHash)>,
    armed: bool,
}

impl Causal {
    pub(crate) fn has(&self, hash: EventHash) -> bool {
        hash == EventHash::ZERO || self.delivered.contains(&hash)
    }

    /// Counts an event as delivered; the oldest are forgotten.
    pub(crate) fn note(&mut self, hash: EventHash) {
        if self.delivered.insert(hash) {
            self.order.push_back(hash);
        }
        while self.order.len() > limits::DELIVERED_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.delivered.remove(&oldest);
            }
        }
    }

    /// What an event has to wait for.
    fn lacks(&self, event: &SignedEvent) -> BTreeSet<EventHash> {
        let header = event.header();
        let past = header.parents.iter().chain([&header.previous]);
        past.filter(|&&hash| !self.has(hash)).copied().collect()
    }

    fn wait(&mut self, waiting: Waiting, now: Timestamp) {
        let hash = waiting.event.hash();
        for &lack in &waiting.lacks {
            self.children.entry(lack).or_default().push(hash);
        }
        self.since.push_back((now, hash));
        self.waiting.insert(hash, waiting);
    }

    /// An event became durable.
    pub(crate) fn saved(&mut self, hash: EventHash) {
        if let Some(waiting) = self.waiting.get_mut(&hash) {
            waiting.saved = true;
        }
    }

    fn forget(&mut self, hash: EventHash) -> Option<Waiting> {
        let waiting = self.waiting.remove(&hash)?;
        for lack in &waiting.lacks {
            if let Some(children) = self.children.get_mut(lack) {
                children.retain(|child| *child != hash);
                if children.is_empty() {
                    self.children.remove(lack);
                }
            }
        }
        Some(waiting)
    }

    /// The waiting events that lacked nothing but this one.
    fn freed_by(&mut self, hash: EventHash) -> Vec<Waiting> {
        let children = self.children.remove(&hash).unwrap_or_default();
        let mut freed = Vec::new();
        for child in children {
            if let Some(waiting) = self.waiting.get_mut(&child) {
                waiting.lacks.remove(&hash);
                if waiting.lacks.is_empty() {
                    freed.extend(self.waiting.remove(&child));
                }
            }
        }
        freed
    }
}

impl Engine {
    /// Delivers an event, now or when what it follows on has been.
    pub(crate) fn deliver(
        &mut self,
        tag: RoomTag,
        event: SignedEvent,
        hops: u8,
        live: bool,
        now: Timestamp,
    ) {
        let content = log_of(&event).1 == Stream::CONTENT;
        let streaming = live && content && self.history_streams(tag);
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        if live && content && !streaming {
            let lacks = room.causal.lacks(&event);
            if !lacks.is_empty() && room.causal.waiting.len() < limits::WAITING_MAX {
                count(&mut self.stats.waited);
                let waiting = Waiting {
                    event,
                    hops,
                    lacks,
                    saved: false,
                };
                room.causal.wait(waiting, now);
                if !std::mem::replace(&mut room.causal.armed, true) {
                    self.arm(Due::Causal(tag), now.after(limits::WAITING_FOR));
                }
                return;
            }
        }
        self.hand_over(tag, event, hops, (live && !streaming, false));
    }

    /// Delivers an event and all that waited for it.
    fn hand_over(
        &mut self,
        tag: RoomTag,
        event: SignedEvent,
        hops: u8,
        (live, saved): (bool, bool),
    ) {
        let mut ready = VecDeque::from([(event, hops, live, saved)]);
        while let Some((event, hops, live, saved)) = ready.pop_front() {
            let hash = event.hash();
            count(&mut self.stats.delivered);
            self.out.push(Action::Deliver {
                event,
                hops,
                live,
                saved,
            });
            if let Some(room) = self.rooms.get_mut(&tag) {
                room.causal.note(hash);
                let freed = room.causal.freed_by(hash);
                ready.extend(freed.into_iter().map(|w| (w.event, w.hops, true, w.saved)));
            }
        }
    }

    /// Whether much more is to be had than what the live stream loses.
    fn history_streams(&self, tag: RoomTag) -> bool {
        let sides = self.links.values().filter_map(|link| link.rooms.get(&tag));
        let mut offers = sides.flat_map(|side| side.offers.values());
        offers.any(|ranges| ranges.count() > limits::HOLES_OF_LIVE)
    }

    pub(crate) fn on_causal_due(&mut self, tag: RoomTag, now: Timestamp) {
        while let Some(room) = self.rooms.get_mut(&tag)
            && let Some(&(since, hash)) = room.causal.since.front()
        {
            let due = since.after(limits::WAITING_FOR);
            if due > now && now >= since && room.causal.waiting.contains_key(&hash) {
                return self.arm(Due::Causal(tag), due);
            }
            room.causal.since.pop_front();
            if let Some(waiting) = room.causal.forget(hash) {
                self.hand_over(tag, waiting.event, waiting.hops, (false, waiting.saved));
            }
        }
        if let Some(room) = self.rooms.get_mut(&tag) {
            room.causal.armed = false;
        }
    }

    /// After a restart: the newest events on disk were shown before.
    pub(crate) fn recall(&mut self, tag: RoomTag) {
        let what = Query::Page {
            room: tag,
            before: None,
            limit: limits::RECALLED,
        };
        self.load(Asked::Recall(tag), what);
    }

    pub(crate) fn on_recalled(&mut self, tag: RoomTag, events: &[(SignedEvent, u8)]) {
        for (event, _) in events.iter().rev() {
            let Some(room) = self.rooms.get_mut(&tag) else {
                return;
            };
            let hash = event.hash();
            room.causal.note(hash);
            for freed in room.causal.freed_by(hash) {
                self.hand_over(tag, freed.event, freed.hops, (true, freed.saved));
            }
        }
    }
}
