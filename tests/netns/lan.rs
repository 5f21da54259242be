//! Stories that take devices which look for each other on a network (mDNS), and which notice that their
//! addresses changed.

use std::time::Instant;

use peddlenet_tests::lab::{Lab, Prefix, Room, lost_a_link};
use serde_json::json;

use crate::{alone, beside_others, came_by, device, devices, nodes};

/// With discovery, as people run it.
const LAN: &[&str] = &[];

#[test]
fn after_the_access_point_came_back_with_new_addresses_all_find_each_other() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let wifi = lab.wifi(Prefix::v4(10, 101, 0)).unwrap();
    let (room, all) = devices(&lab, &wifi, &["ada", "bea", "cem", "dana"], LAN);
    room.all_talk("before", &nodes(&all)).unwrap();
    wifi.off().unwrap();
    room.say(&all[0].node, "is anybody there?").unwrap();
    wifi.on_again(Prefix::v4(10, 102, 0)).unwrap();
    for other in &all[1..] {
        room.hear(&other.node, "is anybody there?").unwrap();
    }
    room.all_talk("after", &nodes(&all)).unwrap();
    room.until_same(&nodes(&all)).unwrap();
}

#[test]
fn twelve_on_a_hotspot_that_dies_chat_again_in_another_network() {
    let _turn = alone();
    let Some(lab) = Lab::open() else { return };
    let ada = lab.host("ada").unwrap();
    let hotspot = ada.hotspot(Prefix::v4(10, 103, 0)).unwrap();
    let mut host = ada.node(LAN).unwrap();
    let room = Room::made_by(&host, "Camp").unwrap();
    let names: Vec<_> = (1..12).map(|n| format!("n{n}")).collect();
    let rest: Vec<_> = names
        .iter()
        .map(|name| device(&lab, &hotspot, name, LAN))
        .collect();
    let rest_nodes = nodes(&rest);
    room.let_in(&host, rest_nodes.iter().copied()).unwrap();
    let mut all = vec![&host];
    all.extend(&rest_nodes);
    room.all_talk("twelve", &all).unwrap();

    // The phone's battery is empty.
    host.kill().unwrap();
    hotspot.off().unwrap();
    let offered = lab.wifi(Prefix::v4(10, 104, 0)).unwrap();
    for device in &rest {
        offered.join(&device.host).unwrap();
    }
    room.all_talk("elsewhere", &rest_nodes).unwrap();
    room.until_same(&rest_nodes).unwrap();
}

/// A room that was closed everywhere, and people who meet again under other addresses.
#[test]
fn members_that_start_in_another_network_find_each_other() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let first = lab.wifi(Prefix::v4(10, 105, 0)).unwrap();
    let (room, all) = devices(&lab, &first, &["ada", "bea"], LAN);
    room.all_talk("on friday", &nodes(&all)).unwrap();
    let second = lab.wifi(Prefix::v4(10, 106, 0)).unwrap();
    let mut again = Vec::new();
    let mut hosts = Vec::new();
    for mut device in all {
        device.node.kill().unwrap();
        device.plug.leave().unwrap();
        second.join(&device.host).unwrap();
        again.push(device.node.restart_on(Vec::new()).unwrap());
        hosts.push(device.host);
    }
    room.all_talk("on monday", &[&again[0], &again[1]]).unwrap();
}

#[test]
fn a_poster_without_addresses_lets_in_whoever_is_near() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let wifi = lab.wifi(Prefix::v4(10, 107, 0)).unwrap();
    let ada = device(&lab, &wifi, "ada", LAN);
    let bea = device(&lab, &wifi, "bea", LAN);
    let room = Room::made_by(&ada.node, "Camp").unwrap();
    let asked = json!({"room": room.id(), "poster": true});
    let poster = ada.node.ok("invite", asked).unwrap();
    bea.node
        .ok("join", json!({"link": poster["link"]}))
        .unwrap();
    room.all_talk("by the poster", &[&ada.node, &bea.node])
        .unwrap();
    came_by("lan", [&ada.node, &bea.node]);
}

