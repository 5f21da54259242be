//! Who of one's rooms is on this network: the LAN rung of a dial and of a join.
//!
//! ```text
//!  every .5 s -> notice: a tag and a mark for each room, a tag for each code  --> peer::Lan --> the network
//!  Nearby::Seen --> whose tag? --member--> whose mark? --> place of that member --> engine: Near --> Dial
//!                              --code that somebody here scanned--------------> the join that waits for it
//! ```
//!
//! A sighting is a hint, no proof: whoever heard a device can repeat what it said. So it adds places to
//! dial beside those that a member's own record tells, and takes none away. A device without links asks
//! the network again and again, at first every few seconds; otherwise what others say as they come, or as
//! their tags change, is enough.

mod known;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};

use peddlenet_crypto::{BoxMark, DiscoveryKey, Slot};
use peddlenet_gossip::Input;
use peddlenet_peer::{BoxNotice, Interface, Lan, Nearby, Notice, Sighting, interfaces};
use peddlenet_wire::{
    AuthorId, EpochId, Fingerprint, InviteKey, RoomTag, Timestamp,
    near::{ENTRIES_MAX, Entry},
};
use tokio::sync::mpsc;

use self::known::Keys;
use super::{Actor, Found, dial::LAN};
use crate::{api::Event, clock, entropy, node::Announced};

/// Codes that are said (count): as many as may be open.
const CODES_SAID: usize = peddlenet_wire::limits::OPEN_INVITES_MAX;
/// Rooms that are said (count).
const ROOMS_SAID: usize = ENTRIES_MAX - CODES_SAID;
/// Places of one member that are remembered (count): the newest, and what else claims to be it.
const PLACES_MAX: usize = 3;
/// Members whose places are remembered (count).
const MEMBERS_MAX: usize = 1024;
/// Devices that are remembered (count).
const DEVICES_MAX: usize = 512;
/// Devices that one join is told of before it takes them (count).
const TOLD_MAX: usize = 16;
/// Joins that wait for a device nearby (count).
const WAITING_MAX: usize = 8;
/// Without links, the pause before the network is asked again; twice as long after a while ..
const LOOK_AFTER: Duration = Duration::from_millis(1500);
/// .. and again, up to this: a question is 80 bytes.
const LOOK_AT_MOST: Duration = Duration::from_secs(10);
/// Looks before the pauses grow (count): half a minute.
const LOOKS_IN_A_ROW: u32 = 20;
/// The clock leapt that far between two looks: the device slept.
const SLEPT: Duration = Duration::from_secs(15);
/// It was set back by more than it is corrected by now and then.
const SET_BACK: Duration = Duration::from_secs(2);
/// A slot's tags are said up to that much later, so that a crowd doesn't all speak at once.
const LATER: Duration = Duration::from_secs(60);
/// The setting that switches this off.
const SETTING: &str = "lan";

/// A place where a member was seen.
#[derive(Debug, Clone)]
struct Place {
    /// The name of what said so.
    name: String,
    addrs: Vec<SocketAddr>,
    /// Under whose keys: that device has no newer ones.
    epoch: EpochId,
}

/// What is known of this network.
pub(crate) struct Surroundings {
    /// May it be used at all.
    allowed: bool,
    /// A carrier box on this machine.
    announces: Option<Announced>,
    lan: Option<Lan>,
    /// Carrier boxes are looked for.
    boxes: bool,
    news: mpsc::Sender<super::Net>,
    /// The system lets nobody listen.
    unavailable: bool,
    keys: Keys,
    /// Where each member was seen, the newest last.
    places: BTreeMap<(RoomTag, AuthorId), VecDeque<Place>>,
    /// Everyone who says something now; what they say is read anew when the keys change.
    devices: BTreeMap<String, Sighting>,
    /// Codes that were scanned here.
    joins: Vec<(InviteKey, mpsc::Sender<Found>)>,
    interfaces: Vec<Interface>,
    /// There may be something else to say.
    stale: bool,
    /// When this was looked after last, by both clocks.
    looked: (Timestamp, Instant),
    /// When the network is asked anew, and how often it was.
    look_at: Timestamp,
    looks: u32,
    later: Duration,
}

