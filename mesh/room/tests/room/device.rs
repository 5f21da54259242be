//! One device in one room: what `mesh` does with a roster and a keyring, without links and disks.

use std::collections::{BTreeMap, BTreeSet};

use peddlenet_crypto::{
    AuthorKey, Draft, EpochKeys, InviteKeys, open_event, seal_event, verify_event,
};
use peddlenet_room::{Judgement, Keyring, Roster};
use peddlenet_wire::{
    AuthorId, Capped, EpochId, EventHash, Hlc, RoomId, RoomTag, Seq, SignedEvent, Stream,
    Timestamp,
    codec::Name,
    content::{Admit, Content, Create, History, Membership, Profile, Role, Text},
    event::sha256,
    invite::InviteSecret,
    join::EpochGrant,
    power::{Cut, Removal, SetRole},
};

/// All chance of a run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// SplitMix64 (Steele et al., 2014).
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        let below = self.next() % n.max(1) as u64;
        usize::try_from(below).expect("below a usize")
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    pub(crate) fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for part in bytes.chunks_mut(8) {
            part.copy_from_slice(&self.next().to_be_bytes());
        }
        bytes
    }

    pub(crate) fn shuffle<T>(&mut self, values: &mut [T]) {
        for at in (1..values.len()).rev() {
            values.swap(at, self.below(at + 1));
        }
    }
}

pub(crate) const TAG: RoomTag = RoomTag([9; 16]);

#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) key: AuthorKey,
    pub(crate) room: RoomId,
    pub(crate) roster: Roster,
    pub(crate) ring: Keyring,
    pub(crate) held: BTreeMap<EventHash, SignedEvent>,
    parked: BTreeMap<EventHash, SignedEvent>,
    own: BTreeMap<Stream, (Seq, EventHash)>,
    heads: BTreeMap<AuthorId, (Seq, Seq, EventHash)>,
    clock: Hlc,
}

impl Device {
    fn bare(key: AuthorKey, room: RoomId, keys: Vec<EpochKeys>) -> Self {
        Self {
            key,
            room,
            roster: Roster::new(room, TAG),
            ring: Keyring::new(TAG, keys),
            held: BTreeMap::new(),
            parked: BTreeMap::new(),
            own: BTreeMap::new(),
            heads: BTreeMap::new(),
            clock: Hlc::default(),
        }
    }

    /// The device that makes the room.
    pub(crate) fn create(dice: &mut Dice, history: History, inviters: Option<Role>) -> Self {
        let key = AuthorKey::from_seed(dice.bytes());
        let mut device = Self::bare(key, RoomId::ZERO, vec![EpochKeys::from_seed(&dice.bytes())]);
        let create = Membership::Create(Create {
            room_name: Name::new("Hall B"),
            owner_name: Name::new("Ada"),
            history,
            inviters,
            retention_s: None,
        });
        let under = device.ring.newest().unwrap().id();
        let event = device.seal(dice, Stream::MEMBERSHIP, &create.to_bytes(), under);
        let mut room = RoomId::ZERO;
        room.0.copy_from_slice(&event.hash().0[..RoomId::LEN]);
        device.room = room;
        device.roster = Roster::new(room, TAG);
        device.take(&event);
        device
    }

    pub(crate) fn me(&self) -> AuthorId {
        self.key.id()
    }

    pub(crate) fn is_member(&self) -> bool {
        self.roster.is_member(self.me())
    }

    pub(crate) fn role(&self) -> Option<Role> {
        Some(self.roster.member(self.me())?.role)
    }

    fn seal(
        &mut self,
        dice: &mut Dice,
        stream: Stream,
        plaintext: &[u8],
        under: EpochId,
    ) -> SignedEvent {
        let (seq, previous) = match self.own.get(&stream) {
            Some((seq, hash)) => (seq.next().unwrap(), *hash),
            None => (Seq::FIRST, EventHash::ZERO),
        };
        // Wall clocks differ by up to two minutes.
        self.clock = self
            .clock
            .tick(Timestamp(1_800_000_000_000 + dice.next() % 120_000));
        let draft = Draft {
            room: TAG,
            stream,
            seq,
            previous,
            clock: self.clock,
            parents: Capped::default(),
            membership: sha256(&[]),
        };
        let mut nonce = [0; 24];
        nonce.copy_from_slice(&dice.bytes()[..24]);
        let keys = self.ring.keys(under).expect("held");
        let event = seal_event(&draft, &self.key, keys, nonce, plaintext).unwrap();
        self.own.insert(stream, (seq, event.hash()));
        event
    }

    /// Seals something for stream 0 without saying it.
    pub(crate) fn seal_only(&mut self, dice: &mut Dice, what: &Membership) -> SignedEvent {
        let under = self.ring.newest().unwrap().id();
        self.seal(dice, Stream::MEMBERSHIP, &what.to_bytes(), under)
    }

