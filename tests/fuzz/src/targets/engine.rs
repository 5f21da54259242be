//! The routing engine between two links of which both are hostile, and a driver that keeps its own promises.

use std::collections::{BTreeSet, VecDeque};

use peddlenet_gossip::{
    Action, Config, Engine, Input, Item, PeerId, TimerId, UnicastId, Verdict, limits,
};
use peddlenet_wire::{
    AuthorId, EpochId, EventHash, Frame, Header, Hlc, RoomTag, Seq, Signature, SignedEvent, Stream,
    Timestamp,
    event::{self, sha256},
    frame,
    ids::Digest,
};

use super::take;

/// The room of the wire vectors, so that their frames are heard.
const ROOM: RoomTag = RoomTag([1; 16]);
const START: u64 = 1_700_000_000_000;
/// Inputs an execution, and answers that one input may cause.
const STEPS_MAX: usize = 64;
const ANSWERS_MAX: usize = 5_000;

/// A row of `what 1 | length 2 | bytes`.
pub fn engine(mut data: &[u8]) {
    let mut driver = Driver::new();
    for _ in 0..STEPS_MAX {
        if data.is_empty() {
            break;
        }
        let [what] = take(&mut data);
        let length = usize::from(u16::from_le_bytes(take(&mut data)));
        let (bytes, rest) = data.split_at(length.min(data.len()));
        data = rest;
        driver.step(what, bytes);
    }
}

struct Driver {
    engine: Engine,
    now: u64,
    timers: VecDeque<TimerId>,
    accepted: BTreeSet<EventHash>,
    delivered: BTreeSet<EventHash>,
}

impl Driver {
    fn new() -> Self {
        let mut driver = Self {
            engine: Engine::new(Config {
                salt: 1,
                ..Config::default()
            }),
            now: START,
            timers: VecDeque::new(),
            accepted: BTreeSet::new(),
            delivered: BTreeSet::new(),
        };
        driver.give(Input::OpenRoom {
            room: ROOM,
            held: vec![],
            records: vec![],
        });
        for n in [1, 2] {
            driver.up(n);
        }
        driver
    }

    fn up(&mut self, n: u8) {
        self.give(Input::PeerUp {
            peer: PeerId(n.into()),
            room: ROOM,
            author: AuthorId([n; 32]),
        });
    }

    fn step(&mut self, what: u8, mut bytes: &[u8]) {
        let from = PeerId(u64::from(what >> 7) + 1);
        match what % 8 {
            0..=2 => {
                if let Ok(frame) = Frame::from_bytes(bytes) {
                    self.give(Input::Frame { from, frame });
                }
            }
            3 | 4 => {
                if let Some(event) = made_up(bytes) {
                    let frame = Frame::Event(frame::Event {
                        event,
                        hops: what,
                        cost: 0,
                    });
                    self.give(Input::Frame { from, frame });
                }
            }
            5 => {
                let jump = u16::from_le_bytes(take(&mut bytes));
                self.now = self.now.saturating_add(u64::from(jump) * 16);
                for timer in std::mem::take(&mut self.timers) {
                    self.give(Input::Timer(timer));
                }
            }
            6 => {
                self.give(Input::PeerDown { peer: from });
                self.up(u8::from(what >> 7 != 0) + 1);
            }
            _ => self.give(Input::SendTo {
                room: ROOM,
                to: AuthorId(take(&mut bytes)),
                id: UnicastId(take(&mut bytes)),
                payload: bytes.iter().copied().take(200).collect(),
            }),
        }
        let counts = self.engine.counts(ROOM);
        assert!(counts.parked <= limits::PARKED_MAX, "what waits is bounded");
        assert!(
            counts.events <= self.accepted.len() as u64,
            "nothing counts that was not accepted"
        );
    }

    fn give(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        for _ in 0..ANSWERS_MAX {
            let Some(input) = inputs.pop_front() else {
                return;
            };
            let actions: Vec<_> = self.engine.handle(input, Timestamp(self.now)).collect();
            inputs.extend(actions.into_iter().filter_map(|action| self.answer(action)));
        }
        panic!("one input keeps the engine busy for ever");
    }

    fn answer(&mut self, action: Action) -> Option<Input> {
        match action {
            Action::Verify { ticket, item, .. } => {
                let verdict = match &item {
                    Item::Event(event) if event.body().is_some_and(|b| b.starts_with(b"bad")) => {
                        Verdict::Reject
                    }
                    Item::Event(event) if event.body().is_some_and(|b| b.starts_with(b"later")) => {
                        Verdict::Later
                    }
                    Item::Event(event) => {
                        self.accepted.insert(event.hash());
                        Verdict::Accept
                    }
                    _ => Verdict::Accept,
                };
                Some(Input::Verified { ticket, verdict })
            }
            Action::Persist { ticket, events, .. } => {
                let fine = events
                    .iter()
                    .all(|(e, _)| self.accepted.contains(&e.hash()));
                assert!(fine, "saved before its check");
                Some(Input::Persisted { ticket, ok: true })
            }
            Action::Deliver { event, .. } => {
                assert!(
                    self.accepted.contains(&event.hash()),
                    "shown before its check"
                );
                assert!(self.delivered.insert(event.hash()), "shown twice");
                None
            }
            Action::Send { frame, .. } => {
                assert!(
                    frame.to_bytes().len() <= peddlenet_wire::limits::FRAME_MAX,
                    "a frame too long"
                );
                None
            }
            Action::Load { query, .. } => Some(Input::Loaded {
                query,
                events: vec![],
                more: false,
            }),
            Action::Arm { timer, .. } => {
                self.timers.push_back(timer);
                None
            }
            _ => None,
        }
    }
}

/// `author 1 | stream 1 | seq 1 | previous 1 | body`, with a signature that the driver takes for good.
fn made_up(mut bytes: &[u8]) -> Option<SignedEvent> {
    let [author, stream, seq, previous] = take(&mut bytes);
    let seq = match seq {
        255 => u64::MAX,
        seq => u64::from(seq),
    };
    let header = Header {
        version: event::VERSION,
        suite: event::SUITE,
        room: ROOM,
        author: AuthorId([author % 4; 32]),
        stream: Stream(u32::from(stream % 3)),
        seq: Seq(seq),
        previous: EventHash([previous % 3; 32]),
        clock: Hlc::at(Timestamp(START)),
        parents: Default::default(),
        epoch: EpochId::ZERO,
        membership: Digest::ZERO,
        body_hash: sha256(bytes),
    };
    SignedEvent::from_parts(header.to_bytes(), Signature([3; 64]), Some(bytes.to_vec())).ok()
}
