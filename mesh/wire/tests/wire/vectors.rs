//! Known answers: one of each frame, event, record and invite, byte for byte.
//!
//! The expected bytes were written by another encoder (Python) from the formats' documentation.
//! A change here cuts this build off from every other; it takes a new version number.

mod bodies;
mod power;

use std::net::{IpAddr, Ipv6Addr};

use peddlenet_wire::{
    AuthorId, EpochId, EventHash, Fingerprint, Frame, Header, Hlc, Invite, InviteKey, Pass, RoomId,
    RoomTag, Seq, Signature, SignedEvent, SignedRecord, Stream, Timestamp, VerifyCode,
    codec::{self, Name},
    content::{
        Admit, Content, Create, History, InviteOpened, Membership, Profile, RevokeInvite, Role,
        Text,
    },
    event::sha256,
    frame::{
        Batch, Close, Event, Head, Heads, Open, Place, Record, RoomOffer, Rooms, Want, Wanted,
    },
    ids::Digest,
    invite::InviteSecret,
    join::{EpochGrant, JoinRequest, Refuse, Welcome},
    meet::Meet,
    pass::PassSeed,
    peers::Peers,
    record::{Address, Receipts, RecordHeader, RecordKind, SeenUpTo, Whereabouts},
    route::{Answer, Route, RouteReply, Task},
    sketch::{Cell, Cells, DigestOf, Sketch, Step, Summary},
    tree::{Announced, Beacon, Choke, Graft, Grafted, Ihave, Prune, SignedBeacon},
};

const TAG: RoomTag = RoomTag([1; 16]);
const ROOM: RoomId = RoomId([2; 16]);
const AUTHOR: AuthorId = AuthorId([3; 32]);
const SIGNATURE: Signature = Signature([4; 64]);
const HASH: EventHash = EventHash([5; 32]);
const INVITE: InviteKey = InviteKey([6; 32]);
const EPOCH: EpochId = EpochId([7; 16]);
const CLOCK: Hlc = Hlc(0x0102_0304_0506_0708);

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

/// An event without parents.
pub(crate) fn event() -> SignedEvent {
    let body = b"sealed".to_vec();
    let header = Header {
        version: 1,
        suite: 1,
        room: TAG,
        author: AUTHOR,
        stream: Stream::CONTENT,
        seq: Seq(2),
        previous: HASH,
        clock: CLOCK,
        parents: Default::default(),
        epoch: EPOCH,
        membership: Digest([8; 32]),
        body_hash: sha256(&body),
    };
    SignedEvent::from_parts(header.to_bytes(), SIGNATURE, Some(body)).unwrap()
}

fn stub() -> SignedEvent {
    SignedEvent::from_parts(event().header_bytes().to_vec(), SIGNATURE, None).unwrap()
}

pub(crate) fn record() -> SignedRecord {
    let body = b"sealed".to_vec();
    let header = RecordHeader {
        version: 1,
        kind: RecordKind::WHEREABOUTS,
        room: TAG,
        author: AUTHOR,
        clock: CLOCK,
        epoch: EPOCH,
        body_hash: sha256(&body),
    };
    SignedRecord::from_parts(header.to_bytes(), SIGNATURE, body).unwrap()
}

fn grant(content: Option<[u8; 32]>) -> EpochGrant {
    EpochGrant {
        epoch: EPOCH,
        member: [9; 32],
        content,
        content_hash: [11; 32],
    }
}

fn want(what: Wanted) -> Frame {
    Frame::Want(Want {
        room: TAG,
        id: 300,
        what,
    })
}

fn sketch(step: Step) -> Frame {
    Frame::Sketch(Sketch {
        room: TAG.short(),
        id: 300,
        step,
    })
}

