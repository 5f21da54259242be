//! Rendezvous servers: who else of one's rooms is there, and who answers a code.
//!
//! ```text
//!  rooms, open codes, codes scanned --day's keys--> tags --hold--> peer::Rendezvous --> the server
//!
//!  Joined, others there --> "here I am" to all of the room       Heard --open--> of a room: `through_server`
//!  a join waits         --> a knock, again and for a relay after 1 s      |        of a code: `knocks`
//!                                                                         +--> it is no friend's: nothing
//!  own events of rooms that are backed up --Put--> parcels --Fetch--> who comes back (see `carry`)
//!  carrier boxes on this network are such servers, too: which, and for what, says `boxes`
//! ```
//!
//! A server is one more way to say where one is. It is told tags of one day and sealed bytes; which it can lose, hold
//! back, repeat and make up. So what comes from it is a hint to dial, and whoever is dialled proves itself on the link.

mod boxes;
mod carrier;
mod carry;
mod knocks;
mod through;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use peddlenet_crypto::{Day, MeetingKey, MeetingTag};
use peddlenet_peer::{IceServer, IceServerConfig, News, Rendezvous, ServerUrl, TAGS_MAX};
use peddlenet_wire::{EpochId, InviteKey, RoomId, RoomTag, Timestamp, limits, rendezvous::Signal};
use tokio::sync::mpsc;

use boxes::{Boxes, Chosen};
use carrier::Carrier;
pub(crate) use knocks::Found;
use knocks::{Join, KNOCKS_A_SECOND};

use super::{Actor, Ended, Net, TURN, rate::Rate};
use crate::{api::ServerState, clock, entropy, error::ErrorCode};

pub(crate) use carry::left_of;

/// Servers that are used at a time (count): the person's own, and those of rooms and codes.
const SERVERS_MAX: usize = 4;
/// The person's setting that names a server.
pub(crate) const SETTING: &str = "server";
/// How long after a dial began the way over a server is tried, too. The design has 1 s; a member or joiner whose direct
/// way works is linked within 50 ms, so waiting longer only delays those whose way does not (`bench nat`).
pub(crate) const SERVER_AFTER: Duration = Duration::from_millis(300);
/// How long after that an address at the relay is asked for.
pub(crate) const RELAY_AFTER: Duration = Duration::from_secs(1);

/// What is known of servers.
pub(crate) struct Servers {
    /// As configured.
    own: Vec<ServerUrl>,
    all: BTreeMap<ServerUrl, Server>,
    boxes: Boxes,
    /// Codes that were scanned here, while the join is under way.
    joins: Vec<Join>,
    /// Knocks that are answered.
    knocks: Rate,
    /// Rooms, epochs, codes or the setting changed.
    stale: bool,
    days: Vec<Day>,
}

/// One of them.
struct Server {
    /// A carrier box, which was found on this network.
    found: Option<Chosen>,
    rendezvous: Rendezvous,
    /// It is there; or why not.
    state: Result<(), String>,
    ice: Option<(Arc<IceServer>, SocketAddr)>,
    places: BTreeMap<MeetingTag, (Place, MeetingKey)>,
    /// How many others are on a tag.
    others: BTreeMap<MeetingTag, usize>,
    carrier: Carrier,
}

/// A server to use.
#[derive(Default)]
struct Wanted {
    found: Option<Chosen>,
    places: Vec<Place>,
}

/// What a tag stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A room, under the keys of an epoch.
    Room(RoomTag, EpochId),
    /// A code that this device may answer.
    Answer(InviteKey),
    /// A code that was scanned here.
    Join(InviteKey),
}

impl Servers {
    pub(super) fn new(own: Vec<ServerUrl>) -> Self {
        Self {
            own,
            all: BTreeMap::new(),
            boxes: Boxes::default(),
            joins: Vec::new(),
            knocks: Rate::new(KNOCKS_A_SECOND),
            stale: true,
            days: Vec::new(),
        }
    }

    /// Rooms, epochs or codes changed.
    pub(super) fn keys_changed(&mut self) {
        self.stale = true;
    }

    /// The network changed.
    pub(super) fn hurry(&self) {
        for server in self.all.values() {
            server.rendezvous.hurry();
            if let Some((ice, _)) = &server.ice {
                ice.moved();
            }
        }
    }

    /// How this device looks from outside, by what servers say.
    pub(super) fn seen_as(&self) -> BTreeSet<SocketAddr> {
        let ice = self.all.values().filter_map(|s| s.ice.as_ref());
        ice.filter_map(|(ice, _)| ice.seen_as()).collect()
    }

    /// For Diagnostics.
    pub(super) fn states(&self) -> Vec<ServerState> {
        let state = |(url, server): (&ServerUrl, &Server)| ServerState {
            url: url.short(),
            is_box: server.found.is_some(),
            why_not: server.state.clone().err(),
            seen_as: server.ice.as_ref().and_then(|(ice, _)| ice.seen_as()),
        };
        self.all.iter().map(state).collect()
    }
}

