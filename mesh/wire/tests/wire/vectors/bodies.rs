//! Known answers of what is sealed inside events and records.

use peddlenet_wire::content::{Delete, Edit, React};

use super::*;

#[test]
fn membership_events() {
    let pairs = [
        (
            Membership::Create(Create {
                room_name: Name::new("Hall B"),
                owner_name: Name::new("Ada"),
                history: History::FromJoin,
                inviters: None,
                retention_s: None,
            }),
            "8200a3006648616c6c204201634164610201",
        ),
        (
            Membership::Invite(InviteOpened {
                key: INVITE,
                expires: Timestamp(600_000),
                uses: 5,
                poster: None,
            }),
            "8201a30058200606060606060606060606060606060606060606060606060606060606060606011a000927c00205",
        ),
        (
            Membership::Admit(Admit {
                author: AUTHOR,
                invite: INVITE,
                voucher: SIGNATURE,
                role: Role::Moderator,
            }),
            "8202a400582003030303030303030303030303030303030303030303030303030303030303030158200606060606060606060606060606060606060606060606060606060606060606025840040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040301",
        ),
        (
            Membership::Profile(Profile {
                name: Name::new("Zoë"),
            }),
            "8203a100645a6fc3ab",
        ),
        (
            Membership::RevokeInvite(RevokeInvite { key: INVITE }),
            "8204a10058200606060606060606060606060606060606060606060606060606060606060606",
        ),
    ];
    for (event, expected) in pairs {
        assert_eq!(hex(event.to_bytes()), expected, "{event:?}");
    }
}

#[test]
fn message() {
    let text = Content::Text(Text::new("see you at gate B").unwrap());
    assert_eq!(
        hex(text.to_bytes()),
        "8200a1007173656520796f7520617420676174652042"
    );
}

#[test]
fn messages_about_messages() {
    let target = EventHash([5; 32]);
    let answer = Text::new("on my way").unwrap();
    let named = answer.about(Some(target), &[AUTHOR, AUTHOR]);
    let pairs = [
        (
            Content::Text(named),
            "8200a300696f6e206d79207761790158200505050505050505050505050505050505050505050505050505050505050505028158200303030303030303030303030303030303030303030303030303030303030303",
        ),
        (
            Content::Edit(Edit::new(target, "gate C").unwrap()),
            "8201a200582005050505050505050505050505050505050505050505050505050505050505050166676174652043",
        ),
        (
            Content::Delete(Delete { target }),
            "8202a10058200505050505050505050505050505050505050505050505050505050505050505",
        ),
        (
            Content::React(React::new(target, "👍").unwrap()),
            "8203a200582005050505050505050505050505050505050505050505050505050505050505050164f09f918d",
        ),
    ];
    for (content, expected) in pairs {
        assert_eq!(hex(content.to_bytes()), expected, "{content:?}");
        assert_eq!(Content::from_bytes(&content.to_bytes()), Ok(content));
    }
}

#[test]
fn record_bodies() {
    let receipts = Receipts {
        seen: vec![SeenUpTo {
            author: AUTHOR,
            stream: Stream::CONTENT,
            seq: Seq(300),
        }]
        .try_into()
        .unwrap(),
    };
    assert_eq!(
        hex(codec::to_vec(&receipts)),
        "a1008183582003030303030303030303030303030303030303030303030303030303030303030119012c"
    );
    let whereabouts = Whereabouts {
        addresses: vec![
            Address(([192, 168, 43, 1], 47_777).into()),
            Address((Ipv6Addr::LOCALHOST, 47_777).into()),
        ]
        .try_into()
        .unwrap(),
        fingerprint: Fingerprint([13; 32]),
        expires: Timestamp(1_800_000_000_000),
    };
    assert_eq!(
        hex(codec::to_vec(&whereabouts)),
        "a3008246c0a82b01baa15200000000000000000000000000000001baa10158200d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d021b000001a3185c5000"
    );
    let meet = Meet {
        to: AUTHOR,
        id: [14; 8],
        answer: true,
        addresses: vec![Address(([192, 168, 43, 1], 47_777).into())]
            .try_into()
            .unwrap(),
        fingerprint: Fingerprint([13; 32]),
        relay: None,
    };
    assert_eq!(
        hex(codec::to_vec(&meet)),
        "a5005820030303030303030303030303030303030303030303030303030303030303030301480e0e0e0e0e0e0e0e02f5038146c0a82b01baa10458200d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d"
    );
}
