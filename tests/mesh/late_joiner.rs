//! Coming late to a room with a long past.

use peddlenet_mesh::Event;

use crate::device::{Device, same_room};

/// What was said before (count).
const PAST: usize = 1000;
/// The newest page, which a screen shows at once (count), less the two messages that are said
/// meanwhile and may be on it.
const PAGE: usize = 50 - 2;

fn text(n: usize) -> String {
    format!("past {n}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_page_comes_first_and_the_past_follows() {
    let mut ada = Device::new("Ada").await;
    let room = ada.node.create_room("Long past").await.unwrap();
    for n in 0..PAST {
        ada.say(room, &text(n)).await;
    }

    let mut bea = Device::new("Bea").await;
    bea.join(&ada.code(room).await).await;
    // The past is still on its way, and talking goes on.
    let mine = bea.say(room, "sorry I'm late").await;
    ada.hear("sorry I'm late").await;
    ada.say(room, "no problem").await;
    bea.hear("no problem").await;

    bea.hear(&text(0)).await;
    let events = same_room(room, &[&ada, &bea]).await;
    assert!(events > PAST as u64, "{events} events");
    let past = |e: &Event| match e {
        Event::Message(m) => m.text.strip_prefix("past ")?.parse::<usize>().ok(),
        _ => None,
    };
    bea.wait_for_events("all of the past", |seen| {
        seen.iter().filter_map(past).count() >= PAST
    })
    .await;
    let order: Vec<usize> = bea.seen.iter().filter_map(past).collect();
    assert_eq!(order.len(), PAST, "each once");
    let (first_page, rest) = order.split_at(PAGE);
    let oldest_of_page = first_page.iter().min().copied().unwrap();
    assert_eq!(oldest_of_page, PAST - PAGE, "{first_page:?}");
    assert!(rest.iter().all(|n| *n < oldest_of_page));

    let texts = bea.texts(room).await;
    let past: Vec<_> = (0..PAST).map(text).collect();
    assert_eq!(texts[..PAST], past);
    assert_eq!(
        bea.everything(room).await.last().map(|m| m.mine),
        Some(false)
    );
    assert!(
        bea.everything(room)
            .await
            .iter()
            .any(|m| m.id == mine && m.mine)
    );
}
