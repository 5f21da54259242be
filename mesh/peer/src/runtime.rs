//! Tokio for `webrtc`, with a session in place of sockets.
//!
//! `webrtc` opens its own sockets; it only lets a custom [`Runtime`] wrap them. So each connection
//! is told to bind a throwaway loopback port, and [`SessionRuntime`] drops that socket and hands
//! over the session instead. The ICE agent believes that it sits on the throwaway address, which
//! never reaches the wire.

use crate::session::{Session, Task, lock};
use quinn_udp::{RecvMeta, Transmit};
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime,
};

impl AsyncUdpSocket for SessionSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let session = &self.session;
        let path = session.route(transmit);
        let real = Transmit {
            destination: path.remote,
            ecn: transmit.ecn,
            contents: transmit.contents,
            segment_size: transmit.segment_size,
            src_ip: path.local,
        };
        let mut blocked = lock(&session.blocked);
        loop {
            if let Some(writable) = blocked.as_mut() {
                match writable.as_mut().poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(_) => *blocked = None,
                }
            }
            let Some(socket) = session.socket_to(&path.remote) else {
                return Poll::Ready(Ok(transmit.contents.len()));
            };
            match socket.try_send(&real) {
                Ok(()) => return Poll::Ready(Ok(transmit.contents.len())),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let socket = Arc::clone(socket);
                    *blocked = Some(Box::pin(async move { socket.writable().await }));
                }
                // A datagram is lost, as datagrams are: an unreachable network must not end the
                // driver, ICE and SCTP have their own ideas of when to give up.
                Err(error) => {
                    tracing::trace!(session = session.id, %error, "datagram not sent");
                    return Poll::Ready(Ok(transmit.contents.len()));
                }
            }
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut inbox = lock(&self.session.inbox);
        let Some((bytes, from)) = self.session.next_datagram(&mut inbox) else {
            let waker = cx.waker();
            if !inbox
                .waker
                .as_ref()
                .is_some_and(|known| known.will_wake(waker))
            {
                inbox.waker = Some(waker.clone());
            }
            return Poll::Pending;
        };
        let (Some(buf), Some(meta)) = (bufs.first_mut(), meta.first_mut()) else {
            return Poll::Ready(Ok(0));
        };
        let len = bytes.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..len), bytes.get(..len)) {
            to.copy_from_slice(from);
        }
        *meta = RecvMeta::default();
        meta.addr = from;
        meta.len = len;
        meta.stride = len.max(1);
        Poll::Ready(Ok(1))
    }

    fn max_gso_segments(&self) -> usize {
        let sockets = self.session.sockets.iter();
        let segments = sockets.map(|socket| socket.max_gso_segments());
        segments.min().unwrap_or(1)
    }
}

/// What a driver takes for its socket.
#[derive(Debug)]
struct SessionSocket {
    session: Arc<Session>,
    local: SocketAddr,
}

/// Tokio, with the session in place of sockets.
#[derive(Debug)]
pub(crate) struct SessionRuntime(pub(crate) Arc<Session>);

impl Runtime for SessionRuntime {
    fn spawn(&self, future: Task<()>) -> Box<dyn JoinHandle> {
        Box::new(Handle(tokio::spawn(future)))
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let local = socket.local_addr()?;
        drop(socket);
        let session = Arc::clone(&self.0);
        Ok(Arc::new(SessionSocket { session, local }))
    }

    fn wrap_tcp_listener(&self, _: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn connect_tcp<'a>(
        &'a self,
        _: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = io::Result<Arc<dyn AsyncTcpStream>>> + Send + 'a>> {
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }

    fn resolve_host<'a>(
        &'a self,
        _: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>> {
        // Links are dialled by address: a name would be looked up where others can see it.
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }

    fn sleep(&self, duration: Duration) -> Task<()> {
        Box::pin(tokio::time::sleep(self.0.rest(duration)))
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        Box::new(Interval(tokio::time::interval(period)))
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        tokio::runtime::Handle::current().block_on(future);
    }

    fn name(&self) -> &'static str {
        "peddlenet"
    }
}

struct Handle(tokio::task::JoinHandle<()>);

impl JoinHandle for Handle {
    // Dropping a tokio handle detaches its task.
    fn detach(&self) {}

    fn abort(&self) {
        self.0.abort();
    }

    fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

struct Interval(tokio::time::Interval);

impl AsyncInterval for Interval {
    fn tick(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            self.0.tick().await;
        })
    }
}
