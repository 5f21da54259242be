//! The command line.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, ensure};
#[cfg(feature = "beacon")]
use clap::{Args, Subcommand, value_parser};
use clap::{Parser, ValueEnum};
use peddlenet_signaling::{DEFAULT_LISTEN, Limits, Network, TurnSecret, UdpConfig};
use zeroize::Zeroizing;

#[cfg(feature = "beacon")]
use crate::issue::Date;

/// Where STUN and TURN listen when nothing is said: their own port, on every IPv4 address.
const DEFAULT_UDP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 3478);

/// Shorter secrets are guessed from one credential.
const SECRET_BYTES: usize = 16;

/// Relays sealed bytes between devices that know a common tag, over WebSocket at /v1, and helps them through NATs by STUN
/// and TURN over UDP. Needs no configuration.
#[derive(Debug, Parser)]
#[command(
    name = "peddlenet-signaling",
    args_conflicts_with_subcommands = true,
    after_help = "PEDDLENET_LOG sets how much is logged: off, error, warn, info (default), debug or trace."
)]
pub(crate) struct Options {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "IP:PORT", default_value_t = DEFAULT_LISTEN)]
    pub(crate) listen: SocketAddr,

    /// Where STUN and TURN listen, or "off" [default: 0.0.0.0:3478, if it is free].
    #[arg(long, value_name = "IP:PORT|off")]
    udp: Option<Udp>,

    /// The address of this machine as the internet sees it: TURN needs it where --udp names none. Twice for IPv4 and IPv6.
    #[arg(long, value_name = "IP")]
    public_ip: Vec<IpAddr>,

    /// UDP ports of relays.
    #[arg(long, value_name = "LOW-HIGH", default_value = "49152-65535")]
    relay_ports: Ports,

    /// A file with the secret that TURN credentials and, with --redis, Redis' names for tags are made from, the same for
    /// processes behind one balancer [default: a new one at every start, and names without one].
    #[arg(long, value_name = "FILE")]
    turn_secret: Option<PathBuf>,

    /// Let relays reach these addresses, which are refused otherwise: private, loopback, this machine's. May be repeated.
    #[arg(long, value_name = "CIDR")]
    allow_peer: Vec<Network>,

    /// The name or address that devices use for UDP, where it is not the one of their WebSocket.
    #[arg(long, value_name = "HOST")]
    udp_host: Option<String>,

    /// A file with the TLS certificate and its chain, PEM. With it devices connect by wss://. SIGHUP reads it again.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// A file with the certificate's key, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// All connections come from a proxy, which adds each device's address to X-Forwarded-For. Nobody else may be able to
    /// connect then.
    #[arg(long)]
    pub(crate) behind_proxy: bool,

    /// Keep sealed parcels for members who are away, in this folder [default: none are kept].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    /// One of several processes that have this Redis between them: redis://HOST:PORT or unix:///PATH.
    #[arg(long, value_name = "URL")]
    pub(crate) redis: Option<String>,

    /// Devices connected at a time.
    #[arg(long, value_name = "N", overrides_with = "connections", default_value_t = Limits::default().connections)]
    connections: usize,

    /// Devices connected at a time from one IPv4 address or one /64 of IPv6.
    #[arg(long, value_name = "N", default_value_t = Limits::default().connections_per_address)]
    per_address: usize,

    /// Over how many seconds the goodbyes are spread when the server is asked to stop. Asked again, it stops at once.
    #[arg(long, value_name = "S", default_value_t = 10)]
    drain_s: u64,

    /// Where to offer /metrics for Prometheus, which the public should not reach [default: nowhere].
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) metrics: Option<SocketAddr>,

    /// How the log on stderr is written.
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) log: LogFormat,

    #[cfg(feature = "beacon")]
    #[command(flatten)]
    pub(crate) carrier: BeaconOptions,

    #[cfg(feature = "beacon")]
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What makes the server a carrier box.
#[cfg(feature = "beacon")]
#[derive(Debug, Args)]
pub(crate) struct BeaconOptions {
    /// Be a carrier box: announce this server on the networks around it, and keep parcels under passes too. Devices come by
    /// ws://, so not with TLS nor behind a proxy.
    #[arg(long, requires = "data", conflicts_with_all = ["tls_cert", "behind_proxy"])]
    pub(crate) beacon: bool,

    /// How the box is called in the rooms that it is a member of.
    #[arg(long, value_name = "NAME", requires = "beacon")]
    pub(crate) name: Option<String>,

    /// Make the box a member of a room by a join code, and so a relay for it. May be repeated; nothing happens where it is one.
    #[arg(long, value_name = "LINK", requires = "beacon")]
    pub(crate) join: Vec<String>,

    /// MiB that parcels under passes may take of the disk; some of it is always left free.
    #[arg(long, value_name = "MIB", requires = "beacon", default_value_t = mib(Limits::default().parcels.passes_bytes))]
    pass_space: u32,
}

