//! `peddlenet-signaling`: runs the rendezvous server until it is interrupted, with `--beacon` as a carrier box. `--help` lists what
//! it can be told.

#![forbid(unsafe_code)]

#[cfg(feature = "beacon")]
mod beacon;
#[cfg(feature = "beacon")]
mod issue;
mod options;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use peddlenet_signaling::{Server, Tls, UdpConfig, make_room_for};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

#[cfg(feature = "beacon")]
use crate::beacon::Beacon;
#[cfg(feature = "beacon")]
use crate::options::Command;
use crate::options::{LogFormat, Options};

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
    #[cfg(feature = "beacon")]
    if let Some(Command::Pass(options)) = &options.command {
        return issue::run(options);
    }
    log_to_stderr(options.log)?;
    let listen = options.listen;
    let limits = options.limits();
    if let Some(devices) = make_room_for(&limits) {
        tracing::warn!("the system's limit of open files leaves room for {devices} devices");
    }
    let secret = options.secret()?;
    let secret = secret.as_ref().map(|secret| secret.as_slice());
    let mut server = Server::bind(listen, limits)
        .await
        .with_context(|| format!("can't listen on {listen}; try another port with --listen"))?;
    if let Some((config, asked)) = options.udp(secret)? {
        server = with_udp(server, config, asked).await?;
    }
    if let (Some(certificate), Some(key)) = (&options.tls_cert, &options.tls_key) {
        let tls = Arc::new(Tls::open(certificate, key)?);
        reload_when_told(Arc::clone(&tls));
        server = server.with_tls(tls);
    }
    if options.behind_proxy {
        server = server.behind_proxy();
    }
    if let Some(address) = options.metrics {
        server = server
            .with_metrics(address)
            .await
            .with_context(|| format!("can't listen on {address} for metrics"))?;
    }
    if let Some(url) = &options.redis {
        server = server.with_redis(url, secret)?;
    }
    let Some(folder) = &options.data else {
        return serve(server, asked_to_stop()).await;
    };
    #[cfg(feature = "beacon")]
    if options.carrier.beacon {
        let (server, key) = server.with_box(folder)?;
        if options.listen.ip().is_loopback() {
            tracing::warn!(
                "nobody on the network reaches a box that listens on loopback; leave --listen out"
            );
        }
        let port = server.local_addr()?.port();
        let beacon = Beacon::start(&options.carrier, folder, port, key).await?;
        let (close, closed) = beacon.into_parts();
        // Both say goodbye at once, and whichever takes longer is waited for.
        let stop = async move {
            asked_to_stop().await;
            let _ = close.send(());
        };
        serve(server, stop).await?;
        return closed.await.context("the box's own node");
    }
    serve(server.with_backup(folder)?, asked_to_stop()).await
}

async fn serve(
    server: Server,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    say_where(&server)?;
    server.run(stop).await?;
    Ok(())
}

/// Scripts wait for the first line through a pipe, and may close it then: all is written at once.
fn say_where(server: &Server) -> anyhow::Result<()> {
    let mut lines = format!("listening on {}\n", server.local_addr()?);
    if let Some(udp) = server.udp_addr() {
        let turn = if server.relays() {
            "STUN and TURN"
        } else {
            "STUN"
        };
        lines.push_str(&format!("{turn} on {udp}\n"));
    }
    if let Some(metrics) = server.metrics_addr() {
        lines.push_str(&format!("metrics on {metrics}\n"));
    }
    let mut stdout = std::io::stdout();
    stdout.write_all(lines.as_bytes())?;
    stdout.flush()?;
    Ok(())
}

/// Certificates are renewed every few weeks, and devices should not notice.
fn reload_when_told(tls: Arc<Tls>) {
    #[cfg(unix)]
    tokio::spawn(async move {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut hangup) = signal(SignalKind::hangup()) else {
            return;
        };
        while hangup.recv().await.is_some() {
            match tls.reload() {
                Ok(()) => tracing::info!("the certificate was read again"),
                Err(error) => tracing::error!(%error, "the old certificate stays in use"),
            }
        }
    });
    #[cfg(not(unix))]
    drop(tls);
}

/// Whoever asks a second time does not want to wait.
async fn asked_to_stop() {
    interrupted().await;
    tracing::info!("asked to stop; saying goodbye");
    tokio::spawn(async {
        interrupted().await;
        std::process::exit(1);
    });
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

/// Our own lines only: at trace the WebSocket library logs whole messages, tags included. A carrier box's node is a device as
/// others are, and says what devices say: warnings, unless more is asked for.
fn log_to_stderr(format: LogFormat) -> anyhow::Result<()> {
    let (level, of_node) = match std::env::var("PEDDLENET_LOG") {
        Ok(level) => {
            let asked: LevelFilter = level
                .parse()
                .with_context(|| format!("PEDDLENET_LOG={level} is not a log level"))?;
            (asked, asked)
        }
        Err(_) => (LevelFilter::INFO, LevelFilter::WARN),
    };
    let ours = Targets::new()
        .with_target("peddlenet", of_node)
        .with_target("peddlenet_signaling", level);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
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
