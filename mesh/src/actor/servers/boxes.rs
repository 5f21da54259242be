//! Carrier boxes on this network: which are used, and what they are told.
//!
//! ```text
//!  peer::Lan --Box, Gone--> seen --whose pass?--> at most two --> a server like others, but for these rules:
//!
//!  a room's owner gave the room a pass of that box   that room's tags and codes, once the box has proven itself
//!  a code was scanned here                           that code's tag, until the join ends
//!  the setting `boxes` is on                         all rooms and codes
//! ```
//!
//! Anybody can say that a box is there, and repeat the mark of one that is. So a box that somebody holds a pass of proves
//! itself on every connection before it is told anything, and one that can't is left alone for a while. Only addresses
//! on this device's own networks are tried: what is heard makes nobody here connect to the world outside. While nobody here
//! would use a box, none is asked for.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Duration,
};

use peddlenet_crypto::{BoxMark, Day, Slot};
use peddlenet_peer::{BoxSighting, Interface, ServerUrl};
use peddlenet_wire::{RoomTag, Timestamp};

use super::Actor;
use crate::{actor::Timer, clock};

/// Boxes that are used at a time (count).
pub(super) const BOXES_MAX: usize = 2;
/// Boxes that are remembered (count).
const SEEN_MAX: usize = 64;
/// Addresses of one box that are tried (count).
const ADDRS_MAX: usize = 3;
/// Boxes that were set aside (count).
const ASIDE_MAX: usize = 64;
/// One that is not the box it was taken for is left alone for so long.
const FALSE_FOR: Duration = Duration::from_secs(600);
/// One that doesn't answer lets others go first for so long.
const ABSENT_FOR: Duration = Duration::from_secs(30);
/// One that says goodbye is about to say its next name, most often.
const LINGER: Duration = Duration::from_secs(5);
/// Days after the last one of a pass on which copies may still lie at the box (count).
const KEPT_FOR: u64 = 3;
/// The setting by which all boxes near are used for all rooms.
const SETTING: &str = "boxes";

/// Where a box is, and as which it was asked to prove itself.
type Claim = (ServerUrl, Option<[u8; 32]>);

/// What is known of boxes.
#[derive(Default)]
pub(super) struct Boxes {
    seen: BTreeMap<String, Seen>,
    /// Whoever says that a box is another one than it is takes nothing from what it is.
    aside: BTreeMap<Claim, (Timestamp, Aside)>,
    /// Boxes of which somebody here holds a pass, by their keys.
    keys: BTreeSet<[u8; 32]>,
    /// Every box may be used, known or not.
    any: bool,
}

struct Seen {
    /// The first names the box here.
    at: Vec<ServerUrl>,
    mark: BoxMark,
    gone: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aside {
    False,
    Absent,
}

/// A box to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    /// Where it is; the first names it here.
    pub(super) at: Vec<ServerUrl>,
    /// As which it must prove itself.
    pub(super) key: Option<[u8; 32]>,
}

impl Boxes {
    /// Whether any is looked for.
    pub(super) fn are_sought(&self) -> bool {
        self.any || !self.keys.is_empty()
    }

    /// Remembers one. `here`: the networks that this device is on. False when nothing follows from it.
    fn see(&mut self, sighting: BoxSighting, here: &[Interface]) -> bool {
        let near = |addr: &&SocketAddr| here.iter().any(|interface| interface.has(addr.ip()));
        let mut addrs: Vec<_> = sighting.addrs.iter().filter(near).copied().collect();
        // A link-local address of IPv6 needs a scope, which no server's address has.
        addrs.retain(|addr| !matches!(addr, SocketAddr::V6(v6) if v6.ip().is_unicast_link_local()));
        // IPv4 first: it is there on every network that has boxes.
        addrs.sort_unstable();
        let at: Vec<_> = addrs.into_iter().take(ADDRS_MAX).map(Into::into).collect();
        if at.is_empty() {
            // What it said before still stands: addresses of IPv6 come apart from those of IPv4.
            return false;
        }
        if self.seen.len() >= SEEN_MAX && !self.seen.contains_key(&sighting.name) {
            // Made up, most of them; those that a pass is for stay.
            let marks = self.marks(clock::now());
            self.seen.retain(|_, seen| marks.contains_key(&seen.mark));
            if self.seen.len() >= SEEN_MAX {
                self.seen.clear();
            }
        }
        let mark = sighting.mark;
        let seen = Seen {
            at,
            mark,
            gone: None,
        };
        self.seen.insert(sighting.name, seen);
        true
    }

    fn is_gone(&mut self, name: &str, now: Timestamp) {
        if let Some(seen) = self.seen.get_mut(name) {
            seen.gone.get_or_insert(now);
        }
    }

