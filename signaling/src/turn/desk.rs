//! Answers what devices ask over UDP, and passes on what they send through their relays.
//!
//! The `turn` crate keeps relays, permissions and channels and their times, and carries what peers send. Its own
//! reading of requests is not used: it keeps a nonce for everyone who asks, takes every peer, every number of
//! permissions and up to an hour, reserves ports, sees only the first peer of a request, and answers 437 to a device
//! that repeats itself because an answer was lost.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use stun::error_code::{
    CODE_ADDR_FAMILY_NOT_SUPPORTED, CODE_ALLOC_MISMATCH, CODE_ALLOC_QUOTA_REACHED,
    CODE_BAD_REQUEST, CODE_FORBIDDEN, CODE_INSUFFICIENT_CAPACITY, CODE_PEER_ADDR_FAMILY_MISMATCH,
    CODE_STALE_NONCE, CODE_UNAUTHORIZED, CODE_UNSUPPORTED_TRANS_PROTO, ErrorCode,
};
use stun::integrity::MessageIntegrity;
use stun::textattrs::Username;
use tokio::time::Instant;
use turn::allocation::Allocation;
use turn::allocation::allocation_manager::{Manager, ManagerConfig};
use turn::allocation::channel_bind::ChannelBind;
use turn::allocation::five_tuple::FiveTuple;
use turn::allocation::permission::Permission;
use turn::proto::PROTO_UDP;
use turn::proto::channum::ChannelNumber;

use super::credentials::{REALM, TurnSecret, key, nonce, nonce_holds};
use super::door::Door;
use super::message::{Incoming, Method, Request, Said, read};
use super::peers::{Network, Peers};
use super::quotas::{Quotas, UsedUp};
use super::relayed::{FromPrepared, Place, Prepared, Relayed};
use super::traffic::Traffic;
use crate::TurnLimits;
use crate::addresses::{Address, Rates};

/// This machine's addresses are read anew when they are older.
const OWN_ADDRESSES_HOLD: Duration = Duration::from_secs(10);

/// Channels live this long unless they are bound again (RFC 8656, 12).
const CHANNEL_LIFETIME: Duration = Duration::from_secs(600);

/// Longer than any permission or channel lives.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(900);

/// What the desk works with; it holds nothing that it was told by strangers.
#[derive(Clone)]
pub(super) struct Setup {
    pub(super) door: Arc<Door>,
    /// Where relays are opened, at most one of each family; none: no TURN.
    pub(super) places: Vec<Place>,
    pub(super) secret: TurnSecret,
    pub(super) nonce_secret: TurnSecret,
    pub(super) allowed: Vec<Network>,
    pub(super) quotas: Arc<Quotas>,
    pub(super) traffic: Traffic,
    pub(super) limits: TurnLimits,
}

pub(super) struct Desk {
    setup: Setup,
    manager: Manager,
    prepared: Arc<Prepared>,
    /// By the device's address. Bounded by the quotas and pruned when it grows past them.
    relays: HashMap<SocketAddr, Entry>,
    rates: Rates,
    peers: Arc<Peers>,
    peers_read: Instant,
}

struct Entry {
    /// Gone when the crate ended the relay.
    relayed: Weak<Relayed>,
    /// The request that it came from and its answer, which may have been lost.
    asked: [u8; 12],
    answer: Vec<u8>,
    permitted: Recent<IpAddr>,
    channels: Recent<u16>,
}

/// A bounded set whose old members are forgotten when it is full.
struct Recent<K>(HashMap<K, Instant>);

impl<K: Eq + Hash> Recent<K> {
    /// False when it is full of recent ones.
    fn note(&mut self, key: K, most: usize, now: Instant) -> bool {
        if self.0.len() >= most && !self.0.contains_key(&key) {
            self.0
                .retain(|_, noted| now.saturating_duration_since(*noted) < FORGOTTEN_AFTER);
            if self.0.len() >= most {
                return false;
            }
        }
        self.0.insert(key, now);
        true
    }
}

/// A request whose sender has proved a credential.
struct Authorized<'a> {
    source: SocketAddr,
    request: &'a Request,
    username: &'a str,
    key: MessageIntegrity,
}

