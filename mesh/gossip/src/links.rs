//! Links and their sides: who is at the other end, what they offer, how they behave.
//!
//! A link serves every room that both ends share; what belongs to one room on one link is a
//! [`Side`]. Dropping a link forgets all of it, so that whatever was under way there is missing
//! again and goes elsewhere.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use peddlenet_wire::{AuthorId, RoomShort, RoomTag, Seq, Timestamp, frame::Want, sketch::Summary};

use crate::{
    api::{Action, Notice, PeerId, Why},
    engine::{Engine, count},
    fetch::Outstanding,
    limits,
    load::Speed,
    ranges::Ranges,
    recent::{LogKey, elapsed},
    reconcile::Received,
    records::RecordKey,
    room::{Page, Room},
    unicast::Meter,
};

/// A token bucket: so many a second, and as many at once unless said otherwise.
#[derive(Debug)]
pub(crate) struct Bucket {
    a_second: u64,
    /// Thousandths of a token that it holds at most.
    most: u64,
    /// Thousandths of a token.
    level: u64,
    filled: Timestamp,
}

impl Bucket {
    pub(crate) fn new(a_second: u32, now: Timestamp) -> Self {
        Self::with_burst(a_second, a_second, now)
    }

    pub(crate) fn with_burst(a_second: u32, burst: u32, now: Timestamp) -> Self {
        let most = u64::from(burst).saturating_mul(1_000);
        Self {
            a_second: u64::from(a_second),
            most,
            level: most,
            filled: now,
        }
    }

    pub(crate) fn take(&mut self, now: Timestamp) -> bool {
        self.take_many(1, now)
    }

    pub(crate) fn take_many(&mut self, tokens: u32, now: Timestamp) -> bool {
        if !self.has(tokens, now) {
            return false;
        }
        let taken = u64::from(tokens).saturating_mul(1_000);
        self.level = self.level.saturating_sub(taken);
        true
    }

    /// Whether it holds so many.
    pub(crate) fn has(&mut self, tokens: u32, now: Timestamp) -> bool {
        let passed = u64::try_from(now.since(self.filled).as_millis()).unwrap_or(u64::MAX);
        self.filled = now;
        self.level = self
            .level
            .saturating_add(passed.saturating_mul(self.a_second))
            .min(self.most);
        self.level >= u64::from(tokens).saturating_mul(1_000)
    }
}

/// One link.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) rooms: BTreeMap<RoomTag, Side>,
    pub(crate) checks: Bucket,
    pub(crate) wants: Bucket,
    pub(crate) heads: Bucket,
    pub(crate) hints: Bucket,
    pub(crate) speed: Speed,
    pub(crate) unicast: Meter,
    pub(crate) sketches: Bucket,
    score: i32,
    noted: BTreeMap<Why, Timestamp>,
    pub(crate) dropped: bool,
}

impl Link {
    fn new(now: Timestamp) -> Self {
        Self {
            rooms: BTreeMap::new(),
            checks: Bucket::new(limits::CHECKS_A_SECOND, now),
            wants: Bucket::new(limits::WANTS_A_SECOND, now),
            heads: Bucket::new(limits::HEADS_A_SECOND, now),
            hints: Bucket::new(limits::HINTS_A_SECOND, now),
            speed: Speed::default(),
            unicast: Meter::new(now),
            sketches: Bucket::new(limits::SKETCHES_A_SECOND, now),
            score: 0,
            noted: BTreeMap::new(),
            dropped: false,
        }
    }

    /// It misbehaved so often that others are preferred.
    pub(crate) fn is_shunned(&self) -> bool {
        self.score < limits::SCORE_SHUN
    }
}