impl Actor {
    /// Which servers a room's members meet at: the person's own, and the one that the room came by.
    fn servers_of(&self, tag: RoomTag) -> BTreeSet<ServerUrl> {
        let rooms = self.rooms.get(&tag).and_then(|room| room.server.clone());
        self.own_servers().into_iter().chain(rooms).collect()
    }

    /// Where a room's members meet: servers, and the boxes in use.
    fn meets_at(&self, tag: RoomTag) -> BTreeSet<ServerUrl> {
        let servers = self.servers_of(tag).into_iter();
        servers.chain(self.boxes_of(tag)).collect()
    }

    /// The person's own.
    fn own_servers(&self) -> Vec<ServerUrl> {
        let set = self.settings.get(SETTING).map(String::as_str);
        let set = set.and_then(|text| ServerUrl::parse(text).ok());
        self.servers.own.iter().cloned().chain(set).collect()
    }

    /// The one that a code of a room names.
    pub(super) fn server_to_name(&self, tag: RoomTag) -> Option<String> {
        let url = self.servers_of(tag).into_iter().next()?;
        Some(url.short()).filter(|text| text.len() <= limits::SERVER_MAX)
    }

    /// Looks after which servers are used, and which tags are held there.
    pub(super) fn look_at_servers(&mut self) {
        let now = clock::now();
        let before = self.servers.joins.len();
        self.servers.joins.retain(|join| !join.is_over());
        self.look_at_boxes(now);
        let days = Day::around(now);
        let stale = std::mem::take(&mut self.servers.stale);
        if stale || days != self.servers.days || before != self.servers.joins.len() {
            self.servers.days = days;
            self.hold_tags(now);
        }
        self.knock_again(now);
        self.look_at_carriers(now);
    }

    fn hold_tags(&mut self, now: Timestamp) {
        let mut wanted: BTreeMap<ServerUrl, Wanted> = BTreeMap::new();
        let codes = self.codes_to_answer(now);
        let rooms = self.places_of_rooms();
        // What somebody waits for comes first, then the newest epochs of all rooms, then older ones.
        for join in &self.servers.joins {
            for url in join.at() {
                let places = &mut wanted.entry(url.clone()).or_default().places;
                places.push(Place::Join(join.invite()));
            }
        }
        for invite in &codes {
            let room = self.room_of_code(*invite);
            for url in room.map_or_else(BTreeSet::new, |room| self.servers_of(room)) {
                let places = &mut wanted.entry(url).or_default().places;
                places.push(Place::Answer(*invite));
            }
        }
        for (tag, epoch) in &rooms {
            for url in self.servers_of(*tag) {
                let places = &mut wanted.entry(url).or_default().places;
                if places.len() < TAGS_MAX {
                    places.push(Place::Room(*tag, *epoch));
                }
            }
        }
        while wanted.len() > SERVERS_MAX {
            wanted.pop_last();
        }
        let left = SERVERS_MAX.saturating_sub(wanted.len());
        for found in self.choose_boxes(left, now) {
            let Some(url) = found.at.first().cloned() else {
                continue;
            };
            let places = self.places_at_box(found.key, &codes, &rooms);
            let found = Some(found);
            // What was named is used as that.
            wanted.entry(url).or_insert(Wanted { found, places });
        }
        self.use_servers(wanted);
    }

    /// The newest epochs of all rooms, then older ones.
    fn places_of_rooms(&self) -> Vec<(RoomTag, EpochId)> {
        let rooms = self.rooms.values();
        let rooms = rooms.filter(|room| room.roster.is_member(room.me()));
        let places = rooms.flat_map(|room| {
            let epochs = room.ring.newest_first().into_iter().enumerate();
            epochs.map(|(age, keys)| (age, room.tag, keys.id()))
        });
        let mut places: Vec<_> = places.collect();
        places.sort_by_key(|(age, ..)| *age);
        let places = places.into_iter();
        places.map(|(_, tag, epoch)| (tag, epoch)).collect()
    }

    fn places_at_box(
        &self,
        key: Option<[u8; 32]>,
        codes: &[InviteKey],
        rooms: &[(RoomTag, EpochId)],
    ) -> Vec<Place> {
        let is_met = |tag: RoomTag| self.is_met_at_box(tag, key);
        let joins = self.servers.joins.iter();
        let joins = joins.map(|join| Place::Join(join.invite()));
        let codes = codes.iter().copied();
        let codes = codes.filter(|invite| self.room_of_code(*invite).is_some_and(is_met));
        let rooms = rooms.iter().filter(|(tag, _)| is_met(*tag));
        let rooms = rooms.map(|(tag, epoch)| Place::Room(*tag, *epoch));
        let all = joins.chain(codes.map(Place::Answer)).chain(rooms);
        all.take(TAGS_MAX).collect()
    }