impl Surroundings {
    pub(super) fn new(
        allowed: bool,
        announces: Option<Announced>,
        news: mpsc::Sender<super::Net>,
    ) -> Self {
        Self {
            allowed,
            announces,
            lan: None,
            boxes: false,
            news,
            unavailable: false,
            keys: Keys::default(),
            places: BTreeMap::new(),
            devices: BTreeMap::new(),
            joins: Vec::new(),
            interfaces: interfaces(),
            stale: true,
            looked: (clock::now(), Instant::now()),
            look_at: clock::now(),
            looks: 0,
            later: entropy::span(LATER),
        }
    }

    /// This device's interfaces as of the last look, which is never long ago.
    pub(super) fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// Rooms, epochs or codes changed.
    pub(super) fn keys_changed(&mut self) {
        self.stale = true;
        self.keys.forget();
    }

    pub(super) fn forget_room(&mut self, tag: RoomTag) {
        self.places.retain(|(room, _), _| *room != tag);
        self.keys.forget();
    }

    /// Where a member was seen, the newest first, and under which keys it is to be dialled.
    pub(super) fn places_of(
        &self,
        tag: RoomTag,
        author: AuthorId,
    ) -> Option<(Vec<SocketAddr>, EpochId)> {
        let places = self.places.get(&(tag, author))?;
        let epoch = places.back()?.epoch;
        let mut addrs: Vec<SocketAddr> = Vec::new();
        for addr in places.iter().rev().flat_map(|place| &place.addrs) {
            if !addrs.contains(addr) {
                addrs.push(*addr);
            }
        }
        Some((addrs, epoch))
    }

    /// Whether somebody is seen there.
    pub(super) fn is_seen_at(&self, addr: SocketAddr) -> bool {
        self.devices.values().any(|d| d.addrs.contains(&addr))
    }

    /// Whether it is an address of this network, and devices of it are looked for.
    pub(super) fn is_beside(&self, addr: SocketAddr) -> bool {
        let here = |interface: &Interface| interface.has(addr.ip());
        self.is_on() && self.interfaces.iter().any(here)
    }

    /// Whether members are seen here and it is used.
    pub(crate) fn state(&self) -> (crate::api::LanState, usize) {
        use crate::api::LanState;
        let state = match &self.lan {
            None => LanState::Off,
            Some(_) if self.unavailable => LanState::Unavailable,
            Some(_) => LanState::On,
        };
        let near: BTreeSet<_> = self
            .places
            .values()
            .flatten()
            .map(|place| &place.name)
            .collect();
        (state, near.len())
    }

    /// Whether anybody is looked for.
    pub(super) fn is_on(&self) -> bool {
        self.lan.is_some()
    }

    /// Whether carrier boxes are looked for from now on.
    pub(super) fn seek_boxes(&mut self, boxes: bool) {
        if self.boxes != boxes {
            self.boxes = boxes;
            if let Some(lan) = &self.lan {
                lan.seek(boxes);
            }
        }
    }

    fn remember(&mut self, member: (RoomTag, AuthorId), place: Place) {
        if !self.places.contains_key(&member) && self.places.len() >= MEMBERS_MAX {
            return;
        }
        let places = self.places.entry(member).or_default();
        places.retain(|old| old.name != place.name);
        places.push_back(place);
        if places.len() > PLACES_MAX {
            places.pop_front();
        }
    }

    fn forget_device(&mut self, name: &str) {
        self.devices.remove(name);
        self.places.retain(|_, places| {
            places.retain(|place| place.name != name);
            !places.is_empty()
        });
    }

    fn forget_all(&mut self) {
        self.devices.clear();
        self.places.clear();
    }
}

impl Actor {
    /// Looks after what is said and heard on this network.
    pub(super) fn look_around(&mut self) {
        let now = clock::now();
        let slept = self.read_clocks(now);
        let interfaces = interfaces();
        let moved = interfaces != self.near.interfaces;
        self.near.interfaces = interfaces;
        let stale = std::mem::take(&mut self.near.stale);
        let due = moved || slept || stale || self.ticks.is_multiple_of(super::SLOW);
        let addrs = due.then(|| self.endpoint.near_addrs_on(&self.near.interfaces));
        if let Some(addrs) = &addrs {
            self.near.joins.retain(|(_, to)| !to.is_closed());
            self.switch_lan(!addrs.is_empty());
        }
        if moved || slept {
            tracing::info!(moved, slept, "the network changed");
            self.near.forget_all();
            self.forget_boxes();
            self.near.looks = 0;
            self.servers.hurry();
            self.record.moved();
            if let Some(lan) = &self.near.lan {
                lan.look(true);
            }
            let addrs = self.endpoint.local_addrs_on(&self.near.interfaces);
            self.events.emit(Event::Network { addrs });
            self.feed(Input::Moved);
            for tag in self.rooms.keys().copied().collect::<Vec<_>>() {
                self.tell_known(tag, None);
            }
        }
        if let Some(addrs) = addrs {
            self.say_near(addrs, now);
        }
        self.look_when_alone(now);
    }

