//! Finding what differs between two neighbours in few bytes, and closing the gap at once.
//!
//! ```text
//!  holds less                               holds more
//!    |  Cells, for about as many logs as the     |
//!    |  counts of events differ by ------------> |  takes its own away, peels: a list of logs
//!    | <------------ More, if they do not decode |  (twice as many each time; then Heads of all)
//!    | <---------------- Batch .. Batch(done): what the left end lacks, if it is not much
//!    | <---------------- Heads of some logs, if it is; or where logs have gaps or branches
//!    | <---------------- Want: what the right end lacks
//!    | <---------------- Lines: logs that the right end has never heard of, answered by Heads
//! ```
//!
//! Everything in a comparison is what the other end says: an answer that turns out wrong costs it an
//! offer that is not kept or an event that fails its check, as with heads and wants. Nobody pushes
//! more than was allowed by who sent cells, and nobody has more than one comparison open in a room.

use std::collections::{BTreeSet, VecDeque};

use peddlenet_wire::{
    Capped, Frame, RoomTag, Seq, Timestamp,
    event::sha256,
    frame::{Batch, Head, Wanted},
    limits::{HEADS_MAX, SKETCH_CELLS_MAX},
    sketch::{Cell, Cells, Sketch, Step, Summary},
};

use crate::{
    api::{Lane, PeerId, Why},
    engine::{Due, Engine, count},
    fetch::Outstanding,
    limits,
    recent::{LogKey, elapsed},
    room::{Log, Room},
    sketch::{self, Difference, Entry, Theirs},
};

/// Cells that went to a neighbour.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) peer: PeerId,
    id: u32,
    salt: u64,
    /// What was held then: all cells of one row have to be about the same.
    entries: Vec<Entry>,
    sent: usize,
    since: Timestamp,
    /// Lines were asked for, which is done once.
    lines_told: bool,
}

/// Cells that came from a neighbour.
#[derive(Debug)]
pub(crate) struct Received {
    id: u32,
    salt: u64,
    cells: Vec<Cell>,
}

/// What to do about the differences.
#[derive(Debug, Default)]
struct Plan {
    /// What they lack.
    push: Vec<(LogKey, Seq, Seq)>,
    /// What this device lacks.
    offered: Vec<(LogKey, Seq, Seq)>,
    /// Logs with gaps or branches, to be told and asked about line by line.
    odd: Vec<LogKey>,
    /// Logs that this device can't name.
    unknown: Vec<u32>,
    /// Something else was pushed to all neighbours a moment ago.
    held_back: bool,
}

impl Engine {
    /// Sends the first cells, and lets the other end push what this device lacks.
    pub(crate) fn send_cells(
        &mut self,
        peer: PeerId,
        tag: RoomTag,
        (mine, theirs): (Summary, Summary),
        now: Timestamp,
    ) {
        let total = self.wanted_everywhere();
        let turn = self.number();
        let secret = self.config.salt;
        let Some((room, side)) = self.room_and_side(tag, peer) else {
            return;
        };
        let under_way = room
            .comparison
            .as_ref()
            .is_some_and(|c| !elapsed(c.since, now, limits::WANT_TIMEOUT));
        if under_way || total.saturating_add(limits::PUSH_MAX) > limits::WANTED_MAX {
            side.differing = None;
            return self.nudge(peer, tag, limits::HEADS_EVERY, now);
        }
        let salt = salt(secret, tag, turn);
        let entries = entries(room, salt);
        let missing = theirs.events.saturating_sub(mine.events);
        // Each missing event may be in a log of its own, but there are only so many logs.
        let differences = usize::try_from(missing).unwrap_or(usize::MAX);
        let sent = sketch::enough_for(differences.min(entries.len())).min(SKETCH_CELLS_MAX);
        let cells = sketch::cells(&entries, 0, sent);
        let id = side.next_want;
        side.next_want = id.wrapping_add(1);
        side.heads_sent = Some(now);
        side.wants
            .insert(id, Outstanding::new(None, limits::PUSH_MAX));
        room.comparison = Some(Comparison {
            peer,
            id,
            salt,
            entries,
            sent,
            since: now,
            lines_told: false,
        });
        count(&mut self.stats.sketches);
        self.arm(Due::Want(peer, tag, id), now.after(limits::WANT_TIMEOUT));
        let step = Step::Cells {
            salt,
            first: 0,
            cells,
        };
        self.send_step(peer, tag, id, step);
    }

    fn send_step(&mut self, peer: PeerId, tag: RoomTag, id: u32, step: Step) {
        let room = tag.short();
        self.send(
            peer,
            Frame::Sketch(Sketch { room, id, step }),
            Lane::Ordered,
        );
    }

    pub(crate) fn on_sketch(&mut self, from: PeerId, tag: RoomTag, frame: Sketch, now: Timestamp) {
        if !self.config.controls.sync {
            return;
        }
        if !self
            .links
            .get_mut(&from)
            .is_some_and(|l| l.sketches.take(now))
        {
            return self.blame(from, Why::OverQuota, now);
        }
        match frame.step {
            Step::Cells { salt, first, cells } => {
                self.on_cells(from, tag, (frame.id, salt, first), &cells, now);
            }
            Step::More { first } => self.on_more(from, tag, frame.id, first),
            Step::Lines { logs } => self.on_lines(from, tag, frame.id, &logs),
        }
    }

