//! Routes and life of the server: `/v1` is the WebSocket, `/healthz` says that it lives, `/` shows figures.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use crate::Limits;
use crate::box_key::BoxKey;
use crate::connection;
use crate::counts::Counts;
use crate::exchange::{self, BadUrl, Exchange, Plan};
use crate::figures::Figures;
use crate::frames::{Refusal, Reply};
use crate::gate::{Gate, forwarded_for};
use crate::hub::Hub;
use crate::listener::CappedListener;
use crate::parcels::{BackupError, Parcels};
use crate::serving::{From, Serving};
use crate::tls::Tls;
use crate::turn::{Offer, UdpConfig, Ways};

/// Where the binary listens when it isn't told: every interface, port 8787.
pub const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8787);

/// Connections to `/metrics` at a time.
const METRICS_SOCKETS: usize = 8;

/// A server that holds its port and answers once [`Server::run`] is awaited.
pub struct Server {
    listener: TcpListener,
    ways: Option<Ways>,
    tls: Option<Arc<Tls>>,
    behind_proxy: bool,
    metrics: Option<TcpListener>,
    parcels: Option<Arc<Parcels>>,
    exchange: Option<(Exchange, Plan)>,
    limits: Limits,
}

impl Server {
    /// Takes the port; 0 takes a free one.
    ///
    /// # Errors
    /// The address can't be listened on.
    pub async fn bind(listen: SocketAddr, limits: Limits) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        Ok(Self {
            listener,
            ways: None,
            tls: None,
            behind_proxy: false,
            metrics: None,
            parcels: None,
            exchange: None,
            limits,
        })
    }

    /// Offers the sealed backup, which keeps its parcels in a folder. Blocks while it opens.
    ///
    /// # Errors
    /// The folder can't be used, or another process has it.
    pub fn with_backup(mut self, folder: &Path) -> Result<Self, BackupError> {
        self.parcels = Some(Arc::new(Parcels::open(folder, &self.limits.parcels)?));
        Ok(self)
    }

    /// Offers the same as a carrier box: what comes with one of its passes is kept beside the open pool. Makes the box's key where
    /// there is none, and returns its public half. Blocks.
    ///
    /// # Errors
    /// As [`Server::with_backup`], and there is no key to be had.
    pub fn with_box(mut self, folder: &Path) -> Result<(Self, [u8; 32]), BackupError> {
        let parcels = Parcels::open(folder, &self.limits.parcels)?;
        let key = BoxKey::open(folder)?;
        let public = key.public();
        self.parcels = Some(Arc::new(parcels.with_key(key)));
        Ok((self, public))
    }

    /// Makes this process one of several that have a Redis between them. All must be given the same secret, from which
    /// Redis' names for tags are made, or none.
    ///
    /// # Errors
    /// The URL is not one. A Redis that isn't there is no error: it is looked for all the time.
    pub fn with_redis(mut self, url: &str, secret: Option<&[u8]>) -> Result<Self, BadUrl> {
        self.exchange = Some(exchange::plan(url, secret, &self.limits)?);
        Ok(self)
    }

    /// Speaks TLS, `wss://`.
    #[must_use]
    pub fn with_tls(mut self, tls: Arc<Tls>) -> Self {
        self.tls = Some(tls);
        self
    }

    /// All connections are a proxy's, and the last address in X-Forwarded-For is the device's. Only right where
    /// nobody else can connect, for everybody can write that header.
    #[must_use]
    pub fn behind_proxy(mut self) -> Self {
        self.behind_proxy = true;
        self
    }

    /// Offers `/metrics` on an address of its own, in plain HTTP. It is for the operator: the public should not reach it.
    ///
    /// # Errors
    /// The address can't be listened on.
    pub async fn with_metrics(mut self, listen: SocketAddr) -> io::Result<Self> {
        self.metrics = Some(TcpListener::bind(listen).await?);
        Ok(self)
    }

    /// Where `/metrics` is, if anywhere.
    #[must_use]
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics.as_ref()?.local_addr().ok()
    }

    /// Offers STUN, and TURN where the configuration allows, on a UDP port that is taken now.
    ///
    /// # Errors
    /// The address can't be listened on. The server comes back, for whoever goes on without.
    pub async fn with_udp(mut self, config: UdpConfig) -> Result<Self, (Self, io::Error)> {
        match Ways::bind(config, &self.limits.turn).await {
            Ok(ways) => {
                self.ways = Some(ways);
                Ok(self)
            }
            Err(error) => Err((self, error)),
        }
    }

    /// The UDP address taken, if there is one.
    #[must_use]
    pub fn udp_addr(&self) -> Option<SocketAddr> {
        self.ways.as_ref().map(Ways::local)
    }

    /// Whether relays are handed out.
    #[must_use]
    pub fn relays(&self) -> bool {
        self.ways.as_ref().is_some_and(Ways::relays)
    }

    /// The address taken.
    ///
    /// # Errors
    /// The operating system doesn't say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown` is done. Then nothing is accepted any more, every device is told goodbye within
    /// [`Limits::drain`], and what serves them ends last.
    ///
    /// # Errors
    /// None today.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let (drain, draining) = watch::channel(false);
        let (close, closing) = watch::channel(false);
        // A permit each; the count must fit what is asked back at the end.
        let devices = u32::try_from(self.limits.connections).unwrap_or(u32::MAX);
        let places = Arc::new(Semaphore::new(devices as usize));
        let sockets = self
            .limits
            .connections
            .saturating_add(self.limits.spare_sockets);
        let farewell = self.limits.drain.saturating_add(self.limits.write);
        let (mut udp, mut traffic) = (None, None);
        let offer = match self.ways {
            Some(ways) => {
                let offer = ways.offer();
                traffic = Some(ways.figures());
                udp = Some(tokio::spawn(ways.run(closing.clone())));
                offer
            }
            None => Arc::new(Offer::nothing(&self.limits.turn)),
        };
        let gate = Arc::new(Gate::new(&self.limits));
        let counts = Counts::default();
        let deadline = self.limits.request;
        let mut hub = Hub::new(&self.limits);
        let plan = self.exchange.map(|(exchange, plan)| {
            hub.join_others(exchange);
            plan
        });
        let hub = Arc::new(hub);
        // Until every device has left, so that the others hear what goes on and who is gone.
        let exchanging =
            plan.map(|plan| tokio::spawn(exchange::run(plan, Arc::clone(&hub), closing.clone())));
        let figures = Arc::new(Figures::new(
            Arc::clone(&hub),
            counts.clone(),
            self.parcels.as_deref().map(Parcels::stock),
            traffic,
        ));
        tokio::spawn(Arc::clone(&figures).note_hours(closing.clone()));
        let shared = Shared {
            hub,
            offer,
            parcels: self.parcels.clone(),
            counts: counts.clone(),
            places: Arc::clone(&places),
            gate: Arc::clone(&gate),
            behind_proxy: self.behind_proxy,
            limits: Arc::new(self.limits),
            draining: draining.clone(),
        };
        let router = Router::new()
            .route("/v1", get(upgrade))
            .route("/healthz", get(|| async { "ok\n" }))
            .with_state(shared)
            .merge(figures.status());
        let serving = Serving {
            router,
            tls: self.tls,
            gate: (!self.behind_proxy).then_some(gate),
            counts,
            deadline,
        };
        if let Some(listener) = self.metrics {
            let serving = Serving {
                router: figures.metrics(),
                tls: None,
                gate: None,
                ..serving.clone()
            };
            let listener = CappedListener::new(listener, METRICS_SOCKETS);
            tokio::spawn(serving.accept(listener, closing));
        }
        let listener = CappedListener::new(self.listener, sockets);
        let accepting = tokio::spawn(serving.accept(listener, draining));
        shutdown.await;
        let _ = drain.send(true);
        // Ends at once, and the port is free.
        let _ = timeout(farewell, accepting).await;
        // All places are free again once every device has heard it, or can't be told.
        let _ = timeout(farewell, places.acquire_many(devices)).await;
        let _ = close.send(true);
        for task in [udp, exchanging].into_iter().flatten() {
            let _ = timeout(farewell, task).await;
        }
        if let Some(parcels) = self.parcels {
            let closed = tokio::task::spawn_blocking(move || parcels.close());
            let _ = timeout(farewell, closed).await;
        }
        Ok(())
    }
}

