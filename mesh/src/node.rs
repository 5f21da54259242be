//! The handle that shells and tests hold.

mod invites;
mod join;
mod kept;
mod messages;
mod network;
mod power;
mod trust;

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use peddlenet_crypto::vault::Cost;
use peddlenet_peer::{
    Endpoint, EndpointConfig, Incoming, ListenerCertificate, PeerError, ServerUrl,
};
use peddlenet_store::{Folder, Opened, Options, SledStore, Store, StoreError, Write};
use peddlenet_wire::{RoomId, codec::Name, limits};
use tokio::sync::{mpsc, oneshot};

use crate::{
    actor::{
        self, Actor, Continue, EVENT_QUEUE, EventSink, LoadedRoom, Parts, Reply, load_room,
        read_saved, read_settings,
    },
    api::{Event, Heads, LinkInfo, Member, RoomOptions, RoomSummary},
    certificates::Certificates,
    clock,
    error::{Error, ErrorCode},
    keys::{self, DiskCipher, Kept, KeyPlace, Keys},
    room::SavedRoom,
    stats::Stats,
    wipe,
};

/// Commands that wait for the actor (count).
const COMMAND_QUEUE: usize = 64;
/// The store's folder in the data folder.
const STORE: &str = "store";
/// How long closing waits for links to say goodbye and for the disk.
const CLOSE_DEADLINE: Duration = Duration::from_secs(5);

pub(crate) const META_NAME: &[u8] = b"profile/name";
pub(crate) const META_CERTIFICATE: &[u8] = b"profile/certificate";
const META_LISTEN: &[u8] = b"profile/listen";

/// When a message counts as seen by this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Receipts {
    /// As soon as it is here: for nodes without a screen.
    OnDelivery,
    /// When the shell says that it was displayed.
    #[default]
    OnDisplay,
    /// This device confirms nothing.
    Never,
}

/// A carrier box on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announced {
    /// The TCP port of its server.
    pub port: u16,
    /// The public key by which it proves itself.
    pub key: [u8; 32],
}

/// How to open a node.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything is kept; made if it isn't there.
    pub data_dir: PathBuf,
    /// The person's name; the saved one when `None`.
    pub name: Option<String>,
    /// UDP addresses to listen on; every interface when empty.
    pub listen: Vec<SocketAddr>,
    /// Addresses to tell members in whereabouts records; this device's own when empty. For a device
    /// that is found at others than it knows of itself, say behind a forwarded port.
    pub announce: Vec<SocketAddr>,
    /// Whether members are looked for on the networks this device is on.
    pub lan: bool,
    /// A carrier box on this machine that is announced on those networks.
    pub announces: Option<Announced>,
    /// Whether members are dialled at the addresses that they told, and codes at those they name; otherwise only at
    /// those that are found on a network or through others.
    pub direct: bool,
    /// Rendezvous servers for all rooms.
    pub servers: Vec<ServerUrl>,
    /// When to confirm messages.
    pub receipts: Receipts,
    /// Where the key to all this is kept.
    pub keys: Keys,
    /// What one room may take of this disk (bytes); beyond it the oldest messages of others go.
    pub room_bytes: u64,
}

impl Config {
    /// A person's device, as most are: what differs is set after.
    pub fn at(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            name: None,
            listen: Vec::new(),
            announce: Vec::new(),
            lan: true,
            announces: None,
            direct: true,
            servers: Vec::new(),
            receipts: Receipts::default(),
            keys: Keys::default(),
            room_bytes: limits::ROOM_BYTES_MAX,
        }
    }
}

/// A device in its rooms. A cheap handle: every clone drives the same node, and the node ends when
/// the last is gone.
#[derive(Clone)]
pub struct Node {
    commands: mpsc::Sender<Continue>,
    endpoint: Endpoint,
    direct: bool,
    joining: Arc<Mutex<Option<oneshot::Sender<()>>>>,
    store_closed: Arc<Mutex<Option<std::thread::JoinHandle<()>>>>,
    data_dir: Arc<Path>,
    kept: Arc<Kept>,
}

