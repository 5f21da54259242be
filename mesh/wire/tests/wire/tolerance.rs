//! A newer app's words are carried, lies about sizes are not believed.

use minicbor::Encoder;
use peddlenet_wire::{
    Capped, EpochId, EventHash, Frame, SignedEvent, WireError, codec,
    content::{Content, Edit, Membership, React, Text},
    frame::Rooms,
    limits,
    record::{Receipts, Whereabouts},
};

use crate::vectors;

/// Writes into memory, which can't fail.
fn cbor(write: impl FnOnce(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut Encoder::new(&mut bytes));
    bytes
}

/// `count` arrays, one inside the other.
fn nested(count: usize) -> Vec<u8> {
    let mut bytes = vec![0x81; count - 1];
    bytes.push(0x80);
    bytes
}

/// The same with one more field: in a map under a key that nobody uses, in an array (the small
/// frames) behind all others.
fn with_another_field(frame: &[u8], key: u8, value: &[u8]) -> Vec<u8> {
    // [kind, fields]: array head, the kind in one byte, the head of the map or array.
    let (kind, head) = (frame[1], frame[2]);
    let is_map = (0xa0..0xb7).contains(&head);
    assert!(frame[0] == 0x82 && kind < 24 && (is_map || (0x80..0x97).contains(&head)));
    let mut bytes = vec![0x82, kind, head + 1];
    bytes.extend(&frame[3..]);
    if is_map {
        bytes.push(key);
    }
    bytes.extend(value);
    bytes
}

#[test]
fn an_unknown_frame_kind_is_ignored_with_whatever_it_says() {
    for fields in [
        &[0xf6][..],
        &[0x00],
        &[0xa1, 0, 0x61, b'x'],
        &[0x9f, 1, 2, 0xff],
        &nested(1000),
    ] {
        let bytes = [&[0x82, 0x18, 99][..], fields].concat();
        assert_eq!(Frame::from_bytes(&bytes), Ok(Frame::Unknown(99)));
        assert_eq!(Membership::from_bytes(&bytes), Ok(Membership::Unknown(99)));
        assert_eq!(Content::from_bytes(&bytes), Ok(Content::Unknown(99)));
    }
}

#[test]
fn unknown_fields_of_every_frame_are_ignored() {
    for (name, frame) in vectors::frames() {
        let newer = with_another_field(&frame.to_bytes(), 23, &[0x82, 1, 0x61, b'x']);
        assert_eq!(Frame::from_bytes(&newer), Ok(frame), "{name}");
    }
}

#[test]
fn unknown_fields_of_an_event_header_are_kept_and_part_of_its_name() {
    let event = vectors::event();
    let mut header = event.header_bytes().to_vec();
    assert_eq!(header[0], 0xac, "a map of 12");
    header[0] = 0xad;
    header.extend([12, 0x61, b'x']);
    let body = event.body().map(<[u8]>::to_vec);
    let newer = SignedEvent::from_parts(header, event.signature(), body).unwrap();
    assert_eq!(newer.header(), event.header());
    assert_ne!(newer.hash(), event.hash());
    assert_eq!(
        SignedEvent::from_bytes(&newer.to_bytes()),
        Ok(newer.clone())
    );
    assert!(newer.associated_data().ends_with(&[12, 0x61, b'x']));
}

#[test]
fn a_header_has_one_order_and_names_nothing_twice() {
    let event = vectors::event();
    for extra in [&[11, 0][..], &[3, 0], &[12, 0, 12, 0], &[13, 0, 12, 0]] {
        let mut header = event.header_bytes().to_vec();
        header[0] += u8::try_from(extra.len() / 2).unwrap();
        header.extend(extra);
        let twice = SignedEvent::from_parts(header, event.signature(), None);
        assert!(
            matches!(twice, Err(WireError::Malformed { .. })),
            "{extra:?}"
        );
    }
}

#[test]
fn a_newer_header_format_is_named() {
    let event = vectors::event();
    let mut header = event.header_bytes().to_vec();
    assert_eq!(header[1..3], [0, 1], "version 1");
    header[2] = 2;
    let newer = SignedEvent::from_parts(header, event.signature(), None);
    assert_eq!(newer, Err(WireError::Newer(2)));
}

