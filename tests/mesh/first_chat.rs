//! One code, two devices, words both ways.

use peddlenet_mesh::{Event, JoinStage, Reach, Role};

use crate::device::{Device, pair, same_room, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_code_brings_two_devices_together() {
    let mut ada = Device::new("Ada").await;
    let mut bea = Device::new("Bea").await;
    let room = ada.node.create_room("Camp 7").await.unwrap();
    let joined = bea.join(&ada.code(room).await).await;
    println!("joined in {:?}", joined.elapsed);
    assert_eq!((joined.room, joined.via), (room, "direct"));

    ada.say(room, "hello").await;
    let heard = bea.hear("hello").await;
    assert_eq!(
        (heard.name.as_str(), heard.hops, heard.mine),
        ("Ada", 1, false)
    );
    // A name is an event of its own, which may be overtaken by what its owner says next.
    ada.sees(room, "Bea", Reach::Linked).await;
    bea.say(room, "hi Ada").await;
    let heard = ada.hear("hi Ada").await;
    assert_eq!(
        (heard.name.as_str(), heard.hops, heard.mine),
        ("Bea", 1, false)
    );

    same_room(room, &[&ada, &bea]).await;
    for (device, other) in [(&ada, "Bea"), (&bea, "Ada")] {
        let member = device.sees(room, other, Reach::Linked).await;
        assert_eq!((member.hops, member.me), (1, false));
        assert_eq!(device.texts(room).await, ["hello", "hi Ada"]);
        let rooms = device.node.rooms().await.unwrap();
        assert_eq!((rooms[0].name.as_str(), rooms[0].members), ("Camp 7", 2));
    }
    assert_eq!(ada.member(room, "Ada").await.unwrap().role, Role::Owner);
    assert_eq!(ada.member(room, "Bea").await.unwrap().role, Role::Member);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_says_who_has_seen_a_message() {
    let (mut ada, bea, room) = pair("Receipts").await;
    let message = ada.say(room, "did you get this?").await;
    let seen = ada
        .wait("a receipt", |e| {
            matches!(e, Event::Receipt { message: m, seen_by, .. } if *m == message && !seen_by.is_empty())
        })
        .await;
    let Event::Receipt { seen_by, .. } = seen else {
        unreachable!("waited for a receipt");
    };
    let bea = ada.member(room, &bea.name).await.unwrap();
    assert_eq!(seen_by, [bea.author]);
    let history = ada.everything(room).await;
    assert_eq!(history.last().unwrap().seen_by, [bea.author]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_tells_its_stages_in_order() {
    let (_ada, mut bea, _) = pair("Stages").await;
    let open = |e: &Event| *e == Event::Join(JoinStage::Open);
    bea.wait("the newest page", open).await;
    let stage = |e: &Event| match e {
        Event::Join(stage) => Some(*stage),
        _ => None,
    };
    let stages: Vec<_> = bea.seen.iter().filter_map(stage).collect();
    use JoinStage::{Dialing, Fetching, Open, Proving};
    assert_eq!(stages, [Dialing, Proving, Fetching, Open]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_name_reaches_the_others() {
    let (ada, bea, room) = pair("Names").await;
    bea.node.set_name("Beatrice").await.unwrap();
    let found = until("Ada to see Beatrice", async || {
        ada.member(room, "Beatrice").await
    })
    .await;
    assert_eq!(found.state, Reach::Linked);
    assert!(ada.member(room, "Bea").await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_of_a_room_one_is_in_makes_no_second_member() {
    let (ada, bea, room) = pair("Again").await;
    bea.join(&ada.code(room).await).await;
    bea.say(room, "still me").await;
    same_room(room, &[&ada, &bea]).await;
    for device in [&ada, &bea] {
        assert_eq!(device.node.members(room).await.unwrap().len(), 2);
    }
}
