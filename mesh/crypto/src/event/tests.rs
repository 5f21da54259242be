use peddlenet_wire::{
    Signature, Timestamp, WireError,
    content::{Content, Text},
};

use super::*;

fn key() -> AuthorKey {
    AuthorKey::from_seed([1; 32])
}

fn epoch() -> EpochKeys {
    EpochKeys::from_seeds([2; 32], [3; 32])
}

/// The second event of a stream, as most are; with that many parents.
fn draft(stream: Stream, parents: usize) -> Draft {
    Draft {
        room: RoomTag([4; 16]),
        stream,
        seq: Seq(2),
        previous: EventHash([5; 32]),
        clock: Hlc::at(Timestamp(1_800_000_000_000)),
        parents: vec![EventHash([6; 32]); parents].try_into().unwrap(),
        membership: Digest([7; 32]),
    }
}

fn sealed(stream: Stream) -> SignedEvent {
    seal_event(
        &draft(stream, 1),
        &key(),
        &epoch(),
        [8; 24],
        b"see you at gate B",
    )
    .unwrap()
}

/// What a receiver does with bytes from a link.
fn receive(bytes: &[u8], epoch: &EpochKeys) -> Result<Vec<u8>, CryptoError> {
    let event = SignedEvent::from_bytes(bytes)?;
    verify_event(&event)?;
    open_event(&event, epoch)
}

#[test]
fn an_event_comes_back_as_it_was_written() {
    for stream in [Stream::MEMBERSHIP, Stream::CONTENT] {
        let event = sealed(stream);
        let (header, draft) = (event.header(), draft(stream, 1));
        assert_eq!((header.author, header.epoch), (key().id(), epoch().id()));
        assert_eq!(
            (header.room, header.stream, header.seq),
            (draft.room, stream, draft.seq)
        );
        assert_eq!(header.parents, draft.parents);
        assert_eq!(
            receive(&event.to_bytes(), &epoch()).as_deref(),
            Ok(&b"see you at gate B"[..])
        );
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    for stream in [Stream::MEMBERSHIP, Stream::CONTENT] {
        let bytes = sealed(stream).to_bytes();
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(
                receive(&bad, &epoch()).is_err(),
                "bit {bit} of stream {}",
                stream.0
            );
        }
        for len in 0..bytes.len() {
            assert!(receive(&bytes[..len], &epoch()).is_err(), "cut to {len}");
        }
    }
}

#[test]
fn a_relay_refuses_every_flipped_bit_without_a_key() {
    let bytes = sealed(Stream::CONTENT).to_bytes();
    for bit in 0..bytes.len() * 8 {
        let mut bad = bytes.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let verdict = SignedEvent::from_bytes(&bad)
            .map_err(CryptoError::from)
            .and_then(|event| verify_event(&event));
        assert!(verdict.is_err(), "bit {bit}");
    }
}

#[test]
fn a_deleted_body_leaves_a_stub_that_verifies_under_the_same_name() {
    let event = sealed(Stream::CONTENT);
    let stub =
        SignedEvent::from_parts(event.header_bytes().to_vec(), event.signature(), None).unwrap();
    let stub = SignedEvent::from_bytes(&stub.to_bytes()).unwrap();
    assert_eq!(stub.hash(), event.hash());
    assert_eq!(verify_event(&stub), Ok(()));
    assert_eq!(open_event(&stub, &epoch()), Err(CryptoError::NoBody));
}

#[test]
fn another_body_under_a_good_header_is_refused() {
    let event = sealed(Stream::CONTENT);
    let mut other = event.body().unwrap().to_vec();
    other[30] ^= 1;
    let swapped = SignedEvent::from_parts(
        event.header_bytes().to_vec(),
        event.signature(),
        Some(other),
    );
    assert_eq!(swapped, Err(WireError::BodyMismatch));
}

