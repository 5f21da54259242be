//! Sealed copies with a server: who comes back alone learns what was said meanwhile.

use std::process::Command;

use peddlenet_tests::{
    lab::until,
    node_process::{Launch, NodeProcess},
    server_process::{ServerProcess, server_binary},
};
use serde_json::json;
use tempfile::TempDir;

use crate::process::{code, create_room, hear, say};

struct Camp {
    ada: NodeProcess,
    bea: NodeProcess,
    room: String,
    _server: Kept,
    folders: [TempDir; 2],
}

/// A server that keeps copies, and what it keeps.
struct Kept {
    server: ServerProcess,
    _data: TempDir,
}

fn server() -> Kept {
    let kept = tempfile::tempdir().unwrap();
    let data = kept.path().to_string_lossy().into_owned();
    let args = ["--listen", "127.0.0.1:0", "--udp", "off", "--data", &data];
    Kept {
        server: ServerProcess::start(Command::new(server_binary().unwrap()), &args).unwrap(),
        _data: kept,
    }
}

/// Somebody who meets others at that server, and nowhere else.
fn at(server: &Kept, name: &str, folder: &TempDir) -> NodeProcess {
    let url = format!("ws://{}", server.server.listen());
    let args = ["--no-lan", "--no-direct", "--server", &url];
    let launch = Launch {
        extra: args.map(str::to_owned).to_vec(),
        ..Launch::new(name, folder.path())
    };
    NodeProcess::start(launch).unwrap()
}

/// Two in a room, a server that keeps copies, and no other way between them.
fn camp() -> Camp {
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let server = server();
    let [ada, bea] = [0, 1].map(|n| at(&server, ["Ada", "Bea"][n], &folders[n]));
    let room = create_room(&ada, "Camp");
    bea.ok("join", json!({"link": code(&ada, &room)})).unwrap();
    Camp {
        ada,
        bea,
        room,
        _server: server,
        folders,
    }
}

fn count(node: &NodeProcess, what: &str) -> u64 {
    let stats = node.ok("stats", json!({})).unwrap();
    stats[what].as_u64().unwrap_or_default()
}

/// Until the server has said that it keeps so many copies more.
fn until_left(node: &NodeProcess, more_than: u64) {
    let left = || match count(node, "copies_left") {
        left if left > more_than => Ok(Ok(left)),
        left => Ok(Err(format!("{left} are"))),
    };
    until("a copy that is kept", left).unwrap();
}

#[test]
fn who_comes_back_alone_fetches_what_was_said_meanwhile() {
    let Camp {
        ada,
        mut bea,
        room,
        _server,
        folders: _folders,
    } = camp();
    say(&ada, &room, "before");
    hear(&bea, "before");
    ada.ok("backup", json!({"room": room, "on": true})).unwrap();
    // What was said before is left, too.
    until_left(&ada, 0);
    bea.kill().unwrap();
    let before = count(&ada, "copies_left");
    say(&ada, &room, "while you were away");
    until_left(&ada, before);
    drop(ada);
    let back = bea.restart_on(vec!["127.0.0.1:0".to_owned()]).unwrap();
    hear(&back, "while you were away");
    assert!(count(&back, "copies_fetched") > 0);
}

#[test]
fn another_server_is_left_what_the_first_one_has() {
    let Camp {
        ada,
        bea,
        room,
        _server: first,
        folders: [a, b],
    } = camp();
    ada.ok("backup", json!({"room": room, "on": true})).unwrap();
    until_left(&ada, 0);
    // What both have to have heard before their ways part.
    say(&ada, &room, "before");
    hear(&bea, "before");
    drop(bea);
    let before = count(&ada, "copies_left");
    say(&ada, &room, "kept here and there");
    until_left(&ada, before);
    let all = count(&ada, "copies_left");
    drop((ada, first));
    let elsewhere = server();
    let ada = at(&elsewhere, "Ada", &a);
    until_left(&ada, all - 1);
    drop(ada);
    hear(&at(&elsewhere, "Bea", &b), "kept here and there");
}

#[test]
fn nothing_is_left_unless_the_owner_says_so() {
    let camp = camp();
    let (ada, bea, room) = (&camp.ada, &camp.bea, &camp.room);
    let refused = bea.request("backup", json!({"room": room, "on": true}));
    assert_eq!(refused.unwrap().unwrap_err().code, "not_allowed");
    for text in ["one", "two", "three"] {
        say(ada, room, text);
        hear(bea, text);
    }
    assert_eq!(
        (count(ada, "copies_left"), count(bea, "copies_left")),
        (0, 0)
    );
    ada.ok("backup", json!({"room": room, "on": true})).unwrap();
    until_left(ada, 2);
    ada.ok("backup", json!({"room": room, "on": false}))
        .unwrap();
}
