//! One device and its links: what it dials, whom it lets go, and that nothing of it gets out of hand.

use std::collections::{BTreeMap, BTreeSet};

use peddlenet_gossip::{Action, Config, Controls, Engine, Input, PeerId, Why, limits};
use peddlenet_wire::{AuthorId, Capped, Frame, RoomTag, Timestamp, peers::Peers};

use crate::net::{OTHER, ROOM, START, author};

/// A driver whose world consists of answers to dials.
struct Device {
    engine: Engine,
    now: u64,
    timers: BTreeSet<(u64, peddlenet_gossip::TimerId)>,
    links: BTreeMap<PeerId, AuthorId>,
    dials: Vec<(u64, AuthorId)>,
    under_way: BTreeSet<AuthorId>,
    /// Dials fail at once.
    refused: bool,
    drops: Vec<(u64, PeerId, Why)>,
    peers: Vec<(PeerId, Peers)>,
    most_links: usize,
    serial: u64,
}

impl Device {
    fn new(controls: Controls) -> Self {
        let config = Config {
            salt: 7,
            controls,
            ..Config::default()
        };
        let mut device = Self {
            engine: Engine::new(config),
            now: START,
            timers: BTreeSet::new(),
            links: BTreeMap::new(),
            dials: vec![],
            under_way: BTreeSet::new(),
            refused: false,
            drops: vec![],
            peers: vec![],
            most_links: 0,
            serial: 0,
        };
        device.open(ROOM);
        device
    }

    fn open(&mut self, room: RoomTag) {
        self.give(Input::OpenRoom {
            room,
            held: vec![],
            records: vec![],
        });
    }

    fn knows(&mut self, members: std::ops::Range<usize>) {
        let authors = members.map(author).collect();
        self.give(Input::Known {
            room: ROOM,
            authors,
        });
    }

    fn up(&mut self, member: usize) -> PeerId {
        self.serial += 1;
        let (peer, author) = (PeerId(self.serial), author(member));
        self.links.insert(peer, author);
        self.under_way.remove(&author);
        self.give(Input::PeerUp {
            peer,
            room: ROOM,
            author,
        });
        peer
    }

    fn down(&mut self, peer: PeerId) {
        self.links.remove(&peer);
        self.give(Input::PeerDown { peer });
    }

    fn hear(&mut self, from: PeerId, links: u8, closing: bool, named: std::ops::Range<usize>) {
        let authors = Capped::take_from(&mut named.map(author));
        let frame = Frame::Peers(Peers {
            room: ROOM.short(),
            links,
            want: false,
            part: false,
            closing,
            authors,
            neighbours: None,
        });
        self.give(Input::Frame { from, frame });
    }

    fn give(&mut self, input: Input) {
        let mut todo = vec![input];
        while let Some(input) = todo.pop() {
            let actions: Vec<_> = self.engine.handle(input, Timestamp(self.now)).collect();
            for action in actions {
                match action {
                    Action::Arm { timer, at } => drop(self.timers.insert((at.0, timer))),
                    Action::Dial { room, author } => {
                        self.dials.push((self.now, author));
                        if self.refused {
                            todo.push(Input::DialFailed { room, author });
                        } else {
                            assert!(self.under_way.insert(author), "dialled twice");
                        }
                    }
                    Action::Drop { peer, why } => {
                        self.drops.push((self.now, peer, why));
                        self.links.remove(&peer);
                        todo.push(Input::PeerDown { peer });
                    }
                    Action::Send {
                        to,
                        frame: Frame::Peers(frame),
                        ..
                    } => self.peers.push((to, frame)),
                    _ => {}
                }
            }
            self.most_links = self.most_links.max(self.links.len());
        }
    }

    fn run_for(&mut self, ms: u64) {
        let end = self.now + ms;
        while let Some(&(at, timer)) = self.timers.first()
            && at <= end
        {
            self.timers.pop_first();
            self.now = self.now.max(at);
            self.give(Input::Timer(timer));
        }
        self.now = end;
    }

    fn goodbyes(&self) -> Vec<PeerId> {
        let said = self.peers.iter().filter(|(_, frame)| frame.closing);
        said.map(|(to, _)| *to).collect()
    }
}

