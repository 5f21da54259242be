//! What it costs two devices to find out what one of them lacks: ours beside `negentropy`.
//!
//! A room of 100 members with 10,000 messages. One device holds them all; the other lacks the newest
//! ones (it was away), or some here and there (which leaves holes in logs, the costliest case). Both
//! are linked by a link of 10 ms one way, checks and commits take no time. Events themselves are
//! counted apart: every system has to send those. `negentropy` compares sets of message ids, in
//! order of their clocks, and leaves fetching to others; 32 bytes for each id that is asked for are
//! added nowhere, ours includes its wants in `fetch_bytes`.

use std::collections::{BTreeMap, BTreeSet};

use negentropy::{Id, Negentropy, NegentropyStorageVector};
use peddlenet_gossip::{Action, Config, Engine, Input, PeerId, Verdict};
use peddlenet_wire::{EventHash, Frame, Hlc, Seq, SignedEvent, Timestamp};

use super::{
    disk::Disk,
    make::{ROOM, Tip, author, event},
};
use crate::{Dice, MessageId, NodeId};

const MEMBERS: u32 = 100;
const MESSAGES: u64 = 10_000;
const BODY: usize = 90;
const START: u64 = 1_700_000_000_000;
const ONE_WAY_MS: u64 = 10;
/// Beyond it something is broken.
const MOST_MS: u64 = 300_000;

/// One measurement.
#[derive(Debug, Clone)]
pub struct Row {
    /// Whose.
    pub system: &'static str,
    /// Messages that one side lacks.
    pub missing: usize,
    /// Whether these are the newest; otherwise they lie anywhere.
    pub recent: bool,
    /// Digests, cells and heads (ours), or the messages of the protocol.
    pub reconcile_bytes: usize,
    /// Wants, and what surrounds events in batches.
    pub fetch_bytes: usize,
    /// From the first digest until all messages are there (ours), or until all ids are known.
    /// Infinite: not within five minutes.
    pub round_trips: f64,
}

/// The rows of `bench sync`, ours and theirs by turns.
pub fn rows(seed: u64) -> Vec<Row> {
    let all = history(seed);
    let sizes = [(0, true), (1, true), (10, true), (100, true), (1_000, true)];
    let scattered = [(1, false), (10, false), (100, false), (1_000, false)];
    let each = sizes.into_iter().chain(scattered);
    each.flat_map(|(missing, recent)| {
        let lacks = lacking(&all, missing, recent, seed);
        [ours(&all, &lacks, recent), theirs(&all, &lacks, recent)]
    })
    .collect()
}

/// Messages of random members, oldest first.
fn history(seed: u64) -> Vec<SignedEvent> {
    let mut dice = Dice::new(seed);
    let mut tips: BTreeMap<u32, (Seq, EventHash)> = BTreeMap::new();
    let message = |n: u64| {
        let node = dice.roll(u64::from(MEMBERS)) as u32;
        let tip = tips.entry(node).or_insert((Seq(0), EventHash::ZERO));
        let made = event(
            Tip {
                author: author(NodeId(node)),
                seq: Seq(tip.0.0 + 1),
                previous: tip.1,
                clock: Hlc::at(Timestamp(START + n * 1_000)),
                parents: vec![],
            },
            MessageId(n),
            BODY,
        );
        *tip = (made.header().seq, made.hash());
        made
    };
    (0..MESSAGES).map(message).collect()
}

fn lacking(all: &[SignedEvent], missing: usize, recent: bool, seed: u64) -> BTreeSet<EventHash> {
    let newest = all.iter().rev().take(missing).map(SignedEvent::hash);
    if recent {
        return newest.collect();
    }
    let mut dice = Dice::new(seed ^ 0xd1ff);
    let mut lacks = BTreeSet::new();
    while lacks.len() < missing {
        lacks.insert(all[dice.roll(all.len() as u64) as usize].hash());
    }
    lacks
}

struct Device {
    engine: Engine,
    disk: Disk,
}

