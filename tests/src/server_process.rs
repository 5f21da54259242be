//! A `peddlenet-signaling` process, for tests and benchmarks. One that is dropped is killed.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use anyhow::{Context, Result, anyhow};

use crate::programs::find_or_build;

/// What it says on standard output once it listens.
const LISTENING: &str = "listening on ";

/// The server while it runs.
pub struct ServerProcess {
    child: Child,
    listen: SocketAddr,
}

impl ServerProcess {
    /// Starts the server by a command line that ends where its arguments begin, such as `ip netns exec NAME
    /// PROGRAM`, and waits until it listens.
    ///
    /// # Errors
    /// It did not start.
    pub fn start(mut command: Command, args: &[&str]) -> Result<Self> {
        // What it says for nodes says nothing to a server.
        command.env("PEDDLENET_LOG", "warn");
        command
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = command.spawn().context("the server does not start")?;
        let out = child.stdout.take().context("no output")?;
        // It says this or ends, which ends the line, too.
        let mut out = BufReader::new(out);
        let mut line = String::new();
        out.read_line(&mut line)?;
        // Whatever it says later has somewhere to go until it ends.
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        let listen = line.trim().strip_prefix(LISTENING);
        let listen = listen.and_then(|text| text.split_whitespace().next()?.parse().ok());
        match listen {
            Some(listen) => Ok(Self { child, listen }),
            None => {
                let _ = child.kill();
                let ended = child.wait()?;
                Err(anyhow!("the server said {line:?} and ended: {ended}"))
            }
        }
    }

    /// Where it listens.
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where `peddlenet-signaling` lies. `PEDDLENET_SIGNALING=PATH` names a program to use as it is.
///
/// # Errors
/// It can't be built.
pub fn server_binary() -> Result<&'static Path> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let find = || find_or_build("PEDDLENET_SIGNALING", "peddlenet-signaling");
    match FOUND.get_or_init(|| find().map_err(|e| format!("{e:#}"))) {
        Ok(path) => Ok(path),
        Err(why) => Err(anyhow!("no peddlenet-signaling: {why}")),
    }
}