/// One of each kind, two where a field has two forms.
pub(crate) fn frames() -> Vec<(&'static str, Frame)> {
    let range = Wanted::Range {
        author: AUTHOR,
        stream: Stream::CONTENT,
        from: Seq(1),
        to: Seq(1000),
    };
    let page = |before| Wanted::Page { before, limit: 50 };
    let head = Head {
        author: AUTHOR,
        stream: Stream::MEMBERSHIP,
        base: Seq(1),
        seq: Seq(7),
        hash: HASH,
    };
    vec![
        (
            "rooms",
            Frame::Rooms(Rooms {
                offers: vec![RoomOffer([12; 16])].try_into().unwrap(),
            }),
        ),
        (
            "open",
            Frame::Open(Open {
                room: TAG,
                author: AUTHOR,
                proof: SIGNATURE,
                credentials: vec![event()].try_into().unwrap(),
            }),
        ),
        ("close", Frame::Close(Close { room: TAG })),
        (
            "event",
            Frame::Event(Event {
                event: event(),
                hops: 3,
                cost: 25,
            }),
        ),
        (
            "record",
            Frame::Record(Record {
                record: record(),
                hops: 0,
            }),
        ),
        (
            "heads",
            Frame::Heads(Heads {
                room: TAG,
                heads: vec![head].try_into().unwrap(),
                reply: true,
                some: false,
            }),
        ),
        ("want range", want(range)),
        (
            "want page",
            want(page(Some(Place {
                clock: CLOCK,
                hash: HASH,
            }))),
        ),
        ("want top page", want(page(None))),
        (
            "batch",
            Frame::Batch(Batch {
                room: TAG,
                id: 300,
                events: vec![event(), stub()].try_into().unwrap(),
                done: true,
            }),
        ),
        (
            "digest",
            Frame::DigestOf(DigestOf {
                room: TAG.short(),
                summary: Summary {
                    events: 10_000,
                    digest: [8; 12],
                },
            }),
        ),
        (
            "beacon",
            Frame::Beacon(Beacon {
                room: TAG.short(),
                signed: SignedBeacon {
                    author: AUTHOR,
                    clock: CLOCK,
                    seq: Seq(300),
                    signature: SIGNATURE,
                },
                hops: 2,
                cost: 70,
                returned: true,
            }),
        ),
        (
            "ihave",
            Frame::Ihave(Ihave {
                room: TAG.short(),
                entries: vec![Announced {
                    author: AUTHOR.short(),
                    stream: Stream::CONTENT,
                    seq: Seq(300),
                    cost: 70,
                }]
                .try_into()
                .unwrap(),
            }),
        ),
        (
            "prune",
            Frame::Prune(Prune {
                room: TAG.short(),
                authors: vec![AUTHOR.short()].try_into().unwrap(),
            }),
        ),
        (
            "graft",
            Frame::Graft(Graft {
                room: TAG.short(),
                entries: vec![Grafted {
                    author: AUTHOR.short(),
                    stream: Stream::CONTENT,
                    from: Seq(300),
                    count: 7,
                }]
                .try_into()
                .unwrap(),
                all: true,
            }),
        ),
        (
            "choke",
            Frame::Choke(Choke {
                room: TAG.short(),
                on: true,
            }),
        ),
        (
            "route",
            Frame::Route(Route {
                room: TAG.short(),
                task: Task::Pass,
                from: None,
                to: Some(AUTHOR),
                id: [15; 8],
                attempt: 2,
                ttl: 30,
                payload: b"sealed".to_vec(),
            }),
        ),
        (
            "route reply",
            Frame::RouteReply(RouteReply {
                room: TAG.short(),
                from: AUTHOR.short(),
                id: [15; 8],
                attempt: 2,
                answer: Answer::NoWay,
            }),
        ),
        (
            "join request",
            Frame::JoinRequest(JoinRequest {
                room: ROOM,
                author: AUTHOR,
                proof: SIGNATURE,
                invite: INVITE,
                voucher: SIGNATURE,
            }),
        ),
        (
            "welcome",
            Frame::Welcome(Welcome {
                author: AUTHOR,
                proof: SIGNATURE,
                epochs: vec![grant(None), grant(Some([10; 32]))].try_into().unwrap(),
                events: vec![event()].try_into().unwrap(),
            }),
        ),
        (
            "refuse",
            Frame::Refuse(Refuse {
                code: Refuse::EXPIRED,
                detail: 90_000,
            }),
        ),
        (
            "sketch",
            sketch(Step::Cells {
                salt: 0x0123_4567_89ab_cdef,
                first: 16,
                cells: Cells::take_from(
                    [(1, 2), (0xffff_ffff_ffff, 0x0102_0304_0506)]
                        .into_iter()
                        .map(|(sum, weighted)| Cell { sum, weighted }),
                ),
            }),
        ),
        ("more cells", sketch(Step::More { first: 48 })),
        (
            "lines",
            sketch(Step::Lines {
                logs: vec![0x0102_0304, 7].try_into().unwrap(),
            }),
        ),
        (
            "peers",
            Frame::Peers(Peers {
                room: TAG.short(),
                links: 8,
                want: true,
                part: false,
                closing: false,
                authors: vec![AUTHOR].try_into().unwrap(),
                neighbours: Some(1),
            }),
        ),
    ]
}

/// What an app said that did not know yet how many of the named are neighbours.
#[test]
fn older_frames_are_read() {
    let older = "821486440101010108f5f4f48158200303030303030303030303030303030303030303030303030303030303030303";
    let bytes = data_encoding::HEXLOWER.decode(older.as_bytes()).unwrap();
    let Ok(Frame::Peers(peers)) = Frame::from_bytes(&bytes) else {
        panic!("it is a frame of peers");
    };
    assert_eq!((peers.authors.len(), peers.neighbours), (1, None));
}

