//! Routes and life of the server: `/v1` is the WebSocket, `/healthz` says that it lives.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use crate::Limits;
use crate::connection;
use crate::exchange::{self, BadUrl, Exchange, Plan};
use crate::frames::{Refusal, Reply};
use crate::hub::Hub;
use crate::listener::CappedListener;
use crate::parcels::{BackupError, Parcels};

/// Where the binary listens when it isn't told: every interface, port 8787.
pub const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8787);

/// A server that holds its port and answers once [`Server::run`] is awaited.
pub struct Server {
    listener: TcpListener,
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

    /// Makes this process one of several that have a Redis between them. All must be given the same secret, from which
    /// Redis' names for tags are made, or none.
    ///
    /// # Errors
    /// The URL is not one. A Redis that isn't there is no error: it is looked for all the time.
    pub fn with_redis(mut self, url: &str, secret: Option<&[u8]>) -> Result<Self, BadUrl> {
        self.exchange = Some(exchange::plan(url, secret, &self.limits)?);
        Ok(self)
    }

    /// The address taken.
    ///
    /// # Errors
    /// The operating system doesn't say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown` is done; then every device is told goodbye.
    ///
    /// # Errors
    /// The listener broke.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let (close, closing) = watch::channel(false);
        // A permit each; the count must fit what is asked back at the end.
        let devices = u32::try_from(self.limits.connections).unwrap_or(u32::MAX);
        let places = Arc::new(Semaphore::new(devices as usize));
        let sockets = self
            .limits
            .connections
            .saturating_add(self.limits.spare_sockets);
        let farewell = self.limits.write;
        let mut hub = Hub::new(&self.limits);
        let plan = self.exchange.map(|(exchange, plan)| {
            hub.join_others(exchange);
            plan
        });
        let hub = Arc::new(hub);
        let exchanging =
            plan.map(|plan| tokio::spawn(exchange::run(plan, Arc::clone(&hub), closing.clone())));
        let shared = Shared {
            hub,
            parcels: self.parcels.clone(),
            places: Arc::clone(&places),
            limits: Arc::new(self.limits),
            closing,
        };
        let router = Router::new()
            .route("/v1", get(upgrade))
            .route("/healthz", get(|| async { "ok\n" }))
            .with_state(shared);
        axum::serve(CappedListener::new(self.listener, sockets), router)
            .with_graceful_shutdown(async move {
                shutdown.await;
                let _ = close.send(true);
            })
            .await?;
        // All places are free again once every device has heard it, or can't be told.
        let _ = timeout(farewell, places.acquire_many(devices)).await;
        if let Some(exchanging) = exchanging {
            let _ = timeout(farewell, exchanging).await;
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
    parcels: Option<Arc<Parcels>>,
    limits: Arc<Limits>,
    /// One for each device that may be connected.
    places: Arc<Semaphore>,
    closing: watch::Receiver<bool>,
}

async fn upgrade(upgrade: WebSocketUpgrade, State(shared): State<Shared>) -> Response {
    let Ok(place) = Arc::clone(&shared.places).try_acquire_owned() else {
        let json = [(header::CONTENT_TYPE, "application/json")];
        let refusal = Reply::Error(Refusal::ServerFull).to_json();
        return (StatusCode::SERVICE_UNAVAILABLE, json, refusal).into_response();
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
                parcels,
                limits,
                closing,
                ..
            } = shared;
            connection::serve(socket, hub, parcels, limits, closing).await;
            drop(place);
        })
}
