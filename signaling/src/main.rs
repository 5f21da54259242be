//! `peddlenet-signaling [--listen IP:PORT] [--data DIR] [--redis URL]`: runs the rendezvous server until it is interrupted.

#![forbid(unsafe_code)]

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use peddlenet_signaling::{DEFAULT_LISTEN, Limits, Server, make_room_for};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

const USAGE: &str = "\
peddlenet-signaling [--listen IP:PORT] [--data DIR] [--redis URL]

Relays sealed bytes between devices that know a common tag, over WebSocket at /v1.
  --listen IP:PORT   where to listen (default 0.0.0.0:8787; port 0 takes a free one)
  --data DIR         keep sealed parcels for members who are away, in this folder; without it none are kept
  --redis URL        one of several processes that have this Redis between them: redis://HOST:PORT or unix:///PATH
PEDDLENET_LOG sets how much is logged: off, error, warn, info (default), debug or trace.";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let Some(Options {
        listen,
        data,
        redis,
    }) = options(std::env::args().skip(1))?
    else {
        println!("{USAGE}");
        return Ok(());
    };
    log_to_stderr()?;
    let limits = Limits::default();
    if let Some(devices) = make_room_for(&limits) {
        tracing::warn!("the system's limit of open files leaves room for {devices} devices");
    }
    let mut server = Server::bind(listen, limits)
        .await
        .with_context(|| format!("can't listen on {listen}; try another port with --listen"))?;
    if let Some(folder) = data {
        server = server.with_backup(&folder)?;
    }
    if let Some(url) = redis {
        server = server.with_redis(&url, None)?;
    }
    println!("listening on {}", server.local_addr()?);
    // Scripts wait for this line through a pipe, where it would be kept back.
    std::io::stdout().flush()?;
    server.run(interrupted()).await?;
    Ok(())
}

/// Our own lines only: at trace the WebSocket library logs whole messages, tags included.
fn log_to_stderr() -> anyhow::Result<()> {
    let level = match std::env::var("PEDDLENET_LOG") {
        Ok(level) => level
            .parse()
            .with_context(|| format!("PEDDLENET_LOG={level} is not a log level"))?,
        Err(_) => LevelFilter::INFO,
    };
    let ours = Targets::new().with_target("peddlenet_signaling", level);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    tracing_subscriber::registry().with(lines).with(ours).init();
    Ok(())
}

/// What the command line says.
#[derive(Debug, PartialEq)]
struct Options {
    listen: SocketAddr,
    /// Where parcels are kept.
    data: Option<PathBuf>,
    /// The Redis between several processes.
    redis: Option<String>,
}

/// `None` when the person asked for help.
fn options(mut args: impl Iterator<Item = String>) -> anyhow::Result<Option<Options>> {
    let (mut listen, mut data, mut redis) = (DEFAULT_LISTEN, None, None);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--listen" => {
                let address = args.next().context("--listen needs an address, IP:PORT")?;
                listen = address
                    .parse()
                    .with_context(|| format!("{address} is not an address like 0.0.0.0:8787"))?;
            }
            "--data" => data = Some(args.next().context("--data needs a folder")?.into()),
            "--redis" => redis = Some(args.next().context("--redis needs a URL")?),
            "--help" | "-h" => return Ok(None),
            other => bail!("unknown argument {other}\n\n{USAGE}"),
        }
    }
    Ok(Some(Options {
        listen,
        data,
        redis,
    }))
}

/// Ctrl-C, or the way that service managers ask.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> anyhow::Result<Option<Options>> {
        options(args.iter().map(|arg| (*arg).to_owned()))
    }

    #[test]
    fn arguments_are_read_or_refused() {
        let plain = Options {
            listen: DEFAULT_LISTEN,
            data: None,
            redis: None,
        };
        assert_eq!(parsed(&[]).unwrap(), Some(plain));
        let full = Options {
            listen: ([127, 0, 0, 1], 0).into(),
            data: Some("here".into()),
            redis: Some("redis://127.0.0.1".into()),
        };
        let args = ["--listen", "127.0.0.1:0", "--data", "here", "--redis"];
        let args = [&args[..], &["redis://127.0.0.1"]].concat();
        assert_eq!(parsed(&args).unwrap(), Some(full));
        assert_eq!(parsed(&["--help"]).unwrap(), None);
        for wrong in [
            &["--listen"][..],
            &["--listen", "here"],
            &["--data"],
            &["--redis"],
            &["--port"],
        ] {
            assert!(parsed(wrong).is_err(), "{wrong:?}");
        }
    }
}