    /// Forgets those that said goodbye and nothing since. False when there are none.
    fn let_go(&mut self, now: Timestamp) -> bool {
        let before = self.seen.len();
        let stays = |gone: Timestamp| now.since(gone) < LINGER;
        self.seen.retain(|_, seen| seen.gone.is_none_or(stays));
        self.seen.len() != before
    }

    fn forget_all(&mut self) {
        self.seen.clear();
        // On another network another device may be there under the same address.
        self.aside.clear();
    }

    fn set_aside(&mut self, url: &ServerUrl, key: Option<[u8; 32]>, now: Timestamp, why: Aside) {
        self.aside.retain(|_, (until, _)| *until > now);
        if self.aside.len() >= ASIDE_MAX {
            self.aside.pop_first();
        }
        let pause = match why {
            Aside::False => FALSE_FOR,
            Aside::Absent => ABSENT_FOR,
        };
        let until = now.after(pause);
        self.aside.insert((url.clone(), key), (until, why));
    }

    /// It answers.
    pub(super) fn is_there(&mut self, url: &ServerUrl) {
        self.aside
            .retain(|(at, _), (_, why)| at != url || *why == Aside::False);
    }

    /// By which mark each box is recognised that somebody here holds a pass of.
    fn marks(&self, now: Timestamp) -> BTreeMap<BoxMark, [u8; 32]> {
        let of = |key: &[u8; 32]| {
            let key = *key;
            Slot::around(now).map(move |slot| (BoxMark::of(&key, slot), key))
        };
        self.keys.iter().flat_map(of).collect()
    }

    /// The boxes to use, at most `count`: those that a pass is for, then those in use, then others; those that don't answer
    /// behind them.
    fn choose(
        &self,
        count: usize,
        now: Timestamp,
        is_used: impl Fn(&ServerUrl) -> bool,
    ) -> Vec<Chosen> {
        if !self.are_sought() {
            return Vec::new();
        }
        let marks = self.marks(now);
        let aside = |url: &ServerUrl, key| {
            let (until, why) = self.aside.get(&(url.clone(), key))?;
            (*until > now).then_some(*why)
        };
        let mut found: BTreeMap<&ServerUrl, Chosen> = BTreeMap::new();
        for seen in self.seen.values() {
            let key = marks.get(&seen.mark).copied();
            let Some(url) = seen.at.first().filter(|_| self.any || key.is_some()) else {
                continue;
            };
            if aside(url, key) == Some(Aside::False) {
                continue;
            }
            let at = seen.at.clone();
            let chosen = found.entry(url).or_insert(Chosen { at, key });
            // Two names for one place: one of them may be an old one, or a liar's.
            chosen.key = chosen.key.or(key);
        }
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_by_key(|(url, chosen)| {
            let absent = aside(url, chosen.key).is_some();
            (absent, chosen.key.is_none(), !is_used(url))
        });
        let found = found.into_iter().take(count.min(BOXES_MAX));
        found.map(|(_, chosen)| chosen).collect()
    }
}

impl Actor {
    /// Whether all boxes near are used for all rooms.
    pub(super) fn uses_any_box(&self) -> bool {
        self.settings.get(SETTING).is_some_and(|v| v == "on")
    }

    /// The boxes at which a room's members meet, among those in use.
    pub(super) fn boxes_of(&self, tag: RoomTag) -> Vec<ServerUrl> {
        let all = self.servers.all.iter();
        let found = all.filter_map(|(url, server)| Some((url, server.found.as_ref()?)));
        let met = found.filter(|(_, found)| self.is_met_at_box(tag, found.key));
        met.map(|(url, _)| url.clone()).collect()
    }

    /// Whether a room is met at the box of that key, or at any.
    pub(super) fn is_met_at_box(&self, tag: RoomTag, key: Option<[u8; 32]>) -> bool {
        let pass = || self.rooms.get(&tag)?.roster.pass();
        self.uses_any_box() || key.is_some_and(|key| pass().is_some_and(|p| p.box_key == key))
    }

    /// Chooses boxes anew, where that many more servers may be used.
    pub(super) fn choose_boxes(&mut self, room_for: usize, now: Timestamp) -> Vec<Chosen> {
        let in_it = self.rooms.values().filter(|room| room.is_in());
        let passes = in_it.filter_map(|room| room.roster.pass());
        // What was left on its last day lies there for days; later nobody looks for that box any more.
        let oldest = Day::at(now).before(KEPT_FOR).number();
        let passes = passes.filter(|pass| pass.days().any(|day| day >= oldest));
        let keys = passes.map(|pass| pass.box_key).collect();
        let any = self.uses_any_box() || !self.servers.joins.is_empty();
        let boxes = &mut self.servers.boxes;
        (boxes.keys, boxes.any) = (keys, any);
        if !boxes.are_sought() {
            // Nobody will say that they are gone.
            boxes.seen.clear();
        }
        self.near.seek_boxes(self.servers.boxes.are_sought());
        let all = &self.servers.all;
        let is_used = |url: &ServerUrl| all.contains_key(url);
        self.servers.boxes.choose(room_for, now, is_used)
    }