#[test]
fn when_nobody_is_there_dials_stay_few_and_never_stop() {
    let mut device = Device::new(Controls::default());
    device.refused = true;
    device.knows(1..200);
    device.run_for(3_600_000);
    let mut a_second = BTreeMap::new();
    for (at, _) in &device.dials {
        *a_second.entry(at / 1_000).or_insert(0) += 1;
    }
    let most = a_second.values().max().copied().unwrap();
    assert!(most <= 2 * limits::DIALS_A_SECOND, "{most} in a second");
    let last: Vec<_> = device.dials.iter().map(|(at, _)| *at).collect();
    let late = last.iter().filter(|at| **at > START + 3_000_000).count();
    println!("{} dials, {late} in the last 10 minutes", last.len());
    // 48 candidates, each again after two minutes at most.
    assert!((48 * 3..48 * 8).contains(&late));
}

#[test]
fn a_dial_that_fails_at_once_brings_the_next_candidate_at_once() {
    let mut device = Device::new(Controls::default());
    device.refused = true;
    device.knows(1..40);
    device.run_for(1_000);
    let met: BTreeSet<_> = device.dials.iter().map(|(_, a)| a).collect();
    assert!(met.len() >= 16, "{}", met.len());
}

#[test]
fn dials_that_hang_are_bounded_and_replaced() {
    let mut device = Device::new(Controls::default());
    device.knows(1..100);
    device.run_for(10_000);
    assert_eq!(device.under_way.len(), limits::DIALS_ALONE);
    device.up(500);
    let before = device.dials.len();
    // Nobody answers: they are given up, and others are tried.
    device.under_way.clear();
    device.run_for(30_000);
    assert!(device.dials.len() > before);
}

#[test]
fn links_beyond_the_cap_are_left_with_a_goodbye_that_names_others() {
    let mut device = Device::new(Controls::default());
    for member in 1..=40 {
        device.up(member);
        device.run_for(200);
    }
    device.run_for(2_000);
    assert!(device.most_links <= 15, "{}", device.most_links);
    assert_eq!(device.links.len(), 12);
    let goodbyes = device.goodbyes();
    for (_, peer, why) in &device.drops {
        assert_eq!(*why, Why::Surplus);
        assert!(goodbyes.contains(peer));
    }
    let last = device.peers.iter().rfind(|(_, frame)| frame.closing);
    assert!(last.unwrap().1.authors.len() >= 8);
}

#[test]
fn who_has_few_links_is_spared() {
    let mut device = Device::new(Controls::default());
    let mut poor = vec![];
    for member in 1..=12 {
        let peer = device.up(member);
        let is_poor = member % 4 == 0;
        device.hear(peer, if is_poor { 2 } else { 9 }, false, 0..0);
        poor.extend(is_poor.then_some(peer));
    }
    device.run_for(60_000);
    for member in 13..=16 {
        let peer = device.up(member);
        device.hear(peer, 1, false, 0..0);
        poor.push(peer);
        device.run_for(5_000);
    }
    assert_eq!(device.drops.len(), 4);
    assert!(poor.iter().all(|peer| device.links.contains_key(peer)));
}

#[test]
fn a_lost_peer_is_probed_for_hours_although_there_are_links_enough() {
    for lost_peers in [true, false] {
        let mut device = Device::new(Controls {
            lost_peers,
            ..Controls::default()
        });
        device.refused = true;
        let first = device.up(1);
        for member in 2..=9 {
            device.up(member);
        }
        device.down(first);
        device.dials.clear();
        device.run_for(3_600_000);
        let probes = device.dials.iter().filter(|(_, a)| *a == author(1)).count();
        println!("lost_peers {lost_peers}: {probes} probes in an hour");
        if lost_peers {
            assert!((100..=150).contains(&probes));
        } else {
            assert_eq!(probes, 0);
        }
    }
}

