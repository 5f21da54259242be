//! Switched off hard and on again: friends find each other without a new code.

use peddlenet_tests::node_process::{Launch, NodeEvent, NodeProcess};
use serde_json::json;
use tempfile::TempDir;

use crate::process::{code, create_room, hear, say, start, texts};

struct Friends {
    ada: NodeProcess,
    bea: NodeProcess,
    room: String,
    _folders: [TempDir; 2],
}

/// Two who have talked, on loopback.
fn friends() -> Friends {
    friends_on(&["127.0.0.1:0"])
}

/// The same, each listening on these; on every interface when there are none.
fn friends_on(listen: &[&str]) -> Friends {
    let start = |name: &str| {
        let folder = tempfile::tempdir().unwrap();
        let launch = Launch {
            listen: listen.iter().map(ToString::to_string).collect(),
            ..Launch::new(name, folder.path())
        };
        (folder, NodeProcess::start(launch).unwrap())
    };
    let (a, ada) = start("Ada");
    let (b, bea) = start("Bea");
    let room = create_room(&ada, "Friends");
    bea.ok("join", json!({"link": code(&ada, &room)})).unwrap();
    say(&ada, &room, "one");
    hear(&bea, "one");
    say(&bea, &room, "two");
    hear(&ada, "two");
    Friends {
        ada,
        bea,
        room,
        _folders: [a, b],
    }
}

fn is_linked(e: &NodeEvent) -> bool {
    e.kind() == "member" && e.str("state") == "linked" && ["Ada", "Bea"].contains(&e.str("name"))
}

/// Both find each other, have the whole past, and go on talking.
fn together_again(ada: &NodeProcess, bea: &NodeProcess, room: &str, past: &[&str]) {
    for node in [ada, bea] {
        node.wait_for_event("the friend to be linked", is_linked)
            .unwrap();
        assert_eq!(texts(node, room), past);
    }
    say(bea, room, "again");
    hear(ada, "again");
    say(ada, room, "welcome back");
    hear(bea, "welcome back");
    let heads = |node: &NodeProcess| node.ok("heads", json!({"room": room})).unwrap();
    assert_eq!(heads(ada)["digest"], heads(bea)["digest"]);
}

#[test]
fn both_killed_at_once_find_each_other_on_their_ports() {
    let Friends {
        mut ada,
        mut bea,
        room,
        _folders,
    } = friends();
    ada.kill().unwrap();
    bea.kill().unwrap();
    let (ada, bea) = (ada.restart().unwrap(), bea.restart().unwrap());
    together_again(&ada, &bea, &room, &["one", "two"]);
}

#[test]
fn one_whose_port_was_taken_finds_the_other() {
    let Friends {
        mut ada,
        mut bea,
        room,
        _folders,
    } = friends();
    let taken = ada.listen()[0];
    ada.kill().unwrap();
    bea.kill().unwrap();
    let _other_program = std::net::UdpSocket::bind(taken).unwrap();
    // Bea can only find Ada because Ada finds Bea.
    let bea = bea.restart().unwrap();
    let ada = ada.restart_on(vec!["127.0.0.1:0".to_owned()]).unwrap();
    assert_ne!(ada.listen()[0], taken);
    together_again(&ada, &bea, &room, &["one", "two"]);
}

#[test]
fn without_listen_the_last_port_is_taken_again_in_both_families() {
    let Friends {
        mut ada,
        mut bea,
        room,
        _folders,
    } = friends_on(&[]);
    let before = ada.listen().to_vec();
    ada.kill().unwrap();
    bea.kill().unwrap();
    let bea = bea.restart_on(vec![]).unwrap();
    let mut ada = ada.restart_on(vec![]).unwrap();
    assert_eq!(ada.listen(), before);
    together_again(&ada, &bea, &room, &["one", "two"]);

    // Once more, with another program on the port.
    ada.kill().unwrap();
    let any = std::net::SocketAddr::from(([0, 0, 0, 0], before[0].port()));
    let _other_program = std::net::UdpSocket::bind(any).unwrap();
    let ada = ada.restart_on(vec![]).unwrap();
    assert_ne!(ada.listen()[0].port(), before[0].port());
    assert_eq!(ada.listen().len(), before.len());
    say(&ada, &room, "moved");
    hear(&bea, "moved");
}

#[test]
fn what_was_said_while_one_was_away_arrives() {
    let Friends {
        mut ada,
        mut bea,
        room,
        _folders,
    } = friends();
    bea.kill().unwrap();
    say(&ada, &room, "you are away, Bea");
    ada.kill().unwrap();
    let bea = bea.restart().unwrap();
    say(&bea, &room, "you are away, Ada");
    let ada = ada.restart().unwrap();
    hear(&bea, "you are away, Bea");
    hear(&ada, "you are away, Ada");
    together_again(
        &ada,
        &bea,
        &room,
        &["one", "two", "you are away, Bea", "you are away, Ada"],
    );
}

#[test]
fn a_new_friend_joins_after_a_restart_by_the_old_code() {
    let Friends {
        mut ada,
        bea,
        room,
        _folders,
    } = friends();
    let old = code(&ada, &room);
    ada.kill().unwrap();
    let ada = ada.restart().unwrap();
    let (_c, cyd) = start("Cyd");
    cyd.ok("join", json!({"link": old})).unwrap();
    say(&cyd, &room, "hello both");
    hear(&ada, "hello both");
    hear(&bea, "hello both");
    hear(&cyd, "one");
    hear(&cyd, "two");
}

#[test]
fn a_name_given_at_the_start_reaches_the_others() {
    let Friends {
        ada,
        mut bea,
        room,
        _folders,
    } = friends();
    bea.kill().unwrap();
    let renamed = Launch::new("Beatrice", bea.data());
    let bea = NodeProcess::start(renamed).unwrap();
    ada.wait_for_event("Bea's new name", |e| {
        e.kind() == "member" && e.str("name") == "Beatrice"
    })
    .unwrap();
    say(&bea, &room, "it's me");
    assert_eq!(hear(&ada, "it's me")["name"], "Beatrice");
}
