//! Single acts: what each changes, and who may do it.

use peddlenet_crypto::{AuthorKey, InviteKeys, move_consent};
use peddlenet_room::Judgement;
use peddlenet_wire::{
    Pass, Signature, Timestamp,
    codec::Name,
    content::{Admit, History, InviteOpened, Membership, Rename, RevokeInvite, Role},
    invite::InviteSecret,
    pass::PassSeed,
    power::{Backup, Close, Move},
};

use crate::device::{Device, Dice};

/// Ada made the room; Bea and Cem came by her.
fn three() -> (Dice, Device, Device, Device) {
    let mut dice = Dice::new(7);
    let mut ada = Device::create(&mut dice, History::Shared, None);
    let mut bea = ada.admit(&mut dice);
    let mut cem = ada.admit(&mut dice);
    for _ in 0..2 {
        bea.sync_from(&ada, &mut dice);
        cem.sync_from(&ada, &mut dice);
        ada.sync_from(&bea, &mut dice);
        ada.sync_from(&cem, &mut dice);
    }
    bea.sync_from(&ada, &mut dice);
    (dice, ada, bea, cem)
}

#[test]
fn an_admit_needs_a_known_author_and_a_voucher_by_the_code() {
    let (mut dice, mut ada, ..) = three();
    let keys = InviteKeys::from_secret(&InviteSecret([3; 16]));
    let joiner = AuthorKey::from_seed(dice.bytes()).id();
    let other = AuthorKey::from_seed(dice.bytes()).id();
    let forged = Membership::Admit(Admit {
        author: joiner,
        invite: keys.public(),
        voucher: keys.voucher(ada.room, other),
        role: Role::Member,
    });
    let event = ada.seal_only(&mut dice, &forged);
    assert_eq!(ada.judge(&event), Judgement::Reject);
    let owner = Membership::Admit(Admit {
        author: joiner,
        invite: keys.public(),
        voucher: keys.voucher(ada.room, joiner),
        role: Role::Owner,
    });
    let event = ada.seal_only(&mut dice, &owner);
    assert_eq!(
        ada.judge(&event),
        Judgement::Reject,
        "nobody comes in as an owner"
    );
    let mut stranger = Device::create(&mut dice, History::Shared, None);
    let event = stranger.act(
        &mut dice,
        &Membership::RevokeInvite(RevokeInvite { key: keys.public() }),
    );
    assert_ne!(ada.judge(&event), Judgement::Accept);
}

#[test]
fn a_member_removes_nobody_and_a_moderator_removes_members() {
    let (mut dice, mut ada, mut bea, mut cem) = three();
    cem.remove(&mut dice, bea.me(), false);
    ada.sync_from(&cem, &mut dice);
    assert!(ada.roster.is_member(bea.me()), "Cem is no moderator");
    ada.set_role(&mut dice, bea.me(), Role::Moderator);
    bea.sync_from(&ada, &mut dice);
    bea.remove(&mut dice, cem.me(), false);
    bea.remove(&mut dice, ada.me(), false);
    ada.sync_from(&bea, &mut dice);
    assert!(!ada.roster.is_member(cem.me()));
    assert!(ada.is_member(), "nobody removes who made the room");
}

#[test]
fn of_two_moderators_who_remove_each_other_the_earlier_stays() {
    let (mut dice, mut ada, mut bea, mut cem) = three();
    ada.set_role(&mut dice, bea.me(), Role::Moderator);
    ada.set_role(&mut dice, cem.me(), Role::Moderator);
    bea.sync_from(&ada, &mut dice);
    cem.sync_from(&ada, &mut dice);
    bea.remove(&mut dice, cem.me(), false);
    cem.remove(&mut dice, bea.me(), true);
    for (first, second) in [(&bea, &cem), (&cem, &bea)] {
        let mut reader = ada.clone();
        reader.sync_from(first, &mut dice);
        reader.sync_from(second, &mut dice);
        assert!(reader.roster.is_member(bea.me()));
        assert!(!reader.roster.is_member(cem.me()));
    }
}

