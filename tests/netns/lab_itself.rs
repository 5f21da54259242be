//! The lab keeps its word: what is isolated is isolated, what loses loses, and each router maps as it is
//! called. A story told in a network that is other than it says would prove nothing.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    process::{Child, ChildStdin, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use peddlenet_tests::lab::{Host, Lab, Nat, Plug, Prefix, Wifi};

use crate::beside_others;

/// After this long what has not come was lost.
const SILENCE: Duration = Duration::from_millis(700);
const SOON: Duration = Duration::from_secs(20);
const PORT: u16 = 4_700;

/// A host with an open UDP port, and what comes in there.
struct Probe {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    plug: Plug,
    host: Host,
}

impl Probe {
    fn new(lab: &Lab, wifi: &Wifi, name: &str) -> Self {
        let host = lab.host(name).unwrap();
        let plug = wifi.join(&host).unwrap();
        let mut child = host
            .command(env!("CARGO_BIN_EXE_lab_probe"))
            .arg(PORT.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (send, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        assert_eq!(lines.recv_timeout(SOON).unwrap(), "ready");
        Self {
            stdin: child.stdin.take().unwrap(),
            child,
            lines,
            plug,
            host,
        }
    }

    fn at(&self) -> SocketAddr {
        (self.plug.address().unwrap(), PORT).into()
    }

    fn send(&mut self, to: SocketAddr, text: &str) {
        writeln!(self.stdin, "{to} {text}").unwrap();
    }

    /// The next datagram: where it came from, and its text.
    fn next(&self) -> Option<(SocketAddr, String)> {
        let line = self.lines.recv_timeout(SILENCE).ok()?;
        let (from, text) = line.split_once(' ').unwrap();
        Some((from.parse().unwrap(), text.to_owned()))
    }

    /// Sends until it comes out there, and gives from where.
    fn reaches(&mut self, other: &Probe) -> Option<SocketAddr> {
        (0..3).find_map(|n| {
            self.send(other.at(), &format!("knock{n}"));
            other.next().map(|(from, _)| from)
        })
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn three(lab: &Lab) -> (Wifi, [Probe; 3]) {
    let wifi = lab.wifi(Prefix::v4(10, 30, 0)).unwrap();
    let probes = ["one", "two", "three"].map(|name| Probe::new(lab, &wifi, name));
    (wifi, probes)
}

#[test]
fn a_cut_separates_and_a_restore_joins() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let (wifi, [mut one, two, _three]) = three(&lab);
    let own = one.plug.address().ok();
    assert_eq!(one.reaches(&two).map(|from| from.ip()), own);
    two.plug.cut().unwrap();
    assert_eq!(one.reaches(&two), None);
    two.plug.restore().unwrap();
    assert_eq!(one.reaches(&two).map(|from| from.ip()), own);
    wifi.off().unwrap();
    wifi.on_again(Prefix::v4(10, 31, 0)).unwrap();
    let anew = one.reaches(&two).unwrap();
    assert_eq!(anew.to_string(), "10.31.0.2:4700");
}

#[test]
fn isolated_clients_hear_nobody_but_the_access_point() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let (wifi, [mut one, two, three]) = three(&lab);
    wifi.isolate().unwrap();
    assert_eq!(one.reaches(&two), None);
    assert_eq!(one.reaches(&three), None);
}

#[test]
fn a_trunk_is_the_only_way_between_two_switches() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let left = lab.wifi(Prefix::v4(10, 32, 0)).unwrap();
    let right = lab.wifi(Prefix::v4(10, 32, 0).starting_at(100)).unwrap();
    let mut one = Probe::new(&lab, &left, "one");
    let two = Probe::new(&lab, &right, "two");
    assert_eq!(one.reaches(&two), None);
    let trunk = left.trunk(&right).unwrap();
    assert!(one.reaches(&two).is_some());
    trunk.cut().unwrap();
    assert_eq!(one.reaches(&two), None);
    trunk.restore().unwrap();
    assert!(one.reaches(&two).is_some());
}

#[test]
fn loss_has_a_direction() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let (_wifi, [mut one, mut two, _three]) = three(&lab);
    assert!(one.reaches(&two).is_some());
    let arrived = |from: &mut Probe, to: &Probe| {
        for n in 0..200 {
            from.send(to.at(), &n.to_string());
        }
        std::iter::from_fn(|| to.next()).count()
    };
    assert_eq!(arrived(&mut one, &two), 200);
    one.plug.lose_sent(30).unwrap();
    // Of 200 with one in three lost, less than 90 or more than 190 come in one of 10^12 runs.
    let came = arrived(&mut one, &two);
    assert!((90..190).contains(&came), "{came} of 200");
    assert_eq!(arrived(&mut two, &one), 200);
    one.plug.lose_sent(0).unwrap();
    one.plug.lose_received(30).unwrap();
    assert_eq!(arrived(&mut one, &two), 200);
    let came = arrived(&mut two, &one);
    assert!((90..190).contains(&came), "{came} of 200");
}

