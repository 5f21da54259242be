//! The UDP sockets that all links share.
//!
//! A wildcard socket learns from the kernel on which address each datagram came in, and answers
//! from that address: a host with two networks would otherwise answer from whichever the routing
//! table prefers, and the dialer's ICE agent would throw that answer away.
//!
//! On Linux an open link receives on a socket of its own beside the shared one, on the same port and
//! connected to the other side: the kernel hands it what comes from there. So a stranger that floods
//! the port fills the shared socket's buffer, not the links'.
//!
//! An address at a relay ([`ice_server`](crate::ice_server)) is a socket, too: what is sent from it goes to the relay,
//! and what comes to it is handed to the router by who talks with the relay.

use crate::paths::Path;
use bytes::Bytes;
use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

/// With the default of about 208 KiB a 1 MiB SCTP window overruns the socket: 31 Mbit/s, not 220.
const RECV_BUFFER: usize = 4 << 20;
const SEND_BUFFER: usize = 1 << 20;
/// A link's own socket: four times what the other side may have in flight.
#[cfg(any(target_os = "linux", target_os = "android"))]
const OWN_RECV_BUFFER: usize = 1 << 20;
/// Datagrams taken from the kernel per call. Each buffer holds a whole coalesced batch.
pub(crate) const BATCH: usize = 8;
/// The same for the socket of one link.
pub(crate) const OWN_BATCH: usize = 2;
const BATCH_BYTES: usize = 65_535;
/// Whether links have sockets of their own here.
const APART: bool = cfg!(any(target_os = "linux", target_os = "android"));
/// Datagrams a second that the shared socket takes in for nobody, where links have their own: beyond
/// it the kernel lets them go, which costs nothing. A dialer repeats its first packet every 15 ms.
pub const STRANGERS_A_SECOND: u32 = 5_000;
/// How much of that may come at once.
const AT_ONCE: Duration = Duration::from_millis(200);
/// Batches handled before other tasks get a turn.
const BURST: usize = 16;

/// One bound socket.
#[derive(Debug)]
pub(crate) struct SharedSocket {
    /// Distinguishes sockets within an endpoint.
    pub(crate) id: u32,
    io: Io,
    bound: SocketAddr,
}

#[derive(Debug)]
enum Io {
    Udp(UdpSocket, State),
    /// To who hands it to the relay: where to, and what.
    Relay(mpsc::Sender<(SocketAddr, Bytes)>),
}

struct State(UdpSocketState);

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "gso {}", self.0.max_gso_segments())
    }
}

/// Datagrams that came in together from one source.
pub(crate) struct Arrivals<'b> {
    pub(crate) from: Path,
    /// One or more datagrams, each `stride` long but the last.
    pub(crate) bytes: &'b [u8],
    pub(crate) stride: usize,
}

impl SharedSocket {
    pub(crate) fn bind(id: u32, addr: SocketAddr) -> io::Result<Self> {
        // A port that somebody else has is an error, although links' own sockets may share it.
        let free = udp(addr)?;
        free.bind(&addr.into())?;
        let addr = free.local_addr()?.as_socket().unwrap_or(addr);
        drop(free);
        let socket = udp(addr)?;
        let _ = socket.set_recv_buffer_size(RECV_BUFFER);
        share_port(&socket)?;
        socket.bind(&addr.into())?;
        Self::ready(id, socket)
    }

