//! What the engine knows about one room: its logs, what is under way, what is remembered.

use std::collections::{BTreeMap, BTreeSet};

use peddlenet_wire::{
    AuthorId, AuthorShort, EventHash, Hlc, RoomTag, Seq, SignedRecord, Stream, Timestamp,
    frame::Head, ids::Digest, sketch::Summary,
};

use crate::{
    api::{Counts, Held, Ticket},
    bases::Bases,
    beacon::Beacons,
    causal::Causal,
    cuts::Cuts,
    digest::{self, Digests},
    fetch::Outstanding,
    lazy::Lazy,
    limits,
    pace::Paces,
    parked::Parked,
    ranges::Ranges,
    recent::{Known, LogKey, Position, Recent, Refused},
    reconcile::Comparison,
    records::{RecordKey, newer},
    trees::Trees,
    unicast::Unicast,
};

/// The logs of a room.
pub(crate) type Logs = BTreeMap<LogKey, Log>;

/// One author's log.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// What is durable.
    pub(crate) stored: Ranges,
    /// That, and what was accepted and is being made durable.
    pub(crate) got: Ranges,
    /// The highest durable event; of a fork, the one with the greatest hash, so that devices that hold
    /// both branches tell the same.
    pub(crate) head: Option<(Seq, EventHash)>,
    /// Other branches that are kept.
    pub(crate) forks: BTreeSet<EventHash>,
    /// When an event that was pushed to all became durable last: neighbours are about to have it.
    pub(crate) moved: Timestamp,
}

impl Log {
    /// What is told of it: a line per held stretch. Only the highest stretch names the event at
    /// its end, the lower ones (while there are gaps) carry zeros.
    pub(crate) fn lines(&self, (author, stream): LogKey) -> impl Iterator<Item = Head> + '_ {
        let skipped = self.stored.len().saturating_sub(limits::STRETCHES_TOLD);
        self.stored.iter().skip(skipped).map(move |(base, seq)| {
            let hash = match self.head {
                Some((top, hash)) if top == seq => hash,
                _ => EventHash::ZERO,
            };
            Head {
                author,
                stream,
                base,
                seq,
                hash,
            }
        })
    }

    /// Whether it is held from its first event on.
    pub(crate) fn is_whole(&self) -> bool {
        let mut stretches = self.stored.iter();
        stretches.next().is_some_and(|(base, _)| base == Seq::FIRST) && stretches.next().is_none()
    }
}

/// Whether the newest page is fetched before the rest of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// This device held no content when the room was opened.
    Needed,
    /// One neighbour was asked.
    Asked,
    /// It came, or was never needed.
    Done,
}

/// One open room.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) logs: Logs,
    pub(crate) records: BTreeMap<RecordKey, (SignedRecord, u8)>,
    pub(crate) recent: Recent,
    pub(crate) refused: Refused,
    pub(crate) parked: Parked,
    pub(crate) paces: Paces,
    /// Events that are being checked or compared, or are parked.
    pub(crate) pending: BTreeSet<Position>,
    /// Those of them that are being checked.
    pub(crate) verifying: BTreeMap<EventHash, Ticket>,
    /// Records that are being checked, with the clock of the newest.
    pub(crate) verifying_records: BTreeMap<RecordKey, (Hlc, Ticket)>,
    /// Wanted membership events that are being checked: content waits for them.
    pub(crate) membership_checks: usize,
    /// Accepted events that are being made durable.
    pub(crate) persisting: usize,
    /// Logs that end: the last place that is taken.
    pub(crate) ends: BTreeMap<LogKey, Seq>,
    /// Logs that begin after their first event.
    pub(crate) bases: Bases,
    /// Logs of members who were removed.
    pub(crate) cuts: Cuts,
    /// What some neighbour was asked for.
    pub(crate) wanted: BTreeMap<LogKey, Ranges>,
    pub(crate) page: Page,
    pub(crate) page_tries: u8,
    /// A pump is armed.
    pub(crate) pump_armed: bool,
    /// A bound kept the pump from asking for more.
    pub(crate) starved: bool,
    /// Fetched events became durable that neighbours may lack.
    pub(crate) fresh: bool,
    /// Since when there are such events that neighbours have not heard of.
    pub(crate) fresh_since: Timestamp,
    pub(crate) progressed: Timestamp,
    pub(crate) retried: Timestamp,
    pub(crate) retry_armed: bool,
    /// Digests sent: spreads them in time.
    pub(crate) ticks: u64,
    /// The record that was offered again last.
    pub(crate) record_turn: Option<RecordKey>,
    /// Rounds since a record or a neighbour was new.
    pub(crate) records_calm: u32,
    /// Messages to one member.
    pub(crate) unicast: Unicast,
    /// This device's author, once it said something.
    pub(crate) own: Option<AuthorId>,
    pub(crate) trees: Trees,
    pub(crate) beacons: Beacons,
    /// Members, as the driver says (count).
    pub(crate) size: usize,
    pub(crate) lazy: Lazy,
    pub(crate) causal: Causal,
    digests: Digests,
    /// Own cells that are on their way to a neighbour; one comparison at a time.
    pub(crate) comparison: Option<Comparison>,
}

