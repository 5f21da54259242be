//! Three in a line: the outer two share no address family, so only the middle one links to both.
//!
//! ```text
//!   Ada 127.0.0.1:p ---- Bea 127.0.0.1:q and [::1]:q ---- Cyd [::1]:r
//! ```

use std::net::{Ipv4Addr, Ipv6Addr, UdpSocket};

use peddlenet_mesh::{Reach, RoomId};

use crate::device::{Device, same_room, until};

pub(crate) struct Line {
    pub(crate) ada: Device,
    pub(crate) bea: Device,
    pub(crate) room: RoomId,
}

/// A port that is free in both families, since a code names one port.
fn port_in_both() -> u16 {
    loop {
        let v4 = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = v4.local_addr().unwrap().port();
        if UdpSocket::bind((Ipv6Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// Whether this machine can make the line at all. Where tests must not be skipped, that is a failure.
pub(crate) fn has_ipv6() -> bool {
    let has = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    if !has {
        assert!(std::env::var_os("CI").is_none(), "no IPv6 loopback");
        println!("skipped: no IPv6 loopback");
    }
    has
}

pub(crate) async fn ada_and_bea() -> Line {
    let ada = Device::new("Ada").await;
    let port = port_in_both();
    let both = [format!("127.0.0.1:{port}"), format!("[::1]:{port}")];
    let bea = Device::listening("Bea", &both.each_ref().map(String::as_str)).await;
    let room = ada.node.create_room("Line").await.unwrap();
    bea.join(&ada.code(room).await).await;
    Line { ada, bea, room }
}

pub(crate) async fn cyd_joins(line: &Line) -> Device {
    let cyd = Device::listening("Cyd", &["[::1]:0"]).await;
    cyd.join(&line.bea.code(line.room).await).await;
    cyd
}

async fn assert_outer_two_are_not_linked(line: &Line, cyd: &Device) {
    for (device, other) in [(&line.ada, "Cyd"), (cyd, "Ada")] {
        let far = device.sees(line.room, other, Reach::Reachable).await;
        assert_eq!(far.hops, 2, "{} to {other}", device.name);
        let near = device.sees(line.room, "Bea", Reach::Linked).await;
        assert_eq!(near.hops, 1);
        assert_eq!(device.node.links().await.unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_pass_through_the_one_in_the_middle() {
    if !has_ipv6() {
        return;
    }
    let mut line = ada_and_bea().await;
    let mut cyd = cyd_joins(&line).await;
    assert_outer_two_are_not_linked(&line, &cyd).await;

    line.ada.say(line.room, "from Ada").await;
    let heard = cyd.hear("from Ada").await;
    assert_eq!((heard.hops, heard.name.as_str()), (2, "Ada"));
    cyd.say(line.room, "from Cyd").await;
    let heard = line.ada.hear("from Cyd").await;
    assert_eq!((heard.hops, heard.name.as_str()), (2, "Cyd"));

    same_room(line.room, &[&line.ada, &line.bea, &cyd]).await;
    assert_outer_two_are_not_linked(&line, &cyd).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_last_gets_all_that_was_said_far_away() {
    if !has_ipv6() {
        return;
    }
    let mut line = ada_and_bea().await;
    for n in 0..60 {
        line.ada.say(line.room, &format!("Ada {n}")).await;
    }
    line.bea.hear("Ada 59").await;
    let cyd = cyd_joins(&line).await;
    same_room(line.room, &[&line.ada, &line.bea, &cyd]).await;
    let expected: Vec<_> = (0..60).map(|n| format!("Ada {n}")).collect();
    assert_eq!(cyd.texts(line.room).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_line_heals_when_the_middle_comes_back() {
    if !has_ipv6() {
        return;
    }
    let line = ada_and_bea().await;
    let cyd = cyd_joins(&line).await;
    assert_outer_two_are_not_linked(&line, &cyd).await;
    let Line { mut ada, bea, room } = line;

    // The middle goes away; both ends go on writing.
    let bea = bea.shut().await;
    until("both ends to lose the middle", async || {
        let links = [
            ada.node.links().await.unwrap(),
            cyd.node.links().await.unwrap(),
        ];
        links.iter().all(Vec::is_empty).then_some(())
    })
    .await;
    ada.say(room, "alone, Ada").await;
    cyd.say(room, "alone, Cyd").await;

    let bea = Device::reopen(bea).await;
    let heard = ada.hear("alone, Cyd").await;
    assert_eq!(heard.name, "Cyd");
    same_room(room, &[&ada, &bea, &cyd]).await;
    let texts = cyd.texts(room).await;
    assert!(texts.contains(&"alone, Ada".to_owned()), "{texts:?}");
}