#[test]
fn what_lies_beyond_a_cut_is_not_shown_and_what_lies_before_is() {
    let (mut dice, mut ada, mut bea, _) = three();
    let before = bea.say(&mut dice, "hello");
    ada.sync_from(&bea, &mut dice);
    ada.remove(&mut dice, bea.me(), false);
    let after = bea.say(&mut dice, "still here");
    ada.sync_from(&bea, &mut dice);
    assert!(ada.shown().contains(&before.hash()));
    assert!(!ada.shown().contains(&after.hash()));
    assert_eq!(ada.judge(&after), Judgement::Drop);
}

#[test]
fn any_removal_closes_every_open_invite_and_leaving_closes_ones_own() {
    let (mut dice, mut ada, mut bea, cem) = three();
    let invite = |n: u8| InviteKeys::from_secret(&InviteSecret([n; 16])).public();
    let open = |key| {
        Membership::Invite(InviteOpened {
            key,
            expires: Timestamp(u64::MAX),
            uses: 5,
            poster: None,
        })
    };
    ada.act(&mut dice, &open(invite(1)));
    bea.act(&mut dice, &open(invite(2)));
    ada.sync_from(&bea, &mut dice);
    let revoked = |device: &Device, n| device.roster.invite(invite(n)).map(|i| i.revoked);
    assert_eq!(
        (revoked(&ada, 1), revoked(&ada, 2)),
        (Some(false), Some(false))
    );
    let me = bea.me();
    bea.remove(&mut dice, me, false);
    ada.sync_from(&bea, &mut dice);
    assert_eq!(revoked(&ada, 1), Some(false));
    assert_ne!(revoked(&ada, 2), Some(false));
    ada.remove(&mut dice, cem.me(), false);
    assert_eq!(
        revoked(&ada, 1),
        Some(true),
        "a removed member rejoins by no old code"
    );
}

#[test]
fn only_its_maker_and_moderators_close_a_code() {
    let (mut dice, mut ada, mut bea, mut cem) = three();
    let key = InviteKeys::from_secret(&InviteSecret([1; 16])).public();
    let open = Membership::Invite(InviteOpened {
        key,
        expires: Timestamp(u64::MAX),
        uses: 5,
        poster: None,
    });
    bea.act(&mut dice, &open);
    cem.act(&mut dice, &Membership::RevokeInvite(RevokeInvite { key }));
    ada.sync_from(&bea, &mut dice);
    ada.sync_from(&cem, &mut dice);
    assert_eq!(ada.roster.invite(key).map(|i| i.revoked), Some(false));
    ada.act(&mut dice, &Membership::RevokeInvite(RevokeInvite { key }));
    assert_eq!(ada.roster.invite(key).map(|i| i.revoked), Some(true));
}

#[test]
fn a_room_is_closed_and_opened_by_moderators() {
    let (mut dice, mut ada, mut bea, _) = three();
    let close = |closed| Membership::Close(Close { closed });
    bea.act(&mut dice, &close(true));
    ada.sync_from(&bea, &mut dice);
    assert!(!ada.roster.is_closed());
    ada.act(&mut dice, &close(true));
    assert!(ada.roster.is_closed());
    ada.act(&mut dice, &close(false));
    assert!(!ada.roster.is_closed());
}

#[test]
fn copies_are_left_with_servers_where_an_owner_said_so() {
    let (mut dice, mut ada, mut bea, _) = three();
    let backup = |on| Membership::Backup(Backup { on, pass: None });
    bea.act(&mut dice, &backup(true));
    ada.sync_from(&bea, &mut dice);
    assert!(!ada.roster.is_backed_up());
    ada.act(&mut dice, &backup(true));
    bea.sync_from(&ada, &mut dice);
    assert!(ada.roster.is_backed_up() && bea.roster.is_backed_up());
    bea.act(&mut dice, &backup(false));
    assert!(bea.roster.is_backed_up());
    ada.act(&mut dice, &backup(false));
    assert!(!ada.roster.is_backed_up());
}