    /// Whether the device slept since the last look, by what both clocks say.
    fn read_clocks(&mut self, now: Timestamp) -> bool {
        let instant = Instant::now();
        let (before, instant_before) = std::mem::replace(&mut self.near.looked, (now, instant));
        // Where sleep is not counted by one of them.
        let uncounted = now
            .since(before)
            .saturating_sub(instant.saturating_duration_since(instant_before));
        if uncounted > SLEPT {
            self.timers.slept(uncounted, instant);
        }
        // Set back, a clock says nothing of the network; but what was put off until a time of it would come late.
        if before.since(now) > SET_BACK {
            self.clock_was_set_back();
        }
        now.since(before) > SLEPT
    }

    /// On where it may be used: not on this machine alone, and not where the person said no.
    fn switch_lan(&mut self, on_a_network: bool) {
        let off = self.settings.get(SETTING).is_some_and(|v| v == "off");
        let wanted = self.near.allowed && !off && on_a_network;
        match (&self.near.lan, wanted) {
            (None, true) => {
                let (lan, mut news) = Lan::start();
                lan.seek(self.near.boxes);
                self.near.lan = Some(lan);
                let net = self.near.news.clone();
                tokio::spawn(async move {
                    while let Some(news) = news.recv().await {
                        if net.send(super::Net::Nearby(news)).await.is_err() {
                            return;
                        }
                    }
                });
            }
            (Some(_), false) => {
                self.near.lan = None;
                self.near.forget_all();
                self.forget_boxes();
            }
            _ => {}
        }
    }

    fn say_near(&self, addrs: Vec<SocketAddr>, now: Timestamp) {
        if self.near.lan.is_none() {
            return;
        }
        let at = now.before(self.near.later);
        let carrier = self.near.announces.map(|carrier| BoxNotice {
            port: carrier.port,
            mark: BoxMark::of(&carrier.key, Slot::at(at)),
        });
        let notice = Notice {
            addrs,
            entries: self.entries(at, now),
            carrier,
        };
        if let Some(lan) = &self.near.lan {
            lan.say(notice);
            // Said again, too: a task that is behind misses it.
            lan.seek(self.near.boxes);
        }
    }

    /// A tag and a mark for each room, a tag for each code that this device may answer.
    fn entries(&self, at: Timestamp, now: Timestamp) -> Vec<Entry> {
        let room = |room: &crate::room::Room| {
            let key = DiscoveryKey::of_members(room.newest_epoch().ok()?);
            room.roster.is_member(room.me()).then(|| Entry {
                tag: key.tag(at),
                mark: key.mark(Slot::at(at), room.me()),
            })
        };
        let rooms = self.rooms.values().filter_map(room).take(ROOMS_SAID);
        let codes = self.codes_to_answer(now).into_iter().take(CODES_SAID);
        let code = |invite: InviteKey| {
            let key = DiscoveryKey::of_invite(&invite);
            // Nobody reads its mark; it stays the same while the tag does.
            let mark = key.mark(Slot::at(at), AuthorId::ZERO);
            Entry {
                tag: key.tag(at),
                mark,
            }
        };
        rooms.chain(codes.map(code)).collect()
    }

    /// Nobody to ask whether somebody came.
    fn look_when_alone(&mut self, now: Timestamp) {
        if self.link_count() > 0 || self.rooms.is_empty() {
            self.near.looks = 0;
            return;
        }
        if now < self.near.look_at && now.after(LOOK_AT_MOST * 2) > self.near.look_at {
            return;
        }
        let grown = self.near.looks.saturating_sub(LOOKS_IN_A_ROW);
        self.near.looks = self.near.looks.saturating_add(1);
        let pause = LOOK_AFTER
            .saturating_mul(1 << grown.min(5))
            .min(LOOK_AT_MOST);
        // A crowd that lost its access point doesn't ask in step.
        let early = entropy::span(pause / 3);
        self.near.look_at = now.after(pause.saturating_sub(early));
        if let Some(lan) = &self.near.lan {
            lan.look(false);
        }
    }

