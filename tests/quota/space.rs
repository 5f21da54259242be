//! What one room may take of a disk: the oldest of others goes, what one said oneself stays, and what went
//! is not fetched again.

use peddlenet_mesh::{Message, RoomId};

use crate::device::{Device, until};

const LONG: usize = 16 * 1024;
const SHARE: u64 = 1024 * 1024;

async fn bytes(device: &Device, room: RoomId) -> u64 {
    let storage = device.node.storage().await.unwrap();
    let of_room = storage.rooms.iter().find(|r| r.room == room).unwrap();
    of_room.bytes
}

/// Which of the numbered messages these are, an own one before them left out.
fn numbers(kept: &[Message]) -> Vec<usize> {
    let numbered = kept.iter().filter(|m| !m.mine);
    let number = |m: &Message| m.text.split(' ').next().unwrap().parse().unwrap();
    numbered.map(number).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_oldest_of_others_makes_space() {
    let ada = Device::with_space("Ada", SHARE).await;
    let bea = Device::new("Bea").await;
    let room = ada.node.create_room("Camp 7").await.unwrap();
    bea.join(&ada.code(room).await).await;
    let mine = ada.say(room, "my own word stays").await;
    let long = "x".repeat(LONG - 8);
    let mut last = None;
    for n in 0..200 {
        last = Some(bea.say(room, &format!("{n} {long}")).await);
    }
    let last = last.unwrap();
    // The newest is pushed, and may be here before those in the middle, which are fetched.
    let kept = until("the oldest to have gone, and nothing else", async || {
        let kept = ada.everything(room).await;
        let whole = kept.last()?.id == last && numbers(&kept).is_sorted_by(|a, b| a + 1 == *b);
        let fits = bytes(&ada, room).await <= SHARE;
        (whole && fits).then_some(kept)
    })
    .await;
    assert_eq!(kept[0].id, mine);
    let first = numbers(&kept)[0];
    assert_eq!(
        numbers(&kept),
        (first..200).collect::<Vec<_>>(),
        "the oldest went"
    );
    assert!(
        (1..199).contains(&first) && kept.len() > 40,
        "{} are left",
        kept.len()
    );
    let (stats, _) = ada.node.stats().await.unwrap();
    assert!(stats.evicted >= 1);

    // Its neighbour has all of it and offers it; after a restart, too, nothing is fetched again.
    let ada = Device::reopen(ada.shut().await).await;
    let held = ada.heads(room).await.events;
    bea.say(room, "still here").await;
    until("the newest to be here again", async || {
        let last = ada.texts(room).await.pop();
        (last.as_deref() == Some("still here")).then_some(())
    })
    .await;
    tokio::time::sleep(std::time::Duration::from_secs(8)).await;
    let now = ada.heads(room).await.events;
    assert!(now <= held + 3, "{held} events became {now}");
    assert_eq!(bea.texts(room).await.len(), 202);
    // A joiner gets from Ada what she has, and from Bea the rest.
    let cyd = Device::new("Cyd").await;
    cyd.join(&ada.code(room).await).await;
    until("Cyd to have all of it", async || {
        (cyd.texts(room).await.len() == 202).then_some(())
    })
    .await;
}
