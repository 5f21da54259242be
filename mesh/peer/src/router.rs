//! The router: which link a datagram belongs to, and whether a stranger's may open one.
//!
//! ```text
//! datagram --> known source? --yes--> its session            (responses carry no USERNAME)
//!                  | no, or a Binding Request with a foreign fragment
//!                  v
//!              known fragment? --yes--> a rebind: one more source of that session
//!                  | no
//!                  v
//!              a STUN or TURN server that we talk with? --yes--> who talks with it
//!                  | no
//!                  v
//!              refused for what it did? --yes--> nothing
//!                  | no
//!                  v
//!              front door --> a new session, handed to the endpoint
//! ```
//!
//! # Two devices that dial each other at once
//!
//! Both sides know both listener fingerprints (each as the other's dial names it), so both decide
//! alike: the dial of the device with the **lower** listener fingerprint wins. That device ignores the other's knocks while it dials;
//! the other one drops its own dial ([`crate::DialError::Superseded`]) as soon as it is knocked
//! at. Exactly one link stays. A dial that begins when the other side's is already being accepted
//! gives way at once; so does one that only asks for the other's certificate.

mod owner;
mod registration;

use crate::bans::Bans;
use crate::front_door::{FrontDoor, Knock, Names, Verdict};
use crate::gate::{S_PWD_LEN, ServerUfrag};
use crate::paths::Path;
use crate::session::{Common, Role, Session, lock};
use crate::socket::{Arrivals, OWN_BATCH, SharedSocket};
use crate::stun::{self, BindingRequest, Class};
use crate::used::UsedUfrags;
use crate::{DialError, Fingerprint, Gate, GateId, Kind, PeerError, PeerStats};
use bytes::Bytes;
use owner::{belongs, gives_way, is_stale};
use quinn_udp::Transmit;
pub(crate) use registration::Registration;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use zeroize::Zeroizing;

/// Accepted links that are not open yet. More first packets are dropped; dialers repeat them.
pub const HALF_OPEN_MAX: usize = 32;

/// Routes and gates of an endpoint.
pub(crate) struct Router {
    pub(crate) common: Common,
    table: Mutex<Table>,
    arrivals: mpsc::Sender<Arrival>,
    next_session: AtomicU64,
    next_socket: AtomicU32,
}

struct Table {
    door: FrontDoor,
    used: UsedUfrags,
    bans: Bans,
    by_source: HashMap<(u32, SocketAddr), Arc<Session>>,
    by_ufrag: HashMap<ServerUfrag, (Arc<Session>, [u8; S_PWD_LEN])>,
    /// STUN and TURN servers: their answers, and what comes over a relay. No more than the caller talks with.
    servers: HashMap<SocketAddr, mpsc::Sender<Bytes>>,
    closed: bool,
}

/// A stranger that the front door let in.
pub(crate) struct Arrival {
    pub(crate) session: Arc<Session>,
    pub(crate) registration: Registration,
    pub(crate) gate: GateId,
    pub(crate) psk: Zeroizing<[u8; 32]>,
    pub(crate) client: Fingerprint,
    /// Which certificate of ours it expects.
    pub(crate) certificate: Fingerprint,
    pub(crate) s_ufrag: String,
    pub(crate) s_pwd: String,
    pub(crate) c_ufrag: String,
    pub(crate) c_pwd: String,
}

impl Router {
    pub(crate) fn new(sockets: u32) -> (Arc<Self>, mpsc::Receiver<Arrival>) {
        let (arrivals, receiver) = mpsc::channel(HALF_OPEN_MAX);
        let router = Self {
            common: Common::default(),
            table: Mutex::new(Table {
                door: FrontDoor::new(),
                used: UsedUfrags::default(),
                bans: Bans::default(),
                by_source: HashMap::new(),
                by_ufrag: HashMap::new(),
                servers: HashMap::new(),
                closed: false,
            }),
            arrivals,
            next_session: AtomicU64::new(1),
            next_socket: AtomicU32::new(sockets),
        };
        (Arc::new(router), receiver)
    }

