//! What a link costs, and sparing those who carry too much.
//!
//! cost = srtt/2 + queued/goodput, smoothed as TCP smooths its round trip (RFC 6298: 1/8). A node
//! whose queues take long to drain asks its neighbours to be spared (`Choke`): they take events
//! elsewhere where they can, and it announces instead of pushing what it relays of new authors.
//! It stops to ask only after a quiet while, so that trees don't swing back and forth.

use std::time::Duration;

use peddlenet_wire::{Frame, RoomTag, Timestamp, tree::Choke};

use crate::{
    api::{Lane, PeerId},
    engine::{Engine, count},
    graft::Grafts,
    limits,
    links::Link,
    recent::elapsed,
};

/// What is known of one link's speed.
#[derive(Debug, Default)]
pub(crate) struct Speed {
    /// Smoothed round trip, in eighths of a millisecond.
    srtt_8: Option<u32>,
    /// How long its queue takes to drain, in milliseconds, as last reported.
    drain_ms: u32,
    /// The same, smoothed, in eighths.
    drain_8: u32,
}

impl Speed {
    fn report(&mut self, rtt_ms: u32, queued: u64, rate: u64) {
        let rtt = rtt_ms.min(limits::COST_MAX_MS);
        let smooth = |old: u32, new: u32| old.saturating_sub(old / 8).saturating_add(new);
        self.srtt_8 = Some(match self.srtt_8 {
            None => rtt.saturating_mul(8),
            Some(old) => smooth(old, rtt),
        });
        let drain = queued.saturating_mul(1_000).checked_div(rate).unwrap_or(0);
        self.drain_ms = u32::try_from(drain)
            .unwrap_or(u32::MAX)
            .min(limits::COST_MAX_MS);
        self.drain_8 = smooth(self.drain_8, self.drain_ms);
    }

    /// Milliseconds one way, queue included; `None` before the first report.
    pub(crate) fn measured(&self) -> Option<u16> {
        let cost = (self.srtt_8? / 16).saturating_add(self.drain_8 / 8);
        Some(u16::try_from(cost.max(1)).unwrap_or(u16::MAX))
    }

    /// The same, or what a link costs on average.
    pub(crate) fn cost(&self) -> u16 {
        self.measured().unwrap_or(limits::COST_UNKNOWN_MS)
    }

    fn round_trip(&self) -> Duration {
        let ms = self.srtt_8.map_or(
            u32::from(limits::COST_UNKNOWN_MS).saturating_mul(2),
            |srtt| srtt / 8,
        );
        Duration::from_millis(u64::from(ms.saturating_add(self.drain_8 / 8)))
    }
}

/// Whether this device asks to be spared.
#[derive(Debug, Default)]
pub(crate) struct Overload {
    pub(crate) on: bool,
    /// When a queue was last long.
    long: Timestamp,
}

impl Engine {
    /// What a frame costs on a link, in milliseconds.
    pub(crate) fn link_cost(&self, peer: PeerId) -> u16 {
        self.links.get(&peer).map_or(u16::MAX, |l| l.speed.cost())
    }

    /// What the whole way costs over a neighbour that names its own cost.
    pub(crate) fn over(&self, peer: PeerId, theirs: u16) -> u32 {
        u32::from(theirs).saturating_add(u32::from(self.link_cost(peer)))
    }

    pub(crate) fn round_trip(&self, peer: PeerId) -> Duration {
        self.links
            .get(&peer)
            .map_or(Duration::ZERO, |l| l.speed.round_trip())
    }

    /// Whether events are better taken elsewhere: it asks to be spared, or misbehaves.
    pub(crate) fn is_choked(&self, peer: PeerId, tag: RoomTag) -> bool {
        let Some(link) = self.links.get(&peer) else {
            return false;
        };
        let asks = link.rooms.get(&tag).is_some_and(|side| side.choked);
        (self.config.controls.load && asks) || link.is_shunned()
    }

    pub(crate) fn on_load(
        &mut self,
        peer: PeerId,
        rtt_ms: u32,
        queued: u64,
        rate: u64,
        now: Timestamp,
    ) {
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        link.speed.report(rtt_ms, queued, rate);
        if !self.config.controls.load {
            return;
        }
        let longest = |link: &Link| link.speed.drain_ms;
        let drain = self.links.values().map(longest).max().unwrap_or(0);
        if drain >= limits::CHOKE_AT_MS {
            self.overload.long = now;
            if !self.overload.on {
                self.choke(true);
            }
        } else if self.overload.on
            && drain <= limits::UNCHOKE_AT_MS
            && elapsed(self.overload.long, now, limits::UNCHOKE_AFTER)
        {
            self.choke(false);
        } else if drain > limits::UNCHOKE_AT_MS {
            self.overload.long = self.overload.long.max(now);
        }
    }

    fn choke(&mut self, on: bool) {
        self.overload.on = on;
        if on {
            count(&mut self.stats.chokes);
        }
        tracing::debug!(on, "choke");
        let sides: Vec<(PeerId, RoomTag)> = self
            .links
            .iter()
            .filter(|(_, link)| !link.dropped)
            .flat_map(|(&peer, link)| link.rooms.keys().map(move |&tag| (peer, tag)))
            .collect();
        for (peer, tag) in sides {
            self.say_choke(peer, tag, on);
        }
    }

    /// A new neighbour learns that this device asks to be spared.
    pub(crate) fn say_choke(&mut self, peer: PeerId, tag: RoomTag, on: bool) {
        let frame = Frame::Choke(Choke {
            room: tag.short(),
            on,
        });
        self.send(peer, frame, Lane::Ordered);
    }

    /// A neighbour asks to be spared: its events are taken elsewhere, its own ones excepted.
    pub(crate) fn on_choke(&mut self, from: PeerId, tag: RoomTag, on: bool, now: Timestamp) {
        if !self.take_hints(from, 1, now) {
            return;
        }
        let Some(side) = self.side(from, tag) else {
            return;
        };
        if std::mem::replace(&mut side.choked, on) == on || !on || !self.config.controls.load {
            return;
        }
        self.feed_elsewhere(from, tag);
    }

    /// What a neighbour feeds to here is taken from others where there are any, its own events
    /// excepted.
    pub(crate) fn feed_elsewhere(&mut self, from: PeerId, tag: RoomTag) {
        let Some(side) = self.side(from, tag) else {
            return;
        };
        let itself = side.author;
        let fed = self
            .rooms
            .get(&tag)
            .map_or(Vec::new(), |room| room.trees.children_of(from));
        let mut grafts = Grafts::new();
        let mut prunes = Vec::new();
        for orphan in fed.into_iter().filter(|o| o.author != itself) {
            let Some(next) = orphan.next.filter(|&next| !self.is_choked(next, tag)) else {
                continue;
            };
            self.graft_from(tag, orphan.author, next, &mut grafts);
            prunes.push(orphan.author);
        }
        self.send_grafts(tag, grafts);
        self.send_prunes(tag, from, &prunes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_follows_the_round_trip_and_the_queue() {
        let mut speed = Speed::default();
        assert_eq!(speed.cost(), limits::COST_UNKNOWN_MS);
        speed.report(40, 0, 0);
        assert_eq!(speed.cost(), 20);
        for _ in 0..40 {
            speed.report(40, 100_000, 1_000_000);
        }
        assert!((110..=120).contains(&speed.cost()), "{}", speed.cost());
        speed.report(u32::MAX, u64::MAX, 1);
        assert!(speed.cost() < u16::MAX);
    }
}
