//! A node inside this process, with waits that have names.

use std::{
    net::{SocketAddr, UdpSocket},
    path::Path,
    sync::{
        LazyLock,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

use peddlenet_mesh::{
    Config, Error, ErrorCode, Event, Events, Heads, Joined, Member, Message, MessageId, Node,
    Reach, Receipts, RoomId, ServerUrl,
};
use peddlenet_wire::limits::ROOM_BYTES_MAX;
use tempfile::TempDir;

/// How long anything may take before it counts as not happening. Some things are tried again every 30 s,
/// and a machine may run everything at once.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);
/// How often a state that no event announces is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Events that a failure shows (count).
const SHOWN: usize = 12;
/// Invites of these tests last that long where they don't say otherwise.
pub(crate) const TTL: Duration = Duration::from_secs(600);
/// When these devices confirm a message, where a test does not say otherwise.
const RECEIPTS: Receipts = Receipts::OnDelivery;
/// Messages in one page (count).
const PAGE: usize = 500;

/// A device of one person.
pub(crate) struct Device {
    pub(crate) node: Node,
    pub(crate) name: String,
    receipts: Receipts,
    room_bytes: u64,
    servers: Vec<ServerUrl>,
    events: Events,
    /// Every event so far, in order.
    pub(crate) seen: Vec<Event>,
    data: TempDir,
}

/// A device that is switched off.
pub(crate) struct Shut {
    name: String,
    receipts: Receipts,
    room_bytes: u64,
    servers: Vec<ServerUrl>,
    data: TempDir,
    listen: Vec<SocketAddr>,
}

impl Shut {
    /// What it leaves on the disk.
    pub(crate) fn folder(&self) -> &Path {
        self.data.path()
    }

    /// A copy of everything on the device, as a backup makes it.
    pub(crate) fn backup(&self) -> Self {
        let data = tempfile::tempdir().unwrap();
        copy(self.data.path(), data.path());
        Self {
            name: self.name.clone(),
            receipts: self.receipts,
            room_bytes: self.room_bytes,
            servers: self.servers.clone(),
            data,
            listen: self.listen.clone(),
        }
    }

    /// Where it listened.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.listen[0]
    }

    /// It will be opened somewhere else.
    pub(crate) fn elsewhere(mut self) -> Self {
        self.listen = vec![kept(([127, 0, 0, 1], 0).into())];
        self
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

impl Device {
    /// A new device on a free loopback port.
    pub(crate) async fn new(name: &str) -> Self {
        Self::listening(name, &["127.0.0.1:0"]).await
    }

    pub(crate) async fn listening(name: &str, listen: &[&str]) -> Self {
        let _ = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_env("PEDDLENET_LOG"))
            .with_test_writer()
            .try_init();
        let data = tempfile::tempdir().unwrap();
        let listen = listen.iter().map(|a| kept(a.parse().unwrap()));
        let listen = listen.collect();
        let opened = open(name, data.path(), listen, Vec::new(), RECEIPTS).await;
        Self::with(name, data, RECEIPTS, opened.unwrap())
    }

    /// A new device that confirms messages otherwise than these tests' others.
    pub(crate) async fn with_receipts(name: &str, receipts: Receipts) -> Self {
        let data = tempfile::tempdir().unwrap();
        let listen = vec![kept(([127, 0, 0, 1], 0).into())];
        let opened = open(name, data.path(), listen, Vec::new(), receipts).await;
        Self::with(name, data, receipts, opened.unwrap())
    }

    /// A new device that gives so many bytes of its disk to a room.
    pub(crate) async fn with_space(name: &str, room_bytes: u64) -> Self {
        let mut shut = Self::new(name).await.shut().await;
        shut.room_bytes = room_bytes;
        Self::reopen(shut).await
    }

    /// A new device that finds others over one server, and in no other way.
    pub(crate) async fn at_server(name: &str, server: &ServerUrl) -> Self {
        let mut shut = Self::new(name).await.shut().await;
        shut.servers = vec![server.clone()];
        Self::reopen(shut).await
    }

    /// A new device that tells others to look for it where it is not.
    pub(crate) async fn misplaced(name: &str, told: SocketAddr) -> Self {
        let data = tempfile::tempdir().unwrap();
        let listen = vec![kept(([127, 0, 0, 1], 0).into())];
        let opened = open(name, data.path(), listen, vec![told], RECEIPTS).await;
        Self::with(name, data, RECEIPTS, opened.unwrap())
    }

    fn with(name: &str, data: TempDir, receipts: Receipts, (node, events): (Node, Events)) -> Self {
        Self {
            node,
            name: name.to_owned(),
            receipts,
            room_bytes: ROOM_BYTES_MAX,
            servers: Vec::new(),
            events,
            seen: Vec::new(),
            data,
        }
    }

    /// Closes the node. What it leaves goes into [`reopen`](Self::reopen).
    pub(crate) async fn shut(self) -> Shut {
        let listen = self.node.listen_addrs();
        self.node.close().await;
        Shut {
            name: self.name,
            receipts: self.receipts,
            room_bytes: self.room_bytes,
            servers: self.servers,
            data: self.data,
            listen,
        }
    }

    /// Opens a device again, on the same ports. A busy machine may need a moment to free them.
    pub(crate) async fn reopen(shut: Shut) -> Self {
        let Shut {
            name,
            receipts,
            room_bytes,
            servers,
            data,
            listen,
        } = shut;
        let only_there = !servers.is_empty();
        let opened = until(&format!("{name}'s ports"), async || {
            let config = config(&name, data.path(), listen.clone(), receipts);
            let config = Config {
                room_bytes,
                lan: config.lan && !only_there,
                direct: !only_there,
                servers: servers.clone(),
                ..config
            };
            match Node::open(config).await {
                Err(e) if e.code == ErrorCode::NetworkFailed => None,
                outcome => Some(outcome.unwrap()),
            }
        })
        .await;
        Self {
            room_bytes,
            servers,
            ..Self::with(&name, data, receipts, opened)
        }
    }

    /// A link into a room, for anyone.
    pub(crate) async fn code(&self, room: RoomId) -> String {
        self.node.invite(room, TTL, u32::MAX).await.unwrap().link
    }

    pub(crate) async fn join(&self, link: &str) -> Joined {
        let joined = self.node.join(link).await;
        joined.unwrap_or_else(|e| panic!("{} could not join: {e:?}", self.name))
    }

    pub(crate) async fn say(&self, room: RoomId, text: &str) -> MessageId {
        self.node.send(room, text).await.unwrap().id
    }

    /// Waits for an event, whether it has happened already or not.
    pub(crate) async fn wait(&mut self, what: &str, wanted: impl Fn(&Event) -> bool) -> Event {
        let is_there = |seen: &[Event]| seen.iter().any(&wanted);
        self.wait_for_events(what, is_there).await;
        let found = self.seen.iter().find(|e| wanted(e));
        found.cloned().expect("it was just there")
    }

    /// Waits until all events so far, in order, are enough.
    pub(crate) async fn wait_for_events(&mut self, what: &str, enough: impl Fn(&[Event]) -> bool) {
        let until = tokio::time::Instant::now() + DEADLINE;
        while !enough(&self.seen) {
            match tokio::time::timeout_at(until, self.events.recv()).await {
                Ok(Some(event)) => self.seen.push(event),
                outcome => {
                    let last = &self.seen[self.seen.len().saturating_sub(SHOWN)..];
                    let why = if outcome.is_ok() {
                        "closed"
                    } else {
                        "time is up"
                    };
                    panic!("{} waited for {what}: {why}; last: {last:#?}", self.name);
                }
            }
        }
    }

    /// Waits until a text is here, and gives the message.
    pub(crate) async fn hear(&mut self, text: &str) -> Message {
        let is_it = |e: &Event| matches!(e, Event::Message(m) if m.text == text);
        match self.wait(&format!("“{text}”"), is_it).await {
            Event::Message(message) => message,
            other => unreachable!("{other:?} is no message"),
        }
    }

    /// Every message of a room, oldest first.
    pub(crate) async fn everything(&self, room: RoomId) -> Vec<Message> {
        let mut all = Vec::new();
        loop {
            let before = all.first().map(|m: &Message| m.id);
            let mut page = self.node.history(room, before, PAGE).await.unwrap();
            if page.is_empty() {
                return all;
            }
            page.append(&mut all);
            all = page;
        }
    }

    pub(crate) async fn texts(&self, room: RoomId) -> Vec<String> {
        let all = self.everything(room).await;
        all.into_iter().map(|m| m.text).collect()
    }

    pub(crate) async fn heads(&self, room: RoomId) -> Heads {
        self.node.heads(room).await.unwrap()
    }

    /// What this device knows of the member with a name.
    pub(crate) async fn member(&self, room: RoomId, name: &str) -> Option<Member> {
        let members = self.node.members(room).await.unwrap();
        members.into_iter().find(|m| m.name == name)
    }

    /// Waits until nobody with a name belongs any more.
    pub(crate) async fn misses(&self, room: RoomId, name: &str) {
        let what = format!("{} to hear that {name} is gone", self.name);
        until(&what, async || {
            self.member(room, name).await.is_none().then_some(())
        })
        .await;
    }

    /// Waits until the member with a name is near, far, or away.
    pub(crate) async fn sees(&self, room: RoomId, name: &str, state: Reach) -> Member {
        let what = format!("{} to see {name} {}", self.name, state.as_str());
        until(&what, async || {
            self.member(room, name).await.filter(|m| m.state == state)
        })
        .await
    }
}

/// An address with a port of its own where any would do: below those that the system gives away, so that
/// no other test takes it while this device is switched off. Two programs of tests rarely begin at the same one.
fn kept(addr: SocketAddr) -> SocketAddr {
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| {
        let slot = u16::try_from(std::process::id() % 100).expect("below 100");
        AtomicU16::new(20_000 + slot * 100)
    });
    if addr.port() != 0 {
        return addr;
    }
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(port < 32_000, "no port is free");
        let addr = SocketAddr::new(addr.ip(), port);
        if UdpSocket::bind(addr).is_ok() {
            return addr;
        }
    }
}

