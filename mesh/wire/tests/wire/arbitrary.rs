//! Any value of every wire type, for properties.

use std::net::{IpAddr, SocketAddr};

use peddlenet_wire::{
    AuthorId, AuthorShort, Capped, EpochId, EventHash, EventShort, Fingerprint, Frame, Header, Hlc,
    Invite, InviteKey, Pass, RoomId, RoomTag, Seq, Signature, SignedEvent, SignedRecord, Stream,
    Timestamp, VerifyCode,
    codec::Name,
    content::{
        Admit, Content, Create, Delete, Edit, History, InviteOpened, Membership, Profile, React,
        Rename, RevokeInvite, Role, Text,
    },
    event::{SUITE, VERSION, sha256},
    frame::{
        Batch, Close, Epochs, Event, Head, Heads, NeedEpochs, Open, Place, Record, Removed,
        RoomOffer, Rooms, Want, Wanted,
    },
    ids::Digest,
    invite::InviteSecret,
    join::{EpochGrant, JoinRequest, Refuse, Welcome},
    limits,
    meet::Meet,
    pass::{Certificate, PassSeed},
    peers::Peers,
    power::{self, Boxes, Cut, KeyBox, KeyBoxes, Move, Rekey, Removal, SetRole},
    record::{self, Address, Receipts, RecordHeader, RecordKind, SeenUpTo, Whereabouts},
    route::{Answer, Route, RouteReply, Task},
    sketch::{Cell, Cells, DigestOf, Sketch, Step, Summary},
    tree::{Announced, Beacon, Choke, Graft, Grafted, Ihave, Prune, SignedBeacon},
};
use proptest::{collection::vec, option, prelude::*};

mod bodies;

pub(crate) use bodies::{content, grant, meet, membership, receipts, whereabouts};

/// Ids from their bytes.
macro_rules! ids {
    ($($name:ident -> $Id:ident;)*) => {$(
        pub(crate) fn $name() -> impl Strategy<Value = $Id> {
            any::<[u8; $Id::LEN]>().prop_map($Id)
        }
    )*};
}

ids! {
    room_id -> RoomId;
    room_tag -> RoomTag;
    author -> AuthorId;
    event_hash -> EventHash;
    epoch_id -> EpochId;
    fingerprint -> Fingerprint;
    invite_key -> InviteKey;
    digest -> Digest;
    signature -> Signature;
}

pub(crate) fn capped<T: std::fmt::Debug, const N: usize>(
    values: impl Strategy<Value = T>,
    most: usize,
) -> impl Strategy<Value = Capped<T, N>> {
    vec(values, 0..=most.min(N)).prop_map(|v| Capped::try_from(v).unwrap())
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..120)
}

fn stream() -> impl Strategy<Value = Stream> {
    any::<u32>().prop_map(Stream)
}

fn seq() -> impl Strategy<Value = Seq> {
    any::<u64>().prop_map(Seq)
}

fn hlc() -> impl Strategy<Value = Hlc> {
    any::<u64>().prop_map(Hlc)
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    any::<u64>().prop_map(Timestamp)
}

fn name() -> impl Strategy<Value = Name> {
    any::<String>().prop_map(|text| Name::new(&text))
}

/// A header whose position and `previous` agree; its body hash is for the caller to set.
fn header() -> impl Strategy<Value = Header> {
    let place = (any::<u64>().prop_map(|n| n.max(1)), event_hash());
    let parents = capped(event_hash(), limits::PARENTS_MAX);
    (
        room_tag(),
        author(),
        stream(),
        place,
        hlc(),
        parents,
        epoch_id(),
        digest(),
    )
        .prop_map(
            |(room, author, stream, (seq, previous), clock, parents, epoch, membership)| Header {
                version: VERSION,
                suite: SUITE,
                room,
                author,
                stream,
                seq: Seq(seq),
                previous: if seq == 1 { EventHash::ZERO } else { previous },
                clock,
                parents,
                epoch,
                membership,
                body_hash: Digest::ZERO,
            },
        )
}

pub(crate) fn event() -> impl Strategy<Value = SignedEvent> {
    (header(), body(), any::<bool>(), signature()).prop_map(
        |(mut header, body, kept, signature)| {
            header.body_hash = sha256(&body);
            SignedEvent::from_parts(header.to_bytes(), signature, kept.then_some(body)).unwrap()
        },
    )
}

pub(crate) fn record() -> impl Strategy<Value = SignedRecord> {
    let fields = (any::<u16>(), room_tag(), author(), hlc(), epoch_id());
    (fields, body(), signature()).prop_map(
        |((kind, room, author, clock, epoch), body, signature)| {
            let header = RecordHeader {
                version: record::VERSION,
                kind: RecordKind(kind),
                room,
                author,
                clock,
                epoch,
                body_hash: sha256(&body),
            };
            SignedRecord::from_parts(header.to_bytes(), signature, body).unwrap()
        },
    )
}

