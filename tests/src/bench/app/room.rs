//! A profile that holds one long room: several devices in this process say it to each other, and one of
//! them leaves its folder.
//!
//! One author may put 32 MiB on the others' disks in its first days, so a hundred thousand messages take
//! more than one. They talk at the same time, as people do: names alternate.

use std::{net::SocketAddr, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use peddlenet_mesh::{Config, Node, Receipts, RoomId};
use tokio::{task::JoinSet, time::Instant};

/// Who talks; the first one's folder is the profile.
const NAMES: [&str; 4] = ["Ada", "Björn", "Chidi", "Dana"];
/// Messages of one device that wait for their commit at the same time, so that commits group (count).
const IN_FLIGHT: usize = 32;
/// How long a join, or the last message's way to everybody, may take.
const DEADLINE: Duration = Duration::from_secs(900);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How often it says how far they are.
const SAY_EVERY: Duration = Duration::from_secs(10);
const INVITE: Duration = Duration::from_secs(600);

/// Written once the room is whole: a folder without it is half of one.
const DONE: &str = "room-of";

/// Makes the profile in `folder` unless it is there; `scratch` takes the other devices.
pub(super) fn make(folder: &Path, scratch: &Path, messages: usize) -> Result<()> {
    let done = folder.join(DONE);
    if let Ok(there) = std::fs::read_to_string(&done) {
        ensure!(
            there.trim() == messages.to_string(),
            "{} holds a room of {} messages: name another folder",
            folder.display(),
            there.trim()
        );
        return Ok(());
    }
    ensure!(
        !folder.join("mesh").exists(),
        "{} holds a profile that bench app did not finish",
        folder.display()
    );
    std::fs::create_dir_all(folder)?;
    eprintln!("app: making a room of {messages} messages ..");
    let began = Instant::now();
    tokio::runtime::Runtime::new()?.block_on(talk(folder, scratch, messages))?;
    eprintln!("app: made in {:.0} s", began.elapsed().as_secs_f64());
    std::fs::write(done, messages.to_string())?;
    Ok(())
}

async fn talk(folder: &Path, scratch: &Path, messages: usize) -> Result<()> {
    let host = open(&folder.join("mesh"), NAMES[0]).await?;
    let room = host.create_room("A long summer").await?;
    let code = host.invite(room, INVITE, 10).await?.link;
    let mut nodes = vec![host];
    for name in &NAMES[1..] {
        let node = open(&scratch.join(name), name).await?;
        node.join(&code).await?;
        nodes.push(node);
    }
    let mut talking = JoinSet::new();
    for (at, node) in nodes.iter().enumerate() {
        for lane in 0..IN_FLIGHT {
            let node = node.clone();
            let lane = at * IN_FLIGHT + lane;
            talking.spawn(async move {
                for number in (lane..messages).step_by(NAMES.len() * IN_FLIGHT) {
                    node.send(room, &text(number)).await?;
                }
                anyhow::Ok(())
            });
        }
    }
    while let Some(lane) = talking.join_next().await {
        lane??;
    }
    tokio::time::timeout(DEADLINE, same(&nodes, room))
        .await
        .context("the devices did not come to hold the same room")??;
    let host = nodes.remove(0);
    let newest = host.history(room, None, 1).await?;
    let newest = newest.last().context("the room is empty")?;
    host.mark_seen(room, newest.id).await?;
    for node in nodes {
        node.close().await;
    }
    let heads = host.heads(room).await?;
    host.close().await;
    ensure!(
        heads.events >= messages as u64,
        "{} of {messages} messages are there",
        heads.events
    );
    Ok(())
}

async fn open(folder: &Path, name: &str) -> Result<Node> {
    let (node, events) = Node::open(Config {
        name: Some(name.to_owned()),
        listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
        receipts: Receipts::Never,
        ..Config::at(folder)
    })
    .await?;
    drop(events); // nobody listens, which is allowed
    Ok(node)
}

async fn same(nodes: &[Node], room: RoomId) -> Result<()> {
    let (began, mut said) = (Instant::now(), 0);
    loop {
        let mut heads = Vec::new();
        for node in nodes {
            heads.push(node.heads(room).await?);
        }
        if heads.windows(2).all(|two| two[0].digest == two[1].digest) {
            return Ok(());
        }
        if began.elapsed() >= SAY_EVERY * said {
            said += 1;
            let held: Vec<_> = heads.iter().map(|h| h.events.to_string()).collect();
            let after = began.elapsed().as_secs();
            eprintln!("app: after {after} s they hold {}", held.join(", "));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Words of everyday length: 4 to 28 of them, some 80 characters on average.
fn text(number: usize) -> String {
    const WORDS: [&str; 16] = [
        "the", "boat", "is", "here", "tomorrow", "we", "meet", "at", "seven", "bring", "water",
        "and", "your", "warm", "jacket", "please",
    ];
    let mut dice = number as u64 ^ 0x9e37_79b9_7f4a_7c15;
    let mut next = || {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(dice >> 40).unwrap_or_default()
    };
    let words = 4 + next() % 25;
    let said: Vec<_> = (0..words).map(|_| WORDS[next() % WORDS.len()]).collect();
    format!("{} {}", said.join(" "), number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_made_once_and_a_half_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let profile = folder.path().join("profile");
        make(&profile, folder.path(), 40).unwrap();
        assert!(profile.join("mesh.key").is_file());
        make(&profile, folder.path(), 40).unwrap();
        assert!(make(&profile, folder.path(), 41).is_err());
        std::fs::remove_file(profile.join(DONE)).unwrap();
        assert!(make(&profile, folder.path(), 40).is_err());
    }

    #[test]
    fn messages_are_of_everyday_length() {
        let bytes: usize = (0..1000).map(|number| text(number).len()).sum();
        assert!((60..110).contains(&(bytes / 1000)), "{bytes}");
    }
}
