//! Several processes with a real Redis between them.

#![cfg(unix)]

mod local;

use std::time::Duration;

use data_encoding::BASE64;
use local::process::Program;
use local::redis::Redis;
use local::{Client, PATIENCE};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

const RED: &str = "5eed5eed5eed5eed5eed5eed5eed5eed";

async fn two(redis: &Redis) -> (Program, Program) {
    let url = redis.url();
    let args = ["--redis", &url];
    (Program::quiet(&args).await, Program::quiet(&args).await)
}

/// Joins until `peers` is as many as expected: what others say of themselves takes its time.
async fn until_peers(client: &mut Client, tag: &str, expected: u64) {
    let right = async {
        loop {
            let joined = client.join(tag).await;
            if joined["peers"] == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let right = timeout(Duration::from_secs(40), right).await;
    right.unwrap_or_else(|_| panic!("never {expected} peers"));
}

/// The next message is this one.
async fn hears(client: &mut Client, data: &[u8]) {
    let heard = client.hear().await;
    assert_eq!(heard["type"], "data", "{heard}");
    assert_eq!(heard["data"], BASE64.encode(data));
}

#[tokio::test]
async fn devices_on_two_processes_reach_each_other_once_and_in_order() {
    let Some(redis) = Redis::start().await else {
        return;
    };
    let (first, second) = two(&redis).await;
    let (mut a, mut b) = (first.client().await, second.client().await);
    let mut c = second.client().await;
    // Connecting to Redis may take longer than the first join.
    until_peers(&mut a, RED, 0).await;
    until_peers(&mut b, RED, 1).await;
    until_peers(&mut a, RED, 1).await;
    until_peers(&mut c, RED, 2).await;

    for number in 0..40_u8 {
        a.send(RED, &[number]).await;
    }
    for listener in [&mut b, &mut c] {
        for number in 0..40_u8 {
            hears(listener, &[number]).await;
        }
    }
    b.send(RED, b"back").await;
    hears(&mut a, b"back").await;
    hears(&mut c, b"back").await;
    // One more round trip through Redis: what was doubled would have come before it.
    a.send(RED, b"last").await;
    for listener in [&mut b, &mut c] {
        hears(listener, b"last").await;
        listener.hears_nothing_more().await;
    }
    a.hears_nothing_more().await;

    let left = a.ask(&json!({"type": "leave", "tag": RED})).await;
    assert_eq!(left["type"], "left");
    until_peers(&mut b, RED, 1).await;
    b.send(RED, b"gone").await;
    hears(&mut c, b"gone").await;
    a.hears_nothing_more().await;
}

#[tokio::test]
async fn a_killed_process_costs_its_devices_one_reconnect_and_nothing_else() {
    let Some(redis) = Redis::start().await else {
        return;
    };
    let (mut first, second) = two(&redis).await;
    let (mut moves, mut stays) = (first.client().await, second.client().await);
    moves.join(RED).await;
    until_peers(&mut stays, RED, 1).await;
    until_peers(&mut moves, RED, 1).await;
    stays.send(RED, b"before").await;
    hears(&mut moves, b"before").await;

    first.kill().await;
    assert!(moves.next().await.is_none(), "the connection ends");
    let mut moved = second.client().await;
    let joined = moved.join(RED).await;
    assert_eq!(joined["type"], "joined");
    moved.send(RED, b"after").await;
    hears(&mut stays, b"after").await;
    stays.send(RED, b"answer").await;
    hears(&mut moved, b"answer").await;
    // The dead process counts for a while and then no more.
    until_peers(&mut stays, RED, 1).await;
    moved.hears_nothing_more().await;
}

#[tokio::test]
async fn an_orderly_stop_is_known_at_once() {
    let Some(redis) = Redis::start().await else {
        return;
    };
    let (first, second) = two(&redis).await;
    let (mut a, mut b) = (first.client().await, second.client().await);
    a.join(RED).await;
    until_peers(&mut b, RED, 1).await;
    first.signal("TERM").await;
    let (ended, _) = first.ended().await;
    assert!(ended.success());
    assert_eq!(b.join(RED).await["peers"], 0);
}

#[tokio::test]
async fn without_redis_devices_on_one_process_go_on_and_the_rest_comes_back_with_it() {
    let Some(mut redis) = Redis::start().await else {
        return;
    };
    let (first, second) = two(&redis).await;
    let (mut a, mut b) = (first.client().await, first.client().await);
    let mut far = second.client().await;
    for client in [&mut a, &mut b, &mut far] {
        client.join(RED).await;
    }
    until_peers(&mut a, RED, 2).await;
    until_peers(&mut far, RED, 2).await;

    redis.kill().await;
    until_peers(&mut a, RED, 1).await;
    a.send(RED, b"near").await;
    hears(&mut b, b"near").await;

    redis.restart().await;
    // Nobody joined anew: the processes tell the new Redis what they hold.
    until_peers(&mut far, RED, 2).await;
    until_peers(&mut a, RED, 2).await;
    a.send(RED, b"far").await;
    hears(&mut b, b"far").await;
    hears(&mut far, b"far").await;
    far.send(RED, b"back").await;
    hears(&mut a, b"back").await;
}

#[tokio::test]
async fn redis_is_told_no_tag() {
    let Some(redis) = Redis::start().await else {
        return;
    };
    let mut monitor = redis.monitor().await;
    let (first, second) = two(&redis).await;
    let (mut a, mut b) = (first.client().await, second.client().await);
    a.join(RED).await;
    until_peers(&mut b, RED, 1).await;
    until_peers(&mut a, RED, 1).await;
    a.send(RED, b"sealed").await;
    hears(&mut b, b"sealed").await;
    monitor.write_all(b"QUIT\r\n").await.unwrap();
    let mut seen = Vec::new();
    let read = timeout(PATIENCE, monitor.read_to_end(&mut seen)).await;
    read.expect("it ends").unwrap();
    let seen = String::from_utf8_lossy(&seen);
    assert!(seen.contains("PUBLISH") && seen.contains("pn:c:"), "{seen}");
    assert!(!seen.contains("5eed5eed"), "{seen}");
}