#[test]
fn a_lost_peer_that_comes_into_sight_is_dialled_at_once_although_there_are_links_enough() {
    let mut device = Device::new(Controls::default());
    device.refused = true;
    let first = device.up(1);
    for member in 2..=9 {
        device.up(member);
    }
    device.down(first);
    device.run_for(1_000);
    device.dials.clear();
    let sees = |device: &mut Device, member| {
        device.give(Input::Near {
            room: ROOM,
            authors: vec![author(member)],
        });
    };
    sees(&mut device, 1);
    assert_eq!(device.dials, [(device.now, author(1))]);
    // One that was never linked with is no bridge.
    device.dials.clear();
    sees(&mut device, 20);
    assert_eq!(device.dials, []);
}

#[test]
fn who_comes_into_sight_no_longer_rests_and_comes_before_others() {
    let mut device = Device::new(Controls::default());
    device.refused = true;
    device.knows(1..40);
    device.run_for(600_000);
    device.refused = false;
    device.dials.clear();
    device.give(Input::Near {
        room: ROOM,
        authors: vec![author(7)],
    });
    assert_eq!(device.dials.first(), Some(&(device.now, author(7))));
}

#[test]
fn in_another_network_nobody_rests_any_more() {
    let mut device = Device::new(Controls::default());
    device.refused = true;
    device.knows(1..5);
    device.run_for(600_000);
    device.refused = false;
    device.dials.clear();
    device.run_for(500);
    assert_eq!(device.dials, [], "all of them rest by now");
    device.give(Input::Moved);
    device.run_for(1_000);
    let mut dialled: Vec<_> = device.dials.iter().map(|(_, author)| *author).collect();
    dialled.sort_unstable();
    dialled.dedup();
    assert_eq!(dialled, [1, 2, 3, 4].map(author));
}

#[test]
fn who_said_goodbye_is_not_probed() {
    let mut device = Device::new(Controls::default());
    device.refused = true;
    let first = device.up(1);
    for member in 2..=9 {
        device.up(member);
    }
    device.hear(first, 12, true, 0..0);
    device.down(first);
    device.dials.clear();
    device.run_for(600_000);
    assert_eq!(device.dials, vec![]);
}

#[test]
fn a_link_that_no_room_needs_is_closed_after_a_while() {
    let mut device = Device::new(Controls::default());
    let peer = device.up(1);
    device.give(Input::RoomDown { peer, room: ROOM });
    device.run_for(9_000);
    assert_eq!(device.drops, vec![]);
    device.run_for(4_000);
    assert_eq!(device.drops.len(), 1);
    assert_eq!(device.drops[0].2, Why::Surplus);

    // A room that only the other end has open is none.
    let peer = device.up(2);
    device.open(OTHER);
    device.give(Input::CloseRoom { room: ROOM });
    device.run_for(13_000);
    assert_eq!(device.drops.last().unwrap().1, peer);
}

#[test]
fn names_that_only_a_neighbour_gave_crowd_out_nobody() {
    let mut device = Device::new(Controls::default());
    device.refused = true;
    device.knows(1..31);
    let liar = device.up(100);
    device.run_for(60_000);
    for n in 0..100 {
        device.hear(liar, 8, false, 1_000 + 16 * n..1_016 + 16 * n);
        device.run_for(500);
    }
    device.dials.clear();
    device.run_for(180_000);
    let known = (1..31).filter(|&n| device.dials.iter().any(|(_, a)| *a == author(n)));
    assert_eq!(known.count(), 30, "all that are known are still tried");
    // Each of the others was let go at its first failure.
    let ghosts = device.dials.iter().filter(|(_, a)| *a >= author(1_000));
    assert!(ghosts.count() <= limits::HEARSAY_MAX);
}

#[test]
fn a_neighbour_that_talks_too_much_about_others_is_blamed() {
    let mut device = Device::new(Controls::default());
    let peer = device.up(1);
    for _ in 0..400 {
        (0..40).for_each(|_| device.hear(peer, 8, false, 0..0));
        device.run_for(1_000);
    }
    assert_eq!(device.drops.first().map(|d| d.2), Some(Why::OverQuota));
}

#[test]
fn of_two_links_to_one_member_one_goes() {
    let mut device = Device::new(Controls::default());
    let (first, second) = (device.up(1), device.up(1));
    device.run_for(20_000);
    assert!(device.links.contains_key(&first));
    assert!(!device.links.contains_key(&second));
    assert_eq!(device.drops.len(), 1);
}
