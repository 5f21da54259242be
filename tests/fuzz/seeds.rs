//! Where fuzzing starts: one input of each kind.

use std::collections::BTreeMap;

use image::{DynamicImage, GrayImage, ImageFormat};
use peddlenet_crypto::{
    AuthorKey, BoxKey, Day, DayPass, Draft, EpochKeys, ForkProof, InviteKeys, join_proof,
    pass::issue, prove_back, seal_event, seal_record, sign_beacon,
};
use peddlenet_wire::{
    Capped, EventHash, Frame, Hlc, Invite, RoomId, RoomTag, Seq, SignedEvent, SignedRecord, Stream,
    VerifyCode,
    back::BackCode,
    codec,
    content::{Content, Membership},
    ids::Digest,
    invite::InviteSecret,
    join::JoinRequest,
    near,
    record::RecordKind,
    tree::Beacon,
};

/// The known answers of the formats: every frame, event, record, body and invite, in hexadecimal.
const VECTORS: [&str; 4] = [
    include_str!("../../mesh/wire/tests/wire/vectors.rs"),
    include_str!("../../mesh/wire/tests/wire/vectors/bodies.rs"),
    include_str!("../../mesh/wire/tests/wire/vectors/power.rs"),
    include_str!("../../mesh/crypto/tests/vectors.rs"),
];

type Seeds = BTreeMap<&'static str, Vec<Vec<u8>>>;

pub(crate) fn all() -> Seeds {
    let mut seeds = Seeds::new();
    for bytes in VECTORS.iter().flat_map(|text| hex_literals(text)) {
        sort(&mut seeds, &bytes);
    }
    signed(&mut seeds);
    strangers(&mut seeds);
    pictures(&mut seeds);
    seeds
}

fn add(seeds: &mut Seeds, target: &'static str, seed: impl Into<Vec<u8>>) {
    let seed = seed.into();
    let list = seeds.entry(target).or_default();
    if !list.contains(&seed) {
        list.push(seed);
    }
}

/// What stands between quotation marks and is hexadecimal, however long.
fn hex_literals(text: &str) -> impl Iterator<Item = Vec<u8>> {
    text.split('"').filter_map(|literal| {
        let long = literal.len() >= 16;
        long.then(|| data_encoding::HEXLOWER.decode(literal.as_bytes()).ok())?
    })
}

/// Puts a vector where it decodes, and the fields of a frame where those are decoded alone.
fn sort(seeds: &mut Seeds, bytes: &[u8]) {
    if let Ok(frame) = Frame::from_bytes(bytes) {
        add(seeds, "frame", bytes);
        add(seeds, "engine", step(0, bytes));
        let fields = match &frame {
            Frame::Route(f) => Some(("route", codec::to_vec(f))),
            Frame::RouteReply(f) => Some(("route", codec::to_vec(f))),
            Frame::Peers(f) => Some(("route", codec::to_vec(f))),
            Frame::Sketch(f) => Some(("sketch", codec::to_vec(f))),
            Frame::DigestOf(f) => Some(("sketch", codec::to_vec(f))),
            Frame::Beacon(f) => Some(("beacon", codec::to_vec(f))),
            Frame::JoinRequest(f) => Some(("join", codec::to_vec(f))),
            Frame::Welcome(f) => Some(("join", codec::to_vec(f))),
            Frame::Refuse(f) => Some(("join", codec::to_vec(f))),
            _ => None,
        };
        if let Some((target, fields)) = fields {
            add(seeds, target, fields);
        }
    } else if SignedEvent::from_bytes(bytes).is_ok() {
        add(seeds, "event", bytes);
    } else if SignedRecord::from_bytes(bytes).is_ok() {
        add(seeds, "record", bytes);
    } else if let Ok(invite) = Invite::from_bytes(bytes) {
        add(seeds, "invite", bytes);
        add(seeds, "invite", invite.to_link());
    } else if bytes.first() == Some(&0xa1)
        || bytes.first().is_some_and(|b| (0xa3..0xa6).contains(b))
    {
        add(seeds, "bodies", bytes);
    }
    if Membership::from_bytes(bytes).is_ok() || Content::from_bytes(bytes).is_ok() {
        add(seeds, "content", bytes);
        add(seeds, "sealed", [&[1; 27][..], bytes].concat());
    }
}

