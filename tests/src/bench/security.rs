//! `bench security`: what the promises cost.
//!
//! | row | what |
//! |---|---|
//! | event | bytes around a text, as signed and sealed, without parents and with one |
//! | verify | signatures of whole events checked a second, one thread, beside the bare Ed25519 check of as many bytes |
//! | removal | a room of that many members removes one: the acts and key boxes that it puts into stream 0 (bytes a device), making them (remover), and taking them in (everyone else) |
//!
//! Medians over [`RUNS`] runs; the two kinds of checks take turns in each run.

use std::{collections::BTreeMap, time::Instant};

use anyhow::{Context, Result, ensure};
use peddlenet_crypto::{
    AuthorKey, Context as Purpose, Draft, EpochKeys, InviteKeys, seal_event, verify, verify_event,
};
use peddlenet_room::{Keyring, Roster};
use peddlenet_wire::{
    AuthorId, Capped, EventHash, Hlc, RoomId, RoomTag, Seq, SignedEvent, Stream, Timestamp,
    codec::Name,
    content::{Admit, Content, Create, History, Membership, Role, Text},
    event::sha256,
    invite::InviteSecret,
    power::{Cut, Removal},
};
use serde_json::{Value, json};

/// Each figure is the median of so many runs (count).
pub const RUNS: usize = 5;
/// Events that are checked in one run (count).
const CHECKS: usize = 2_000;
/// Sizes of the rooms that remove somebody (count).
const MEMBERS: [usize; 2] = [100, 1_000];
const ROOM: RoomTag = RoomTag([9; 16]);
const TEXT: &str = "see you at gate B";

/// Measures all rows.
///
/// # Errors
/// Something was not what it should be: a figure would be worth nothing.
pub fn run() -> Result<Vec<Value>> {
    let mut rows = vec![overhead(0)?, overhead(1)?, checks()?];
    for members in MEMBERS {
        rows.push(removal(members)?);
    }
    Ok(rows)
}

fn overhead(parents: usize) -> Result<Value> {
    let mut author = Author::new(1);
    let epoch = EpochKeys::from_seed(&[1; 32]);
    let parents = vec![EventHash([3; 32]); parents];
    let text = Content::Text(Text::new(TEXT)?).to_bytes();
    let bytes = |parents: Vec<EventHash>, author: &mut Author| -> Result<usize> {
        let event = author.seal(&epoch, Stream::CONTENT, &text, parents)?;
        Ok(event.to_bytes().len())
    };
    let count = parents.len();
    let whole = bytes(parents, &mut author)?;
    Ok(json!({
        "bench": "security", "scenario": "event", "parents": count, "text_bytes": TEXT.len(),
        "event_bytes": whole, "overhead_bytes": whole - TEXT.len(),
    }))
}

fn checks() -> Result<Value> {
    let mut author = Author::new(1);
    let epoch = EpochKeys::from_seed(&[1; 32]);
    let text = Content::Text(Text::new(TEXT)?).to_bytes();
    let events: Result<Vec<_>> = (0..CHECKS)
        .map(|_| author.seal(&epoch, Stream::CONTENT, &text, Vec::new()))
        .collect();
    let events = events?;
    let raw: Vec<_> = events
        .iter()
        .map(|event| {
            let bytes = event.header_bytes().to_vec();
            let signature = author.key.sign(Purpose::Event, &bytes);
            (bytes, signature)
        })
        .collect();
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let started = Instant::now();
        ensure!(events.iter().all(|event| verify_event(event).is_ok()));
        ours.push(per_second(CHECKS, started));
        let started = Instant::now();
        let id = author.key.id();
        let holds = |(bytes, signature): &(Vec<u8>, _)| {
            verify(id, Purpose::Event, bytes, signature).is_ok()
        };
        ensure!(raw.iter().all(holds));
        bare.push(per_second(CHECKS, started));
    }
    Ok(json!({
        "bench": "security", "scenario": "verify",
        "events_per_s": median(ours), "bare_ed25519_per_s": median(bare),
    }))
}

/// A room in which everybody was let in by its creator, and the creator removes one.
fn removal(members: usize) -> Result<Value> {
    let room = Crowd::new(members)?;
    let (mut bytes, mut making, mut taking) = (0, Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (mut remover, mut reader) = (room.creator(), room.member(1)?);
        let target = room.members[members - 1];
        let started = Instant::now();
        let said = remover.remove(target)?;
        making.push(ms(started));
        bytes = said.iter().map(|event| event.to_bytes().len()).sum();
        let started = Instant::now();
        for event in &said {
            ensure!(verify_event(event).is_ok());
            reader.take(event)?;
        }
        taking.push(ms(started));
        ensure!(!reader.roster.is_member(target), "the removed is still in");
        let speaks = reader.ring.to_speak(&reader.roster).map(EpochKeys::id);
        let minted = remover.ring.to_speak(&remover.roster).map(EpochKeys::id);
        ensure!(speaks.is_some() && speaks == minted, "no new epoch");
    }
    Ok(json!({
        "bench": "security", "scenario": "removal", "members": members,
        "stream0_bytes": bytes, "remover_ms": median(making), "reader_ms": median(taking),
    }))
}

/// An author's logs.
#[derive(Clone)]
struct Author {
    key: AuthorKey,
    ends: BTreeMap<Stream, (Seq, EventHash)>,
    clock: Hlc,
    nonces: u64,
}

