//! What is encoded comes back as it was, for every type.

use peddlenet_wire::{
    Frame, Invite, Pass, SignedEvent, SignedRecord, VerifyCode, codec, content, limits,
    pass::Certificate,
};
use proptest::prelude::*;

use crate::arbitrary as any;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn frames(frame in any::frame()) {
        prop_assert_eq!(Frame::from_bytes(&frame.to_bytes()), Ok(frame));
    }

    #[test]
    fn events_keep_their_bytes_and_their_name(event in any::event()) {
        let back = SignedEvent::from_bytes(&event.to_bytes()).unwrap();
        prop_assert_eq!(back.to_bytes(), event.to_bytes());
        prop_assert_eq!(back.hash(), event.hash());
        prop_assert_eq!(back.header(), event.header());
        prop_assert_eq!(&back.header().to_bytes()[..], event.header_bytes());
    }

    #[test]
    fn the_associated_data_of_an_event_is_its_header_without_the_body_hash(event in any::event()) {
        let mut header = event.header().clone();
        header.body_hash.0.fill(0);
        prop_assert_eq!(event.associated_data(), header.to_bytes());
    }

    #[test]
    fn records_keep_their_bytes_and_their_name(record in any::record()) {
        let back = SignedRecord::from_bytes(&record.to_bytes()).unwrap();
        prop_assert_eq!(back.to_bytes(), record.to_bytes());
        prop_assert_eq!(back.hash(), record.hash());
        prop_assert_eq!(back.header(), record.header());
        let mut header = record.header().clone();
        header.body_hash.0.fill(0);
        prop_assert_eq!(record.associated_data(), header.to_bytes());
    }

    #[test]
    fn membership_events(event in any::membership()) {
        prop_assert_eq!(content::Membership::from_bytes(&event.to_bytes()), Ok(event));
    }

    #[test]
    fn messages(message in any::content()) {
        prop_assert_eq!(content::Content::from_bytes(&message.to_bytes()), Ok(message));
    }

    #[test]
    fn receipts(receipts in any::receipts()) {
        let bytes = codec::to_vec(&receipts);
        prop_assert_eq!(codec::from_slice("receipts", &bytes, limits::RECORD_MAX), Ok(receipts));
    }

    #[test]
    fn whereabouts(whereabouts in any::whereabouts()) {
        let bytes = codec::to_vec(&whereabouts);
        prop_assert_eq!(codec::from_slice("whereabouts", &bytes, limits::RECORD_MAX), Ok(whereabouts));
    }

    #[test]
    fn meets(meet in any::meet()) {
        let bytes = codec::to_vec(&meet);
        prop_assert_eq!(codec::from_slice("meet", &bytes, limits::RECORD_MAX), Ok(meet));
    }

    #[test]
    fn epoch_grants(grant in any::grant()) {
        let bytes = codec::to_vec(&grant);
        prop_assert_eq!(codec::from_slice("grant", &bytes, 256), Ok(grant));
    }

    #[test]
    fn invites_and_their_links(invite in any::invite()) {
        prop_assert_eq!(Invite::from_bytes(&invite.to_bytes()), Ok(invite.clone()));
        let link = invite.to_link();
        prop_assert!(link.len() <= limits::LINK_TEXT_MAX);
        prop_assert_eq!(Invite::from_link(&link), Ok(invite.clone()));
        prop_assert_eq!(Invite::from_link(&link.to_lowercase()), Ok(invite));
    }

    #[test]
    fn verify_codes_and_their_links(code in any::verify_code()) {
        prop_assert_eq!(VerifyCode::from_bytes(&code.to_bytes()), Ok(code));
        prop_assert_eq!(VerifyCode::from_link(&code.to_link()), Ok(code));
        prop_assert_eq!(VerifyCode::from_link(&code.to_link().to_lowercase()), Ok(code));
        prop_assert!(Invite::from_link(&code.to_link()).is_err());
    }

    #[test]
    fn passes_and_their_texts(pass in any::pass()) {
        prop_assert_eq!(Pass::from_bytes(&pass.to_bytes()), Ok(pass.clone()));
        let link = pass.to_link();
        prop_assert!(link.len() <= limits::PASS_TEXT_MAX);
        prop_assert_eq!(Pass::from_link(&link.to_lowercase()), Ok(pass));
        prop_assert!(Invite::from_link(&link).is_err() && !VerifyCode::is_one(&link));
    }

    #[test]
    fn certificates(certificate in any::certificate()) {
        prop_assert_eq!(Certificate::from_bytes(&certificate.to_bytes()), Some(certificate));
    }

    #[test]
    fn ids_in_text(tag in any::room_tag(), author in any::author(), signature in any::signature()) {
        prop_assert_eq!(tag.to_string().parse(), Ok(tag));
        prop_assert_eq!(author.to_string().parse(), Ok(author));
        prop_assert_eq!(signature.to_string().parse(), Ok(signature));
    }

    #[test]
    fn a_name_that_was_cleaned_once_stays_as_it_is(text in any_text()) {
        let name = codec::Name::new(&text);
        prop_assert!(name.as_str().len() <= limits::NAME_MAX);
        prop_assert_eq!(codec::Name::new(name.as_str()), name.clone());
        prop_assert_eq!(name.looks_like(&name), !name.is_empty());
    }
}

/// Text rich in what names must not contain.
fn any_text() -> impl Strategy<Value = String> {
    let awkward = prop::sample::select(vec![
        ' ', '\u{202e}', '\u{2066}', '\u{200f}', '\n', '\u{feff}', 'a', 'é', '🐪', '\u{3000}',
        '\u{200d}', '\u{200c}', '\u{fe0f}', '\u{301}', '\u{308}', 'क', '\u{94d}', '\u{93e}', 'ب',
        '\u{1112}', '\u{1161}', '\u{2009}',
    ]);
    prop::collection::vec(prop_oneof![3 => awkward, 1 => prop::char::any()], 0..60)
        .prop_map(|chars| chars.into_iter().collect())
}
