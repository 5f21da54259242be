use peddlenet_wire::{
    Capped, Hlc, Seq, WireError,
    content::{Content, Text},
    direct::{Direct, DirectReceipt, Parcel},
    ids::Digest,
};
use proptest::prelude::*;

use super::*;
use crate::{EpochKeys, open_event, seal_event, verify_event};

const ROOM: RoomTag = RoomTag([4; 16]);

fn key(n: u8) -> AuthorKey {
    AuthorKey::from_seed([n; 32])
}

fn epoch() -> EpochKeys {
    EpochKeys::from_seeds([2; 32], [3; 32])
}

/// Ada (1) writes to Bea (2).
fn draft() -> Draft {
    Draft {
        room: ROOM,
        stream: direct_stream(ROOM, key(1).id(), key(2).id()),
        seq: Seq(u64::MAX),
        previous: EventHash([5; 32]),
        clock: Hlc(u64::MAX),
        parents: Capped::default(),
        membership: Digest([7; 32]),
    }
}

fn sealed(plaintext: &[u8]) -> SignedEvent {
    seal_direct(
        &draft(),
        &key(1),
        key(2).id(),
        epoch().id(),
        [9; 32],
        plaintext,
    )
    .unwrap()
}

#[test]
fn the_two_open_it_and_nobody_else() {
    let event = sealed(b"for you alone");
    assert_eq!(verify_event(&event), Ok(()));
    for reader in [1, 2] {
        assert_eq!(
            &**open_direct(&event, &key(reader)).unwrap(),
            b"for you alone"
        );
    }
    assert_eq!(open_direct(&event, &key(3)), Err(CryptoError::Sealed));
    // A member holds the room's keys, which open nothing here.
    assert_eq!(
        open_event(&event, &epoch()),
        Err(CryptoError::UnknownSealing)
    );
    let bytes = event.to_bytes();
    assert!(!bytes.windows(3).any(|w| w == b"you"));
}

#[test]
fn every_flipped_bit_is_refused() {
    let bytes = sealed(b"for you alone").to_bytes();
    for bit in 0..bytes.len() * 8 {
        let mut bad = bytes.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let read = || -> Result<_, CryptoError> {
            let event = SignedEvent::from_bytes(&bad)?;
            verify_event(&event)?;
            open_direct(&event, &key(2))
        };
        assert!(read().is_err(), "bit {bit}");
    }
}

#[test]
fn a_body_under_another_name_or_header_does_not_open() {
    let event = sealed(b"for you alone");
    let body = event.body().unwrap().to_vec();
    // Cyd signs Ada's body as Cyd's own, or as of another place.
    for author in [3, 1] {
        let mut header = event.header().clone();
        header.author = key(author).id();
        header.seq = Seq(8);
        let stolen = sign_event(header, &key(author), body.clone()).unwrap();
        assert_eq!(verify_event(&stolen), Ok(()));
        assert_eq!(open_direct(&stolen, &key(2)), Err(CryptoError::Sealed));
    }
}

#[test]
fn boxes_can_not_be_exchanged() {
    let event = sealed(b"for you alone");
    let body = event.body().unwrap();
    let swapped = [
        &body[BOX_LEN..2 * BOX_LEN],
        &body[..BOX_LEN],
        &body[2 * BOX_LEN..],
    ]
    .concat();
    let forged = sign_event(event.header().clone(), &key(1), swapped).unwrap();
    for reader in [1, 2] {
        assert_eq!(open_direct(&forged, &key(reader)), Err(CryptoError::Sealed));
    }
    for len in [0, 1, BOX_LEN, 2 * BOX_LEN, 2 * BOX_LEN + 30] {
        let cut = sign_event(event.header().clone(), &key(1), body[..len].to_vec()).unwrap();
        assert_eq!(open_direct(&cut, &key(2)), Err(CryptoError::Sealed));
    }
}

#[test]
fn a_log_is_of_one_author_for_one_recipient_in_one_room() {
    let of = |room, a, b| direct_stream(room, key(a).id(), key(b).id());
    let stream = of(ROOM, 1, 2);
    assert!(stream.is_direct());
    for other in [of(ROOM, 2, 1), of(ROOM, 1, 3), of(RoomTag([5; 16]), 1, 2)] {
        assert_ne!(stream, other);
    }
    let seal = |to: u8, stream| {
        let draft = Draft { stream, ..draft() };
        seal_direct(
            &draft,
            &key(1),
            key(to).id(),
            epoch().id(),
            [9; 32],
            b"text",
        )
    };
    let refused = Err(CryptoError::UnknownSealing);
    assert_eq!(seal(3, stream), refused, "another recipient's log");
    assert_eq!(seal(2, Stream::CONTENT), refused, "the room's log");
    assert_eq!(seal(1, of(ROOM, 1, 1)), refused, "oneself");
    let of_room = Draft {
        stream: Stream::CONTENT,
        ..draft()
    };
    let event = seal_event(&of_room, &key(1), &epoch(), [8; 24], b"text").unwrap();
    assert_eq!(
        open_direct(&event, &key(1)),
        Err(CryptoError::UnknownSealing)
    );
}

