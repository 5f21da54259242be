//! Anti-entropy: heads and digests find what flooding lost.
//!
//! ```text
//!  room runs over a link   Heads(reply) both ways         -> what they hold and I lack becomes their offer
//!  every 4-6 s             DigestOf to each neighbour     -> equal: silence. Different: Heads(reply)
//!  history became durable  DigestOf to each neighbour     -> so that it travels on, link by link
//! ```
//!
//! Heads and digest count only what is durable. An offer is taken back when it is not kept, so
//! nothing is asked for in a tight loop; the next heads make it again.

use peddlenet_wire::{
    Capped, EventHash, Frame, RoomTag, Seq, Timestamp,
    frame::{DigestOf, Head, Heads},
};

use crate::{
    api::{Action, Lane, Notice, PeerId, Why},
    engine::{Due, Engine, count},
    limits,
    links::Side,
    ranges::Ranges,
    recent::elapsed,
    room::{Room, spread},
};

impl Engine {
    /// Tells one side what this device holds, membership first.
    pub(crate) fn send_heads(&mut self, peer: PeerId, tag: RoomTag, reply: bool, now: Timestamp) {
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        let mut heads = room.heads();
        heads.sort_by_key(|head| head.stream);
        let Some(side) = self.side(peer, tag) else {
            return;
        };
        side.heads_sent = Some(now);
        let mut heads = heads.into_iter().peekable();
        loop {
            let part = Capped::take_from(&mut heads);
            let last = heads.peek().is_none();
            let frame = Frame::Heads(Heads {
                room: tag,
                heads: part,
                reply: reply && last,
            });
            self.send(peer, frame, Lane::Ordered);
            if last {
                break;
            }
        }
    }

    pub(crate) fn on_heads(&mut self, from: PeerId, frame: &Heads, now: Timestamp) {
        let tag = frame.room;
        if !self.links.get_mut(&from).is_some_and(|l| l.heads.take(now)) {
            return self.blame(from, Why::OverQuota, now);
        }
        let (Some(room), Some(side)) = (
            self.rooms.get(&tag),
            self.links
                .get_mut(&from)
                .and_then(|l| l.rooms.get_mut(&tag)),
        ) else {
            return;
        };
        if side
            .distrusted
            .is_some_and(|since| elapsed(since, now, limits::DISTRUST))
        {
            side.distrusted = None;
            side.strikes = 0;
        }
        side.heard = true;
        let mut nonsense = false;
        for head in frame.heads.iter() {
            if head.base < Seq::FIRST || head.base > head.seq {
                nonsense = true;
            } else if side.distrusted.is_none() {
                hear(room, side, head);
            }
        }
        let recent = side
            .heads_sent
            .is_some_and(|at| !elapsed(at, now, limits::HEADS_EVERY));
        if nonsense {
            self.blame(from, Why::Nonsense, now);
        }
        if frame.reply {
            self.answer_heads(from, tag, recent, now);
        }
        self.pump(tag, now);
    }

    /// Both ends greet at once, most often, and need no answer. But a greeting may have come before
    /// the other end was ready: few heads are simply sent again, for many a digest tells.
    fn answer_heads(&mut self, peer: PeerId, tag: RoomTag, recent: bool, now: Timestamp) {
        let few = self
            .rooms
            .get(&tag)
            .is_some_and(|r| r.heads().len() <= limits::HEADS_FEW);
        let Some(side) = self.side(peer, tag) else {
            return;
        };
        if !recent || (few && !side.repeated) {
            side.repeated |= recent;
            self.send_heads(peer, tag, false, now);
        } else {
            self.nudge(peer, tag, limits::HEADS_EVERY, now);
        }
    }

    pub(crate) fn on_digest(&mut self, from: PeerId, frame: &DigestOf, now: Timestamp) {
        let tag = frame.room;
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        let mine = room.digest();
        let busy = room.persisting > 0 || !room.verifying.is_empty();
        let Some(side) = self.side(from, tag) else {
            return;
        };
        if frame.digest == mine {
            side.agreed = Some(mine);
            side.differing = None;
            return;
        }
        side.agreed = None;
        if !side.wants.is_empty() {
            // What differs is on its way.
            return;
        }
        if busy && side.differing.is_none() {
            // Most likely what differs is in the middle of being taken in.
            side.differing = Some((mine, frame.digest, 0));
            return self.nudge(from, tag, limits::HEADS_EVERY, now);
        }
        let times = match side.differing {
            Some((ours, theirs, times)) if ours == mine && theirs == frame.digest => times,
            _ => 0,
        };
        let factor = 1u32.checked_shl(times).unwrap_or(u32::MAX);
        let pause = limits::HEADS_EVERY
            .saturating_mul(factor)
            .min(limits::HEADS_STUCK_EVERY);
        if side.heads_sent.is_some_and(|at| !elapsed(at, now, pause)) {
            if times == 0 {
                self.nudge(from, tag, pause, now);
            }
            return;
        }
        side.differing = Some((mine, frame.digest, times.saturating_add(1)));
        count(&mut self.stats.mismatches);
        tracing::debug!(peer = from.0, room = ?tag, "digests differ");
        self.send_heads(from, tag, true, now);
        self.records_again(from, tag, now);
    }

