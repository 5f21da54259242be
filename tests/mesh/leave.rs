//! Leaving a room.

use peddlenet_mesh::{ErrorCode, Event, Reach};

use crate::device::{Device, pair, same_room};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_left_room_is_gone_also_after_a_restart() {
    let (ada, mut bea, room) = pair("Left").await;
    ada.say(room, "before").await;
    bea.hear("before").await;
    same_room(room, &[&ada, &bea]).await;

    bea.node.leave(room).await.unwrap();
    bea.wait("the room to be gone", |e| *e == Event::RoomGone(room))
        .await;
    ada.misses(room, "Bea").await;
    let code = |outcome: Result<_, peddlenet_mesh::Error>| outcome.err().map(|e| e.code);
    let left = |outcome| assert_eq!(code(outcome), Some(ErrorCode::RoomUnknown));
    left(bea.node.send(room, "after").await.map(|_| ()));
    left(bea.node.history(room, None, 50).await.map(|_| ()));
    left(bea.node.leave(room).await);

    let bea = Device::reopen(bea.shut().await).await;
    assert_eq!(bea.node.rooms().await.unwrap(), []);
    left(bea.node.history(room, None, 50).await.map(|_| ()));
    // The other one keeps the room, and goes on.
    ada.say(room, "still here").await;
    assert_eq!(ada.texts(room).await, ["before", "still here"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_left_may_come_back_as_someone_new() {
    let (ada, bea, room) = pair("Back").await;
    ada.say(room, "before").await;
    let first = ada.sees(room, "Bea", Reach::Linked).await.author;
    same_room(room, &[&ada, &bea]).await;
    bea.node.leave(room).await.unwrap();
    bea.join(&ada.code(room).await).await;
    same_room(room, &[&ada, &bea]).await;
    assert_eq!(bea.texts(room).await, ["before"]);
    let mine = bea.node.members(room).await.unwrap();
    let me = mine.iter().find(|m| m.me).unwrap();
    assert_ne!(
        me.author, first,
        "a key that was deleted can't be used again"
    );
    assert_eq!(mine.len(), 2, "who left is listed no more");
}
