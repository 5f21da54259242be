//! The way on for who signed two histories: a new key, confirmed.

use peddlenet_mesh::{AuthorId, ErrorCode, Event, Reach, Role, RoomId};

use crate::device::{Device, forked, pair, same_room, until};

/// A pair of which the first is frozen, and both know.
async fn frozen(device: Device, other: Device, room: RoomId) -> (Device, Device) {
    let (mut frozen, mut other) = forked(device, other, room).await;
    let is_fork = |e: &Event| matches!(e, Event::Fork { .. });
    frozen.wait("its own proof", is_fork).await;
    other.wait("the proof", is_fork).await;
    (frozen, other)
}

async fn me(device: &Device, room: RoomId) -> AuthorId {
    let members = device.node.members(room).await.unwrap();
    members.iter().find(|m| m.me).unwrap().author
}

async fn goes_on(device: &mut Device, room: RoomId) -> (AuthorId, AuthorId) {
    let is_it = |e: &Event| matches!(e, Event::Moved { room: of, .. } if *of == room);
    match device.wait("its new key", is_it).await {
        Event::Moved { from, to, .. } => (from, to),
        other => unreachable!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_member_goes_on_under_a_new_key_that_a_moderator_confirmed() {
    let (ada, bea, room) = pair("Camp 7").await;
    let (bea, mut ada) = frozen(bea, ada, room).await;
    let old = me(&bea, room).await;
    assert_eq!(
        ada.node.confirm_move(room, old).await.unwrap_err().code,
        ErrorCode::MemberUnknown,
        "she has not asked"
    );
    assert_eq!(
        ada.node.move_on(room).await.unwrap_err().code,
        ErrorCode::BadRequest,
        "nothing is wrong with Ada's key"
    );
    bea.node.move_on(room).await.unwrap();
    until("Ada to see who asks", async || {
        ada.member(room, "Bea")
            .await
            .filter(|m| m.moving && m.forked)
    })
    .await;
    // Asking outlasts a restart of either.
    let mut bea = {
        let bea = bea.shut().await;
        Device::reopen(bea).await
    };
    assert_eq!(
        bea.node.send(room, "not yet").await.unwrap_err().code,
        ErrorCode::OwnFork
    );
    ada.node.confirm_move(room, old).await.unwrap();
    let (from, to) = goes_on(&mut bea, room).await;
    assert_eq!(from, old);
    assert_eq!(me(&bea, room).await, to);

    bea.say(room, "here I am again").await;
    ada.hear("here I am again").await;
    ada.say(room, "welcome back").await;
    bea.hear("welcome back").await;
    same_room(room, &[&ada, &bea]).await;
    let seen = ada.sees(room, "Bea", Reach::Linked).await;
    assert_eq!((seen.author, seen.forked, seen.moving), (to, false, false));
    assert_eq!(ada.node.members(room).await.unwrap().len(), 2, "one Bea");
    let mine = bea.everything(room).await;
    let mine = mine.iter().filter(|m| m.mine).count();
    assert_eq!(mine, 4, "what the old key said is still her own");

    // Both restarted, everything is as it was, and the old key is done with.
    let mut ada = Device::reopen(ada.shut().await).await;
    let bea = Device::reopen(bea.shut().await).await;
    assert_eq!(me(&bea, room).await, to);
    bea.say(room, "after the night").await;
    ada.hear("after the night").await;
    assert_eq!(
        ada.node.confirm_move(room, old).await.unwrap_err().code,
        ErrorCode::MemberUnknown
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_owner_goes_on_as_owner_by_its_own_confirmation() {
    let (ada, bea, room) = pair("Camp 7").await;
    let (mut ada, mut bea) = frozen(ada, bea, room).await;
    ada.node.move_on(room).await.unwrap();
    let (_, to) = goes_on(&mut ada, room).await;
    ada.say(room, "under a new key").await;
    bea.hear("under a new key").await;
    // Her name is said a moment after she came.
    let seen = bea.sees(room, "Ada", Reach::Linked).await;
    assert_eq!((seen.author, seen.role), (to, Role::Owner));
    // It may still do what an owner may.
    let bea_id = me(&bea, room).await;
    ada.node
        .set_role(room, bea_id, Role::Moderator)
        .await
        .unwrap();
    until("Bea to moderate", async || {
        let bea = bea.member(room, "Bea").await?;
        (bea.role == Role::Moderator).then_some(())
    })
    .await;
    let mut cyd = Device::new("Cyd").await;
    cyd.join(&ada.code(room).await).await;
    cyd.hear("under a new key").await;
    same_room(room, &[&ada, &bea, &cyd]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plain_member_confirms_nobody() {
    let (ada, bea, room) = pair("Camp 7").await;
    let (bea, ada) = frozen(bea, ada, room).await;
    let cyd = Device::new("Cyd").await;
    cyd.join(&ada.code(room).await).await;
    let old = me(&bea, room).await;
    bea.node.move_on(room).await.unwrap();
    until("Cyd to see who asks", async || {
        cyd.member(room, "Bea").await.filter(|m| m.moving)
    })
    .await;
    assert_eq!(
        cyd.node.confirm_move(room, old).await.unwrap_err().code,
        ErrorCode::NotAllowed
    );
    cyd.say(room, "I can't").await;
}
