//! Known answers of acts of power, and of the frames around them.

use peddlenet_wire::{
    AuthorShort, Capped, EventShort, Pass,
    content::Rename,
    frame::{Epochs, NeedEpochs, Removed},
    pass::PassSeed,
    power::{Backup, Boxes, Close, Cut, KeyBox, KeyBoxes, Move, Rekey, Removal, SetRole},
};

use super::*;

const CUT: Cut = Cut {
    membership: Seq(300),
    content: Seq(7),
    content_hash: EventHash([5; 32]),
};

fn boxes(n: usize) -> Boxes {
    let one = KeyBox {
        to: AuthorShort([1; 8]),
        sealed: [2; KeyBox::SEALED],
    };
    Boxes::groups(&vec![one; n]).remove(0)
}

fn pass() -> Pass {
    Pass {
        box_key: [11; 32],
        first_day: 20_783,
        space_kib: 64 * 1024,
        seed: PassSeed([12; 32]),
        signatures: vec![SIGNATURE].try_into().unwrap(),
    }
}

#[test]
fn acts_of_power() {
    let removal = Removal {
        author: AUTHOR,
        cut: CUT,
    };
    let pairs = [
        (
            Membership::Create(Create {
                room_name: Name::new("Hall B"),
                owner_name: Name::new("Ada"),
                history: History::Shared,
                inviters: Some(Role::Moderator),
                retention_s: Some(86_400),
            }),
            "8200a5006648616c6c2042016341646102000301041a00015180",
        ),
        (
            Membership::SetRole(SetRole {
                author: AUTHOR,
                role: Role::Moderator,
                after: Seq(9),
            }),
            "8205a3005820030303030303030303030303030303030303030303030303030303030303030301010209",
        ),
        (
            Membership::Remove(removal.clone()),
            "8206a2005820030303030303030303030303030303030303030303030303030303030303030301a30019012c01070258200505050505050505050505050505050505050505050505050505050505050505",
        ),
        (
            Membership::Ban(removal),
            "8207a2005820030303030303030303030303030303030303030303030303030303030303030301a30019012c01070258200505050505050505050505050505050505050505050505050505050505050505",
        ),
        (
            Membership::Rekey(Rekey {
                epoch: EpochId([7; 16]),
                after: EpochId([8; 16]),
                known: vec![EventShort([9; 8])].try_into().unwrap(),
                boxes: boxes(1),
            }),
            "8208a4005007070707070707070707070707070707015008080808080808080808080808080808028148090909090909090903585801010101010101010202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202",
        ),
        (Membership::Close(Close { closed: true }), "8209a100f5"),
        (
            Membership::Backup(Backup {
                on: true,
                pass: None,
            }),
            "820da100f5",
        ),
        (
            Membership::Backup(Backup {
                on: true,
                pass: Some((&pass()).into()),
            }),
            "820da200f5015889010b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0000512f000100000c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c04040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404",
        ),
        (
            Membership::Rename(Rename {
                room_name: Name::new("Camp 8"),
            }),
            "820ca1006643616d702038",
        ),
        (
            Membership::Move(Move {
                from: AUTHOR,
                to: AuthorId([11; 32]),
                consent: SIGNATURE,
                cut: CUT,
            }),
            "820aa400582003030303030303030303030303030303030303030303030303030303030303030158200b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0258400404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040403a30019012c01070258200505050505050505050505050505050505050505050505050505050505050505",
        ),
        (
            Membership::KeyBoxes(KeyBoxes {
                epoch: EpochId([7; 16]),
                boxes: boxes(2),
            }),
            "820ba20050070707070707070707070707070707070158b00101010101010101020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020201010101010101010202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202",
        ),
    ];
    for (event, expected) in pairs {
        assert_eq!(hex(event.to_bytes()), expected, "{event:?}");
        assert_eq!(Membership::from_bytes(&event.to_bytes()), Ok(event));
    }
}

#[test]
fn frames_about_keys_and_removals() {
    let grant = EpochGrant {
        epoch: EpochId([7; 16]),
        member: [10; 32],
        content: None,
        content_hash: [12; 32],
    };
    let pairs = [
        (
            Frame::NeedEpochs(NeedEpochs {
                room: TAG,
                epochs: vec![EpochId([7; 16])].try_into().unwrap(),
            }),
            "8215a200500101010101010101010101010101010101815007070707070707070707070707070707",
        ),
        (
            Frame::Epochs(Epochs {
                room: TAG,
                grants: vec![grant].try_into().unwrap(),
            }),
            "8216a20050010101010101010101010101010101010181a30050070707070707070707070707070707070158200a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0358200c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
        ),
        (
            Frame::Removed(Removed {
                room: TAG,
                events: Capped::default(),
                grants: Capped::default(),
            }),
            "8217a300500101010101010101010101010101010101800280",
        ),
    ];
    for (frame, expected) in pairs {
        assert_eq!(hex(frame.to_bytes()), expected, "{}", frame.name());
        assert_eq!(Frame::from_bytes(&frame.to_bytes()), Ok(frame));
    }
}