/// A refusal on its way to the device.
struct No(ErrorCode, &'static str);

type Answer = Result<Vec<Said>, No>;

impl Desk {
    pub(super) fn new(setup: Setup) -> Self {
        let prepared = Arc::new(Prepared::default());
        let now = Instant::now();
        let limits = &setup.limits;
        Self {
            manager: Manager::new(ManagerConfig {
                relay_addr_generator: Box::new(FromPrepared(Arc::clone(&prepared))),
                alloc_close_notify: None,
            }),
            prepared,
            relays: HashMap::new(),
            rates: Rates::new(
                limits.requests_per_second,
                limits.burst_requests,
                limits.addresses,
                now,
            ),
            peers: Arc::new(own_peers(&setup)),
            peers_read: now,
            setup,
        }
    }

    /// Handles one datagram. Waits for nothing but the crate's locks, which are held for moments.
    pub(super) async fn handle(&mut self, source: SocketAddr, datagram: &[u8]) {
        match read(datagram) {
            None => {}
            Some(Incoming::Channel { number, data }) => {
                let Some((allocation, relayed)) = self.relay_of(source).await else {
                    return;
                };
                if let Some(peer) = allocation.get_channel_addr(&ChannelNumber(number)).await {
                    relayed.send_or_drop(data, peer);
                }
            }
            Some(Incoming::Send { peer, data }) => {
                let Some((allocation, relayed)) = self.relay_of(source).await else {
                    return;
                };
                if allocation.has_permission(&peer).await {
                    relayed.send_or_drop(&data, peer);
                }
            }
            Some(Incoming::Request(request)) => {
                if !self.rates.take(Address::of(source.ip()), Instant::now()) {
                    self.setup.traffic.flooding.inc();
                    return;
                }
                if let Some(answer) = self.answer(source, &request).await {
                    self.setup.door.send_or_drop(&answer, source);
                }
            }
        }
    }

    async fn relay_of(&self, source: SocketAddr) -> Option<(Arc<Allocation>, Arc<Relayed>)> {
        let relayed = self.relays.get(&source)?.relayed.upgrade()?;
        let allocation = self.manager.get_allocation(&self.tuple(source)).await?;
        Some((allocation, relayed))
    }

    fn tuple(&self, source: SocketAddr) -> FiveTuple {
        FiveTuple {
            protocol: PROTO_UDP,
            src_addr: source,
            dst_addr: self.setup.door.local(),
        }
    }

    async fn answer(&mut self, source: SocketAddr, request: &Request) -> Option<Vec<u8>> {
        if request.method == Method::Binding {
            if !request.unknown().is_empty() {
                return request.not_understood(None);
            }
            self.setup.traffic.bindings.inc();
            return request.granted(vec![Said::Mapped(source)], None);
        }
        if self.setup.places.is_empty() {
            return request.refused(CODE_FORBIDDEN, "TURN is not offered here", vec![], None);
        }
        let (username, key) = match self.authorize(source, request) {
            Ok(proved) => proved,
            Err(No(code, reason)) => {
                let nonce = nonce(&self.setup.nonce_secret, source, unix_now());
                let challenge = vec![Said::Realm(REALM), Said::Nonce(nonce)];
                return request.refused(code, reason, challenge, None);
            }
        };
        if !request.unknown().is_empty() {
            return request.not_understood(Some(&key));
        }
        let authorized = Authorized {
            source,
            request,
            username,
            key,
        };
        let answer = match request.method {
            Method::Binding => return None,
            Method::Allocate => match self.repeated(&authorized) {
                Some(answer) => return Some(answer),
                None => self.allocate(&authorized).await,
            },
            Method::Refresh => self.refresh(&authorized).await,
            Method::CreatePermission => self.permit(&authorized).await,
            Method::ChannelBind => self.bind_channel(&authorized).await,
        };
        let key = Some(&authorized.key);
        let answer = match answer {
            Ok(attributes) => request.granted(attributes, key)?,
            Err(No(code, reason)) => request.refused(code, reason, vec![], key)?,
        };
        if request.method == Method::Allocate
            && let Some(entry) = self.relays.get_mut(&source)
            && entry.asked == request.id()
        {
            entry.answer.clone_from(&answer);
        }
        Some(answer)
    }

    /// Username and key, if the request is signed with a credential of ours and a nonce of its address.
    fn authorize<'a>(
        &self,
        source: SocketAddr,
        request: &'a Request,
    ) -> Result<(&'a str, MessageIntegrity), No> {
        const WHO: No = No(CODE_UNAUTHORIZED, "Unauthorized");
        if !request.is_signed() {
            // How every client begins.
            return Err(WHO);
        }
        let Setup {
            secret,
            nonce_secret,
            limits,
            ..
        } = &self.setup;
        let now = unix_now();
        let (username, nonce) = request.claim(REALM).ok_or(WHO)?;
        if !nonce_holds(nonce_secret, source, nonce, now, limits.nonce_ttl) {
            return Err(No(CODE_STALE_NONCE, "Stale Nonce"));
        }
        // What was begun in time may go on for a while.
        let grace = match request.method {
            Method::Allocate | Method::Binding => Duration::ZERO,
            _ => limits.grace,
        };
        let proved = key(secret, username, now, grace).filter(|key| request.is_signed_by(key));
        if proved.is_none() {
            self.setup.traffic.unauthorized.inc();
        }
        Ok((username, proved.ok_or(WHO)?))
    }

    /// The answer once more, for a device that didn't get it.
    fn repeated(&self, asked: &Authorized<'_>) -> Option<Vec<u8>> {
        let entry = self.relays.get(&asked.source)?;
        let same = entry.asked == asked.request.id() && entry.relayed.strong_count() > 0;
        (same && !entry.answer.is_empty()).then(|| entry.answer.clone())
    }

    async fn allocate(&mut self, asked: &Authorized<'_>) -> Answer {
        let Authorized {
            source, request, ..
        } = asked;
        if self.relay_of(*source).await.is_some() {
            return Err(No(CODE_ALLOC_MISMATCH, "Allocation Mismatch"));
        }
        match request.transport_is_udp() {
            Some(true) => {}
            Some(false) => return Err(No(CODE_UNSUPPORTED_TRANS_PROTO, "only UDP is relayed")),
            None => return Err(No(CODE_BAD_REQUEST, "no REQUESTED-TRANSPORT")),
        }
        const FAMILY: No = No(CODE_ADDR_FAMILY_NOT_SUPPORTED, "no address of that family");
        let v4 = request.wants_v4().ok_or(FAMILY)?;
        let place = self
            .setup
            .places
            .iter()
            .find(|place| place.public.is_ipv4() == v4)
            .ok_or(FAMILY)?;
        let limits = &self.setup.limits;
        let address = Address::of(source.ip());
        let ticket = self
            .setup
            .quotas
            .take(asked.username, address, limits)
            .map_err(|used_up| match used_up {
                UsedUp::Theirs => No(CODE_ALLOC_QUOTA_REACHED, "Allocation Quota Reached"),
                UsedUp::Everybodys => FULL,
            })?;
        let (socket, public) = place
            .open(getrandom::u32().map_err(|_| FULL)?)
            .await
            .map_err(|_| FULL)?;
        let relayed = Arc::new(Relayed::new(
            socket,
            Arc::clone(&self.peers),
            limits,
            self.setup.traffic.clone(),
            ticket,
        ));
        self.prepared.put(Arc::clone(&relayed), public);
        let door: Arc<Door> = Arc::clone(&self.setup.door);
        let username = Username::new(stun::attributes::ATTR_USERNAME, asked.username.to_owned());
        self.manager
            .create_allocation(self.tuple(*source), door, 0, limits.lifetime, username, v4)
            .await
            .map_err(|_| FULL)?;
        let answer = vec![
            Said::Relayed(public),
            Said::Lifetime(limits.lifetime),
            Said::Mapped(*source),
        ];
        if self.relays.len() >= limits.allocations {
            self.relays
                .retain(|_, entry| entry.relayed.strong_count() > 0);
        }
        let entry = Entry {
            relayed: Arc::downgrade(&relayed),
            asked: request.id(),
            answer: Vec::new(),
            permitted: Recent(HashMap::new()),
            channels: Recent(HashMap::new()),
        };
        self.relays.insert(*source, entry);
        self.setup.traffic.relays.inc();
        tracing::debug!(relays = self.setup.quotas.count(), "a relay was handed out");
        Ok(answer)
    }

    async fn refresh(&mut self, asked: &Authorized<'_>) -> Answer {
        let (allocation, _) = self.relay_of(asked.source).await.ok_or(NO_RELAY)?;
        if asked.request.gives_up() {
            let tuple = self.tuple(asked.source);
            self.manager.delete_allocation(&tuple).await;
            self.relays.remove(&asked.source);
            return Ok(vec![Said::Lifetime(Duration::ZERO)]);
        }
        allocation.refresh(self.setup.limits.lifetime).await;
        Ok(vec![Said::Lifetime(self.setup.limits.lifetime)])
    }

    async fn permit(&mut self, asked: &Authorized<'_>) -> Answer {
        let (allocation, relayed) = self.relay_of(asked.source).await.ok_or(NO_RELAY)?;
        let peers = asked.request.peers().ok_or(BAD_PEER)?;
        let mut answer = Ok(vec![]);
        for peer in peers {
            // Devices renew all their permissions in one request: one peer that is refused must not end the others.
            match self.check_peer(asked.source, peer, &relayed) {
                Ok(()) => allocation.add_permission(Permission::new(peer)).await,
                Err(no) => answer = Err(no),
            }
        }
        answer
    }

    async fn bind_channel(&mut self, asked: &Authorized<'_>) -> Answer {
        let (allocation, relayed) = self.relay_of(asked.source).await.ok_or(NO_RELAY)?;
        let number = asked
            .request
            .channel()
            .ok_or(No(CODE_BAD_REQUEST, "no such channel"))?;
        let peers = asked.request.peers().ok_or(BAD_PEER)?;
        let [peer] = peers.as_slice() else {
            return Err(BAD_PEER);
        };
        self.check_peer(asked.source, *peer, &relayed)?;
        let most = self.setup.limits.peers_per_allocation;
        let entry = self.relays.get_mut(&asked.source).ok_or(NO_RELAY)?;
        if !entry.channels.note(number, most, Instant::now()) {
            return Err(FULL);
        }
        let channel = ChannelBind::new(ChannelNumber(number), *peer);
        allocation
            .add_channel_bind(channel, CHANNEL_LIFETIME)
            .await
            .map_err(|_| No(CODE_BAD_REQUEST, "channel or peer is bound otherwise"))?;
        Ok(vec![])
    }

    fn check_peer(
        &mut self,
        source: SocketAddr,
        peer: SocketAddr,
        relayed: &Relayed,
    ) -> Result<(), No> {
        let now = Instant::now();
        if now.saturating_duration_since(self.peers_read) > OWN_ADDRESSES_HOLD {
            self.peers = Arc::new(own_peers(&self.setup));
            self.peers_read = now;
        }
        if self.peers.refuses(peer.ip()) {
            self.setup.traffic.refused.inc();
            return Err(No(CODE_FORBIDDEN, "Forbidden"));
        }
        if relayed.is_ipv4() != peer.is_ipv4() {
            return Err(No(
                CODE_PEER_ADDR_FAMILY_MISMATCH,
                "Peer Address Family Mismatch",
            ));
        }
        let most = self.setup.limits.peers_per_allocation;
        let entry = self.relays.get_mut(&source).ok_or(NO_RELAY)?;
        if entry.permitted.note(peer.ip(), most, now) {
            Ok(())
        } else {
            Err(FULL)
        }
    }
}

const NO_RELAY: No = No(CODE_ALLOC_MISMATCH, "Allocation Mismatch");
const BAD_PEER: No = No(CODE_BAD_REQUEST, "no or a bad XOR-PEER-ADDRESS");
const FULL: No = No(CODE_INSUFFICIENT_CAPACITY, "Insufficient Capacity");

/// The refusal list with what this machine is called now.
fn own_peers(setup: &Setup) -> Peers {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let own = interfaces.iter().map(if_addrs::Interface::ip);
    let own = own
        .chain(setup.places.iter().map(|place| place.public))
        .chain([setup.door.local().ip()]);
    Peers::new(own.collect(), setup.allowed.clone())
}

/// Seconds since 1970; 0 on a clock that is before.
pub(crate) fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