    /// A box said something on this network.
    pub(in crate::actor) fn on_box_seen(&mut self, sighting: BoxSighting) {
        let here = self.near.interfaces();
        if self.servers.boxes.see(sighting, here) {
            self.servers.keys_changed();
            // Who waits for a join waits for nothing else.
            self.arm(Timer::Servers, clock::now());
        }
    }

    /// Something nearby said goodbye; perhaps it was a box.
    pub(in crate::actor) fn on_box_gone(&mut self, name: &str) {
        self.servers.boxes.is_gone(name, clock::now());
    }

    /// The network changed, or nobody is looked for any more.
    pub(in crate::actor) fn forget_boxes(&mut self) {
        self.servers.boxes.forget_all();
        self.servers.keys_changed();
    }

    /// Forgets boxes that are gone.
    pub(super) fn look_at_boxes(&mut self, now: Timestamp) {
        if self.servers.boxes.let_go(now) {
            self.servers.keys_changed();
        }
    }

    /// A box does not answer: another may do.
    pub(super) fn box_is_absent(&mut self, url: &ServerUrl) {
        self.set_box_aside(url, Aside::Absent);
    }

    /// What poses as a box that somebody here knows is another.
    pub(super) fn box_is_false(&mut self, url: &ServerUrl) {
        tracing::debug!("something on this network poses as a carrier box");
        self.stats.false_boxes += 1;
        self.set_box_aside(url, Aside::False);
        self.servers.all.remove(url);
    }

