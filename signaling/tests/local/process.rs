//! The program as a person starts it.

use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::{Client, PATIENCE};

/// Killed when it is dropped.
pub(crate) struct Program {
    child: Child,
    /// Where it listens: what it says, in order.
    pub(crate) at: Vec<SocketAddr>,
}

impl Program {
    /// On loopback; `lines` is how much it says. Its log is kept until it has ended.
    pub(crate) async fn start(args: &[&str], lines: usize) -> Self {
        Self::spawn(args, lines, "trace", Stdio::piped()).await
    }

    async fn spawn(args: &[&str], lines: usize, level: &str, log: Stdio) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_peddlenet-signaling"))
            .args(["--listen", "127.0.0.1:0"])
            .args(args)
            .env("PEDDLENET_LOG", level)
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut at = Vec::new();
        for _ in 0..lines {
            let line = timeout(PATIENCE, said.next_line()).await;
            let line = line.expect("it starts").unwrap().expect("it says where");
            let (_, address) = line.rsplit_once(' ').unwrap();
            at.push(address.parse().unwrap());
        }
        Self { child, at }
    }

    /// On loopback, without STUN and TURN, saying little.
    pub(crate) async fn quiet(args: &[&str]) -> Self {
        let own = ["--udp", "off", "--drain-s", "0"];
        Self::spawn(&[&own, args].concat(), 1, "warn", Stdio::inherit()).await
    }

    pub(crate) async fn client(&self) -> Client {
        Client::to(self.at[0]).await.unwrap()
    }

    /// SIGKILL, on Unix.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Sends a signal by its name.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let kill = Command::new("kill").args(["-s", name, &id]).status();
        assert!(kill.await.unwrap().success());
    }

    /// How it ended, and its log.
    pub(crate) async fn ended(mut self) -> (ExitStatus, String) {
        let status = timeout(PATIENCE, self.child.wait()).await;
        let mut log = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut log).await.unwrap();
        }
        (status.expect("it ends").unwrap(), log)
    }
}
