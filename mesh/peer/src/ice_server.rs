//! One STUN and TURN server, used over the port that all links share.
//!
//! ```text
//!  Binding (RFC 8489), every 20 s  --> how the shared port looks from outside, and a NAT that remembers it
//!  Allocate (RFC 8656), when asked --> an address at the relay: one more socket of the router's
//!
//!  dialer --UDP--> relay --ChannelData--> this task --Arrivals--> router --> a link like any other
//!  dialer <--UDP-- relay <--ChannelData-- this task <--queue----- its socket
//! ```
//!
//! A relayed address is one that others can dial; only who is dialled needs one. So there are no candidate pairs:
//! what a dialer knows is an address more. A permission is for an IP address (RFC 8656, 9), so the port that a
//! symmetric NAT makes up for the dialer need not be known before it knocks.
//!
//! The protocol is `rtc-turn`'s, a client without sockets; this module gives it ours. The server is trusted with
//! nothing: what it says may make us tell a wrong address, no more.

mod handle;
mod relay;

use crate::endpoint::Inner;
use crate::session::lock;
use bytes::{Bytes, BytesMut};
pub use handle::IceServer;
pub(crate) use handle::Running;
use quinn_udp::Transmit;
use relay::{Relay, next_out};
use rtc::sansio::Protocol;
use rtc::shared::{TransportContext, TransportMessage, TransportProtocol};
use rtc::stun::message::TransactionId;
use rtc::turn::client::{Client, ClientConfig, Event};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// How often the server is asked how it sees us: well below the 30 s after which a NAT may forget (RFC 4787, REQ-5
/// asks for two minutes, and many don't keep to it).
const ASK_EVERY: Duration = Duration::from_secs(20);
/// An answer to the first question is waited for that long by who wants to tell others.
const ANSWER_WITHIN: Duration = Duration::from_millis(700);
/// An address at the relay is there by then, or is not to be had.
const RELAY_WITHIN: Duration = Duration::from_secs(3);
/// From the first request to its repetition; doubles (RFC 8489, 6.2.1, which begins at 500 ms: a join is in a hurry).
const REPEAT_MS: u64 = 200;
/// Allocations and what was learned of a stale nonce are renewed that often.
const RENEW_EVERY: Duration = Duration::from_secs(60);
/// An allocation that no link uses is given back after this.
const UNUSED_FOR: Duration = Duration::from_secs(60);
/// Other ends of one allocation, those that are gone included (count); the next allocation begins anew.
const PEERS_MAX: usize = 64;
/// Datagrams of the server that wait (count).
const INBOX: usize = 512;
/// What a task may be told at a time (count).
const COMMANDS: usize = 32;

/// Where the server is, and as whom to ask it for an address.
#[derive(Debug, Clone)]
pub struct IceServerConfig {
    /// Its address.
    pub addr: SocketAddr,
    /// Whoever may have an address at the relay.
    pub turn: Option<TurnLogin>,
}

/// Short-lived credentials (RFC 8489, 9.2).
#[derive(Clone)]
pub struct TurnLogin {
    /// As handed out.
    pub username: String,
    /// As handed out.
    pub credential: String,
    /// As handed out.
    pub realm: String,
}

impl std::fmt::Debug for TurnLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TurnLogin(..)")
    }
}

/// Why there is no address at the relay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RelayError {
    /// It has none, or this device may not have one.
    #[error("the server relays nothing for this device")]
    NotOffered,
    /// It said no.
    #[error("the relay refused: {0}")]
    Refused(String),
    /// It said nothing in time.
    #[error("the relay did not answer")]
    NoAnswer,
}

#[derive(Debug)]
enum Command {
    /// A handle is gone.
    Count,
    Relay(Vec<IpAddr>, RelayReply),
    Renew(Option<TurnLogin>),
    /// The network changed.
    Moved,
    /// Told when the server has said once how it sees us.
    SeenAs(oneshot::Sender<()>),
}

type RelayReply = oneshot::Sender<Result<SocketAddr, RelayError>>;

