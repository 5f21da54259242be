//! A device that holds two events, beside a neighbour who flips bits and one who doesn't. Its driver checks
//! signatures and membership as `mesh` does.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use peddlenet_crypto::{verify_beacon, verify_event, verify_record};
use peddlenet_gossip::{
    Action, Config, Engine, Held, Input, Item, PeerId, Query, UnicastId, Verdict,
};
use peddlenet_wire::{
    AuthorId, EventHash, Frame, Seq, SignedEvent, SignedRecord, Stream, Timestamp,
    frame::{self, Head, Heads},
};

use crate::genuine::{Genuine, ROOM, START};

const FLIPPER: PeerId = PeerId(1);
const HONEST: PeerId = PeerId(2);

pub(crate) struct Victim {
    engine: Engine,
    members: BTreeSet<AuthorId>,
    disk: BTreeMap<(AuthorId, Stream, Seq, EventHash), SignedEvent>,
    /// The last want that it sent to the flipper.
    want: Option<u32>,
    pub(crate) events: Vec<SignedEvent>,
    pub(crate) records: Vec<SignedRecord>,
    pub(crate) letters: Vec<(AuthorId, UnicastId, Vec<u8>)>,
    pub(crate) heard: BTreeSet<AuthorId>,
    /// Signed things that it passed on.
    passed_on: Vec<Frame>,
}

/// What a device holds and has shown; hints are not in it.
#[derive(Debug, PartialEq)]
pub(crate) struct Holdings {
    digest: String,
    heads: Vec<Head>,
    events: BTreeSet<EventHash>,
    records: BTreeSet<Vec<u8>>,
    letters: BTreeSet<Vec<u8>>,
    parked: u64,
}

impl Holdings {
    /// More than one of them and no more than the other.
    pub(crate) fn between(&self, less: &Self, more: &Self) -> bool {
        self.events.is_superset(&less.events)
            && self.events.is_subset(&more.events)
            && self.records == less.records
            && self.letters == less.letters
            && self.parked == 0
    }
}

impl Victim {
    pub(crate) fn new(genuine: &Genuine) -> Self {
        let mut victim = Self {
            engine: Engine::new(Config {
                salt: 1,
                ..Config::default()
            }),
            members: BTreeSet::from([genuine.alice.id(), genuine.bob.id()]),
            disk: BTreeMap::new(),
            want: None,
            events: vec![],
            records: vec![],
            letters: vec![],
            heard: BTreeSet::new(),
            passed_on: vec![],
        };
        for event in &genuine.log[..2] {
            victim.save(event);
        }
        victim.give(Input::OpenRoom {
            room: ROOM,
            held: vec![Held {
                author: genuine.alice.id(),
                stream: Stream::CONTENT,
                ranges: vec![(Seq(1), Seq(2))],
                hash: genuine.log[1].hash(),
            }],
            records: vec![],
        });
        for (peer, key) in [(FLIPPER, &genuine.alice), (HONEST, &genuine.bob)] {
            victim.give(Input::PeerUp {
                peer,
                room: ROOM,
                author: key.id(),
            });
        }
        victim.ask(genuine);
        victim
    }

    /// Has it want what is new of Alice's log from the flipper, so that a batch is an answer.
    fn ask(&mut self, genuine: &Genuine) {
        let heads = vec![Head {
            author: genuine.alice.id(),
            stream: Stream::CONTENT,
            base: Seq(1),
            seq: Seq(4),
            hash: genuine.log[3].hash(),
        }];
        let frame = Frame::Heads(Heads {
            room: ROOM,
            heads: heads.try_into().unwrap(),
            reply: false,
            some: false,
        });
        self.give(Input::Frame {
            from: FLIPPER,
            frame,
        });
    }

    /// A frame of the flipper. A batch with the id 0 answers the want that stands.
    pub(crate) fn hear(&mut self, mut frame: Frame) {
        if let Frame::Batch(batch) = &mut frame {
            batch.id ^= self.want.expect("it wants what it lacks");
        }
        self.give(Input::Frame {
            from: FLIPPER,
            frame,
        });
    }

    /// Whether one more event, pushed by the honest neighbour, arrives.
    pub(crate) fn hears_the_other_neighbour(&mut self, genuine: &Genuine) -> bool {
        let event = genuine.bobs.clone();
        self.give(Input::Frame {
            from: HONEST,
            frame: Frame::Event(frame::Event {
                event: event.clone(),
                hops: 0,
                cost: 0,
            }),
        });
        self.events.contains(&event)
    }

