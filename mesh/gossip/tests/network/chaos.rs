//! Inputs in no sensible order: the engine neither panics nor grows, and never shows what was not accepted.

use std::collections::BTreeSet;

use peddlenet_gossip::{
    Action, Config, Engine, Input, Item, PeerId, QueryId, Ticket, TimerId, Verdict, limits,
};
use peddlenet_wire::{
    AuthorId, EventHash, Frame, Seq, SignedEvent, Stream, Timestamp,
    frame::{self, Batch, Head, Heads, Want, Wanted},
    record::RecordKind,
    sketch::{Cell, Cells, DigestOf, Sketch, Step, Summary},
};

use crate::{
    make::{Dice, author, event, record},
    net::{OTHER, ROOM, START},
};

struct Chaos {
    dice: Dice,
    checks: Vec<(Ticket, Item)>,
    commits: Vec<Ticket>,
    queries: Vec<QueryId>,
    timers: Vec<TimerId>,
    wants: Vec<(PeerId, u32)>,
}

impl Chaos {
    fn room(&mut self) -> peddlenet_wire::RoomTag {
        if self.dice.percent(80) { ROOM } else { OTHER }
    }

    fn who(&mut self) -> AuthorId {
        author(self.dice.roll(5) as usize)
    }

    fn peer(&mut self) -> PeerId {
        PeerId(self.dice.roll(4))
    }

    fn seq(&mut self) -> u64 {
        match self.dice.roll(20) {
            0 => u64::MAX,
            1 => u64::MAX - self.dice.roll(300),
            2 => 1 << self.dice.roll(63),
            _ => 1 + self.dice.roll(30),
        }
    }

    fn event(&mut self) -> SignedEvent {
        let (room, who, seq) = (self.room(), self.who(), self.seq());
        let previous = if seq == 1 {
            EventHash::ZERO
        } else {
            EventHash([1 + self.dice.roll(3) as u8; 32])
        };
        let body = format!("{}", self.dice.roll(3));
        event(
            room,
            who,
            Stream(self.dice.roll(3) as u32),
            (seq, previous),
            START,
            &body,
        )
    }

    fn wanted(&mut self) -> Wanted {
        match self.dice.roll(3) {
            0 => Wanted::Page {
                before: None,
                limit: self.dice.roll(70_000) as u16,
            },
            _ => Wanted::Range {
                author: self.who(),
                stream: Stream(self.dice.roll(3) as u32),
                from: Seq(self.seq()),
                to: Seq(self.seq()),
            },
        }
    }

    fn step(&mut self) -> Step {
        let first = self.dice.roll(3) as u16 * 7;
        match self.dice.roll(4) {
            0 => Step::More { first },
            1 => Step::Lines {
                logs: vec![self.dice.roll(1 << 31) as u32; self.dice.roll(9) as usize]
                    .try_into()
                    .unwrap(),
            },
            _ => {
                let count = self.dice.roll(30) as usize;
                let cells = (0..count).map(|_| Cell {
                    sum: self.dice.roll(1 << 48),
                    weighted: self.dice.roll(3),
                });
                let cells = Cells::take_from(cells.collect::<Vec<_>>().into_iter());
                Step::Cells {
                    salt: self.dice.roll(2),
                    first,
                    cells,
                }
            }
        }
    }

    fn frame(&mut self) -> Frame {
        let room = self.room();
        match self.dice.roll(14) {
            0..=3 => Frame::Event(frame::Event {
                event: self.event(),
                hops: self.dice.roll(256) as u8,
                cost: 0,
            }),
            4 => {
                let kind = RecordKind(self.dice.roll(30) as u16);
                let (who, clock) = (self.who(), self.dice.roll(9));
                Frame::Record(frame::Record {
                    record: record(room, who, kind, clock, "r"),
                    hops: 255,
                })
            }
            5 | 6 => {
                let heads: Vec<_> = (0..self.dice.roll(6))
                    .map(|_| Head {
                        author: self.who(),
                        stream: Stream(self.dice.roll(3) as u32),
                        base: Seq(self.seq().wrapping_add(1)),
                        seq: Seq(self.seq()),
                        hash: EventHash([self.dice.roll(3) as u8; 32]),
                    })
                    .collect();
                Frame::Heads(Heads {
                    room,
                    heads: heads.try_into().unwrap(),
                    reply: self.dice.percent(50),
                    some: self.dice.percent(30),
                })
            }
            7 => Frame::DigestOf(DigestOf {
                room: room.short(),
                summary: Summary {
                    events: self.dice.roll(300) as u32,
                    digest: [self.dice.roll(4) as u8; 12],
                },
            }),
            8 => Frame::Want(Want {
                room,
                id: self.dice.roll(9) as u32,
                what: self.wanted(),
            }),
            9 => Frame::Unknown(77),
            10 | 11 => Frame::Sketch(Sketch {
                room: room.short(),
                id: self.dice.roll(9) as u32,
                step: self.step(),
            }),
            _ => {
                let events: Vec<_> = (0..self.dice.roll(5)).map(|_| self.event()).collect();
                let id = self.wants.last().map_or(0, |w| w.1);
                Frame::Batch(Batch {
                    room,
                    id,
                    events: events.try_into().unwrap(),
                    done: self.dice.percent(60),
                })
            }
        }
    }