/// One room on one link.
#[derive(Debug)]
pub(crate) struct Side {
    /// Who is at the other end.
    pub(crate) author: AuthorId,
    /// When something was announced there last.
    pub(crate) announced: Timestamp,
    /// Whether it asks to be spared as a relay.
    pub(crate) choked: bool,
    /// Since when the room runs over the link.
    pub(crate) up: Timestamp,
    /// Whether it is known what it holds.
    pub(crate) heard: bool,
    /// Whether the driver was told that nothing is missing.
    pub(crate) synced: bool,
    /// What it says to hold and this device lacked when it said so.
    pub(crate) offers: BTreeMap<LogKey, Ranges>,
    /// Parts of them that it never said to hold, and may have heard of itself only.
    guesses: BTreeMap<LogKey, Ranges>,
    /// Places at which it names another event than ours.
    pub(crate) odd: BTreeSet<(LogKey, Seq)>,
    /// What it was asked for.
    pub(crate) wants: BTreeMap<u32, Outstanding>,
    pub(crate) next_want: u32,
    /// Empty answers and timeouts in a row.
    pub(crate) strikes: u32,
    /// Until when its offers count for nothing.
    pub(crate) distrusted: Option<Timestamp>,
    /// For how long the next time.
    pub(crate) distrust: Duration,
    /// When heads or cells went there.
    pub(crate) heads_sent: Option<Timestamp>,
    /// The last pair of digests (ours, theirs) that differed, and how often in a row.
    pub(crate) differing: Option<(Summary, Summary, u32)>,
    /// The last digest that went there, and when.
    pub(crate) told: Option<(Summary, Timestamp)>,
    /// Cells that came and do not decode yet.
    pub(crate) received: Option<Received>,
    /// Whether heads were sent a second time at once.
    pub(crate) repeated: bool,
    /// A digest goes there soon.
    pub(crate) nudge_armed: bool,
    /// The digest that both had.
    pub(crate) agreed: Option<Summary>,
    /// What it asked for and waits for.
    pub(crate) serves: VecDeque<Want>,
    pub(crate) serving: usize,
    /// Records up to here have been sent in the round that is under way.
    pub(crate) records_sent: Option<RecordKey>,
    pub(crate) records_running: bool,
    pub(crate) records_begun: Timestamp,
}

impl Side {
    fn new(author: AuthorId, now: Timestamp) -> Self {
        Self {
            author,
            announced: Timestamp::default(),
            choked: false,
            up: now,
            heard: false,
            synced: false,
            offers: BTreeMap::new(),
            guesses: BTreeMap::new(),
            odd: BTreeSet::new(),
            wants: BTreeMap::new(),
            next_want: 0,
            strikes: 0,
            distrusted: None,
            distrust: limits::DISTRUST,
            heads_sent: None,
            differing: None,
            told: None,
            received: None,
            repeated: false,
            nudge_armed: false,
            agreed: None,
            serves: VecDeque::new(),
            serving: 0,
            records_sent: None,
            records_running: false,
            records_begun: now,
        }
    }

    /// Adds to what it offers, within bounds. `known` says whether this device holds the log.
    pub(crate) fn offer(&mut self, log: LogKey, stretch: (Seq, Seq), known: bool) {
        take_out(&mut self.guesses, log, stretch);
        self.note_offer(log, stretch, known);
    }

    /// The same of what it most likely holds, without having said so.
    pub(crate) fn guess(&mut self, log: LogKey, stretch: (Seq, Seq), known: bool) {
        let mut fresh = Ranges::default();
        fresh.insert_range(stretch.0, stretch.1);
        if let Some(offered) = self.offers.get(&log) {
            fresh.subtract(offered);
        }
        if !self.note_offer(log, stretch, known) || fresh.is_empty() {
            return;
        }
        let guesses = self.guesses.entry(log).or_default();
        fresh
            .iter()
            .for_each(|(from, to)| guesses.insert_range(from, to));
        guesses.keep_highest(limits::OFFER_STRETCHES);
    }

    fn note_offer(&mut self, log: LogKey, stretch: (Seq, Seq), known: bool) -> bool {
        let is_new = !self.offers.contains_key(&log);
        let unknown_full = !known && self.offers.len() >= limits::OFFERS_UNKNOWN;
        if is_new && (unknown_full || self.offers.len() >= limits::OFFERS_MAX) {
            return false;
        }
        let ranges = self.offers.entry(log).or_default();
        ranges.insert_range(stretch.0, stretch.1);
        ranges.keep_highest(limits::OFFER_STRETCHES);
        self.synced = false;
        true
    }

    /// Takes back part of what it offers.
    pub(crate) fn retract(&mut self, log: LogKey, from: Seq, to: Seq) {
        take_out(&mut self.offers, log, (from, to));
        take_out(&mut self.guesses, log, (from, to));
    }