async fn open(
    name: &str,
    data: &Path,
    listen: Vec<SocketAddr>,
    announce: Vec<SocketAddr>,
    receipts: Receipts,
) -> Result<(Node, Events), Error> {
    let config = config(name, data, listen, receipts);
    Node::open(Config { announce, ..config }).await
}

fn config(name: &str, data: &Path, listen: Vec<SocketAddr>, receipts: Receipts) -> Config {
    Config {
        name: Some(name.to_owned()),
        listen,
        receipts,
        // The key lies beside it, in the same temporary folder.
        ..Config::at(data.join("profile"))
    }
}

/// Waits until a look gives something. For states that no event announces.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < DEADLINE, "waited for {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Waits until all these devices have the same room, and gives how many events it has.
pub(crate) async fn same_room(room: RoomId, devices: &[&Device]) -> u64 {
    let names: Vec<_> = devices.iter().map(|d| d.name.as_str()).collect();
    until(&format!("{names:?} to have the same room"), async || {
        let first = devices[0].heads(room).await;
        for device in devices {
            if device.heads(room).await != first {
                return None;
            }
        }
        Some(first.events)
    })
    .await
}

/// A creator with a room, and a friend who came in with its code.
pub(crate) async fn pair(room_name: &str) -> (Device, Device, RoomId) {
    let (ada, bea) = (Device::new("Ada").await, Device::new("Bea").await);
    let room = ada.node.create_room(room_name).await.unwrap();
    bea.join(&ada.code(room).await).await;
    (ada, bea, room)
}

/// A device put back to before it said "left", which the other one heard: as it lies there, switched
/// off, and the other.
pub(crate) async fn put_back(device: Device, mut other: Device, room: RoomId) -> (Shut, Device) {
    device.say(room, "trunk").await;
    other.hear("trunk").await;
    same_room(room, &[&device, &other]).await;
    let device = device.shut().await;
    let backup = device.backup();
    let device = Device::reopen(device).await;
    device.say(room, "left").await;
    other.hear("left").await;
    drop(device.shut().await);
    (backup, other)
}

/// The same, and it said "right" before anybody told it what it had said: it forked its log.
pub(crate) async fn forked(device: Device, other: Device, room: RoomId) -> (Device, Device) {
    let (backup, other) = put_back(device, other, room).await;
    let other = other.shut().await;
    let device = Device::reopen(backup).await;
    device.say(room, "right").await;
    (device, Device::reopen(other).await)
}
