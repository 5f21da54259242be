//! What is checked outside the engine: proofs on a link, admission, and every kind of sealed plaintext.

use peddlenet_crypto::{
    Draft, EpochKeys, open_event, open_record, room_offer, seal_event, seal_record, verify_beacon,
    verify_event, verify_join, verify_open, verify_record, verify_voucher, verify_welcome,
};
use peddlenet_wire::{
    AuthorId, Capped, EventHash, Frame, Hlc, InviteKey, Seq, Signature, SignedEvent, SignedRecord,
    Stream, Timestamp,
    codec::Name,
    content::{
        Admit, Content, Create, History, InviteOpened, Membership, Profile, RevokeInvite, Role,
        Text,
    },
    ids::Digest,
    record::RecordKind,
    tree::Beacon,
};

use crate::{
    flips,
    genuine::{Genuine, LINK, ROOM, ROOM_ID, START},
};

/// What remains of a frame with a flipped bit, if it can be read.
fn readable(frame: &Frame) -> impl Iterator<Item = (usize, Frame)> {
    flips(&frame.to_bytes())
        .filter_map(|(bit, bytes)| Some((bit, Frame::from_bytes(&bytes).ok()?)))
        .collect::<Vec<_>>()
        .into_iter()
}

#[test]
fn no_link_opens_by_a_changed_proof() {
    let genuine = Genuine::new();
    let open = genuine.open();
    for (bit, frame) in readable(&Frame::Open(open.clone())) {
        let Frame::Open(read) = frame else { continue };
        let holds = verify_open(read.author, &LINK, read.room, true, &read.proof).is_ok();
        let same = (read.room, read.author, read.proof) == (open.room, open.author, open.proof);
        assert_eq!(holds, same, "bit {bit}");
        // Credentials may be lost, never altered.
        let genuine = |event: &SignedEvent| open.credentials.contains(event);
        let holding = read.credentials.iter().filter(|e| verify_event(e).is_ok());
        assert!(holding.into_iter().all(genuine), "bit {bit}");
    }
}

#[test]
fn an_offer_of_a_room_matches_unchanged_only() {
    let genuine = Genuine::new();
    let offer = room_offer(&LINK, ROOM);
    let (_, frame) = genuine.frames().swap_remove(0);
    for (bit, frame) in readable(&frame) {
        if let Frame::Rooms(rooms) = frame {
            assert!(rooms.offers.iter().all(|o| *o != offer), "bit {bit}");
        }
    }
}

#[test]
fn nobody_is_admitted_by_a_changed_request() {
    let genuine = Genuine::new();
    for (bit, frame) in readable(&Frame::JoinRequest(genuine.request())) {
        let Frame::JoinRequest(r) = frame else {
            continue;
        };
        let known = r.room == ROOM_ID && r.invite == genuine.invite.public();
        let holds = known
            && verify_join(r.author, &LINK, r.room, &r.proof).is_ok()
            && verify_voucher(r.invite, r.room, r.author, &r.voucher).is_ok();
        assert!(!holds, "bit {bit}");
    }
}

#[test]
fn a_changed_welcome_gives_no_changed_keys_and_no_changed_events() {
    let genuine = Genuine::new();
    let welcome = genuine.welcome();
    let ids: Vec<_> = welcome.epochs.iter().map(|grant| grant.epoch).collect();
    for (bit, frame) in readable(&Frame::Welcome(welcome.clone())) {
        let Frame::Welcome(read) = frame else {
            continue;
        };
        let holds = verify_welcome(read.author, &LINK, ROOM_ID, &read.proof).is_ok();
        let same = (read.author, read.proof) == (welcome.author, welcome.proof);
        assert_eq!(holds, same, "bit {bit}");
        for epoch in read
            .epochs
            .iter()
            .filter_map(|g| EpochKeys::from_grant(g).ok())
        {
            assert!(ids.contains(&epoch.id()), "bit {bit}");
            let given = welcome
                .epochs
                .iter()
                .find(|g| g.epoch == epoch.id())
                .unwrap();
            let got = epoch.to_grant();
            assert_eq!(got.member, given.member, "bit {bit}");
            assert!(
                got.content.is_none() || got.content == given.content,
                "bit {bit}"
            );
        }
        let holding = read.events.iter().filter(|e| verify_event(e).is_ok());
        assert!(
            holding.into_iter().all(|e| welcome.events.contains(e)),
            "bit {bit}"
        );
    }
}

