//! Lengths that are claimed and not there. Nothing of ours is compressed; a length field is what can lie.

use peddlenet_crypto::{Handshake, Hello};
use peddlenet_wire::{
    Fingerprint, Frame, Invite, SignedEvent, SignedRecord, codec,
    content::{Content, Membership},
    join::{JoinRequest, Welcome},
    limits,
    record::{Receipts, Whereabouts},
    route::Route,
    sketch::Sketch,
};

use crate::heap::taken_by;

/// What decoding a short lie may take: an error's words.
const WORDS: usize = 4 * 1024;

fn decode_all(bytes: &[u8]) {
    let max = limits::FRAME_MAX;
    let _ = Frame::from_bytes(bytes);
    let _ = SignedEvent::from_bytes(bytes);
    let _ = SignedRecord::from_bytes(bytes);
    let _ = Membership::from_bytes(bytes);
    let _ = Content::from_bytes(bytes);
    let _ = Invite::from_bytes(bytes);
    let _ = codec::from_slice::<JoinRequest>("join", bytes, max);
    let _ = codec::from_slice::<Welcome>("welcome", bytes, max);
    let _ = codec::from_slice::<Route>("route", bytes, max);
    let _ = codec::from_slice::<Sketch>("sketch", bytes, max);
    let _ = codec::from_slice::<Receipts>("receipts", bytes, max);
    let _ = codec::from_slice::<Whereabouts>("whereabouts", bytes, max);
}

/// CBOR's heads of strings, arrays and maps that say "two gigabytes follow", in 4 and in 8 bytes.
fn lies() -> impl Iterator<Item = Vec<u8>> {
    [0x40_u8, 0x60, 0x80, 0xa0].into_iter().flat_map(|major| {
        let four = [&[major | 26][..], &0x7fff_ffff_u32.to_be_bytes()].concat();
        let eight = [&[major | 27][..], &u64::MAX.to_be_bytes()].concat();
        [four, eight]
    })
}

#[test]
fn two_gigabytes_that_are_claimed_are_not_allocated() {
    for lie in lies() {
        // As a whole, as the fields of each kind of frame, and as each field of those.
        let taken = taken_by(|| decode_all(&lie));
        assert!(taken < WORDS * 12, "{lie:02x?}: {taken} B");
        for kind in 0..24_u8 {
            let fields = [&[0x82, kind][..], &lie].concat();
            let taken = taken_by(|| drop(Frame::from_bytes(&fields)));
            assert!(taken < WORDS, "{fields:02x?}: {taken} B");
            for field in 0..8_u8 {
                for head in [&[0xa1, field][..], &[0x81], &[0x88, 0x44, 1, 1, 1, 1]] {
                    let bytes = [&[0x82, kind], head, &lie].concat();
                    let taken = taken_by(|| drop(Frame::from_bytes(&bytes)));
                    assert!(taken < WORDS, "{bytes:02x?}: {taken} B");
                }
            }
        }
    }
}

#[test]
fn what_is_longer_than_its_limit_is_not_copied() {
    let long = vec![0x5a_u8; 8 << 20];
    let taken = taken_by(|| decode_all(&long));
    assert!(taken < WORDS * 12, "{taken} B");
    let hello = Hello {
        versions: 1..=1,
        features: 0,
    };
    let (d, l) = (Fingerprint([1; 32]), Fingerprint([2; 32]));
    let mut listener = Handshake::listener(&[3; 32], d, l, hello, [4; 32]).unwrap();
    let taken = taken_by(|| assert!(listener.step(Some(&long)).is_err()));
    assert!(taken < WORDS, "{taken} B");
}

#[test]
fn a_link_text_of_megabytes_is_refused_unread() {
    let text = format!("PEDDLENET:J/{}", "A".repeat(4 << 20));
    let taken = taken_by(|| assert!(Invite::from_link(&text).is_err()));
    assert!(taken < WORDS, "{taken} B");
}
