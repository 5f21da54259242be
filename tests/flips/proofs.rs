//! What is checked outside the engine: proofs on a link, admission, and every kind of sealed plaintext.

use std::collections::BTreeSet;

use peddlenet_crypto::{
    Draft, EpochKeys, open_event, open_record, room_offer, seal_event, seal_record, verify_beacon,
    verify_event, verify_join, verify_open, verify_record, verify_voucher, verify_welcome,
};
use peddlenet_wire::{
    AuthorId, Capped, EpochId, EventHash, Frame, Hlc, InviteKey, Pass, Seq, Signature, SignedEvent,
    SignedRecord, Stream, Timestamp,
    codec::Name,
    content::{
        Admit, Content, Create, Delete, Edit, History, InviteOpened, Membership, Profile, React,
        Rename, RevokeInvite, Role, Text,
    },
    ids::Digest,
    join::EpochGrant,
    pass::PassSeed,
    power::{Backup, Boxes, Close, Cut, KeyBox, KeyBoxes, Move, Rekey, Removal, SetRole},
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

/// Keys under their own names, whole or in part, and nothing else.
fn unchanged(given: &[EpochGrant], read: &[EpochGrant]) -> bool {
    let taken = read
        .iter()
        .filter_map(|grant| EpochKeys::from_grant(grant).ok());
    taken.into_iter().all(|keys| {
        let got = keys.to_grant();
        given.iter().any(|grant| {
            let content = got.content.is_none() || got.content == grant.content;
            (got.epoch, got.member) == (grant.epoch, grant.member) && content
        })
    })
}

#[test]
fn changed_keys_are_not_taken() {
    let genuine = Genuine::new();
    let epochs = genuine.epochs();
    for (bit, frame) in readable(&Frame::Epochs(epochs.clone())) {
        if let Frame::Epochs(read) = frame {
            assert!(unchanged(&epochs.grants, &read.grants), "bit {bit}");
        }
    }
    let removed = genuine.removed();
    for (bit, frame) in readable(&Frame::Removed(removed.clone())) {
        if let Frame::Removed(read) = frame {
            assert!(unchanged(&removed.grants, &read.grants), "bit {bit}");
            let holding = read.events.iter().filter(|e| verify_event(e).is_ok());
            assert!(
                holding.into_iter().all(|e| removed.events.contains(e)),
                "bit {bit}"
            );
        }
    }
}

#[test]
fn a_changed_welcome_gives_no_changed_keys_and_no_changed_events() {
    let genuine = Genuine::new();
    let welcome = genuine.welcome();
    for (bit, frame) in readable(&Frame::Welcome(welcome.clone())) {
        let Frame::Welcome(read) = frame else {
            continue;
        };
        let holds = verify_welcome(read.author, &LINK, ROOM_ID, &read.proof).is_ok();
        let same = (read.author, read.proof) == (welcome.author, welcome.proof);
        assert_eq!(holds, same, "bit {bit}");
        assert!(unchanged(&welcome.epochs, &read.epochs), "bit {bit}");
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
    let epoch = EpochId([7; 16]);
    let removal = Removal {
        author,
        cut: Cut::NOTHING,
    };
    let one = KeyBox {
        to: author.short(),
        sealed: [9; KeyBox::SEALED],
    };
    let boxes = Boxes::groups(&[one]).swap_remove(0);
    let pass = Pass {
        box_key: [10; 32],
        first_day: 20_783,
        space_kib: 1024,
        seed: PassSeed([11; 32]),
        signatures: vec![Signature([12; 64])].try_into().unwrap(),
    };
    let membership = [
        Membership::Create(Create {
            room_name: Name::new("Hall B"),
            owner_name: Name::new("Ada"),
            history: History::FromJoin,
            inviters: Some(Role::Moderator),
            retention_s: Some(3600),
        }),
        Membership::Invite(InviteOpened {
            key,
            expires: Timestamp(600_000),
            uses: 5,
            poster: None,
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
        Membership::SetRole(SetRole {
            author,
            role: Role::Moderator,
            after: Seq(3),
        }),
        Membership::Remove(removal.clone()),
        Membership::Ban(removal),
        Membership::Rekey(Rekey {
            epoch,
            after: epoch,
            known: Capped::default(),
            boxes: boxes.clone(),
        }),
        Membership::Close(Close { closed: true }),
        Membership::Move(Move {
            from: author,
            to: author,
            consent: Signature([4; 64]),
            cut: Cut::NOTHING,
        }),
        Membership::KeyBoxes(KeyBoxes { epoch, boxes }),
        Membership::Rename(Rename {
            room_name: Name::new("Hall C"),
        }),
        Membership::Backup(Backup {
            on: true,
            pass: None,
        }),
        Membership::Backup(Backup {
            on: true,
            pass: Some((&pass).into()),
        }),
    ];
    let target = EventHash([5; 32]);
    let text = Text::new("see you at gate B").unwrap();
    let content = [
        Content::Text(text.about(Some(target), &[author])),
        Content::Edit(Edit::new(target, "see you at gate C").unwrap()),
        Content::Delete(Delete { target }),
        Content::React(React::new(target, "👍").unwrap()),
    ];
    let membership = membership
        .iter()
        .map(|m| (Stream::MEMBERSHIP, m.to_bytes()));
    let content = content.iter().map(|c| (Stream::CONTENT, c.to_bytes()));
    membership.chain(content).collect()
}

#[test]
fn no_kind_of_event_is_left_out() {
    let unknown = |bytes: &[u8], stream| match stream {
        Stream::MEMBERSHIP => {
            matches!(Membership::from_bytes(bytes), Ok(Membership::Unknown(_)))
        }
        _ => matches!(Content::from_bytes(bytes), Ok(Content::Unknown(_))),
    };
    for stream in [Stream::MEMBERSHIP, Stream::CONTENT] {
        let all = plaintexts().into_iter().filter(|(s, _)| *s == stream);
        let tried: BTreeSet<u8> = all.map(|(_, bytes)| bytes[1]).collect();
        let first = (0..24).find(|kind| unknown(&[0x82, *kind, 0xf6], stream));
        let kinds: BTreeSet<u8> = (0..first.unwrap()).collect();
        assert_eq!(
            tried, kinds,
            "add an example of the new kind of {stream:?} above"
        );
    }
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
