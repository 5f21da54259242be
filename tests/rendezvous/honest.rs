//! With the real server: what it is there for.

use peddlenet_mesh::{Reach, ServerUrl};
use peddlenet_signaling::{Limits, Server};

use crate::device::{Device, same_room, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_devices_meet_over_a_server_alone_and_again_without_a_code() {
    let listen = "127.0.0.1:0".parse().unwrap();
    let server = Server::bind(listen, Limits::default()).await.unwrap();
    let url = format!("ws://{}", server.local_addr().unwrap());
    let serving = tokio::spawn(server.run(std::future::pending()));
    let url = ServerUrl::parse(&url).unwrap();

    let mut ada = Device::at_server("Ada", &url).await;
    let mut bea = Device::at_server("Bea", &url).await;
    let room = ada.node.create_room("Far apart").await.unwrap();
    let joined = bea.join(&ada.code(room).await).await;
    assert_eq!((joined.room, joined.via), (room, "server"));
    ada.say(room, "can you hear me?").await;
    bea.hear("can you hear me?").await;
    bea.say(room, "as if you stood here").await;
    ada.hear("as if you stood here").await;

    let mut bea = Device::reopen(bea.shut().await.elsewhere()).await;
    ada.sees(room, "Bea", Reach::Linked).await;
    bea.sees(room, "Ada", Reach::Linked).await;
    ada.say(room, "and now?").await;
    bea.hear("and now?").await;
    bea.say(room, "still").await;
    ada.hear("still").await;
    same_room(room, &[&ada, &bea]).await;
    for device in [&ada, &bea] {
        let vias = until("one link", async || {
            let links = device.node.links().await.unwrap();
            (links.len() == 1).then(|| links[0].via)
        })
        .await;
        assert_eq!(vias, "server");
    }
    serving.abort();
}
