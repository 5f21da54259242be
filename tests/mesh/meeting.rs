//! Two who can't find each other, and a third who knows both: the two meet through the third.
//!
//! What Ada and Cyd tell the room of their whereabouts leads to ports where nobody answers, as if each
//! had moved to another network since. Only an offer over Bea says where they really are.

use std::net::{SocketAddr, UdpSocket};

use peddlenet_mesh::{LinkInfo, Reach};

use crate::device::{Device, same_room, until};

/// A port on which something listens that never answers.
fn nowhere() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = socket.local_addr().unwrap();
    (socket, addr)
}

async fn relayed(device: &Device) -> Vec<LinkInfo> {
    let links = device.node.links().await.unwrap();
    links.into_iter().filter(|l| l.via == "relay").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_whose_whereabouts_are_wrong_meet_through_a_common_neighbour() {
    let (_a, ada_said) = nowhere();
    let (_c, cyd_said) = nowhere();
    let bea = Device::new("Bea").await;
    let mut ada = Device::misplaced("Ada", ada_said).await;
    let mut cyd = Device::misplaced("Cyd", cyd_said).await;
    let room = bea.node.create_room("Meeting").await.unwrap();
    ada.join(&bea.code(room).await).await;
    cyd.join(&bea.code(room).await).await;

    ada.sees(room, "Cyd", Reach::Linked).await;
    cyd.sees(room, "Ada", Reach::Linked).await;
    for device in [&ada, &cyd] {
        let what = format!("{} to have a link that a neighbour made", device.name);
        until(&what, async || {
            (relayed(device).await.len() == 1).then_some(())
        })
        .await;
        let (stats, _) = device.node.stats().await.unwrap();
        println!(
            "{}: {} dials, {} offers and answers",
            device.name, stats.dials, stats.meetings
        );
    }
    assert_eq!(relayed(&bea).await, [], "Bea is found where she says");

    // The link is one of its own: it stays when the one in the middle goes.
    bea.shut().await;
    ada.say(room, "still here").await;
    assert_eq!(cyd.hear("still here").await.hops, 1);
    cyd.say(room, "so am I").await;
    ada.hear("so am I").await;
    same_room(room, &[&ada, &cyd]).await;
}