#[test]
fn event_and_stub() {
    assert_eq!(
        hex(event().to_bytes()),
        "8358c5ac000101010250010101010101010101010101010101010358200303030303030303030303030303030303030303030303030303030303030303040105020658200505050505050505050505050505050505050505050505050505050505050505071b010203040506070808800950070707070707070707070707070707070a582008080808080808080808080808080808080808080808080808080808080808080b5820c9d0036bed6744bcdf692fc980d8717d7e5f5a4f4e8266b4a84982602fb1cd09584004040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404467365616c6564"
    );
    assert_eq!(
        hex(stub().to_bytes()),
        "8358c5ac000101010250010101010101010101010101010101010358200303030303030303030303030303030303030303030303030303030303030303040105020658200505050505050505050505050505050505050505050505050505050505050505071b010203040506070808800950070707070707070707070707070707070a582008080808080808080808080808080808080808080808080808080808080808080b5820c9d0036bed6744bcdf692fc980d8717d7e5f5a4f4e8266b4a84982602fb1cd09584004040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404f6"
    );
    assert_eq!(
        hex(event().hash()),
        "d76e362feeb0cb88ccae5a188de085c36792b455e33bef114a698cc12286173f"
    );
    assert_eq!(stub().hash(), event().hash());
}

#[test]
fn signed_record() {
    assert_eq!(
        hex(record().to_bytes()),
        "835879a7000101010250010101010101010101010101010101010358200303030303030303030303030303030303030303030303030303030303030303041b0102030405060708055007070707070707070707070707070707065820c9d0036bed6744bcdf692fc980d8717d7e5f5a4f4e8266b4a84982602fb1cd09584004040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404467365616c6564"
    );
    assert_eq!(
        hex(record().hash()),
        "580dc6293d7ca7711f71d41b607050744de9b7f4793368695b225f636e8dd650"
    );
}

#[test]
fn every_kind_of_frame() {
    // In the order of `frames`.
    let expected = [
        "8200a10081500c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
        "8201a400500101010101010101010101010101010101582003030303030303030303030303030303030303030303030303030303030303030258400404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040403818358c5ac000101010250010101010101010101010101010101010358200303030303030303030303030303030303030303030303030303030303030303040105020658200505050505050505050505050505050505050505050505050505050505050505071b010203040506070808800950070707070707070707070707070707070a582008080808080808080808080808080808080808080808080808080808080808080b5820c9d0036bed6744bcdf692fc980d8717d7e5f5a4f4e8266b4a84982602fb1cd09584004040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404467365616c6564",
        "8202a1005001010101010101010101010101010101",
        "8203a3008358c5ac000101010250010101010101010101010101010101010358200303030303030303030303030303030303030303030303030303030303030303040105020658200505050505050505050505050505050505050505050505050505050505050505071b010203040506070808800950070707070707070707070707070707070a582008080808080808080808080808080808080808080808080808080808080808080b5820c9d0036bed6744bcdf692fc980d8717d7e5f5a4f4e8266b4a84982602fb1cd09584004040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404467365616c65640103021819",
        "8204a200835879a7000101010250010101010101010101010101010101010358200303030303030303030303030303030303030303030303030303030303030303041b0102030405060708055007070707070707070707070707070707065820c9d0036bed6744bcdf692fc980d8717d7e5f5a4f4e8266b4a84982602fb1cd09584004040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404467365616c65640100",
        "8205a4005001010101010101010101010101010101018185582003030303030303030303030303030303030303030303030303030303030303030001075820050505050505050505050505050505050505050505050505050505050505050502f503f4",
        "8206a30050010101010101010101010101010101010119012c028200845820030303030303030303030303030303030303030303030303030303030303030301011903e8",
        "8206a30050010101010101010101010101010101010119012c02820182821b0102030405060708582005050505050505050505050505050505050505050505050505050505050505051832",
        "8206a30050010101010101010101010101010101010119012c02820182f61832",
        "8207a40050010101010101010101010101010101010119012c02828358c5ac000101010250010101010101010101010101010101010358200303030303030303030303030303030303030303030303030303030303030303040105020658200505050505050505050505050505050505050505050505050505050505050505071b010203040506070808800950070707070707070707070707070707070a582008080808080808080808080808080808080808080808080808080808080808080b5820c9d0036bed6744bcdf692fc980d8717d7e5f5a4f4e8266b4a84982602fb1cd09584004040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404467365616c65648358c5ac000101010250010101010101010101010101010101010358200303030303030303030303030303030303030303030303030303030303030303040105020658200505050505050505050505050505050505050505050505050505050505050505071b010203040506070808800950070707070707070707070707070707070a582008080808080808080808080808080808080808080808080808080808080808080b5820c9d0036bed6744bcdf692fc980d8717d7e5f5a4f4e8266b4a84982602fb1cd09584004040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404f603f5",
        "82088244010101014f002710080808080808080808080808",
        "820985440101010184582003030303030303030303030303030303030303030303030303030303030303031b010203040506070819012c584004040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404021846f5",
        "820a82440101010181844803030303030303030119012c1846",
        "820b82440101010181480303030303030303",
        "820c83440101010181844803030303030303030119012c07f5",
        "820d824401010101f5",
        "820e88440101010100f658200303030303030303030303030303030303030303030303030303030303030303480f0f0f0f0f0f0f0f02181e467365616c6564",
        "820f854401010101480303030303030303480f0f0f0f0f0f0f0f0202",
        "8210a5005002020202020202020202020202020202015820030303030303030303030303030303030303030303030303030303030303030302584004040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404035820060606060606060606060606060606060606060606060606060606060606060604584004040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404",
        "8211a40058200303030303030303030303030303030303030303030303030303030303030303015840040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040282a300500707070707070707070707070707070701582009090909090909090909090909090909090909090909090909090909090909090358200b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0ba400500707070707070707070707070707070701582009090909090909090909090909090909090909090909090909090909090909090258200a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0358200b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b03818358c5ac000101010250010101010101010101010101010101010358200303030303030303030303030303030303030303030303030303030303030303040105020658200505050505050505050505050505050505050505050505050505050505050505071b010203040506070808800950070707070707070707070707070707070a582008080808080808080808080808080808080808080808080808080808080808080b5820c9d0036bed6744bcdf692fc980d8717d7e5f5a4f4e8266b4a84982602fb1cd09584004040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404467365616c6564",
        "8212a20000011a00015f90",
        "821383440101010119012c8200831b0123456789abcdef105818000000000001000000000002ffffffffffff010203040506",
        "821383440101010119012c8201811830",
        "821383440101010119012c820281821a0102030407",
        "821487440101010108f5f4f4815820030303030303030303030303030303030303030303030303030303030303030301",
    ];
    let frames = frames();
    assert_eq!(frames.len(), expected.len());
    for ((name, frame), expected) in frames.iter().zip(expected) {
        assert_eq!(hex(frame.to_bytes()), expected, "{name}");
    }
}