/// Truly signed ones: mutations of these get past the decoders to the checks.
fn signed(seeds: &mut Seeds) {
    let (room, key) = (RoomTag([1; 16]), AuthorKey::from_seed([1; 32]));
    let epoch = EpochKeys::from_seeds([2; 32], [3; 32]);
    let draft = Draft {
        room,
        stream: Stream::CONTENT,
        seq: Seq::FIRST,
        previous: EventHash::ZERO,
        clock: Hlc(7),
        parents: Capped::default(),
        membership: Digest([7; 32]),
    };
    let event = seal_event(&draft, &key, &epoch, [8; 24], b"hello").expect("an event");
    add(seeds, "event", event.to_bytes());
    for kind in [RecordKind::RECEIPTS, RecordKind::MEET] {
        let record = seal_record(kind, room, Hlc(7), &key, &epoch, [8; 24], &[0xa0]);
        add(seeds, "record", record.expect("a record").to_bytes());
    }
    let beacon = Beacon {
        room: room.short(),
        signed: sign_beacon(room, Hlc(7), Seq(1), &key),
        hops: 0,
        cost: 0,
        returned: false,
    };
    add(seeds, "beacon", codec::to_vec(&beacon));
    let (id, invite) = (
        RoomId([2; 16]),
        InviteKeys::from_secret(&InviteSecret([9; 16])),
    );
    let request = JoinRequest {
        room: id,
        author: key.id(),
        proof: join_proof(&key, &[8; 32], id),
        invite: invite.public(),
        voucher: invite.voucher(id, key.id()),
    };
    add(seeds, "join", codec::to_vec(&request));
    for choice in [2, 5, 8, 11] {
        add(seeds, "sealed", [&[choice; 27][..], &[0xa0]].concat());
    }
    for choice in 0..3_u8 {
        add(seeds, "letter", [&[choice; 35][..], b"come"].concat());
    }
    for choice in 0..3_u8 {
        add(seeds, "direct", [&[choice; 35][..], b"hello"].concat());
    }
    add(seeds, "key_file", [&[0][..], &[7; 32]].concat());
    let cost = [0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 1];
    add(
        seeds,
        "key_file",
        [&[1][..], &cost, &[7; 16 + 24 + 48]].concat(),
    );
    let code = VerifyCode {
        room: id,
        shown_by: Digest([1; 32]),
        shown_to: Digest([2; 32]),
    };
    add(seeds, "verify_code", code.to_bytes());
    add(seeds, "verify_code", code.to_link());
    let mut back = BackCode {
        expires: 1_800_000_000,
        port: 40_000,
        addresses: vec![
            [192, 168, 1, 7].into(),
            [0xfd00, 0, 0, 0, 0, 0, 0, 7].into(),
        ],
        proof: [0; 16],
    };
    prove_back(&mut back, &invite.public());
    add(seeds, "back", back.to_link());
    let pass = issue(
        &BoxKey::from_seed(&[1; 32]),
        Day::of(20_783),
        3,
        64 * 1024,
        [2; 32],
    );
    let day = DayPass::of(&pass, Day::of(20_784)).expect("a day of it");
    add(seeds, "pass", pass.to_bytes());
    add(seeds, "pass", pass.to_link());
    add(seeds, "pass", day.certificate().to_bytes());
    for count in [1, 5, 80u8] {
        let entries: Vec<_> = (0..count).map(|n| near::Entry::made_up([n; 12])).collect();
        let values = near::to_values(&entries, || [7; 12]);
        add(seeds, "near", values.join(&0xff));
    }
    let other = seal_event(&draft, &key, &epoch, [9; 24], b"hallo").expect("an event");
    let proof = ForkProof::new(&event, &other).expect("a fork");
    add(seeds, "fork", proof.to_bytes());
    // A chain of two by one author, one before its past, a fork, and an hour that passes.
    let rows = [
        step(3, &[1, 1, 1, 0, b'a']),
        step(131, &[2, 1, 3, 1, b'c']),
        step(3, &[1, 1, 1, 0, b'b']),
        step(5, &[255, 255]),
        step(7, &[2; 60]),
        step(6, &[]),
    ];
    add(seeds, "engine", rows.concat());
}

fn step(what: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("a short seed");
    [&[what][..], &length.to_le_bytes(), bytes].concat()
}