    /// A socket beside this one that receives what comes from one address, and nothing else. Sends go
    /// on over this one.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn toward(&self, remote: SocketAddr) -> io::Result<Self> {
        if self.is_relay() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let socket = udp(self.bound)?;
        let _ = socket.set_recv_buffer_size(OWN_RECV_BUFFER);
        share_port(&socket)?;
        socket.bind(&self.bound.into())?;
        socket.connect(&remote.into())?;
        let mut own = Self::ready(self.id, socket)?;
        own.bound = self.bound;
        Ok(own)
    }

    /// Elsewhere the shared socket receives for all.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(crate) fn toward(&self, _: SocketAddr) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn ready(id: u32, socket: Socket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let socket = std::net::UdpSocket::from(socket);
        let state = State(UdpSocketState::new(UdpSockRef::from(&socket))?);
        let bound = socket.local_addr()?;
        let io = Io::Udp(UdpSocket::from_std(socket)?, state);
        Ok(Self { id, io, bound })
    }

    /// An address at a relay.
    pub(crate) fn at_relay(
        id: u32,
        bound: SocketAddr,
        out: mpsc::Sender<(SocketAddr, Bytes)>,
    ) -> Self {
        let io = Io::Relay(out);
        Self { id, io, bound }
    }

    pub(crate) fn is_relay(&self) -> bool {
        matches!(self.io, Io::Relay(_))
    }

    pub(crate) fn bound(&self) -> SocketAddr {
        self.bound
    }

    pub(crate) fn max_gso_segments(&self) -> usize {
        match &self.io {
            Io::Udp(_, state) => state.0.max_gso_segments(),
            Io::Relay(_) => 1,
        }
    }

    /// Whether a packet from this socket can reach that address, as far as one can tell locally.
    pub(crate) fn reaches(&self, remote: &SocketAddr) -> bool {
        self.bound.is_ipv4() == remote.is_ipv4()
            && remote.port() != 0
            && !remote.ip().is_unspecified()
            && !remote.ip().is_multicast()
            && (!self.bound.ip().is_loopback() || remote.ip().is_loopback())
    }

    /// Sends without waiting. `WouldBlock` when the kernel's queue is full.
    pub(crate) fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        match &self.io {
            Io::Udp(io, state) => io.try_io(Interest::WRITABLE, || {
                state.0.try_send(UdpSockRef::from(io), transmit)
            }),
            // A full queue drops, as any router on the way does.
            Io::Relay(out) => {
                let datagram = Bytes::copy_from_slice(transmit.contents);
                let _ = out.try_send((transmit.destination, datagram));
                Ok(())
            }
        }
    }

    pub(crate) async fn writable(&self) -> io::Result<()> {
        match &self.io {
            Io::Udp(io, _) => io.writable().await,
            Io::Relay(_) => Ok(()),
        }
    }

    /// Hands every arriving datagram to `deliver`, for ever. `deliver` says how many of them were
    /// nobody's.
    pub(crate) async fn receive<const BATCH: usize>(
        &self,
        mut deliver: impl FnMut(Arrivals<'_>) -> u32,
    ) -> io::Error {
        let Io::Udp(io, state) = &self.io else {
            return io::ErrorKind::Unsupported.into();
        };
        let mut due = Instant::now();
        let mut buffers = vec![vec![0; BATCH_BYTES]; BATCH];
        let mut meta = [RecvMeta::default(); BATCH];
        loop {
            if let Err(error) = io.readable().await {
                return error;
            }
            let mut nobodys = 0u32;
            for _ in 0..BURST {
                let received = io.try_io(Interest::READABLE, || {
                    let mut slices = buffers.iter_mut().map(|buffer| IoSliceMut::new(buffer));
                    let mut slices: [IoSliceMut<'_>; BATCH] =
                        std::array::from_fn(|_| slices.next().unwrap_or(IoSliceMut::new(&mut [])));
                    state.0.recv(UdpSockRef::from(io), &mut slices, &mut meta)
                });
                match received {
                    Ok(count) => {
                        for (buffer, meta) in buffers.iter().zip(&meta).take(count) {
                            let strange = deliver(self.arrivals(buffer, meta));
                            nobodys = nobodys.saturating_add(strange);
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    // An ICMP error about some peer, not about this socket.
                    Err(error) if is_about_a_peer(&error) => {}
                    Err(error) => return error,
                }
            }
            if APART {
                let now = Instant::now();
                due = due.max(now) + nobodys * (Duration::from_secs(1) / STRANGERS_A_SECOND);
                let rest = due.saturating_duration_since(now).saturating_sub(AT_ONCE);
                if !rest.is_zero() {
                    tokio::time::sleep(rest).await;
                }
            }
            tokio::task::yield_now().await;
        }
    }

    fn arrivals<'b>(&self, buffer: &'b [u8], meta: &RecvMeta) -> Arrivals<'b> {
        Arrivals {
            from: Path {
                remote: meta.addr,
                local: if self.bound.ip().is_unspecified() {
                    meta.dst_ip
                } else {
                    None
                },
            },
            bytes: buffer.get(..meta.len).unwrap_or_default(),
            stride: meta.stride.max(1),
        }
    }
}

fn udp(addr: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    if addr.is_ipv6() {
        // IPv4 has its own socket, on the same port.
        socket.set_only_v6(true)?;
    }
    // A wish, as every size of a buffer: the system's limit may cap it.
    let _ = socket.set_send_buffer_size(SEND_BUFFER);
    Ok(socket)
}

/// Lets links' own sockets take the same port; the system allows it to the same user alone.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn share_port(_: &Socket) -> io::Result<()> {
    Ok(())
}

fn is_about_a_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, Interrupted, TimedOut};
    matches!(
        error.kind(),
        ConnectionRefused | ConnectionReset | Interrupted | TimedOut
    )
}

/// Opens what `listen` asks for; with nothing asked, one port on every interface, IPv4 and IPv6.
pub(crate) fn open(listen: &[SocketAddr]) -> io::Result<Vec<SharedSocket>> {
    let mut sockets = Vec::new();
    let mut next_id = 0..;
    let mut bind = |addr| SharedSocket::bind(next_id.next().unwrap_or_default(), addr);
    if !listen.is_empty() {
        for addr in listen {
            sockets.push(bind(*addr)?);
        }
        return Ok(sockets);
    }
    let v4 = bind((Ipv4Addr::UNSPECIFIED, 0).into());
    let port = v4.as_ref().map_or(0, |socket| socket.bound.port());
    let v6 = bind((Ipv6Addr::UNSPECIFIED, port).into());
    match (v4, v6) {
        (Err(error), Err(_)) => Err(error),
        (v4, v6) => Ok(v4.into_iter().chain(v6).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interfaces::{dialable, interfaces};

    #[tokio::test]
    async fn nothing_asked_means_one_port_everywhere() {
        let sockets = open(&[]).unwrap();
        let ports: Vec<u16> = sockets.iter().map(|s| s.bound().port()).collect();
        assert!(ports.iter().all(|port| *port == ports[0]));
        let addrs = dialable(sockets.iter().map(SharedSocket::bound), &interfaces());
        assert!(!addrs.is_empty());
        assert!(addrs.iter().all(|addr| !addr.ip().is_unspecified()));
    }

    #[tokio::test]
    async fn what_was_asked_is_what_is_shown() {
        let sockets = open(&[([127, 0, 0, 1], 0).into()]).unwrap();
        assert_eq!(
            dialable(sockets.iter().map(SharedSocket::bound), &interfaces()),
            [sockets[0].bound()]
        );
        assert!(sockets[0].reaches(&([127, 0, 0, 1], 9).into()));
        assert!(!sockets[0].reaches(&([10, 0, 0, 1], 9).into()));
    }
}
