//! `bench signaling`: ten thousand devices that keep quiet, some that talk, and one rendezvous server, or two with
//! Redis between them.
//!
//! ```text
//!  this process                                         peddlenet-signaling, the release binary
//!   idle: N sockets, in pairs on a tag, pinged  ──────>  one process, or two of them, half of the crowd on each
//!   talk: PAIRS senders ── PER_SECOND each ─────────────>  relayed (by Redis where two are) ──> receivers here
//!   probe: a plain TCP echo within this process, at the same time: what the machine and this program cost
//!   half-open: HALF_OPEN sockets that send half a request and wait for the end
//! ```
//!
//! A latency is the time from before a message is sent until it was received and parsed here, both on one clock. The
//! figures of latency are medians over WINDOWS windows. Memory is the server's (RSS and PSS, summed over processes),
//! after everybody has connected and again under load; of a connection, what came since the start. All sockets are on
//! loopback, from many addresses, so that limits per address don't bite.

mod crowd;
mod server;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use peddlenet_signaling::{Limits, make_room_for};
use serde_json::{Value, json};

use self::crowd::{Idle, Places, Talk};
use self::server::{Memory, Redis, serve};
use crate::server_process::ServerProcess;

/// Idle connections where nothing else is asked.
pub const CONNECTIONS: usize = 10_000;
/// Devices that talk to one each.
const PAIRS: usize = 200;
/// Messages a second of each: 1,000 in all.
const PER_SECOND: u32 = 5;
const WINDOWS: usize = 5;
const WINDOW: Duration = Duration::from_secs(4);
/// Before the first window.
const WARM_UP: Duration = Duration::from_secs(2);
/// Connections that send half a request.
const HALF_OPEN: usize = 500;
/// How long they are waited for.
const HALF_OPEN_PATIENCE: Duration = Duration::from_secs(60);

/// Measures one process, then two with Redis between them; a row for each.
///
/// # Errors
/// A server can't be started, or a connection is refused or lost.
pub fn run(connections: usize) -> Result<Vec<Value>> {
    ensure!(connections >= 2, "at least two connections");
    // Both ends of each connection need a file; the servers see to theirs.
    if let Some(room) = make_room_for(&Limits::default()) {
        ensure!(
            room > connections + 2 * PAIRS + HALF_OPEN,
            "the system's limit of open files leaves room for {room} connections"
        );
    }
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let mut rows = vec![one(connections).await?];
        match Redis::start().await? {
            Some(redis) => rows.push(two(connections, &redis).await?),
            None => {
                ensure!(
                    std::env::var("CI").as_deref() != Ok("true"),
                    "redis-server is missing"
                );
                eprintln!("two processes skipped: redis-server is missing");
            }
        }
        Ok(rows)
    })
}

async fn one(connections: usize) -> Result<Value> {
    let server = serve(&[])?;
    let mut row = measure("one process", &[&server], connections).await?;
    let (closed, took) = crowd::half_open(server.listen(), HALF_OPEN, HALF_OPEN_PATIENCE).await?;
    row["half_open"] = json!(HALF_OPEN);
    row["half_open_closed"] = json!(closed);
    row["half_open_last_ms"] = json!(took.map(|took| took.as_millis()));
    Ok(row)
}

async fn two(connections: usize, redis: &Redis) -> Result<Value> {
    let url = redis.url();
    let servers = [serve(&["--redis", &url])?, serve(&["--redis", &url])?];
    let mut row = measure("two with redis", &servers.each_ref(), connections).await?;
    row["redis_rss_mib"] = json!(mib(Memory::of(redis.pid()?)?.rss));
    Ok(row)
}

/// A crowd on these servers; a receiver is on the server after its sender's.
async fn measure(scenario: &str, servers: &[&ServerProcess], connections: usize) -> Result<Value> {
    let mut places = Places::new(servers.iter().map(|server| server.listen()).collect());
    let before = memory(servers)?;
    let started = Instant::now();
    let idle = Idle::connect(&mut places, connections).await?;
    let connected = started.elapsed();
    let quiet = memory(servers)?;

    let talk = Talk::start(&mut places, PAIRS, PER_SECOND).await?;
    tokio::time::sleep(WARM_UP).await;
    talk.take();
    let mut windows = Vec::new();
    for _ in 0..WINDOWS {
        tokio::time::sleep(WINDOW).await;
        windows.push(talk.take());
    }
    let loaded = memory(servers)?;
    let lost = talk.stop().await?;
    let gone = idle.gone();
    ensure!(gone == 0, "{gone} idle connections have ended");

    let relayed: usize = windows.iter().map(|window| window.relayed.len()).sum();
    let seconds = WINDOW.as_secs_f64() * WINDOWS as f64;
    let median = |percent, of: fn(&crowd::Heard) -> &Vec<Duration>| {
        let all = windows.iter().map(|window| percentile(of(window), percent));
        let mut all: Vec<f64> = all.collect();
        all.sort_by(f64::total_cmp);
        round(all.get(all.len() / 2).copied().unwrap_or(f64::NAN))
    };
    Ok(json!({
        "bench": "signaling",
        "scenario": scenario,
        "connections": connections,
        "connect_s": round(connected.as_secs_f64()),
        "relayed_per_s": round(relayed as f64 / seconds),
        "lost": lost,
        "relay_p50_ms": median(50, |heard| &heard.relayed),
        "relay_p99_ms": median(99, |heard| &heard.relayed),
        "echo_p50_ms": median(50, |heard| &heard.echoed),
        "echo_p99_ms": median(99, |heard| &heard.echoed),
        "idle_rss_mib": mib(quiet.rss),
        "idle_pss_mib": mib(quiet.pss),
        "loaded_rss_mib": mib(loaded.rss),
        "memory_a_connection_bytes": quiet.pss.saturating_sub(before.pss) / connections as u64,
        "windows": WINDOWS,
    }))
}

fn memory(servers: &[&ServerProcess]) -> Result<Memory> {
    servers.iter().try_fold(Memory::default(), |sum, server| {
        let of = Memory::of(server.pid())?;
        Ok(Memory {
            rss: sum.rss + of.rss,
            pss: sum.pss + of.pss,
        })
    })
}

/// In milliseconds.
fn percentile(times: &[Duration], percent: usize) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    let at = times.len().saturating_sub(1) * percent / 100;
    times
        .get(at)
        .map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

fn mib(bytes: u64) -> f64 {
    round(bytes as f64 / (1024.0 * 1024.0))
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
