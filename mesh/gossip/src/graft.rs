//! Grafts: asking a neighbour to push an author's events, and answering when one asks.
//!
//! A graft names what is missing. It is answered from memory, and from the store as far as the
//! link's quota goes. Links that come and go change the trees here: the only link is asked for
//! everything, and whoever lost its parent gets another at once.

use std::collections::{BTreeMap, VecDeque};

use peddlenet_wire::{
    AuthorId, Capped, Frame, RoomTag, Seq, SignedEvent, Stream, Timestamp, frame,
    tree::{Graft, Grafted, Prune},
};

use crate::{
    api::{Lane, PeerId, Query, Why},
    engine::{Asked, Engine, count},
    limits,
    recent::{LogKey, log_of},
};

/// What is to be asked of whom.
pub(crate) type Grafts = BTreeMap<PeerId, Vec<Grafted>>;

/// Events that passed of late, with what they cost here: a graft is answered from memory.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    events: BTreeMap<(LogKey, Seq), (SignedEvent, u8)>,
    order: VecDeque<(LogKey, Seq)>,
    bytes: usize,
}

impl Cache {
    pub(crate) fn insert(&mut self, event: &SignedEvent, hops: u8) {
        let key = (log_of(event), event.header().seq);
        if self.events.insert(key, (event.clone(), hops)).is_some() {
            return;
        }
        self.order.push_back(key);
        self.bytes = self.bytes.saturating_add(event_size(event));
        while self.order.len() > limits::CACHE_MAX || self.bytes > limits::CACHE_BYTES {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            if let Some((event, _)) = self.events.remove(&oldest) {
                self.bytes = self.bytes.saturating_sub(event_size(&event));
            }
        }
    }

    pub(crate) fn range(
        &self,
        log: LogKey,
        from: Seq,
        to: Seq,
    ) -> impl Iterator<Item = &(SignedEvent, u8)> {
        self.events
            .range((log, from)..=(log, to))
            .map(|(_, held)| held)
    }
}

/// Bytes of an event, without the few of its framing.
pub(crate) fn event_size(event: &SignedEvent) -> usize {
    event
        .header_bytes()
        .len()
        .saturating_add(event.body().map_or(0, <[u8]>::len))
}

impl Engine {
    /// Makes a neighbour an author's parent; the frame that asks for it goes with others.
    pub(crate) fn graft_from(
        &mut self,
        tag: RoomTag,
        author: AuthorId,
        peer: PeerId,
        grafts: &mut Grafts,
    ) {
        let link = self.link_cost(peer);
        if let Some(room) = self.rooms.get_mut(&tag) {
            room.trees.graft(author, peer, link);
        }
        count(&mut self.stats.grafts);
        let line = self.graft_line(tag, author);
        grafts.entry(peer).or_default().push(line);
    }

    /// Asks neighbours to push these from now on.
    pub(crate) fn send_grafts(&mut self, tag: RoomTag, grafts: Grafts) {
        for (peer, entries) in grafts {
            for entries in Capped::parts(entries) {
                let frame = Frame::Graft(Graft {
                    room: tag.short(),
                    entries,
                    all: false,
                });
                self.send(peer, frame, Lane::Ordered);
            }
        }
    }

    /// The position after the last one that is held, or that one if there are holes below.
    pub(crate) fn graft_line(&self, tag: RoomTag, author: AuthorId) -> Grafted {
        let log = (author, Stream::CONTENT);
        let top = self
            .rooms
            .get(&tag)
            .and_then(|room| room.logs.get(&log))
            .and_then(|log| log.got.last())
            .and_then(Seq::next);
        Grafted {
            author: author.short(),
            stream: Stream::CONTENT,
            from: top.unwrap_or(Seq::FIRST),
            count: limits::GRAFT_EVENTS,
        }
    }

    pub(crate) fn on_prune(&mut self, from: PeerId, tag: RoomTag, frame: &Prune, now: Timestamp) {
        let many = u32::try_from(frame.authors.len()).unwrap_or(u32::MAX);
        if !self.take_hints(from, many, now) {
            return self.blame(from, Why::OverQuota, now);
        }
        if let Some(room) = self.rooms.get_mut(&tag) {
            for &short in frame.authors.iter() {
                if let Some(author) = room.author_of(short) {
                    room.trees.pruned_by(author, from);
                }
            }
        }
    }