#[derive(Clone)]
struct Shared {
    hub: Arc<Hub>,
    offer: Arc<Offer>,
    parcels: Option<Arc<Parcels>>,
    counts: Counts,
    limits: Arc<Limits>,
    /// One for each device that may be connected.
    places: Arc<Semaphore>,
    gate: Arc<Gate>,
    behind_proxy: bool,
    draining: watch::Receiver<bool>,
}

impl Shared {
    /// A refusal before there is a WebSocket.
    fn refuse(&self, status: StatusCode, refusal: Refusal) -> Response {
        self.counts.refused(refusal.code());
        let json = [(header::CONTENT_TYPE, "application/json")];
        (status, json, Reply::Error(refusal).to_json()).into_response()
    }
}

async fn upgrade(
    upgrade: WebSocketUpgrade,
    State(shared): State<Shared>,
    Extension(From(peer)): Extension<From>,
    headers: HeaderMap,
) -> Response {
    let proxied = shared
        .behind_proxy
        .then(|| forwarded_for(&headers))
        .flatten();
    let from = proxied.unwrap_or(peer);
    let Some(pass) = shared.gate.device(from, shared.behind_proxy) else {
        return shared.refuse(StatusCode::TOO_MANY_REQUESTS, Refusal::AddressFull);
    };
    let Ok(place) = Arc::clone(&shared.places).try_acquire_owned() else {
        return shared.refuse(StatusCode::SERVICE_UNAVAILABLE, Refusal::ServerFull);
    };
    // Up to twice the limit is read, so that it can be answered with a plain error.
    let most = shared.limits.message_bytes.saturating_mul(2);
    upgrade
        .max_message_size(most)
        .max_frame_size(most)
        // Its default of 128 KiB is filled with zeros at every read, and stays with each connection.
        .read_buffer_size(shared.limits.read_buffer)
        .write_buffer_size(0)
        .on_upgrade(async move |socket| {
            let Shared {
                hub,
                offer,
                parcels,
                counts,
                limits,
                draining,
                ..
            } = shared;
            connection::serve(socket, hub, offer, parcels, counts, limits, draining).await;
            drop((place, pass));
        })
}