#[test]
fn invite_and_link() {
    let invite = |server: Option<&str>| Invite {
        expires: 1_800_000_000,
        room: ROOM,
        port: 47_777,
        addresses: vec![
            IpAddr::from([192, 168, 43, 1]),
            IpAddr::from(Ipv6Addr::LOCALHOST),
        ],
        fingerprint: Fingerprint([13; 32]),
        secret: InviteSecret([14; 16]),
        server: server.map(str::to_owned),
    };
    assert_eq!(
        hex(invite(None).to_bytes()),
        "106b49d20002020202020202020202020202020202baa111c0a82b01000000000000000000000000000000010d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e"
    );
    assert_eq!(
        hex(invite(Some("meet.example")).to_bytes()),
        "116b49d20002020202020202020202020202020202baa111c0a82b01000000000000000000000000000000010d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0c6d6565742e6578616d706c65"
    );
    assert_eq!(
        invite(None).to_link(),
        "PEDDLENET:J/CBVUTUQAAIBAEAQCAIBAEAQCAIBAEAQCAK5KCEOAVAVQCAAAAAAAAAAAAAAAAAAAAAAAAAINBUGQ2DINBUGQ2DINBUGQ2DINBUGQ2DINBUGQ2DINBUGQ2DINBUHA4DQOBYHA4DQOBYHA4DQOBYHA"
    );
}

#[test]
fn verify_code() {
    let code = VerifyCode {
        room: RoomId([1; 16]),
        shown_by: Digest([2; 32]),
        shown_to: Digest([3; 32]),
    };
    assert_eq!(
        code.to_link(),
        "PEDDLENET:V/AEAQCAIBAEAQCAIBAEAQCAIBAEAQEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQDAMBQGAYDAMBQGAYDAMBQGAYDAMBQGAYDAMBQGAYDAMBQGAYDAM"
    );
}

#[test]
fn pass() {
    let pass = Pass {
        box_key: [8; 32],
        first_day: 20_783,
        space_kib: 64 * 1024,
        seed: PassSeed([9; 32]),
        signatures: vec![SIGNATURE].try_into().unwrap(),
    };
    assert_eq!(
        pass.to_link(),
        "PEDDLENET:C/AEEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQAAAKEXQAAIAAAEQSCIJBEEQSCIJBEEQSCIJBEEQSCIJBEEQSCIJBEEQSCIJBEEQSBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCA"
    );
}
