//! The actor: one task that owns the state of the device.
//!
//! ```text
//!  Node (handle) --- closures --->+---------+--- commit, read ---> store thread
//!  links, dials  --- Net -------->|  Actor  |<-- continuations --- store thread, verifier
//!  timers        ---------------->|         |--- Frame ---------> links
//!                                 | engine  |--- Event ---------> whoever listens
//!                                 +---------+
//! ```
//!
//! Everything that happens is a closure over the actor or a [`Net`] input; it runs to its end, then
//! the engine's actions are carried out, then the next one runs. No lock, no await with state in hand.

mod back;
mod deliver;
mod dial;
mod direct;
mod epochs;
mod gates;
mod invites;
mod join;
mod kept;
mod links;
mod loading;
mod map;
mod meet;
mod messages;
mod meter;
mod moving;
mod nearby;
mod notes;
mod opening;
mod people;
mod power;
mod presence;
mod rate;
mod record;
mod retention;
mod rooms;
mod search;
mod servers;
mod sink;
mod space;
mod timers;
mod trust;
mod verify;
mod whereabouts;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::SocketAddr,
    time::{Duration, Instant},
};

use peddlenet_gossip::{Action, Engine, Input, PeerId, Query, Why};
use peddlenet_peer::{Endpoint, GateId, Incoming, ServerUrl};
use peddlenet_store::Write;
use peddlenet_wire::{
    AuthorId, EventHash, InviteKey, RoomId, RoomTag, SignedEvent, Timestamp, codec::Name,
};
use tokio::sync::{mpsc, oneshot};

pub(crate) use dial::{DIRECT, LAN, SERVER, TURN, TWO_SCAN};
pub(crate) use join::Arrival;
pub(crate) use links::Net;
pub(crate) use nearby::named;
pub(crate) use record::Ended;
pub(crate) use servers::{Found, left_of, server_of};
pub(crate) use sink::{EVENT_QUEUE, EventSink};
pub(crate) use space::bases_of;
use timers::{Timer, Timers};
pub(crate) use verify::Verifier;

use crate::{
    api::Event,
    certificates::Certificates,
    clock, convert,
    disk::Disk,
    error::{Error, ErrorCode},
    node::{Announced, Receipts},
    room::Room,
    stats::Stats,
};

/// What runs on the actor's task.
pub(crate) type Continue = Box<dyn FnOnce(&mut Actor) + Send>;
/// What happens once an own event is on disk.
type Landed = Box<dyn FnOnce(&mut Actor, &SignedEvent) + Send>;
/// Where the answer to a command goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// Own events that wait for the disk (count). Beyond it commands wait, too.
pub(crate) const PENDING_MAX: usize = 256;
/// How often lost members and late joiners are looked at.
const TICK: Duration = Duration::from_millis(500);
/// Every so many ticks: how each link does (count).
const LOADS: u32 = 2;
/// Every so many ticks: whose sign of life grew old, whether this device's addresses changed (count).
const SLOW: u32 = 4;

