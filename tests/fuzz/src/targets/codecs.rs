//! Decoders of `wire`: no panic, and what one accepts is a value like any other: encoded and decoded again
//! it stays the same.

use std::fmt::Debug;

use peddlenet_crypto::{
    Day, DayPass, EpochKeys, ForkProof, is_proven_back, open_event, open_record, verify_beacon,
    verify_event, verify_join, verify_pass, verify_record, verify_voucher, verify_welcome,
};
use peddlenet_wire::{
    Frame, Invite, InviteKey, Name, Pass, RoomId, RoomTag, SignedEvent, SignedRecord, VerifyCode,
    back::BackCode,
    codec,
    content::{Content, Membership},
    join::{JoinRequest, Refuse, Welcome},
    limits,
    meet::Meet,
    near,
    pass::Certificate,
    peers::Peers,
    record::{Receipts, Whereabouts},
    rendezvous::Signal,
    route::{Route, RouteReply},
    sketch::{DigestOf, Sketch},
    tree::{Beacon, SignedBeacon},
};

const ROOM: RoomId = RoomId([2; 16]);
const LINK: [u8; 32] = [8; 32];

fn stable<T: PartialEq + Debug, E: PartialEq + Debug>(
    bytes: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, E>,
    encode: impl Fn(&T) -> Vec<u8>,
) -> Option<T> {
    let value = decode(bytes).ok()?;
    assert_eq!(decode(&encode(&value)).as_ref(), Ok(&value));
    Some(value)
}

macro_rules! stable_cbor {
    ($bytes:expr, $($Type:ty),+) => {$(
        stable($bytes, |b| codec::from_slice::<$Type>("fuzz", b, limits::FRAME_MAX), codec::to_vec);
    )+};
}

fn epoch() -> EpochKeys {
    EpochKeys::from_seeds([2; 32], [3; 32])
}

/// Whatever crosses a link.
pub fn frame(data: &[u8]) {
    if let Some(frame) = stable(data, Frame::from_bytes, Frame::to_bytes) {
        assert!(!frame.name().is_empty());
    }
}

/// An event, and what is done to it before anybody sees it.
pub fn event(data: &[u8]) {
    let Some(event) = stable(data, SignedEvent::from_bytes, SignedEvent::to_bytes) else {
        return;
    };
    let _ = verify_event(&event);
    // The signature does not cover itself, so a body may open under a bad one: `verify_event` comes first.
    if let Ok(plain) = open_event(&event, &epoch()) {
        content(&plain);
    }
}

/// A record, likewise; also what is said to one member, which is a sealed record today.
pub fn record(data: &[u8]) {
    let Some(record) = stable(data, SignedRecord::from_bytes, SignedRecord::to_bytes) else {
        return;
    };
    let _ = verify_record(&record);
    if let Ok(plain) = open_record(&record, &epoch()) {
        bodies(&plain);
    }
}

/// A sign of life.
pub fn beacon(data: &[u8]) {
    stable_cbor!(data, Beacon, SignedBeacon);
    if let Ok(beacon) = codec::from_slice::<Beacon>("beacon", data, limits::FRAME_MAX) {
        let _ = verify_beacon(RoomTag([1; 16]), &beacon.signed);
    }
}

/// The bytes in a code, and the text that is scanned or pasted.
pub fn invite(data: &[u8]) {
    stable(data, Invite::from_bytes, Invite::to_bytes);
    let text = String::from_utf8_lossy(data);
    if let Ok(invite) = Invite::from_link(&text) {
        assert_eq!(Invite::from_link(&invite.to_link()).as_ref(), Ok(&invite));
        assert!(invite.endpoints().count() <= 30);
    }
}

/// The other code that is scanned: whose key a person's screen shows.
pub fn verify_code(data: &[u8]) {
    stable(data, VerifyCode::from_bytes, VerifyCode::to_bytes);
    let text = String::from_utf8_lossy(data);
    if let Ok(code) = VerifyCode::from_link(&text) {
        assert!(VerifyCode::is_one(&text));
        assert_eq!(VerifyCode::from_link(&code.to_link()), Ok(code));
        assert!(
            Invite::from_link(&text).is_err(),
            "one text is one kind of code"
        );
    }
}

