//! Every figure that the project claims, measured: `bench NAME [ARGS] [--json]`.
//!
//! `bench all` runs what there is, each with its defaults, and prints one Markdown table a name.
//! With `--json`: one JSON object a row. Benchmarks that belong to later work answer `not yet`.

use std::{collections::BTreeSet, path::Path, process::ExitCode, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use peddlenet_tests::bench;
use serde_json::Value;

const USAGE: &str = "usage: bench NAME [ARGS] [--json]
  join [--runs N]         scan to open channel, scan to first message
  link [--runs N]         goodput and ping under load, beside plain UDP and quinn
  store [--messages N]    durable commits, page read, open, bytes a message, beside append and fsync
  qr [DIR]                photographs decoded, wrong, missed, beside bare rqrr
  gossip [--nodes N] [--seeds S] [--scenario X] [--full]
                          the routing engine beside flood, gossipsub and iroh-gossip, simulated
  mobility [FILE.npy|DIR] [--range-m M] [--seeds S]
                          a moving crowd: delivered of what could be reached, beside floods, gossipsub, iroh-gossip
  sync [--seed S]         what finding a difference costs, beside negentropy, simulated
  security                what the promises cost: an event, a removal, signatures checked
  app [--runs N] [--messages N] [--profile DIR]
                          start, idle, memory and scrolling of the release app, beside an empty window;
                          the room is made in DIR and found there again, or in a folder that goes
  network [discovery|reconnect|hotspot|merge|idle] [--runs N] [--partition-s S] [--idle-s S]
                          hosts in network namespaces: discovery, reconnect, merge, idle bytes and CPU; takes root
  nat [--runs N]          joining from behind every pair of routers over a rendezvous server; takes root
  signaling [--connections N]
                          relay latency, memory a connection, half-open connections; one process, and two with Redis
  all                     each of them with its defaults";

/// The photographs that `qr` reads where no folder is named.
const PHOTOS: &str = "../shared/data/qr-photos";
/// The crowds that `mobility` follows where no file is named.
const CROWDS: &str = "../shared/data/mobility";
const MESSAGES: usize = 2_000;
const ALL: [&str; 12] = [
    "join",
    "link",
    "store",
    "qr",
    "security",
    "sync",
    "gossip",
    "mobility",
    "app",
    "network",
    "nat",
    "signaling",
];

fn main() -> ExitCode {
    // PEDDLENET_LOG=peddlenet_peer=debug shows why a link ended; nothing is logged without it.
    if std::env::var_os("PEDDLENET_LOG").is_some() {
        tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_env("PEDDLENET_LOG"))
            .with_writer(std::io::stderr)
            .init();
    }
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let before = args.len();
    args.retain(|a| a != "--json");
    let json = args.len() < before;
    match dispatch(&args, json) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String], json: bool) -> Result<()> {
    let (name, rest) = args.split_first().context(USAGE)?;
    if name == "all" {
        for name in ALL {
            if name == "qr" && !Path::new(PHOTOS).is_dir() {
                eprintln!("qr skipped: there is no {PHOTOS} here");
                continue;
            }
            if name == "mobility" && !Path::new(CROWDS).is_dir() {
                ensure!(
                    std::env::var("CI").as_deref() != Ok("true"),
                    "there is no {CROWDS} here"
                );
                eprintln!("mobility skipped: there is no {CROWDS} here");
                continue;
            }
            if name == "app"
                && let Err(missing) = bench::app::ready()
            {
                ensure!(std::env::var("CI").as_deref() != Ok("true"), missing);
                eprintln!("app skipped: {missing}");
                continue;
            }
            if (name == "network" || name == "nat")
                && let Err(missing) = peddlenet_tests::lab::Lab::new()
            {
                ensure!(std::env::var("CI").as_deref() != Ok("true"), missing);
                eprintln!("{name} skipped: {missing:#}");
                continue;
            }
            eprintln!("{name} ..");
            print(name, &rows(name, &[])?, json);
        }
        return Ok(());
    }
    print(name, &rows(name, rest)?, json);
    Ok(())
}

