//! Anti-entropy: digests find what the trees lost, cells or heads say what it is.
//!
//! ```text
//!  room runs over a link   DigestOf both ways; an empty room says Heads(reply)
//!  every 4-6 s             DigestOf to each neighbour that is not known to have the same
//!  DigestOf equal          told once, then silence
//!           different      who holds less sends cells (see `reconcile`), who holds more its digest
//!           again and again, or nothing held: Heads(reply) both ways: what they hold and I lack becomes their offer
//!  history became durable  DigestOf to each neighbour, so that it travels on, link by link
//! ```
//!
//! Heads and digest count only what is durable. An offer is taken back when it is not kept, so
//! nothing is asked for in a tight loop; the next heads make it again.

use std::collections::BTreeSet;

use peddlenet_wire::{
    Capped, EventHash, Frame, RoomTag, Seq, Timestamp,
    frame::{Head, Heads},
    sketch::{DigestOf, Summary},
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
    /// Both ends tell what they hold, as soon as a room runs over a link.
    pub(crate) fn greet_with_digest(&mut self, peer: PeerId, tag: RoomTag, now: Timestamp) {
        match self.rooms.get(&tag).map(|room| room.logs.is_empty()) {
            Some(true) => self.send_heads(peer, tag, true, now),
            Some(false) => self.send_digest(peer, tag, now),
            None => {}
        }
    }

    /// Tells one side what this device holds, membership first.
    pub(crate) fn send_heads(&mut self, peer: PeerId, tag: RoomTag, reply: bool, now: Timestamp) {
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        let heads = room.heads();
        let Some(side) = self.side(peer, tag) else {
            return;
        };
        side.heads_sent = Some(now);
        self.send_lines(peer, tag, heads, (reply, false));
    }

    /// Heads in as many frames as it takes; `reply` and `some` as in the frame.
    pub(crate) fn send_lines(
        &mut self,
        peer: PeerId,
        tag: RoomTag,
        mut heads: Vec<Head>,
        (reply, some): (bool, bool),
    ) {
        if !self.config.controls.sync {
            return;
        }
        heads.sort_by_key(|head| head.stream);
        let mut heads = heads.into_iter().peekable();
        loop {
            let part = Capped::take_from(&mut heads);
            let last = heads.peek().is_none();
            let frame = Frame::Heads(Heads {
                room: tag,
                heads: part,
                // All logs are answered for once, some with each frame that names them.
                reply: reply && (last || some),
                some,
            });
            self.send(peer, frame, Lane::Ordered);
            if last {
                break;
            }
        }
    }

    pub(crate) fn on_heads(&mut self, from: PeerId, frame: &Heads, now: Timestamp) {
        let tag = frame.room;
        if !self.config.controls.sync {
            return;
        }
        if !self.links.get_mut(&from).is_some_and(|l| l.heads.take(now)) {
            return self.blame(from, Why::OverQuota, now);
        }
        if !frame.some {
            self.heads_instead_of_cells(from, tag);
        }
        let Some((room, side)) = self.room_and_side(tag, from) else {
            return;
        };
        side.forgive(now);
        side.heard = true;
        let late = room.logs.is_empty() && !frame.heads.is_empty();
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
        if late {
            self.came_late(tag, from);
        }
        match (frame.reply, frame.some) {
            (true, true) => self.answer_lines(from, tag, &frame.heads),
            (true, false) => self.answer_heads(from, tag, recent, now),
            (false, _) => {}
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

    /// The same logs as this device holds them.
    fn answer_lines(&mut self, peer: PeerId, tag: RoomTag, asked: &[Head]) {
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        let logs: BTreeSet<_> = asked.iter().map(|h| (h.author, h.stream)).collect();
        let held = logs.into_iter().filter_map(|key| {
            let log = room.logs.get(&key)?;
            Some(log.lines(key).collect::<Vec<_>>())
        });
        let lines: Vec<Head> = held.flatten().collect();
        if !lines.is_empty() {
            self.send_lines(peer, tag, lines, (false, true));
        }
    }

    pub(crate) fn on_digest(
        &mut self,
        from: PeerId,
        tag: RoomTag,
        theirs: Summary,
        now: Timestamp,
    ) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        if !self.config.controls.sync {
            return;
        }
        let mine = room.summary();
        let is_empty = room.logs.is_empty();
        let busy = room.persisting > 0 || !room.verifying.is_empty();
        let Some(side) = self.side(from, tag) else {
            return;
        };
        if theirs == mine {
            side.agreed = Some(mine);
            side.differing = None;
            side.heard = true;
            let knows = side
                .told
                .is_some_and(|(told, at)| told == mine && !elapsed(at, now, limits::DIGEST_EVERY));
            if !knows {
                // So that the other end falls silent, too.
                self.tell_digest(from, tag, mine, now);
            }
            return self.settle(tag);
        }
        side.agreed = None;
        if !side.wants.is_empty() {
            // What differs is on its way.
            return;
        }
        if busy && side.differing.is_none() {
            // Most likely what differs is in the middle of being taken in.
            side.differing = Some((mine, theirs, 0));
            return self.nudge(from, tag, limits::HEADS_EVERY, now);
        }
        let times = match side.differing {
            Some((ours, other, times)) if ours == mine && other == theirs => times,
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
        side.differing = Some((mine, theirs, times.saturating_add(1)));
        count(&mut self.stats.mismatches);
        tracing::debug!(peer = from.0, room = ?tag, "digests differ");
        if is_empty || times >= limits::SKETCH_TRIES {
            self.send_heads(from, tag, true, now);
        } else if mine < theirs {
            self.send_cells(from, tag, (mine, theirs), now);
        } else {
            // Who holds less asks, so that what it lacks can be pushed in the answer.
            self.tell_digest(from, tag, mine, now);
        }
        self.records_again(from, tag, now);
    }

    /// A digest goes to one side after a while, once.
    pub(crate) fn nudge(
        &mut self,
        peer: PeerId,
        tag: RoomTag,
        pause: std::time::Duration,
        now: Timestamp,
    ) {
        if let Some(side) = self.side(peer, tag).filter(|s| !s.nudge_armed) {
            side.nudge_armed = true;
            self.arm(Due::Nudge(peer, tag), now.after(pause));
        }
    }

    pub(crate) fn on_nudge_due(&mut self, peer: PeerId, tag: RoomTag, now: Timestamp) {
        if let Some(side) = self.side(peer, tag) {
            side.nudge_armed = false;
            self.send_digest(peer, tag, now);
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
        self.send_digests(tag, now);
        self.offer_one_record(tag);
        self.pump(tag, now);
        self.arm_digest(tag, now);
    }

    fn send_digests(&mut self, tag: RoomTag, now: Timestamp) {
        for peer in self.neighbours(tag) {
            self.send_digest(peer, tag, now);
        }
    }

    /// A digest to a neighbour, unless both are known to have the same.
    fn send_digest(&mut self, peer: PeerId, tag: RoomTag, now: Timestamp) {
        let Some(summary) = self.rooms.get_mut(&tag).map(Room::summary) else {
            return;
        };
        if self
            .side(peer, tag)
            .is_some_and(|side| side.agreed != Some(summary))
        {
            self.tell_digest(peer, tag, summary, now);
        }
    }

    fn tell_digest(&mut self, peer: PeerId, tag: RoomTag, summary: Summary, now: Timestamp) {
        if !self.config.controls.sync {
            return;
        }
        if let Some(side) = self.side(peer, tag) {
            side.told = Some((summary, now));
        }
        let room = tag.short();
        let frame = Frame::DigestOf(DigestOf { room, summary });
        self.send(peer, frame, Lane::Ordered);
    }

    /// Lets the neighbours know of fetched events: at the end of a fetch, and now and then in a long one.
    pub(crate) fn announce(&mut self, tag: RoomTag, now: Timestamp) {
        let Some(room) = self.rooms.get_mut(&tag).filter(|r| r.fresh) else {
            return;
        };
        let end = room.persisting == 0 && room.wanted.is_empty();
        if end || elapsed(room.fresh_since, now, limits::ANNOUNCE_EVERY) {
            room.fresh = false;
            self.send_digests(tag, now);
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
            side.trim(|log, ranges| room.trim(log, ranges));
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
    if !same && ours && log.forks.len() < limits::BRANCH_MAX && side.odd.len() < limits::ODD_MAX {
        side.odd.insert((key, head.seq));
    }
}
