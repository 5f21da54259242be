//! A relayed address: the socket that peers of one device talk to.
//!
//! The `turn` crate reads from it and asks nobody whom it may hear; this is where the refusal list and the rate
//! of bytes hold once more, for every datagram, whatever permissions the crate remembers.

use std::any::Any;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep};
use turn::relay::RelayAddressGenerator;
use webrtc_util::Conn;

use super::peers::Peers;
use super::quotas::Ticket;
use super::traffic::Traffic;
use crate::TurnLimits;
use crate::bucket::Bucket;

/// Ports tried for one relay.
const TRIES: u32 = 64;

/// How long a socket that fails rests.
const REST: Duration = Duration::from_millis(20);

pub(super) struct Relayed {
    socket: UdpSocket,
    peers: Arc<Peers>,
    /// Of both directions together.
    bytes: Mutex<Bucket>,
    traffic: Traffic,
    _ticket: Ticket,
}

impl Relayed {
    pub(super) fn new(
        socket: UdpSocket,
        peers: Arc<Peers>,
        limits: &TurnLimits,
        traffic: Traffic,
        ticket: Ticket,
    ) -> Self {
        let bytes = Bucket::full(limits.bytes_per_second, limits.burst_bytes, Instant::now());
        Self {
            socket,
            peers,
            bytes: Mutex::new(bytes),
            traffic,
            _ticket: ticket,
        }
    }

    /// Sends to a peer, unless it is refused, the device sends too much, or the network is busy.
    pub(super) fn send_or_drop(&self, data: &[u8], peer: SocketAddr) {
        if !self.passes(data.len(), peer) {
            return;
        }
        if self.socket.try_send_to(data, peer).is_err() {
            self.traffic.dropped.inc();
        }
    }

    pub(super) fn is_ipv4(&self) -> bool {
        self.socket.local_addr().is_ok_and(|local| local.is_ipv4())
    }

    fn passes(&self, bytes: usize, peer: SocketAddr) -> bool {
        if self.peers.refuses(peer.ip()) {
            self.traffic.refused.inc();
            return false;
        }
        let tokens = u32::try_from(bytes).unwrap_or(u32::MAX);
        if !self.bucket().take_some(tokens, Instant::now()) {
            self.traffic.dropped.inc();
            return false;
        }
        self.traffic.bytes.inc_by(u64::from(tokens));
        true
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Conn for Relayed {
    async fn recv_from(&self, buf: &mut [u8]) -> webrtc_util::Result<(usize, SocketAddr)> {
        loop {
            match self.socket.recv_from(buf).await {
                Ok((length, peer)) if self.passes(length, peer) => return Ok((length, peer)),
                Ok(_) => {}
                // An error here would end the relay without freeing what belongs to it.
                Err(_) => sleep(REST).await,
            }
        }
    }

    async fn send_to(&self, buf: &[u8], target: SocketAddr) -> webrtc_util::Result<usize> {
        self.send_or_drop(buf, target);
        Ok(buf.len())
    }

    fn local_addr(&self) -> webrtc_util::Result<SocketAddr> {
        Ok(self.socket.local_addr()?)
    }

    // It is closed by being dropped, and nobody uses it as a connected socket.
    async fn close(&self) -> webrtc_util::Result<()> {
        Ok(())
    }

    async fn connect(&self, _: SocketAddr) -> webrtc_util::Result<()> {
        Err(unconnected())
    }

    async fn recv(&self, _: &mut [u8]) -> webrtc_util::Result<usize> {
        Err(unconnected())
    }

    async fn send(&self, _: &[u8]) -> webrtc_util::Result<usize> {
        Err(unconnected())
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        None
    }

    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

pub(super) fn unconnected() -> webrtc_util::Error {
    io::Error::from(io::ErrorKind::NotConnected).into()
}

/// Hands the crate the socket that was made ready for the allocation it is about to create.
#[derive(Default)]
pub(super) struct Prepared(Mutex<Option<(Arc<Relayed>, SocketAddr)>>);

impl Prepared {
    /// `public`: what the device is told.
    pub(super) fn put(&self, relayed: Arc<Relayed>, public: SocketAddr) {
        *self.slot() = Some((relayed, public));
    }

    fn slot(&self) -> MutexGuard<'_, Option<(Arc<Relayed>, SocketAddr)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The crate wants to own its generator.
pub(super) struct FromPrepared(pub(super) Arc<Prepared>);

#[async_trait]
impl RelayAddressGenerator for FromPrepared {
    fn validate(&self) -> Result<(), turn::Error> {
        Ok(())
    }

    async fn allocate_conn(
        &self,
        _: bool,
        _: u16,
    ) -> Result<(Arc<dyn Conn + Send + Sync>, SocketAddr), turn::Error> {
        match self.0.slot().take() {
            Some((relayed, public)) => Ok((relayed, public)),
            None => Err(turn::Error::Other("no relay was prepared".to_owned())),
        }
    }
}

/// Where relayed sockets are bound and under which address they are known.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) bind: IpAddr,
    pub(super) public: IpAddr,
    pub(super) ports: RangeInclusive<u16>,
}

impl Place {
    /// `listen` is where the server's own UDP socket is bound. The address that is known outside is bound where it is this
    /// machine's, so that datagrams leave from it; behind a NAT of the operator's it is not.
    pub(super) fn new(listen: IpAddr, public: IpAddr, ports: RangeInclusive<u16>) -> Self {
        let any: IpAddr = match public {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let bind = if !listen.is_unspecified() && listen.is_ipv4() == public.is_ipv4() {
            listen
        } else if std::net::UdpSocket::bind((public, 0)).is_ok() {
            public
        } else {
            any
        };
        Self {
            bind,
            public,
            ports,
        }
    }

    /// A socket on a free port of the range, searched from a random one on, and its address outside.
    pub(super) async fn open(&self, random: u32) -> io::Result<(UdpSocket, SocketAddr)> {
        let (low, high) = (u32::from(*self.ports.start()), u32::from(*self.ports.end()));
        let width = high.saturating_sub(low).saturating_add(1);
        for attempt in 0..width.min(TRIES) {
            let offset = random.wrapping_add(attempt).checked_rem(width).unwrap_or(0);
            let port = u16::try_from(low.saturating_add(offset)).unwrap_or(u16::MAX);
            match UdpSocket::bind((self.bind, port)).await {
                Ok(socket) => return Ok((socket, SocketAddr::new(self.public, port))),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AddrInUse.into())
    }
}