fn join_request() -> impl Strategy<Value = JoinRequest> {
    (room_id(), author(), signature(), invite_key(), signature()).prop_map(
        |(room, author, proof, invite, voucher)| JoinRequest {
            room,
            author,
            proof,
            invite,
            voucher,
        },
    )
}

fn welcome() -> impl Strategy<Value = Welcome> {
    (
        author(),
        signature(),
        capped(grant(), 6),
        capped(event(), 4),
    )
        .prop_map(|(author, proof, epochs, events)| Welcome {
            author,
            proof,
            epochs,
            events,
        })
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let place = (hlc(), event_hash()).prop_map(|(clock, hash)| Place { clock, hash });
    prop_oneof![
        (author(), stream(), seq(), seq()).prop_map(|(author, stream, from, to)| Wanted::Range {
            author,
            stream,
            from,
            to
        }),
        (option::of(place), any::<u16>())
            .prop_map(|(before, limit)| Wanted::Page { before, limit }),
    ]
}

fn head() -> impl Strategy<Value = Head> {
    (author(), stream(), seq(), seq(), event_hash()).prop_map(
        |(author, stream, base, seq, hash)| Head {
            author,
            stream,
            base,
            seq,
            hash,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let half = 0..1u64 << 48;
    let cell = (half.clone(), half).prop_map(|(sum, weighted)| Cell { sum, weighted });
    prop_oneof![
        (any::<(u64, u16)>(), vec(cell, 0..20)).prop_map(|((salt, first), cells)| Step::Cells {
            salt,
            first,
            cells: Cells::take_from(cells.into_iter()),
        }),
        any::<u16>().prop_map(|first| Step::More { first }),
        capped(any::<u32>(), 20).prop_map(|logs| Step::Lines { logs }),
    ]
}

/// Kinds in the order of their numbers.
pub(crate) fn frame() -> impl Strategy<Value = Frame> {
    prop_oneof![
        capped(any::<[u8; 16]>().prop_map(RoomOffer), limits::ROOMS_MAX)
            .prop_map(|offers| Frame::Rooms(Rooms { offers })),
        (room_tag(), author(), signature(), capped(event(), 3)).prop_map(
            |(room, author, proof, credentials)| {
                Frame::Open(Open {
                    room,
                    author,
                    proof,
                    credentials,
                })
            }
        ),
        room_tag().prop_map(|room| Frame::Close(Close { room })),
        (event(), any::<u8>(), any::<u16>()).prop_map(|(event, hops, cost)| Frame::Event(Event {
            event,
            hops,
            cost
        })),
        (record(), any::<u8>()).prop_map(|(record, hops)| Frame::Record(Record { record, hops })),
        (room_tag(), capped(head(), 20), any::<(bool, bool)>()).prop_map(
            |(room, heads, (reply, some))| Frame::Heads(Heads {
                room,
                heads,
                reply,
                some
            })
        ),
        (room_tag(), any::<u32>(), wanted()).prop_map(|(room, id, what)| Frame::Want(Want {
            room,
            id,
            what
        })),
        (room_tag(), any::<u32>(), capped(event(), 8), any::<bool>()).prop_map(
            |(room, id, events, done)| Frame::Batch(Batch {
                room,
                id,
                events,
                done
            })
        ),
        (room_tag(), 0..=Summary::EVENTS_MAX, any::<[u8; 12]>()).prop_map(
            |(room, events, digest)| Frame::DigestOf(DigestOf {
                room: room.short(),
                summary: Summary { events, digest },
            })
        ),
        (
            room_tag(),
            author(),
            any::<(u64, u64, u8, u16, bool)>(),
            signature()
        )
            .prop_map(
                |(room, author, (clock, seq, hops, cost, returned), signature)| Frame::Beacon(
                    Beacon {
                        room: room.short(),
                        signed: SignedBeacon {
                            author,
                            clock: Hlc(clock),
                            seq: Seq(seq),
                            signature,
                        },
                        hops,
                        cost,
                        returned,
                    }
                )
            ),
        (
            room_tag(),
            capped(
                (author(), stream(), seq(), any::<u16>()).prop_map(
                    |(author, stream, seq, cost)| Announced {
                        author: author.short(),
                        stream,
                        seq,
                        cost,
                    }
                ),
                20
            )
        )
            .prop_map(|(room, entries)| Frame::Ihave(Ihave {
                room: room.short(),
                entries
            })),
        (room_tag(), capped(author().prop_map(|a| a.short()), 20)).prop_map(|(room, authors)| {
            Frame::Prune(Prune {
                room: room.short(),
                authors,
            })
        }),
        (
            room_tag(),
            capped(
                (author(), stream(), seq(), any::<u8>()).prop_map(
                    |(author, stream, from, count)| Grafted {
                        author: author.short(),
                        stream,
                        from,
                        count,
                    }
                ),
                20
            ),
            any::<bool>()
        )
            .prop_map(|(room, entries, all)| Frame::Graft(Graft {
                room: room.short(),
                entries,
                all
            })),
        (room_tag(), any::<bool>()).prop_map(|(room, on)| Frame::Choke(Choke {
            room: room.short(),
            on
        })),
        (
            room_tag(),
            prop_oneof![Just(Task::Pass), Just(Task::Search), Just(Task::Keep)],
            (option::of(author()), option::of(author())),
            any::<([u8; 8], u8, u8)>(),
            body()
        )
            .prop_map(|(room, task, (from, to), (id, attempt, ttl), payload)| {
                Frame::Route(Route {
                    room: room.short(),
                    task,
                    from,
                    to,
                    id,
                    attempt,
                    ttl,
                    payload,
                })
            }),
        (
            room_tag(),
            author(),
            any::<([u8; 8], u8)>(),
            prop::sample::select(vec![
                Answer::Accepted,
                Answer::Delivered,
                Answer::NoWay,
                Answer::Found,
                Answer::Kept,
                Answer::Full,
            ])
        )
            .prop_map(|(room, from, (id, attempt), answer)| {
                Frame::RouteReply(RouteReply {
                    room: room.short(),
                    from: from.short(),
                    id,
                    attempt,
                    answer,
                })
            }),
        join_request().prop_map(Frame::JoinRequest),
        welcome().prop_map(Frame::Welcome),
        (any::<u16>(), any::<u64>())
            .prop_map(|(code, detail)| Frame::Refuse(Refuse { code, detail })),
        (room_tag(), any::<u32>(), step()).prop_map(|(room, id, step)| Frame::Sketch(Sketch {
            room: room.short(),
            id,
            step,
        })),
        (
            room_tag(),
            any::<(u8, bool, bool, bool)>(),
            capped(author(), limits::PEERS_MAX)
        )
            .prop_map(
                |(room, (links, want, part, closing), authors)| Frame::Peers(Peers {
                    room: room.short(),
                    links,
                    want,
                    part,
                    closing,
                    authors,
                    neighbours: None,
                })
            ),
        (room_tag(), capped(epoch_id(), limits::EPOCHS_ASKED_MAX))
            .prop_map(|(room, epochs)| Frame::NeedEpochs(NeedEpochs { room, epochs })),
        (room_tag(), capped(grant(), 4))
            .prop_map(|(room, grants)| Frame::Epochs(Epochs { room, grants })),
        (room_tag(), capped(event(), 3), capped(grant(), 2)).prop_map(|(room, events, grants)| {
            Frame::Removed(Removed {
                room,
                events,
                grants,
            })
        }),
        (100_u16..).prop_map(Frame::Unknown),
    ]
}

/// IPv4 before IPv6, as the format has them.
pub(crate) fn invite() -> impl Strategy<Value = Invite> {
    let v4 = vec(any::<[u8; 4]>().prop_map(IpAddr::from), 0..=15);
    let v6 = vec(any::<[u8; 16]>().prop_map(IpAddr::from), 0..=15);
    let keys = (fingerprint(), any::<[u8; 16]>().prop_map(InviteSecret));
    let server = option::of("[a-z0-9.:/]{0,128}");
    (any::<u32>(), room_id(), any::<u16>(), v4, v6, keys, server).prop_map(
        |(expires, room, port, v4, v6, (fingerprint, secret), server)| Invite {
            expires,
            room,
            port,
            addresses: [v4, v6].concat(),
            fingerprint,
            secret,
            server,
        },
    )
}

pub(crate) fn pass() -> impl Strategy<Value = Pass> {
    (
        any::<[u8; 32]>(),
        0..u32::MAX - 13,
        any::<u32>(),
        any::<[u8; 32]>(),
        vec(signature(), 1..=limits::PASS_DAYS_MAX),
    )
        .prop_map(|(box_key, first_day, space_kib, seed, signatures)| Pass {
            box_key,
            first_day,
            space_kib,
            seed: PassSeed(seed),
            signatures: signatures.try_into().unwrap(),
        })
}

pub(crate) fn certificate() -> impl Strategy<Value = Certificate> {
    (any::<u32>(), any::<[u8; 32]>(), any::<u32>(), signature()).prop_map(
        |(day, public, space_kib, signature)| Certificate {
            day,
            public,
            space_kib,
            signature,
        },
    )
}

pub(crate) fn verify_code() -> impl Strategy<Value = VerifyCode> {
    (room_id(), digest(), digest()).prop_map(|(room, shown_by, shown_to)| VerifyCode {
        room,
        shown_by,
        shown_to,
    })
}