    fn room_of_code(&self, invite: InviteKey) -> Option<RoomTag> {
        let of = |room: &&crate::room::Room| room.roster.invite(invite).is_some();
        self.rooms.values().find(of).map(|room| room.tag)
    }

    fn use_servers(&mut self, wanted: BTreeMap<ServerUrl, Wanted>) {
        // One that has to prove something else than before is connected to anew.
        self.servers.all.retain(|url, server| {
            let key = |found: &Option<Chosen>| found.as_ref().map(|found| found.key);
            let wanted = wanted.get(url).map(|wanted| key(&wanted.found));
            let stays = wanted == Some(key(&server.found));
            if !stays {
                tracing::debug!(found = server.found.is_some(), "a server is used no more");
            }
            stays
        });
        for (url, Wanted { found, places }) in wanted {
            let keys = self.keys_of(&places);
            let net = &self.net;
            let known = self.servers.all.entry(url.clone());
            let server = known.or_insert_with(|| start(&url, found, net.clone()));
            server.rendezvous.hold(keys.iter().map(|(tag, _)| *tag));
            server.places = keys.into_iter().collect();
            let places = &server.places;
            server.others.retain(|tag, _| places.contains_key(tag));
            server.carrier.plan_anew();
        }
    }

    /// Today's tags first, then those of the day that begins or ended a moment ago.
    fn keys_of(&self, places: &[Place]) -> Vec<(MeetingTag, (Place, MeetingKey))> {
        let key = |place: Place, day: Day| match place {
            Place::Room(tag, epoch) => {
                let keys = self.rooms.get(&tag)?.ring.keys(epoch)?;
                Some(MeetingKey::of_members(keys, day))
            }
            Place::Answer(invite) | Place::Join(invite) => {
                Some(MeetingKey::of_invite(&invite, day))
            }
        };
        let of_day = |day: &Day| {
            let day = *day;
            let keyed = move |place: &Place| Some((*place, key(*place, day)?));
            places.iter().filter_map(keyed).collect::<Vec<_>>()
        };
        let all = self.servers.days.iter().flat_map(of_day);
        all.map(|(place, key)| (key.tag(), (place, key)))
            .take(TAGS_MAX)
            .collect()
    }

    pub(super) fn on_server(&mut self, url: &ServerUrl, news: News) {
        let Some(server) = self.servers.all.get_mut(url) else {
            return;
        };
        match news {
            News::Up => {
                server.state = Ok(());
                self.servers.boxes.is_there(url);
            }
            News::Down { why } => {
                tracing::debug!(why, "a server is not there");
                server.state = Err(why);
                server.others.clear();
                server.carrier.is_gone();
                if server.found.is_some() {
                    self.box_is_absent(url);
                }
            }
            News::NotThatBox => self.box_is_false(url),
            News::Offer { ice, backup } => {
                server.carrier.offered(backup);
                if let Some(config) = ice {
                    self.on_ice(url, config);
                }
                self.look_at_carriers(clock::now());
            }
            News::Kept { .. } => self.on_kept(url),
            News::Parcels { tag, parcels, more } => self.on_parcels(url, tag, &parcels, more),
            News::Refused { code } => server.carrier.refused(&code, clock::now()),
            News::Joined { tag, peers } => {
                server.others.insert(tag, peers);
                match server.places.get(&tag) {
                    Some((Place::Room(room, _), _)) if peers > 0 => {
                        let room = *room;
                        self.greet(url, room, tag);
                        self.serve_too(room, None);
                    }
                    Some((Place::Join(_), _)) => self.knock_again(clock::now()),
                    _ => {}
                }
            }
            News::Heard { tag, data } => self.on_heard_there(url, tag, &data),
            _ => {}
        }
    }

    fn on_ice(&mut self, url: &ServerUrl, config: IceServerConfig) {
        let Some(server) = self.servers.all.get_mut(url) else {
            return;
        };
        match &server.ice {
            Some((ice, addr)) if *addr == config.addr => ice.renew(config.turn),
            _ => {
                let addr = config.addr;
                server.ice = Some((Arc::new(self.endpoint.ice_server(config)), addr));
            }
        }
    }

    fn on_heard_there(&mut self, url: &ServerUrl, tag: MeetingTag, data: &[u8]) {
        let place = self.servers.all.get(url).and_then(|s| s.places.get(&tag));
        let Some((place, key)) = place else { return };
        let place = *place;
        let opened = key.open(data).ok();
        let Some(signal) = opened.and_then(|bytes| Signal::from_bytes(&bytes).ok()) else {
            self.stats.server_garbage += 1;
            return tracing::debug!("a server passed on what no friend said");
        };
        match (place, signal) {
            (Place::Room(room, _), Signal::Record(record)) => {
                self.on_record_there(url, room, tag, &record);
            }
            (Place::Answer(invite), Signal::Knock(knock)) => {
                self.on_knock(url, invite, tag, &knock);
            }
            (Place::Join(invite), Signal::Place(place)) => self.on_place(invite, &place),
            // Others on a code's tag hear each other's knocks and answers.
            _ => {}
        }
    }