    pub(crate) fn holdings(&self) -> Holdings {
        Holdings {
            digest: format!("{:?}", self.engine.digest(ROOM)),
            heads: self.engine.heads(ROOM),
            events: self.disk.keys().map(|key| key.3).collect(),
            records: self.records.iter().map(SignedRecord::to_bytes).collect(),
            // Who it is for proves a letter by what is inside, so one that doesn't hold is none.
            letters: self
                .letters
                .iter()
                .filter(|(_, _, payload)| {
                    SignedRecord::from_bytes(payload).is_ok_and(|r| verify_record(&r).is_ok())
                })
                .map(|(_, _, payload)| payload.clone())
                .collect(),
            parked: self.engine.counts(ROOM).parked as u64,
        }
    }

    /// Byte for byte what an honest author signed, in all that was shown, saved or passed on.
    pub(crate) fn accepted_only_what_is_genuine(&self, genuine: &Genuine) {
        let is_event = |e: &SignedEvent| genuine.log.contains(e) || genuine.bobs == *e;
        assert!(self.events.iter().all(is_event));
        assert!(self.disk.values().all(is_event));
        assert!(self.records.iter().all(|r| *r == genuine.record));
        assert!(
            self.heard
                .iter()
                .all(|author| *author == genuine.alice.id())
        );
        for letter in &self.holdings().letters {
            assert_eq!(*letter, genuine.letter.to_bytes());
        }
        for frame in &self.passed_on {
            let fine = match frame {
                Frame::Event(f) => is_event(&f.event),
                Frame::Batch(f) => f.events.iter().all(is_event),
                Frame::Record(f) => f.record == genuine.record,
                Frame::Beacon(f) => f.signed == genuine.beacon.signed,
                _ => true,
            };
            assert!(fine, "{frame:?}");
        }
    }

    fn save(&mut self, event: &SignedEvent) {
        let h = event.header();
        let key = (h.author, h.stream, h.seq, event.hash());
        self.disk.insert(key, event.clone());
    }

    fn give(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let actions: Vec<_> = self.engine.handle(input, Timestamp(START)).collect();
            inputs.extend(actions.into_iter().filter_map(|action| self.answer(action)));
        }
    }

    fn answer(&mut self, action: Action) -> Option<Input> {
        match action {
            Action::Verify { ticket, item, .. } => Some(Input::Verified {
                ticket,
                verdict: self.judge(&item),
            }),
            Action::Persist { ticket, events, .. } => {
                events.iter().for_each(|(event, _)| self.save(event));
                Some(Input::Persisted { ticket, ok: true })
            }
            Action::Load { query, what } => Some(Input::Loaded {
                query,
                events: self.load(&what),
                more: false,
            }),
            Action::Deliver { event, .. } => {
                self.events.push(event);
                None
            }
            Action::DeliverRecord { record, .. } => {
                self.records.push(record);
                None
            }
            Action::DeliverTo {
                from, id, payload, ..
            } => {
                self.letters.push((from, id, payload));
                None
            }
            Action::Heard { author, .. } => {
                self.heard.insert(author);
                None
            }
            Action::Send { to, frame, .. } => {
                match &frame {
                    Frame::Want(want) if to == FLIPPER => self.want = Some(want.id),
                    _ => {}
                }
                self.passed_on.push(frame);
                None
            }
            Action::Drop { peer, .. } => {
                assert_ne!(peer, HONEST, "the honest neighbour is dropped");
                Some(Input::PeerDown { peer })
            }
            _ => None,
        }
    }

    /// As `mesh` judges: membership first, then the signature.
    fn judge(&self, item: &Item) -> Verdict {
        let (author, good) = match item {
            Item::Event(event) => (event.header().author, verify_event(event).is_ok()),
            Item::Record(record) => (record.header().author, verify_record(record).is_ok()),
            Item::Beacon(room, beacon) => (beacon.author, verify_beacon(*room, beacon).is_ok()),
        };
        match (self.members.contains(&author), good) {
            (true, true) => Verdict::Accept,
            _ => Verdict::Reject,
        }
    }

    fn load(&self, what: &Query) -> Vec<(SignedEvent, u8)> {
        let wanted = |event: &&SignedEvent| match *what {
            Query::Range {
                author,
                stream,
                from,
                to,
                ..
            } => {
                let h = event.header();
                h.author == author && h.stream == stream && (from..=to).contains(&h.seq)
            }
            Query::Page { .. } => true,
        };
        self.disk
            .values()
            .filter(wanted)
            .map(|e| (e.clone(), 0))
            .collect()
    }
}