#[test]
fn a_body_opens_under_its_own_header_only() {
    let event = sealed(Stream::CONTENT);
    // Its author's own signature over another header: nothing but the associated data tells.
    let mut header = event.header().clone();
    header.clock = Hlc(header.clock.0 + 1);
    let bytes = header.to_bytes();
    let signature = key().sign(Context::Event, &bytes);
    let body = event.body().map(<[u8]>::to_vec);
    let moved = SignedEvent::from_parts(bytes, signature, body).unwrap();
    assert_eq!(verify_event(&moved), Ok(()));
    assert_eq!(open_event(&moved, &epoch()), Err(CryptoError::Sealed));
}

#[test]
fn another_author_can_not_take_an_event_over() {
    let event = sealed(Stream::CONTENT);
    let thief = AuthorKey::from_seed([9; 32]);
    // Signed by another key, under the author's name.
    let signature = thief.sign(Context::Event, event.header_bytes());
    let body = event.body().map(<[u8]>::to_vec);
    let forged =
        SignedEvent::from_parts(event.header_bytes().to_vec(), signature, body.clone()).unwrap();
    assert_eq!(verify_event(&forged), Err(CryptoError::Signature));
    // The author's body under the thief's own name: verifies, and does not open.
    let mut header = event.header().clone();
    header.author = thief.id();
    let bytes = header.to_bytes();
    let signature = thief.sign(Context::Event, &bytes);
    let stolen = SignedEvent::from_parts(bytes, signature, body).unwrap();
    assert_eq!(verify_event(&stolen), Ok(()));
    assert_eq!(open_event(&stolen, &epoch()), Err(CryptoError::Sealed));
}

#[test]
fn a_signature_made_for_another_purpose_is_refused() {
    let event = sealed(Stream::CONTENT);
    for context in [
        Context::Beacon,
        Context::LinkOpen,
        Context::Join,
        Context::Welcome,
        Context::Voucher,
    ] {
        let signature = key().sign(context, event.header_bytes());
        let forged =
            SignedEvent::from_parts(event.header_bytes().to_vec(), signature, None).unwrap();
        assert_eq!(verify_event(&forged), Err(CryptoError::Signature));
    }
}

#[test]
fn a_body_opens_in_its_epoch_only() {
    let event = sealed(Stream::CONTENT);
    let later = EpochKeys::from_seeds([2; 32], [10; 32]);
    assert_eq!(
        open_event(&event, &later),
        Err(CryptoError::OtherEpoch {
            sealed: epoch().id(),
            given: later.id()
        })
    );
}

#[test]
fn without_the_content_key_only_stream_0_opens() {
    let given = epoch().without_content();
    assert!(open_event(&sealed(Stream::MEMBERSHIP), &given).is_ok());
    assert_eq!(
        open_event(&sealed(Stream::CONTENT), &given),
        Err(CryptoError::NoContentKey(epoch().id()))
    );
    assert!(matches!(
        seal_event(&draft(Stream::CONTENT, 0), &key(), &given, [8; 24], b""),
        Err(CryptoError::NoContentKey(_))
    ));
}

#[test]
fn a_direct_message_is_never_sealed_for_the_whole_room() {
    let draft = draft(Stream(2), 0);
    assert_eq!(
        seal_event(&draft, &key(), &epoch(), [8; 24], b"for you alone"),
        Err(CryptoError::UnknownSealing)
    );
}

/// Adds `{12: "later"}` to a header, as a newer app may.
fn with_a_newer_field(header: &Header) -> Vec<u8> {
    let mut bytes = header.to_bytes();
    assert_eq!(bytes[0], 0xac, "a map of 12");
    bytes[0] = 0xad;
    bytes.extend([12, 0x65]);
    bytes.extend(b"later");
    bytes
}

