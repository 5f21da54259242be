//! One room on this device: its keys, its roster, and where this device's own logs end.
//!
//! Pure state and sealing; the actor moves the results to the engine and the disk. What must survive
//! a restart is in [`SavedRoom`]; everything else is rebuilt from the event log.

use std::{collections::BTreeMap, time::Duration};

use minicbor::{Decode, Encode};
use peddlenet_crypto::{
    AuthorKey, CryptoError, Draft, EpochKeys, open_event, open_record, seal_event, seal_record,
    verify_event,
};
use peddlenet_wire::{
    AuthorId, Capped, EpochId, EventHash, Hlc, RoomId, RoomTag, Seq, SignedEvent, SignedRecord,
    Stream, Timestamp, codec,
    content::Membership,
    ids::Digest,
    join::EpochGrant,
    limits,
    record::{Receipts, RecordKind, SeenUpTo, Whereabouts},
};
use zeroize::Zeroizing;

use crate::{
    entropy,
    membership::{Judgement, Roster},
    trust::Trust,
};

/// What a room needs besides its event log.
#[derive(Encode, Decode)]
#[cbor(map)]
pub(crate) struct SavedRoom {
    #[n(0)]
    pub(crate) room: RoomId,
    #[n(1)]
    pub(crate) tag: RoomTag,
    #[cbor(n(2), with = "minicbor::bytes")]
    author_seed: [u8; 32],
    #[n(3)]
    epochs: Capped<EpochGrant, { limits::EPOCHS_MAX }>,
}

impl Drop for SavedRoom {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.author_seed);
    }
}

impl SavedRoom {
    /// The key in the store's `meta`.
    pub(crate) fn key(tag: RoomTag) -> Vec<u8> {
        [Self::PREFIX, &tag.0[..]].concat()
    }

    pub(crate) const PREFIX: &[u8] = b"room/";

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, peddlenet_wire::WireError> {
        codec::from_slice("saved room", bytes, limits::FRAME_MAX)
    }
}

/// Epochs handed to a joiner (count): with [`limits::PROOF_EVENTS_MAX`] events they fit one frame.
const GRANTS_MAX: usize = 128;

/// A member's last sign of life.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard {
    /// When it was signed, by the member's clock.
    signed: Timestamp,
    /// When one arrived that was fresh, by this device's clock.
    pub(crate) at: Option<Timestamp>,
    /// Links it crossed.
    pub(crate) hops: u8,
}

/// Why this device could not sign, seal or open something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum RoomError {
    /// Sealed in an epoch whose keys this device was not given.
    #[error("no keys of that epoch")]
    NoKeys,
    /// The log is at the end of its numbers.
    #[error("this log is full")]
    LogFull,
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// A room that this device is in.
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) tag: RoomTag,
    pub(crate) roster: Roster,
    key: AuthorKey,
    /// Oldest first; new events are sealed with the last.
    epochs: Vec<EpochKeys>,
    /// The greatest clock seen in this room.
    clock: Hlc,
    /// Where this device's own logs end: the next event follows on from here.
    own: BTreeMap<Stream, (Seq, EventHash)>,
    /// The latest content event of each other author, to name as parents.
    tips: BTreeMap<AuthorId, (Hlc, EventHash)>,
    /// Who has seen how far: reader -> (author -> position in stream 1).
    seen: BTreeMap<AuthorId, BTreeMap<AuthorId, Seq>>,
    /// Where members' devices listen.
    pub(crate) whereabouts: BTreeMap<AuthorId, Whereabouts>,
    /// The last sign of life of each member.
    pub(crate) heard: BTreeMap<AuthorId, Heard>,
    pub(crate) unread: u64,
    /// What the person decided about the others.
    pub(crate) trust: Trust,
}

impl Room {
    pub(crate) fn new(id: RoomId, tag: RoomTag, key: AuthorKey, epochs: Vec<EpochKeys>) -> Self {
        Self {
            id,
            tag,
            roster: Roster::new(id, tag),
            trust: Trust::new(key.id()),
            key,
            epochs,
            clock: Hlc::default(),
            own: BTreeMap::new(),
            tips: BTreeMap::new(),
            seen: BTreeMap::new(),
            whereabouts: BTreeMap::new(),
            heard: BTreeMap::new(),
            unread: 0,
        }
    }

    pub(crate) fn load(saved: &SavedRoom) -> Result<Self, CryptoError> {
        let epochs = saved
            .epochs
            .iter()
            .map(EpochKeys::from_grant)
            .collect::<Result<_, _>>()?;
        Ok(Self::new(
            saved.room,
            saved.tag,
            AuthorKey::from_seed(saved.author_seed),
            epochs,
        ))
    }