fn rows(name: &str, args: &[String]) -> Result<Vec<Value>> {
    match name {
        "join" => bench::join::run(number(args, "--runs")?.unwrap_or(bench::join::RUNS)),
        "link" => {
            let runs = number(args, "--runs")?.unwrap_or(bench::link::RUNS);
            tokio::runtime::Runtime::new()?.block_on(bench::link::run(runs))
        }
        "store" => bench::store::run(number(args, "--messages")?.unwrap_or(MESSAGES)),
        "qr" => bench::qr::run(Path::new(args.first().map_or(PHOTOS, String::as_str))),
        "security" => bench::security::run(),
        "app" => {
            let defaults = bench::app::Plan::default();
            let folder = args.iter().position(|a| a == "--profile");
            bench::app::run(&bench::app::Plan {
                runs: number(args, "--runs")?.unwrap_or(defaults.runs),
                messages: number(args, "--messages")?.unwrap_or(defaults.messages),
                profile: match folder.map(|at| args.get(at + 1)) {
                    Some(folder) => Some(folder.context("--profile needs a folder")?.into()),
                    None => None,
                },
            })
        }
        "network" => {
            let defaults = bench::network::Plan::default();
            let seconds = |flag, default| -> Result<Duration> {
                let asked = number(args, flag)?;
                Ok(asked.map_or(default, |s| Duration::from_secs(s as u64)))
            };
            bench::network::run(&bench::network::Plan {
                runs: number(args, "--runs")?.unwrap_or(defaults.runs),
                only: args.first().filter(|arg| !arg.starts_with("--")).cloned(),
                partition: seconds("--partition-s", defaults.partition)?,
                idle: seconds("--idle-s", defaults.idle)?,
            })
        }
        "nat" => bench::nat::run(number(args, "--runs")?.unwrap_or(bench::nat::RUNS)),
        "signaling" => {
            let connections = number(args, "--connections")?;
            bench::signaling::run(connections.unwrap_or(bench::signaling::CONNECTIONS))
        }
        "sync" => bench::sync::run(number(args, "--seed")?.unwrap_or(1) as u64),
        "mobility" => {
            let named = args.first().filter(|arg| !arg.starts_with("--"));
            let range_m = number(args, "--range-m")?.unwrap_or(bench::mobility::RANGE_M);
            let seeds = number(args, "--seeds")?.unwrap_or(bench::mobility::SEEDS);
            bench::mobility::run(
                Path::new(named.map_or(CROWDS, String::as_str)),
                range_m,
                seeds,
            )
        }
        "gossip" => {
            let text = |flag| {
                args.iter()
                    .position(|a| a == flag)
                    .map(|at| args.get(at + 1))
            };
            let nodes = number(args, "--nodes")?.map(u32::try_from).transpose()?;
            bench::gossip::run(&bench::gossip::Plan {
                nodes: nodes.unwrap_or(bench::gossip::NODES),
                seeds: number(args, "--seeds")?.map(|n| n as u64),
                scenario: match text("--scenario") {
                    Some(name) => Some(name.context("--scenario needs a name")?.clone()),
                    None => None,
                },
                full: args.iter().any(|a| a == "--full"),
            })
        }
        other => bail!("there is no bench {other}\n{USAGE}"),
    }
}

fn number(args: &[String], flag: &str) -> Result<Option<usize>> {
    let Some(at) = args.iter().position(|a| a == flag) else {
        return Ok(None);
    };
    let text = args
        .get(at + 1)
        .with_context(|| format!("{flag} needs a number"))?;
    text.parse()
        .map(Some)
        .with_context(|| format!("{flag} {text} is not a number"))
}

/// One JSON object a row, or a Markdown table whose columns are the union of the rows' keys.
fn print(name: &str, rows: &[Value], json: bool) {
    if json {
        rows.iter().for_each(|row| println!("{row}"));
        return;
    }
    println!("\n**{name}**");
    // Rows of one scenario have figures of their own.
    for rows in rows.chunk_by(|a, b| a["scenario"] == b["scenario"]) {
        table(rows);
    }
}

fn table(rows: &[Value]) {
    let objects: Vec<_> = rows.iter().filter_map(Value::as_object).collect();
    let mut seen = BTreeSet::new();
    let columns: Vec<&String> = objects
        .iter()
        .flat_map(|o| o.keys())
        .filter(|k| *k != "bench" && seen.insert(*k))
        .collect();
    let line = |cells: Vec<String>| println!("| {} |", cells.join(" | "));
    println!();
    line(columns.iter().map(|c| (*c).clone()).collect());
    line(columns.iter().map(|_| "---".to_owned()).collect());
    for object in objects {
        line(
            columns
                .iter()
                .map(|c| object.get(*c).map_or(String::new(), cell))
                .collect(),
        );
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(n) if n.is_f64() => {
            peddlenet_sim::scenario::short(n.as_f64().unwrap_or_default())
        }
        other => other.to_string(),
    }
}