impl Room {
    pub(crate) fn open(held: Vec<Held>, records: Vec<SignedRecord>, now: Timestamp) -> Self {
        let mut room = Self {
            logs: BTreeMap::new(),
            records: BTreeMap::new(),
            recent: Recent::default(),
            refused: Refused::default(),
            parked: Parked::default(),
            paces: Paces::default(),
            pending: BTreeSet::new(),
            verifying: BTreeMap::new(),
            verifying_records: BTreeMap::new(),
            membership_checks: 0,
            persisting: 0,
            ends: BTreeMap::new(),
            bases: Bases::default(),
            cuts: Cuts::default(),
            wanted: BTreeMap::new(),
            page: Page::Needed,
            page_tries: 0,
            pump_armed: false,
            starved: false,
            fresh: false,
            fresh_since: now,
            progressed: now,
            retried: Timestamp::default(),
            retry_armed: false,
            ticks: 0,
            record_turn: None,
            records_calm: 0,
            unicast: Unicast::default(),
            own: None,
            trees: Trees::default(),
            beacons: Beacons::default(),
            size: 0,
            lazy: Lazy::default(),
            causal: Causal::default(),
            digests: Digests::default(),
            comparison: None,
        };
        for one in held {
            let key = (one.author, one.stream);
            let mut log = Log::default();
            for (from, to) in one.ranges {
                log.stored.insert_range(from, to);
            }
            log.got = log.stored.clone();
            log.head = log.stored.last().map(|seq| (seq, one.hash));
            // Also where all of a log was let go: what follows on it waits for nothing.
            room.causal.note(one.hash);
            if let Some((seq, hash)) = log.head {
                let known = Known {
                    previous: None,
                    clock: None,
                    saved: true,
                };
                room.recent.insert((key, seq, hash), known);
                if one.stream == Stream::CONTENT {
                    room.page = Page::Done;
                }
            }
            room.digests.touch(key);
            room.logs.insert(key, log);
        }
        // A room that has a past was left for a while.
        room.beacons.away_since = room.page.eq(&Page::Done).then(Timestamp::default);
        room.trees.latecomer = room.page == Page::Done;
        for record in records {
            let key = (record.header().kind, record.header().author);
            if room
                .records
                .get(&key)
                .is_none_or(|(old, _)| newer(&record, old))
            {
                room.records.insert(key, (record, 0));
            }
        }
        room
    }

    /// All lines of all logs, sorted.
    pub(crate) fn heads(&self) -> Vec<Head> {
        let logs = self.logs.iter();
        logs.flat_map(|(&key, log)| log.lines(key)).collect()
    }

    /// All heads in a few bytes: equal means that both hold the same.
    pub(crate) fn summary(&mut self) -> Summary {
        self.digests.summary(&self.logs)
    }

    /// SHA-256 over the heads, for those outside who want to compare devices.
    pub(crate) fn compute_digest(&self) -> Digest {
        digest::of_logs(self.logs.iter()).0
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts {
            records: self.records.len(),
            parked: self.parked.len(),
            ..Counts::default()
        };
        let mut last: Option<AuthorId> = None;
        for (&(author, stream), log) in self.logs.iter().filter(|(_, l)| !l.stored.is_empty()) {
            let events = log.stored.count();
            counts.events = counts.events.saturating_add(events);
            if stream == Stream::CONTENT {
                counts.content = counts.content.saturating_add(events);
            }
            counts.logs = counts.logs.saturating_add(1);
            if last.replace(author) != Some(author) {
                counts.authors = counts.authors.saturating_add(1);
            }
        }
        counts
    }

    /// Whether this device got as much content as the first page would bring.
    pub(crate) fn holds_a_page(&self) -> bool {
        let content = self.logs.iter().filter(|((_, s), _)| *s == Stream::CONTENT);
        let held = content.fold(0, |sum: u64, (_, log)| sum.saturating_add(log.got.count()));
        held >= u64::from(limits::PAGE)
    }

    /// The last place of a log that is taken: where it was proven to fork, or was cut.
    fn end_of(&self, log: LogKey) -> Option<Seq> {
        let ends = self.ends.get(&log).copied().into_iter();
        ends.chain(self.cuts.end(log)).min()
    }

