//! STUN and TURN: how devices learn their address outside, and a relay for pairs that no other way connects.
//!
//! ```text
//!   device ──{"type":"ice"}── WebSocket ──> Offer ── username, credential (nothing is kept)
//!
//!   device ──UDP──> Door ──> Desk ── Binding: the address it comes from
//!                             │ rates, credential, quotas, refusal list
//!                             v
//!                      turn::Manager: relays, permissions, channels, their times
//!                             │
//!                             └── Relayed socket <──UDP──> peer     refusal list and rate of bytes again
//! ```
//!
//! **Contract.** One UDP port speaks STUN Binding (RFC 8489) and TURN (RFC 8656, relaying UDP for devices that come
//! over UDP). A relay needs a credential that this server handed out over the WebSocket, and carries nothing to or from an
//! address that [`peers`] refuses. Whatever strangers send, what is kept for them is bounded by
//! [`TurnLimits`](crate::TurnLimits); what is relayed is sealed between the devices (DTLS, and Noise inside), so the relay
//! sees two addresses and how much passes.
//!
//! **Why no TURN over TCP or TLS.** It would serve networks that let no UDP out at all. Our devices, its only clients,
//! speak TURN over UDP only: the ICE agent of `webrtc` 0.21 offers relays over TCP to nobody. `turn-server-proto` 0.7
//! would speak it, but it is a second TURN server: it brings its own credentials (one list of users, no HMAC
//! convention), its own relays and no quotas, so that everything in this folder would be needed twice. On such a network
//! the devices still have the WebSocket, which is TCP and TLS already.

mod credentials;
mod desk;
mod door;
mod message;
mod offer;
mod peers;
mod quotas;
mod relayed;
mod traffic;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tokio::sync::watch;
use tokio::time::sleep;

pub use self::credentials::TurnSecret;
pub(crate) use self::desk::unix_now;
use self::desk::{Desk, Setup};
use self::door::Door;
pub(crate) use self::offer::Offer;
pub use self::peers::{Network, NotANetwork};
use self::quotas::Quotas;
use self::relayed::Place;
pub(crate) use self::traffic::Traffic;
use crate::TurnLimits;

/// The longest datagram that is read whole: above what any path carries unfragmented.
const DATAGRAM_BYTES: usize = 2048;

/// How long the socket rests after an error.
const REST: Duration = Duration::from_millis(20);

/// What STUN and TURN are told by the operator.
#[derive(Clone, Debug)]
pub struct UdpConfig {
    /// Where devices send to. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Under which addresses relays are known outside, at most one of each family. When empty, a specific address of
    /// `listen` is taken; when that is unspecified too, there is STUN and no TURN.
    pub public: Vec<IpAddr>,
    /// Ports of relays.
    pub relay_ports: RangeInclusive<u16>,
    /// What credentials are made from; random when there is none.
    pub secret: Option<TurnSecret>,
    /// Exceptions from the refusal list.
    pub allow_peers: Vec<Network>,
    /// The name or address that devices use for UDP, where it isn't that of their WebSocket.
    pub host: Option<String>,
}

impl UdpConfig {
    /// STUN on this address, and TURN if it is a specific one.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            public: Vec::new(),
            // The dynamic ports (RFC 6335), as RFC 8656 recommends.
            relay_ports: 49152..=65535,
            secret: None,
            allow_peers: Vec::new(),
            host: None,
        }
    }
}

/// STUN and TURN with their port taken.
pub(crate) struct Ways {
    setup: Setup,
    offer: Arc<Offer>,
}

impl Ways {
    /// # Errors
    /// The address can't be listened on, or the operating system gives no randomness.
    pub(crate) async fn bind(config: UdpConfig, limits: &TurnLimits) -> io::Result<Self> {
        let door = Arc::new(Door::bind(config.listen).await?);
        let local = door.local();
        let public = match config.public.as_slice() {
            [] if local.ip().is_unspecified() => vec![],
            [] => vec![local.ip()],
            named => named.to_vec(),
        };
        let ports = &config.relay_ports;
        let places: Vec<Place> = public
            .into_iter()
            .map(|public| Place::new(local.ip(), public, ports.clone()))
            .collect();
        let random = || TurnSecret::random().map_err(io::Error::other);
        let secret = match config.secret {
            Some(secret) => secret,
            None => random()?,
        };
        let offer = Offer::new(local, config.host, &places, secret.clone(), limits);
        let setup = Setup {
            door,
            places,
            secret,
            nonce_secret: random()?,
            allowed: config.allow_peers,
            quotas: Arc::default(),
            traffic: Traffic::default(),
            limits: limits.clone(),
        };
        Ok(Self {
            setup,
            offer: Arc::new(offer),
        })
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.setup.door.local()
    }

    /// Whether relays are handed out.
    pub(crate) fn relays(&self) -> bool {
        !self.setup.places.is_empty()
    }

    pub(crate) fn offer(&self) -> Arc<Offer> {
        Arc::clone(&self.offer)
    }

    /// What it counts, and how many relays there are.
    pub(crate) fn figures(&self) -> (Traffic, Relays) {
        let quotas = Arc::clone(&self.setup.quotas);
        (self.setup.traffic.clone(), Relays(quotas))
    }

    /// Serves until the server closes.
    pub(crate) async fn run(self, closing: watch::Receiver<bool>) {
        loop {
            let serving = tokio::spawn(serve(self.setup.clone(), closing.clone()));
            match serving.await {
                Err(error) if error.is_panic() => {
                    // Datagrams are read by libraries too: one that breaks them costs the relays and not the service.
                    tracing::error!("STUN and TURN broke down and start anew");
                    sleep(REST).await;
                }
                _ => {
                    let traffic = &self.setup.traffic;
                    let [relays, bytes] = [&traffic.relays, &traffic.bytes].map(Counter::get);
                    tracing::info!(relays, bytes, "STUN and TURN have ended");
                    return;
                }
            }
        }
    }
}

/// The relays that there are.
#[derive(Clone)]
pub(crate) struct Relays(Arc<Quotas>);

impl Relays {
    pub(crate) fn count(&self) -> usize {
        self.0.count()
    }
}

async fn serve(setup: Setup, mut closing: watch::Receiver<bool>) {
    let door = Arc::clone(&setup.door);
    let mut desk = Desk::new(setup);
    let mut buffer = vec![0; DATAGRAM_BYTES];
    let closed = async move {
        let _ = closing.wait_for(|closing| *closing).await;
    };
    tokio::pin!(closed);
    loop {
        tokio::select! {
            () = &mut closed => return,
            next = door.next(&mut buffer) => match next {
                Ok((length, source)) => {
                    if let Some(datagram) = buffer.get(..length) {
                        desk.handle(source, datagram).await;
                    }
                }
                Err(_) => sleep(REST).await,
            },
        }
    }
}
