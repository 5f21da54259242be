//! The fullest values that a build of ours makes fit the limits around them.

use peddlenet_wire::{
    AuthorId, EventHash, Frame, Hlc, RoomShort, RoomTag, Seq, Signature, Stream, codec,
    frame::{Head, Heads, RoomOffer, Rooms},
    limits,
    record::{Receipts, SeenUpTo},
    route::{Answer, Route, RouteReply, Task},
    sketch::{Cell, Cells, DigestOf, Sketch, Step, Summary},
    tree::{Announced, Beacon, Ihave, SignedBeacon},
};

use crate::vectors;

#[test]
fn the_fullest_heads_and_rooms_fit_a_frame() {
    let head = Head {
        author: AuthorId([0xff; 32]),
        stream: Stream(u32::MAX),
        base: Seq(u64::MAX),
        seq: Seq(u64::MAX),
        hash: EventHash([0xff; 32]),
    };
    let heads = Frame::Heads(Heads {
        room: RoomTag([1; 16]),
        heads: vec![head; limits::HEADS_MAX].try_into().unwrap(),
        reply: true,
        some: true,
    });
    assert!(heads.to_bytes().len() <= limits::FRAME_MAX);
    let rooms = Frame::Rooms(Rooms {
        offers: vec![RoomOffer([0xff; 16]); limits::ROOMS_MAX]
            .try_into()
            .unwrap(),
    });
    assert!(rooms.to_bytes().len() <= limits::FRAME_MAX);
}

/// The design's bound for a sign of life is 136 bytes.
#[test]
fn the_fullest_beacon_and_tree_frames_are_small() {
    let room = RoomShort([0xff; 4]);
    let author = AuthorId([0xff; 32]);
    let beacon = Frame::Beacon(Beacon {
        room,
        signed: SignedBeacon {
            author,
            clock: Hlc(u64::MAX),
            seq: Seq(u64::MAX),
            signature: Signature([0xff; 64]),
        },
        hops: u8::MAX,
        cost: u16::MAX,
        returned: true,
    });
    assert!(beacon.to_bytes().len() <= 136);
    let announced = Announced {
        author: author.short(),
        stream: Stream(u32::MAX),
        seq: Seq(u64::MAX),
        cost: u16::MAX,
    };
    let ihave = Frame::Ihave(Ihave {
        room,
        entries: vec![announced; limits::TREE_ENTRIES_MAX]
            .try_into()
            .unwrap(),
    });
    assert!(ihave.to_bytes().len() <= limits::FRAME_MAX);
}

/// The design's number for a digest, whatever it says; and the most cells fit one frame.
#[test]
fn a_digest_has_24_bytes_and_a_sketch_12_a_cell() {
    let room = RoomShort([0xff; 4]);
    for events in [0, 10_000, Summary::EVENTS_MAX, u32::MAX] {
        let digest = Frame::DigestOf(DigestOf {
            room,
            summary: Summary {
                events,
                digest: [0xff; 12],
            },
        });
        assert_eq!(digest.to_bytes().len(), 24);
        let Ok(Frame::DigestOf(back)) = Frame::from_bytes(&digest.to_bytes()) else {
            panic!("not a digest");
        };
        assert_eq!(back.summary.events, events.min(Summary::EVENTS_MAX));
    }
    let cell = Cell {
        sum: (1 << 48) - 1,
        weighted: (1 << 48) - 1,
    };
    let sketch = |count| {
        let sketch = Frame::Sketch(Sketch {
            room,
            id: u32::MAX,
            step: Step::Cells {
                salt: u64::MAX,
                first: u16::MAX,
                cells: Cells::take_from(std::iter::repeat_n(cell, count)),
            },
        });
        sketch.to_bytes().len()
    };
    assert!(sketch(1) <= 48);
    assert!(sketch(usize::MAX) <= limits::SKETCH_CELLS_MAX * Cell::LEN + 40);
}

/// What surrounds a message on its way is small beside it, and so are its answers.
#[test]
fn the_fullest_route_fits_and_answers_are_small() {
    let room = RoomShort([0xff; 4]);
    let author = AuthorId([0xff; 32]);
    let route = |payload| {
        let route = Frame::Route(Route {
            room,
            task: Task::Search,
            from: Some(author),
            to: Some(author),
            id: [0xff; 8],
            attempt: u8::MAX,
            ttl: u8::MAX,
            payload,
        });
        route.to_bytes()
    };
    assert!(route(vec![]).len() <= 96, "a search");
    let full = route(vec![7; limits::UNICAST_MAX]);
    assert!(full.len() <= limits::UNICAST_MAX + 98);
    assert!(Frame::from_bytes(&full).is_ok());
    assert!(Frame::from_bytes(&route(vec![7; limits::UNICAST_MAX + 1])).is_err());
    let reply = Frame::RouteReply(RouteReply {
        room,
        from: author.short(),
        id: [0xff; 8],
        attempt: u8::MAX,
        answer: Answer::Full,
    });
    assert!(reply.to_bytes().len() <= 30);
}

/// With positions below 2^16; past that a vector is to be shortened before it is sealed.
#[test]
fn a_full_receipt_vector_fits_a_record() {
    let entry = SeenUpTo {
        author: AuthorId([0xff; 32]),
        stream: Stream::CONTENT,
        seq: Seq(u64::from(u16::MAX)),
    };
    let receipts = Receipts {
        seen: vec![entry; limits::RECEIPT_ENTRIES_MAX].try_into().unwrap(),
    };
    // Around the plaintext: a header, and 41 bytes of nonce, tag and padding at least.
    let around = vectors::record().header_bytes().len() + 41;
    assert!(codec::to_vec(&receipts).len() + around <= limits::RECORD_MAX);
}

#[test]
fn the_largest_event_fits_a_frame() {
    let parts = limits::HEADER_MAX + limits::BODY_MAX + 64;
    // Heads of the array and of its three byte strings: 1 + 3 + 2 + 5 at most.
    assert!(parts + 11 <= limits::EVENT_MAX);
    // Around an event in a frame: kind, map, keys, hops.
    const { assert!(limits::EVENT_MAX + 16 <= limits::FRAME_MAX) };
    const { assert!(limits::BATCH_FILL + 64 <= limits::FRAME_MAX) };
}