    pub(crate) fn saved(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(codec::to_vec(&SavedRoom {
            room: self.id,
            tag: self.tag,
            author_seed: *self.key.seed(),
            epochs: self.grants(),
        }))
    }

    /// Gives a room that was just made the id that its `create` event hashes to.
    pub(crate) fn name_it(&mut self, id: RoomId) {
        self.id = id;
        self.roster = Roster::new(id, self.tag);
    }

    pub(crate) fn me(&self) -> AuthorId {
        self.key.id()
    }

    pub(crate) fn key(&self) -> &AuthorKey {
        &self.key
    }

    /// The keys to hand to a joiner: history is shared in this version.
    pub(crate) fn grants(&self) -> Capped<EpochGrant, { limits::EPOCHS_MAX }> {
        // The newest matter most where there are more than fit.
        let skip = self.epochs.len().saturating_sub(GRANTS_MAX);
        Capped::take_from(&mut self.epochs.iter().skip(skip).map(EpochKeys::to_grant))
    }

    pub(crate) fn epochs(&self) -> &[EpochKeys] {
        &self.epochs
    }

    pub(crate) fn newest_epoch(&self) -> Result<&EpochKeys, RoomError> {
        self.epochs.last().ok_or(RoomError::NoKeys)
    }

    fn epoch(&self, id: EpochId) -> Result<&EpochKeys, RoomError> {
        self.epochs
            .iter()
            .rev()
            .find(|e| e.id() == id)
            .ok_or(RoomError::NoKeys)
    }

    /// Where this device goes on signing; from the store, or from the guard when the store is older.
    pub(crate) fn resume_own(&mut self, stream: Stream, seq: Seq, hash: EventHash) {
        self.own.insert(stream, (seq, hash));
    }

    /// Signs and seals this device's next event of a stream.
    pub(crate) fn seal(
        &mut self,
        stream: Stream,
        plaintext: &[u8],
        membership: Digest,
        now: Timestamp,
    ) -> Result<SignedEvent, RoomError> {
        let (seq, previous) = match self.own.get(&stream) {
            Some((seq, hash)) => (seq.next().ok_or(RoomError::LogFull)?, *hash),
            None => (Seq::FIRST, EventHash::ZERO),
        };
        let clock = self.clock.tick(now);
        let draft = Draft {
            room: self.tag,
            stream,
            seq,
            previous,
            clock,
            parents: if stream == Stream::CONTENT {
                self.parents()
            } else {
                Capped::default()
            },
            membership,
        };
        let event = seal_event(
            &draft,
            &self.key,
            self.newest_epoch()?,
            entropy::bytes(),
            plaintext,
        )?;
        self.clock = clock;
        self.own.insert(stream, (seq, event.hash()));
        Ok(event)
    }

    fn parents(&self) -> Capped<EventHash, { limits::PARENTS_MAX }> {
        let mut tips: Vec<_> = self.tips.values().copied().collect();
        tips.sort_unstable_by(|a, b| b.cmp(a));
        Capped::take_from(&mut tips.into_iter().map(|(_, hash)| hash))
    }

    /// Signs and seals a record. Content keys for receipts, member keys for the rest.
    pub(crate) fn seal_record(
        &mut self,
        kind: RecordKind,
        plaintext: &[u8],
        now: Timestamp,
    ) -> Result<SignedRecord, RoomError> {
        let clock = self.clock.tick(now);
        let record = seal_record(
            kind,
            self.tag,
            clock,
            &self.key,
            self.newest_epoch()?,
            entropy::bytes(),
            plaintext,
        )?;
        self.clock = clock;
        Ok(record)
    }

    pub(crate) fn open(&self, event: &SignedEvent) -> Result<Vec<u8>, RoomError> {
        Ok(open_event(event, self.epoch(event.header().epoch)?)?)
    }

    pub(crate) fn open_record(&self, record: &SignedRecord) -> Result<Vec<u8>, RoomError> {
        Ok(open_record(record, self.epoch(record.header().epoch)?)?)
    }

    /// Opens and decodes an event of stream 0.
    pub(crate) fn open_membership(&self, event: &SignedEvent) -> Option<Membership> {
        Membership::from_bytes(&self.open(event).ok()?).ok()
    }

    /// Whether an event may be kept and passed on, its signature aside.
    pub(crate) fn judge(&self, event: &SignedEvent) -> Judgement {
        let header = event.header();
        if header.room != self.tag {
            return Judgement::Reject;
        }
        if header.stream == Stream::MEMBERSHIP {
            return match self.open_membership(event) {
                Some(opened) => self.roster.judge(event, &opened),
                // Sealed in an epoch this device has not been given yet, or garbage from a member.
                None if self.epoch(header.epoch).is_err() => Judgement::Later,
                None => Judgement::Reject,
            };
        }
        if self.roster.is_member(header.author) {
            Judgement::Accept
        } else {
            Judgement::Later
        }
    }