    pub(crate) fn set_gates(&self, gates: Vec<Gate>) {
        let mut guard = lock(&self.table);
        let table = &mut *guard;
        table.door.set_gates(gates);
        let door = &table.door;
        table.used.keep_gates(|id| door.has_gate(id));
    }

    /// Which certificates a dialer may expect here, today's first.
    pub(crate) fn set_certificates(&self, certificates: Vec<Fingerprint>) {
        lock(&self.table).door.set_certificates(certificates);
    }

    /// What comes from there, and is of no link, goes there.
    pub(crate) fn set_server(&self, server: SocketAddr, to: mpsc::Sender<Bytes>) {
        lock(&self.table).servers.insert(server, to);
    }

    pub(crate) fn forget_server(&self, server: SocketAddr) {
        lock(&self.table).servers.remove(&server);
    }

    /// For one socket more.
    pub(crate) fn next_socket(&self) -> u32 {
        self.next_socket.fetch_add(1, Ordering::Relaxed)
    }

    /// Nothing from there opens a link for a while.
    pub(crate) fn refuse(&self, source: SocketAddr) {
        self.common.counters.bans.one();
        lock(&self.table).bans.refuse(source, Instant::now());
    }

    pub(crate) fn stats(&self) -> PeerStats {
        self.common.counters.stats()
    }

    /// Ends every session and lets nobody in any more. What is open stays routed until it has
    /// said goodbye.
    pub(crate) fn close(&self) {
        let mut table = lock(&self.table);
        table.closed = true;
        let sessions = table.by_source.values();
        sessions.for_each(|session| session.supersede());
    }

    /// Routes a dial to the addresses that can be reached, and says which those are.
    pub(crate) fn register_dial(
        self: &Arc<Self>,
        shared: &[Arc<SharedSocket>],
        addrs: &[SocketAddr],
        expected: Fingerprint,
        kind: Kind,
    ) -> Result<(Arc<Session>, Registration, Vec<SocketAddr>), DialError> {
        let mut table = lock(&self.table);
        if table.closed {
            return Err(DialError::Closed);
        }
        let mut sockets: Vec<Arc<SharedSocket>> = Vec::new();
        let mut keys = Vec::new();
        let mut occupied = None;
        let now = Instant::now();
        for addr in addrs {
            if table.bans.refuses(*addr, now) {
                continue;
            }
            let Some(socket) = shared.iter().find(|socket| socket.reaches(addr)) else {
                continue;
            };
            let key = (socket.id, *addr);
            if keys.contains(&key) {
                continue;
            }
            match table.by_source.get(&key).cloned() {
                Some(owner) if is_stale(&owner) => table.evict(&owner),
                Some(owner) => occupied = Some(owner),
                None => {}
            }
            keys.push(key);
            if !sockets.iter().any(|known| known.id == socket.id) {
                sockets.push(Arc::clone(socket));
            }
        }
        if keys.is_empty() {
            return Err(DialError::NoAddress);
        }
        let mut side = None;
        if let Some(owner) = occupied {
            match (kind, &owner.role) {
                // Two links between one pair of sockets cannot be told apart (DTLS 1.2 names no
                // connection), and an invite must open a link of its own: give it its own port.
                (Kind::Invite, _) => {
                    drop(table);
                    let (own_sockets, receiving) = self.open_side(&sockets)?;
                    table = lock(&self.table);
                    keys = keys
                        .iter()
                        .filter_map(|(_, addr)| {
                            let socket = own_sockets.iter().find(|socket| socket.reaches(addr))?;
                            Some((socket.id, *addr))
                        })
                        .collect();
                    sockets = own_sockets;
                    side = Some(receiving);
                }
                (Kind::Member, Role::Accepted { .. }) if !owner.is_open() => {
                    return Err(DialError::Superseded);
                }
                (Kind::Member, _) => return Err(DialError::AlreadyLinked),
            }
        }
        let id = self.next_session.fetch_add(1, Ordering::Relaxed);
        let reachable: Vec<_> = keys.iter().map(|(_, addr)| *addr).collect();
        let session = Session::dialed(id, sockets, reachable.clone(), expected, &self.common);
        let session = Arc::new(session);
        for key in keys {
            table.by_source.insert(key, Arc::clone(&session));
        }
        let mut registration = Registration {
            router: Arc::clone(self),
            session: id,
            side,
            own: Vec::new(),
        };
        drop(table);
        for remote in &reachable {
            if let Some(shared) = session.socket_to(remote) {
                registration.receive_apart(shared, *remote);
            }
        }
        Ok((session, registration, reachable))
    }