    fn on_cells(
        &mut self,
        from: PeerId,
        tag: RoomTag,
        (id, salt, first): (u32, u64, u16),
        cells: &Cells,
        now: Timestamp,
    ) {
        let Some((room, side)) = self.room_and_side(tag, from) else {
            return;
        };
        let mut so_far = match side.received.take() {
            _ if first == 0 => Received {
                id,
                salt,
                cells: Vec::new(),
            },
            Some(known) if (known.id, known.salt) == (id, salt) => known,
            // The end of something that was given up.
            _ => return,
        };
        let is_next = usize::from(first) == so_far.cells.len();
        let count = so_far.cells.len().saturating_add(cells.len());
        if !is_next || cells.is_empty() || count > SKETCH_CELLS_MAX {
            return self.blame(from, Why::Nonsense, now);
        }
        so_far.cells.extend(cells.iter());
        let entries = entries(room, salt);
        if let Some(differences) = sketch::decode(&so_far.cells, &entries) {
            let logs: Vec<LogKey> = held_logs(room).map(|(&key, _)| key).collect();
            let plan = plan(room, &logs, &differences, (side.up, now));
            tracing::debug!(
                peer = from.0,
                cells = count,
                logs = differences.len(),
                "decoded"
            );
            return self.carry_out(from, tag, id, plan, now);
        }
        let most = entries.len().saturating_mul(limits::SKETCH_CELLS_PER_LOG);
        match u16::try_from(count) {
            Ok(first) if count < most.min(SKETCH_CELLS_MAX) => {
                side.received = Some(so_far);
                self.send_step(from, tag, id, Step::More { first });
            }
            _ => {
                tracing::debug!(peer = from.0, cells = count, "cells do not decode");
                self.send_heads(from, tag, true, now);
            }
        }
    }

    fn carry_out(&mut self, to: PeerId, tag: RoomTag, id: u32, plan: Plan, now: Timestamp) {
        let Some((room, side)) = self.room_and_side(tag, to) else {
            return;
        };
        side.heard = true;
        side.forgive(now);
        for &(log, from, upto) in &plan.offered {
            if side.distrusted.is_none() {
                side.offer(log, (from, upto), room.logs.contains_key(&log));
            }
        }
        let lines = |logs: &mut dyn Iterator<Item = LogKey>| -> Vec<Head> {
            let held = logs.filter_map(|key| Some((key, room.logs.get(&key)?)));
            held.flat_map(|(key, log)| log.lines(key)).collect()
        };
        let events = plan.push.iter().fold(0u64, |sum, (_, from, upto)| {
            let more = upto.0.saturating_sub(from.0).saturating_add(1);
            sum.saturating_add(more)
        });
        let is_busy = side.serving >= limits::SERVES_ACTIVE;
        let (pushed, told) = if events > limits::PUSH_MAX || is_busy {
            (VecDeque::new(), lines(&mut plan.push.iter().map(|p| p.0)))
        } else {
            (wants(&plan.push), Vec::new())
        };
        let odd = lines(&mut plan.odd.iter().copied());
        if !told.is_empty() {
            self.send_lines(to, tag, told, (false, true));
        }
        if !odd.is_empty() {
            self.send_lines(to, tag, odd, (true, true));
        }
        if !plan.unknown.is_empty() {
            let logs = Capped::take_from(&mut plan.unknown.into_iter());
            self.send_step(to, tag, id, Step::Lines { logs });
        }
        if pushed.is_empty() {
            let frame = Frame::Batch(Batch {
                room: tag,
                id,
                events: Capped::default(),
                done: true,
            });
            self.send(to, frame, Lane::Ordered);
        } else {
            self.serve_all(to, tag, id, pushed);
        }
        if plan.held_back {
            self.nudge(to, tag, limits::PUSH_GRACE, now);
        }
        if plan.offered.is_empty() {
            self.settle(tag);
        } else {
            // What this device lacks may be on its way along the trees.
            self.pump_soon(tag, now);
        }
    }

