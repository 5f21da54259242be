//! An internet: a network of public addresses, and a rendezvous server with STUN and TURN on it.
//!
//! ```text
//!             +--> [ server .1xx: peddlenet-signaling ]
//!  203.0.113.0/24 ==> [ Router, NAT of one kind ] ===> inside ==> device
//!             +=====> [ Router, NAT of another ] ====> inside ==> device
//! ```

use anyhow::Result;

use super::{Host, Lab, Nat, Plug, Prefix, Router, Wifi};
use crate::server_process::{ServerProcess, server_binary};

/// Where the server listens.
pub const SERVER_PORT: u16 = 8787;

/// See the module's documentation.
pub struct Internet {
    server: Option<ServerProcess>,
    outside: Wifi,
    _plug: Plug,
    _host: Host,
    url: String,
}

impl Internet {
    /// A network with a server on it. The addresses are those that are set aside for examples (RFC 5737), which no
    /// relay should send to; this one is told that it may.
    ///
    /// # Errors
    /// A command failed, or the server did not start.
    pub fn new(lab: &Lab) -> Result<Self> {
        let outside = lab.wifi(Prefix::v4(203, 0, 113))?;
        let host = lab.host("server")?;
        let plug = outside.join(&host)?;
        let ip = plug.address()?;
        let listen = format!("{ip}:{SERVER_PORT}");
        let (udp, public) = (format!("{ip}:3478"), ip.to_string());
        let args = [
            "--listen",
            &listen,
            "--udp",
            &udp,
            "--public-ip",
            &public,
            "--allow-peer",
            "203.0.113.0/24",
        ];
        let command = host.command(&server_binary()?.to_string_lossy());
        Ok(Self {
            server: Some(ServerProcess::start(command, &args)?),
            outside,
            _plug: plug,
            _host: host,
            url: format!("ws://{listen}"),
        })
    }

    /// The server's address, as a node is told it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The public network.
    pub fn outside(&self) -> &Wifi {
        &self.outside
    }

    /// The server dies.
    pub fn kill_server(&mut self) {
        self.server = None;
    }

    /// A network of its own behind a router.
    ///
    /// # Errors
    /// A command failed.
    pub fn behind(&self, lab: &Lab, nat: Nat, name: &str, inside: Prefix) -> Result<Router> {
        lab.router(&format!("{name}-router"), &self.outside, inside, nat)
    }
}