    /// A link ended that nobody meant to end: are those who were seen there still there?
    pub(super) fn ask_after(&mut self, tag: RoomTag, author: AuthorId) {
        if let (Some(lan), Some(places)) = (&self.near.lan, self.near.places.get(&(tag, author))) {
            for place in places {
                lan.doubt(place.name.clone());
            }
        }
    }

    pub(super) fn on_nearby(&mut self, news: Nearby) {
        match news {
            Nearby::Seen(sighting) => {
                if self.near.devices.len() >= DEVICES_MAX {
                    // Most of them are gone without a word, or were made up.
                    self.near.forget_all();
                }
                self.near
                    .devices
                    .insert(sighting.name.clone(), sighting.clone());
                self.name_ways_of(&sighting);
                self.read_sighting(&sighting, clock::now());
            }
            Nearby::Box(sighting) => self.on_box_seen(sighting),
            Nearby::Gone { name } => {
                self.near.forget_device(&name);
                self.on_box_gone(&name);
            }
            Nearby::Available(available) => self.near.unavailable = !available,
        }
    }

    fn read_sighting(&mut self, sighting: &Sighting, now: Timestamp) {
        self.near.keys.refresh(&self.rooms, &self.near.joins, now);
        let mut near: BTreeMap<RoomTag, Vec<AuthorId>> = BTreeMap::new();
        for entry in &sighting.entries {
            match self.near.keys.whose(entry, &self.rooms) {
                Some(known::Whose::Member {
                    room,
                    epoch,
                    author,
                }) => {
                    let place = Place {
                        name: sighting.name.clone(),
                        addrs: sighting.addrs.clone(),
                        epoch,
                    };
                    self.near.remember((room, author), place);
                    near.entry(room).or_default().push(author);
                    self.dial_there_too(room, author);
                }
                Some(known::Whose::Newcomer { room, epoch }) => {
                    // Who came in a moment ago, most likely: its admit is still on its way to here.
                    self.dial_newcomer(room, epoch, &sighting.addrs);
                }
                Some(known::Whose::Join(invite)) => {
                    for (_, to) in self.near.joins.iter().filter(|(key, _)| *key == invite) {
                        let _ = to.try_send(Found {
                            addrs: sighting.addrs.clone(),
                            // Who is found nearby need not be who made the code.
                            fingerprint: None,
                            via: LAN,
                        });
                    }
                }
                None => {}
            }
        }
        for (room, authors) in near {
            self.feed(Input::Near { room, authors });
        }
    }

    /// Members came in: some of those who were seen may be known by now.
    pub(super) fn read_devices_anew(&mut self) {
        self.near.keys.forget();
        let now = clock::now();
        for sighting in self.near.devices.values().cloned().collect::<Vec<_>>() {
            self.read_sighting(&sighting, now);
        }
    }

    fn dial_newcomer(&mut self, tag: RoomTag, epoch: EpochId, addrs: &[SocketAddr]) {
        let alone = self.rooms.get(&tag).is_some_and(|room| {
            let linked = |author: &AuthorId| self.linked_to(tag, *author);
            !room.roster.members().any(|author| linked(&author))
        });
        if alone {
            let to = super::dial::To {
                author: None,
                fingerprint: None,
                epoch: Some(epoch),
            };
            self.dial_device(tag, to, addrs.to_vec(), LAN);
        }
    }

    /// Devices that answer a code, those that are here already and those that come, until the receiver is
    /// dropped. `None` where nobody is looked for.
    pub(crate) fn wait_for_code(&mut self, invite: InviteKey) -> Option<mpsc::Receiver<Found>> {
        let addrs = self.endpoint.near_addrs_on(&interfaces());
        self.switch_lan(!addrs.is_empty());
        self.near.lan.as_ref()?;
        if self.near.joins.len() >= WAITING_MAX {
            self.near.joins.remove(0);
        }
        let (to, devices) = mpsc::channel(TOLD_MAX);
        self.near.joins.push((invite, to));
        self.read_devices_anew();
        if let Some(lan) = &self.near.lan {
            lan.look(false);
        }
        Some(devices)
    }
}

/// A fingerprint that a code names; a printed one names none.
pub(crate) fn named(fingerprint: Fingerprint) -> Option<Fingerprint> {
    (fingerprint != Fingerprint::ZERO).then_some(fingerprint)
}