    pub(crate) fn on_graft(&mut self, from: PeerId, tag: RoomTag, frame: &Graft, now: Timestamp) {
        let many = u32::try_from(frame.entries.len()).unwrap_or(u32::MAX);
        if !self.take_hints(from, many.saturating_add(1), now) {
            return self.blame(from, Why::OverQuota, now);
        }
        if let Some(room) = self.rooms.get_mut(&tag)
            && frame.all
        {
            room.trees.grafted_all_by(from);
        }
        for entry in frame.entries.iter() {
            self.give(from, tag, entry, now);
        }
    }

    /// Pushes an author's events to a neighbour from now on, and what it misses at once.
    fn give(&mut self, peer: PeerId, tag: RoomTag, entry: &Grafted, now: Timestamp) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        let Some(author) = room.author_of(entry.author) else {
            return;
        };
        room.trees.grafted_by(author, peer);
        let log = (author, entry.stream);
        let top = room.logs.get(&log).and_then(|l| l.got.last());
        let count = entry.count.min(limits::GRAFT_EVENTS);
        let to = Seq(entry
            .from
            .0
            .saturating_add(u64::from(count).saturating_sub(1)));
        let Some(to) = top
            .map(|top| top.min(to))
            .filter(|&to| to >= entry.from && count > 0)
        else {
            return;
        };
        let cost = room.cost_of(author);
        let held: Vec<(SignedEvent, u8)> = room
            .lazy
            .cache
            .range(log, entry.from, to)
            .cloned()
            .collect();
        let first = held.first().map(|(event, _)| event.header().seq);
        for (event, hops) in held {
            let frame = Frame::Event(frame::Event { event, hops, cost });
            self.send(peer, frame, Lane::Ordered);
        }
        // What is older than this memory comes from the store, as far as the link's quota goes.
        let older = first.map_or(Some(to), |seq| seq.0.checked_sub(1).map(Seq));
        if let Some(last) = older.filter(|&last| last >= entry.from)
            && self.links.get_mut(&peer).is_some_and(|l| l.wants.take(now))
        {
            let what = Query::Range {
                room: tag,
                author,
                stream: entry.stream,
                from: entry.from,
                to: last,
                limit: usize::from(limits::GRAFT_EVENTS),
            };
            self.load(Asked::Graft(peer, tag), what);
        }
    }

    pub(crate) fn on_graft_loaded(
        &mut self,
        to: PeerId,
        tag: RoomTag,
        held: Vec<(SignedEvent, u8)>,
    ) {
        if self.side(to, tag).is_none() {
            return;
        }
        for (event, hops) in held {
            let author = event.header().author;
            let cost = self.rooms.get(&tag).map_or(0, |room| room.cost_of(author));
            let frame = Frame::Event(frame::Event { event, hops, cost });
            self.send(to, frame, Lane::Ordered);
        }
    }

    /// A room runs over a link: it takes part in the trees. The only link is asked for everything.
    pub(crate) fn join_trees(&mut self, peer: PeerId, tag: RoomTag, now: Timestamp) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        let only = room.trees.join(peer, room.own);
        if only && (room.trees.len() > 0 || room.trees.latecomer) {
            self.graft_all(tag, peer);
        }
        if only {
            self.begin_beacons(tag, now);
        }
    }

    /// Asks a neighbour to push everybody's events.
    pub(crate) fn graft_all(&mut self, tag: RoomTag, peer: PeerId) {
        let frame = Frame::Graft(Graft {
            room: tag.short(),
            entries: Capped::default(),
            all: true,
        });
        self.send(peer, frame, Lane::Ordered);
    }

    /// A room no longer runs over a link: whoever lost its parent gets another at once.
    pub(crate) fn leave_trees(&mut self, peer: PeerId, tag: RoomTag, now: Timestamp) {
        let alone = self.neighbours(tag).is_empty();
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        if alone {
            room.beacons.away_since = Some(now);
        }
        room.lazy.forget(peer);
        let orphans = room.trees.leave(peer);
        let nearest = self
            .neighbours(tag)
            .into_iter()
            .min_by_key(|&peer| (self.link_cost(peer), peer));
        let mut grafts = Grafts::new();
        for orphan in orphans {
            // Not through a neighbour that gets this author's events from here: it announces in time.
            let Some(next) = orphan.next.or(nearest) else {
                continue;
            };
            self.graft_from(tag, orphan.author, next, &mut grafts);
        }
        if self.config.controls.lazy {
            self.send_grafts(tag, grafts);
        }
    }
}