    /// Whether a chain of admits leads from this room's members to a stranger.
    pub(crate) fn vouched(&self, chain: &[SignedEvent], author: AuthorId) -> bool {
        let mut roster = self.roster.clone();
        for event in chain {
            let Some(opened) = self.open_membership(event) else {
                return false;
            };
            if verify_event(event).is_err() || roster.judge(event, &opened) != Judgement::Accept {
                return false;
            }
            roster.apply(event, &opened);
        }
        roster.is_member(author)
    }

    /// Remembers what an accepted event teaches: the clock, and the author's tip.
    pub(crate) fn observe(&mut self, event: &SignedEvent) {
        let header = event.header();
        self.clock = self.clock.max(header.clock);
        if header.author == self.me() {
            // Put back to an older state and told by others what it had signed since, this device goes on from there.
            let behind = |(seq, _): &(Seq, EventHash)| *seq < header.seq;
            if self.own.get(&header.stream).is_none_or(behind) {
                self.resume_own(header.stream, header.seq, event.hash());
            }
            return;
        }
        if header.stream == Stream::CONTENT {
            let tip = (header.clock, event.hash());
            self.tips
                .entry(header.author)
                .and_modify(|t| *t = (*t).max(tip))
                .or_insert(tip);
        }
    }

    /// Remembers the clock of a record, so that the next one of this device is newer.
    pub(crate) fn observe_record(&mut self, record: &SignedRecord) {
        self.clock = self.clock.max(record.header().clock);
    }

    /// Notes a sign of life, unless it is an old one that sync brought. It is fresh when it was signed
    /// within `span` of now; or, where clocks disagree, when it is the second since this device started.
    pub(crate) fn hear(&mut self, record: &SignedRecord, hops: u8, now: Timestamp, span: Duration) {
        let signed = record.header().clock.timestamp();
        let before = self.heard.get(&record.header().author).copied();
        if before.is_some_and(|b| b.signed >= signed) {
            return;
        }
        let fresh = now.since(signed) < span && signed.since(now) < span;
        let at = if fresh || before.is_some() {
            Some(now)
        } else {
            None
        };
        self.heard
            .insert(record.header().author, Heard { signed, at, hops });
    }

    /// Notes a sign of life that the engine found to be newer than those before.
    pub(crate) fn hear_beacon(&mut self, author: AuthorId, hops: u8, now: Timestamp) {
        let signed = self.heard.get(&author).map_or(Timestamp(0), |h| h.signed);
        let at = Some(now);
        self.heard.insert(author, Heard { signed, at, hops });
    }

    /// The clock of this device's next sign of life, and where its content log ends.
    pub(crate) fn next_beacon(&mut self, now: Timestamp) -> (Hlc, Seq) {
        self.clock = self.clock.tick(now);
        let end = self.own.get(&Stream::CONTENT);
        (self.clock, end.map_or(Seq(0), |(seq, _)| *seq))
    }

    /// Notes that a reader has seen an author's stream 1 up to a position. Returns the position
    /// before when that is news.
    pub(crate) fn note_seen(
        &mut self,
        reader: AuthorId,
        author: AuthorId,
        seq: Seq,
    ) -> Option<Seq> {
        let at = self
            .seen
            .entry(reader)
            .or_default()
            .entry(author)
            .or_insert(Seq(0));
        (seq > *at).then(|| std::mem::replace(at, seq))
    }

    pub(crate) fn seen_up_to(&self, reader: AuthorId, author: AuthorId) -> Seq {
        self.seen
            .get(&reader)
            .and_then(|s| s.get(&author))
            .copied()
            .unwrap_or(Seq(0))
    }

    /// Members who have displayed a message, its author left out.
    pub(crate) fn seen_by(&self, author: AuthorId, seq: Seq) -> Vec<AuthorId> {
        let has = |s: &BTreeMap<AuthorId, Seq>| s.get(&author).is_some_and(|at| *at >= seq);
        self.seen
            .iter()
            .filter(|(r, s)| **r != author && has(s))
            .map(|(r, _)| *r)
            .collect()
    }

    /// What this device has displayed, as a record's body.
    pub(crate) fn receipts(&self) -> Receipts {
        let mine = self.seen.get(&self.me());
        let told = mine.into_iter().flatten();
        let told = told.filter(|(author, _)| !self.trust.is_blocked(**author));
        let mut entries = told.map(|(author, seq)| SeenUpTo {
            author: *author,
            stream: Stream::CONTENT,
            seq: *seq,
        });
        Receipts {
            seen: Capped::take_from(&mut entries),
        }
    }

    pub(crate) fn name_of(&self, author: AuthorId) -> String {
        self.roster
            .member(author)
            .map_or_else(String::new, |m| m.name.as_str().to_owned())
    }
}