    /// Sockets of a dial's own beside the shared ones, and the task that receives on them.
    fn open_side(
        self: &Arc<Self>,
        beside: &[Arc<SharedSocket>],
    ) -> Result<(Vec<Arc<SharedSocket>>, AbortHandle), DialError> {
        let mut sockets = Vec::new();
        for socket in beside {
            let id = self.next_socket();
            let addr = SocketAddr::new(socket.bound().ip(), 0);
            let bound = SharedSocket::bind(id, addr).map_err(PeerError::Socket)?;
            sockets.push(Arc::new(bound));
        }
        let mut receiving = tokio::task::JoinSet::new();
        for socket in &sockets {
            let (router, socket) = (Arc::downgrade(self), Arc::clone(socket));
            receiving.spawn(async move {
                let deliver = |arrivals: Arrivals<'_>| {
                    let router = router.upgrade();
                    router.map_or(0, |router| router.deliver(&socket, &arrivals))
                };
                socket.receive::<OWN_BATCH>(deliver).await
            });
        }
        let task = tokio::spawn(async move { while receiving.join_next().await.is_some() {} });
        Ok((sockets, task.abort_handle()))
    }

    /// Takes in what arrived on a socket, and says how many datagrams were of no link.
    pub(crate) fn deliver(
        self: &Arc<Self>,
        socket: &Arc<SharedSocket>,
        arrivals: &Arrivals<'_>,
    ) -> u32 {
        let now = Instant::now();
        let from = arrivals.from;
        let (owner, server) = {
            let table = lock(&self.table);
            let owner = table.by_source.get(&(socket.id, from.remote)).cloned();
            let server = match &owner {
                Some(_) => None,
                None => table.servers.get(&from.remote).cloned(),
            };
            (owner, server)
        };
        let datagrams = || arrivals.bytes.chunks(arrivals.stride);
        let is_request = |datagram| matches!(stun::classify(datagram), Some((Class::Request, _)));
        if let Some(server) = server {
            for datagram in datagrams() {
                // A full queue drops: requests are repeated, and what is relayed may be lost anyway.
                let _ = server.try_send(Bytes::copy_from_slice(datagram));
            }
            return 0;
        }
        match &owner {
            Some(session) if !datagrams().any(is_request) => {
                session.deliver(from, arrivals.bytes, arrivals.stride, now);
                0
            }
            // A source without a link can only have requests to say.
            _ => {
                let mut nobodys = 0u32;
                for datagram in datagrams() {
                    match &owner {
                        Some(session) if belongs(session, datagram) => {
                            session.deliver(from, datagram, datagram.len(), now);
                        }
                        _ => {
                            nobodys = nobodys.saturating_add(1);
                            self.knock(socket, from, datagram, now);
                        }
                    }
                }
                nobodys
            }
        }
    }

    /// A packet that no known source explains. Allocates only once it has authenticated.
    fn knock(
        self: &Arc<Self>,
        socket: &Arc<SharedSocket>,
        from: Path,
        packet: &[u8],
        now: Instant,
    ) {
        let counters = &self.common.counters;
        if stun::classify(packet).is_none_or(|(class, _)| class != Class::Request) {
            return counters.garbage.one();
        }
        let mut guard = lock(&self.table);
        let table = &mut *guard;
        if table.closed || table.rebind(socket, from, packet, now) {
            return;
        }
        if table.bans.refuses(from.remote, now) {
            return counters.refused.one();
        }
        let answer = |response: &[u8]| {
            let _ = socket.try_send(&Transmit {
                destination: from.remote,
                ecn: None,
                contents: response,
                segment_size: None,
                src_ip: from.local,
            });
        };
        match table.door.judge(packet, from.remote, now) {
            Verdict::Ignore => counters.garbage.one(),
            Verdict::PutOff => counters.put_off.one(),
            Verdict::Refuse(response) => {
                drop(guard);
                counters.wrong_key.one();
                answer(&response);
            }
            Verdict::Asked(response) => {
                drop(guard);
                answer(&response);
            }
            Verdict::Moved(response) => {
                drop(guard);
                counters.moved.one();
                answer(&response);
            }
            Verdict::Open(knock) => {
                if table.used.contains(knock.s_ufrag) {
                    return counters.replayed.one();
                }
                if table.half_open() >= HALF_OPEN_MAX {
                    return counters.half_open_full.one();
                }
                let owner = table.by_source.get(&(socket.id, from.remote)).cloned();
                if let Some(owner) = owner {
                    if !gives_way(&owner, knock.certificate) {
                        return;
                    }
                    table.evict(&owner);
                }
                let (arrival, session) = self.admit(table, socket, from, &knock, now);
                drop(guard);
                session.deliver(from, packet, packet.len(), now);
                // The channel holds as many as may be half open, so it is never full.
                let _ = self.arrivals.try_send(arrival);
            }
        }
    }

    fn admit(
        self: &Arc<Self>,
        table: &mut Table,
        socket: &Arc<SharedSocket>,
        from: Path,
        knock: &Knock<'_>,
        now: Instant,
    ) -> (Arrival, Arc<Session>) {
        let id = self.next_session.fetch_add(1, Ordering::Relaxed);
        let socket_of = Arc::clone(socket);
        let session = Session::accepted(id, socket_of, from, *knock.s_ufrag, &self.common);
        let session = Arc::new(session);
        let key = (socket.id, from.remote);
        table.by_source.insert(key, Arc::clone(&session));
        table
            .by_ufrag
            .insert(*knock.s_ufrag, (Arc::clone(&session), knock.s_pwd));
        table.used.insert(now, knock.gate, *knock.s_ufrag);
        let arrival = Arrival {
            session: Arc::clone(&session),
            registration: Registration {
                router: Arc::clone(self),
                session: id,
                side: None,
                own: Vec::new(),
            },
            gate: knock.gate,
            psk: knock.psk.clone(),
            client: knock.client,
            certificate: knock.certificate,
            s_ufrag: String::from_utf8_lossy(knock.s_ufrag).into_owned(),
            s_pwd: String::from_utf8_lossy(&knock.s_pwd).into_owned(),
            c_ufrag: knock.c_ufrag.to_owned(),
            c_pwd: knock.c_pwd.to_owned(),
        };
        (arrival, session)
    }
}