pub(crate) struct Actor {
    pub(crate) name: Name,
    receipts: Receipts,
    /// See [`Config::announce`](crate::Config::announce).
    announce: Vec<SocketAddr>,
    engine: Engine,
    rooms: BTreeMap<RoomTag, Room>,
    by_id: BTreeMap<RoomId, RoomTag>,
    links: BTreeMap<PeerId, links::LinkState>,
    next_peer: u64,
    endpoint: Endpoint,
    certificates: Certificates,
    gates: HashMap<GateId, links::GatePurpose>,
    next_gate: u64,
    disk: Disk,
    verifier: Verifier,
    timers: Timers,
    /// Own events on their way to the disk, and what happens once they are there.
    pending: HashMap<EventHash, Landed>,
    /// Joiners whose admit is on its way to the disk.
    admitting: BTreeSet<(InviteKey, AuthorId)>,
    /// The room that was just joined and whose newest page is on its way.
    fetching: Option<RoomTag>,
    /// Rooms whose line in the list changed and was not told yet.
    changed: BTreeSet<RoomTag>,
    ticks: u32,
    /// Verified messages of others on their way to the disk.
    landing: HashMap<EventHash, (SignedEvent, u8)>,
    /// Which neighbours were handed own messages of late.
    handed: kept::Handed,
    /// What one room may take of this disk (bytes).
    room_bytes: u64,
    /// The person's settings.
    settings: BTreeMap<String, String>,
    /// The newest message of each room.
    last: BTreeMap<RoomTag, Option<crate::api::Message>>,
    reach: BTreeMap<(RoomTag, AuthorId), crate::api::Reach>,
    dials: dial::Dials,
    meetings: meet::Meetings,
    pub(crate) near: nearby::Surroundings,
    servers: servers::Servers,
    /// See [`Config::direct`](crate::Config::direct).
    direct: bool,
    pub(crate) record: record::Record,
    /// The way of the newest message of each room.
    paths: BTreeMap<RoomTag, crate::api::Path>,
    directs: direct::Directs,
    said: whereabouts::Said,
    unreadable: epochs::Unreadable,
    /// Members that came in or said where they are, of whom the engine was not told yet.
    known_news: BTreeSet<(RoomTag, AuthorId)>,
    net: mpsc::Sender<Net>,
    events: EventSink,
    stats: Stats,
    /// Set when a commit failed: nothing is signed any more, since it could not be kept.
    failed: bool,
    /// Set by a command: the loop ends.
    pub(crate) closing: bool,
}

/// The parts an actor is made of.
pub(crate) struct Parts {
    pub(crate) name: Name,
    pub(crate) receipts: Receipts,
    pub(crate) announce: Vec<SocketAddr>,
    pub(crate) lan: bool,
    pub(crate) announces: Option<Announced>,
    pub(crate) direct: bool,
    pub(crate) servers: Vec<ServerUrl>,
    pub(crate) endpoint: Endpoint,
    pub(crate) certificates: Certificates,
    pub(crate) store: peddlenet_store::StoreHandle,
    pub(crate) rooms: Vec<loading::LoadedRoom>,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) room_bytes: u64,
    pub(crate) events: EventSink,
}

pub(crate) use kept::{drafts_of, prefs_of, read_settings};
pub(crate) use loading::{LoadedRoom, load_room, read_saved};
pub(crate) use notes::Change;

/// Runs the actor until every [`Node`](crate::Node) handle is gone or it was closed.
pub(crate) async fn run(
    parts: Parts,
    mut incoming: Incoming,
    mut commands: mpsc::Receiver<Continue>,
) {
    let (results_in, mut results) = mpsc::unbounded_channel();
    let (net_in, mut net) = mpsc::channel(links::NET_QUEUE);
    let mut actor = Actor::new(parts, results_in, net_in);
    actor.start();
    while !actor.closing {
        let wait = actor.until_next_timer();
        tokio::select! {
            biased;
            Some(result) = results.recv() => result(&mut actor),
            command = commands.recv(), if actor.pending.len() < PENDING_MAX => match command {
                Some(command) => command(&mut actor),
                None => break,
            },
            Some(link) = incoming.recv() => actor.on_incoming(link),
            Some(input) = net.recv() => actor.on_net(input),
            () = tokio::time::sleep(wait) => actor.on_timers(),
        }
    }
    actor.endpoint.close().await;
}