    /// Says something in stream 0 under the newest keys.
    pub(crate) fn act(&mut self, dice: &mut Dice, what: &Membership) -> SignedEvent {
        let under = self.ring.newest().unwrap().id();
        let event = self.seal(dice, Stream::MEMBERSHIP, &what.to_bytes(), under);
        self.take(&event);
        event
    }

    /// Begins a new epoch.
    pub(crate) fn mint(&mut self, dice: &mut Dice) {
        let under = self.ring.newest().unwrap().id();
        let (seed, fresh) = (dice.bytes(), dice.bytes());
        let (keys, said) = self.ring.mint(seed, fresh, &self.roster, under).unwrap();
        for what in said {
            let event = self.seal(dice, Stream::MEMBERSHIP, &what.to_bytes(), under);
            self.take(&event);
        }
        let boxed = self.ring.keys(keys.id()).is_some();
        assert_eq!(boxed, self.is_member(), "the maker has a box, too");
        self.ring.add(keys);
    }

    /// Says something to the room; a clean epoch is made first where there is none.
    pub(crate) fn say(&mut self, dice: &mut Dice, text: &str) -> SignedEvent {
        if self.ring.to_speak(&self.roster).is_none() {
            self.mint(dice);
        }
        let clean = self.ring.to_speak(&self.roster).map(EpochKeys::id);
        // Who was removed finds none and doesn't care.
        let held = self.ring.newest_first();
        let held = held.into_iter().find(|keys| keys.opens_content());
        let Some(under) = clean.or(held.map(EpochKeys::id)) else {
            return self.act(dice, &Membership::Unknown(99));
        };
        assert!(clean.is_some() || !self.is_member());
        let text = Content::Text(Text::new(text).unwrap()).to_bytes();
        let event = self.seal(dice, Stream::CONTENT, &text, under);
        self.take(&event);
        event
    }

    /// What this device knows of somebody's logs.
    pub(crate) fn cut_of(&self, author: AuthorId) -> Cut {
        let (membership, content, content_hash) =
            self.heads
                .get(&author)
                .copied()
                .unwrap_or((Seq(0), Seq(0), EventHash::ZERO));
        Cut {
            membership,
            content,
            content_hash,
        }
    }

    pub(crate) fn remove(&mut self, dice: &mut Dice, author: AuthorId, ban: bool) {
        let removal = Removal {
            author,
            cut: self.cut_of(author),
        };
        let what = match ban {
            true => Membership::Ban(removal),
            false => Membership::Remove(removal),
        };
        self.act(dice, &what);
    }

    pub(crate) fn set_role(&mut self, dice: &mut Dice, author: AuthorId, role: Role) {
        let after = self.cut_of(author).membership;
        self.act(
            dice,
            &Membership::SetRole(SetRole {
                author,
                role,
                after,
            }),
        );
    }

    /// Says that somebody new is in.
    pub(crate) fn say_admit(&mut self, dice: &mut Dice) -> AuthorKey {
        let joiner = AuthorKey::from_seed(dice.bytes());
        let mut secret = [0; 16];
        secret.copy_from_slice(&dice.bytes()[..16]);
        let invite = InviteKeys::from_secret(&InviteSecret(secret));
        let admit = Membership::Admit(Admit {
            author: joiner.id(),
            invite: invite.public(),
            voucher: invite.voucher(self.room, joiner.id()),
            role: Role::Member,
        });
        self.act(dice, &admit);
        joiner
    }

    /// Lets a new device in, which gets what a welcome holds.
    pub(crate) fn admit(&mut self, dice: &mut Dice) -> Self {
        let joiner = self.say_admit(dice);
        let from_join = self.roster.policy().unwrap().history == History::FromJoin;
        if from_join || self.ring.to_speak(&self.roster).is_none() {
            self.mint(dice);
        }
        let grants = self.ring.grants(joiner.id(), &self.roster, 128);
        let keys = grants
            .iter()
            .map(|grant| EpochKeys::from_grant(grant).unwrap());
        let mut device = Self::bare(joiner.clone(), self.room, keys.collect());
        let create = self.roster.create().unwrap().clone();
        let proof = self.roster.credentials(joiner.id()).expect("not far");
        for event in [create].into_iter().chain(proof) {
            device.take(&event);
        }
        let named = format!("joiner {:?}", joiner.id());
        device.act(
            dice,
            &Membership::Profile(Profile {
                name: Name::new(&named),
            }),
        );
        device
    }

    /// An event from somebody else, or an own one.
    pub(crate) fn take(&mut self, event: &SignedEvent) {
        if self.held.contains_key(&event.hash()) {
            return;
        }
        match self.judge(event) {
            Judgement::Accept => self.keep(event),
            Judgement::Later => {
                self.parked.insert(event.hash(), event.clone());
                return;
            }
            Judgement::Drop | Judgement::Reject => return,
        }
        self.retry();
    }