#[test]
fn a_changed_beacon_is_no_sign_of_life() {
    let genuine = Genuine::new();
    for (bit, frame) in readable(&Frame::Beacon(genuine.beacon.clone())) {
        let Frame::Beacon(Beacon { room, signed, .. }) = frame else {
            continue;
        };
        let holds = room == ROOM.short() && verify_beacon(ROOM, &signed).is_ok();
        assert_eq!(
            holds,
            signed == genuine.beacon.signed && room == ROOM.short(),
            "bit {bit}"
        );
    }
}

/// One of each kind of plaintext of stream 0 and of stream 1.
fn plaintexts() -> Vec<(Stream, Vec<u8>)> {
    let (key, author) = (InviteKey([6; 32]), AuthorId([3; 32]));
    let membership = [
        Membership::Create(Create {
            room_name: Name::new("Hall B"),
            owner_name: Name::new("Ada"),
            history: History::FromJoin,
        }),
        Membership::Invite(InviteOpened {
            key,
            expires: Timestamp(600_000),
            uses: 5,
        }),
        Membership::Admit(Admit {
            author,
            invite: key,
            voucher: Signature([4; 64]),
            role: Role::Member,
        }),
        Membership::Profile(Profile {
            name: Name::new("Zoë"),
        }),
        Membership::RevokeInvite(RevokeInvite { key }),
    ];
    let content = [Content::Text(Text::new("see you at gate B").unwrap())];
    let membership = membership
        .iter()
        .map(|m| (Stream::MEMBERSHIP, m.to_bytes()));
    let content = content.iter().map(|c| (Stream::CONTENT, c.to_bytes()));
    membership.chain(content).collect()
}

#[test]
fn every_flipped_bit_of_every_kind_of_event_is_refused() {
    let genuine = Genuine::new();
    for (stream, plain) in plaintexts() {
        let draft = Draft {
            room: ROOM,
            stream,
            seq: Seq::FIRST,
            previous: EventHash::ZERO,
            clock: Hlc::at(Timestamp(START)),
            parents: Capped::default(),
            membership: Digest([7; 32]),
        };
        let event = seal_event(&draft, &genuine.alice, &genuine.epoch, [9; 24], &plain).unwrap();
        assert_eq!(open_event(&event, &genuine.epoch).as_ref(), Ok(&plain));
        for (bit, bytes) in flips(&event.to_bytes()) {
            let accepted = SignedEvent::from_bytes(&bytes).is_ok_and(|e| verify_event(&e).is_ok());
            assert!(!accepted, "{stream:?}, bit {bit}");
        }
    }
}

#[test]
fn every_flipped_bit_of_every_kind_of_record_is_refused() {
    let genuine = Genuine::new();
    let kinds = [
        RecordKind::RECEIPTS,
        RecordKind::WHEREABOUTS,
        RecordKind::PRESENCE,
        RecordKind::MEET,
    ];
    for kind in kinds {
        let clock = Hlc::at(Timestamp(START));
        let (key, epoch) = (&genuine.alice, &genuine.epoch);
        let record = seal_record(kind, ROOM, clock, key, epoch, [9; 24], b"body").unwrap();
        assert!(open_record(&record, epoch).is_ok());
        for (bit, bytes) in flips(&record.to_bytes()) {
            let read = SignedRecord::from_bytes(&bytes);
            let accepted = read.is_ok_and(|r| verify_record(&r).is_ok());
            assert!(!accepted, "{kind:?}, bit {bit}");
        }
    }
}