impl Table {
    /// A known fragment from a new source: one more source for its session. Says whether the
    /// packet is dealt with.
    fn rebind(&mut self, socket: &SharedSocket, from: Path, packet: &[u8], now: Instant) -> bool {
        let Some(request) = BindingRequest::read(packet) else {
            return false;
        };
        let Some(names) = Names::read(request.username) else {
            return false;
        };
        let Some((session, s_pwd)) = self.by_ufrag.get(names.s_ufrag) else {
            return false;
        };
        let key = (socket.id, from.remote);
        if self.by_source.contains_key(&key) || !request.verify(s_pwd) {
            return true;
        }
        if let Role::Accepted { paths, .. } = &session.role {
            let gone = lock(paths).add(from);
            let session = Arc::clone(session);
            session.deliver(from, packet, packet.len(), now);
            self.by_source.insert(key, session);
            if let Some(gone) = gone {
                self.by_source.remove(&(socket.id, gone));
            }
        }
        true
    }

    fn half_open(&self) -> usize {
        let sessions = self.by_ufrag.values();
        sessions.filter(|(session, _)| !session.is_open()).count()
    }

    fn evict(&mut self, session: &Session) {
        session.supersede();
        self.remove(session.id);
    }

    fn remove(&mut self, session: u64) {
        self.by_source.retain(|_, known| known.id != session);
        self.by_ufrag.retain(|_, (known, _)| known.id != session);
    }
}