#[cfg(feature = "beacon")]
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print a carry pass: whoever enters it in a room has this box keep the room's parcels. Works beside the running box.
    Pass(PassOptions),
}

#[cfg(feature = "beacon")]
#[derive(Debug, Args)]
pub(crate) struct PassOptions {
    /// The box's folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,

    /// How many days it is good for, up to 14.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u16).range(1..=14))]
    pub(crate) days: u16,

    /// MiB that the box keeps under it, on each of its days.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u32).range(1..=1_048_576))]
    pub(crate) space_mib: u32,

    /// Its first day, in UTC [default: today].
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) from: Option<Date>,
}

#[cfg(feature = "beacon")]
const MIB: u64 = 1024 * 1024;

#[cfg(feature = "beacon")]
fn mib(bytes: u64) -> u32 {
    u32::try_from(bytes / MIB).unwrap_or(u32::MAX)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Clone, Copy, Debug)]
enum Udp {
    Off,
    At(SocketAddr),
}

impl FromStr for Udp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            address => address
                .parse()
                .map(Self::At)
                .map_err(|_| "give an address like 0.0.0.0:3478, or off".to_owned()),
        }
    }
}

#[derive(Clone, Debug)]
struct Ports(RangeInclusive<u16>);

impl FromStr for Ports {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let range = text
            .split_once('-')
            .and_then(|(low, high)| Some((low.parse().ok()?, high.parse().ok()?)));
        match range {
            Some((low, high)) if 0 < low && low <= high => Ok(Self(low..=high)),
            _ => Err("give two ports like 49152-65535".to_owned()),
        }
    }
}