struct Task {
    endpoint: Weak<Inner>,
    addr: SocketAddr,
    turn: Option<TurnLogin>,
    /// Shared with every handle.
    handles: Arc<()>,
    client: Option<Client>,
    seen_as: Arc<Mutex<Option<SocketAddr>>>,
    first: Vec<oneshot::Sender<()>>,
    ask_at: Instant,
    allocating: Option<TransactionId>,
    /// Who waits for the allocation, with whom to permit.
    waiting: Vec<(Vec<IpAddr>, RelayReply)>,
    relay: Option<Relay>,
}

/// What woke the task.
enum Woken {
    Told(Option<Command>),
    Came(Option<Bytes>),
    Out(Option<(SocketAddr, Bytes)>),
    Time,
}

impl Task {
    async fn run(mut self, mut told: mpsc::Receiver<Command>, mut inbox: mpsc::Receiver<Bytes>) {
        loop {
            let timer = self.next_timer();
            let woken = tokio::select! {
                command = told.recv() => Woken::Told(command),
                bytes = inbox.recv() => Woken::Came(bytes),
                datagram = next_out(&mut self.relay) => Woken::Out(datagram),
                () = tokio::time::sleep_until(timer.into()) => Woken::Time,
            };
            let now = Instant::now();
            // The endpoint is closed: so is all that used it.
            let Some(endpoint) = self.endpoint.upgrade() else {
                return;
            };
            match woken {
                Woken::Told(None) | Woken::Came(None) => return,
                Woken::Told(Some(command)) => self.on_command(command, now),
                Woken::Came(Some(bytes)) => self.on_datagram(&bytes, now),
                Woken::Out(None) => self.relay = None,
                Woken::Out(Some((to, bytes))) => self.send_over(to, bytes, now),
                Woken::Time => self.on_time(now),
            }
            self.drain(&endpoint, now);
            let needed = self.relay.is_some() || self.has_handles();
            if !needed && endpoint.servers.leave(&endpoint, &self) {
                return;
            }
        }
    }

    fn has_handles(&self) -> bool {
        Arc::strong_count(&self.handles) > 1
    }

    fn next_timer(&mut self) -> Instant {
        let client = self.client.as_mut().and_then(Client::poll_timeout);
        client.map_or(self.ask_at, |at| at.min(self.ask_at))
    }

    fn on_time(&mut self, now: Instant) {
        if let Some(client) = &mut self.client {
            let _ = client.handle_timeout(now);
        }
        if now >= self.ask_at {
            self.ask_at = now + ASK_EVERY;
            let addr = self.addr;
            if let Some(client) = self.client() {
                let _ = client.send_binding_request_to(now, addr);
            }
            self.give_back_unused(now);
        }
    }

    /// The protocol's state; made when it is needed first.
    fn client(&mut self) -> Option<&mut Client> {
        if self.client.is_none() {
            let unspecified: IpAddr = match self.addr {
                SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
                SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
            };
            let login = self.turn.clone().unwrap_or(TurnLogin {
                username: String::new(),
                credential: String::new(),
                realm: String::new(),
            });
            let config = ClientConfig {
                stun_serv_addr: self.addr.to_string(),
                turn_serv_addr: self.addr.to_string(),
                local_addr: SocketAddr::new(unspecified, 0),
                transport_protocol: TransportProtocol::UDP,
                username: login.username,
                password: login.credential,
                realm: login.realm,
                software: String::new(),
                rto_in_ms: REPEAT_MS,
                allocation_refresh_interval_cap: Some(RENEW_EVERY),
            };
            let made = rtc::crypto::default_provider()
                .map_err(|error| error.to_string())
                .and_then(|provider| Client::new(config, provider).map_err(|e| e.to_string()));
            match made {
                Ok(client) => self.client = Some(client),
                Err(error) => tracing::error!(%error, "no client for stun and turn"),
            }
        }
        self.client.as_mut()
    }