#[test]
fn only_a_first_event_has_no_previous() {
    let event = vectors::event();
    let with = |seq, previous| {
        let mut header = event.header().clone();
        (header.seq, header.previous) = (peddlenet_wire::Seq(seq), previous);
        SignedEvent::from_parts(header.to_bytes(), event.signature(), None)
    };
    let (none, some) = (
        peddlenet_wire::EventHash::ZERO,
        peddlenet_wire::EventHash([1; 32]),
    );
    assert!(with(1, none).is_ok() && with(2, some).is_ok());
    assert!(with(1, some).is_err() && with(2, none).is_err());
    assert!(with(0, none).is_err() && with(0, some).is_err());
}

#[test]
fn deep_nesting_does_not_reach_the_stack() {
    let deep = nested(60 * 1024);
    let unknown = [&[0x82, 0x18, 99][..], &deep].concat();
    assert_eq!(Frame::from_bytes(&unknown), Ok(Frame::Unknown(99)));
    let (_, rooms) = vectors::frames().swap_remove(0);
    let field = with_another_field(&rooms.to_bytes(), 23, &deep);
    assert_eq!(Frame::from_bytes(&field), Ok(rooms));
    // Open-ended lists inside counted ones, which a decoder must remember one by one.
    let mixed: Vec<u8> = [0x82, 0x9f].into_iter().cycle().take(60 * 1024).collect();
    let _ = Frame::from_bytes(&[&[0x82, 0x18, 99][..], &mixed].concat());
    let tags = vec![0xc1; 60 * 1024];
    assert!(Frame::from_bytes(&[&[0x82, 0x18, 99][..], &tags].concat()).is_err());
    // As the value of a known field: refused at its first byte.
    assert!(Frame::from_bytes(&[&[0x82, 0, 0xa1, 0][..], &deep].concat()).is_err());
}

#[test]
fn lists_over_their_caps_are_refused() {
    let offer = |e: &mut Encoder<&mut Vec<u8>>| {
        e.bytes(&[0; 16]).unwrap();
    };
    let rooms = |count| [&[0x82, 0, 0xa1, 0][..], &list(count, &offer)].concat();
    assert!(Frame::from_bytes(&rooms(limits::ROOMS_MAX)).is_ok());
    assert!(Frame::from_bytes(&rooms(limits::ROOMS_MAX + 1)).is_err());

    let seen = |e: &mut Encoder<&mut Vec<u8>>| {
        e.array(3)
            .unwrap()
            .bytes(&[0; 32])
            .unwrap()
            .u8(1)
            .unwrap()
            .u8(1)
            .unwrap();
    };
    let receipts = |count| {
        let bytes = [&[0xa1, 0][..], &list(count, &seen)].concat();
        codec::from_slice::<Receipts>("receipts", &bytes, 1 << 16)
    };
    assert!(receipts(limits::RECEIPT_ENTRIES_MAX).is_ok());
    assert!(receipts(limits::RECEIPT_ENTRIES_MAX + 1).is_err());

    let address = |e: &mut Encoder<&mut Vec<u8>>| {
        e.bytes(&[0; 6]).unwrap();
    };
    let whereabouts = |count| {
        let fields = cbor(|e| {
            e.u8(1)
                .unwrap()
                .bytes(&[0; 32])
                .unwrap()
                .u8(2)
                .unwrap()
                .u8(0)
                .unwrap();
        });
        let bytes = [&[0xa3, 0][..], &list(count, &address), &fields].concat();
        codec::from_slice::<Whereabouts>("whereabouts", &bytes, 1 << 16)
    };
    assert!(whereabouts(limits::ADDRESSES_MAX).is_ok());
    assert!(whereabouts(limits::ADDRESSES_MAX + 1).is_err());
}

