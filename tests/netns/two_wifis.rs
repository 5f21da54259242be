//! A laptop in two networks at once.
//!
//! ```text
//!   bea, cem == Wi-Fi one == laptop == Wi-Fi two == dana, eli        nothing else between the two
//! ```

use peddlenet_tests::lab::{Lab, Prefix, Room};

use crate::{NO_LAN, beside_others, device};

#[test]
fn a_laptop_in_two_networks_carries_a_room_between_them() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let one = lab.wifi(Prefix::v4(10, 51, 0)).unwrap();
    let two = lab.wifi(Prefix::v4(10, 52, 0)).unwrap();
    let laptop = lab.host("laptop").unwrap();
    one.join(&laptop).unwrap();
    two.join(&laptop).unwrap();
    let bridge = laptop.node(NO_LAN).unwrap();
    assert_eq!(bridge.listen().len(), 2, "{:?}", bridge.listen());

    let room = Room::made_by(&bridge, "Both halls").unwrap();
    let here = ["bea", "cem"].map(|name| device(&lab, &one, name, NO_LAN));
    let there = ["dana", "eli"].map(|name| device(&lab, &two, name, NO_LAN));
    let halls = here.iter().chain(&there);
    room.let_in(&bridge, halls.clone().map(|d| &d.node))
        .unwrap();

    let mut all = vec![&bridge];
    all.extend(halls.map(|d| &d.node));
    room.all_talk("across", &all).unwrap();
    room.until_same(&all).unwrap();
    // There is no other way than the laptop; who stands beside it may have passed it on, too.
    let heard = room.hear(&there[0].node, "across, says bea").unwrap();
    assert!(heard.value["hops"].as_u64() >= Some(2), "{}", heard.value);
}

#[test]
fn a_second_network_that_comes_later_is_used() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let one = lab.wifi(Prefix::v4(10, 53, 0)).unwrap();
    let two = lab.wifi(Prefix::v4(10, 54, 0)).unwrap();
    let (room, all) = crate::devices(&lab, &one, &["laptop", "bea"], NO_LAN);
    room.all_talk("in one", &crate::nodes(&all)).unwrap();

    two.join(&all[0].host).unwrap();
    let cem = device(&lab, &two, "cem", NO_LAN);
    // The code is drawn anew, with the address in the second network.
    room.let_in(&all[0].node, [&cem.node]).unwrap();
    room.is_heard("from the other hall", &cem.node, crate::nodes(&all))
        .unwrap();
    room.is_heard("welcome", &all[1].node, [&cem.node]).unwrap();
}
