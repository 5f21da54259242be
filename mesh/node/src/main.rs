//! `peddlenet-node`: a device without a window. One JSON object a line on stdin, replies and events
//! on stdout, logs on stderr. For beacons, servers and tests; the protocol stands in README.md.
//!
//! ```text
//!  stdin --> request --> Session --> Node (peddlenet-mesh)
//!  stdout <-- reply, event <-- one writer task
//! ```

mod args;
mod output;
mod request;
mod session;

use std::process::ExitCode;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::{args::Args, output::Output, session::Session};

/// A longer line is answered `bad_request` and skipped, so that a stray stream can't fill the memory.
const LINE_MAX: u64 = 64 * 1024;

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(peddlenet_mesh::log_filter(
            std::env::var("PEDDLENET_LOG").ok().as_deref(),
        ))
        .init();
    let run = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the async runtime did not start")
        .and_then(|runtime| runtime.block_on(run(args)));
    match run {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    let (node, events) =
        peddlenet_mesh::Node::open(args.config().map_err(anyhow::Error::msg)?).await?;
    let output = Output::start();
    output.ready(&node);
    let forward = tokio::spawn(output::forward(events, output.clone()));
    let mut session = Session::new(node, output.clone());
    serve(&mut session, &output).await?;
    session.close().await;
    forward.abort();
    output.finish().await;
    Ok(())
}

/// Reads requests until `quit` or the end of the input.
async fn serve(session: &mut Session, output: &Output) -> anyhow::Result<()> {
    let mut input = BufReader::new(tokio::io::stdin());
    let mut line = Vec::new();
    loop {
        line.clear();
        let n = (&mut input)
            .take(LINE_MAX)
            .read_until(b'\n', &mut line)
            .await
            .context("stdin")?;
        if n == 0 {
            return Ok(());
        }
        if !line.ends_with(b"\n") && n as u64 == LINE_MAX {
            skip_line(&mut input).await?;
            output.error(None, &request::too_long());
            continue;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        if session.take(&line).await.is_break() {
            return Ok(());
        }
    }
}

async fn skip_line(input: &mut BufReader<tokio::io::Stdin>) -> anyhow::Result<()> {
    loop {
        let buffer = input.fill_buf().await.context("stdin")?;
        let (used, done) = match buffer.iter().position(|b| *b == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(used);
        if done {
            return Ok(());
        }
    }
}
