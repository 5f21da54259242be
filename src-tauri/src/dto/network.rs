//! The mesh around this device, for the map and for Diagnostics.

use std::time::Duration;

use peddlenet_mesh as mesh;
use serde::Serialize;

/// A code as a picture.
#[derive(Debug, Serialize)]
pub(crate) struct Drawn {
    pub(crate) svg: String,
}

/// What a joiner shows back.
#[derive(Debug, Serialize)]
pub(crate) struct Back {
    pub(crate) link: String,
    pub(crate) svg: String,
}

/// A room as a mesh.
#[derive(Debug, Serialize)]
pub(crate) struct NetworkMap {
    people: Vec<OnMap>,
    links: Vec<MapLink>,
    path: Option<Path>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OnMap {
    author: String,
    name: String,
    me: bool,
    state: &'static str,
    hops: Option<u8>,
    rtt_ms: Option<f64>,
    loss_percent: Option<u8>,
    via: Option<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MapLink {
    a: String,
    b: String,
    rtt_ms: Option<f64>,
    loss_percent: Option<u8>,
    via: Option<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Path {
    message: String,
    author: String,
    by: Option<String>,
    hops: u8,
    time_ms: u64,
}

/// Why things are as they are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Diagnostics {
    up_s: u64,
    tasks: usize,
    lan: &'static str,
    near: usize,
    addresses: Vec<String>,
    servers: Vec<Server>,
    apart: bool,
    attempts: Vec<Attempts>,
    failures: Vec<Failure>,
    links: Vec<Link>,
    delivery: Delivery,
    counters: Vec<(String, u64)>,
}

/// A rendezvous server in use.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Server {
    url: String,
    r#box: bool,
    why_not: Option<String>,
    seen_as: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Attempts {
    via: &'static str,
    tried: u64,
    opened: u64,
    beaten: u64,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    via: &'static str,
    reason: &'static str,
    took_ms: f64,
    at_ms: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    peer: u64,
    via: &'static str,
    names: Vec<String>,
    rtt_ms: Option<f64>,
    loss_percent: Option<u8>,
    up_s: u64,
    bytes_in: u64,
    bytes_out: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Delivery {
    sent: u64,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
}

fn ms(span: Option<Duration>) -> Option<f64> {
    span.map(|span| span.as_secs_f64() * 1000.0)
}

impl From<mesh::NetworkMap> for NetworkMap {
    fn from(map: mesh::NetworkMap) -> Self {
        let person = |p: mesh::OnMap| OnMap {
            author: p.author.to_string(),
            name: p.name,
            me: p.me,
            state: p.state.as_str(),
            hops: p.hops,
            rtt_ms: ms(p.rtt),
            loss_percent: p.loss_percent,
            via: p.via,
        };
        let link = |l: mesh::MapLink| MapLink {
            a: l.a.to_string(),
            b: l.b.to_string(),
            rtt_ms: ms(l.rtt),
            loss_percent: l.loss_percent,
            via: l.via,
        };
        let path = map.path.map(|path| Path {
            message: path.message.to_string(),
            author: path.author.to_string(),
            by: path.by.map(|by| by.to_string()),
            hops: path.hops,
            time_ms: path.at.0,
        });
        Self {
            people: map.people.into_iter().map(person).collect(),
            links: map.links.into_iter().map(link).collect(),
            path,
        }
    }
}

impl Diagnostics {
    pub(crate) fn new(found: mesh::Diagnostics) -> Self {
        let device = &found.device;
        let server = |s: mesh::ServerState| Server {
            url: s.url,
            r#box: s.is_box,
            why_not: s.why_not,
            seen_as: s.seen_as.map(|addr| addr.to_string()),
        };
        let attempts = |a: mesh::Attempts| Attempts {
            via: a.via,
            tried: a.tried,
            opened: a.opened,
            beaten: a.beaten,
            p50_ms: ms(a.p50),
            p95_ms: ms(a.p95),
        };
        let failure = |f: mesh::Failure| Failure {
            via: f.via,
            reason: f.reason.as_str(),
            took_ms: f.took.as_secs_f64() * 1000.0,
            at_ms: f.at.0,
        };
        let link = |(info, names, up): (mesh::LinkInfo, Vec<String>, Duration)| Link {
            peer: info.peer,
            via: info.via,
            names,
            rtt_ms: ms(info.rtt),
            loss_percent: info.loss_percent,
            up_s: up.as_secs(),
            bytes_in: info.bytes_in,
            bytes_out: info.bytes_out,
        };
        let single = device.rows(&found.engine).into_iter();
        let single = single.map(|(name, count)| (name.to_owned(), count));
        let grouped = device.groups().into_iter().flat_map(|(group, counts)| {
            let named = move |(name, count)| (format!("{group}.{name}"), count);
            counts.into_iter().map(named)
        });
        Self {
            up_s: found.up.as_secs(),
            tasks: found.tasks,
            lan: found.lan.as_str(),
            near: found.near,
            addresses: found.addresses.iter().map(ToString::to_string).collect(),
            servers: found.servers.into_iter().map(server).collect(),
            apart: found.apart,
            attempts: found.attempts.into_iter().map(attempts).collect(),
            failures: found.failures.into_iter().map(failure).collect(),
            links: found.links.into_iter().map(link).collect(),
            delivery: Delivery {
                sent: found.delivery.sent,
                p50_ms: ms(found.delivery.p50),
                p95_ms: ms(found.delivery.p95),
            },
            counters: single.chain(grouped).collect(),
        }
    }
}