/// What happens on a node, in order.
pub struct Events(mpsc::Receiver<Event>);

impl Events {
    /// The next event; `None` once the node is closed.
    pub async fn recv(&mut self) -> Option<Event> {
        self.0.recv().await
    }

    /// The next event if there is one already.
    pub fn try_recv(&mut self) -> Option<Event> {
        self.0.try_recv().ok()
    }
}

/// What the disk gave at start.
struct Loaded {
    store: SledStore,
    opened: Opened,
    kept: Kept,
    name: Name,
    certificates: Certificates,
    listen: Vec<SocketAddr>,
    rooms: Vec<LoadedRoom>,
    settings: BTreeMap<String, String>,
}

impl Node {
    /// Whether nobody has a profile open at this moment: then [`open`](Self::open) most likely finds it free, too.
    pub fn is_free(data_dir: &Path) -> bool {
        Folder::is_free(&data_dir.join(STORE))
    }

    /// Opens a profile: its store, its rooms, its UDP port. The port of the last run is taken again
    /// where it is free, so that friends find this device where they left it.
    pub async fn open(config: Config) -> Result<(Self, Events), Error> {
        let (folder, keys) = (config.data_dir.clone(), config.keys);
        let name = config.name.clone();
        let loaded = tokio::task::spawn_blocking(move || load(&folder, name.as_deref(), &keys))
            .await
            .map_err(|_| Error::from(ErrorCode::Internal))??;
        let (endpoint, incoming) =
            bind(&config.listen, &loaded.listen, &loaded.certificates).await?;
        let port = endpoint.local_addrs().first().map(SocketAddr::port);
        let profile = [
            (META_NAME, loaded.name.as_str().as_bytes().to_vec()),
            (META_CERTIFICATE, loaded.certificates.to_bytes()?.to_vec()),
            (
                META_LISTEN,
                port.map_or(String::new(), |p| p.to_string()).into_bytes(),
            ),
        ];
        let mut store = loaded.store;
        let store =
            tokio::task::spawn_blocking(move || remember(&mut store, profile).map(|()| store))
                .await
                .map_err(|_| Error::from(ErrorCode::Internal))??;
        let (store, store_thread) = peddlenet_store::spawn(Box::new(store))?;
        let (commands, commands_out) = mpsc::channel(COMMAND_QUEUE);
        let (events, events_out) = mpsc::channel(EVENT_QUEUE);
        let mut events = EventSink::new(events);
        if let Opened::Quarantined { to } = loaded.opened {
            events.emit(Event::Quarantined { to });
        }
        let parts = Parts {
            name: loaded.name,
            receipts: config.receipts,
            announce: config.announce,
            lan: config.lan,
            announces: config.announces,
            direct: config.direct,
            servers: config.servers,
            endpoint: endpoint.clone(),
            certificates: loaded.certificates,
            store,
            rooms: loaded.rooms,
            settings: loaded.settings,
            room_bytes: config.room_bytes,
            events,
        };
        tokio::spawn(actor::run(parts, incoming, commands_out));
        let node = Self {
            commands,
            endpoint,
            joining: Arc::default(),
            store_closed: Arc::new(Mutex::new(Some(store_thread))),
            direct: config.direct,
            data_dir: config.data_dir.into(),
            kept: Arc::new(loaded.kept),
        };
        Ok((node, Events(events_out)))
    }

    /// The addresses that friends can dial.
    pub fn listen_addrs(&self) -> Vec<SocketAddr> {
        self.endpoint.local_addrs()
    }

    /// What keeps the key to this device's data.
    pub fn key_place(&self) -> KeyPlace {
        self.kept.place
    }

    /// A sentence to show where whoever has the device's files can read them.
    pub fn key_warning(&self) -> Option<String> {
        self.kept.warning()
    }

    /// The person's name; empty before the first start asked for it.
    pub async fn profile_name(&self) -> Result<String, Error> {
        self.call(|actor, reply| drop(reply.send(Ok(actor.name.as_str().to_owned()))))
            .await
    }