impl Actor {
    fn new(parts: Parts, results: mpsc::UnboundedSender<Continue>, net: mpsc::Sender<Net>) -> Self {
        let mut actor = Self {
            name: parts.name,
            receipts: parts.receipts,
            announce: parts.announce,
            engine: Engine::new(peddlenet_gossip::Config {
                salt: crate::entropy::number(),
                ..peddlenet_gossip::Config::default()
            }),
            rooms: BTreeMap::new(),
            by_id: BTreeMap::new(),
            links: BTreeMap::new(),
            next_peer: 1,
            endpoint: parts.endpoint,
            certificates: parts.certificates,
            gates: HashMap::new(),
            next_gate: 0,
            disk: Disk::new(parts.store, results.clone()),
            verifier: Verifier::spawn(results),
            timers: Timers::default(),
            pending: HashMap::new(),
            admitting: BTreeSet::new(),
            fetching: None,
            changed: BTreeSet::new(),
            ticks: 0,
            landing: HashMap::new(),
            handed: kept::Handed::default(),
            room_bytes: parts.room_bytes,
            settings: parts.settings,
            last: BTreeMap::new(),
            reach: BTreeMap::new(),
            dials: dial::Dials::default(),
            meetings: meet::Meetings::default(),
            directs: direct::Directs::default(),
            said: BTreeMap::new(),
            unreadable: epochs::Unreadable::default(),
            known_news: BTreeSet::new(),
            near: nearby::Surroundings::new(parts.lan, parts.announces, net.clone()),
            servers: servers::Servers::new(parts.servers),
            direct: parts.direct,
            record: record::Record::default(),
            paths: BTreeMap::new(),
            net,
            events: parts.events,
            stats: Stats::default(),
            failed: false,
            closing: false,
        };
        for loaded in parts.rooms {
            actor.insert_room(loaded);
        }
        actor
    }

    fn start(&mut self) {
        self.refresh_gates();
        self.announce_everywhere();
        self.look_around();
        self.say_new_name();
        self.ask_on_to_move();
        self.arm(Timer::Tick, clock::now());
    }

    /// Hands an input to the engine and carries out what it asks for.
    fn feed(&mut self, input: Input) {
        let actions: Vec<Action> = self.engine.handle(input, clock::now()).collect();
        for action in actions {
            self.act(action);
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Send { to, frame, lane } => {
                if self.send_frame(to, &frame, lane) {
                    self.note_handed(to, &frame);
                }
            }
            Action::Verify { ticket, item, .. } => self.verify(ticket, item),
            Action::Persist {
                ticket,
                events,
                records,
                own,
            } => {
                let event = |(event, hops): &(_, u8)| {
                    let row = convert::to_row(event, *hops);
                    if own {
                        Write::OwnEvent(row)
                    } else {
                        Write::Event(row)
                    }
                };
                let records = records
                    .iter()
                    .map(|r| Write::Record(convert::to_record_row(r)));
                let writes = events.iter().map(event).chain(records).collect();
                self.disk.commit(writes, move |actor, outcome| {
                    if let Err(e) = &outcome {
                        actor.on_commit_failed(own, e);
                    }
                    let ok = outcome.is_ok();
                    actor.feed(Input::Persisted { ticket, ok });
                    for (event, hops) in events.iter().filter(|_| ok) {
                        actor.landed(event, *hops, own);
                    }
                });
            }
            Action::Load { query, what } => self.load(query, what),
            Action::Deliver {
                event, hops, saved, ..
            } => self.deliver(event, hops, saved),
            Action::DeliverRecord { record, hops } => self.deliver_record(&record, hops),
            Action::Arm { timer, at } => self.arm(Timer::Engine(timer), at),
            Action::Notify(notice) => self.on_notice(&notice),
            Action::Dial { room, author } => self.dial(room, author),
            Action::Beacon { room } => self.give_beacon(room),
            Action::Heard { room, author, hops } => self.on_heard(room, author, hops),
            Action::DeliverTo {
                room,
                from,
                payload,
                ..
            } => self.on_unicast(room, from, &payload),
            Action::UnicastDone { id, outcome, .. } => self.on_unicast_done(id, outcome),
            Action::Drop {
                peer,
                why: Why::Surplus,
            } => self.drop_link(peer),
            Action::Drop { peer, why } => self.expel_for(peer, why),
            other => tracing::error!(action = ?other, "an action this driver doesn't know"),
        }
    }