#[test]
fn unknown_header_fields_are_carried_verified_and_bound_to_the_body() {
    let mut header = sealed(Stream::CONTENT).header().clone();
    header.body_hash = Digest::ZERO;
    let body_key = body_key(&epoch(), header.author, header.stream).unwrap();
    let associated = with_a_newer_field(&header);
    let body = seal::seal(&body_key, &[8; 24], &associated, b"hi", limits::BODY_MAX).unwrap();
    header.body_hash = sha256(&body);
    let bytes = with_a_newer_field(&header);
    let signature = key().sign(Context::Event, &bytes);
    let event = SignedEvent::from_parts(bytes, signature, Some(body)).unwrap();
    let carried = event.to_bytes();
    assert_eq!(receive(&carried, &epoch()).as_deref(), Ok(&b"hi"[..]));
    assert!(carried.windows(5).any(|w| w == b"later"));
    for at in carried.windows(5).position(|w| w == b"later").into_iter() {
        let mut bad = carried.clone();
        bad[at] ^= 1;
        assert_eq!(receive(&bad, &epoch()), Err(CryptoError::Signature));
    }
}

#[test]
fn an_unknown_suite_is_named_not_guessed() {
    let event = sealed(Stream::CONTENT);
    let mut header = event.header().clone();
    header.suite = 2;
    let bytes = header.to_bytes();
    let signature = key().sign(Context::Event, &bytes);
    let newer = SignedEvent::from_parts(bytes, signature, None).unwrap();
    assert_eq!(verify_event(&newer), Err(CryptoError::UnknownSuite(2)));
    assert_eq!(
        open_event(&newer, &epoch()),
        Err(CryptoError::UnknownSuite(2))
    );
}

#[test]
fn the_longest_text_fits_and_what_exceeds_an_event_is_refused() {
    let text = Content::Text(Text::new(&"a".repeat(limits::TEXT_MAX)).unwrap()).to_bytes();
    let draft = draft(Stream::CONTENT, limits::PARENTS_MAX);
    let event = seal_event(&draft, &key(), &epoch(), [8; 24], &text).unwrap();
    assert!(event.to_bytes().len() <= limits::EVENT_MAX);
    assert_eq!(receive(&event.to_bytes(), &epoch()), Ok(text));
    let longest = vec![0; limits::BODY_MAX - 41];
    let event = seal_event(&draft, &key(), &epoch(), [8; 24], &longest).unwrap();
    assert!(event.to_bytes().len() <= limits::EVENT_MAX);
    let over = vec![0; longest.len() + 1];
    assert!(matches!(
        seal_event(&draft, &key(), &epoch(), [8; 24], &over),
        Err(CryptoError::Wire(WireError::TooLong { .. }))
    ));
}

#[test]
fn bodies_of_short_texts_have_few_lengths() {
    let length = |text: &str| {
        let plaintext = Content::Text(Text::new(text).unwrap()).to_bytes();
        let event = seal_event(
            &draft(Stream::CONTENT, 0),
            &key(),
            &epoch(),
            [8; 24],
            &plaintext,
        );
        event.unwrap().to_bytes().len()
    };
    assert_eq!(length("yes"), length("no"));
    assert_eq!(length("yes"), length("where are you?"));
}

#[test]
fn an_event_costs_about_what_the_design_says() {
    let text = "see you at gate B";
    let plaintext = Content::Text(Text::new(text).unwrap()).to_bytes();
    for (parents, fixed) in [(0, 268), (1, 302), (limits::PARENTS_MAX, 405)] {
        let draft = draft(Stream::CONTENT, parents);
        let event = seal_event(&draft, &key(), &epoch(), [8; 24], &plaintext).unwrap();
        let (all, header) = (event.to_bytes().len(), event.header_bytes().len());
        let body = event.body().unwrap().len();
        println!(
            "text {} B, {parents} parents: event {all} B = header {header} + signature {} + body {body} + envelope {}; overhead {} B",
            text.len(),
            Signature::LEN,
            all - header - Signature::LEN - body,
            all - text.len(),
        );
        // The figures that the module's documentation gives.
        assert_eq!((all - body, body), (fixed, 40 + 32), "{parents} parents");
    }
}
