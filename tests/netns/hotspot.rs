//! The inviter's phone is the access point: everybody's packets go through the device that made the room.

use peddlenet_tests::lab::{Lab, Prefix, Room};

use crate::{NO_LAN, beside_others, device, nodes};

#[test]
fn the_inviter_is_the_access_point_and_the_router_of_the_others() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let ada = lab.host("ada").unwrap();
    let wifi = ada.hotspot(Prefix::v4(10, 42, 0)).unwrap();
    let host = ada.node(NO_LAN).unwrap();
    let own = wifi.address().unwrap();
    assert_eq!(host.listen().len(), 1, "{:?}", host.listen());
    assert_eq!(host.listen()[0].ip(), own);

    let room = Room::made_by(&host, "Camp").unwrap();
    let guests = ["bea", "cem", "dana"].map(|name| device(&lab, &wifi, name, NO_LAN));
    room.let_in(&host, guests.iter().map(|d| &d.node)).unwrap();
    let mut all = vec![&host];
    all.extend(guests.iter().map(|d| &d.node));
    room.all_talk("good morning", &all).unwrap();
    room.until_same(&all).unwrap();
}

#[test]
fn the_others_go_on_without_the_inviter() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let wifi = lab.wifi(Prefix::v4(10, 43, 0)).unwrap();
    let (room, mut all) = crate::devices(&lab, &wifi, &["ada", "bea", "cem", "dana"], NO_LAN);
    room.all_talk("all of us", &nodes(&all)).unwrap();

    let mut ada = all.remove(0);
    ada.node.kill().unwrap();
    let rest = nodes(&all);
    room.all_talk("without ada", &rest).unwrap();

    // And let in somebody whom Ada never met.
    let eli = device(&lab, &wifi, "eli", NO_LAN);
    room.let_in(rest[0], [&eli.node]).unwrap();
    room.is_heard("hello, I'm new", &eli.node, rest.iter().copied())
        .unwrap();
    room.is_heard("welcome", rest[1], [&eli.node]).unwrap();
    room.hear(&eli.node, "without ada, says cem").unwrap();
}