    /// Changes the person's name here and in every room.
    pub async fn set_name(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.call(move |actor, reply| actor.set_name(&name, reply))
            .await
    }

    /// Makes a room. It is on disk when this returns.
    pub async fn create_room(&self, name: &str) -> Result<RoomId, Error> {
        self.create_room_with(name, RoomOptions::default()).await
    }

    /// Makes a room with rules of its own, which stay as they are.
    pub async fn create_room_with(
        &self,
        name: &str,
        options: RoomOptions,
    ) -> Result<RoomId, Error> {
        let name = name.to_owned();
        self.call(move |actor, reply| actor.create_room(&name, &options, reply))
            .await
    }

    /// Everyone in a room, this device included.
    pub async fn members(&self, room: RoomId) -> Result<Vec<Member>, Error> {
        self.call(move |actor, reply| drop(reply.send(actor.member_list(room))))
            .await
    }

    /// The rooms of this device.
    pub async fn rooms(&self) -> Result<Vec<RoomSummary>, Error> {
        self.call(|actor, reply| drop(reply.send(Ok(actor.room_list()))))
            .await
    }

    /// What to compare to know that two devices have the same room.
    pub async fn heads(&self, room: RoomId) -> Result<Heads, Error> {
        self.call(move |actor, reply| drop(reply.send(actor.heads(room))))
            .await
    }

    /// The links of this device.
    pub async fn links(&self) -> Result<Vec<LinkInfo>, Error> {
        self.call(|actor, reply| drop(reply.send(Ok(actor.link_infos()))))
            .await
    }

    /// Counters since the start.
    pub async fn stats(&self) -> Result<(Stats, peddlenet_gossip::Stats), Error> {
        self.call(|actor, reply| drop(reply.send(Ok(actor.counters()))))
            .await
    }

    /// Closes links and the store, and waits until both are done. Other handles answer `closed`.
    pub async fn close(self) {
        let _ = self
            .commands
            .send(Box::new(|actor: &mut Actor| actor.closing = true))
            .await;
        let thread = lock(&self.store_closed).take();
        let done = tokio::task::spawn_blocking(move || thread.map(std::thread::JoinHandle::join));
        if tokio::time::timeout(CLOSE_DEADLINE, done).await.is_err() {
            tracing::warn!("closing took too long");
        }
    }

    /// Destroys the key, then everything of this profile on this device: rooms, messages, identity. What
    /// others have of it stays with them. Nobody is asked again. Other handles answer `closed`.
    ///
    /// A process that dies meanwhile leaves a note, and the next start finishes before anything else.
    ///
    /// # Errors
    /// The disk or the keychain said no; everything else was wiped all the same.
    pub async fn wipe(self) -> Result<(), Error> {
        let (data_dir, kept) = (Arc::clone(&self.data_dir), Arc::clone(&self.kept));
        let begun = {
            let data_dir = Arc::clone(&data_dir);
            blocking(move || wipe::begin(&data_dir, &kept)).await
        };
        // The keys in memory go with the actor and the store, which let go of the folder, too.
        self.close().await;
        let finished = blocking(move || {
            let folder = Folder::take(&data_dir.join(STORE))?;
            Ok(wipe::finish(&data_dir, folder)?)
        });
        finished.await.and(begun)
    }

    async fn call<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Actor, Reply<T>) + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let command: Continue = Box::new(move |actor: &mut Actor| run(actor, reply));
        self.commands
            .send(command)
            .await
            .map_err(|_| Error::from(ErrorCode::Closed))?;
        // A reply that was dropped waited for a commit that failed, or the node is closing.
        let gone = if self.commands.is_closed() {
            ErrorCode::Closed
        } else {
            ErrorCode::StoreFailed
        };
        answer.await.unwrap_or_else(|_| Err(gone.into()))
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(ErrorCode::Internal.into()))
}

