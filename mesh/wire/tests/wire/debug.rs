//! Logs never carry text, keys, names or addresses, whatever is printed with `{:?}`.

use std::net::IpAddr;

use peddlenet_wire::{
    EpochId, Fingerprint, Invite, Pass, RoomId, Signature,
    codec::Name,
    content::{Content, Membership, Profile, Text},
    invite::InviteSecret,
    join::EpochGrant,
    pass::PassSeed,
    record::Address,
};

/// 0xa5 as the forms that `{:?}` could show it in.
const SECRET: u8 = 0xa5;
const SHOWN: [&str; 3] = ["a5a5", "165, 165", "A5A5"];

#[test]
fn text_and_names_show_their_length_only() {
    let text = Content::Text(Text::new("meet me behind stage 2").unwrap());
    assert_eq!(format!("{text:?}"), "Text(Text(22 B))");
    let profile = Membership::Profile(Profile {
        name: Name::new("Ada"),
    });
    assert!(!format!("{profile:#?}").contains("Ada"));
}

#[test]
fn addresses_do_not_show() {
    let address = Address(([192, 168, 43, 1], 47_777).into());
    assert_eq!(format!("{address:?}"), "Address(..)");
    let invite = format!("{:#?}", invite());
    assert!(!invite.contains("192") && !invite.contains("47777") && !invite.contains("meet"));
}

#[test]
fn secrets_do_not_show() {
    let grant = EpochGrant {
        epoch: EpochId([1; 16]),
        member: [SECRET; 32],
        content: Some([SECRET; 32]),
        content_hash: [2; 32],
    };
    let pass = Pass {
        box_key: [SECRET; 32],
        first_day: 1,
        space_kib: 1,
        seed: PassSeed([SECRET; 32]),
        signatures: vec![Signature([SECRET; 64])].try_into().unwrap(),
    };
    let shown = format!("{:?} {:#?} {grant:?} {grant:#?}", invite(), invite().secret);
    let shown = format!("{shown} {pass:?} {pass:#?} {:?}", pass.seed);
    assert!(SHOWN.iter().all(|form| !shown.contains(form)), "{shown}");
}

fn invite() -> Invite {
    Invite {
        expires: 1,
        room: RoomId([1; 16]),
        port: 47_777,
        addresses: vec![IpAddr::from([192, 168, 43, 1])],
        fingerprint: Fingerprint([3; 32]),
        secret: InviteSecret([SECRET; 16]),
        server: Some("meet.example".to_owned()),
    }
}