fn list(count: usize, entry: &dyn Fn(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    cbor(|e| {
        e.array(count as u64).unwrap();
        (0..count).for_each(|_| entry(e));
    })
}

#[test]
fn too_many_parents_are_refused() {
    let event = vectors::event();
    let header = event.header_bytes();
    // Key 8, an empty list, key 9: the list of parents.
    let at = header.windows(3).position(|w| w == [8, 0x80, 9]).unwrap();
    let with = |count: u8| {
        let parents = list(usize::from(count), &|e| {
            e.bytes(&[1; 32]).unwrap();
        });
        let header = [&header[..=at], &parents, &header[at + 2..]].concat();
        SignedEvent::from_parts(header, event.signature(), None)
    };
    let most = u8::try_from(limits::PARENTS_MAX).unwrap();
    assert_eq!(
        with(most).unwrap().header().parents.len(),
        limits::PARENTS_MAX
    );
    assert!(with(most + 1).is_err());
}

#[test]
fn a_list_that_claims_more_than_its_bytes_is_refused() {
    // {0: array of 2^32 - 1, nothing follows}
    let lie = [0x82, 0, 0xa1, 0, 0x9a, 0xff, 0xff, 0xff, 0xff];
    assert!(Frame::from_bytes(&lie).is_err());
    let open_ended = [0x82, 0, 0xa1, 0, 0x9f, 0xff];
    assert!(Frame::from_bytes(&open_ended).is_err());
}

#[test]
fn cells_of_a_wrong_length_and_too_many_are_refused() {
    let frame = |len: usize| {
        cbor(|e| {
            e.array(2).unwrap().u8(19).unwrap().array(3).unwrap();
            e.bytes(&[1; 4]).unwrap().u8(7).unwrap();
            e.array(2).unwrap().u8(0).unwrap().array(3).unwrap();
            e.u8(5)
                .unwrap()
                .u8(0)
                .unwrap()
                .bytes(&vec![9; len])
                .unwrap();
        })
    };
    let most = limits::SKETCH_CELLS_MAX * 12;
    for len in [0, 12, most] {
        assert!(Frame::from_bytes(&frame(len)).is_ok(), "{len}");
    }
    for len in [1, 11, 13, most + 12] {
        assert!(Frame::from_bytes(&frame(len)).is_err(), "{len}");
    }
}

#[test]
fn a_list_can_not_be_made_over_its_cap() {
    assert!(Capped::<u8, 2>::try_from(vec![1, 2]).is_ok());
    assert!(Capped::<u8, 2>::try_from(vec![1, 2, 3]).is_err());
    let mut values = 0..5_u8;
    let first = Capped::<u8, 2>::take_from(&mut values);
    assert_eq!((first.into_inner(), values.next()), (vec![0, 1], Some(2)));
}

#[test]
fn what_is_over_its_size_is_refused_unread() {
    let long = vec![0; limits::FRAME_MAX + 1];
    let too_long = |verdict| matches!(verdict, Err(WireError::TooLong { .. }));
    assert!(too_long(Frame::from_bytes(&long).map(drop)));
    assert!(too_long(SignedEvent::from_bytes(&long).map(drop)));
    assert!(too_long(Membership::from_bytes(&long).map(drop)));
    assert!(too_long(Content::from_bytes(&long).map(drop)));
    let event = vectors::event();
    let header = vec![0; limits::HEADER_MAX + 1];
    assert!(too_long(
        SignedEvent::from_parts(header, event.signature(), None).map(drop)
    ));
}

#[test]
fn a_text_over_its_limit_is_refused_on_both_ways() {
    let over = "a".repeat(limits::TEXT_MAX + 1);
    assert!(Text::new(&over).is_err());
    let bytes = cbor(|e| {
        e.array(2)
            .unwrap()
            .u8(0)
            .unwrap()
            .map(1)
            .unwrap()
            .u8(0)
            .unwrap()
            .str(&over)
            .unwrap();
    });
    assert!(Content::from_bytes(&bytes).is_err());
    let long = "a".repeat(limits::REACTION_MAX + 1);
    assert!(React::new(EventHash::ZERO, &long).is_err());
    assert!(Edit::new(EventHash::ZERO, &over).is_err());
    let fits = Content::Text(Text::new(&over[1..]).unwrap());
    assert_eq!(Content::from_bytes(&fits.to_bytes()), Ok(fits));
}

#[test]
fn ids_of_another_length_are_refused() {
    for len in [0, 15, 17, 32] {
        let bytes = cbor(|e| {
            e.bytes(&vec![0; len]).unwrap();
        });
        assert!(
            codec::from_slice::<EpochId>("epoch", &bytes, 64).is_err(),
            "{len}"
        );
    }
    let offers = Frame::Rooms(Rooms {
        offers: Capped::default(),
    });
    assert_eq!(Frame::from_bytes(&offers.to_bytes()), Ok(offers));
}
