//! Somebody is away for a while, and comes back.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use peddlenet_tests::lab::{Lab, Prefix, lost_a_link, until};
use serde_json::json;

use crate::{NO_LAN, beside_others, device, devices, nodes};

/// Longer than a link takes to be given up.
const A_WHILE: Duration = Duration::from_secs(12);
/// Longer than what counts as sleep.
const ASLEEP: Duration = Duration::from_secs(20);
/// Epochs that somebody misses (count).
const EPOCHS: usize = 10;

#[test]
fn who_walks_away_and_returns_hears_what_was_said() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let wifi = lab.wifi(Prefix::v4(10, 61, 0)).unwrap();
    let (room, all) = devices(&lab, &wifi, &["ada", "bea", "cem"], NO_LAN);
    let [ada, bea, cem] = &all[..] else {
        unreachable!()
    };
    room.all_talk("together", &nodes(&all)).unwrap();

    let cut = Instant::now();
    cem.plug.cut().unwrap();
    for device in [cem, ada] {
        lost_a_link(&device.node, cut).unwrap();
    }
    room.is_heard("where is cem?", &ada.node, [&bea.node])
        .unwrap();
    room.say(&cem.node, "nobody here").unwrap();

    cem.plug.restore().unwrap();
    room.hear(&cem.node, "where is cem?").unwrap();
    room.hear(&ada.node, "nobody here").unwrap();
    room.hear(&bea.node, "nobody here").unwrap();
    room.all_talk("together again", &nodes(&all)).unwrap();
    room.until_same(&nodes(&all)).unwrap();
}

/// A laptop whose lid was shut: its links are gone and its timers late, and nobody has to scan.
#[test]
fn who_sleeps_and_wakes_hears_what_was_said() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let wifi = lab.wifi(Prefix::v4(10, 67, 0)).unwrap();
    let (room, all) = devices(&lab, &wifi, &["ada", "bea", "cem"], NO_LAN);
    let [ada, bea, cem] = &all[..] else {
        unreachable!()
    };
    room.all_talk("together", &nodes(&all)).unwrap();

    let shut = Instant::now();
    cem.node.sleep().unwrap();
    lost_a_link(&ada.node, shut).unwrap();
    room.is_heard("sleep well", &ada.node, [&bea.node]).unwrap();
    std::thread::sleep(ASLEEP.saturating_sub(shut.elapsed()));
    cem.node.wake().unwrap();
    let woke = Instant::now();
    let heard = room.hear(&cem.node, "sleep well").unwrap().at;
    eprintln!("awake and back after {:.1?}", heard.duration_since(woke));
    room.all_talk("together again", &nodes(&all)).unwrap();
    room.until_same(&nodes(&all)).unwrap();
}

#[test]
fn who_gave_its_address_back_and_got_it_again_is_found() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let wifi = lab.wifi(Prefix::v4(10, 62, 0)).unwrap();
    let (room, all) = devices(&lab, &wifi, &["ada", "bea"], NO_LAN);
    let (ada, bea) = (&all[0].node, &all[1].node);
    room.all_talk("together", &nodes(&all)).unwrap();
    all[1].plug.leave().unwrap();
    room.say(ada, "are you there?").unwrap();
    room.say(bea, "no network").unwrap();
    std::thread::sleep(A_WHILE);
    wifi.rejoin(&all[1].plug).unwrap();
    room.hear(bea, "are you there?").unwrap();
    room.hear(ada, "no network").unwrap();
}

#[test]
fn who_missed_ten_epochs_returns_without_a_scan() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let wifi = lab.wifi(Prefix::v4(10, 63, 0)).unwrap();
    let (room, mut all) = devices(&lab, &wifi, &["ada", "bea", "cem"], NO_LAN);
    room.all_talk("together", &nodes(&all)).unwrap();
    room.until_same(&nodes(&all)).unwrap();
    let mut cem = all.pop().unwrap();
    cem.node.kill().unwrap();

    // One guest after the other is let in, says something and is removed: an epoch each.
    let (ada, bea) = (&all[0].node, &all[1].node);
    let epoch = |node| room.heads(node).unwrap()["epoch"].to_string();
    let mut epochs = BTreeSet::from([epoch(ada)]);
    for n in 0..EPOCHS {
        let name = format!("guest{n}");
        let guest = device(&lab, &wifi, &name, NO_LAN);
        room.let_in(ada, [&guest.node]).unwrap();
        let hello = format!("hello from {name}");
        room.is_heard(&hello, &guest.node, [ada, bea]).unwrap();
        // The name comes on its own, maybe after what was said.
        let author = room.until_known(ada, &name).unwrap();
        ada.ok("remove", json!({"room": room.id(), "author": author}))
            .unwrap();
        room.is_heard(&format!("{name} is gone"), ada, [bea])
            .unwrap();
        epochs.insert(epoch(ada));
    }
    assert_eq!(epochs.len(), 1 + EPOCHS, "{epochs:?}");

    let cem_again = cem.node.restart().unwrap();
    for n in 0..EPOCHS {
        room.hear(&cem_again, &format!("guest{n} is gone")).unwrap();
    }
    until("cem to be in the newest epoch", || {
        let (theirs, cems) = (epoch(ada), epoch(&cem_again));
        Ok((theirs == cems)
            .then_some(())
            .ok_or(format!("{cems} of {theirs}")))
    })
    .unwrap();
    room.is_heard("I'm back", &cem_again, [ada, bea]).unwrap();
    room.is_heard("good", bea, [ada, &cem_again]).unwrap();
    room.until_same(&[ada, bea, &cem_again]).unwrap();
}