/// The third: where a joiner is whose packets don't get through.
pub fn back(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let whole = format!("{}{text}", peddlenet_wire::back::PREFIX);
    for text in [text.as_ref(), whole.as_str()] {
        if let Ok(code) = BackCode::from_link(text) {
            assert!(BackCode::is_one(text));
            assert_eq!(BackCode::from_link(&code.to_link()).as_ref(), Ok(&code));
            assert!(code.endpoints().count() <= 8);
            assert!(Invite::from_link(text).is_err() && !VerifyCode::is_one(text));
            let _ = is_proven_back(&code, &InviteKey([1; 32]));
        }
    }
}

/// The fourth: what a carrier box promised to keep, and what a box is shown of it.
pub fn pass(data: &[u8]) {
    stable(data, Pass::from_bytes, Pass::to_bytes);
    let text = String::from_utf8_lossy(data);
    let whole = format!("{}{text}", peddlenet_wire::pass::PREFIX);
    for text in [text.as_ref(), whole.as_str()] {
        if let Ok(pass) = Pass::from_link(text) {
            assert!(Pass::is_one(text) && !BackCode::is_one(text));
            assert_eq!(Pass::from_link(&pass.to_link()).as_ref(), Ok(&pass));
            let days = pass
                .days()
                .filter_map(|day| DayPass::of(&pass, Day::of(day)));
            assert!(days.count() == pass.signatures.len() || verify_pass(&pass).is_err());
        }
    }
    if let Some(certificate) = Certificate::from_bytes(data) {
        assert_eq!(certificate.to_bytes(), data);
    }
}

/// What somebody on a network says of itself: values of any number and length.
pub fn near(data: &[u8]) {
    let values: Vec<&[u8]> = data.split(|byte| *byte == 0xff).collect();
    let entries = near::from_values(values.into_iter());
    assert!(entries.len() <= near::ENTRIES_MAX);
    let mut n = 0u8;
    let again = near::to_values(&entries, || {
        n = n.wrapping_add(1);
        [n; 12]
    });
    let read = near::from_values(again.iter().map(Vec::as_slice));
    assert!(entries.iter().all(|entry| read.contains(entry)));
}

/// The proof that somebody signed two events for one place.
pub fn fork(data: &[u8]) {
    if let Ok(proof) = ForkProof::from_bytes(data) {
        assert_eq!(
            ForkProof::from_bytes(&proof.to_bytes()).map(|p| p.to_bytes()),
            Ok(proof.to_bytes())
        );
        for event in proof.events() {
            assert_eq!(
                verify_event(event),
                Ok(()),
                "a proof holds two signed events"
            );
            assert_eq!(event.header().author, proof.author());
        }
    }
}

/// What a joiner and the one who answers say, and what is checked of it.
pub fn join(data: &[u8]) {
    stable_cbor!(data, JoinRequest, Welcome, Refuse);
    if let Ok(request) = codec::from_slice::<JoinRequest>("join", data, limits::FRAME_MAX) {
        let _ = verify_join(request.author, &LINK, request.room, &request.proof);
        let _ = verify_voucher(
            request.invite,
            request.room,
            request.author,
            &request.voucher,
        );
    }
    if let Ok(welcome) = codec::from_slice::<Welcome>("welcome", data, limits::FRAME_MAX) {
        let _ = verify_welcome(welcome.author, &LINK, ROOM, &welcome.proof);
        for grant in welcome.epochs.iter() {
            let _ = EpochKeys::from_grant(grant);
        }
        for event in welcome.events.iter() {
            let _ = verify_event(event);
        }
    }
}

/// What only members read: the plaintext of events.
pub fn content(data: &[u8]) {
    stable(data, Content::from_bytes, Content::to_bytes);
    stable(data, Membership::from_bytes, Membership::to_bytes);
    let name = Name::new(&String::from_utf8_lossy(data));
    assert!(name.as_str().len() <= limits::NAME_MAX);
    assert_eq!(
        Name::new(name.as_str()),
        name,
        "a clean name stays as it is"
    );
    assert!(name.looks_like(&name) || name.skeleton().is_none());
}

/// The plaintext of records and of messages to one member.
pub fn bodies(data: &[u8]) {
    stable_cbor!(data, Receipts, Whereabouts, Meet);
    stable(data, Signal::from_bytes, Signal::to_bytes);
}

/// Messages to one member, their answers, and talk about neighbours.
pub fn route(data: &[u8]) {
    stable_cbor!(data, Route, RouteReply, Peers);
}

/// Comparisons of what two devices hold.
pub fn sketch(data: &[u8]) {
    stable_cbor!(data, Sketch, DigestOf);
}