#[test]
fn the_longest_text_fits_its_parcel_and_what_exceeds_one_is_refused() {
    let direct = |len: usize| {
        let text = Text::new(&"a".repeat(len)).unwrap();
        let direct = Direct {
            to: key(2).id(),
            content: Content::Text(text),
        };
        direct.to_bytes()
    };
    let event = sealed(&direct(limits::DIRECT_TEXT_MAX));
    let parcel = Parcel::Event(event.clone()).to_bytes();
    let sealed = seal_parcel(ROOM, key(1).id(), key(2).id(), [6; 32], &parcel).unwrap();
    println!(
        "text {} B, event {} B, parcel {} B",
        limits::DIRECT_TEXT_MAX,
        event.to_bytes().len(),
        sealed.len()
    );
    assert!(sealed.len() <= limits::UNICAST_MAX);
    let opened = open_parcel(ROOM, key(1).id(), &key(2), &sealed).unwrap();
    assert_eq!(Parcel::from_bytes(&opened), Ok(Parcel::Event(event)));
    let over = seal_direct(
        &draft(),
        &key(1),
        key(2).id(),
        epoch().id(),
        [9; 32],
        &direct(2 * limits::DIRECT_TEXT_MAX),
    );
    assert!(matches!(
        over,
        Err(CryptoError::Wire(WireError::TooLong { .. }))
    ));
}

#[test]
fn a_parcel_opens_for_its_recipient_from_its_sender_in_its_room_only() {
    let parcel = seal_parcel(ROOM, key(1).id(), key(2).id(), [6; 32], b"inside").unwrap();
    let open = |room, from: u8, by: u8| open_parcel(room, key(from).id(), &key(by), &parcel);
    assert_eq!(&**open(ROOM, 1, 2).unwrap(), b"inside");
    for refused in [
        open(ROOM, 1, 3),
        open(ROOM, 3, 2),
        open(RoomTag([5; 16]), 1, 2),
    ] {
        assert_eq!(refused, Err(CryptoError::Sealed));
    }
    let other = seal_parcel(ROOM, key(1).id(), key(2).id(), [7; 32], b"inside").unwrap();
    assert!(parcel[1..].iter().zip(&other[1..]).any(|(a, b)| a != b));
    let mut newer = parcel.clone();
    newer[0] = 2;
    assert!(open_parcel(ROOM, key(1).id(), &key(2), &newer).is_err());
    assert!(open_parcel(ROOM, key(1).id(), &key(2), &[]).is_err());
}

#[test]
fn a_receipt_holds_for_one_message_state_room_and_author() {
    let event = EventHash([1; 32]);
    let signature = direct_receipt(&key(2), ROOM, event, Arrived::Stored);
    let receipt = DirectReceipt {
        event,
        state: Arrived::Stored,
        signature,
    };
    let check = |by: u8, room, event, state| {
        verify_direct_receipt(key(by).id(), room, event, state, &receipt.signature)
    };
    assert_eq!(check(2, ROOM, event, Arrived::Stored), Ok(()));
    for refused in [
        check(2, ROOM, event, Arrived::Seen),
        check(2, ROOM, EventHash([2; 32]), Arrived::Stored),
        check(2, RoomTag([5; 16]), event, Arrived::Stored),
        check(3, ROOM, event, Arrived::Stored),
    ] {
        assert_eq!(refused, Err(CryptoError::Signature));
    }
}

/// Computed by another implementation (Python over OpenSSL) from the formulas of this module.
#[test]
fn known_answer() {
    assert_eq!(
        direct_stream(ROOM, key(1).id(), key(2).id()),
        Stream(0x9520_c24d)
    );
    let body = sealed(b"hello").body().unwrap().to_vec();
    let hash: String = sha256(&body).to_string();
    assert_eq!(
        (body.len(), hash.as_str()),
        (
            2 * BOX_LEN + 24 + 32 + 16,
            "ae23b036b3ef5f1dbe97b5aed62c81fbf3e51a8c489fd7790d61015ec9d093c1"
        )
    );
}

proptest! {
    #[test]
    fn opening_garbage_never_panics(body in prop::collection::vec(any::<u8>(), 0..400)) {
        let event = sign_event(sealed(b"").header().clone(), &key(1), body.clone()).unwrap();
        for reader in [1, 2, 3] {
            prop_assert!(open_direct(&event, &key(reader)).is_err());
        }
        prop_assert!(open_parcel(ROOM, key(1).id(), &key(2), &body).is_err());
    }
}
