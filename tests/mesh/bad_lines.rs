//! Lines that make no sense: each is answered with a stable code and a sentence, and the node goes on.

use peddlenet_tests::node_process::{Failure, NodeProcess};
use serde_json::{Value, json};

use crate::process::{code, create_room, say, start, texts};

/// The longest text of one message (bytes).
const TEXT_MAX: usize = 16 * 1024;
/// The longest request line (bytes).
const LINE_MAX: usize = 64 * 1024;
const NO_ROOM: &str = "00112233445566778899aabbccddeeff";

/// Sends what must fail, and checks that the node still answers.
fn refused(node: &NodeProcess, cmd: &str, fields: Value) -> Failure {
    let what = format!("{cmd} {fields}");
    after(node, node.request(cmd, fields).unwrap(), &what)
}

fn refused_line(node: &NodeProcess, line: &[u8]) -> Failure {
    node.raw_line(line).unwrap();
    let outcome = node.unnumbered_reply().unwrap();
    let shown = &line[..line.len().min(40)];
    after(node, outcome, &String::from_utf8_lossy(shown))
}

fn after(node: &NodeProcess, outcome: Result<Value, Failure>, what: &str) -> Failure {
    let failure = match outcome {
        Err(failure) => failure,
        Ok(ok) => panic!("{what}: {ok}"),
    };
    println!("{what:.60}: {}: {}", failure.code, failure.message);
    assert!(failure.message.ends_with('.') && failure.message.contains(' '));
    assert!(node.ok("rooms", json!({})).is_ok(), "after {what}");
    failure
}

#[test]
fn lines_that_are_no_request_are_answered() {
    let (_folder, node) = start("Ada");
    let over_long = vec![b'x'; LINE_MAX + 1];
    let huge = vec![b' '; 5 << 20];
    let lines: [&[u8]; 9] = [
        b"{",
        b"[]",
        b"null",
        b"hello",
        b"{\"cmd\":\"fly\"}",
        b"{\"cmd\":7}",
        b"\xff\xfe\x00",
        &over_long,
        &huge,
    ];
    for line in lines {
        assert_eq!(refused_line(&node, line).code, "bad_request");
    }
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    assert_eq!(refused_line(&node, deep.as_bytes()).code, "bad_request");
}

#[test]
fn a_bad_request_keeps_its_id() {
    let (_folder, node) = start("Ada");
    node.raw_line(br#"{"id":4711,"cmd":"send"}"#).unwrap();
    let failure = node.reply(4711).unwrap().unwrap_err();
    assert_eq!(failure.code, "bad_request");
    assert!(failure.message.contains("room"), "{}", failure.message);
}

#[test]
fn requests_that_cannot_be_done_say_why() {
    let (folder, node) = start("Ada");
    let room = create_room(&node, "Real");
    let no_room = json!({"room": NO_ROOM});
    for cmd in ["invite", "history", "members", "leave", "heads"] {
        assert_eq!(refused(&node, cmd, no_room.clone()).code, "room_unknown");
    }
    let text = json!({"room": NO_ROOM, "text": "hello?"});
    assert_eq!(refused(&node, "send", text).code, "room_unknown");

    let send = |text: &str| refused(&node, "send", json!({"room": room, "text": text})).code;
    assert_eq!(send(""), "text_empty");
    assert_eq!(send(" \n\t "), "text_empty");
    assert_eq!(send(&"a".repeat(TEXT_MAX + 1)), "text_too_long");
    assert_eq!(send(&"é".repeat(TEXT_MAX / 2 + 1)), "text_too_long");

    assert_eq!(
        refused(&node, "create_room", json!({"name": "  "})).code,
        "name_empty"
    );
    let invite = json!({"room": room, "invite": "ab".repeat(32)});
    assert_eq!(refused(&node, "revoke", invite).code, "invite_not_found");
    let before = json!({"room": room, "before": "ab".repeat(32)});
    assert_eq!(refused(&node, "history", before).code, "message_unknown");
    for fields in [
        json!({"room": room, "ttl_s": 0}),
        json!({"room": room, "ttl_s": -1}),
        json!({"room": room, "uses": "many"}),
        json!({"room": "here"}),
        json!({}),
    ] {
        assert_eq!(refused(&node, "invite", fields).code, "bad_request");
    }
    let own = code(&node, &room);
    assert_eq!(
        refused(&node, "join", json!({"link": own})).code,
        "own_code"
    );
    assert_eq!(
        refused(&node, "join", json!({"link": "WIFI:S:x;;"})).code,
        "not_a_code"
    );
    assert_eq!(
        refused(&node, "join", json!({"link": own, "png": "x"})).code,
        "bad_request"
    );
    let missing = json!({"png": folder.path().join("missing.png")});
    assert_eq!(refused(&node, "join", missing).code, "bad_request");
    let unwritable = json!({"room": room, "png": folder.path().join("no/such/folder.png")});
    assert_eq!(refused(&node, "invite", unwritable).code, "bad_request");

    say(&node, &room, &"a".repeat(TEXT_MAX));
    say(&node, &room, "and on it goes");
    assert_eq!(texts(&node, &room).len(), 2);
}

#[test]
fn a_picture_without_a_code_says_so() {
    let (folder, node) = start("Ada");
    let blank = folder.path().join("blank.png");
    image::GrayImage::from_pixel(64, 64, image::Luma([255]))
        .save(&blank)
        .unwrap();
    assert_eq!(
        refused(&node, "join", json!({"png": blank})).code,
        "not_a_code"
    );
    let other = folder.path().join("other.png");
    peddlenet_qr::save_png("WIFI:S:camp;T:WPA;P:x;;", 200, &other).unwrap();
    assert_eq!(
        refused(&node, "join", json!({"png": other})).code,
        "not_a_code"
    );
    let torn = folder.path().join("torn.png");
    let whole = std::fs::read(&other).unwrap();
    std::fs::write(&torn, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(
        refused(&node, "join", json!({"png": torn})).code,
        "bad_request"
    );
}

#[test]
fn too_many_open_invites_are_refused_until_one_is_closed() {
    let (_folder, node) = start("Ada");
    let room = create_room(&node, "Doors");
    let first = node.ok("invite", json!({"room": room})).unwrap();
    let refusal = loop {
        if let Err(failure) = node.request("invite", json!({"room": room})).unwrap() {
            break failure;
        }
    };
    assert_eq!(refusal.code, "too_many_invites");
    let close = json!({"room": room, "invite": first["invite"]});
    node.ok("revoke", close).unwrap();
    node.ok("invite", json!({"room": room})).unwrap();
}
