//! Whole programs: `peddlenet-node` as scripts drive it.

use std::path::Path;

use peddlenet_mesh::ErrorCode;
use peddlenet_tests::node_process::{Launch, NodeProcess, str_of};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A profile's folder and the node that runs on it.
pub(crate) fn start(name: &str) -> (TempDir, NodeProcess) {
    let folder = tempfile::tempdir().unwrap();
    let node = NodeProcess::start(Launch::new(name, folder.path())).unwrap();
    (folder, node)
}

pub(crate) fn create_room(node: &NodeProcess, name: &str) -> String {
    let made = node.ok("create_room", json!({"name": name})).unwrap();
    str_of(&made, "room").to_owned()
}

pub(crate) fn code(node: &NodeProcess, room: &str) -> String {
    let invite = node.ok("invite", json!({"room": room})).unwrap();
    str_of(&invite, "link").to_owned()
}

pub(crate) fn say(node: &NodeProcess, room: &str, text: &str) -> String {
    let sent = node.ok("send", json!({"room": room, "text": text}));
    str_of(&sent.unwrap(), "message").to_owned()
}

pub(crate) fn hear(node: &NodeProcess, text: &str) -> Value {
    let is_it = |e: &peddlenet_tests::node_process::NodeEvent| {
        e.kind() == "message" && e.str("text") == text
    };
    node.wait_for_event(&format!("“{text}”"), is_it)
        .unwrap()
        .value
}

