//! A router with NAT between two networks.
//!
//! ```text
//!  outside <=== w0 [ Router: forward, nft nat ] ap0 ===> inside
//! ```
//!
//! Linux keeps a port where it can and answers only whom the inside has called: that alone is a
//! port-restricted cone for a device that uses one port, as ours do. The other kinds are made of it.
//!
//! What comes from outside unasked is dropped before conntrack remembers it. A Linux router without that
//! rule keeps an entry for it, and what the inside then sends there leaves from another port.

use anyhow::Result;

use super::{Host, Plug, Prefix, Wifi};

/// How a router maps what is inside to what is outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nat {
    /// One port outside for one inside; whoever sends there comes in. Made of a fixed map of all high
    /// UDP ports to the first device inside, so for one device a router.
    FullCone,
    /// One port outside for one inside; who was called from inside comes in, from that port.
    PortRestricted,
    /// Another port outside, at random, for whomever is called.
    Symmetric,
    /// Everything inside leaves on this one port, for one device a router: what rebinding changes.
    Port(u16),
}

/// A host that has a Wi-Fi of its own and maps what is in it.
pub struct Router {
    inside: Wifi,
    outside: Plug,
    host: Host,
}

impl Router {
    pub(super) fn new(host: Host, outside: &Wifi, inside: Prefix, nat: Nat) -> Result<Self> {
        host.forward()?;
        let router = Self {
            outside: outside.join(&host)?,
            inside: Wifi::on(host.space(), inside)?,
            host,
        };
        router.map(nat)?;
        Ok(router)
    }

    /// The network behind it.
    pub fn inside(&self) -> &Wifi {
        &self.inside
    }

    /// Itself.
    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    /// Where it hangs outside.
    pub fn outside(&self) -> &Plug {
        &self.outside
    }

    /// Maps otherwise from here on. Connections that exist are forgotten, as after a restart: what
    /// comes next from inside gets a map anew.
    ///
    /// # Errors
    /// A command failed.
    pub fn map(&self, nat: Nat) -> Result<()> {
        let out = match nat {
            Nat::FullCone | Nat::PortRestricted => "masquerade".to_owned(),
            Nat::Symmetric => "masquerade random,fully-random".to_owned(),
            Nat::Port(port) => format!("meta l4proto udp masquerade to :{port}"),
        };
        let come = match (nat, self.inside.first()) {
            (Nat::FullCone, Some(first)) => {
                format!("iifname \"w0\" udp dport 1024-65535 dnat ip to {first}")
            }
            _ => String::new(),
        };
        self.host.space().nft(&format!(
            "table inet nat
             delete table inet nat
             table inet nat {{
               chain out {{
                 type nat hook postrouting priority srcnat
                 policy accept
                 oifname \"w0\" {out}
               }}
               chain come {{
                 type nat hook prerouting priority dstnat
                 policy accept
                 {come}
               }}
               chain own {{
                 type filter hook input priority 0
                 policy accept
                 iifname \"w0\" meta l4proto udp ct state new drop
               }}
               chain pass {{
                 type filter hook forward priority 0
                 policy accept
                 iifname \"w0\" ct state new ct status & dnat == 0 drop
               }}
             }}"
        ))?;
        self.host.space().exec("conntrack", &["-F"]).map(drop)
    }
}