fn link_local(prefix: Prefix) {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let wifi = lab.wifi(prefix).unwrap();
    let (room, all) = devices(&lab, &wifi, &["ada", "bea", "cem"], LAN);
    room.all_talk("nobody gave us addresses", &nodes(&all))
        .unwrap();
    room.until_same(&nodes(&all)).unwrap();
}

#[test]
fn link_local_addresses_of_ipv6_are_enough() {
    link_local(Prefix::link_local_v6());
}

#[test]
fn link_local_addresses_of_ipv4_are_enough() {
    link_local(Prefix::link_local_v4(8));
}

#[test]
fn a_join_among_isolated_clients_ends_with_a_reason() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let wifi = lab.wifi(Prefix::v4(10, 108, 0)).unwrap();
    let ada = device(&lab, &wifi, "ada", LAN);
    let bea = device(&lab, &wifi, "bea", LAN);
    wifi.isolate().unwrap();
    let room = Room::made_by(&ada.node, "Camp").unwrap();
    let code = room.code(&ada.node).unwrap();
    let refused = bea.node.request("join", json!({"link": code})).unwrap();
    let why = refused.expect_err("they can't hear each other");
    println!("{}: {}", why.code, why.message);
    assert_eq!(why.code, "networks_apart");
    assert!(
        why.message.contains("make a hotspot"),
        "it does not say what to do: {why:?}"
    );

    // What the sentence says helps.
    let hotspot = ada.host.hotspot(Prefix::v4(10, 109, 0)).unwrap();
    hotspot.join(&bea.host).unwrap();
    room.let_in(&ada.node, [&bea.node]).unwrap();
    room.all_talk("in a hotspot", &[&ada.node, &bea.node])
        .unwrap();
}

/// The inviter's firewall lets in nothing: the joiner's knock is never heard. It ends with a reason; a second
/// scan opens the way, and so does the other direction, since who is called then has no firewall.
#[test]
fn a_firewall_on_one_side_is_no_wall_for_the_room() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let wifi = lab.wifi(Prefix::v4(10, 110, 0)).unwrap();
    let ada = device(&lab, &wifi, "ada", LAN);
    let bea = device(&lab, &wifi, "bea", LAN);
    ada.host.firewall().unwrap();
    let room = Room::made_by(&ada.node, "Camp").unwrap();
    let code = room.code(&ada.node).unwrap();
    let refused = bea.node.request("join", json!({"link": code})).unwrap();
    let why = refused.expect_err("nothing comes in");
    println!("{}: {}", why.code, why.message);
    assert_eq!(why.code, "networks_apart");
    let back = bea.node.ok("back", json!({"link": code})).unwrap();
    ada.node
        .ok("answer_back", json!({"link": back["link"]}))
        .unwrap();
    let joined = bea
        .node
        .ok("join", json!({"link": code, "back": true}))
        .unwrap();
    assert_eq!(joined["via"], "two-scan");
    room.all_talk("through the wall", &[&ada.node, &bea.node])
        .unwrap();
    came_by("two-scan", [&ada.node, &bea.node]);
    let stranger = device(&lab, &wifi, "eve", LAN);
    let other = Room::made_by(&stranger.node, "Eve's").unwrap();
    let code = other.code(&stranger.node).unwrap();
    let forged = stranger.node.ok("back", json!({"link": code})).unwrap();
    let refused = ada
        .node
        .request("answer_back", json!({"link": forged["link"]}))
        .unwrap();
    assert_eq!(
        refused.expect_err("it answers no code of hers").code,
        "invite_unknown"
    );

    let camp = Room::made_by(&bea.node, "Camp, by bea").unwrap();
    camp.let_in(&bea.node, [&ada.node]).unwrap();
    camp.all_talk("from behind the wall", &[&ada.node, &bea.node])
        .unwrap();
    // The link broke and only one side can call: it does.
    let cut = Instant::now();
    ada.plug.cut().unwrap();
    lost_a_link(&bea.node, cut).unwrap();
    ada.plug.restore().unwrap();
    camp.until_state(&bea.node, "ada", "linked").unwrap();
    camp.all_talk("again", &[&ada.node, &bea.node]).unwrap();
}
