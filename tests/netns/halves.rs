//! Twelve devices on two switches; the cable between the two is pulled, and put back.

use std::time::Duration;

use peddlenet_tests::lab::{Lab, Prefix, Room};

use crate::{Device, NO_LAN, alone, device};

const HALF: usize = 6;

/// How long the cable is out: PEDDLENET_PARTITION_S, 60 in the long runs.
fn partition() -> Duration {
    let asked = std::env::var("PEDDLENET_PARTITION_S").ok();
    Duration::from_secs(asked.and_then(|s| s.parse().ok()).unwrap_or(20))
}

#[test]
fn two_halves_talk_among_themselves_and_are_one_room_again() {
    let _turn = alone();
    let Some(lab) = Lab::open() else { return };
    // One network: the second access point is another of the same house.
    let left = lab.wifi(Prefix::v4(10, 90, 0)).unwrap();
    let right = lab.wifi(Prefix::v4(10, 90, 0).starting_at(100)).unwrap();
    let trunk = left.trunk(&right).unwrap();
    let side = |wifi, name: &str| -> Vec<Device> {
        (0..HALF)
            .map(|n| device(&lab, wifi, &format!("{name}{n}"), NO_LAN))
            .collect()
    };
    let (lefts, rights) = (side(&left, "left"), side(&right, "right"));
    let (lefts_nodes, rights_nodes) = (crate::nodes(&lefts), crate::nodes(&rights));
    let all: Vec<_> = lefts_nodes.iter().chain(&rights_nodes).copied().collect();
    let room = Room::made_by(all[0], "House").unwrap();
    room.let_in(all[0], all[1..].iter().copied()).unwrap();
    room.all_talk("whole", &all).unwrap();

    trunk.cut().unwrap();
    room.all_talk("left alone", &lefts_nodes).unwrap();
    room.all_talk("right alone", &rights_nodes).unwrap();
    std::thread::sleep(partition());
    room.is_heard(
        "still alone",
        lefts_nodes[1],
        lefts_nodes.iter().skip(2).copied(),
    )
    .unwrap();

    trunk.restore().unwrap();
    for right in &rights_nodes {
        room.hear(right, "left alone, says left3").unwrap();
        room.hear(right, "still alone").unwrap();
    }
    for left in &lefts_nodes {
        room.hear(left, "right alone, says right4").unwrap();
    }
    room.until_same(&all).unwrap();
    room.all_talk("whole again", &all).unwrap();
}
