//! What a room remembers of messages to one member: those passing through, searches, known ways,
//! those that are kept, and those that arrived.
//!
//! All of it is bounded and first in, first out; nothing here sends.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use peddlenet_wire::{AuthorId, AuthorShort, Timestamp, event::sha256, route::Task};

use crate::{
    api::{PeerId, UnicastId},
    custody::Kept,
    limits,
    links::Bucket,
    recent::elapsed,
};

/// Who sent a message first; `None`: this device.
pub(crate) type Sender = Option<AuthorId>;

/// Names a message here: its id, who sent it, and the start of its payload's hash, so that nobody
/// takes the place of a message that they saw passing.
pub(crate) type Key = (UnicastId, Sender, [u8; 8]);

/// Names one search: its id, who searches, which attempt.
pub(crate) type QuestKey = (UnicastId, Sender, u8);

/// The messages to one member in one room.
#[derive(Debug, Default)]
pub(crate) struct Unicast {
    pub(crate) passages: BTreeMap<Key, Passage>,
    passage_order: VecDeque<Key>,
    pub(crate) quests: BTreeMap<QuestKey, Quest>,
    quest_order: VecDeque<QuestKey>,
    /// Links over which a search was answered, by whom it looked for.
    ways: BTreeMap<AuthorId, (Vec<PeerId>, Timestamp)>,
    /// Own messages until they are delivered, and those kept for others.
    pub(crate) kept: BTreeMap<Key, Kept>,
    received: BTreeSet<Key>,
    received_order: VecDeque<Key>,
}

/// A message on its way through this device, or how that ended.
#[derive(Debug)]
pub(crate) struct Passage {
    pub(crate) to: AuthorId,
    /// Empty once it ended.
    pub(crate) payload: Vec<u8>,
    pub(crate) attempt: u8,
    /// Links that it may still cross from here.
    pub(crate) ttl: u8,
    /// Who gave it to us and hears how it ends.
    pub(crate) upstream: Vec<PeerId>,
    /// Sent by this device, or kept by it.
    pub(crate) ours: bool,
    pub(crate) tries: BTreeMap<PeerId, Try>,
    pub(crate) state: State,
    /// The timer that counts.
    pub(crate) turn: u32,
    /// Neighbours that are to have it at a time.
    pub(crate) width: usize,
}

/// One neighbour that got a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Try {
    pub(crate) attempt: u8,
    pub(crate) step: Step,
}

/// How far a try is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Sent,
    Accepted,
    /// No answer in time, but one may still come.
    Slow,
    Failed,
}

/// How far a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    UnderWay,
    Delivered,
    Failed,
}

/// A search that passed here.
#[derive(Debug)]
pub(crate) struct Quest {
    pub(crate) to: AuthorId,
    /// `None`: this device searches.
    pub(crate) upstream: Option<PeerId>,
    pub(crate) found: bool,
}

impl Passage {
    /// Neighbours that have it, in time so far.
    pub(crate) fn hopes(&self) -> usize {
        let hopeful =
            |t: &&Try| t.attempt == self.attempt && matches!(t.step, Step::Sent | Step::Accepted);
        self.tries.values().filter(hopeful).count()
    }

    /// The end: the payload goes, what is left answers repetitions.
    pub(crate) fn end(&mut self, state: State) {
        self.state = state;
        self.payload = Vec::new();
        self.turn = self.turn.wrapping_add(1);
    }
}

/// The start of a payload's hash.
pub(crate) fn sum_of(payload: &[u8]) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = sha256(payload).0;
    [a, b, c, d, e, f, g, h]
}

/// Whether a reply that names `short` may mean a message of `sender`. An engine does not know its
/// own name, so its own messages fit all.
fn fits(sender: Sender, short: AuthorShort) -> bool {
    sender.is_none_or(|author| author.short() == short)
}

impl Unicast {
    /// Adds a message, or begins its next attempt; the oldest that ended, or else the oldest of
    /// others, goes when there are too many.
    pub(crate) fn insert_passage(&mut self, key: Key, passage: Passage) {
        if self.passages.insert(key, passage).is_none() {
            self.passage_order.push_back(key);
        }
        for _ in 0..self.passage_order.len() {
            if self.passages.len() <= limits::PASSAGES_MAX {
                return;
            }
            let Some(oldest) = self.passage_order.pop_front() else {
                return;
            };
            let spared = |p: &Passage| p.ours && p.state == State::UnderWay;
            if self.passages.get(&oldest).is_some_and(spared) {
                self.passage_order.push_back(oldest);
            } else {
                self.passages.remove(&oldest);
            }
        }
    }

    /// Whether one more message from a link keeps within the bounds of what is under way.
    pub(crate) fn has_space(&self, from: PeerId, len: usize) -> bool {
        let (mut count, mut bytes) = (0_usize, len);
        for passage in self.passages.values() {
            if passage.state == State::UnderWay {
                bytes = bytes.saturating_add(passage.payload.len());
                if passage.upstream.first() == Some(&from) {
                    count = count.saturating_add(1);
                }
            }
        }
        count < limits::PASSAGES_PER_LINK && bytes <= limits::PASSAGE_BYTES
    }

    /// The message that a reply is about: one that went to who replies.
    pub(crate) fn passage_of(
        &self,
        id: UnicastId,
        short: AuthorShort,
        peer: PeerId,
    ) -> Option<Key> {
        self.passages
            .range((id, None, [0; 8])..)
            .take_while(|(key, _)| key.0 == id)
            .find(|(key, p)| fits(key.1, short) && p.tries.contains_key(&peer))
            .map(|(&key, _)| key)
    }

