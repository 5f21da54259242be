//! The sealed backup through the program itself: what is answered with `kept` outlives a kill.

mod local;

use std::process::Stdio;
use std::time::Duration;

use local::parcels::DayKey;
use local::process::Program;
use local::{Client, PATIENCE};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::timeout;

async fn with_data(folder: &std::path::Path) -> Program {
    Program::quiet(&["--data", folder.to_str().unwrap()]).await
}

#[tokio::test]
async fn a_parcel_is_there_for_who_comes_later() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_data(folder.path()).await;
    let day = DayKey::of(1);
    let mut writer = server.client().await;
    assert_eq!(writer.ask(&json!({"type": "ice"})).await["backup"], true);
    let kept = writer.ask(&day.put(b"sealed", 3600)).await;
    assert_eq!(
        kept,
        json!({"v": 1, "type": "kept", "tag": day.tag(), "n": 1})
    );
    assert_eq!(writer.ask(&day.put(b"sealed", 3600)).await["n"], 1);
    assert_eq!(writer.ask(&day.put(&[7; 32 * 1024], 3600)).await["n"], 2);
    drop(writer);

    let mut reader = server.client().await;
    let all = reader.fetch_all(&day.tag()).await;
    assert_eq!(all, [(1, b"sealed".to_vec()), (2, vec![7; 32 * 1024])]);
    let none = reader
        .ask(&json!({"type": "fetch", "tag": DayKey::of(2).tag(), "after": 0}))
        .await;
    assert_eq!(none["parcels"], json!([]));
    assert_eq!(none["more"], false);
}

#[tokio::test]
async fn what_is_wrong_with_a_parcel_is_said_and_the_connection_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_data(folder.path()).await;
    let mut client = server.client().await;
    let day = DayKey::of(1);
    let put = day.put(b"sealed", 3600);
    let changed = |field: &str, value: serde_json::Value| {
        let mut put = put.clone();
        put[field] = value;
        put
    };
    for (wrong, code) in [
        (changed("tag", json!(DayKey::of(2).tag())), "bad_signature"),
        (changed("expires", json!(u64::MAX)), "bad_signature"),
        (changed("data", json!("AAAA")), "bad_signature"),
        (changed("key", json!("AAAA")), "malformed"),
        (changed("expires", json!(-1)), "malformed"),
        (day.put(&[0; 32 * 1024 + 1], 3600), "too_large"),
        (day.put(b"over", 0), "malformed"),
    ] {
        assert_eq!(client.ask(&wrong).await["code"], code, "{wrong}");
    }
    assert!(client.fetch_all(&day.tag()).await.is_empty());
    assert_eq!(client.ask(&put).await["type"], "kept");
}

#[tokio::test]
async fn a_server_without_a_folder_keeps_nothing_and_says_so() {
    let server = Program::quiet(&[]).await;
    let mut client = server.client().await;
    let day = DayKey::of(1);
    assert_eq!(client.ask(&day.put(b"x", 60)).await["code"], "no_backup");
    let fetch = json!({"type": "fetch", "tag": day.tag(), "after": 0});
    assert_eq!(client.ask(&fetch).await["code"], "no_backup");
    let ways = client.ask(&json!({"type": "ice"})).await;
    assert!(ways.get("backup").is_none(), "{ways}");
}

#[tokio::test]
async fn a_device_that_asks_too_often_is_slowed_down() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_data(folder.path()).await;
    let mut client = server.client().await;
    let fetch = json!({"type": "fetch", "tag": DayKey::of(1).tag(), "after": 0});
    let refused = async { while client.ask(&fetch).await["code"] != "rate_limited" {} };
    timeout(PATIENCE, refused).await.expect("a limit");
}

/// Kills in the middle of puts, again and again on one folder, each at the moment when something was answered: an answer
/// before the disk has it would be found out. `PEDDLENET_KILLS=N` sets how often.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_loses_nothing_that_was_kept() {
    let kills = std::env::var("PEDDLENET_KILLS").map_or(12, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut kept: Vec<Vec<(u64, Vec<u8>)>> = vec![Vec::new(); WRITERS.into()];
    for round in 0..kills {
        let mut server = with_data(folder.path()).await;
        let (answered, mut answers) = mpsc::channel(1024);
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| tokio::spawn(write(server.at[0], writer, round, answered.clone())))
            .collect();
        for _ in 0..20 + round % 7 {
            let answer = timeout(PATIENCE, answers.recv()).await;
            answer.expect("puts are answered").unwrap();
        }
        server.kill().await;
        for (kept, writer) in kept.iter_mut().zip(writers) {
            kept.extend(writer.await.unwrap());
        }
    }
    assert!(kept.iter().all(|kept| !kept.is_empty()), "nothing was kept");

    let server = with_data(folder.path()).await;
    let mut client = server.client().await;
    let (mut promised, mut highest) = (0, 0);
    for (writer, kept) in (0..).zip(kept) {
        let found = client.fetch_all(&DayKey::of(writer).tag()).await;
        for parcel in &kept {
            assert!(found.contains(parcel), "{} of writer {writer}", parcel.0);
        }
        promised += kept.len();
        highest = found.iter().map(|(n, _)| *n).fold(highest, u64::max);
    }
    println!("{kills} kills, {promised} parcels were kept");
    // Another device, for this one has asked a lot.
    let mut other = server.client().await;
    let next = other.ask(&DayKey::of(99).put(b"next", 60)).await;
    assert!(next["n"].as_u64().unwrap() > highest, "{next} is used");
}

const WRITERS: u8 = 6;

/// Puts until the connection breaks; returns what was answered with `kept`.
async fn write(
    address: std::net::SocketAddr,
    writer: u8,
    round: u64,
    answered: mpsc::Sender<()>,
) -> Vec<(u64, Vec<u8>)> {
    let (day, mut kept) = (DayKey::of(writer), Vec::new());
    let Ok(mut client) = Client::to(address).await else {
        return kept;
    };
    // Different sizes, some beyond a page of the database; always other bytes.
    for number in 0_u64.. {
        let size = usize::try_from(number * 1789 % 12_000).unwrap();
        let head = [round.to_be_bytes(), number.to_be_bytes()].concat();
        let data = [head, vec![writer; size]].concat();
        match client.try_ask(&day.put(&data, 3600)).await {
            Some(answer) if answer["type"] == "kept" => {
                let _ = answered.try_send(());
                kept.push((answer["n"].as_u64().unwrap(), data));
            }
            Some(answer) => {
                assert_eq!(answer["code"], "rate_limited", "{answer}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            None => break,
        }
    }
    kept
}

#[tokio::test]
async fn a_second_process_on_a_folder_says_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let _first = with_data(folder.path()).await;
    let second = tokio::process::Command::new(env!("CARGO_BIN_EXE_peddlenet-signaling"))
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let second = timeout(PATIENCE, second).await.expect("it ends").unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("another process keeps its parcels"), "{said}");
}
