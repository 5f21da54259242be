//! Networks that lose frames, and one that is slow.

use peddlenet_tests::lab::{Lab, Prefix, Room};

use crate::{Device, NO_LAN, beside_others, device, nodes};

/// Messages that each says (count).
const SAID: usize = 30;

/// Everybody says many things; everybody hears all of them, once.
fn talk_much(room: &Room, all: &[Device]) {
    for n in 0..SAID {
        for speaker in all {
            let text = format!("{n} of {}", speaker.node.name());
            room.say(&speaker.node, &text).unwrap();
        }
    }
    for listener in all {
        for speaker in all.iter().filter(|s| s.node.pid() != listener.node.pid()) {
            for n in 0..SAID {
                let text = format!("{n} of {}", speaker.node.name());
                room.hear(&listener.node, &text).unwrap();
                let events = listener.node.events();
                let times = events
                    .iter()
                    .filter(|e| e.kind() == "message" && e.str("text") == text)
                    .count();
                assert_eq!(times, 1, "{text} at {}", listener.node.name());
            }
        }
    }
    room.until_same(&nodes(all)).unwrap();
}

fn story(third: u8, worsen: impl Fn(&Device)) {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let wifi = lab.wifi(Prefix::v4(10, 70, third)).unwrap();
    // It is bad from before the first scan.
    let all = ["ada", "bea", "cem"].map(|name| device(&lab, &wifi, name, NO_LAN));
    all.iter().for_each(worsen);
    let room = Room::made_by(&all[0].node, "Far corner").unwrap();
    room.let_in(&all[0].node, all[1..].iter().map(|d| &d.node))
        .unwrap();
    talk_much(&room, &all);
}

#[test]
fn five_per_cent_lost_each_way_lose_nothing_said() {
    story(0, |device| {
        device.plug.lose_sent(5).unwrap();
        device.plug.lose_received(5).unwrap();
    });
}

#[test]
fn a_third_lost_one_way_loses_nothing_said() {
    story(1, |device| {
        // Bea is heard badly, and hears well.
        if device.node.name() == "bea" {
            device.plug.lose_sent(30).unwrap();
        }
    });
}

#[test]
fn a_slow_line_carries_everything() {
    story(2, |device| device.plug.rate(256).unwrap());
}
