//! Rooms that keep what is said for a while only.

use std::time::Duration;

use peddlenet_mesh::{Event, RoomId, RoomOptions};

use crate::device::{Device, same_room, until};

/// What these rooms keep (s). Long enough for a joiner to see what was said before.
const KEEPS: u32 = 12;

async fn room_of(ada: &Device) -> RoomId {
    let options = RoomOptions {
        retention_s: Some(KEEPS),
        ..RoomOptions::default()
    };
    let made = ada.node.create_room_with("Fleeting", options).await;
    made.unwrap()
}

/// Waits until a device shows nothing that was said before and has told so.
async fn forgets(device: &mut Device, room: RoomId) {
    let told = |e: &Event| matches!(e, Event::LetGo { room: of, .. } if *of == room);
    device.wait("its messages to be let go", told).await;
    until("the room to be empty", async || {
        device.texts(room).await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_go_from_every_device_and_the_room_goes_on() {
    let (mut ada, mut bea) = (Device::new("Ada").await, Device::new("Bea").await);
    let room = room_of(&ada).await;
    bea.join(&ada.code(room).await).await;
    for n in 0..5 {
        ada.say(room, &format!("of now {n}")).await;
        bea.say(room, &format!("so it is {n}")).await;
    }
    ada.hear("so it is 4").await;
    bea.hear("of now 4").await;
    assert_eq!(ada.texts(room).await.len(), 10);
    let membership = {
        same_room(room, &[&ada, &bea]).await;
        ada.heads(room).await.events - 10
    };

    forgets(&mut ada, room).await;
    forgets(&mut bea, room).await;
    let left = same_room(room, &[&ada, &bea]).await;
    assert_eq!(left, membership, "membership stays");
    let rooms = ada.node.rooms().await.unwrap();
    assert!(rooms.iter().all(|r| r.last.is_none() && r.unread == 0));

    // Logs go on from where they ended, also after a restart, and a newcomer gets what is left.
    let ada = ada.shut().await;
    let mut ada = Device::reopen(ada).await;
    ada.say(room, "after the silence").await;
    bea.hear("after the silence").await;
    bea.say(room, "and on it goes").await;
    ada.hear("and on it goes").await;
    let mut cem = Device::new("Cem").await;
    cem.join(&ada.code(room).await).await;
    cem.say(room, "what did I miss?").await;
    ada.hear("what did I miss?").await;
    cem.hear("and on it goes").await;
    same_room(room, &[&ada, &bea, &cem]).await;
    assert_eq!(cem.texts(room).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_away_meanwhile_neither_shows_nor_brings_back_what_is_gone() {
    let (mut ada, mut bea) = (Device::new("Ada").await, Device::new("Bea").await);
    let room = room_of(&ada).await;
    bea.join(&ada.code(room).await).await;
    ada.say(room, "soon gone").await;
    bea.hear("soon gone").await;
    let bea = bea.shut().await;
    forgets(&mut ada, room).await;
    tokio::time::sleep(Duration::from_secs(1)).await;

    let mut bea = Device::reopen(bea).await;
    assert_eq!(
        bea.texts(room).await,
        Vec::<String>::new(),
        "from the first moment on"
    );
    forgets(&mut bea, room).await;
    bea.say(room, "I was away").await;
    ada.hear("I was away").await;
    same_room(room, &[&ada, &bea]).await;
    assert_eq!(ada.texts(room).await, ["I was away"]);
}