impl Author {
    fn new(n: u16) -> Self {
        let mut seed = [7; 32];
        seed[..2].copy_from_slice(&n.to_be_bytes());
        Self {
            key: AuthorKey::from_seed(seed),
            ends: BTreeMap::new(),
            clock: Hlc::default(),
            nonces: 0,
        }
    }

    fn seal(
        &mut self,
        epoch: &EpochKeys,
        stream: Stream,
        plaintext: &[u8],
        parents: Vec<EventHash>,
    ) -> Result<SignedEvent> {
        let (seq, previous) = match self.ends.get(&stream) {
            Some((seq, hash)) => (seq.next().context("a full log")?, *hash),
            None => (Seq::FIRST, EventHash::ZERO),
        };
        self.clock = self.clock.tick(Timestamp(1_800_000_000_000));
        self.nonces += 1;
        let mut nonce = [0; 24];
        nonce[..8].copy_from_slice(&self.nonces.to_be_bytes());
        let draft = Draft {
            room: ROOM,
            stream,
            seq,
            previous,
            clock: self.clock,
            parents: Capped::try_from(parents)?,
            membership: sha256(&[]),
        };
        let event = seal_event(&draft, &self.key, epoch, nonce, plaintext)?;
        self.ends.insert(stream, (seq, event.hash()));
        Ok(event)
    }
}

/// A room's past, and who is in it.
struct Crowd {
    room: RoomId,
    creator: Author,
    events: Vec<SignedEvent>,
    epoch: EpochKeys,
    members: Vec<AuthorId>,
}

impl Crowd {
    fn new(members: usize) -> Result<Self> {
        let (mut creator, epoch) = (Author::new(0), EpochKeys::from_seed(&[1; 32]));
        let create = Membership::Create(Create {
            room_name: Name::new("Camp 7"),
            owner_name: Name::new("Ada"),
            history: History::Shared,
            inviters: None,
            retention_s: None,
        });
        let first = creator.seal(&epoch, Stream::MEMBERSHIP, &create.to_bytes(), Vec::new())?;
        let mut room = RoomId::ZERO;
        room.0.copy_from_slice(&first.hash().0[..RoomId::LEN]);
        let (mut events, mut all) = (vec![first], vec![creator.key.id()]);
        let invite = InviteKeys::from_secret(&InviteSecret([3; 16]));
        for n in 1..members {
            let author = Author::new(u16::try_from(n)?).key.id();
            let admit = Membership::Admit(Admit {
                author,
                invite: invite.public(),
                voucher: invite.voucher(room, author),
                role: Role::Member,
            });
            events.push(creator.seal(&epoch, Stream::MEMBERSHIP, &admit.to_bytes(), Vec::new())?);
            all.push(author);
        }
        Ok(Self {
            room,
            creator,
            events,
            epoch,
            members: all,
        })
    }

    fn device(&self, author: Author) -> Device {
        let mut roster = Roster::new(self.room, ROOM);
        let mut ring = Keyring::new(ROOM, vec![self.epoch.clone()]);
        for event in &self.events {
            let opened = open(event, &ring);
            if let Some(opened) = opened {
                ring.read(&author.key, event, &opened);
                roster.apply(event, &opened);
            }
        }
        Device {
            author,
            roster,
            ring,
        }
    }

    fn creator(&self) -> Device {
        self.device(self.creator.clone())
    }

    fn member(&self, n: u16) -> Result<Device> {
        let device = self.device(Author::new(n));
        let is_in = device.roster.is_member(device.author.key.id());
        ensure!(is_in, "a member that is none");
        Ok(device)
    }
}

struct Device {
    author: Author,
    roster: Roster,
    ring: Keyring,
}

impl Device {
    fn take(&mut self, event: &SignedEvent) -> Result<()> {
        let opened = open(event, &self.ring).context("an act that can't be opened")?;
        self.ring.read(&self.author.key, event, &opened);
        self.roster.apply(event, &opened);
        Ok(())
    }

    fn say(&mut self, what: &Membership, under: &EpochKeys) -> Result<SignedEvent> {
        let event = self
            .author
            .seal(under, Stream::MEMBERSHIP, &what.to_bytes(), Vec::new())?;
        self.take(&event)?;
        Ok(event)
    }

    /// The removal, and the new epoch's keys for all who stay.
    fn remove(&mut self, author: AuthorId) -> Result<Vec<SignedEvent>> {
        let under = self.ring.newest().context("no keys")?.clone();
        let removal = Membership::Remove(Removal {
            author,
            cut: Cut::NOTHING,
        });
        let mut said = vec![self.say(&removal, &under)?];
        let minted = self.ring.mint([5; 32], [6; 32], &self.roster, under.id());
        let (_, more) = minted.context("no new epoch")?;
        for what in &more {
            said.push(self.say(what, &under)?);
        }
        Ok(said)
    }
}

fn open(event: &SignedEvent, ring: &Keyring) -> Option<Membership> {
    let keys = ring.keys(event.header().epoch)?;
    let body = peddlenet_crypto::open_event(event, keys).ok()?;
    Membership::from_bytes(&body).ok()
}

#[expect(clippy::cast_precision_loss, reason = "counts of thousands")]
fn per_second(count: usize, since: Instant) -> f64 {
    count as f64 / since.elapsed().as_secs_f64()
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removal_in_a_room_of_a_hundred_reaches_everyone_but_the_removed() {
        let row = removal(100).unwrap();
        // 99 boxes of 88 bytes and three signed events around them.
        let bytes = row["stream0_bytes"].as_u64().unwrap();
        assert!((8_712..11_000).contains(&bytes), "{bytes} bytes");
    }
}
