//! The server over real sockets on loopback, driven by a WebSocket client that is not ours.

mod local;

use std::time::Duration;

use data_encoding::BASE64;
use futures_util::SinkExt;
use local::{BLUE, Client, PATIENCE, RED, get, limits, server};
use peddlenet_signaling::Limits;
use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{self, Bytes, Message};

#[tokio::test]
async fn bytes_reach_the_other_on_the_tag_and_nobody_else() {
    let server = server(Limits::default()).await;
    let mut a = Client::on(&server, RED).await;
    let mut b = Client::connect(&server).await.unwrap();
    assert_eq!(
        b.join(RED).await,
        json!({"v": 1, "type": "joined", "tag": RED, "peers": 1})
    );
    let mut stranger = Client::on(&server, BLUE).await;

    a.send(RED, b"\x00offer\xff").await;
    let data = BASE64.encode(b"\x00offer\xff");
    assert_eq!(
        b.hear().await,
        json!({"v": 1, "type": "data", "tag": RED, "data": data})
    );
    b.send(RED, b"answer").await;
    assert_eq!(a.hear().await["data"], BASE64.encode(b"answer"));
    stranger.hears_nothing_more().await;
    a.hears_nothing_more().await;
}

#[tokio::test]
async fn whoever_has_not_joined_a_tag_cannot_send_to_it() {
    let server = server(Limits::default()).await;
    let mut inside = Client::on(&server, RED).await;
    let mut outside = Client::on(&server, BLUE).await;
    outside.send(RED, b"spam").await;
    assert_eq!(outside.hear().await["code"], "not_joined");

    // And after leaving no more.
    assert_eq!(outside.join(RED).await["peers"], 1);
    outside
        .say(json!({"type": "leave", "tag": RED}).to_string())
        .await;
    assert_eq!(outside.hear().await["type"], "left");
    outside.send(RED, b"spam").await;
    assert_eq!(outside.hear().await["code"], "not_joined");
    inside.hears_nothing_more().await;
}

#[tokio::test]
async fn nonsense_is_answered_plainly_and_the_connection_goes_on() {
    let server = server(Limits::default()).await;
    let mut client = Client::on(&server, RED).await;
    for nonsense in ["", "{", "null", r#"{"v":1,"type":"dance"}"#] {
        client.say(nonsense).await;
        let error = client.hear().await;
        assert_eq!(error["type"], "error");
        assert_eq!(error["code"], "malformed");
        assert!(error["message"].as_str().unwrap().contains(' '));
    }
    client
        .0
        .send(Message::Binary(Bytes::from_static(b"\0\x01")))
        .await
        .unwrap();
    assert_eq!(client.hear().await["code"], "malformed");
    client.say(r#"{"v":9,"type":"join"}"#).await;
    assert_eq!(client.hear().await["code"], "unsupported_version");
    assert_eq!(client.join(BLUE).await["type"], "joined");
}

#[tokio::test]
async fn an_oversize_message_is_refused_and_not_relayed() {
    let server = server(Limits::default()).await;
    let mut a = Client::on(&server, RED).await;
    let mut b = Client::on(&server, RED).await;
    // As JSON text just above 64 KiB: an error, and life goes on.
    a.send(RED, &[7; 49_200]).await;
    assert_eq!(a.hear().await["code"], "too_large");
    a.send(RED, &[7; 49_000]).await;
    assert_eq!(
        b.hear().await["data"].as_str().unwrap().len(),
        BASE64.encode_len(49_000)
    );
    // Far above, the connection ends before the message is held in memory.
    a.say("x".repeat(1 << 20)).await;
    a.end().await;
    b.hears_nothing_more().await;
    assert_eq!(b.join(RED).await["peers"], 0, "a is gone");
}

#[tokio::test]
async fn tags_and_their_holders_are_limited() {
    let server = server(limits(|limits| {
        limits.tags_per_connection = 1;
        limits.subscribers_per_tag = 2;
    }))
    .await;
    let mut a = Client::on(&server, RED).await;
    assert_eq!(a.join(BLUE).await["code"], "too_many_tags");
    let _b = Client::on(&server, RED).await;
    let mut c = Client::connect(&server).await.unwrap();
    assert_eq!(c.join(RED).await["code"], "tag_full");
    assert_eq!(c.join(BLUE).await["peers"], 0);
}

#[tokio::test]
async fn a_full_server_says_so_and_takes_the_next_when_one_leaves() {
    let server = server(limits(|limits| limits.connections = 1)).await;
    let first = Client::on(&server, RED).await;
    match Client::connect(&server).await.err() {
        Some(tungstenite::Error::Http(response)) => {
            assert_eq!(response.status(), 503);
            let body = response.body().as_deref().unwrap_or_default();
            assert!(String::from_utf8_lossy(body).contains("server_full"));
        }
        other => panic!("expected 503, got {other:?}"),
    }
    assert!(
        get(server.address, "/healthz").await.contains("200 OK"),
        "still healthy"
    );
    drop(first);
    let next = async {
        while Client::connect(&server).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, next).await.expect("the place is free");
}

#[tokio::test]
async fn a_flood_is_refused_and_then_ended() {
    let server = server(limits(|limits| {
        limits.messages_per_second = 1;
        limits.burst = 3;
        limits.refused_in_a_row = 2;
    }))
    .await;
    let mut client = Client::on(&server, RED).await;
    for _ in 0..5 {
        client.say("flood").await;
    }
    let codes = [
        client.hear().await,
        client.hear().await,
        client.hear().await,
    ];
    let codes = codes.map(|error| error["code"].as_str().unwrap().to_owned());
    assert_eq!(codes, ["malformed", "malformed", "rate_limited"]);
    assert_eq!(client.end().await, Some(1008));
}

#[tokio::test]
async fn a_client_that_is_gone_is_forgotten() {
    let server = server(Limits::default()).await;
    let mut stays = Client::on(&server, RED).await;
    let mut leaves = Client::on(&server, RED).await;
    let vanishes = Client::on(&server, RED).await;
    assert_eq!(stays.join(RED).await["peers"], 2);
    leaves.0.close(None).await.unwrap();
    // Without a word: the socket is just closed.
    drop(vanishes);
    let alone = async {
        while stays.join(RED).await["peers"] != 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, alone).await.expect("both are forgotten");
}

#[tokio::test]
async fn a_silent_client_is_ended_and_one_that_answers_pings_is_not() {
    let server = server(limits(|limits| {
        limits.ping_every = Duration::from_millis(100);
        limits.idle = Duration::from_secs(1);
    }))
    .await;
    let mut answers = Client::on(&server, RED).await;
    // Not polled, so it answers no pings.
    let _silent = Client::on(&server, RED).await;
    assert_eq!(answers.join(RED).await["peers"], 1);
    // Polling the stream answers the pings; nothing else is said for three idle deadlines.
    let quiet = timeout(Duration::from_secs(3), answers.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    assert_eq!(
        answers.join(RED).await["peers"],
        0,
        "the silent one is gone"
    );
}

#[tokio::test]
async fn everybody_is_told_when_the_server_closes() {
    let mut running = server(Limits::default()).await;
    let mut client = Client::on(&running, RED).await;
    running.stop();
    assert_eq!(client.end().await, Some(1001));
}

#[tokio::test]
async fn health_is_answered() {
    let server = server(Limits::default()).await;
    let answer = get(server.address, "/healthz").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("ok\n"));
}