#[test]
fn a_firewall_lets_in_answers_alone() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let (_wifi, [mut one, mut two, mut three]) = three(&lab);
    one.host.firewall().unwrap();
    assert_eq!(two.reaches(&one), None);
    assert!(one.reaches(&two).is_some());
    assert!(two.reaches(&one).is_some(), "an answer");
    assert_eq!(three.reaches(&one), None, "nobody asked that one");
}

/// What two people outside see of somebody behind the router, and who of them comes in where.
struct Seen {
    by_one: SocketAddr,
    by_two: SocketAddr,
    /// Whether two, who was never called, came in at what one saw.
    stranger_came_in: bool,
    answer_came_in: bool,
}

fn seen(nat: Nat) -> Option<Seen> {
    let lab = Lab::open()?;
    let outside = lab.wifi(Prefix::v4(203, 0, 113)).unwrap();
    let mut one = Probe::new(&lab, &outside, "one");
    let mut two = Probe::new(&lab, &outside, "two");
    let router = lab
        .router("router", &outside, Prefix::v4(192, 168, 1), nat)
        .unwrap();
    let mut inner = Probe::new(&lab, router.inside(), "inner");
    let by_one = inner.reaches(&one).unwrap();
    assert_eq!(by_one.ip(), router.outside().address().unwrap());
    two.send(by_one, "stranger");
    let stranger_came_in = inner.next().is_some();
    one.send(by_one, "answer");
    let answer_came_in = inner.next().is_some();
    let by_two = inner.reaches(&two).unwrap();
    Some(Seen {
        by_one,
        by_two,
        stranger_came_in,
        answer_came_in,
    })
}

#[test]
fn a_full_cone_lets_in_whoever_sends_to_its_port() {
    let _turn = beside_others();
    let Some(seen) = seen(Nat::FullCone) else {
        return;
    };
    assert!(seen.answer_came_in && seen.stranger_came_in);
    assert_eq!(seen.by_one, seen.by_two);
}

#[test]
fn a_port_restricted_cone_lets_in_who_was_called() {
    let _turn = beside_others();
    let Some(seen) = seen(Nat::PortRestricted) else {
        return;
    };
    assert!(seen.answer_came_in && !seen.stranger_came_in);
    assert_eq!(seen.by_one, seen.by_two);
}

#[test]
fn a_symmetric_router_takes_another_port_for_each() {
    let _turn = beside_others();
    let Some(seen) = seen(Nat::Symmetric) else {
        return;
    };
    assert!(seen.answer_came_in && !seen.stranger_came_in);
    assert_ne!(seen.by_one, seen.by_two);
}

#[test]
fn a_router_maps_anew_when_told_to() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let outside = lab.wifi(Prefix::v4(203, 0, 113)).unwrap();
    let mut one = Probe::new(&lab, &outside, "one");
    let inside = Prefix::v4(192, 168, 1);
    let router = lab
        .router("router", &outside, inside, Nat::Port(5_000))
        .unwrap();
    let mut inner = Probe::new(&lab, router.inside(), "inner");
    let before = inner.reaches(&one).unwrap();
    router.map(Nat::Port(6_000)).unwrap();
    one.send(before, "late");
    assert_eq!(inner.next(), None, "the old port leads nowhere");
    let after = inner.reaches(&one).unwrap();
    assert_eq!((before.port(), after.port()), (5_000, 6_000));
}
