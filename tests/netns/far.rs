//! Networks far apart: a busy mobile network between them, with answers that overtake each other.

use std::{path::Path, time::Duration};

use peddlenet_tests::{
    lab::{Distance, Lab, Nat, Prefix, Room},
    node_process::NodeEvent,
};
use serde_json::json;

use crate::{NO_LAN, beside_others, device};

const DELAY: Duration = Duration::from_millis(100);
const JITTER: Duration = Duration::from_millis(30);
const MESSAGES: usize = 40;

/// A fifth of a second there and back is no lost link: a join, many messages each way, a restart, and no link that comes and goes.
#[test]
fn a_fifth_of_a_second_there_and_back_is_near_enough() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let outside = lab.wifi(Prefix::v4(203, 0, 113)).unwrap();
    let ada = device(&lab, &outside, "ada", NO_LAN);
    let inside = Prefix::v4(192, 168, 3);
    let router = lab
        .router("dish", &outside, inside, Nat::PortRestricted)
        .unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_lab_delay"));
    let listen = ada.node.listen();
    let target = *listen.iter().find(|addr| addr.is_ipv4()).unwrap();
    let distance = Distance::between(&router, program, target, DELAY, JITTER).unwrap();
    let mut bea = device(&lab, router.inside(), "bea", NO_LAN);
    let room = Room::made_by(&ada.node, "Far").unwrap();
    room.let_in(&ada.node, [&bea.node]).unwrap();
    for n in 0..MESSAGES {
        room.say(&ada.node, &format!("from here {n}")).unwrap();
        room.say(&bea.node, &format!("from there {n}")).unwrap();
    }
    for n in 0..MESSAGES {
        room.hear(&bea.node, &format!("from here {n}")).unwrap();
        room.hear(&ada.node, &format!("from there {n}")).unwrap();
    }
    // It was not taken for lost meanwhile, and is as slow as the lab says.
    assert_eq!(bea.node.events().iter().filter(|e| is_down(e)).count(), 0);
    let links = bea.node.ok("links", json!({})).unwrap();
    let rtt = links["links"][0]["rtt_ms"].as_f64().unwrap();
    let least = 2.0 * DELAY.as_secs_f64() * 1_000.0;
    assert!(rtt >= least, "{rtt} ms over a line of {least} ms");

    bea.node.kill().unwrap();
    bea.node = bea.node.restart().unwrap();
    room.all_talk("after a restart", &[&ada.node, &bea.node])
        .unwrap();
    room.until_same(&[&ada.node, &bea.node]).unwrap();
    drop(distance);
}

fn is_down(event: &NodeEvent) -> bool {
    event.kind() == "link" && event.str("state") == "down"
}
