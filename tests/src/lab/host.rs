//! A host: a namespace of its own, plugs into Wi-Fis, and nodes that run on it.

use std::{fs, path::PathBuf, process::Command, sync::Arc, time::Duration};

use anyhow::{Context, Result};

use super::{Inner, Prefix, Wifi, space::Space};
use crate::node_process::{Launch, NodeProcess};

/// How long a node of the lab may take for anything: networks come and go meanwhile.
const PATIENCE: Duration = Duration::from_secs(120);

/// A device. Its nodes end before it does.
pub struct Host {
    name: String,
    space: Arc<Space>,
}

impl Host {
    pub(super) fn new(lab: &Arc<Inner>, name: &str) -> Result<Self> {
        Ok(Self {
            name: name.to_owned(),
            space: Space::new(lab)?,
        })
    }

    /// What it is called, and its node.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn space(&self) -> &Arc<Space> {
        &self.space
    }

    /// Makes this device an access point and the router of those who join.
    ///
    /// # Errors
    /// A command failed.
    pub fn hotspot(&self, prefix: Prefix) -> Result<Wifi> {
        self.forward()?;
        Wifi::on(&self.space, prefix)
    }

    /// Packets of others pass through.
    pub(super) fn forward(&self) -> Result<()> {
        let on = "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding";
        self.space.exec("sh", &["-c", on]).map(drop)
    }

    /// Lets in nothing but answers to what this device sent: the firewall of many laptops. Pings and what
    /// IPv6 needs to find neighbours pass.
    ///
    /// # Errors
    /// A command failed.
    pub fn firewall(&self) -> Result<()> {
        self.space.nft(
            "table inet wall {
               chain in {
                 type filter hook input priority 0; policy drop;
                 iifname \"lo\" accept
                 ct state established,related accept
                 meta l4proto { icmp, ipv6-icmp } accept
               }
             }",
        )
    }

    /// How a node called as this host starts here: every interface, its own data folder, its standard
    /// error in a file that a failure shows.
    pub fn launch(&self, args: &[&str]) -> Launch {
        let lab = self.space.lab();
        let exec = ["ip", "netns", "exec", self.space.name()];
        Launch {
            listen: Vec::new(),
            extra: args.iter().map(|arg| (*arg).to_owned()).collect(),
            stderr: Some(lab.stderr(&self.name)),
            prefix: exec.map(str::to_owned).to_vec(),
            patience: PATIENCE,
            ..Launch::new(&self.name, self.data())
        }
    }

    /// Starts a node here.
    ///
    /// # Errors
    /// It did not start.
    pub fn node(&self, args: &[&str]) -> Result<NodeProcess> {
        NodeProcess::start(self.launch(args))
    }

    /// A program of the tests that runs here.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", self.space.name(), program]);
        command
    }

    fn data(&self) -> PathBuf {
        self.space.lab().folder().join(&self.name)
    }

    /// What its interfaces, loopback aside, have taken in and sent out.
    ///
    /// # Errors
    /// The counters can't be read.
    pub fn traffic(&self) -> Result<Traffic> {
        let table = self.space.exec("cat", &["/proc/net/dev"])?;
        traffic(&table)
    }
}

/// What a host's interfaces have carried, both directions together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// With the header that Ethernet puts before each packet, as it went over the wire.
    pub bytes: u64,
    /// Packets (count).
    pub packets: u64,
}

impl Traffic {
    /// Ethernet's two addresses and the type (bytes).
    const ETHERNET: u64 = 14;
    /// IPv4's and UDP's headers (bytes); IPv6's are 20 bytes longer.
    const IP_UDP: u64 = 20 + 8;

    /// What came since then.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(before.bytes),
            packets: self.packets.saturating_sub(before.packets),
        }
    }

    /// Bytes of the packets: UDP datagrams with the headers of UDP and IP.
    pub fn ip_bytes(&self) -> u64 {
        self.bytes.saturating_sub(Self::ETHERNET * self.packets)
    }

    /// Bytes in the datagrams, at most: what is no UDP, and IPv6, is counted as if it were UDP over IPv4.
    pub fn payload_bytes(&self) -> u64 {
        self.ip_bytes().saturating_sub(Self::IP_UDP * self.packets)
    }
}

/// Reads /proc/net/dev: after the name, bytes and packets in are the first two figures, those out the ninth and
/// tenth.
fn traffic(table: &str) -> Result<Traffic> {
    let mut sum = Traffic {
        bytes: 0,
        packets: 0,
    };
    for line in table.lines() {
        let Some((name, figures)) = line.split_once(':') else {
            continue;
        };
        if name.trim() == "lo" {
            continue;
        }
        let figures: Vec<_> = figures.split_whitespace().collect();
        let at = |n: usize| {
            let figure: Option<u64> = figures.get(n).and_then(|f| f.parse().ok());
            figure.with_context(|| format!("not a line of /proc/net/dev: {line}"))
        };
        sum.bytes += at(0)? + at(8)?;
        sum.packets += at(1)? + at(9)?;
    }
    Ok(sum)
}

/// Processor time that a process has used since its start.
///
/// # Errors
/// There is no such process, or the system tells otherwise than Linux.
pub fn cpu_time(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    cpu_ticks(&stat).map(|ticks| Duration::from_millis(ticks * 10))
}

/// User and system time of a line of /proc/PID/stat, in ticks of 10 ms (USER_HZ is 100 for programs on
/// every machine Linux runs on today).
fn cpu_ticks(stat: &str) -> Result<u64> {
    // The name stands in brackets and may have any character.
    let (_, rest) = stat.rsplit_once(')').context("no name in the line")?;
    let figures: Vec<_> = rest.split_whitespace().collect();
    let at = |n: usize| -> Result<u64> {
        let figure = figures.get(n).context("the line is short")?;
        Ok(figure.parse()?)
    };
    Ok(at(11)? + at(12)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_taken_off_layer_by_layer() {
        let before = Traffic {
            bytes: 50,
            packets: 1,
        };
        let after = Traffic {
            bytes: 250,
            packets: 3,
        };
        let came = after.since(&before);
        assert_eq!((came.bytes, came.packets), (200, 2));
        assert_eq!((came.ip_bytes(), came.payload_bytes()), (172, 116));
    }

    #[test]
    fn counters_are_read_without_loopback() {
        let table = "Inter-|   Receive                            |  Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed
    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0
    w0: 100 2 0 0 0 0 0 0 40 3 0 0 0 0 0 0
    w1: 10 2 0 0 0 0 0 0 4 3 0 0 0 0 0 0\n";
        let all = traffic(table).unwrap();
        assert_eq!((all.bytes, all.packets), (154, 10));
        assert!(traffic("w0: 1 2 3").is_err());
    }

    #[test]
    fn processor_time_is_read_behind_any_name() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194304 100 0 0 0 25 17 0 0 20 0 5 0 100";
        assert_eq!(cpu_ticks(stat).unwrap(), 42);
        assert!(cpu_ticks("42 (a) S 1").is_err());
    }
}
