//! Bytes from outside never panic a decoder, and whatever is accepted is a value like any other.

use std::fmt::Debug;

use peddlenet_wire::{
    Frame, Invite, Pass, SignedEvent, SignedRecord, VerifyCode, WireError, codec,
    content::{Content, Membership},
    limits,
    meet::Meet,
    record::{Receipts, Whereabouts},
    rendezvous::Signal,
};
use proptest::prelude::*;

use crate::arbitrary as any;

/// Runs every decoder; what one accepts must survive its own encoding.
fn decode_all(bytes: &[u8]) {
    stable(bytes, Frame::from_bytes, Frame::to_bytes);
    stable(bytes, SignedEvent::from_bytes, SignedEvent::to_bytes);
    stable(bytes, SignedRecord::from_bytes, SignedRecord::to_bytes);
    stable(bytes, Membership::from_bytes, Membership::to_bytes);
    stable(bytes, Content::from_bytes, Content::to_bytes);
    stable(bytes, Invite::from_bytes, Invite::to_bytes);
    stable(bytes, VerifyCode::from_bytes, VerifyCode::to_bytes);
    stable(bytes, Pass::from_bytes, Pass::to_bytes);
    stable(
        bytes,
        |b| codec::from_slice::<Receipts>("receipts", b, limits::RECORD_MAX),
        codec::to_vec,
    );
    stable(
        bytes,
        |b| codec::from_slice::<Whereabouts>("whereabouts", b, limits::RECORD_MAX),
        codec::to_vec,
    );
    stable(
        bytes,
        |b| codec::from_slice::<Meet>("meet", b, limits::RECORD_MAX),
        codec::to_vec,
    );
    stable(bytes, Signal::from_bytes, Signal::to_bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Invite::from_link(text);
        let _ = VerifyCode::from_link(text);
        let _ = Pass::from_link(text);
    }
}

fn stable<T: PartialEq + Debug, E: PartialEq + Debug>(
    bytes: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, E>,
    encode: impl Fn(&T) -> Vec<u8>,
) {
    if let Ok(value) = decode(bytes) {
        assert_eq!(
            decode(&encode(&value)).as_ref(),
            Ok(&value),
            "from {bytes:02x?}"
        );
    }
}

/// Good bytes with a few bad ones: gets deeper into the decoders than noise does.
fn bent(good: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6);
    (good, changes).prop_map(|(mut bytes, changes)| {
        for (at, byte, change) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match change {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => bytes.truncate(at),
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn noise(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        decode_all(&bytes);
    }

    /// Small numbers are CBOR's heads of short lists, maps and ids: noise that parses further.
    #[test]
    fn structured_noise(
        bytes in prop::collection::vec(
            prop_oneof![0..24_u8, 0x40..0x46_u8, 0x58..0x5b_u8, 0x80..0x9f_u8, 0xa0..0xbf_u8, 0xf4..=0xff_u8],
            0..200,
        ),
    ) {
        decode_all(&bytes);
    }

    #[test]
    fn bent_frames(bytes in bent(any::frame().prop_map(|f| f.to_bytes()))) {
        decode_all(&bytes);
    }

    #[test]
    fn bent_membership_events(bytes in bent(any::membership().prop_map(|m| m.to_bytes()))) {
        decode_all(&bytes);
    }

    #[test]
    fn bent_invites(bytes in bent(any::invite().prop_map(|i| i.to_bytes()))) {
        decode_all(&bytes);
    }

    #[test]
    fn bent_links(bytes in bent(any::invite().prop_map(|i| i.to_link().into_bytes()))) {
        decode_all(&bytes);
    }

    #[test]
    fn bent_verify_codes(bytes in bent(any::verify_code().prop_map(|c| c.to_bytes()))) {
        decode_all(&bytes);
    }

    #[test]
    fn bent_verify_links(bytes in bent(any::verify_code().prop_map(|c| c.to_link().into_bytes()))) {
        decode_all(&bytes);
    }

    #[test]
    fn bent_passes(bytes in bent(any::pass().prop_map(|p| p.to_bytes()))) {
        decode_all(&bytes);
    }

    #[test]
    fn bent_pass_texts(bytes in bent(any::pass().prop_map(|p| p.to_link().into_bytes()))) {
        decode_all(&bytes);
    }

    #[test]
    fn any_text_as_a_link(text in "(PEDDLENET:[JVC]/|peddlenet:[jvc]/)?[A-Z2-7é \n]{0,200}") {
        let _ = Invite::from_link(&text);
        let _ = VerifyCode::from_link(&text);
        let _ = Pass::from_link(&text);
    }

    #[test]
    fn a_changed_body_is_refused(event in any::event(), at in any::<prop::sample::Index>()) {
        let Some(mut body) = event.body().map(<[u8]>::to_vec).filter(|b| !b.is_empty()) else {
            return Ok(());
        };
        let at = at.index(body.len());
        body[at] ^= 1;
        let changed = SignedEvent::from_parts(event.header_bytes().to_vec(), event.signature(), Some(body));
        prop_assert_eq!(changed, Err(WireError::BodyMismatch));
    }
}