pub(crate) fn texts(node: &NodeProcess, room: &str) -> Vec<String> {
    let history = node.ok("history", json!({"room": room, "limit": 500}));
    let history = history.unwrap();
    let messages = history["messages"].as_array().unwrap();
    messages
        .iter()
        .map(|m| str_of(m, "text").to_owned())
        .collect()
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn two_programs_do_what_the_contract_says() {
    let (_a, ada) = start("Ada");
    let (_b, bea) = start("Bea");
    let room = create_room(&ada, "Camp 7");
    let invite = ada
        .ok("invite", json!({"room": room, "ttl_s": 600, "uses": 10}))
        .unwrap();
    assert_eq!(keys(&invite), ["bytes", "invite", "link"]);
    let link = str_of(&invite, "link");
    assert!(link.starts_with("PEDDLENET:J/"), "{link}");

    let joined = bea.ok("join", json!({"link": link})).unwrap();
    assert_eq!(
        (str_of(&joined, "room"), str_of(&joined, "via")),
        (room.as_str(), "direct")
    );
    println!("joined in {} ms", joined["ms"].as_u64().unwrap());

    let message = say(&ada, &room, "hello");
    let heard = hear(&bea, "hello");
    assert_eq!(
        keys(&heard),
        [
            "author", "event", "hops", "message", "name", "room", "text", "time_ms"
        ]
    );
    assert_eq!(str_of(&heard, "message"), message);
    assert_eq!((str_of(&heard, "name"), &heard["hops"]), ("Ada", &json!(1)));
    say(&bea, &room, "hi Ada");
    hear(&ada, "hi Ada");

    let receipt = ada
        .wait_for_event("a receipt", |e| {
            e.kind() == "receipt"
                && e.str("message") == message
                && e.value["seen_by"][0].is_string()
        })
        .unwrap();
    assert_eq!(str_of(&receipt.value, "room"), room);
    ada.wait_for_event("a link", |e| e.kind() == "link" && e.str("state") == "up")
        .unwrap();
    ada.wait_for_event("Bea to be linked", |e| {
        e.kind() == "member" && e.str("name") == "Bea" && e.str("state") == "linked"
    })
    .unwrap();

    let history = ada
        .ok("history", json!({"room": room, "limit": 50}))
        .unwrap();
    let messages = history["messages"].as_array().unwrap();
    assert_eq!(
        keys(&messages[0]),
        [
            "author", "hops", "message", "name", "seen_by", "text", "time_ms"
        ]
    );
    let before = json!({"room": room, "before": messages[1]["message"]});
    let older = ada.ok("history", before).unwrap();
    assert_eq!(older["messages"].as_array().unwrap().len(), 1);
    let members = ada.ok("members", json!({"room": room})).unwrap();
    assert_eq!(
        keys(&members["members"][0]),
        [
            "author",
            "blocked",
            "forked",
            "hops",
            "imitates",
            "key_changed",
            "lookalike",
            "moving",
            "muted",
            "name",
            "role",
            "since_ms",
            "state",
            "verified"
        ]
    );
    let people = members["members"].as_array().unwrap();
    let since = |name: &str| {
        let one = people.iter().find(|member| str_of(member, "name") == name);
        one.unwrap()["since_ms"].as_u64().unwrap()
    };
    let heard_at = heard["time_ms"].as_u64().unwrap();
    assert!(since("Ada") < since("Bea") && since("Bea") < heard_at);
    let rooms = ada.ok("rooms", json!({})).unwrap();
    assert_eq!(
        keys(&rooms["rooms"][0]),
        ["members", "name", "removed", "room", "unread"]
    );
    let heads = ada.ok("heads", json!({"room": room})).unwrap();
    assert_eq!(keys(&heads), ["bodies", "digest", "epoch", "events"]);
    let links = ada.ok("links", json!({})).unwrap();
    let known = [
        "peer",
        "via",
        "rtt_ms",
        "loss_percent",
        "state",
        "bytes_in",
        "bytes_out",
    ];
    for key in known {
        assert!(links["links"][0].get(key).is_some(), "{key}");
    }
    has_what_the_screen_shows(&bea.ok("stats", json!({})).unwrap());
    assert!(ada.quit().unwrap().success());
    assert!(bea.quit().unwrap().success());
}

/// `stats` has each number of the Diagnostics screen, under the same name.
fn has_what_the_screen_shows(stats: &Value) {
    let types = include_str!("../../ui/ipc/types.js");
    let (_, after) = types.split_once("@typedef {object} Diagnostics").unwrap();
    let (numbers, _) = after.split_once("@typedef").unwrap();
    let mut seen = 0;
    for line in numbers.lines().filter_map(|l| l.split_once("@property ")) {
        let (_, described) = line;
        // A name stands behind its type, whose lists name theirs in braces.
        let (kind, rest) = described[1..].rsplit_once('}').unwrap();
        let name = rest.split_whitespace().next().unwrap();
        if name == "counters" {
            // They stand beside the others.
            assert!(stats["frames_in"].is_u64());
            continue;
        }
        let number = stats.get(snake(name)).unwrap_or_else(|| panic!("{name}"));
        let one = match number {
            Value::Array(all) => all.first(),
            one => one.is_object().then_some(one),
        };
        let inner = kind.split_once('{').map(|(_, inner)| inner);
        if let (Some(one), Some(inner)) = (one, inner) {
            let fields = inner.split(',').filter_map(|field| field.split_once(':'));
            for (field, _) in fields {
                assert!(one.get(snake(field)).is_some(), "{name}: {field}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 15, "the pattern finds them: {seen}");
}

/// `rttMs` as `rtt_ms`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.trim().chars() {
        if c.is_uppercase() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[test]
fn a_drawn_code_is_scanned_from_its_picture() {
    let (folder, ada) = start("Ada");
    let (_b, bea) = start("Bea");
    let room = create_room(&ada, "Picture");
    let png = folder.path().join("code.png");
    ada.ok("invite", json!({"room": room, "png": png})).unwrap();
    let joined = bea.ok("join", json!({"png": png})).unwrap();
    assert_eq!(str_of(&joined, "room"), room);
    say(&ada, &room, "seen");
    hear(&bea, "seen");
}

#[test]
fn two_programs_verify_each_other_and_one_blocks() {
    let (folder, ada) = start("Ada");
    let (_b, bea) = start("Bea");
    let room = create_room(&ada, "Camp 7");
    bea.ok("join", json!({"link": code(&ada, &room)})).unwrap();
    say(&bea, &room, "hello");
    let hello = hear(&ada, "hello");
    say(&ada, &room, "hi");
    let (of_bea, of_ada) = (hello["author"].clone(), hear(&bea, "hi")["author"].clone());

    let png = folder.path().join("verify.png");
    let asked = json!({"room": room, "author": of_bea, "png": png});
    let shown = ada.ok("verify", asked).unwrap();
    assert_eq!(
        keys(&shown),
        [
            "author",
            "digits",
            "key_changed",
            "link",
            "name",
            "verified"
        ]
    );
    let asked = json!({"room": room, "author": of_ada});
    let by_bea = bea.ok("verify", asked).unwrap();
    assert_eq!(shown["digits"], by_bea["digits"]);
    let scan = json!({"room": room, "author": of_ada, "scan": png});
    let scanned = bea.ok("verify", scan).unwrap();
    assert_eq!(scanned, json!({"author": of_ada, "verified": true}));
    let own = json!({"room": room, "code": shown["link"]});
    let failure = ada.request("verify", own).unwrap().unwrap_err();
    assert_eq!(failure.code, "own_code");
    let confirm = json!({"room": room, "author": of_bea, "confirm": true});
    ada.ok("verify", confirm).unwrap();

    let block = json!({"room": room, "author": of_bea, "on": true});
    ada.ok("block", block).unwrap();
    let members = ada.ok("members", json!({"room": room})).unwrap();
    let members = members["members"].as_array().unwrap();
    let bea_now = members.iter().find(|m| m["author"] == of_bea).unwrap();
    assert_eq!(
        (&bea_now["blocked"], &bea_now["verified"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(texts(&ada, &room), ["hi"]);
    let unblock = json!({"room": room, "author": of_bea, "on": false});
    ada.ok("block", unblock).unwrap();
    assert_eq!(texts(&ada, &room), ["hello", "hi"]);
}

#[test]
fn a_second_process_on_one_profile_ends_with_a_sentence() {
    let (folder, first) = start("Ada");
    let room = create_room(&first, "Mine");
    let second = Launch::new("Ada", folder.path()).run_to_end().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&second.stdout), "");
    let said = String::from_utf8_lossy(&second.stderr);
    println!("{said}");
    assert!(said.contains("already open with this profile"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    // The first one doesn't notice.
    say(&first, &room, "still here");
    assert_eq!(texts(&first, &room), ["still here"]);
}

#[test]
fn the_end_of_the_input_ends_the_node() {
    let folder = tempfile::tempdir().unwrap();
    let output = Launch::new("Ada", folder.path()).run_to_end().unwrap();
    assert!(output.status.success(), "{}", output.status);
    let lines = String::from_utf8(output.stdout).unwrap();
    let ready: Value = serde_json::from_str(lines.trim()).unwrap();
    assert_eq!(str_of(&ready, "event"), "ready");
}

#[test]
fn a_port_that_is_taken_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let launch = Launch {
        listen: vec![taken.local_addr().unwrap().to_string()],
        ..Launch::new("Ada", folder.path())
    };
    let output = launch.run_to_end().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("port couldn't be opened"), "{said}");
}

#[test]
fn the_readme_lists_every_error_code() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mesh/node/README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let listed: Vec<_> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(code, _)| code)
        .filter(|code| !code.contains(['{', ' ']))
        .collect();
    let all: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(listed, all);
}
