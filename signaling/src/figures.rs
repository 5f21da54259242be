//! The figures that the operator and the public see: `/metrics` on a port of its own, and the status page at `/`.

use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::sync::watch;
use tokio::time::interval;

use crate::counts::{Counts, Stock};
use crate::hours::{Hours, Totals};
use crate::hub::Hub;
use crate::turn::{Relays, Traffic, unix_now};

/// How often the counts by hour are brought up to date while nobody looks.
const NOTED_EVERY: Duration = Duration::from_secs(60);

/// Nothing but our own style sheet: no script, no picture, no frame, no form.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE: &str = include_str!("status.html");
const STYLE: &str = include_str!("status.css");

/// Everything that is counted.
pub(crate) struct Figures {
    hub: Arc<Hub>,
    counts: Counts,
    udp: Option<(Traffic, Relays)>,
    hours: Mutex<Hours>,
    registry: Registry,
    tags: Gauge,
    relays: Gauge,
}

impl Figures {
    pub(crate) fn new(
        hub: Arc<Hub>,
        counts: Counts,
        stock: Option<&Stock>,
        udp: Option<(Traffic, Relays)>,
    ) -> Self {
        let mut registry = Registry::with_prefix("peddlenet_signaling");
        counts.register(&mut registry);
        if let Some(stock) = stock {
            stock.register(&mut registry);
        }
        let [tags, relays] = [Gauge::default(), Gauge::default()];
        registry.register("tags", "Tags that somebody holds now", tags.clone());
        if let Some((traffic, _)) = &udp {
            traffic.register(&mut registry);
            registry.register("turn_relays_now", "Relays that there are", relays.clone());
        }
        Self {
            hub,
            counts,
            udp,
            hours: Mutex::default(),
            registry,
            tags,
            relays,
        }
    }

    /// `/` and its style, for the public port.
    pub(crate) fn status(self: &Arc<Self>) -> Router {
        let css = [(header::CONTENT_TYPE, "text/css")];
        Router::new()
            .route("/", get(page))
            .route("/status.css", get(move || async move { (css, STYLE) }))
            .with_state(Arc::clone(self))
    }

    /// `/metrics`, for a port that the public doesn't reach.
    pub(crate) fn metrics(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/metrics", get(metrics))
            .with_state(Arc::clone(self))
    }

    /// Keeps the counts by hour until the server closes.
    pub(crate) async fn note_hours(self: Arc<Self>, mut closing: watch::Receiver<bool>) {
        let mut noted = interval(NOTED_EVERY);
        loop {
            tokio::select! {
                _ = closing.wait_for(|closing| *closing) => return,
                _ = noted.tick() => self.note(unix_now()),
            }
        }
    }

    fn note(&self, now: u64) {
        let relays = self.udp.as_ref().map(|(traffic, _)| traffic.relays.get());
        let totals = Totals {
            devices: u64::try_from(self.counts.devices.get()).unwrap_or(0),
            arrivals: self.counts.arrivals.get(),
            messages: self.counts.messages.get(),
            relays: relays.unwrap_or(0),
        };
        self.hours().note(now, totals);
    }

    fn relays_now(&self) -> usize {
        self.udp.as_ref().map_or(0, |(_, relays)| relays.count())
    }

    fn hours(&self) -> MutexGuard<'_, Hours> {
        self.hours.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Numbers only, so nothing needs to be escaped.
    fn page(&self, now: u64) -> String {
        self.note(now);
        let mut rows = String::new();
        for hour in self.hours().recent(now) {
            let _ = writeln!(
                rows,
                "<tr><td>{:02}:00</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                hour.number % 24,
                hour.devices,
                hour.arrivals,
                hour.messages,
                hour.relays
            );
        }
        PAGE.replace("{devices}", &self.counts.devices.get().to_string())
            .replace("{tags}", &self.hub.tag_count().to_string())
            .replace("{relays}", &self.relays_now().to_string())
            .replace("{hours}", &rows)
    }
}

async fn page(State(figures): State<Arc<Figures>>) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, Html(figures.page(unix_now()))).into_response()
}

async fn metrics(State(figures): State<Arc<Figures>>) -> Response {
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    figures.tags.set(count(figures.hub.tag_count()));
    figures.relays.set(count(figures.relays_now()));
    let mut written = String::new();
    if text::encode(&mut written, &figures.registry).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let format = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, format)], written).into_response()
}