fn ours(all: &[SignedEvent], lacks: &BTreeSet<EventHash>, recent: bool) -> Row {
    let peer = PeerId(1);
    let mut queue: BTreeMap<(u64, u64), (usize, Input)> = BTreeMap::new();
    let mut devices = Vec::new();
    let mut serial = 0u64;
    for holder in 0..2 {
        let mut disk = Disk::default();
        let held = all
            .iter()
            .filter(|e| holder == 0 || !lacks.contains(&e.hash()));
        held.for_each(|e| disk.put(e.clone(), 1));
        let open = Input::OpenRoom {
            room: ROOM,
            held: disk.held(),
            records: vec![],
        };
        let up = Input::PeerUp {
            peer,
            room: ROOM,
            author: author(NodeId(1_000 + 1 - holder)),
        };
        for input in [open, up] {
            serial += 1;
            queue.insert((START + MESSAGES * 1_000, serial), (holder as usize, input));
        }
        let salt = u64::from(holder) + 1;
        let engine = Engine::new(Config {
            salt,
            ..Config::default()
        });
        devices.push(Device { engine, disk });
    }
    let begun = START + MESSAGES * 1_000;
    let (mut compared, mut fetched) = (0, 0);
    let mut end = begun;
    while let Some(((at, _), (to, input))) = queue.pop_first() {
        if at > begun + MOST_MS {
            break;
        }
        let device = &mut devices[to];
        let actions: Vec<Action> = device.engine.handle(input, Timestamp(at)).collect();
        let mut answers = Vec::new();
        for action in actions {
            match action {
                Action::Send { frame, .. } => {
                    let bytes = frame.to_bytes().len();
                    match &frame {
                        Frame::DigestOf(_) | Frame::Sketch(_) | Frame::Heads(_) => {
                            compared += bytes
                        }
                        Frame::Batch(batch) => {
                            let events = batch.events.iter().map(|e| e.to_bytes().len());
                            fetched += bytes.saturating_sub(events.sum());
                        }
                        Frame::Want(_) => fetched += bytes,
                        _ => continue,
                    }
                    let arrives = at + ONE_WAY_MS;
                    answers.push((arrives, 1 - to, Input::Frame { from: peer, frame }));
                }
                Action::Verify { ticket, .. } => {
                    let verdict = Verdict::Accept;
                    answers.push((at, to, Input::Verified { ticket, verdict }));
                }
                Action::Persist { ticket, events, .. } => {
                    events
                        .into_iter()
                        .for_each(|(e, hops)| device.disk.put(e, hops));
                    answers.push((at, to, Input::Persisted { ticket, ok: true }));
                }
                Action::Load { query, what } => {
                    let (events, more) = device.disk.load(&what);
                    answers.push((
                        at,
                        to,
                        Input::Loaded {
                            query,
                            events,
                            more,
                        },
                    ));
                }
                Action::Arm { timer, at } => answers.push((at.0, to, Input::Timer(timer))),
                _ => {}
            }
        }
        for (at, to, input) in answers {
            serial += 1;
            queue.insert((at, serial), (to, input));
        }
        let held = |n: usize| devices[n].engine.counts(ROOM).events;
        if end == begun && held(1) == MESSAGES && at > begun {
            end = at;
        }
    }
    let is_same = devices[0].engine.digest(ROOM) == devices[1].engine.digest(ROOM);
    let trips = (end - begun) as f64 / (2 * ONE_WAY_MS) as f64;
    Row {
        system: "ours",
        missing: lacks.len(),
        recent,
        reconcile_bytes: compared,
        fetch_bytes: fetched,
        round_trips: if is_same { trips } else { f64::INFINITY },
    }
}

fn theirs(all: &[SignedEvent], lacks: &BTreeSet<EventHash>, recent: bool) -> Row {
    let storage = |holds_all: bool| {
        let mut storage = NegentropyStorageVector::new();
        for event in all
            .iter()
            .filter(|e| holds_all || !lacks.contains(&e.hash()))
        {
            let id = Id::from_slice(&event.hash().0).expect("32 bytes");
            let at = event.header().clock.timestamp().0;
            storage.insert(at, id).expect("not sealed yet");
        }
        storage.seal().expect("sealed once");
        storage
    };
    let (poor, rich) = (storage(false), storage(true));
    let mut client = Negentropy::borrowed(&poor, 0).expect("no frame limit");
    let mut server = Negentropy::borrowed(&rich, 0).expect("no frame limit");
    let (mut have, mut need) = (Vec::new(), Vec::new());
    let (mut bytes, mut trips) = (0, 0);
    let mut next = client.initiate().ok();
    while let Some(question) = next {
        let answer = server.reconcile(&question).expect("well formed");
        bytes += question.len() + answer.len();
        trips += 1;
        next = client
            .reconcile_with_ids(&answer, &mut have, &mut need)
            .expect("well formed");
    }
    assert_eq!((have.len(), need.len()), (0, lacks.len()));
    Row {
        system: "negentropy 0.5",
        missing: lacks.len(),
        recent,
        reconcile_bytes: bytes,
        fetch_bytes: 0,
        round_trips: f64::from(trips),
    }
}