    /// The search that a reply is about.
    pub(crate) fn quest_of(
        &self,
        id: UnicastId,
        short: AuthorShort,
        attempt: u8,
    ) -> Option<QuestKey> {
        self.quests
            .range((id, None, 0)..)
            .take_while(|(key, _)| key.0 == id)
            .map(|(&key, _)| key)
            .find(|key| fits(key.1, short) && key.2 == attempt)
    }

    /// Notes a search; false if it came before.
    pub(crate) fn insert_quest(&mut self, key: QuestKey, quest: Quest) -> bool {
        if self.quests.contains_key(&key) {
            return false;
        }
        self.quests.insert(key, quest);
        self.quest_order.push_back(key);
        while self.quest_order.len() > limits::QUESTS_MAX {
            if let Some(oldest) = self.quest_order.pop_front() {
                self.quests.remove(&oldest);
            }
        }
        true
    }

    /// Notes over which link a member was found.
    pub(crate) fn note_way(&mut self, to: AuthorId, peer: PeerId, now: Timestamp) {
        let (peers, at) = self.ways.entry(to).or_insert((Vec::new(), now));
        if elapsed(*at, now, limits::WAY_FOR) {
            peers.clear();
        }
        *at = now;
        if !peers.contains(&peer) && peers.len() < limits::WAYS_PER_MEMBER {
            peers.push(peer);
        }
        if self.ways.len() > limits::WAYS_MAX {
            let oldest = self.ways.iter().min_by_key(|(_, (_, at))| *at);
            if let Some(oldest) = oldest.map(|(&author, _)| author) {
                self.ways.remove(&oldest);
            }
        }
    }

    /// Links over which a member was found of late, the first answer first.
    pub(crate) fn ways_to(&self, to: AuthorId, now: Timestamp) -> &[PeerId] {
        match self.ways.get(&to) {
            Some((peers, at)) if !elapsed(*at, now, limits::WAY_FOR) => peers,
            _ => &[],
        }
    }

    /// A link went down: nothing goes that way. Gives the messages that need another one.
    pub(crate) fn forget_peer(&mut self, peer: PeerId) -> Vec<Key> {
        self.ways.retain(|_, (peers, _)| {
            peers.retain(|&p| p != peer);
            !peers.is_empty()
        });
        let mut stranded = Vec::new();
        for (&key, passage) in &mut self.passages {
            passage.upstream.retain(|&p| p != peer);
            let (attempt, state) = (passage.attempt, passage.state);
            if let Some(one) = passage.tries.get_mut(&peer)
                && one.step != Step::Failed
            {
                one.step = Step::Failed;
                if one.attempt == attempt && state == State::UnderWay {
                    stranded.push(key);
                }
            }
        }
        stranded
    }

    /// Notes that a message for this device came; false if it came before.
    pub(crate) fn receive(&mut self, key: Key) -> bool {
        if !self.received.insert(key) {
            return false;
        }
        self.received_order.push_back(key);
        while self.received_order.len() > limits::RECEIVED_MAX {
            if let Some(oldest) = self.received_order.pop_front() {
                self.received.remove(&oldest);
            }
        }
        true
    }
}

/// What one link may send for others, and what it is sent.
#[derive(Debug)]
pub(crate) struct Meter {
    messages: Bucket,
    bytes: Bucket,
    searches: Bucket,
    replies: Bucket,
    out_messages: Bucket,
    out_bytes: Bucket,
    out_searches: Bucket,
    /// When it last was too slow to accept, unless it answered since.
    doubted: Option<Timestamp>,
}

impl Meter {
    pub(crate) fn new(now: Timestamp) -> Self {
        // What is sent is half of what is taken, so that an honest neighbour never takes offence.
        let (full, half) = (
            |rate| Bucket::with_burst(rate, rate.saturating_mul(2), now),
            |rate: u32| Bucket::with_burst(rate / 2, rate, now),
        );
        Self {
            messages: full(limits::ROUTES_A_SECOND),
            bytes: full(limits::ROUTE_BYTES_A_SECOND),
            searches: Bucket::with_burst(limits::SEARCHES_A_SECOND, limits::SEARCHES_AT_ONCE, now),
            replies: full(limits::ROUTE_REPLIES_A_SECOND),
            out_messages: half(limits::ROUTES_A_SECOND),
            out_bytes: half(limits::ROUTE_BYTES_A_SECOND),
            out_searches: Bucket::with_burst(
                limits::SEARCHES_A_SECOND / 2,
                limits::SEARCHES_AT_ONCE / 2,
                now,
            ),
            doubted: None,
        }
    }

    /// Whether the link may still send that.
    pub(crate) fn takes(&mut self, task: Task, len: usize, now: Timestamp) -> bool {
        self.doubted = None;
        match task {
            Task::Search => self.searches.take(now),
            Task::Pass | Task::Keep => {
                self.messages.take(now) && self.bytes.take_many(as_tokens(len), now)
            }
        }
    }

    pub(crate) fn doubt(&mut self, now: Timestamp) {
        self.doubted = Some(now);
    }

    /// Whether it may be dead: others come first for a while.
    pub(crate) fn is_doubted(&self, now: Timestamp) -> bool {
        self.doubted
            .is_some_and(|at| !elapsed(at, now, limits::DOUBT_FOR))
    }

    pub(crate) fn takes_reply(&mut self, now: Timestamp) -> bool {
        self.doubted = None;
        self.replies.take(now)
    }

    /// Whether we may still send that.
    pub(crate) fn may_send(&mut self, task: Task, len: usize, now: Timestamp) -> bool {
        match task {
            Task::Search => self.out_searches.take(now),
            Task::Pass | Task::Keep => {
                self.out_messages.take(now) && self.out_bytes.take_many(as_tokens(len), now)
            }
        }
    }
}

fn as_tokens(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