/// Opens the store with the key that belongs to it. Blocks.
fn open_store(data_dir: &Path, keys: &Keys) -> Result<(SledStore, Opened, Kept), Error> {
    let path = data_dir.join(STORE);
    let mut folder = Folder::take(&path)?;
    if wipe::is_begun(data_dir) {
        wipe::resume(data_dir, folder, keys)?;
        folder = Folder::take(&path)?;
    }
    let (key, kept) = keys::find_or_make(data_dir, keys, folder.sealed_by()?, Cost::STANDARD)?;
    let options = Options {
        cipher: Some(Arc::new(DiskCipher::new(&key))),
        ..Options::default()
    };
    let (store, opened) = SledStore::open_held(folder, options)?;
    Ok((store, opened, kept))
}

/// Reads everything that an actor starts with. Blocks.
fn load(data_dir: &Path, name: Option<&str>, keys: &Keys) -> Result<Loaded, Error> {
    let (mut store, opened, kept) = open_store(data_dir, keys)?;
    let saved_name = store
        .meta(META_NAME)?
        .and_then(|n| String::from_utf8(n).ok())
        .unwrap_or_default();
    let name = Name::new(name.unwrap_or(&saved_name));
    let certificates = store.meta(META_CERTIFICATE)?;
    let certificates = Certificates::load(certificates.as_deref(), clock::now())?;
    let port = store
        .meta(META_LISTEN)?
        .and_then(|p| String::from_utf8(p).ok()?.parse().ok());
    let every = |port: u16| -> [SocketAddr; 2] {
        [
            (Ipv4Addr::UNSPECIFIED, port).into(),
            (Ipv6Addr::UNSPECIFIED, port).into(),
        ]
    };
    let listen = port.map_or(Vec::new(), |port| every(port).to_vec());
    let mut rooms = Vec::new();
    for (_, bytes) in store.meta_under(SavedRoom::PREFIX)? {
        match read_saved(&store, &bytes)? {
            Ok(room) => rooms.push(load_room(&mut store, room)?),
            Err(why) => tracing::error!(why, "a room could not be read and is left out"),
        }
    }
    let settings = read_settings(&store)?;
    Ok(Loaded {
        settings,
        store,
        opened,
        kept,
        name,
        certificates,
        listen,
        rooms,
    })
}

/// Saves what changed of the profile, in one commit: mostly nothing did. Blocks.
fn remember<const N: usize>(
    store: &mut SledStore,
    profile: [(&[u8], Vec<u8>); N],
) -> Result<(), StoreError> {
    let mut writes = Vec::new();
    for (key, value) in profile {
        if store.meta(key)?.as_ref() != Some(&value) {
            writes.push(Write::Meta {
                key: key.to_vec(),
                value: Some(value),
            });
        }
    }
    if writes.is_empty() {
        Ok(())
    } else {
        store.commit(&writes)
    }
}

/// Binds where asked; else on the last run's port; else on any.
async fn bind(
    asked: &[SocketAddr],
    last: &[SocketAddr],
    certificates: &Certificates,
) -> Result<(Endpoint, Incoming), PeerError> {
    let own = certificates.all();
    let Some(today) = own.first() else {
        return Err(PeerError::Certificate("there is none".to_owned()));
    };
    let bound = bind_as(asked, last, today).await?;
    bound.0.set_certificates(own);
    Ok(bound)
}

async fn bind_as(
    asked: &[SocketAddr],
    last: &[SocketAddr],
    certificate: &ListenerCertificate,
) -> Result<(Endpoint, Incoming), PeerError> {
    let config = |listen: &[SocketAddr]| EndpointConfig {
        listen: listen.to_vec(),
        certificate: certificate.clone(),
    };
    if !asked.is_empty() {
        return Endpoint::bind(config(asked)).await;
    }
    // Both families; IPv4 alone where the machine has no IPv6.
    for listen in [last, last.get(..1).unwrap_or_default()] {
        if listen.is_empty() {
            continue;
        }
        match Endpoint::bind(config(listen)).await {
            Err(e) => tracing::info!(error = %e, "the last port was not opened"),
            bound => return bound,
        }
    }
    Endpoint::bind(config(&[])).await
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Nothing under these locks panics, and a poisoned one still holds a whole value.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