    /// Whether a log was ended below a place.
    pub(crate) fn is_past_end(&self, log: LogKey, seq: Seq) -> bool {
        self.end_of(log).is_some_and(|last| seq > last)
    }

    /// Takes out of an offer what is held and what is not taken.
    pub(crate) fn trim(&self, log: LogKey, offer: &mut Ranges) {
        if let Some(log) = self.logs.get(&log) {
            offer.subtract(&log.got);
        }
        if let Some(next) = self.end_of(log).and_then(Seq::next) {
            offer.remove_range(next, Seq(u64::MAX));
        }
        self.bases.trim(log, offer);
    }

    /// Whether one more event at a place keeps within the bounds of logs and stretches; `asked`: for it.
    pub(crate) fn has_space(&self, log: LogKey, seq: Seq, asked: bool) -> bool {
        if self.is_past_end(log, seq) || self.bases.covers(log, seq) {
            return false;
        }
        match self.logs.get(&log) {
            Some(log) => {
                let more = if asked { limits::STRETCHES_ASKED } else { 0 };
                let most = limits::STRETCHES_MAX.saturating_add(more);
                log.got.len() < most || !log.got.would_split(seq)
            }
            None => {
                let own = (log.0, Stream(0))..=(log.0, Stream(u32::MAX));
                self.logs.len() < limits::LOGS_MAX
                    && self.logs.range(own).count() < limits::STREAMS_PER_AUTHOR
            }
        }
    }

    /// The one author with that short name, among those of whom something has come.
    pub(crate) fn author_of(&self, short: AuthorShort) -> Option<AuthorId> {
        let (low, high) = AuthorId::range_of(short).into_inner();
        let logs = (low, Stream(0))..=(high, Stream(u32::MAX));
        let mut fits = self.logs.range(logs).map(|(&(author, _), _)| author);
        let first = fits
            .next()
            .or_else(|| self.trees.author_between(low, high))?;
        fits.all(|author| author == first).then_some(first)
    }

    /// What the way from an author to here costs, as told to others.
    pub(crate) fn cost_of(&self, author: AuthorId) -> u16 {
        match self.own == Some(author) {
            true => 0,
            false => self.trees.cost(author),
        }
    }

    /// Where to go on from in a log, so that this position and the hole below it are filled.
    pub(crate) fn first_lacking(&self, log: LogKey, seq: Seq) -> Seq {
        let below = self.logs.get(&log).and_then(|log| log.got.floor(seq));
        below.and_then(Seq::next).unwrap_or(seq)
    }

    pub(crate) fn got(&self, log: LogKey, seq: Seq) -> bool {
        self.logs.get(&log).is_some_and(|l| l.got.contains(seq))
    }

    /// Positions of a log that are being checked or are parked.
    pub(crate) fn pending_in(&self, log: LogKey) -> impl Iterator<Item = Seq> + '_ {
        let all = (log, Seq(0), EventHash::ZERO)..=(log, Seq(u64::MAX), EventHash([0xff; 32]));
        self.pending.range(all).map(|position| position.1)
    }

    /// Notes that an event is durable; `pushed` is when, if it is on its way to all neighbours.
    pub(crate) fn store(&mut self, position: Position, pushed: Option<Timestamp>) {
        let (key, seq, hash) = position;
        if self.cuts.hide(key, seq, hash) {
            return;
        }
        let log = self.logs.entry(key).or_default();
        log.stored.insert(seq);
        log.got.insert(seq);
        log.head = log.head.max(Some((seq, hash)));
        log.moved = pushed.unwrap_or(log.moved);
        self.digests.touch(key);
    }

    /// Something about a log changed that its line tells.
    pub(crate) fn touch(&mut self, log: LogKey) {
        self.digests.touch(log);
    }

    /// An answered or abandoned want no longer keeps its positions from being asked of others.
    pub(crate) fn unwant(&mut self, want: &Outstanding) {
        let Some((log, from, to)) = want.log else {
            return;
        };
        if let Some(ranges) = self.wanted.get_mut(&log) {
            ranges.remove_range(from, to);
            if ranges.is_empty() {
                self.wanted.remove(&log);
            }
        }
    }
}

/// A number that differs between devices, rooms and rounds (FNV-1a): spreads timers without an RNG.
pub(crate) fn spread(salt: u64, room: RoomTag, round: u64) -> u64 {
    let bytes = salt.to_be_bytes().into_iter().chain(room.0);
    fnv1a(bytes.chain(round.to_be_bytes()))
}

/// FNV-1a, 64 bits: cheap, the same everywhere, and no protection against anybody.
pub(crate) fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
