//! Five hundred rooms: partitions, concurrent admits, removals, bans, roles and rekeys, and a removed
//! member that goes on in bad faith.
//!
//! After every run the network heals. Then all who belong agree on who belongs; what was said after a
//! removal was known to its sender is closed to the removed, who read along to the end and asked
//! everybody for keys; and nobody who belongs lacks a key.
//!
//! `ROOM_SEED=17 cargo test -p peddlenet-room --test room partitions` repeats one room,
//! `ROOM_SEEDS=5000` runs more.

use std::collections::{BTreeMap, BTreeSet};

use peddlenet_wire::{
    AuthorId, EventHash, SignedEvent, Stream,
    content::{History, Role},
};

use crate::device::{Device, Dice};

const SEEDS: u64 = 500;
const STEPS: usize = 50;
const DEVICES_MAX: usize = 9;

struct Room {
    dice: Dice,
    devices: Vec<Device>,
    /// Those that go on in bad faith once they know that they were removed.
    hostile: BTreeSet<AuthorId>,
    side: Vec<usize>,
    /// What was said, and the removals that its sender knew of.
    said: Vec<(SignedEvent, BTreeSet<EventHash>)>,
    /// Whom anybody ever removed, or let the door close on.
    targeted: BTreeSet<AuthorId>,
    parent: BTreeMap<AuthorId, AuthorId>,
}

