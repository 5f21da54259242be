//! One honest example of each kind of frame, truly sealed and signed.

use peddlenet_crypto::{
    AuthorKey, Draft, EpochKeys, InviteKeys, join_proof, open_proof, room_offer, seal_event,
    seal_record, sign_beacon, welcome_proof,
};
use peddlenet_wire::{
    Capped, EventHash, Frame, Hlc, RoomId, RoomTag, Seq, SignedEvent, SignedRecord, Stream,
    Timestamp,
    frame::{
        self, Batch, Close, Epochs, Head, Heads, NeedEpochs, Open, Place, Removed, Rooms, Want,
        Wanted,
    },
    ids::Digest,
    invite::InviteSecret,
    join::{JoinRequest, Refuse, Welcome},
    peers::Peers,
    record::RecordKind,
    route::{Answer, Route, RouteReply, Task},
    sketch::{Cell, Cells, DigestOf, Sketch, Step, Summary},
    tree::{Announced, Beacon, Choke, Graft, Grafted, Ihave, Prune},
};

pub(crate) const ROOM: RoomTag = RoomTag([1; 16]);
pub(crate) const ROOM_ID: RoomId = RoomId([2; 16]);
/// Stands for the hash of the handshake of the link.
pub(crate) const LINK: [u8; 32] = [8; 32];
pub(crate) const START: u64 = 1_800_000_000_000;

pub(crate) struct Genuine {
    pub(crate) alice: AuthorKey,
    pub(crate) bob: AuthorKey,
    pub(crate) epoch: EpochKeys,
    pub(crate) invite: InviteKeys,
    /// Alice's log: two that the victim holds, two that are new to it.
    pub(crate) log: Vec<SignedEvent>,
    /// Bob's first event.
    pub(crate) bobs: SignedEvent,
    pub(crate) record: SignedRecord,
    /// What a route carries.
    pub(crate) letter: SignedRecord,
    pub(crate) beacon: Beacon,
}

impl Genuine {
    pub(crate) fn new() -> Self {
        let (alice, bob) = (AuthorKey::from_seed([1; 32]), AuthorKey::from_seed([2; 32]));
        let epoch = EpochKeys::from_seeds([3; 32], [4; 32]);
        let event = |key: &AuthorKey, seq: u64, previous: EventHash, text: &str| {
            let draft = Draft {
                room: ROOM,
                stream: Stream::CONTENT,
                seq: Seq(seq),
                previous,
                clock: Hlc::at(Timestamp(START + seq)),
                parents: Capped::default(),
                membership: Digest([7; 32]),
            };
            let mut nonce = [u8::try_from(seq).unwrap(); 24];
            nonce[0] = key.id().0[0];
            seal_event(&draft, key, &epoch, nonce, text.as_bytes()).unwrap()
        };
        let mut log: Vec<SignedEvent> = vec![];
        for seq in 1..=4 {
            let previous = log.last().map_or(EventHash::ZERO, SignedEvent::hash);
            log.push(event(&alice, seq, previous, "hello"));
        }
        let bobs = event(&bob, 1, EventHash::ZERO, "hello from elsewhere");
        let record = |kind, nonce, text: &[u8]| {
            let clock = Hlc::at(Timestamp(START));
            seal_record(kind, ROOM, clock, &alice, &epoch, [nonce; 24], text).unwrap()
        };
        let beacon = Beacon {
            room: ROOM.short(),
            signed: sign_beacon(ROOM, Hlc::at(Timestamp(START)), Seq(2), &alice),
            hops: 0,
            cost: 20,
            returned: false,
        };
        Self {
            record: record(RecordKind::PRESENCE, 50, b""),
            letter: record(RecordKind::MEET, 51, b"come"),
            invite: InviteKeys::from_secret(&InviteSecret([9; 16])),
            alice,
            bob,
            epoch,
            log,
            bobs,
            beacon,
        }
    }

    pub(crate) fn open(&self) -> Open {
        Open {
            room: ROOM,
            author: self.alice.id(),
            proof: open_proof(&self.alice, &LINK, ROOM, true),
            credentials: vec![self.log[0].clone()].try_into().unwrap(),
        }
    }

    pub(crate) fn request(&self) -> JoinRequest {
        let author = self.bob.id();
        JoinRequest {
            room: ROOM_ID,
            author,
            proof: join_proof(&self.bob, &LINK, ROOM_ID),
            invite: self.invite.public(),
            voucher: self.invite.voucher(ROOM_ID, author),
        }
    }

    pub(crate) fn welcome(&self) -> Welcome {
        let past = EpochKeys::from_seeds([5; 32], [6; 32]).without_content();
        Welcome {
            author: self.alice.id(),
            proof: welcome_proof(&self.alice, &LINK, ROOM_ID),
            epochs: vec![past.to_grant(), self.epoch.to_grant()]
                .try_into()
                .unwrap(),
            events: vec![self.log[0].clone()].try_into().unwrap(),
        }
    }