    fn pick<T>(dice: &mut Dice, from: &mut Vec<T>) -> Option<T> {
        let at = dice.roll(from.len() as u64) as usize;
        (!from.is_empty()).then(|| from.swap_remove(at))
    }

    fn input(&mut self, accepted: &mut BTreeSet<EventHash>) -> Input {
        let (peer, room) = (self.peer(), self.room());
        match self.dice.roll(24) {
            0 => Input::OpenRoom {
                room,
                held: vec![],
                records: vec![],
            },
            1 if self.dice.percent(10) => Input::CloseRoom { room },
            2 => Input::PeerUp {
                peer,
                room,
                author: self.who(),
            },
            3 if self.dice.percent(20) => Input::RoomDown { peer, room },
            4 if self.dice.percent(20) => Input::PeerDown { peer },
            5 => Input::Publish {
                event: self.event(),
            },
            6 => Input::MembershipChanged { room },
            7..=9 => match Self::pick(&mut self.dice, &mut self.checks) {
                Some((ticket, item)) => {
                    let verdict = [
                        Verdict::Accept,
                        Verdict::Accept,
                        Verdict::Later,
                        Verdict::Reject,
                    ][self.dice.roll(4) as usize];
                    if let (Item::Event(event), Verdict::Accept) = (&item, verdict) {
                        accepted.insert(event.hash());
                    }
                    Input::Verified { ticket, verdict }
                }
                None => Input::Verified {
                    ticket: Ticket(self.dice.roll(999)),
                    verdict: Verdict::Later,
                },
            },
            10..=12 => match Self::pick(&mut self.dice, &mut self.commits) {
                Some(ticket) => Input::Persisted {
                    ticket,
                    ok: self.dice.percent(80),
                },
                None => Input::Timer(TimerId(self.dice.roll(999))),
            },
            13 => match Self::pick(&mut self.dice, &mut self.queries) {
                Some(query) => {
                    let events = (0..self.dice.roll(4)).map(|_| (self.event(), 3)).collect();
                    Input::Loaded {
                        query,
                        events,
                        more: self.dice.percent(50),
                    }
                }
                None => Input::Loaded {
                    query: QueryId(5),
                    events: vec![],
                    more: true,
                },
            },
            14 | 15 => match Self::pick(&mut self.dice, &mut self.timers) {
                Some(timer) => Input::Timer(timer),
                None => Input::Timer(TimerId(self.dice.roll(999))),
            },
            _ => Input::Frame {
                from: peer,
                frame: self.frame(),
            },
        }
    }
}

#[test]
fn arbitrary_inputs_neither_panic_nor_pass_the_check_by() {
    for seed in 0..40 {
        let mut chaos = Chaos {
            dice: Dice::new(seed),
            checks: vec![],
            commits: vec![],
            queries: vec![],
            timers: vec![],
            wants: vec![],
        };
        let mut engine = Engine::new(Config {
            salt: seed,
            ..Config::default()
        });
        let (mut accepted, mut own) = (BTreeSet::new(), BTreeSet::new());
        let mut now = START;
        for _ in 0..3_000 {
            // Now and then the clock jumps, also backwards.
            now = match chaos.dice.roll(200) {
                0 => now.saturating_sub(3_600_000),
                1 => now.saturating_add(3_600_000),
                2 => u64::MAX,
                _ => now.saturating_add(chaos.dice.roll(50)),
            };
            if now == u64::MAX && chaos.dice.percent(50) {
                now = START;
            }
            let input = chaos.input(&mut accepted);
            if let Input::Publish { event } = &input {
                own.insert(event.hash());
            }
            for action in engine.handle(input, Timestamp(now)) {
                match action {
                    Action::Verify { ticket, item, .. } => chaos.checks.push((ticket, item)),
                    Action::Persist {
                        ticket,
                        events,
                        own: ours,
                        ..
                    } => {
                        assert!(
                            ours || events.iter().all(|(e, _)| accepted.contains(&e.hash())),
                            "seed {seed}"
                        );
                        chaos.commits.push(ticket);
                    }
                    Action::Deliver { event, .. } => {
                        assert!(accepted.contains(&event.hash()), "seed {seed}")
                    }
                    Action::Send {
                        frame: Frame::Event(e),
                        ..
                    } => {
                        let hash = e.event.hash();
                        assert!(
                            accepted.contains(&hash) || own.contains(&hash),
                            "seed {seed}"
                        );
                    }
                    Action::Send {
                        to,
                        frame: Frame::Want(want),
                        ..
                    } => {
                        if let Wanted::Range { from, to, .. } = want.what {
                            assert!(from <= to && to.0 - from.0 < limits::CHUNK, "seed {seed}");
                        }
                        chaos.wants.push((to, want.id));
                    }
                    Action::Load { query, .. } => chaos.queries.push(query),
                    Action::Arm { timer, .. } => chaos.timers.push(timer),
                    _ => {}
                }
            }
            for room in [ROOM, OTHER] {
                assert!(
                    engine.counts(room).parked <= limits::PARKED_MAX,
                    "seed {seed}"
                );
                assert_eq!(
                    engine.heads(room).is_empty(),
                    engine.counts(room).events == 0
                );
            }
        }
    }
}
