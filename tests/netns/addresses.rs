//! Addresses of another kind, and such that change under a talk.

use peddlenet_tests::lab::{Lab, Nat, Prefix, Room};

use crate::{NO_LAN, beside_others, device, devices, nodes};

#[test]
fn a_network_with_ipv6_alone_is_enough() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let wifi = lab.wifi(Prefix::v6(7)).unwrap();
    let (room, all) = devices(&lab, &wifi, &["ada", "bea", "cem"], NO_LAN);
    let listen = all[0].node.listen();
    assert!(listen.iter().all(|addr| addr.is_ipv6()), "{listen:?}");
    room.all_talk("over six", &nodes(&all)).unwrap();
    room.until_same(&nodes(&all)).unwrap();
}

#[test]
fn both_families_side_by_side_are_one_network() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let wifi = lab.wifi(Prefix::v4(10, 81, 0).and_v6(81)).unwrap();
    let (room, all) = devices(&lab, &wifi, &["ada", "bea", "cem"], NO_LAN);
    room.all_talk("over both", &nodes(&all)).unwrap();
    room.until_same(&nodes(&all)).unwrap();
}

/// A joiner behind a router calls somebody outside; in the middle of it the router maps it to another
/// port, as one that was restarted or ran out of entries.
#[test]
fn a_talk_outlives_a_router_that_maps_anew() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let outside = lab.wifi(Prefix::v4(203, 0, 113)).unwrap();
    let ada = device(&lab, &outside, "ada", NO_LAN);
    let inside = Prefix::v4(192, 168, 1);
    let router = lab
        .router("router", &outside, inside, Nat::Port(5_000))
        .unwrap();
    let bea = device(&lab, router.inside(), "bea", NO_LAN);
    let room = Room::made_by(&ada.node, "Across").unwrap();
    room.let_in(&ada.node, [&bea.node]).unwrap();
    let both = [&ada.node, &bea.node];
    room.all_talk("before", &both).unwrap();
    for (n, port) in [6_000, 7_000, 8_000].into_iter().enumerate() {
        router.map(Nat::Port(port)).unwrap();
        // Neither side knows; ada's packets go to a port that leads nowhere until bea's come.
        room.all_talk(&format!("mapped anew {n}"), &both).unwrap();
    }
    room.until_same(&both).unwrap();
}

/// Scanning from behind each kind of router: the one who is called is outside.
#[test]
fn a_joiner_gets_in_from_behind_every_kind_of_router() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let outside = lab.wifi(Prefix::v4(203, 0, 113)).unwrap();
    let ada = device(&lab, &outside, "ada", NO_LAN);
    let room = Room::made_by(&ada.node, "Across").unwrap();
    for (n, nat) in [Nat::FullCone, Nat::PortRestricted, Nat::Symmetric]
        .into_iter()
        .enumerate()
    {
        let inside = Prefix::v4(192, 168, 1);
        let router = lab
            .router(&format!("router{n}"), &outside, inside, nat)
            .unwrap();
        let name = format!("guest{n}");
        let guest = device(&lab, router.inside(), &name, NO_LAN);
        room.let_in(&ada.node, [&guest.node]).unwrap();
        let both = [&ada.node, &guest.node];
        room.all_talk(&format!("{nat:?}"), &both).unwrap();
    }
}
