//! This machine's network interfaces, as far as others can be met over them.

use std::net::{IpAddr, SocketAddr};

use if_addrs::{IfAddr, IfOperStatus};

/// One address of one interface that is up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interface {
    /// What the system calls it.
    pub name: String,
    /// The address.
    pub ip: IpAddr,
    /// How many of its first bits all addresses of its network share.
    pub prefix: u8,
    /// The system's number of the interface: the scope of its link-local addresses.
    pub index: u32,
}

impl Interface {
    /// Whether an address belongs to the interface's network.
    pub fn has(&self, ip: IpAddr) -> bool {
        let bits = |ip| match ip {
            IpAddr::V4(ip) => (u128::from(ip.to_bits()) << 96, 32),
            IpAddr::V6(ip) => (ip.to_bits(), 128),
        };
        let ((own, width), (other, of)) = (bits(self.ip), bits(ip));
        let prefix = u32::from(self.prefix).min(width);
        width == of && (own ^ other).checked_shr(128 - prefix).unwrap_or(0) == 0
    }
}

/// All of them, in order: two lists differ when the network does. Asked of the system anew each time, which takes
/// some thirty system calls; empty when it doesn't answer.
pub fn interfaces() -> Vec<Interface> {
    use IfOperStatus::{Down, LowerLayerDown, NotPresent};
    let is_up = |status: &IfOperStatus| !matches!(status, Down | LowerLayerDown | NotPresent);
    let found = if_addrs::get_if_addrs().unwrap_or_default();
    let up = found.into_iter().filter(|i| is_up(&i.oper_status));
    let mut up: Vec<_> = up
        .map(|i| Interface {
            ip: i.ip(),
            prefix: match &i.addr {
                IfAddr::V4(v4) => v4.prefixlen,
                IfAddr::V6(v6) => v6.prefixlen,
            },
            index: i.index.unwrap_or_default(),
            name: i.name,
        })
        .collect();
    up.sort_unstable();
    up.dedup();
    up
}

/// The addresses others can dial: wildcards become the machine's interfaces. Loopback appears only when it
/// was asked for, or when there is nothing else.
pub(crate) fn dialable(
    sockets: impl Iterator<Item = SocketAddr>,
    interfaces: &[Interface],
) -> Vec<SocketAddr> {
    let Found {
        mut addrs,
        link_local,
        loopback,
        ..
    } = Found::behind(sockets, interfaces);
    addrs.extend(link_local);
    if addrs.is_empty() { loopback } else { addrs }
}

/// The addresses that others on the same networks can dial: link-local ones of IPv6, too. Without their
/// scope those say nothing, which who hears them over that very link knows.
pub(crate) fn near(
    sockets: impl Iterator<Item = SocketAddr>,
    interfaces: &[Interface],
) -> Vec<SocketAddr> {
    let Found {
        mut addrs,
        link_local,
        scoped,
        ..
    } = Found::behind(sockets, interfaces);
    addrs.extend(link_local);
    addrs.extend(scoped);
    addrs.retain(|addr| !addr.ip().is_loopback());
    addrs
}

/// Where sockets listen, by what an address is good for.
#[derive(Default)]
struct Found {
    addrs: Vec<SocketAddr>,
    /// Link-local ones of IPv4, which name their network well enough where there is one.
    link_local: Vec<SocketAddr>,
    /// Link-local ones of IPv6.
    scoped: Vec<SocketAddr>,
    loopback: Vec<SocketAddr>,
}

impl Found {
    fn behind(sockets: impl Iterator<Item = SocketAddr>, interfaces: &[Interface]) -> Self {
        let mut found = Self::default();
        for bound in sockets {
            if !bound.ip().is_unspecified() {
                found.addrs.push(bound);
                continue;
            }
            for Interface { ip, .. } in interfaces {
                let list = match ip {
                    _ if ip.is_ipv4() != bound.is_ipv4() || ip.is_unspecified() => continue,
                    _ if ip.is_loopback() => &mut found.loopback,
                    IpAddr::V4(v4) if v4.is_link_local() => &mut found.link_local,
                    IpAddr::V6(v6) if v6.is_unicast_link_local() => &mut found.scoped,
                    _ => &mut found.addrs,
                };
                let addr = SocketAddr::new(*ip, bound.port());
                if !list.contains(&addr) {
                    list.push(addr);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_belongs_to_a_network_by_its_first_bits() {
        let at = |ip: &str, prefix| Interface {
            name: "x".into(),
            ip: ip.parse().unwrap(),
            prefix,
            index: 1,
        };
        let has = |interface: &Interface, ip: &str| interface.has(ip.parse().unwrap());
        let home = at("192.168.1.4", 24);
        assert!(has(&home, "192.168.1.250") && !has(&home, "192.168.2.1"));
        assert!(!has(&home, "::ffff:192.168.1.250"));
        let six = at("2001:db8:1::4", 64);
        assert!(has(&six, "2001:db8:1::99") && !has(&six, "2001:db8:2::99"));
        assert!(has(&at("10.0.0.1", 0), "192.168.1.1"));
        let alone = at("10.0.0.1", 32);
        assert!(has(&alone, "10.0.0.1") && !has(&alone, "10.0.0.2"));
    }
}