    pub(crate) fn judge(&self, event: &SignedEvent) -> Judgement {
        let header = event.header();
        if header.stream != Stream::MEMBERSHIP {
            return self.roster.judge_content(header.author, header.seq);
        }
        match self.open(event) {
            Some(body) => match Membership::from_bytes(&body) {
                Ok(opened) => self.roster.judge(event, &opened),
                Err(_) => Judgement::Reject,
            },
            None => Judgement::Later,
        }
    }

    fn keep(&mut self, event: &SignedEvent) {
        let header = event.header();
        self.clock = self.clock.max(header.clock);
        self.held.insert(event.hash(), event.clone());
        self.parked.remove(&event.hash());
        let head = self
            .heads
            .entry(header.author)
            .or_insert((Seq(0), Seq(0), EventHash::ZERO));
        if header.stream == Stream::MEMBERSHIP {
            head.0 = head.0.max(header.seq);
            let opened = Membership::from_bytes(&self.open(event).unwrap()).unwrap();
            self.roster.apply(event, &opened);
            self.ring.read(&self.key, event, &opened);
        } else if header.seq > head.1 {
            (head.1, head.2) = (header.seq, event.hash());
        }
    }

    /// Keys or members came: what waited is looked at again.
    pub(crate) fn retry(&mut self) {
        loop {
            let ready: Vec<SignedEvent> = self
                .parked
                .values()
                .filter(|event| self.judge(event) == Judgement::Accept)
                .cloned()
                .collect();
            if ready.is_empty() {
                return;
            }
            ready.iter().for_each(|event| self.keep(event));
        }
    }

    pub(crate) fn open(&self, event: &SignedEvent) -> Option<Vec<u8>> {
        open_event(event, self.ring.keys(event.header().epoch)?).ok()
    }

    /// The messages that are shown: within the cuts.
    pub(crate) fn shown(&self) -> BTreeSet<EventHash> {
        let counts = |event: &&SignedEvent| {
            let header = event.header();
            header.stream == Stream::CONTENT
                && self.roster.judge_content(header.author, header.seq) == Judgement::Accept
        };
        self.held
            .values()
            .filter(counts)
            .map(SignedEvent::hash)
            .collect()
    }

    /// What stream 0 holds here.
    pub(crate) fn membership(&self) -> BTreeSet<EventHash> {
        let of_it = |event: &&SignedEvent| event.header().stream == Stream::MEMBERSHIP;
        self.held
            .values()
            .filter(of_it)
            .map(SignedEvent::hash)
            .collect()
    }

    /// Everyone and what they may do.
    pub(crate) fn members(&self) -> Vec<(AuthorId, Role)> {
        let role = |author| self.roster.member(author).unwrap().role;
        self.roster
            .members()
            .map(|author| (author, role(author)))
            .collect()
    }

    /// One side of a sync: takes what the other holds in any order, and asks it for missing keys.
    pub(crate) fn sync_from(&mut self, other: &Self, dice: &mut Dice) {
        let mut news: Vec<&SignedEvent> = other
            .held
            .values()
            .filter(|event| !self.held.contains_key(&event.hash()))
            .collect();
        dice.shuffle(&mut news);
        news.iter().for_each(|event| self.take(event));
        self.ask(other);
        self.ring.settle();
    }

    /// Asks for the keys that are missing, as `NeedEpochs` does.
    pub(crate) fn ask(&mut self, other: &Self) {
        let sealed = self.parked.values().chain(self.held.values());
        let named: BTreeSet<EpochId> = sealed.map(|event| event.header().epoch).collect();
        let wanted = self.ring.missing().into_iter().chain(named);
        for epoch in wanted.collect::<Vec<_>>() {
            self.given(other.ring.grant(epoch, self.me(), &other.roster));
        }
        self.retry();
    }

    /// Another device shows why this one is out.
    pub(crate) fn is_told(&mut self, other: &Self) {
        let proof = other.roster.proof_of_removal(self.me());
        self.shown_by(other, &proof.unwrap_or_default());
    }

    /// Another device takes itself for a member all the same, and shows what it knows.
    pub(crate) fn is_contradicted(&mut self, other: &Self) {
        self.shown_by(other, &other.roster.powers());
    }

    fn shown_by(&mut self, other: &Self, events: &[SignedEvent]) {
        for event in events {
            let epoch = event.header().epoch;
            self.given(other.ring.parting_grant(epoch, self.me(), &other.roster));
            self.take(event);
        }
    }

    pub(crate) fn given(&mut self, grant: Option<EpochGrant>) {
        let keys = grant.map(|grant| EpochKeys::from_grant(&grant).unwrap());
        keys.map(|keys| self.ring.add(keys));
    }
}

#[test]
fn what_devices_say_is_signed() {
    let mut dice = Dice::new(1);
    let mut ada = Device::create(&mut dice, History::Shared, None);
    let event = ada.say(&mut dice, "hello");
    assert!(verify_event(&event).is_ok());
}