    /// A digest goes to one side after a while, once.
    fn nudge(&mut self, peer: PeerId, tag: RoomTag, pause: std::time::Duration, now: Timestamp) {
        if let Some(side) = self.side(peer, tag).filter(|s| !s.nudge_armed) {
            side.nudge_armed = true;
            self.arm(Due::Nudge(peer, tag), now.after(pause));
        }
    }

    pub(crate) fn on_nudge_due(&mut self, peer: PeerId, tag: RoomTag) {
        if let Some(side) = self.side(peer, tag) {
            side.nudge_armed = false;
            self.send_digest(peer, tag);
        }
    }

    pub(crate) fn arm_digest(&mut self, tag: RoomTag, now: Timestamp) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        room.ticks = room.ticks.wrapping_add(1);
        let jitter = spread(self.config.salt, tag, room.ticks)
            .checked_rem(limits::DIGEST_JITTER_MS)
            .unwrap_or(0);
        let at = now
            .after(limits::DIGEST_EVERY)
            .after(std::time::Duration::from_millis(jitter));
        self.arm(Due::Digest(tag), at);
    }

    pub(crate) fn on_digest_due(&mut self, tag: RoomTag, now: Timestamp) {
        if !self.rooms.contains_key(&tag) {
            return;
        }
        self.expire_parked(tag, now);
        self.send_digests(tag);
        self.offer_one_record(tag);
        self.pump(tag, now);
        self.arm_digest(tag, now);
    }

    fn send_digests(&mut self, tag: RoomTag) {
        for peer in self.neighbours(tag) {
            self.send_digest(peer, tag);
        }
    }

    /// A digest to a neighbour, unless both are known to have the same.
    fn send_digest(&mut self, peer: PeerId, tag: RoomTag) {
        let Some(digest) = self.rooms.get_mut(&tag).map(Room::digest) else {
            return;
        };
        if self
            .side(peer, tag)
            .is_some_and(|side| side.agreed != Some(digest))
        {
            let frame = Frame::DigestOf(DigestOf { room: tag, digest });
            self.send(peer, frame, Lane::Ordered);
        }
    }

    /// Lets the neighbours know of fetched events: at the end of a fetch, and now and then in a long one.
    pub(crate) fn announce(&mut self, tag: RoomTag, now: Timestamp) {
        let Some(room) = self.rooms.get_mut(&tag).filter(|r| r.fresh) else {
            return;
        };
        let end = room.persisting == 0 && room.wanted.is_empty();
        if end || elapsed(room.fresh_since, now, limits::ANNOUNCE_EVERY) {
            room.fresh = false;
            self.send_digests(tag);
        }
    }

    /// Tells how far the history is: now and then, and at the end.
    pub(crate) fn report(&mut self, tag: RoomTag, now: Timestamp) {
        let Some(room) = self.rooms.get_mut(&tag).filter(|r| r.fresh) else {
            return;
        };
        let end = room.persisting == 0 && room.wanted.is_empty();
        if !end && !elapsed(room.progressed, now, limits::PROGRESS_EVERY) {
            return;
        }
        room.progressed = now;
        let held = room.counts().events;
        let missing = self
            .links
            .values()
            .filter_map(|link| link.rooms.get(&tag))
            .map(|side| {
                let each = side.offers.values().map(Ranges::count);
                each.fold(0, u64::saturating_add)
            })
            .max()
            .unwrap_or(0);
        let missing = if end { 0 } else { missing };
        self.out.push(Action::Notify(Notice::HistoryProgress {
            room: tag,
            held,
            missing,
        }));
    }

    /// Tells, once each time, that a neighbour has nothing more to give.
    pub(crate) fn settle(&mut self, tag: RoomTag) {
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        if room.persisting > 0 || !room.verifying.is_empty() {
            return;
        }
        let mut done = Vec::new();
        for (&peer, link) in self.links.iter_mut().filter(|(_, link)| !link.dropped) {
            let Some(side) = link.rooms.get_mut(&tag) else {
                continue;
            };
            if !side.heard || side.synced || !side.wants.is_empty() {
                continue;
            }
            side.offers.retain(|log, ranges| {
                if let Some(log) = room.logs.get(log) {
                    ranges.subtract(&log.got);
                }
                !ranges.is_empty()
            });
            if side.offers.is_empty() {
                side.synced = true;
                done.push(peer);
            }
        }
        for peer in done {
            self.out
                .push(Action::Notify(Notice::Synced { room: tag, peer }));
        }
    }
}

/// Notes what one line of somebody's heads has that this device lacks.
fn hear(room: &Room, side: &mut Side, head: &Head) {
    let key = (head.author, head.stream);
    let log = room.logs.get(&key);
    let mut lacking = Ranges::new();
    lacking.insert_range(head.base, head.seq);
    if let Some(log) = log {
        lacking.subtract(&log.got);
    }
    for stretch in lacking.iter() {
        side.offer(key, stretch, log.is_some());
    }
    let Some(log) = log.filter(|l| head.hash != EventHash::ZERO && l.got.contains(head.seq)) else {
        return;
    };
    // The place is taken: is it by the same event?
    let same = room.recent.event(&(key, head.seq, head.hash)).is_some()
        || log.head == Some((head.seq, head.hash))
        || log.forks.contains(&head.hash);
    let ours =
        room.recent.at(key, head.seq).is_some() || log.head.is_some_and(|(s, _)| s == head.seq);
    if !same && ours && log.forks.len() < limits::FORKS_MAX && side.odd.len() < limits::ODD_MAX {
        side.odd.insert((key, head.seq));
    }
}
