//! From a TCP connection to one HTTP request and its answer, or to a WebSocket. All of that has one deadline.
//!
//! `axum::serve` has none: whoever connects and says nothing would be waited for.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::counts::Counts;
use crate::gate::Gate;
use crate::listener::{CappedListener, Placed};
use crate::tls::Tls;

/// Headers of one request: a browser's with its cookies have about 2 KiB.
const HEADER_BYTES: usize = 16 * 1024;

/// Lines of headers.
const HEADERS: usize = 64;

/// The address that a request's TCP connection comes from.
#[derive(Clone, Copy)]
pub(crate) struct From(pub(crate) IpAddr);

/// What each connection is served with.
#[derive(Clone)]
pub(crate) struct Serving {
    pub(crate) router: Router,
    pub(crate) tls: Option<Arc<Tls>>,
    /// Counts sockets, unless they are all a proxy's.
    pub(crate) gate: Option<Arc<Gate>>,
    pub(crate) counts: Counts,
    /// From the connection to the end of the answer, or to the WebSocket.
    pub(crate) deadline: Duration,
}

impl Serving {
    /// Accepts until the server closes; what was accepted goes on.
    pub(crate) async fn accept(self, listener: CappedListener, mut closing: watch::Receiver<bool>) {
        loop {
            let (stream, from) = tokio::select! {
                _ = closing.wait_for(|closing| *closing) => return,
                accepted = listener.accept() => accepted,
            };
            let pass = match &self.gate {
                Some(gate) => match gate.socket(from.ip()) {
                    Some(pass) => Some(pass),
                    None => {
                        // Saying no would cost more than they pay.
                        self.counts.turned_away.inc();
                        continue;
                    }
                },
                None => None,
            };
            let serving = self.clone();
            tokio::spawn(async move {
                let stream = stream.with(pass);
                let deadline = serving.deadline;
                if timeout(deadline, serving.serve(stream, from.ip()))
                    .await
                    .is_err()
                {
                    tracing::debug!("a connection asked nothing in time");
                }
            });
        }
    }

    async fn serve(self, stream: Placed, from: IpAddr) {
        match &self.tls {
            None => self.answer(stream, from).await,
            Some(tls) => {
                if let Ok(stream) = tls.acceptor().accept(stream).await {
                    self.answer(stream, from).await;
                }
            }
        }
    }

    async fn answer<S>(&self, stream: S, from: IpAddr)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let router = TowerToHyperService::new(self.router.clone());
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(From(from));
            let answer = router.call(request);
            async move {
                let mut answer = answer.await?;
                // One request a connection: with more, one that never comes would have to be waited for as well.
                if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
                    let close = HeaderValue::from_static("close");
                    answer.headers_mut().insert(header::CONNECTION, close);
                }
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.deadline)
            .max_buf_size(HEADER_BYTES)
            .max_headers(HEADERS)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        // What breaks here is the other side's, and it is gone.
        let _ = connection.await;
    }
}
