//! `peddlenet-signaling`: runs the rendezvous server until it is interrupted. `--help` lists what it can be told.

#![forbid(unsafe_code)]

mod options;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use peddlenet_signaling::{Limits, Server, UdpConfig};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use crate::options::Options;

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
    let options = Options::parse();
    log_to_stderr()?;
    let listen = options.listen;
    let server = Server::bind(listen, Limits::default())
        .await
        .with_context(|| format!("can't listen on {listen}; try another port with --listen"))?;
    let server = match options.udp()? {
        Some((config, asked)) => with_udp(server, config, asked).await?,
        None => server,
    };
    println!("listening on {}", server.local_addr()?);
    if let Some(udp) = server.udp_addr() {
        let turn = if server.relays() {
            "STUN and TURN"
        } else {
            "STUN"
        };
        println!("{turn} on {udp}");
    }
    // Scripts wait for these lines through a pipe, where they would be kept back.
    std::io::stdout().flush()?;
    server.run(interrupted()).await?;
    Ok(())
}

/// `asked`: the person named the address, so that the program doesn't start without it.
async fn with_udp(server: Server, config: UdpConfig, asked: bool) -> anyhow::Result<Server> {
    let listen = config.listen;
    match server.with_udp(config).await {
        Ok(server) => {
            if !server.relays() {
                tracing::info!(
                    "TURN is off: --public-ip says under which address relays are reached"
                );
            }
            Ok(server)
        }
        Err((server, error)) if !asked => {
            tracing::warn!(%error, "STUN and TURN are off: their port can't be used; --udp names another");
            Ok(server)
        }
        Err((_, error)) => Err(error).with_context(|| format!("can't use UDP on {listen}")),
    }
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