impl Options {
    pub(crate) fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        limits.connections = self.connections;
        limits.connections_per_address = self.per_address;
        limits.drain = Duration::from_secs(self.drain_s);
        #[cfg(feature = "beacon")]
        {
            limits.parcels.passes_bytes = u64::from(self.carrier.pass_space) * MIB;
        }
        limits
    }

    /// What stands in the secret's file, if one is named.
    pub(crate) fn secret(&self) -> anyhow::Result<Option<Zeroizing<Vec<u8>>>> {
        let Some(file) = &self.turn_secret else {
            return Ok(None);
        };
        let bytes = fs::read(file)
            .map(Zeroizing::new)
            .with_context(|| format!("can't read the secret in {}", file.display()))?;
        let secret = bytes.trim_ascii();
        ensure!(
            secret.len() >= SECRET_BYTES,
            "the secret in {} is shorter than {SECRET_BYTES} bytes",
            file.display()
        );
        Ok(Some(Zeroizing::new(secret.to_vec())))
    }

    /// What STUN and TURN are told, and whether the person asked for them to be there. `None`: they are off.
    pub(crate) fn udp(&self, secret: Option<&[u8]>) -> anyhow::Result<Option<(UdpConfig, bool)>> {
        let (listen, asked) = match self.udp {
            Some(Udp::Off) => return Ok(None),
            Some(Udp::At(listen)) => (listen, true),
            None => (DEFAULT_UDP, false),
        };
        let v4 = self.public_ip.iter().filter(|ip| ip.is_ipv4()).count();
        ensure!(
            v4 <= 1 && self.public_ip.len() - v4 <= 1,
            "--public-ip takes one IPv4 and one IPv6 address"
        );
        let mut config = UdpConfig::new(listen);
        config.public.clone_from(&self.public_ip);
        config.relay_ports = self.relay_ports.0.clone();
        config.allow_peers.clone_from(&self.allow_peer);
        config.host.clone_from(&self.udp_host);
        config.secret = secret.map(TurnSecret::new);
        Ok(Some((config, asked)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Options, clap::Error> {
        Options::try_parse_from([&["peddlenet-signaling"], args].concat())
    }

    #[test]
    fn nothing_needs_to_be_said() {
        let options = parsed(&[]).unwrap();
        assert_eq!(options.listen, DEFAULT_LISTEN);
        let (udp, asked) = options.udp(None).unwrap().unwrap();
        assert_eq!((udp.listen, asked), (DEFAULT_UDP, false));
        assert_eq!(udp.relay_ports, 49152..=65535);
        assert!(options.data.is_none() && options.redis.is_none());
        assert!(options.secret().unwrap().is_none());
        assert!(udp.public.is_empty() && udp.allow_peers.is_empty() && udp.secret.is_none());
    }

    #[test]
    fn what_is_said_is_done() {
        let file = std::env::temp_dir().join(format!("pn-secret-{}", std::process::id()));
        fs::write(&file, "0123456789abcdef\n").unwrap();
        let secret = file.to_str().unwrap();
        #[rustfmt::skip]
        let options = parsed(&[
            "--listen", "127.0.0.1:0", "--udp", "127.0.0.1:7", "--public-ip", "9.9.9.9", "--public-ip", "2600::9",
            "--relay-ports", "5000-5100", "--turn-secret", secret, "--allow-peer", "127.0.0.0/8",
            "--allow-peer", "::1", "--udp-host", "turn.example", "--connections", "9", "--per-address", "3",
            "--drain-s", "0", "--log", "json", "--behind-proxy", "--data", "here", "--redis", "redis://127.0.0.1",
        ]);
        let options = options.unwrap();
        assert_eq!(options.listen, SocketAddr::from(([127, 0, 0, 1], 0)));
        let read = options.secret().unwrap().unwrap();
        assert_eq!(*read, b"0123456789abcdef");
        let (udp, asked) = options.udp(Some(&read)).unwrap().unwrap();
        assert!(asked && udp.listen.port() == 7 && udp.public.len() == 2);
        assert_eq!(udp.relay_ports, 5000..=5100);
        assert!(udp.allow_peers.len() == 2 && udp.secret.is_some());
        assert_eq!(udp.host.as_deref(), Some("turn.example"));
        let limits = options.limits();
        let numbers = (limits.connections, limits.connections_per_address);
        assert_eq!((numbers, limits.drain), ((9, 3), Duration::ZERO));
        assert!(options.behind_proxy && options.log == LogFormat::Json);
        assert_eq!(options.data.as_deref(), Some("here".as_ref()));
        assert_eq!(options.redis.as_deref(), Some("redis://127.0.0.1"));
        assert!(
            parsed(&["--udp", "off"])
                .unwrap()
                .udp(None)
                .unwrap()
                .is_none()
        );
        fs::write(&file, "short").unwrap();
        let short = parsed(&["--turn-secret", secret]).unwrap();
        assert!(short.secret().unwrap_err().to_string().contains("shorter"));
        fs::remove_file(&file).unwrap();
        assert!(short.secret().is_err());
    }

    #[test]
    fn the_last_word_on_connections_counts() {
        // A unit says a number, and its operator another one.
        let options = parsed(&["--connections", "9", "--connections", "7"]).unwrap();
        assert_eq!(options.limits().connections, 7);
    }

    #[cfg(feature = "beacon")]
    #[test]
    fn a_carrier_box_and_its_passes() {
        let options = parsed(&["--data", "here", "--beacon"]).unwrap();
        assert!(options.carrier.beacon && options.command.is_none());
        assert_eq!(options.limits().parcels.passes_bytes, 1024 * MIB);
        #[rustfmt::skip]
        let options = parsed(&[
            "--data", "here", "--beacon", "--name", "Gate", "--join", "A", "--join", "B", "--pass-space", "7",
        ]);
        let options = options.unwrap();
        assert_eq!(options.carrier.name.as_deref(), Some("Gate"));
        assert_eq!(options.carrier.join, ["A", "B"]);
        assert_eq!(options.limits().parcels.passes_bytes, 7 * MIB);
        let pass = parsed(&["pass", "--data", "here", "--from", "2026-11-26"]).unwrap();
        let Some(Command::Pass(pass)) = pass.command else {
            panic!("{pass:?}");
        };
        assert_eq!((pass.days, pass.space_mib), (3, 64));
        assert_eq!(pass.from.unwrap().day(), 20_783);
    }

    #[test]
    fn nonsense_is_refused() {
        for wrong in [
            &["--listen"][..],
            &["--listen", "here"],
            &["--port"],
            &["--udp", "3478"],
            &["--relay-ports", "9-8"],
            &["--relay-ports", "0-8"],
            &["--allow-peer", "10.0.0.0/33"],
            &["--tls-cert", "alone.pem"],
            &["--drain-s", "-1"],
            &["--data"],
            &["--redis"],
            &["--log", "xml"],
            #[cfg(feature = "beacon")]
            &["--beacon"],
            #[cfg(feature = "beacon")]
            &["--data", "here", "--name", "Gate"],
            #[cfg(feature = "beacon")]
            &["--data", "here", "--beacon", "--behind-proxy"],
            #[cfg(feature = "beacon")]
            &["--listen", "127.0.0.1:0", "pass", "--data", "here"],
            #[cfg(feature = "beacon")]
            &["pass"],
            #[cfg(feature = "beacon")]
            &["pass", "--data", "here", "--days", "15"],
            #[cfg(feature = "beacon")]
            &["pass", "--data", "here", "--space-mib", "0"],
            #[cfg(feature = "beacon")]
            &["pass", "--data", "here", "--from", "tomorrow"],
            &["more"],
        ] {
            assert!(parsed(wrong).is_err(), "{wrong:?}");
        }
        let two = parsed(&["--public-ip", "9.9.9.9", "--public-ip", "9.9.9.8"]).unwrap();
        assert!(two.udp(None).is_err());
    }
}