    fn set_box_aside(&mut self, url: &ServerUrl, why: Aside) {
        let found = self.servers.all.get(url).and_then(|s| s.found.as_ref());
        let key = found.and_then(|found| found.key);
        self.servers.boxes.set_aside(url, key, clock::now(), why);
        self.servers.keys_changed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn here() -> Vec<Interface> {
        vec![Interface {
            name: "wlan0".into(),
            ip: [192, 168, 1, 2].into(),
            prefix: 24,
            index: 2,
        }]
    }

    fn said(name: &str, host: u8, mark: BoxMark) -> BoxSighting {
        BoxSighting {
            name: name.into(),
            addrs: vec![([192, 168, 1, host], 8787).into()],
            mark,
        }
    }

    fn mark(key: u8, slots_later: u64) -> BoxMark {
        let at = Timestamp(NOW.0 + slots_later * 600_000);
        BoxMark::of(&[key; 32], Slot::at(at))
    }

    fn with_pass_of(key: u8) -> Boxes {
        Boxes {
            keys: BTreeSet::from([[key; 32]]),
            ..Boxes::default()
        }
    }

    fn chosen(boxes: &Boxes) -> Vec<(String, bool)> {
        let chosen = boxes.choose(9, NOW, |_| false).into_iter();
        chosen
            .map(|chosen| (chosen.at[0].short(), chosen.key.is_some()))
            .collect()
    }

    fn url(host: u8) -> String {
        format!("ws://192.168.1.{host}")
    }

    #[test]
    fn without_a_pass_a_join_or_the_setting_no_box_is_used() {
        let mut boxes = Boxes::default();
        assert!(boxes.see(said("a", 9, mark(1, 0)), &here()));
        assert!(!boxes.are_sought() && chosen(&boxes).is_empty());
        boxes.any = true;
        assert_eq!(chosen(&boxes), [(url(9), false)]);
    }

    #[test]
    fn the_box_of_a_pass_is_known_by_its_mark_within_an_hour_and_others_are_not_used() {
        let mut boxes = with_pass_of(1);
        boxes.see(said("other", 8, mark(2, 0)), &here());
        boxes.see(said("late", 9, mark(1, 7)), &here());
        assert_eq!(chosen(&boxes), []);
        boxes.see(said("ours", 9, mark(1, 6)), &here());
        assert_eq!(chosen(&boxes), [(url(9), true)]);
    }

    #[test]
    fn one_that_lies_is_left_alone_and_the_true_one_comes_through() {
        let mut boxes = with_pass_of(1);
        for host in 3..9 {
            boxes.see(said(&format!("liar {host}"), host, mark(1, 0)), &here());
        }
        boxes.see(said("true", 200, mark(1, 0)), &here());
        let mut tried = BTreeSet::new();
        while !tried.contains(&url(200)) {
            let now = boxes.choose(9, NOW, |_| false);
            assert_eq!(now.len(), BOXES_MAX);
            for one in now {
                assert!(one.key.is_some(), "it has to prove itself");
                tried.insert(one.at[0].short());
                if one.at[0].short() != url(200) {
                    boxes.set_aside(&one.at[0], one.key, NOW, Aside::False);
                }
            }
        }
        // Ten minutes later an address may be somebody else's.
        assert_eq!(boxes.choose(9, NOW.after(FALSE_FOR), |_| false).len(), 2);
    }

    #[test]
    fn who_says_that_a_box_is_another_one_takes_it_from_nobody() {
        let mut boxes = with_pass_of(1);
        boxes.keys.insert([2; 32]);
        boxes.see(said("a liar about it", 3, mark(2, 0)), &here());
        boxes.see(said("itself", 3, mark(1, 0)), &here());
        let first = boxes.choose(9, NOW, |_| false).remove(0);
        assert_eq!(first.key, Some([2; 32]), "by the name that comes first");
        boxes.set_aside(&first.at[0], first.key, NOW, Aside::False);
        assert_eq!(boxes.choose(9, NOW, |_| false)[0].key, Some([1; 32]));
    }

    #[test]
    fn one_that_does_not_answer_lets_others_go_first_and_is_still_used_where_there_is_none() {
        let mut boxes = with_pass_of(1);
        boxes.see(said("a", 3, mark(1, 0)), &here());
        let (at, key) = (ServerUrl::parse(&url(3)).unwrap(), Some([1; 32]));
        boxes.set_aside(&at, key, NOW, Aside::Absent);
        assert_eq!(chosen(&boxes), [(url(3), true)]);
        boxes.see(said("b", 4, mark(1, 0)), &here());
        assert_eq!(chosen(&boxes), [(url(4), true), (url(3), true)]);
        boxes.is_there(&at);
        assert_eq!(chosen(&boxes), [(url(3), true), (url(4), true)]);
    }

    #[test]
    fn one_in_use_stays_and_one_that_says_its_next_name_is_not_lost() {
        let mut boxes = Boxes {
            any: true,
            ..Boxes::default()
        };
        for host in 3..9 {
            boxes.see(said(&host.to_string(), host, mark(2, 0)), &here());
        }
        let used = |at: &ServerUrl| at.short() == url(8);
        assert_eq!(boxes.choose(1, NOW, used)[0].at[0].short(), url(8));
        boxes.is_gone("8", NOW);
        boxes.see(said("8 again", 8, mark(2, 1)), &here());
        assert!(boxes.let_go(NOW.after(LINGER)));
        assert_eq!(boxes.choose(1, NOW, used)[0].at[0].short(), url(8));
        boxes.is_gone("8 again", NOW);
        assert!(!boxes.let_go(NOW), "it lingers");
        assert!(boxes.let_go(NOW.after(LINGER)));
        assert_ne!(boxes.choose(1, NOW, used)[0].at[0].short(), url(8));
    }

    #[test]
    fn addresses_elsewhere_are_not_tried() {
        let mut boxes = with_pass_of(1);
        let mut far = said("far", 9, mark(1, 0));
        far.addrs = vec![
            ([8, 8, 8, 8], 443).into(),
            "[fe80::1]:8787".parse().unwrap(),
        ];
        assert!(!boxes.see(far.clone(), &here()));
        boxes.see(said("far", 9, mark(1, 0)), &here());
        assert!(!boxes.see(far.clone(), &here()));
        assert_eq!(chosen(&boxes), [(url(9), true)], "it is still there");
        far.addrs
            .extend((1..20).map(|port| SocketAddr::from(([192, 168, 1, 9], port))));
        assert!(boxes.see(far, &here()));
        let at = &boxes.choose(9, NOW, |_| false)[0].at;
        assert_eq!(at.len(), ADDRS_MAX);
        assert!(
            at.iter()
                .all(|at| at.short().starts_with("ws://192.168.1.9"))
        );
    }

    #[test]
    fn a_crowd_of_made_up_boxes_takes_bounded_space_and_hides_no_known_one() {
        let mut boxes = with_pass_of(1);
        // The clock of `see` is this machine's.
        let known = BoxMark::of(&[1; 32], Slot::at(clock::now()));
        boxes.see(said("ours", 3, known), &here());
        for n in 0..5_000u16 {
            boxes.see(said(&n.to_string(), 4, mark(9, 0)), &here());
            let url = ServerUrl::from(SocketAddr::from(([192, 168, 2, 1], n)));
            boxes.set_aside(&url, None, NOW, Aside::False);
            assert!(boxes.seen.len() <= SEEN_MAX && boxes.aside.len() <= ASIDE_MAX);
        }
        let chosen = boxes.choose(9, clock::now(), |_| false);
        assert_eq!(chosen[0].at[0].short(), url(3));
    }
}
