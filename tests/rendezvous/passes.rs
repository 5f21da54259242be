//! Devices and carrier boxes have each their own code for carry passes; here both read what the other wrote.

use data_encoding::{BASE64, HEXLOWER};
use futures_util::{SinkExt, StreamExt};
use peddlenet_crypto::{CarryKey, Day, DayPass, EpochKeys, pass, verify_box, verify_pass};
use peddlenet_signaling::{BoxKey, Limits, Server};
use peddlenet_wire::{Pass, Signature, Timestamp, event::sha256, pass::CERTIFICATE_LEN};
use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite::Message};

fn now_s() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("a clock").as_secs()
}

fn today() -> Day {
    Day::at(Timestamp(now_s() * 1000))
}

fn decoded(answer: &Value, field: &str) -> Vec<u8> {
    let text = answer[field].as_str().expect("a text");
    BASE64.decode(text.as_bytes()).expect("base64")
}

/// A put as a device makes it, with what it shows of a pass.
fn put(pass: &DayPass, data: &[u8]) -> Value {
    let key = CarryKey::of_members(&EpochKeys::from_seeds([1; 32], [2; 32]), today());
    let expires = now_s() + 3600;
    json!({
        "v": 1,
        "type": "put",
        "tag": HEXLOWER.encode(&key.tag().0),
        "key": BASE64.encode(&key.public()),
        "expires": expires,
        "data": BASE64.encode(data),
        "signature": BASE64.encode(&key.sign(expires, data).0),
        "pass": BASE64.encode(&pass.show(&key.tag(), data)),
    })
}

#[test]
fn a_box_and_a_device_make_the_same_pass_of_one_seed() {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = BoxKey::open(folder.path()).expect("a key");
    let seed = std::fs::read(folder.path().join("box.key")).expect("its file");
    let theirs = peddlenet_crypto::BoxKey::from_seed(&seed.try_into().expect("32 bytes"));
    assert_eq!(ours.public(), theirs.public());
    let first = today().number();
    for (days, space) in [(0, 1), (1, u32::MAX), (3, 64 * 1024), (14, 0), (99, 7)] {
        let issued = ours.issue(first, days, space, [9; 32]);
        assert_eq!(
            issued,
            pass::issue(&theirs, Day::of(first), days, space, [9; 32])
        );
        assert_eq!(verify_pass(&issued), Ok(()));
    }
    let last = ours.issue(u32::MAX, 3, 1, [9; 32]);
    assert_eq!(last, pass::issue(&theirs, Day::of(u32::MAX), 3, 1, [9; 32]));
}

#[tokio::test]
async fn the_box_accepts_what_a_device_shows_and_both_refuse_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::bind(([127, 0, 0, 1], 0).into(), Limits::default()).await;
    let (server, public) = server
        .expect("a port")
        .with_box(folder.path())
        .expect("a box");
    let address = server.local_addr().expect("an address");
    tokio::spawn(server.run(std::future::pending()));
    let (mut socket, _) = connect_async(format!("ws://{address}/v1"))
        .await
        .expect("a server");
    let mut ask = async |frame: Value| -> Value {
        let text = Message::Text(frame.to_string().into());
        socket.send(text).await.expect("it hears");
        loop {
            match socket.next().await.expect("it answers").expect("in order") {
                Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                _ => continue,
            }
        }
    };

    let nonce = [7; 16];
    let here = ask(json!({"type": "box", "nonce": BASE64.encode(&nonce)})).await;
    assert_eq!(decoded(&here, "key"), public);
    let proof = Signature::try_from(&decoded(&here, "signature")[..]).expect("64 bytes");
    assert_eq!(verify_box(&public, &nonce, &proof), Ok(()));

    let key = BoxKey::read(folder.path()).expect("its key");
    let text = key.issue(today().number(), 2, 64, [3; 32]).to_link();
    let day = DayPass::of(&Pass::from_link(&text).expect("a pass"), today()).expect("its day");
    let good = put(&day, b"sealed");
    assert_eq!(ask(good.clone()).await["type"], "kept");
    let shown = decoded(&good, "pass");
    let tag = HEXLOWER.decode(good["tag"].as_str().expect("a tag").as_bytes());
    let tag = peddlenet_crypto::MeetingTag(tag.expect("hex").try_into().expect("16 bytes"));
    let accepts = |shown: &[u8]| {
        let (certificate, signature) = shown.split_at(CERTIFICATE_LEN);
        let signature = Signature::try_from(signature).expect("64 bytes");
        pass::check(&public, certificate, &tag, &sha256(b"sealed").0, &signature).is_ok()
    };
    assert!(accepts(&shown));
    // A bit in each field; the open pool's rate lets no more through in a moment.
    for byte in [0, 3, 4, 35, 36, 39, 40, 103, 104, 167] {
        let mut bent = shown.clone();
        bent[byte] ^= 1;
        assert!(!accepts(&bent), "byte {byte}");
        let mut put = good.clone();
        put["pass"] = json!(BASE64.encode(&bent));
        assert_eq!(ask(put).await["code"], "bad_pass", "byte {byte}");
    }
}