    pub(crate) fn epochs(&self) -> Epochs {
        Epochs {
            room: ROOM,
            grants: vec![self.epoch.to_grant()].try_into().unwrap(),
        }
    }

    pub(crate) fn removed(&self) -> Removed {
        Removed {
            room: ROOM,
            events: vec![self.log[0].clone()].try_into().unwrap(),
            grants: vec![self.epoch.without_content().to_grant()]
                .try_into()
                .unwrap(),
        }
    }

    /// At least one of each kind. Where the victim asks first, it has asked (see `Victim::hear`).
    pub(crate) fn frames(&self) -> Vec<(&'static str, Frame)> {
        let (author, room) = (self.alice.id(), ROOM.short());
        let head = Head {
            author,
            stream: Stream::CONTENT,
            base: Seq(1),
            seq: Seq(4),
            hash: self.log[3].hash(),
        };
        let want = |what| {
            let id = 3;
            Frame::Want(Want {
                room: ROOM,
                id,
                what,
            })
        };
        let sketch = |step| Frame::Sketch(Sketch { room, id: 3, step });
        let cells = [Cell {
            sum: 1,
            weighted: 2,
        }];
        let frames = vec![
            Frame::Rooms(Rooms {
                offers: vec![room_offer(&LINK, ROOM)].try_into().unwrap(),
            }),
            Frame::Open(self.open()),
            Frame::Close(Close { room: ROOM }),
            Frame::Event(frame::Event {
                event: self.log[2].clone(),
                hops: 3,
                cost: 25,
            }),
            Frame::Record(frame::Record {
                record: self.record.clone(),
                hops: 1,
            }),
            Frame::Heads(Heads {
                room: ROOM,
                heads: vec![head].try_into().unwrap(),
                reply: true,
                some: false,
            }),
            want(Wanted::Range {
                author,
                stream: Stream::CONTENT,
                from: Seq(1),
                to: Seq(2),
            }),
            want(Wanted::Page {
                before: Some(Place {
                    clock: Hlc::at(Timestamp(START + 9)),
                    hash: self.log[1].hash(),
                }),
                limit: 50,
            }),
            Frame::Batch(Batch {
                room: ROOM,
                id: 0,
                events: self.log[2..].to_vec().try_into().unwrap(),
                done: true,
            }),
            Frame::DigestOf(DigestOf {
                room,
                summary: Summary {
                    events: 4,
                    digest: [8; 12],
                },
            }),
            Frame::Beacon(self.beacon.clone()),
            Frame::Ihave(Ihave {
                room,
                entries: vec![Announced {
                    author: author.short(),
                    stream: Stream::CONTENT,
                    seq: Seq(3),
                    cost: 70,
                }]
                .try_into()
                .unwrap(),
            }),
            Frame::Prune(Prune {
                room,
                authors: vec![author.short()].try_into().unwrap(),
            }),
            Frame::Graft(Graft {
                room,
                entries: vec![Grafted {
                    author: author.short(),
                    stream: Stream::CONTENT,
                    from: Seq(1),
                    count: 2,
                }]
                .try_into()
                .unwrap(),
                all: false,
            }),
            Frame::Choke(Choke { room, on: true }),
            Frame::Route(Route {
                room,
                task: Task::Pass,
                from: Some(author),
                to: None,
                id: [15; 8],
                attempt: 0,
                ttl: 7,
                payload: self.letter.to_bytes(),
            }),
            Frame::RouteReply(RouteReply {
                room,
                from: author.short(),
                id: [15; 8],
                attempt: 0,
                answer: Answer::Delivered,
            }),
            Frame::JoinRequest(self.request()),
            Frame::Welcome(self.welcome()),
            Frame::Refuse(Refuse {
                code: Refuse::EXPIRED,
                detail: 90_000,
            }),
            sketch(Step::Cells {
                salt: 7,
                first: 0,
                cells: Cells::take_from(cells.into_iter()),
            }),
            sketch(Step::More { first: 16 }),
            sketch(Step::Lines {
                logs: vec![7].try_into().unwrap(),
            }),
            Frame::Peers(Peers {
                room,
                links: 8,
                want: true,
                part: false,
                closing: false,
                authors: vec![self.bob.id()].try_into().unwrap(),
                neighbours: Some(1),
            }),
            Frame::NeedEpochs(NeedEpochs {
                room: ROOM,
                epochs: vec![self.epoch.id()].try_into().unwrap(),
            }),
            Frame::Epochs(self.epochs()),
            Frame::Removed(self.removed()),
        ];
        frames.into_iter().map(|f| (f.name(), f)).collect()
    }
}