    fn on_command(&mut self, command: Command, now: Instant) {
        match command {
            Command::Count => {}
            Command::SeenAs(reply) if lock(&self.seen_as).is_some() => drop(reply.send(())),
            Command::SeenAs(reply) => {
                self.first.retain(|waiting| !waiting.is_closed());
                self.first.push(reply);
            }
            Command::Moved => {
                *lock(&self.seen_as) = None;
                self.ask_at = now;
            }
            Command::Renew(turn) => {
                if let (Some(client), Some(login)) = (&mut self.client, &turn) {
                    let (username, credential) = (login.username.clone(), login.credential.clone());
                    let _ = client.update_credentials(username, credential);
                    let _ = client.refresh_allocations(now);
                }
                self.turn = turn;
            }
            Command::Relay(permit, reply) => self.want_relay(permit, reply, now),
        }
    }

    fn want_relay(&mut self, permit: Vec<IpAddr>, reply: RelayReply, now: Instant) {
        if self.turn.is_none() {
            return drop(reply.send(Err(RelayError::NotOffered)));
        }
        self.waiting.retain(|(_, reply)| !reply.is_closed());
        if self.waiting.len() >= COMMANDS {
            return drop(reply.send(Err(RelayError::NoAnswer)));
        }
        self.waiting.push((permit, reply));
        if self.relay.is_some() {
            self.permit_waiting(now);
        } else if self.allocating.is_none()
            && let Some(client) = self.client()
        {
            self.allocating = client.allocate(now).ok();
        }
    }

    fn on_datagram(&mut self, bytes: &[u8], now: Instant) {
        let context = TransportContext {
            local_addr: SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0),
            peer_addr: self.addr,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        if let Some(client) = &mut self.client {
            let message = TransportMessage {
                now,
                transport: context,
                message: BytesMut::from(bytes),
            };
            if let Err(error) = client.handle_read(message) {
                tracing::debug!(%error, "an answer that is none");
            }
        }
    }

    /// Carries out what the protocol has come to.
    fn drain(&mut self, endpoint: &Arc<Inner>, now: Instant) {
        while let Some(event) = self.client.as_mut().and_then(Client::poll_event) {
            self.on_event(event, endpoint, now);
        }
        let socket = endpoint.sockets.iter().find(|s| s.reaches(&self.addr));
        while let Some(message) = self.client.as_mut().and_then(Client::poll_write) {
            if let Some(socket) = socket {
                let _ = socket.try_send(&Transmit {
                    destination: message.transport.peer_addr,
                    ecn: None,
                    contents: &message.message,
                    segment_size: None,
                    src_ip: None,
                });
            }
        }
    }

    fn on_event(&mut self, event: Event, endpoint: &Arc<Inner>, now: Instant) {
        match event {
            Event::BindingResponse(_, addr) => {
                *lock(&self.seen_as) = Some(addr);
                for waiting in self.first.drain(..) {
                    let _ = waiting.send(());
                }
            }
            Event::AllocateResponse(_, addr) => {
                self.allocating = None;
                let id = endpoint.router.next_socket();
                self.relay = Some(Relay::new(id, addr, now));
                self.permit_waiting(now);
            }
            Event::AllocateError(_, error) => {
                self.no_relay(&RelayError::Refused(error.to_string()));
            }
            Event::TransactionTimeout(transaction) => {
                if self.allocating.is_some_and(|own| is_of(&own, &transaction)) {
                    self.no_relay(&RelayError::NoAnswer);
                }
                self.permission_came(&transaction, Err(RelayError::NoAnswer), now);
            }
            Event::CreatePermissionResponse(transaction, _) => {
                self.permission_came(&transaction, Ok(()), now);
            }
            Event::CreatePermissionError(transaction, error) => {
                let refused = RelayError::Refused(error.to_string());
                self.permission_came(&transaction, Err(refused), now);
            }
            Event::DataIndicationOrChannelData(_, peer, bytes) => {
                self.came_over(peer, &bytes, endpoint, now);
            }
            _ => {}
        }
    }

    fn no_relay(&mut self, why: &RelayError) {
        self.allocating = None;
        tracing::debug!(%why, "no address at the relay");
        for (_, reply) in self.waiting.drain(..) {
            let _ = reply.send(Err(why.clone()));
        }
    }
}

/// Whether a transaction is that one, or the one after it: an allocation takes two.
fn is_of(own: &TransactionId, other: &TransactionId) -> bool {
    own.0.first_chunk::<11>() == other.0.first_chunk::<11>()
}
