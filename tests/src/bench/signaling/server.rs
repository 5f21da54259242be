//! The processes that are measured, and what they take.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::server_process::{ServerProcess, server_binary};

const PATIENCE: Duration = Duration::from_secs(20);

/// A server on loopback, without STUN and TURN.
pub(super) fn serve(args: &[&str]) -> Result<ServerProcess> {
    let quiet = ["--listen", "127.0.0.1:0", "--udp", "off"];
    let command = std::process::Command::new(server_binary()?);
    ServerProcess::start(command, &[&quiet, args].concat())
}

/// A Redis that keeps nothing, on a socket in a folder that goes with it.
pub(super) struct Redis {
    child: Child,
    folder: TempDir,
}

impl Redis {
    /// `None` where there is no `redis-server`.
    pub(super) async fn start() -> Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let spawned = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no"])
            .arg("--unixsocket")
            .arg(folder.path().join("redis.sock"))
            .arg("--dir")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let child = match spawned {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            child => child?,
        };
        let redis = Self { child, folder };
        timeout(PATIENCE, redis.answers())
            .await
            .context("Redis is silent")?;
        Ok(Some(redis))
    }

    pub(super) fn url(&self) -> String {
        format!("unix://{}/redis.sock", self.folder.path().display())
    }

    pub(super) fn pid(&self) -> Result<u32> {
        self.child.id().context("Redis has ended")
    }

    async fn answers(&self) {
        loop {
            let socket = self.folder.path().join("redis.sock");
            if let Ok(mut stream) = UnixStream::connect(socket).await {
                let mut pong = [0; 5];
                let asked = stream.write_all(b"PING\r\n").await.is_ok();
                if asked && stream.read_exact(&mut pong).await.is_ok() && &pong == b"+PONG" {
                    return;
                }
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Of a process, in bytes.
#[derive(Clone, Copy, Default)]
pub(super) struct Memory {
    pub(super) rss: u64,
    /// Its own and its share of what it shares.
    pub(super) pss: u64,
}

impl Memory {
    pub(super) fn of(pid: u32) -> Result<Self> {
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
        let value = |name: &str| -> Result<u64> {
            let line = rollup.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|line| line.split_whitespace().next());
            Ok(kib.context("no such figure")?.parse::<u64>()? * 1024)
        };
        Ok(Self {
            rss: value("Rss:")?,
            pss: value("Pss:")?,
        })
    }
}
