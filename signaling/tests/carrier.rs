//! A carrier box: what comes with a pass of its own is kept beside the open pool, and it proves which box it is.

mod local;

use std::path::Path;
use std::time::Duration;

use data_encoding::BASE64;
use ed25519_dalek::{Signature, VerifyingKey};
use local::parcels::DayKey;
use local::passes::{DayPass, today};
use local::{Client, Running, bound, get, limits};
use peddlenet_signaling::{BoxKey, Limits};
use serde_json::{Value, json};

/// A box in this process, and its key.
async fn carrier(folder: &Path, change: impl FnOnce(&mut Limits)) -> (Running, BoxKey) {
    let server = bound(limits(change)).await;
    let (server, key) = server.with_box(folder).unwrap();
    let box_key = BoxKey::read(folder).unwrap();
    assert_eq!(box_key.public(), key);
    (Running::start(server), box_key)
}

fn pass_of_today(key: &BoxKey, holder: u8, space_kib: u32) -> DayPass {
    DayPass::of(&key.issue(today(), 1, space_kib, [holder; 32]), today())
}

/// Asks until it isn't asking too fast.
async fn ask(client: &mut Client, frame: &Value) -> Value {
    loop {
        let answer = client.ask(frame).await;
        if answer["code"] != "rate_limited" {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_pass_of_today_is_good_and_any_other_is_told() {
    let [folder, elsewhere] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let (server, key) = carrier(folder.path(), |_| {}).await;
    let other_box = BoxKey::open(elsewhere.path()).unwrap();
    let mut client = Client::connect(&server).await.unwrap();
    let put = DayKey::of(1).put(b"sealed", 3600);
    let long_ago = key.issue(today() - 3, 2, 64, [1; 32]);
    let far_ahead = key.issue(today() + 2, 1, 64, [1; 32]);
    let good = pass_of_today(&key, 1, 64).with(&put);
    let mut stolen = pass_of_today(&key, 2, 64).with(&DayKey::of(1).put(b"other", 3600));
    stolen["data"] = put["data"].clone();
    stolen["signature"] = put["signature"].clone();
    let mut bent = good.clone();
    let mut shown = BASE64
        .decode(good["pass"].as_str().unwrap().as_bytes())
        .unwrap();
    shown[37] ^= 1;
    bent["pass"] = json!(BASE64.encode(&shown));
    let mut short = good.clone();
    short["pass"] = json!("AAAA");
    for (put, code) in [
        (DayPass::of(&long_ago, today() - 2).with(&put), "bad_pass"),
        (DayPass::of(&far_ahead, today() + 2).with(&put), "bad_pass"),
        (pass_of_today(&other_box, 1, 64).with(&put), "bad_pass"),
        (stolen, "bad_pass"),
        (bent, "bad_pass"),
        (short, "malformed"),
    ] {
        assert_eq!(ask(&mut client, &put).await["code"], code, "{put}");
    }
    assert!(client.fetch_all(&DayKey::of(1).tag()).await.is_empty());
    assert_eq!(ask(&mut client, &good).await["type"], "kept");
    let kept = client.fetch_all(&DayKey::of(1).tag()).await;
    assert_eq!(kept, [(1, b"sealed".to_vec())]);
}

#[tokio::test]
async fn the_space_of_a_pass_and_the_open_pool_are_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (server, key) = carrier(folder.path(), |limits| {
        limits.parcels.pool_bytes = 1064;
        limits.parcels.passes_bytes = 3 * 1064;
    })
    .await;
    let mut client = Client::connect(&server).await.unwrap();
    let put = |day: u8, byte: u8| DayKey::of(day).put(&[byte; 1000], 3600);
    let (small, large) = (pass_of_today(&key, 1, 2), pass_of_today(&key, 2, 1024));
    for (put, answer) in [
        (put(1, 1), "kept"),
        (put(1, 2), "quota"),
        (small.with(&put(1, 2)), "kept"),
        // 2 KiB are for one, whatever the tag.
        (small.with(&put(2, 2)), "quota"),
        (large.with(&put(2, 2)), "kept"),
        (large.with(&put(3, 2)), "kept"),
        // All passes together.
        (large.with(&put(4, 2)), "quota"),
        (put(5, 1), "quota"),
        // What lies there takes no more space, with a pass or without.
        (put(3, 2), "kept"),
        (small.with(&put(1, 1)), "kept"),
    ] {
        let said = ask(&mut client, &put).await;
        let said = said.get("code").unwrap_or(&said["type"]);
        assert_eq!(said, answer, "{put}");
    }
    assert_eq!(client.fetch_all(&DayKey::of(1).tag()).await.len(), 2);
}

#[tokio::test]
async fn a_box_proves_which_one_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (server, key) = carrier(folder.path(), |_| {}).await;
    let mut client = Client::connect(&server).await.unwrap();
    let ask = json!({"v": 1, "type": "box", "nonce": BASE64.encode(&[7; 16])});
    let answer = client.ask(&ask).await;
    assert_eq!(answer["type"], "box", "{answer}");
    let bytes = |field: &str| BASE64.decode(answer[field].as_str().unwrap().as_bytes());
    assert_eq!(bytes("key").unwrap(), key.public());
    let signature = Signature::from_slice(&bytes("signature").unwrap()).unwrap();
    let public = VerifyingKey::from_bytes(&key.public()).unwrap();
    let message = [&b"pn/box-here/1"[..], &[7; 16]].concat();
    assert!(public.verify_strict(&message, &signature).is_ok());
    for nonce in [json!("AAAA"), json!(7), Value::Null] {
        let short = json!({"type": "box", "nonce": nonce});
        assert_eq!(client.ask(&short).await["code"], "malformed");
    }
}

#[tokio::test]
async fn a_server_that_is_no_box_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let keeps = bound(Limits::default()).await.with_backup(folder.path());
    let keeps_none = bound(Limits::default()).await;
    for server in [keeps.unwrap(), keeps_none] {
        let server = Running::start(server);
        let mut client = Client::connect(&server).await.unwrap();
        let ask = json!({"type": "box", "nonce": BASE64.encode(&[7; 16])});
        assert_eq!(client.ask(&ask).await["code"], "no_box");
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let key = BoxKey::open(elsewhere.path()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let keeps = bound(Limits::default()).await.with_backup(folder.path());
    let server = Running::start(keeps.unwrap());
    let mut client = Client::connect(&server).await.unwrap();
    let put = DayKey::of(1).put(b"sealed", 60);
    let under = pass_of_today(&key, 1, 64).with(&put);
    assert_eq!(client.ask(&under).await["code"], "bad_pass");
    assert_eq!(client.ask(&put).await["type"], "kept");
}

#[tokio::test]
async fn the_metrics_say_what_is_kept_where_and_for_nobody_in_particular() {
    let folder = tempfile::tempdir().unwrap();
    let server = bound(Limits::default()).await;
    let (server, _) = server.with_box(folder.path()).unwrap();
    let server = server
        .with_metrics(([127, 0, 0, 1], 0).into())
        .await
        .unwrap();
    let metrics = server.metrics_addr().unwrap();
    let server = Running::start(server);
    let key = BoxKey::read(folder.path()).unwrap();
    let mut client = Client::connect(&server).await.unwrap();
    let put = |byte: u8| DayKey::of(1).put(&[byte; 36], 3600);
    assert_eq!(client.ask(&put(1)).await["type"], "kept");
    for byte in [2, 3, 3] {
        let under = pass_of_today(&key, 1, 64).with(&put(byte));
        assert_eq!(client.ask(&under).await["type"], "kept");
    }
    let answer = get(metrics, "/metrics").await;
    for line in [
        "peddlenet_signaling_parcels{place=\"open\"} 1",
        "peddlenet_signaling_parcels{place=\"passes\"} 2",
        "peddlenet_signaling_parcel_bytes{place=\"open\"} 100",
        "peddlenet_signaling_parcel_bytes{place=\"passes\"} 200",
        "peddlenet_signaling_parcels_kept_total{place=\"open\"} 1",
        "peddlenet_signaling_parcels_kept_total{place=\"passes\"} 3",
    ] {
        assert!(answer.lines().any(|it| it == line), "{line} in {answer}");
    }
}
