//! Twenty people scan one code on a beamer.

use peddlenet_mesh::Reach;
use tokio::task::JoinSet;

use crate::device::{Device, same_room, until};

const JOINERS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_join_by_one_code_at_once() {
    let host = Device::new("Host").await;
    let room = host.node.create_room("Beamer").await.unwrap();
    let code = host.code(room).await;

    let mut joiners = Vec::new();
    for n in 0..JOINERS {
        joiners.push(Device::new(&format!("Joiner {n}")).await);
    }
    let mut joining = JoinSet::new();
    for joiner in joiners {
        let code = code.clone();
        joining.spawn(async move {
            joiner.join(&code).await;
            joiner
        });
    }
    let mut joiners = joining.join_all().await;

    for device in joiners.iter().chain([&host]) {
        let what = format!("{} to see {JOINERS} others by name", device.name);
        until(&what, async || {
            let members = device.node.members(room).await.unwrap();
            let named = members.iter().filter(|m| !m.name.is_empty()).count();
            (named == JOINERS + 1).then_some(())
        })
        .await;
    }
    host.say(room, "welcome, all").await;
    for joiner in &mut joiners {
        joiner.hear("welcome, all").await;
    }
    let speaker = joiners.pop().unwrap();
    speaker.say(room, "thank you").await;
    for joiner in &mut joiners {
        joiner.hear("thank you").await;
    }
    let everybody: Vec<_> = joiners.iter().chain([&host, &speaker]).collect();
    same_room(room, &everybody).await;
    let near = host.node.members(room).await.unwrap();
    assert!(near.iter().all(|m| m.state != Reach::Removed));
}