    /// Seals and says something on a tag of a server.
    fn say_there(&self, url: &ServerUrl, tag: MeetingTag, signal: &Signal) {
        let Some(server) = self.servers.all.get(url) else {
            return;
        };
        let Some((_, key)) = server.places.get(&tag) else {
            return;
        };
        match key.seal(&entropy::bytes(), &signal.to_bytes()) {
            Ok(sealed) => server.rendezvous.say(tag, sealed),
            Err(e) => tracing::error!(error = %e, "not sealed for a server"),
        }
    }

    /// Goes on once the server has said how it sees this device, or has not in time.
    fn once_seen(&self, url: &ServerUrl, then: impl FnOnce(&mut Self) + Send + 'static) {
        let ice = self.servers.all.get(url).and_then(|s| s.ice.as_ref());
        let ice = ice.map(|(ice, _)| Arc::clone(ice));
        let net = self.net.clone();
        tokio::spawn(async move {
            if let Some(ice) = ice {
                ice.wait_seen_as().await;
            }
            let _ = net.send(Net::Then(Box::new(then))).await;
        });
    }

    /// Goes on with an address at the server's relay that those may send to, if there is one to be had.
    fn with_relay(
        &self,
        url: &ServerUrl,
        those: &[SocketAddr],
        then: impl FnOnce(&mut Self, SocketAddr) + Send + 'static,
    ) {
        let ice = self.servers.all.get(url).and_then(|s| s.ice.as_ref());
        let Some(ice) = ice.map(|(ice, _)| Arc::clone(ice)) else {
            return;
        };
        let ips: BTreeSet<_> = those.iter().map(SocketAddr::ip).collect();
        let net = self.net.clone();
        let began = std::time::Instant::now();
        tokio::spawn(async move {
            match ice.relay(ips.into_iter().collect()).await {
                Ok(addr) => {
                    let then = move |actor: &mut Self| then(actor, addr);
                    let _ = net.send(Net::Then(Box::new(then))).await;
                }
                Err(e) => {
                    tracing::debug!(error = %e, "no address at a relay");
                    let took = began.elapsed();
                    let note = move |actor: &mut Self| {
                        let ended = Ended::Failed(ErrorCode::NoAnswer);
                        actor.record.attempt(TURN, took, ended);
                    };
                    let _ = net.send(Net::Then(Box::new(note))).await;
                }
            }
        });
    }

    /// Where this device is: as servers see it, and as it sees itself.
    pub(super) fn addrs_inside_and_out(&self) -> Vec<SocketAddr> {
        let inside = self.endpoint.local_addrs();
        let outside = self.servers.seen_as();
        let outside: Vec<_> = outside
            .into_iter()
            .filter(|a| !inside.contains(a))
            .collect();
        outside.into_iter().chain(inside).collect()
    }

    /// Keeps the server of the code that this device came into a room by.
    pub(crate) fn keep_server(&mut self, id: RoomId, server: Option<&str>) {
        let Ok(tag) = self.tag(id) else { return };
        let Some(url) = server.and_then(|text| ServerUrl::parse(text).ok()) else {
            return;
        };
        let write = peddlenet_store::Write::Meta {
            key: server_of(tag),
            value: Some(url.short().into_bytes()),
        };
        self.save_quietly(write, "the server of a room is not saved");
        if let Some(room) = self.rooms.get_mut(&tag) {
            room.server = Some(url);
        }
        self.servers.keys_changed();
    }
}

/// Where the server of a room stands in the store's `meta`.
pub(crate) fn server_of(room: RoomTag) -> Vec<u8> {
    [&b"server/"[..], &room.0].concat()
}

fn start(url: &ServerUrl, found: Option<Chosen>, net: mpsc::Sender<Net>) -> Server {
    let (rendezvous, mut news) = match &found {
        None => Rendezvous::start(url.clone()),
        Some(found) => Rendezvous::start_box(found.at.clone(), found.key),
    };
    let url = url.clone();
    tokio::spawn(async move {
        while let Some(news) = news.recv().await {
            let told = net.send(Net::Server(Box::new((url.clone(), news))));
            if told.await.is_err() {
                return;
            }
        }
    });
    Server {
        found,
        rendezvous,
        state: Err("not yet connected".to_owned()),
        ice: None,
        places: BTreeMap::new(),
        others: BTreeMap::new(),
        carrier: Carrier::default(),
    }
}