fn strangers(seeds: &mut Seeds) {
    let mut knock = vec![0];
    knock.extend([3; 32]);
    knock.extend(b"abcdefghijklmnopqrstuvwx");
    knock.extend([8, 30, 1]);
    knock.extend(b"abcdefgh");
    add(seeds, "knock", knock.as_slice());
    // PRIORITY and ICE-CONTROLLING, as an agent writes them.
    knock[0] = 1;
    knock.extend([
        0, 0x24, 0, 4, 0x6e, 0, 1, 0xff, 0x80, 0x2a, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8,
    ]);
    add(seeds, "knock", knock);
    let fragment = format!(
        "J1{}{}:abcdefgh",
        "A".repeat(43),
        "abcdefghijklmnopqrstuvwx"
    );
    let mut packet = vec![0, 1, 0, 4 + 80 + 24, 0x21, 0x12, 0xa4, 0x42];
    packet.extend([5; 12]);
    packet.extend([0, 6, 0, 78]);
    packet.extend(fragment.bytes());
    packet.extend([0, 0]);
    packet.extend([0, 8, 0, 20]);
    packet.extend([9; 20]);
    add(seeds, "front_door", packet);
    let tag = "0101010101010101010101010101010a";
    for text in [
        format!(r#"{{"v":1,"type":"join","tag":"{tag}"}}"#),
        format!(r#"{{"type":"send","tag":"{tag}","data":"aGk="}}"#),
        format!(r#"{{"type":"leave","tag":"{tag}","later":[]}}"#),
        format!(
            r#"{{"type":"put","tag":"{tag}","key":"{}A=","expires":7,"data":"aGk=","signature":"{}A=="}}"#,
            "A".repeat(42),
            "A".repeat(85)
        ),
        format!(r#"{{"type":"fetch","tag":"{tag}","after":7}}"#),
        r#"{"type":"box","nonce":"BwcHBwcHBwcHBwcHBwcHBw=="}"#.to_owned(),
        format!(
            r#"{{"type":"put","tag":"{tag}","key":"{0}A=","expires":7,"data":"aGk=","signature":"{1}A==","pass":"{2}"}}"#,
            "A".repeat(42),
            "A".repeat(85),
            "A".repeat(224)
        ),
    ] {
        add(seeds, "signaling", text);
    }
    let room = "00112233445566778899aabbccddeeff";
    for line in [
        r#"{"id":1,"cmd":"create_room","name":"Camp 7"}"#.to_owned(),
        format!(r#"{{"cmd":"invite","room":"{room}","ttl_s":600,"uses":10,"png":"x.png"}}"#),
        r#"{"cmd":"join","link":"PEDDLENET:J/AA"}"#.to_owned(),
        format!(r#"{{"cmd":"send","room":"{room}","text":"hi"}}"#),
        format!(r#"{{"cmd":"history","room":"{room}","limit":50,"before":"{room}{room}"}}"#),
        format!(r#"{{"cmd":"dm","room":"{room}","to":"{room}{room}","text":"hi"}}"#),
    ] {
        add(seeds, "node_line", line);
    }
    for (mode, at) in [(0, 0), (1, 1), (1, 2), (2, 0)] {
        add(seeds, "handshake", [&[mode, at], &[0, 0, 1][..]].concat());
    }
    // An event of the log and a head with one range.
    let key: Vec<u8> = [
        &[1; 16][..],
        &[3; 32],
        &[0, 0, 0, 1],
        &[0, 0, 0, 0, 0, 0, 0, 1],
        &[5; 32],
    ]
    .concat();
    let event = [&[1, 1, 0][..], &[0; 8], &[0, 0, 0, 2], b"hhbody"].concat();
    let head = [
        &[1][..],
        &[0, 0, 0, 0, 0, 0, 0, 1],
        &[5; 32],
        &[0, 0, 0, 0, 0, 0, 0, 1],
        &[0, 0, 0, 0, 0, 0, 0, 1],
        &[0, 0, 0, 0, 0, 0, 0, 1],
    ]
    .concat();
    add(seeds, "store", [&[92], &key[..], &event].concat());
    add(seeds, "store", [&[52], &key[..52], &head].concat());
}

fn pictures(seeds: &mut Seeds) {
    let file = |picture: GrayImage, format| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let picture = DynamicImage::ImageLuma8(picture);
        picture.write_to(&mut bytes, format).expect("a picture");
        bytes.into_inner()
    };
    let png = peddlenet_qr::png("A", 60).expect("a code");
    let code = image::load_from_memory(&png)
        .expect("a picture")
        .into_luma8();
    add(seeds, "picture", file(code.clone(), ImageFormat::Png));
    let small = GrayImage::from_fn(24, 24, |x, y| {
        image::Luma([if x / 3 == y / 3 { 0 } else { 255 }])
    });
    add(seeds, "picture", file(small.clone(), ImageFormat::Jpeg));
    add(seeds, "luma", [&[24, 24, 0][..], small.as_raw()].concat());
    // The code with one byte a module, to be drawn twice as large.
    let pixels = code.width() / 29;
    let module = |n: u32| (n * pixels + pixels / 2).min(code.width() - 1);
    let modules: Vec<u8> = (0..29)
        .flat_map(|y| (0..29).map(move |x| (x, y)))
        .map(|(x, y)| code.get_pixel(module(x), module(y)).0[0])
        .collect();
    add(seeds, "luma", [&[29, 29, 1][..], &modules].concat());
}
