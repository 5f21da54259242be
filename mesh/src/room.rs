//! One room on this device: its keys, its roster, and where this device's own logs end.
//!
//! Pure state and sealing; the actor moves the results to the engine and the disk. What must survive
//! a restart is in [`SavedRoom`]; everything else is rebuilt from the event log.

mod direct;
mod epochs;
mod heard;
#[cfg(test)]
pub(crate) mod made;
mod moving;
mod quota;
mod retention;
mod said;
mod seen;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use minicbor::{Decode, Encode};
use peddlenet_crypto::{
    AuthorKey, CryptoError, Draft, EpochKeys, open_event, open_record, seal_event, seal_record,
    verify_event,
};
use peddlenet_peer::ServerUrl;
use peddlenet_wire::{
    AuthorId, Capped, EpochId, EventHash, Hlc, RoomId, RoomTag, Seq, SignedEvent, SignedRecord,
    Stream, Timestamp, codec,
    content::{Membership, Role},
    frame::Head,
    ids::Digest,
    join::EpochGrant,
    limits,
    power::{Cut, Moving},
    record::{RecordKind, Whereabouts},
};
use zeroize::Zeroizing;

use peddlenet_room::{Judgement, Keyring, News, Roster};

pub(crate) use self::{
    epochs::carried_of,
    heard::Heard,
    moving::next_key,
    quota::{said_of, size_of},
    said::{Said, read_notes},
};
use crate::{api::RoomPrefs, entropy, trust::Trust};

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
    /// Those that came with the room; later ones have a key of their own, see [`epoch_key`].
    #[n(3)]
    epochs: Capped<EpochGrant, { limits::EPOCHS_MAX }>,
}

/// Where the keys of one epoch stand in the store's `meta`.
pub(crate) fn epoch_key(tag: RoomTag, epoch: EpochId) -> Vec<u8> {
    [&epochs_of(tag)[..], &epoch.0].concat()
}

/// What the keys of all epochs of a room begin with.
pub(crate) fn epochs_of(tag: RoomTag) -> Vec<u8> {
    [&b"epoch/"[..], &tag.0].concat()
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

/// An event further ahead than that (security.md) leaves this device's clock alone.
const FUTURE_MAX: Duration = Duration::from_secs(120);

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
    pub(crate) ring: Keyring,
    /// The greatest clock seen in this room, the future left out.
    clock: Hlc,
    /// The greatest clock of stream 0, the future included: there a later act has to be later.
    acts_clock: Hlc,
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
    /// What is held of it (bytes).
    pub(crate) bytes: u64,
    /// Its oldest messages are going at present.
    pub(crate) making_space: bool,
    pub(crate) prefs: RoomPrefs,
    /// The rendezvous server that it was joined by.
    pub(crate) server: Option<ServerUrl>,
    /// Content from before that moment was let go since the start.
    pub(crate) let_go: Timestamp,
    /// Epochs under which events of stream 0 came that could not be opened; at most [`UNOPENED_MAX`].
    pub(crate) unopened: BTreeSet<EpochId>,
    /// How many messages the newest epoch has carried, as far as this device knows.
    carried: (Option<EpochId>, u64),
    /// What the person decided about the others.
    pub(crate) trust: Trust,
    quotas: quota::Quotas,
    /// The key under which this device asks to go on.
    next_key: Option<AuthorKey>,
    /// Members who ask to go on under a new key.
    moving: BTreeMap<AuthorId, Moving>,
}

/// Epochs that a room waits for to open events of stream 0 (count).
const UNOPENED_MAX: usize = 64;

