//! The mesh around this node, as JSON: `map`, and what `stats` says beside its counters.

use std::time::Duration;

use peddlenet_mesh::{
    Attempts, AuthorId, Delivery, Diagnostics, Failure, LinkInfo, MapLink, NetworkMap, OnMap,
    ServerState,
};
use serde_json::{Map, Value, json};

fn ms(span: Option<Duration>) -> Value {
    span.map_or(Value::Null, |span| json!(span.as_secs_f64() * 1000.0))
}

pub(crate) fn diagnostics(found: &Diagnostics) -> Map<String, Value> {
    let attempts = |a: &Attempts| {
        json!({
            "via": a.via,
            "tried": a.tried,
            "opened": a.opened,
            "beaten": a.beaten,
            "p50_ms": ms(a.p50),
            "p95_ms": ms(a.p95),
        })
    };
    let server = |s: &ServerState| {
        json!({
            "url": s.url,
            "box": s.is_box,
            "up": s.why_not.is_none(),
            "why_not": s.why_not,
            "seen_as": s.seen_as.map(|addr| addr.to_string()),
        })
    };
    let failure = |f: &Failure| json!({"via": f.via, "reason": f.reason.as_str(), "took_ms": ms(Some(f.took)), "at_ms": f.at.0});
    let link = |(info, names, up): &(LinkInfo, Vec<String>, Duration)| {
        json!({
            "peer": info.peer,
            "via": info.via,
            "names": names,
            "rtt_ms": ms(info.rtt),
            "loss_percent": info.loss_percent,
            "up_s": up.as_secs(),
            "bytes_in": info.bytes_in,
            "bytes_out": info.bytes_out,
        })
    };
    let addresses = found.addresses.iter().map(ToString::to_string);
    let Delivery { sent, p50, p95 } = found.delivery;
    let fields = [
        ("up_s", json!(found.up.as_secs())),
        ("lan", json!(found.lan.as_str())),
        ("near", json!(found.near)),
        ("tasks", json!(found.tasks)),
        ("addresses", addresses.collect()),
        ("links", found.links.iter().map(link).collect()),
        ("apart", json!(found.apart)),
        ("servers", found.servers.iter().map(server).collect()),
        ("attempts", found.attempts.iter().map(attempts).collect()),
        ("failures", found.failures.iter().map(failure).collect()),
        (
            "delivery",
            json!({"sent": sent, "p50_ms": ms(p50), "p95_ms": ms(p95)}),
        ),
    ];
    fields
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

pub(crate) fn map(map: &NetworkMap) -> Value {
    let person = |p: &OnMap| {
        json!({
            "author": p.author.to_string(),
            "name": p.name,
            "me": p.me,
            "state": p.state.as_str(),
            "hops": p.hops,
            "rtt_ms": ms(p.rtt),
            "loss_percent": p.loss_percent,
            "via": p.via,
        })
    };
    let link = |l: &MapLink| {
        json!({
            "a": l.a.to_string(),
            "b": l.b.to_string(),
            "rtt_ms": ms(l.rtt),
            "loss_percent": l.loss_percent,
            "via": l.via,
        })
    };
    let path = map.path.map(|path| {
        json!({
            "message": path.message.to_string(),
            "author": path.author.to_string(),
            "by": path.by.as_ref().map(AuthorId::to_string),
            "hops": path.hops,
            "at_ms": path.at.0,
        })
    });
    json!({
        "people": map.people.iter().map(person).collect::<Vec<_>>(),
        "links": map.links.iter().map(link).collect::<Vec<_>>(),
        "path": path,
    })
}