    /// Whether it said to hold all of a stretch, and this device did not guess.
    pub(crate) fn promised(&self, log: LogKey, stretch: (Seq, Seq)) -> bool {
        let guessed = self.guesses.get(&log);
        guessed.is_none_or(|g| {
            g.iter()
                .all(|(from, to)| to < stretch.0 || from > stretch.1)
        })
    }

    /// Forgets offers of what `held` takes out of them.
    pub(crate) fn trim(&mut self, mut held: impl FnMut(LogKey, &mut Ranges)) {
        self.offers.retain(|log, ranges| {
            held(*log, ranges);
            !ranges.is_empty()
        });
        self.guesses.retain(|log, ranges| {
            held(*log, ranges);
            !ranges.is_empty()
        });
    }

    /// Broken promises count for a while only.
    pub(crate) fn forgive(&mut self, now: Timestamp) {
        if self.distrusted.take_if(|until| now >= *until).is_some() {
            self.strikes = 0;
        }
    }

    /// It kept its word.
    pub(crate) fn trust(&mut self) {
        self.strikes = 0;
        self.distrust = limits::DISTRUST;
    }

    /// Positions in its unanswered wants.
    pub(crate) fn wanted(&self) -> u64 {
        self.wants
            .values()
            .fold(0, |sum: u64, w| sum.saturating_add(w.expected))
    }
}

fn take_out(from: &mut BTreeMap<LogKey, Ranges>, log: LogKey, stretch: (Seq, Seq)) {
    if let Some(ranges) = from.get_mut(&log) {
        ranges.remove_range(stretch.0, stretch.1);
        if ranges.is_empty() {
            from.remove(&log);
        }
    }
}

impl Engine {
    pub(crate) fn on_peer_up(
        &mut self,
        peer: PeerId,
        room: RoomTag,
        author: AuthorId,
        now: Timestamp,
    ) {
        let link = self.links.entry(peer).or_insert_with(|| Link::new(now));
        if link.dropped || link.rooms.contains_key(&room) {
            return;
        }
        link.rooms.insert(room, Side::new(author, now));
        if self.rooms.contains_key(&room) {
            self.greet(peer, room, now);
            self.met(room, author, now);
        }
        self.overlay_up(peer, room, author, now);
    }

    /// What both ends do as soon as a room runs over a link.
    pub(crate) fn greet(&mut self, peer: PeerId, room: RoomTag, now: Timestamp) {
        self.join_trees(peer, room, now);
        if self.overload.on {
            self.say_choke(peer, room, true);
        }
        self.greet_with_digest(peer, room, now);
        self.begin_records(peer, room, now);
    }

    pub(crate) fn on_room_down(&mut self, peer: PeerId, room: RoomTag, now: Timestamp) {
        let Some(side) = self
            .links
            .get_mut(&peer)
            .and_then(|l| l.rooms.remove(&room))
        else {
            return;
        };
        if let Some(open) = self.rooms.get_mut(&room) {
            for want in side.wants.into_values() {
                open.unwant(&want);
                open.comparison.take_if(|c| c.peer == peer);
                if want.is_page() && open.page == Page::Asked {
                    open.page = Page::Needed;
                }
            }
        }
        self.leave_trees(peer, room, now);
        self.reroute(room, peer, now);
        self.pump(room, now);
    }

    pub(crate) fn on_peer_down(&mut self, peer: PeerId, now: Timestamp) {
        self.overlay_down(peer, now);
        self.release(peer, now);
        self.links.remove(&peer);
        self.refill(now);
    }

    /// Forgets all rooms of a link; what was asked there is asked of others.
    pub(crate) fn release(&mut self, peer: PeerId, now: Timestamp) {
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        // Deaf first, so that nothing that is missing now is asked of the same link again.
        link.dropped = true;
        let rooms: Vec<RoomTag> = link.rooms.keys().copied().collect();
        for room in rooms {
            self.on_room_down(peer, room, now);
        }
    }

    /// The links over which a room runs, ascending.
    pub(crate) fn neighbours(&self, room: RoomTag) -> Vec<PeerId> {
        self.links
            .iter()
            .filter(|(_, link)| !link.dropped && link.rooms.contains_key(&room))
            .map(|(&peer, _)| peer)
            .collect()
    }

