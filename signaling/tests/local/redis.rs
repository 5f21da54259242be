//! A Redis of our own: on a socket in a folder that goes with it, keeping nothing.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::PATIENCE;

/// Killed when it is dropped, by its handle.
pub(crate) struct Redis {
    child: Child,
    folder: TempDir,
}

impl Redis {
    /// `None` where there is no `redis-server`, which on CI is a failure.
    pub(crate) async fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let child = match serve(&socket(folder.path())) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                assert!(std::env::var_os("CI").is_none(), "redis-server is missing");
                eprintln!("skipped: redis-server is missing (apt-get install redis-server)");
                return None;
            }
            child => child.unwrap(),
        };
        let redis = Self { child, folder };
        redis.answers().await;
        Some(redis)
    }

    pub(crate) fn url(&self) -> String {
        format!("unix://{}", socket(self.folder.path()).display())
    }

    /// Gone at once, with everything it knew.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// The same address again, knowing nothing.
    pub(crate) async fn restart(&mut self) {
        self.child = serve(&socket(self.folder.path())).unwrap();
        self.answers().await;
    }

    /// Everything that it is asked from now on, as its own monitor shows it.
    pub(crate) async fn monitor(&self) -> UnixStream {
        let mut stream = self.connect().await.unwrap();
        stream.write_all(b"MONITOR\r\n").await.unwrap();
        let mut ok = [0; 5];
        stream.read_exact(&mut ok).await.unwrap();
        assert_eq!(&ok, b"+OK\r\n");
        stream
    }

    async fn connect(&self) -> std::io::Result<UnixStream> {
        UnixStream::connect(socket(self.folder.path())).await
    }

    async fn answers(&self) {
        let answers = async {
            loop {
                if let Ok(mut stream) = self.connect().await {
                    let mut pong = [0; 5];
                    let asked = stream.write_all(b"PING\r\n").await.is_ok();
                    if asked && stream.read_exact(&mut pong).await.is_ok() && &pong == b"+PONG" {
                        return;
                    }
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, answers).await.expect("Redis answers");
    }
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("redis.sock")
}

fn serve(socket: &Path) -> std::io::Result<Child> {
    Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--appendonly", "no"])
        .arg("--unixsocket")
        .arg(socket)
        .arg("--dir")
        .arg(socket.parent().unwrap())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
}