    fn on_more(&mut self, from: PeerId, tag: RoomTag, id: u32, first: u16) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        let Some(open) = open_with(&mut room.comparison, from, id) else {
            return;
        };
        let left = SKETCH_CELLS_MAX.saturating_sub(open.sent);
        if usize::from(first) != open.sent || left == 0 {
            return;
        }
        let more = open.sent.min(left);
        let cells = sketch::cells(&open.entries, open.sent, more);
        open.sent = open.sent.saturating_add(more);
        let salt = open.salt;
        self.send_step(from, tag, id, Step::Cells { salt, first, cells });
    }

    fn on_lines(&mut self, from: PeerId, tag: RoomTag, id: u32, names: &[u32]) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        let Some(open) = open_with(&mut room.comparison, from, id).filter(|o| !o.lines_told) else {
            return;
        };
        open.lines_told = true;
        let salt = open.salt;
        let names: BTreeSet<u32> = names.iter().copied().take(HEADS_MAX).collect();
        let asked = held_logs(room).filter(|(key, _)| names.contains(&sketch::name(salt, **key)));
        let lines: Vec<Head> = asked.flat_map(|(&key, log)| log.lines(key)).collect();
        if !lines.is_empty() {
            self.send_lines(from, tag, lines, (false, true));
        }
    }

    /// The other end gave up on cells.
    pub(crate) fn heads_instead_of_cells(&mut self, peer: PeerId, tag: RoomTag) {
        if let Some(room) = self.rooms.get_mut(&tag)
            && let Some(open) = room.comparison.take_if(|open| open.peer == peer)
            && let Some(side) = self.side(peer, tag)
        {
            side.wants.remove(&open.id);
            // Cells are no heads: these are still to be answered.
            side.heads_sent = None;
        }
    }

    pub(crate) fn end_comparison(&mut self, tag: RoomTag, peer: PeerId, id: u32) {
        if let Some(room) = self.rooms.get_mut(&tag) {
            room.comparison
                .take_if(|open| open.peer == peer && open.id == id);
        }
    }
}

fn open_with(open: &mut Option<Comparison>, peer: PeerId, id: u32) -> Option<&mut Comparison> {
    open.as_mut().filter(|o| o.peer == peer && o.id == id)
}

/// Differs in each comparison; nobody else can tell it beforehand.
fn salt(secret: u64, tag: RoomTag, turn: u64) -> u64 {
    let mut bytes = [0; 32];
    let parts = secret.to_be_bytes().into_iter();
    let parts = parts.chain(tag.0).chain(turn.to_be_bytes());
    bytes
        .iter_mut()
        .zip(parts)
        .for_each(|(to, from)| *to = from);
    let [a, b, c, d, e, f, g, h, ..] = sha256(&bytes).0;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

fn held_logs(room: &Room) -> impl Iterator<Item = (&LogKey, &Log)> {
    room.logs.iter().filter(|(_, log)| !log.stored.is_empty())
}

fn entries(room: &Room, salt: u64) -> Vec<Entry> {
    held_logs(room)
        .map(|(&key, log)| Entry::of(salt, key, log))
        .collect()
}

fn plan(
    room: &Room,
    logs: &[LogKey],
    differences: &[Difference],
    (up, now): (Timestamp, Timestamp),
) -> Plan {
    let mut plan = Plan::default();
    for difference in differences {
        let own = difference.own.and_then(|i| logs.get(i));
        let Some((&key, log)) = own.and_then(|key| room.logs.get_key_value(key)) else {
            plan.unknown.push(difference.name);
            continue;
        };
        let Some(ours) = log.stored.last().filter(|_| log.is_whole()) else {
            plan.odd.push(key);
            continue;
        };
        let theirs = match difference.theirs {
            Theirs::Nothing => Seq(0),
            Theirs::Until(low) => nearest(ours, low),
            Theirs::Parts => {
                plan.odd.push(key);
                continue;
            }
        };
        let after = |seq: Seq| seq.next().unwrap_or(seq);
        if theirs > ours {
            plan.offered.push((key, after(ours), theirs));
        } else if theirs == ours {
            plan.odd.push(key);
        } else if log.moved < up || elapsed(log.moved, now, limits::PUSH_GRACE) {
            plan.push.push((key, after(theirs), ours));
        } else {
            plan.held_back = true;
        }
    }
    // Membership first: it decides what is accepted of the rest.
    plan.push
        .sort_by_key(|((author, stream), ..)| (*stream, *author));
    plan
}

/// The position nearest to ours that ends in these bits.
fn nearest(ours: Seq, low: u16) -> Seq {
    let ahead = low.wrapping_sub(u16::try_from(ours.0 & 0xffff).unwrap_or(0));
    let up = Seq(ours.0.saturating_add(u64::from(ahead)));
    let behind = u64::from(ahead.wrapping_neg());
    match ours.0.checked_sub(behind) {
        Some(down) if ahead >= 0x8000 => Seq(down),
        _ => up,
    }
}

fn wants(push: &[(LogKey, Seq, Seq)]) -> VecDeque<Wanted> {
    let range = |&((author, stream), from, to): &(LogKey, Seq, Seq)| Wanted::Range {
        author,
        stream,
        from,
        to,
    };
    push.iter().map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_position_with_these_lower_bits() {
        for (ours, low, theirs) in [
            (10, 12, 12),
            (10, 8, 8),
            (10, 10, 10),
            (0, 700, 700),
            (3, 60_000, 60_000),
            (65_535, 2, 65_538),
            (65_538, 65_535, 65_535),
            (1_000_000, (1_000_000u64 & 0xffff) as u16 + 9, 1_000_009),
            (u64::MAX, 0, u64::MAX),
        ] {
            assert_eq!(nearest(Seq(ours), low), Seq(theirs), "{ours} {low}");
        }
    }
}