    /// Which of the rooms on a link has that short name; none if two have.
    pub(crate) fn room_of(&self, peer: PeerId, short: RoomShort) -> Option<RoomTag> {
        let link = self.links.get(&peer).filter(|link| !link.dropped)?;
        let mut fits = link.rooms.keys().filter(|tag| tag.short() == short);
        let first = fits.next();
        first.filter(|_| fits.next().is_none()).copied()
    }

    /// A room and what belongs to it on one link, both to be changed.
    pub(crate) fn room_and_side(
        &mut self,
        tag: RoomTag,
        peer: PeerId,
    ) -> Option<(&mut Room, &mut Side)> {
        let room = self.rooms.get_mut(&tag)?;
        let side = self.links.get_mut(&peer)?.rooms.get_mut(&tag)?;
        Some((room, side))
    }

    pub(crate) fn side(&mut self, peer: PeerId, room: RoomTag) -> Option<&mut Side> {
        self.links
            .get_mut(&peer)
            .filter(|link| !link.dropped)?
            .rooms
            .get_mut(&room)
    }

    /// Whether a link may have one more thing checked that nobody asked for; if not, it is let go, and
    /// what comes too fast counts against who sent it.
    pub(crate) fn may_check(&mut self, from: PeerId, now: Timestamp) -> bool {
        let free = self.flights.len() < limits::FLIGHTS_MAX;
        let link = self.links.get_mut(&from).filter(|_| free);
        let may = link.is_some_and(|link| link.checks.take(now));
        if !may {
            count(&mut self.stats.overflow);
        }
        if free && !may {
            self.blame(from, Why::OverQuota, now);
        }
        may
    }

    /// Whether a link may give so many more hints about trees.
    pub(crate) fn take_hints(&mut self, peer: PeerId, many: u32, now: Timestamp) -> bool {
        self.links
            .get_mut(&peer)
            .is_some_and(|link| link.hints.take_many(many, now))
    }

    /// A neighbour gave something of use.
    pub(crate) fn praise(&mut self, peer: PeerId) {
        if let Some(link) = self.links.get_mut(&peer) {
            link.score = link.score.saturating_add(1).min(limits::SCORE_MAX);
        }
    }

    /// A neighbour did what it should not: told at most once a second, and in the end it is dropped.
    pub(crate) fn blame(&mut self, peer: PeerId, why: Why, now: Timestamp) {
        let Some(link) = self.links.get_mut(&peer).filter(|link| !link.dropped) else {
            return;
        };
        let points = match why {
            Why::NotOpen | Why::Surplus => 0,
            Why::BadSignature => 10,
            Why::BrokenPromise | Why::Nonsense => 5,
            Why::OverQuota | Why::TooManyWants | Why::NotWanted | Why::Stripped => 2,
        };
        let told = link
            .noted
            .get(&why)
            .is_some_and(|&at| !elapsed(at, now, limits::NOTE_EVERY));
        // Quota is a matter of rate: one blame a second, however many frames were too many.
        let was_shunned = link.is_shunned();
        if !(told && why == Why::OverQuota) {
            link.score = link.score.saturating_sub(points);
        }
        let rooms: Vec<RoomTag> = match link.is_shunned() && !was_shunned {
            true => link.rooms.keys().copied().collect(),
            false => Vec::new(),
        };
        if link.score < limits::SCORE_DROP {
            link.dropped = true;
            tracing::warn!(peer = peer.0, ?why, "link dropped");
            self.out.push(Action::Drop { peer, why });
            self.doomed.push(peer);
        } else if !told {
            link.noted.insert(why, now);
            tracing::debug!(peer = peer.0, ?why, "misbehaved");
            self.out
                .push(Action::Notify(Notice::Misbehaved { peer, why }));
        }
        for room in rooms {
            self.feed_elsewhere(peer, room);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_refills_with_time_and_survives_a_clock_that_jumps_back() {
        let mut bucket = Bucket::new(2, Timestamp(10_000));
        assert!(bucket.take(Timestamp(10_000)) && bucket.take(Timestamp(10_000)));
        assert!(!bucket.take(Timestamp(10_100)));
        assert!(bucket.take(Timestamp(10_600)));
        assert!(!bucket.take(Timestamp(0)));
        assert!(bucket.take(Timestamp(600)));
        assert!(bucket.take(Timestamp(u64::MAX)) && bucket.take(Timestamp(u64::MAX)));
        assert!(!bucket.take(Timestamp(u64::MAX)));
    }
}
