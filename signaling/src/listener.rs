//! A TCP listener with a fixed number of places; without one free, strangers wait in the kernel's queue.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

use crate::gate::Pass;

/// How long accepting rests after an error of ours, such as too many open files.
const REST: Duration = Duration::from_millis(200);

/// Accepts while fewer than `places` of its streams are alive.
pub(crate) struct CappedListener {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

impl CappedListener {
    pub(crate) fn new(listener: TcpListener, places: usize) -> Self {
        Self {
            listener,
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// The next stream. May be dropped halfway and called again.
    pub(crate) async fn accept(&self) -> (Placed, SocketAddr) {
        // The semaphore is never closed; if it were, nothing would be accepted any more.
        let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
            return std::future::pending().await;
        };
        let (stream, address) = loop {
            match self.listener.accept().await {
                Ok(accepted) => break accepted,
                Err(error) if is_theirs(&error) => {}
                Err(_) => sleep(REST).await,
            }
        };
        // Requests and answers are small and wait for each other.
        let _ = stream.set_nodelay(true);
        let placed = Placed {
            stream,
            _place: place,
            _pass: None,
        };
        (placed, address)
    }
}

/// The other side was gone before it was accepted.
fn is_theirs(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

/// A stream that gives its place back when it is dropped, also after it became a WebSocket.
pub(crate) struct Placed {
    stream: TcpStream,
    _place: OwnedSemaphorePermit,
    _pass: Option<Pass>,
}

impl Placed {
    /// Together with its place among those of its address.
    pub(crate) fn with(self, pass: Option<Pass>) -> Self {
        Self {
            _pass: pass,
            ..self
        }
    }
}

impl AsyncRead for Placed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Placed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
