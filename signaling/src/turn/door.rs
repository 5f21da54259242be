//! The UDP socket that devices talk to.

use std::any::Any;
use std::io;
use std::net::{IpAddr, SocketAddr};

use async_trait::async_trait;
use tokio::net::UdpSocket;
use webrtc_util::Conn;

use super::relayed::unconnected;

/// The one socket of STUN and TURN. Addresses are IPv4 where they are IPv4 on the wire, also when the socket is bound to `[::]`.
pub(super) struct Door {
    socket: UdpSocket,
    local: SocketAddr,
}

impl Door {
    pub(super) async fn bind(listen: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(listen).await?;
        let local = socket.local_addr()?;
        Ok(Self { socket, local })
    }

    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    /// The next datagram: its length and sender.
    pub(super) async fn next(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (length, from) = self.socket.recv_from(buf).await?;
        Ok((
            length,
            SocketAddr::new(from.ip().to_canonical(), from.port()),
        ))
    }

    /// Never waits: where the network is busy, a datagram is lost.
    pub(super) fn send_or_drop(&self, datagram: &[u8], to: SocketAddr) {
        let to = match (self.local.ip(), to.ip()) {
            (IpAddr::V6(_), IpAddr::V4(ip)) => {
                SocketAddr::new(ip.to_ipv6_mapped().into(), to.port())
            }
            _ => to,
        };
        let _ = self.socket.try_send_to(datagram, to);
    }
}

/// How the crate's allocations send to their device. They share it, so none of them may close it.
#[async_trait]
impl Conn for Door {
    async fn send_to(&self, buf: &[u8], target: SocketAddr) -> webrtc_util::Result<usize> {
        self.send_or_drop(buf, target);
        Ok(buf.len())
    }

    fn local_addr(&self) -> webrtc_util::Result<SocketAddr> {
        Ok(self.local)
    }

    async fn close(&self) -> webrtc_util::Result<()> {
        Ok(())
    }

    async fn connect(&self, _: SocketAddr) -> webrtc_util::Result<()> {
        Err(unconnected())
    }

    async fn recv(&self, _: &mut [u8]) -> webrtc_util::Result<usize> {
        Err(unconnected())
    }

    async fn recv_from(&self, _: &mut [u8]) -> webrtc_util::Result<(usize, SocketAddr)> {
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