impl Room {
    pub(crate) fn new(id: RoomId, tag: RoomTag, key: AuthorKey, epochs: Vec<EpochKeys>) -> Self {
        Self {
            id,
            tag,
            roster: Roster::new(id, tag),
            trust: Trust::new(key.id()),
            key,
            ring: Keyring::new(tag, epochs),
            clock: Hlc::default(),
            acts_clock: Hlc::default(),
            own: BTreeMap::new(),
            tips: BTreeMap::new(),
            seen: BTreeMap::new(),
            whereabouts: BTreeMap::new(),
            heard: BTreeMap::new(),
            unread: 0,
            bytes: 0,
            making_space: false,
            prefs: RoomPrefs::default(),
            server: None,
            let_go: Timestamp(0),
            unopened: BTreeSet::new(),
            carried: (None, 0),
            quotas: quota::Quotas::default(),
            next_key: None,
            moving: BTreeMap::new(),
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

    /// Keys of an epoch as the store has them. Bad ones are left out: they are in stream 0, or a
    /// neighbour gives them again.
    pub(crate) fn add_saved(&mut self, bytes: &[u8]) {
        let grant = codec::from_slice::<EpochGrant>("saved epoch", bytes, limits::RECORD_MAX);
        match grant.map(|grant| EpochKeys::from_grant(&grant)) {
            Ok(Ok(keys)) => drop(self.ring.add(keys)),
            _ => tracing::error!("the keys of an epoch could not be read"),
        }
    }

    pub(crate) fn saved(&self) -> Zeroizing<Vec<u8>> {
        self.saved_with(&self.key)
    }

    fn saved_with(&self, key: &AuthorKey) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(codec::to_vec(&SavedRoom {
            room: self.id,
            tag: self.tag,
            author_seed: *key.seed(),
            epochs: {
                let newest = self.ring.newest_first();
                let newest = newest.into_iter().take(limits::EPOCHS_MAX).rev();
                Capped::take_from(&mut newest.map(EpochKeys::to_grant))
            },
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

    /// Whether this device belongs to the room, for all that it knows.
    pub(crate) fn is_in(&self) -> bool {
        self.roster.is_member(self.me())
    }

    /// What this device may do in the room; `None` where it does not belong.
    pub(crate) fn role(&self) -> Option<Role> {
        Some(self.roster.member(self.me())?.role)
    }

    /// Takes an accepted event of stream 0 in: what it changes, and the epoch whose keys it brought.
    pub(crate) fn take_membership(
        &mut self,
        event: &SignedEvent,
        opened: &Membership,
    ) -> (News, Option<EpochId>) {
        let keys = self.ring.read(&self.key, event, opened);
        (self.roster.apply(event, opened), keys)
    }

    /// Reads the keys that an accepted event of stream 0 brings, before the roster is folded.
    pub(crate) fn meet(&mut self, event: &SignedEvent, opened: &Membership) {
        self.ring.read(&self.key, event, opened);
        self.roster.meet(event, opened);
    }

    /// How far somebody's logs are known here: where to cut them.
    pub(crate) fn cut_of(&self, author: AuthorId, heads: &[Head]) -> Cut {
        let top = |stream| {
            let of_it = heads
                .iter()
                .filter(|h| h.author == author && h.stream == stream);
            of_it.max_by_key(|h| h.seq)
        };
        let content = top(Stream::CONTENT);
        Cut {
            membership: top(Stream::MEMBERSHIP).map_or(Seq(0), |head| head.seq),
            content: content.map_or(Seq(0), |head| head.seq),
            content_hash: content.map_or(EventHash::ZERO, |head| head.hash),
        }
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
        let seen = match stream {
            Stream::MEMBERSHIP => self.clock.max(self.acts_clock),
            _ => self.clock,
        };
        let clock = seen.tick(now);
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
        let epoch = match stream {
            Stream::MEMBERSHIP => self.newest_epoch()?,
            _ => self.ring.to_speak(&self.roster).ok_or(RoomError::NoKeys)?,
        };
        let event = seal_event(&draft, &self.key, epoch, entropy::bytes(), plaintext)?;
        if stream != Stream::MEMBERSHIP || self.acts_clock <= self.clock {
            self.clock = clock;
        }
        self.see(stream, clock, now);
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
        // What somebody has read is for those who may read it.
        let epoch = match kind {
            RecordKind::RECEIPTS => self.ring.to_speak(&self.roster).ok_or(RoomError::NoKeys)?,
            _ => self.newest_epoch()?,
        };
        let record = seal_record(
            kind,
            self.tag,
            clock,
            &self.key,
            epoch,
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

    /// Notes that an event of stream 0 is sealed under keys that this device lacks. True when it is.
    pub(crate) fn note_unopened(&mut self, event: &SignedEvent) -> bool {
        let header = event.header();
        let lacks = header.stream == Stream::MEMBERSHIP && self.ring.keys(header.epoch).is_none();
        if lacks && self.unopened.len() < UNOPENED_MAX {
            self.unopened.insert(header.epoch);
        }
        lacks
    }

    /// Opens and decodes an event of stream 0.
    pub(crate) fn open_membership(&self, event: &SignedEvent) -> Option<Membership> {
        Membership::from_bytes(&self.open(event).ok()?).ok()
    }

    /// Whether an event may be kept and passed on, its signature aside.
    pub(crate) fn judge(&self, event: &SignedEvent) -> Judgement {
        let header = event.header();
        // Direct messages go from one to one: nobody floods or syncs them.
        if header.room != self.tag || header.stream.is_direct() {
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
        self.roster.judge_content(header.author, header.seq)
    }

    /// Whether a chain of admits leads from this room's members to a stranger.
    pub(crate) fn vouched(&self, chain: &[SignedEvent], author: AuthorId) -> bool {
        if chain.is_empty() {
            return false;
        }
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
    pub(crate) fn observe(&mut self, event: &SignedEvent, now: Timestamp) {
        let header = event.header();
        if header.author == self.me() && header.stream != Stream::MEMBERSHIP {
            self.clock = self.clock.max(header.clock);
        }
        self.see(header.stream, header.clock, now);
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

    /// An event from the future is shown where it says; it only doesn't take the clock of what people here say
    /// along. What decides who belongs goes by the order of its clocks, so those follow whatever was decided.
    fn see(&mut self, stream: Stream, clock: Hlc, now: Timestamp) {
        if clock.timestamp() <= now.after(FUTURE_MAX) {
            self.clock = self.clock.max(clock);
        }
        if stream == Stream::MEMBERSHIP {
            self.acts_clock = self.acts_clock.max(clock);
        }
    }

    /// Remembers the clock of a record, so that the next one of this device is newer.
    pub(crate) fn observe_record(&mut self, record: &SignedRecord) {
        self.clock = self.clock.max(record.header().clock);
    }

    pub(crate) fn name_of(&self, author: AuthorId) -> String {
        self.roster.name_of(author).as_str().to_owned()
    }
}