    fn load(&mut self, query: peddlenet_gossip::QueryId, what: Query) {
        let (Query::Range { limit, .. } | Query::Page { limit, .. }) = what;
        let read = move |store: &dyn peddlenet_store::Store| match what {
            // Direct messages are nobody's but the two's, whoever asks.
            Query::Range { stream, .. } if stream.is_direct() => Ok(Vec::new()),
            Query::Range {
                room,
                author,
                stream,
                from,
                to,
                limit,
            } => store.range(room, author, stream, from, to, limit),
            Query::Page {
                room,
                before,
                limit,
            } => store.page(room, before.map(|place| (place.clock, place.hash)), limit),
        };
        self.disk.read(read, move |actor, outcome| {
            let rows = outcome.unwrap_or_else(|e| {
                tracing::error!(error = %e, "reading history failed");
                Vec::new()
            });
            let more = rows.len() == limit;
            actor.feed(Input::Loaded {
                query,
                events: convert::from_rows(rows),
                more,
            });
        });
    }

    /// Saves what nobody waits for and what a loss of costs little: a failure is logged as `lost`.
    fn save_quietly(&self, write: Write, lost: &'static str) {
        self.disk.commit(vec![write], move |_, outcome| {
            if let Err(e) = outcome {
                tracing::error!(error = %e, "{lost}");
            }
        });
    }

    fn on_commit_failed(&mut self, own: bool, e: &peddlenet_store::StoreError) {
        tracing::error!(error = %e, own, "saving failed");
        if own {
            self.failed = true;
            // Whoever waits for a commit learns of the failure as its reply is dropped.
            self.pending.clear();
        }
    }

    fn on_timers(&mut self) {
        // What is armed meanwhile waits for the next time.
        let now = Instant::now();
        while let Some(timer) = self.timers.pop(now) {
            match timer {
                Timer::Engine(id) => self.feed(Input::Timer(id)),
                Timer::Tick => {
                    self.tick();
                    self.arm(Timer::Tick, clock::now().after(TICK));
                }
                Timer::Rooms => self.tell_rooms(),
                Timer::Receipts(room) => self.flush_receipts(room),
                Timer::Known => self.tell_known_news(),
                Timer::Epoch(room) => self.epoch_is_late(room),
                Timer::NeedEpochs(room) => self.ask_for_epochs(room),
                Timer::Meet(room, author) => self.meet_due(room, author),
                Timer::Serve(room, author) => self.serve_due(room, author),
                Timer::Relay(room, author) => self.relay_due(room, author),
                Timer::Servers => self.look_at_servers(),
                Timer::WayFailed(room, author) => self.way_failed(room, author),
                Timer::DialFailed(room, author) => self.dial_failed(room, author),
                Timer::Direct(room) => self.send_waiting(room),
            }
        }
    }

    fn tick(&mut self) {
        self.expire_dials();
        self.expire_join_slots();
        self.look_around();
        self.look_at_servers();
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks.is_multiple_of(LOADS) {
            self.tell_loads();
        }
        if self.ticks.is_multiple_of(SLOW) {
            self.refresh_all_reach();
            self.turn_certificates();
            self.announce_everywhere();
            self.epochs_grow_old();
            self.messages_grow_old();
        }
    }

    fn arm(&mut self, timer: Timer, at: Timestamp) {
        self.timers.arm(timer, at, (clock::now(), Instant::now()));
    }

    fn until_next_timer(&self) -> Duration {
        self.timers.wait(Instant::now()).unwrap_or(TICK)
    }

    pub(crate) fn tell_stage(&mut self, stage: crate::api::JoinStage) {
        self.events.emit(Event::Join(stage));
    }

    pub(crate) fn counters(&self) -> (Stats, peddlenet_gossip::Stats) {
        let mut stats = self.stats;
        stats.peer = self.endpoint.stats();
        (stats, self.engine.stats())
    }

    fn room(&self, id: RoomId) -> Result<&Room, Error> {
        self.by_id
            .get(&id)
            .and_then(|tag| self.rooms.get(tag))
            .ok_or(ErrorCode::RoomUnknown.into())
    }

    fn tag(&self, id: RoomId) -> Result<RoomTag, Error> {
        self.by_id
            .get(&id)
            .copied()
            .ok_or(ErrorCode::RoomUnknown.into())
    }
}