#[test]
fn a_pass_counts_where_an_owner_said_it_last_and_copies_are_to_be_left() {
    let (mut dice, mut ada, mut bea, _) = three();
    let pass = |n: u8| Pass {
        box_key: [n; 32],
        first_day: 20_783,
        space_kib: 1024,
        seed: PassSeed([n; 32]),
        signatures: vec![Signature([n; 64])].try_into().unwrap(),
    };
    let backup = |on, pass: Option<&Pass>| {
        Membership::Backup(Backup {
            on,
            pass: pass.map(Into::into),
        })
    };
    bea.act(&mut dice, &backup(true, Some(&pass(1))));
    ada.sync_from(&bea, &mut dice);
    assert_eq!(ada.roster.pass(), None, "a member gave it");
    ada.act(&mut dice, &backup(true, Some(&pass(2))));
    bea.act(&mut dice, &backup(true, Some(&pass(3))));
    bea.sync_from(&ada, &mut dice);
    assert_eq!(bea.roster.pass(), Some(pass(2)));
    ada.act(&mut dice, &backup(false, Some(&pass(2))));
    assert_eq!(ada.roster.pass(), None);
    ada.act(&mut dice, &backup(true, None));
    assert_eq!((ada.roster.is_backed_up(), ada.roster.pass()), (true, None));
}

#[test]
fn a_room_is_called_what_a_moderator_said_last() {
    let (mut dice, mut ada, mut bea, _) = three();
    let rename = |name| {
        let room_name = Name::new(name);
        Membership::Rename(Rename { room_name })
    };
    let first = ada.roster.room_name().clone();
    bea.act(&mut dice, &rename("Bea's"));
    ada.sync_from(&bea, &mut dice);
    assert_eq!(*ada.roster.room_name(), first);
    ada.act(&mut dice, &rename("Camp 8"));
    bea.sync_from(&ada, &mut dice);
    assert_eq!(bea.roster.room_name().as_str(), "Camp 8");
    ada.set_role(&mut dice, bea.me(), Role::Moderator);
    bea.sync_from(&ada, &mut dice);
    bea.act(&mut dice, &rename("Camp 9"));
    ada.sync_from(&bea, &mut dice);
    assert_eq!(ada.roster.room_name().as_str(), "Camp 9");
}

#[test]
fn a_key_moves_to_another_with_its_role_once_a_moderator_confirms() {
    let (mut dice, mut ada, bea, _) = three();
    ada.set_role(&mut dice, bea.me(), Role::Moderator);
    let new = AuthorKey::from_seed(dice.bytes());
    let moved = |consent| {
        Membership::Move(Move {
            from: bea.me(),
            to: new.id(),
            consent,
            cut: ada.cut_of(bea.me()),
        })
    };
    let consent = move_consent(&bea.key, ada.room, new.id());
    let (good, forged) = (
        moved(consent),
        moved(move_consent(&new, ada.room, new.id())),
    );
    let event = ada.seal_only(&mut dice, &forged);
    assert_eq!(ada.judge(&event), Judgement::Reject);
    ada.act(&mut dice, &good);
    assert_eq!(
        ada.roster.member(new.id()).map(|m| m.role),
        Some(Role::Moderator)
    );
    assert!(!ada.roster.is_member(bea.me()));
}

#[test]
fn where_only_moderators_invite_a_member_s_admit_counts_for_nothing() {
    let mut dice = Dice::new(3);
    let mut ada = Device::create(&mut dice, History::Shared, Some(Role::Moderator));
    let mut bea = ada.admit(&mut dice);
    bea.sync_from(&ada, &mut dice);
    assert!(!bea.roster.may_invite(bea.me()));
    let sneaked = bea.say_admit(&mut dice);
    ada.sync_from(&bea, &mut dice);
    assert!(!ada.roster.is_member(sneaked.id()));
}

#[test]
fn a_joiner_of_a_room_that_keeps_its_past_reads_from_its_epoch_on() {
    let mut dice = Dice::new(4);
    let mut ada = Device::create(&mut dice, History::FromJoin, None);
    let old = ada.say(&mut dice, "before");
    let mut bea = ada.admit(&mut dice);
    bea.sync_from(&ada, &mut dice);
    let new = ada.say(&mut dice, "after");
    bea.sync_from(&ada, &mut dice);
    assert!(bea.open(&old).is_none() && bea.open(&new).is_some());
}