impl Room {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let history = match dice.chance(50) {
            true => History::Shared,
            false => History::FromJoin,
        };
        let inviters = dice.chance(25).then_some(Role::Moderator);
        let ada = Device::create(&mut dice, history, inviters);
        Self {
            dice,
            devices: vec![ada],
            hostile: BTreeSet::new(),
            side: vec![0],
            said: Vec::new(),
            targeted: BTreeSet::new(),
            parent: BTreeMap::new(),
        }
    }

    fn step(&mut self) {
        let at = self.dice.below(self.devices.len());
        match self.devices[at].is_member() {
            true => self.honest(at),
            false if self.hostile.contains(&self.devices[at].me()) => self.bad_faith(at),
            false => {}
        }
        for _ in 0..self.devices.len() {
            self.meet();
        }
        if self.dice.chance(15) {
            let sides = 1 + self.dice.below(3);
            for side in &mut self.side {
                *side = self.dice.below(sides);
            }
        }
    }

    fn meet(&mut self) {
        let (a, b) = (
            self.dice.below(self.devices.len()),
            self.dice.below(self.devices.len()),
        );
        if a != b && self.side[a] == self.side[b] {
            self.sync(a, b);
        }
    }

    /// A member gives to those that it takes for members; who was removed reads along all the same.
    fn sync(&mut self, from: usize, to: usize) {
        let [from, to] = self.devices.get_disjoint_mut([from, to]).unwrap();
        let reader = to.me();
        // As the frame `Open` does.
        let proof = to.roster.credentials(reader);
        proof.iter().flatten().for_each(|event| from.take(event));
        from.ask(to);
        if !from.is_member() {
            return;
        }
        let belongs = from.roster.is_member(reader);
        if belongs || self.hostile.contains(&reader) {
            to.sync_from(from, &mut self.dice);
        }
        if !belongs {
            // As the frame `Removed` does.
            to.is_told(from);
            // It may know better: of two who removed each other one stays.
            if to.is_member() {
                from.is_contradicted(to);
            }
        }
    }

    fn honest(&mut self, at: usize) {
        let space = self.devices.len() < DEVICES_MAX;
        let device = &mut self.devices[at];
        let (me, role) = (device.me(), device.role().unwrap());
        let others: Vec<AuthorId> = device.roster.members().filter(|a| *a != me).collect();
        let target = (!others.is_empty()).then(|| others[self.dice.below(others.len())]);
        match self.dice.below(100) {
            0..=44 => {
                let gone = device.roster.all_gone();
                let gone = gone.flat_map(|(_, acts)| acts).copied().collect();
                let event = device.say(&mut self.dice, "psst");
                self.said.push((event, gone));
            }
            45..=64 if space && device.roster.may_invite(me) => {
                let joiner = device.admit(&mut self.dice);
                self.parent.insert(joiner.me(), me);
                if self.dice.chance(40) {
                    self.hostile.insert(joiner.me());
                }
                self.devices.push(joiner);
                self.side.push(self.side[at]);
            }
            65..=76 if role >= Role::Moderator => {
                if let Some(target) = target.filter(|t| device.roster.may_remove(me, *t)) {
                    let ban = self.dice.chance(30);
                    device.remove(&mut self.dice, target, ban);
                    device.mint(&mut self.dice);
                    self.targeted.insert(target);
                }
            }
            77..=88 if role == Role::Owner => {
                if let Some(target) = target {
                    let roles = [Role::Member, Role::Moderator, Role::Moderator, Role::Owner];
                    let role = roles[self.dice.below(4)];
                    device.set_role(&mut self.dice, target, role);
                }
            }
            89..=93 => device.mint(&mut self.dice),
            94 if at > 0 => {
                device.remove(&mut self.dice, me, false);
                self.targeted.insert(me);
            }
            _ => {}
        }
    }

    /// A removed member goes on: admits, removes, rekeys, and says that it may.
    fn bad_faith(&mut self, at: usize) {
        let device = &mut self.devices[at];
        let all: Vec<AuthorId> = device.roster.members().collect();
        let target = all[self.dice.below(all.len())];
        match self.dice.below(5) {
            0 => device.remove(&mut self.dice, target, true),
            1 => device.set_role(&mut self.dice, target, Role::Owner),
            2 => device.mint(&mut self.dice),
            3 => drop(device.say_admit(&mut self.dice)),
            _ => drop(device.say(&mut self.dice, "still here")),
        }
        // It finds somebody who does not know yet, or a friend, and its events get around.
        let friend = self.dice.below(self.devices.len());
        if let Ok([device, friend]) = self.devices.get_disjoint_mut([at, friend]) {
            friend.sync_from(device, &mut self.dice);
        }
    }

    /// Everybody who belongs meets everybody, until nothing is new.
    fn heal(&mut self) {
        for _ in 0..6 {
            for from in 0..self.devices.len() {
                for to in 0..self.devices.len() {
                    if from != to {
                        self.sync(from, to);
                    }
                }
            }
        }
    }

    fn check(&mut self, seed: u64) {
        self.heal();
        let members: Vec<usize> = (0..self.devices.len())
            .filter(|at| self.devices[*at].is_member())
            .collect();
        let first = &self.devices[members[0]];
        for &at in &members {
            let device = &self.devices[at];
            assert_eq!(
                device.membership(),
                first.membership(),
                "seed {seed}: stream 0"
            );
            assert_eq!(device.members(), first.members(), "seed {seed}: members");
            assert_eq!(device.shown(), first.shown(), "seed {seed}: messages");
            assert!(first.roster.is_member(device.me()), "seed {seed}: taken in");
        }
        for device in &self.devices {
            let mut line = vec![device.me()];
            while let Some(parent) = self.parent.get(line.last().unwrap()) {
                line.push(*parent);
            }
            // Where only moderators let people in, those of one who was demoted meanwhile don't count.
            let open = device.roster.policy().unwrap().inviters == Role::Member;
            if open && line.iter().all(|author| !self.targeted.contains(author)) {
                assert!(device.is_member(), "seed {seed}: locked out");
            }
        }
        self.closed_to_the_removed(seed, &members);
        self.open_to_members(seed, &members);
    }

    /// The removed read everything that was ever said and hold every key that anybody gave them.
    fn closed_to_the_removed(&mut self, seed: u64, members: &[usize]) {
        let all: Vec<SignedEvent> = self
            .devices
            .iter()
            .flat_map(|device| device.held.values().cloned())
            .collect();
        let agreed = self.devices[members[0]].roster.clone();
        for at in 0..self.devices.len() {
            let thief = self.devices[at].me();
            // A removal that gave way to a higher one never was one.
            if !self.hostile.contains(&thief) || agreed.is_member(thief) {
                continue;
            }
            all.iter().for_each(|event| self.devices[at].take(event));
            for other in 0..self.devices.len() {
                if let Ok([thief, other]) = self.devices.get_disjoint_mut([at, other])
                    && other.is_member()
                {
                    thief.ask(other);
                }
            }
            let thief = &self.devices[at];
            let mut ended = agreed.all_gone();
            let ended = ended.find(|(author, _)| *author == thief.me());
            let ended = ended.map_or(&[][..], |(_, acts)| acts);
            for (event, known) in &self.said {
                let knew = ended.iter().any(|act| known.contains(act));
                if knew && event.header().author != thief.me() {
                    assert!(
                        thief.open(event).is_none(),
                        "seed {seed}: read by the removed"
                    );
                }
            }
        }
    }

    fn open_to_members(&mut self, seed: u64, members: &[usize]) {
        let mut last = Vec::new();
        for &at in members {
            let event = self.devices[at].say(&mut self.dice, "all here?");
            last.push(event.hash());
        }
        self.heal();
        let shared = self.devices[0].roster.policy().unwrap().history == History::Shared;
        for &at in members {
            let device = &self.devices[at];
            let readable = |hash: &EventHash| device.open(&device.held[hash]).is_some();
            assert!(
                last.iter().all(|h| device.held.contains_key(h)),
                "seed {seed}: lost"
            );
            assert!(
                last.iter().all(readable),
                "seed {seed}: a member lacks a key"
            );
            if shared && !self.targeted.contains(&device.me()) {
                assert!(
                    device.shown().iter().all(readable),
                    "seed {seed}: the past is closed"
                );
            } else if !shared {
                self.only_since_it_came(seed, at);
            }
        }
    }

    /// Where the past is not shared: nothing from before the epoch that a joiner came with.
    fn only_since_it_came(&self, seed: u64, at: usize) {
        let device = &self.devices[at];
        let Some(came) = device.roster.admitted(device.me()) else {
            return;
        };
        for event in device.held.values() {
            let header = event.header();
            let mut devices = self.devices.iter();
            let minted = devices.find_map(|device| device.ring.minted(header.epoch));
            let old = minted.is_none_or(|minted| minted.at.0 < came);
            if header.stream == Stream::CONTENT && old {
                assert!(device.open(event).is_none(), "seed {seed}: read the past");
            }
        }
    }
}

fn run(seed: u64) {
    let mut room = Room::new(seed);
    for _ in 0..STEPS {
        room.step();
    }
    room.check(seed);
}

#[test]
fn rooms_agree_keep_the_removed_out_and_nobody_else() {
    let number = |name| std::env::var(name).ok().and_then(|n| n.parse().ok());
    if let Some(seed) = number("ROOM_SEED") {
        return run(seed);
    }
    let seeds: u64 = number("ROOM_SEEDS").unwrap_or(SEEDS);
    for seed in 1..=seeds {
        run(seed);
    }
    println!("{seeds} rooms");
}
