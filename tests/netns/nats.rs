//! Two networks, a router with NAT before each, and a rendezvous server between them.

use peddlenet_tests::lab::{Internet, Lab, Nat, Prefix, Room, Router, links};
use serde_json::json;

use crate::{Device, NO_LAN, beside_others, came_by, device};

struct Pair {
    // Nodes end before what they run on.
    ada: Device,
    bea: Device,
    internet: Internet,
    _routers: [Router; 2],
    _lab: Lab,
}

/// Ada behind one router, bea behind another.
fn pair(nats: [Nat; 2]) -> Option<Pair> {
    let lab = Lab::open()?;
    let internet = Internet::new(&lab).unwrap();
    let args = [NO_LAN, &["--server", internet.url()]].concat();
    let behind = |nat, name, inside| internet.behind(&lab, nat, name, inside).unwrap();
    let [one, other] = nats;
    let routers = [
        behind(one, "ada", Prefix::v4(192, 168, 1)),
        behind(other, "bea", Prefix::v4(192, 168, 2)),
    ];
    Some(Pair {
        ada: device(&lab, routers[0].inside(), "ada", &args),
        bea: device(&lab, routers[1].inside(), "bea", &args),
        internet,
        _routers: routers,
        _lab: lab,
    })
}

/// Bea scans ada's code; gives the way that her link came up.
fn join(pair: &Pair) -> (Room, String) {
    let (ada, bea) = (&pair.ada.node, &pair.bea.node);
    let room = Room::made_by(ada, "Across").unwrap();
    let code = room.code(ada).unwrap();
    let joined = bea.ok("join", json!({"link": code})).unwrap();
    room.all_talk("across", &[ada, bea]).unwrap();
    let via = joined["via"].as_str().unwrap_or_default().to_owned();
    came_by(&via, [ada, bea]);
    (room, via)
}

#[test]
fn two_behind_routers_that_keep_ports_need_no_relay_and_then_no_server() {
    let _turn = beside_others();
    let Some(mut pair) = pair([Nat::PortRestricted, Nat::PortRestricted]) else {
        return;
    };
    let (room, via) = join(&pair);
    assert_eq!(via, "server");
    pair.internet.kill_server();
    let both = [&pair.ada.node, &pair.bea.node];
    room.all_talk("without the server", &both).unwrap();
    room.until_same(&both).unwrap();
    assert!(both.iter().all(|node| links(node).unwrap() > 0));
}

#[test]
fn two_behind_routers_that_make_up_ports_talk_over_the_relay() {
    let _turn = beside_others();
    let Some(pair) = pair([Nat::Symmetric, Nat::Symmetric]) else {
        return;
    };
    let (room, via) = join(&pair);
    assert_eq!(via, "turn");
    let both = [&pair.ada.node, &pair.bea.node];
    for n in 0..20 {
        room.all_talk(&format!("relayed {n}"), &both).unwrap();
    }
    room.until_same(&both).unwrap();
}

/// Members, too, find each other so, whoever of them was away.
#[test]
fn a_member_behind_a_router_comes_back_without_a_scan() {
    let _turn = beside_others();
    for nat in [Nat::PortRestricted, Nat::Symmetric] {
        let Some(pair) = pair([nat, nat]) else { return };
        let (room, _) = join(&pair);
        let Pair {
            ada,
            mut bea,
            internet,
            _routers,
            _lab,
        } = pair;
        bea.node.kill().unwrap();
        room.say(&ada.node, "where are you?").unwrap();
        let back = bea.node.restart_on(Vec::new()).unwrap();
        room.hear(&back, "where are you?").unwrap();
        room.all_talk("back", &[&ada.node, &back]).unwrap();
        drop((back, ada, internet));
    }
}
