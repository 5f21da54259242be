//! One link serves every room that both ends are in.

use peddlenet_mesh::{Event, Reach, RoomId};

use crate::device::{Device, pair, same_room, until};

/// Waits until two devices have one link, and it serves that many rooms on both ends.
async fn one_link_serves(devices: &[&Device], rooms: usize) {
    for device in devices {
        let what = format!("{} to have one link with {rooms} rooms", device.name);
        until(&what, async || {
            let links = device.node.links().await.unwrap();
            (links.len() == 1 && links[0].rooms == rooms).then_some(())
        })
        .await;
    }
}

async fn shared_rooms() -> (Device, Device, [RoomId; 2]) {
    let (ada, bea, first) = pair("First").await;
    one_link_serves(&[&ada, &bea], 1).await;
    // The other way round, so that neither is the creator of both.
    let second = bea.node.create_room("Second").await.unwrap();
    ada.join(&bea.code(second).await).await;
    one_link_serves(&[&ada, &bea], 2).await;
    (ada, bea, [first, second])
}

fn room_of(event: &Event) -> Option<RoomId> {
    match event {
        Event::Message(m) => Some(m.room),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_rooms_share_one_link_and_stay_apart() {
    let (mut ada, mut bea, [first, second]) = shared_rooms().await;
    ada.say(first, "in the first").await;
    ada.say(second, "in the second").await;
    assert_eq!(bea.hear("in the first").await.room, first);
    assert_eq!(bea.hear("in the second").await.room, second);
    bea.say(second, "back in the second").await;
    assert_eq!(ada.hear("back in the second").await.room, second);

    for room in [first, second] {
        same_room(room, &[&ada, &bea]).await;
    }
    for device in [&ada, &bea] {
        assert_eq!(device.texts(first).await, ["in the first"]);
        let texts = device.texts(second).await;
        assert_eq!(texts, ["in the second", "back in the second"]);
    }
    let in_first = bea.seen.iter().filter_map(room_of).filter(|r| *r == first);
    assert_eq!(in_first.count(), 1);
    // A person has another key in each room.
    let one = ada.member(first, "Ada").await.unwrap().author;
    let two = ada.member(second, "Ada").await.unwrap().author;
    assert_ne!(one, two);
    one_link_serves(&[&ada, &bea], 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaving_one_room_keeps_the_other() {
    let (ada, mut bea, [first, second]) = shared_rooms().await;
    ada.node.leave(first).await.unwrap();
    one_link_serves(&[&ada, &bea], 1).await;
    bea.misses(first, "Ada").await;
    bea.sees(second, "Ada", Reach::Linked).await;

    ada.say(second, "I left the other one").await;
    bea.hear("I left the other one").await;
    bea.say(first, "is anybody here?").await;
    same_room(second, &[&ada, &bea]).await;
    let rooms = ada.node.rooms().await.unwrap();
    assert_eq!(rooms.len(), 1);
    assert_eq!(rooms[0].room, second);
}
