//! Distance between two networks: what goes to one address outside, and its answers, take a while.
//!
//! ```text
//!  device --udp--> [ Router: nft redirect --> lab_delay --sleep--> ] --> that address
//! ```
//!
//! The kernel of the tests' machine can't delay packets (no netem), so a program does: to the outside it is one more router
//! that maps ports.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use super::Router;

/// Where the program listens on the router.
const PORT: u16 = 4_800;

/// Two networks are apart while this lives.
pub struct Distance(Child);

impl Distance {
    /// Takes datagrams from behind that router to `target` so long each way, and up to `jitter` longer. `program` is
    /// `lab_delay`. One a router.
    ///
    /// # Errors
    /// A command failed, or the program did not start.
    pub fn between(
        router: &Router,
        program: &Path,
        target: SocketAddr,
        delay: Duration,
        jitter: Duration,
    ) -> Result<Self> {
        let host = router.host();
        let mut command = host.command(&program.to_string_lossy());
        let numbers = [delay, jitter].map(|time| time.as_millis().to_string());
        command.args([PORT.to_string(), target.to_string()]);
        command.args(numbers).stdout(Stdio::piped());
        let mut child = command.stdin(Stdio::null()).spawn()?;
        let stdout = child.stdout.take().context("no pipe")?;
        let distance = Self(child);
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        ensure!(line.trim() == "ready", "lab_delay did not start");
        let (ip, port) = (target.ip(), target.port());
        host.space().nft(&format!(
            "table inet distance {{
               chain come {{
                 type nat hook prerouting priority dstnat - 1
                 policy accept
                 iifname != \"w0\" ip daddr {ip} udp dport {port} redirect to :{PORT}
               }}
             }}"
        ))?;
        Ok(distance)
    }
}

impl Drop for Distance {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
