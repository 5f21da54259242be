use super::*;

fn station() -> (Station, mpsc::Receiver<Nearby>) {
    let (news, out) = mpsc::channel(NEWS);
    (Station::new(news), out)
}

fn addr(n: u8) -> Vec<SocketAddr> {
    vec![([192, 168, 1, n], 4_000).into()]
}

#[test]
fn a_device_is_told_once_until_it_says_something_else() {
    let (mut station, mut news) = station();
    let entry = Entry::made_up([1; 12]);
    for entries in [vec![], vec![], vec![entry], vec![entry]] {
        station.see("x".into(), addr(1), entries);
    }
    station.see("y".into(), vec![], vec![entry]);
    let mut told = Vec::new();
    while let Ok(Nearby::Seen(seen)) = news.try_recv() {
        told.push(seen.entries.len());
    }
    assert_eq!(told, [0, 1], "and one without addresses is nowhere");
}

#[test]
fn a_crowd_of_made_up_devices_takes_bounded_space() {
    let (mut station, mut news) = station();
    for n in 0..5_000 {
        station.see(format!("made up {n}"), addr(2), Vec::new());
    }
    assert_eq!(station.devices.len(), DEVICES_MAX);
    let mut told = 0;
    while news.try_recv().is_ok() {
        told += 1;
    }
    assert_eq!(told, NEWS);
}

#[test]
fn addresses_that_lead_nowhere_are_not_tried() {
    let one = |ip: &str| dialable(&mdns_sd::ScopedIp::from(ip.parse::<IpAddr>().unwrap()), 9);
    assert!(one("192.168.1.4").is_some() && one("2001:db8::1").is_some());
    assert!(
        one("169.254.7.7").is_some(),
        "link-local, of the one network there is"
    );
    for ip in [
        "127.0.0.1",
        "0.0.0.0",
        "224.0.0.251",
        "::1",
        "fe80::1",
        "ff02::fb",
    ] {
        assert!(one(ip).is_none(), "{ip}");
    }
}

#[test]
fn a_box_is_told_once_and_a_crowd_of_made_up_ones_hides_none_for_long() {
    let (mut station, mut news) = station();
    let mark = BoxMark([7; 8]);
    station.see_box("x".into(), addr(1), mark);
    station.see_box("x".into(), addr(1), mark);
    station.see_box("y".into(), vec![], mark);
    let expected = BoxSighting {
        name: "x".into(),
        addrs: addr(1),
        mark,
    };
    assert_eq!(news.try_recv().ok(), Some(Nearby::Box(expected.clone())));
    assert!(
        news.try_recv().is_err(),
        "and one without addresses is nowhere"
    );
    for n in 0..5_000 {
        station.see_box(format!("made up {n}"), addr(2), BoxMark([8; 8]));
        assert!(station.boxes.len() <= BOXES_MAX);
    }
    while news.try_recv().is_ok() {}
    station.see_box("x".into(), addr(1), mark);
    assert_eq!(news.try_recv().ok(), Some(Nearby::Box(expected)));
}

#[test]
fn a_mark_is_its_hex_digits_and_nothing_else() {
    let mark = BoxMark([0xab; 8]);
    assert_eq!(read_mark(b"abABababababABab"), Some(mark));
    for other in [
        &b""[..],
        b"ab",
        b"abababababababag",
        &[0xab; 8],
        &[b'a'; 17],
        &[b'a'; 4096],
    ] {
        assert_eq!(read_mark(other), None);
    }
}
