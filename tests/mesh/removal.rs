//! Who goes, what they can read afterwards, and who comes back.

use peddlenet_mesh::{ErrorCode, Event, History, Reach, Role, RoomId, RoomOptions};

use crate::device::{Device, same_room, until};

/// Ada's room, with Bea and Cem in it.
async fn three(name: &str) -> (Device, Device, Device, RoomId) {
    let (ada, mut bea, mut cem) = (
        Device::new("Ada").await,
        Device::new("Bea").await,
        Device::new("Cem").await,
    );
    let room = ada.node.create_room(name).await.unwrap();
    bea.join(&ada.code(room).await).await;
    cem.join(&ada.code(room).await).await;
    ada.say(room, "all here").await;
    bea.hear("all here").await;
    cem.hear("all here").await;
    same_room(room, &[&ada, &bea, &cem]).await;
    (ada, bea, cem, room)
}

async fn is_told(device: &mut Device, room: RoomId) {
    device
        .wait("to be told of its removal", |e| *e == Event::Removed(room))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_member_is_told_and_reads_nothing_that_is_said_afterwards() {
    let (ada, mut bea, mut cem, room) = three("Removal").await;
    let old_code = ada.code(room).await;
    let target = ada.member(room, "Cem").await.unwrap().author;
    let before = ada.heads(room).await.epoch;
    ada.node.remove(room, target).await.unwrap();
    is_told(&mut cem, room).await;
    ada.say(room, "without Cem").await;
    bea.hear("without Cem").await;
    bea.say(room, "indeed").await;
    until("Ada to hear Bea", async || {
        ada.texts(room)
            .await
            .contains(&"indeed".to_owned())
            .then_some(())
    })
    .await;
    same_room(room, &[&ada, &bea]).await;
    assert_ne!(ada.heads(room).await.epoch, before, "a new epoch");
    assert_eq!(cem.texts(room).await, ["all here"], "what it had it keeps");
    let refused = cem.node.send(room, "still here").await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Removed);
    assert!(bea.member(room, "Cem").await.is_none());
    let stranger = Device::new("Cem again").await;
    let refused = stranger.node.join(&old_code).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InviteRevoked, "an old code");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_removed_while_away_is_told_on_return() {
    let (ada, mut bea, cem, room) = three("Away").await;
    let target = ada.member(room, "Cem").await.unwrap().author;
    let cem = cem.shut().await;
    ada.node.remove(room, target).await.unwrap();
    ada.say(room, "without Cem").await;
    bea.hear("without Cem").await;
    let mut cem = Device::reopen(cem).await;
    is_told(&mut cem, room).await;
    assert_eq!(cem.texts(room).await, ["all here"]);
    // It stays so after one more restart, when nobody tells it again.
    let cem = Device::reopen(cem.shut().await).await;
    assert_eq!(
        cem.node.send(room, "hello?").await.unwrap_err().code,
        ErrorCode::Removed
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_who_missed_ten_epochs_comes_back_without_scanning() {
    let (mut ada, bea, mut cem, room) = three("Ten epochs").await;
    let bea = bea.shut().await;
    for n in 0..10 {
        let guest = Device::new(&format!("Guest {n}")).await;
        guest.join(&ada.code(room).await).await;
        let author = until("the guest's name", async || {
            ada.member(room, &guest.name).await.map(|m| m.author)
        })
        .await;
        ada.node.remove(room, author).await.unwrap();
        ada.say(room, &format!("epoch {n}")).await;
        cem.hear(&format!("epoch {n}")).await;
    }
    let mut bea = Device::reopen(bea).await;
    bea.hear("epoch 9").await;
    bea.say(room, "back again").await;
    ada.hear("back again").await;
    cem.hear("back again").await;
    same_room(room, &[&ada, &bea, &cem]).await;
    assert_eq!(bea.texts(room).await, ada.texts(room).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_moderators_remove_and_only_owners_make_moderators() {
    let (ada, bea, mut cem, room) = three("Roles").await;
    let author = |name| {
        let ada = &ada;
        async move { ada.member(room, name).await.unwrap().author }
    };
    let (of_ada, of_bea, of_cem) = (
        author("Ada").await,
        author("Bea").await,
        author("Cem").await,
    );
    let refused = bea.node.remove(room, of_cem).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotAllowed);
    let refused = bea
        .node
        .set_role(room, of_bea, Role::Owner)
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotAllowed);
    ada.node
        .set_role(room, of_bea, Role::Moderator)
        .await
        .unwrap();
    until("Bea to be a moderator", async || {
        let me = bea.member(room, "Bea").await?;
        (me.role == Role::Moderator).then_some(())
    })
    .await;
    let refused = bea.node.remove(room, of_ada).await.unwrap_err();
    assert_eq!(
        refused.code,
        ErrorCode::NotAllowed,
        "nobody removes the owner"
    );
    bea.node.ban(room, of_cem).await.unwrap();
    is_told(&mut cem, room).await;
    same_room(room, &[&ada, &bea]).await;
    assert!(ada.member(room, "Cem").await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_banned_member_said_is_shown_no_more_and_kept_all_the_same() {
    let (mut ada, bea, mut cem, room) = three("Ban").await;
    cem.say(room, "buy my coins").await;
    ada.hear("buy my coins").await;
    same_room(room, &[&ada, &bea, &cem]).await;
    let target = ada.member(room, "Cem").await.unwrap().author;
    ada.node.ban(room, target).await.unwrap();
    is_told(&mut cem, room).await;
    same_room(room, &[&ada, &bea]).await;
    for device in [&ada, &bea] {
        assert_eq!(device.texts(room).await, ["all here"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_room_lets_nobody_in_until_it_is_opened() {
    let (ada, bea, _cem, room) = three("Closed").await;
    let code = ada.code(room).await;
    let refused = bea.node.close_to_joiners(room, true).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotAllowed);
    ada.node.close_to_joiners(room, true).await.unwrap();
    let dan = Device::new("Dan").await;
    assert_eq!(
        dan.node.join(&code).await.unwrap_err().code,
        ErrorCode::RoomClosed
    );
    ada.node.close_to_joiners(room, false).await.unwrap();
    dan.join(&code).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_past_is_not_shared_a_joiner_reads_from_its_epoch_on() {
    let (mut ada, mut bea) = (Device::new("Ada").await, Device::new("Bea").await);
    let options = RoomOptions {
        history: History::FromJoin,
        ..RoomOptions::default()
    };
    let room = ada.node.create_room_with("Fresh", options).await.unwrap();
    ada.say(room, "before Bea").await;
    bea.join(&ada.code(room).await).await;
    ada.say(room, "after Bea").await;
    bea.hear("after Bea").await;
    bea.say(room, "hello").await;
    ada.hear("hello").await;
    same_room(room, &[&ada, &bea]).await;
    assert_eq!(bea.texts(room).await, ["after Bea", "hello"]);
    // And so does the next one, whoever lets it in; the first still reads on.
    let cem = Device::new("Cem").await;
    cem.join(&bea.code(room).await).await;
    cem.say(room, "third").await;
    ada.hear("third").await;
    bea.hear("third").await;
    same_room(room, &[&ada, &bea, &cem]).await;
    assert_eq!(cem.texts(room).await, ["third"]);
    let ada = Device::reopen(ada.shut().await).await;
    assert_eq!(
        ada.texts(room).await,
        ["before Bea", "after Bea", "hello", "third"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_only_moderators_invite_a_member_can_t() {
    let (ada, bea) = (Device::new("Ada").await, Device::new("Bea").await);
    let options = RoomOptions {
        inviters: Role::Moderator,
        ..RoomOptions::default()
    };
    let room = ada.node.create_room_with("Guarded", options).await.unwrap();
    bea.join(&ada.code(room).await).await;
    let refused = bea
        .node
        .invite(room, crate::device::TTL, 1)
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotAllowed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_is_waited_for_by_nobody() {
    let (ada, bea, cem, room) = three("Leaving").await;
    cem.node.leave(room).await.unwrap();
    ada.misses(room, "Cem").await;
    bea.misses(room, "Cem").await;
    ada.sees(room, "Bea", Reach::Linked).await;
    same_room(room, &[&ada, &bea]).await;
}
