//! `peddlenet-signaling [--listen IP:PORT]`: runs the rendezvous server until it is interrupted.

#![forbid(unsafe_code)]

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, bail};
use peddlenet_signaling::{DEFAULT_LISTEN, Limits, Server};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

const USAGE: &str = "\
peddlenet-signaling [--listen IP:PORT]

Relays sealed bytes between devices that know a common tag, over WebSocket at /v1.
  --listen IP:PORT   where to listen (default 0.0.0.0:8787; port 0 takes a free one)
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
    let Some(listen) = listen_address(std::env::args().skip(1))? else {
        println!("{USAGE}");
        return Ok(());
    };
    log_to_stderr()?;
    let server = Server::bind(listen, Limits::default())
        .await
        .with_context(|| format!("can't listen on {listen}; try another port with --listen"))?;
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

/// `None` when the person asked for help.
fn listen_address(mut args: impl Iterator<Item = String>) -> anyhow::Result<Option<SocketAddr>> {
    let mut listen = DEFAULT_LISTEN;
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--listen" => {
                let address = args.next().context("--listen needs an address, IP:PORT")?;
                listen = address
                    .parse()
                    .with_context(|| format!("{address} is not an address like 0.0.0.0:8787"))?;
            }
            "--help" | "-h" => return Ok(None),
            other => bail!("unknown argument {other}\n\n{USAGE}"),
        }
    }
    Ok(Some(listen))
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

    fn parsed(args: &[&str]) -> anyhow::Result<Option<SocketAddr>> {
        listen_address(args.iter().map(|arg| (*arg).to_owned()))
    }

    #[test]
    fn arguments_are_read_or_refused() {
        assert_eq!(parsed(&[]).unwrap(), Some(DEFAULT_LISTEN));
        let local = parsed(&["--listen", "127.0.0.1:0"]).unwrap();
        assert_eq!(local, Some(([127, 0, 0, 1], 0).into()));
        assert_eq!(parsed(&["--help"]).unwrap(), None);
        for wrong in [&["--listen"][..], &["--listen", "here"], &["--port"]] {
            assert!(parsed(wrong).is_err(), "{wrong:?}");
        }
    }
}
