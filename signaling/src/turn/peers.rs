//! Whom a relay may exchange datagrams with. Pure: addresses in, a verdict out.
//!
//! A relay stands inside its operator's network. Whoever may point it at any address reaches services that trust
//! that network, the host itself included. So what is not a public unicast address is refused, however it is
//! dressed up, and so is the server itself; the operator names exceptions one by one.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// IPv4 ranges that no public peer has: network, length of the prefix. From the IANA special-purpose registry.
const REFUSED_V4: [([u8; 4], u8); 15] = [
    ([0, 0, 0, 0], 8),       // "this network", unspecified
    ([10, 0, 0, 0], 8),      // private
    ([100, 64, 0, 0], 10),   // shared by carriers
    ([127, 0, 0, 0], 8),     // loopback
    ([169, 254, 0, 0], 16),  // link-local, and the metadata services of clouds
    ([172, 16, 0, 0], 12),   // private
    ([192, 0, 0, 0], 24),    // protocol assignments
    ([192, 0, 2, 0], 24),    // documentation
    ([192, 88, 99, 0], 24),  // 6to4 relays
    ([192, 168, 0, 0], 16),  // private
    ([198, 18, 0, 0], 15),   // benchmarks
    ([198, 51, 100, 0], 24), // documentation
    ([203, 0, 113, 0], 24),  // documentation
    ([224, 0, 0, 0], 4),     // multicast
    ([240, 0, 0, 0], 4),     // reserved, broadcast
];

/// IPv6 ranges inside 2000::/3 that no public peer has. All outside of it is refused anyway: unspecified, loopback, v4-mapped,
/// discard, unique local, link-local, multicast.
const REFUSED_V6: [([u16; 8], u8); 3] = [
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), // protocol assignments: Teredo, benchmarks, ORCHID
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), // documentation
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), // documentation
];

/// A range of addresses, written `IP/LENGTH`; a bare address is the range of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    length: u8,
}

/// `--allow-peer` was given something else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a network like 192.168.1.0/24 or fd00::/8")]
pub struct NotANetwork(String);

impl Network {
    const fn v4([a, b, c, d]: [u8; 4], length: u8) -> Self {
        let address = IpAddr::V4(Ipv4Addr::new(a, b, c, d));
        Self { address, length }
    }

    const fn v6([a, b, c, d, e, f, g, h]: [u16; 8], length: u8) -> Self {
        let address = IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h));
        Self { address, length }
    }

    /// Whether the address lies in it. Families are never mixed: `10.0.0.0/8` doesn't hold `::ffff:10.0.0.1`.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let host_bits = 32_u32.saturating_sub(u32::from(self.length));
                let shifted = |ip: Ipv4Addr| ip.to_bits().checked_shr(host_bits);
                shifted(network) == shifted(address)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let host_bits = 128_u32.saturating_sub(u32::from(self.length));
                let shifted = |ip: Ipv6Addr| ip.to_bits().checked_shr(host_bits);
                shifted(network) == shifted(address)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let wrong = || NotANetwork(text.to_owned());
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            Some(length) => length.parse().map_err(|_| wrong())?,
            None => most,
        };
        (length <= most)
            .then_some(Self { address, length })
            .ok_or_else(wrong)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// The refusal list, with the operator's exceptions.
#[derive(Clone, Debug)]
pub(crate) struct Peers {
    /// Addresses of this machine, and those under which it is known.
    own: Vec<IpAddr>,
    allowed: Vec<Network>,
}

impl Peers {
    pub(crate) fn new(own: Vec<IpAddr>, allowed: Vec<Network>) -> Self {
        Self { own, allowed }
    }

    /// Whether nothing may go to this address or come from it.
    pub(crate) fn refuses(&self, peer: IpAddr) -> bool {
        if self.allowed.iter().any(|network| network.holds(peer)) {
            return false;
        }
        match peer {
            IpAddr::V4(peer) => self.refuses_v4(peer),
            IpAddr::V6(peer) => {
                self.own.contains(&IpAddr::V6(peer))
                    || match embedded_v4(peer) {
                        // Only as public as what is inside.
                        Some(inside) => self.refuses_v4(inside),
                        None => !is_public_v6(peer),
                    }
            }
        }
    }

    fn refuses_v4(&self, peer: Ipv4Addr) -> bool {
        let peer = IpAddr::V4(peer);
        let mut special = REFUSED_V4.iter();
        self.own.contains(&peer)
            || special.any(|(network, length)| Network::v4(*network, *length).holds(peer))
    }
}

/// The IPv4 address to which translators on the way bring a datagram: NAT64 (RFC 6052, 64:ff9b::/96) and 6to4 (RFC 3056,
/// 2002::/16). Not v4-mapped ones: they mean IPv4 itself, which has a form of its own, and are always refused.
fn embedded_v4(peer: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = peer.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match [a, b, c, d, e, f] {
        [0x64, 0xff9b, 0, 0, 0, 0] => Some(join(g, h)),
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

fn is_public_v6(peer: Ipv6Addr) -> bool {
    let peer = IpAddr::V6(peer);
    let mut special = REFUSED_V6.iter();
    Network::v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3).holds(peer)
        && !special.any(|(network, length)| Network::v6(*network, *length).holds(peer))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn peers(allowed: &[&str]) -> Peers {
        let allowed = allowed.iter().map(|network| network.parse().unwrap());
        Peers::new(vec![ip("8.8.4.4"), ip("2600::4")], allowed.collect())
    }

    #[test]
    fn what_is_not_public_is_refused_and_the_neighbours_of_it_are_not() {
        let peers = peers(&[]);
        // The same list is tried over real sockets by tests/turn.rs.
        for refused in include_str!("../../tests/refused_addresses.txt").lines() {
            assert!(peers.refuses(ip(refused)), "{refused}");
        }
        for public in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:db7::1",
            "2001:db9::1",
            "2600::1",
            "3ffe::1",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ] {
            assert!(!peers.refuses(ip(public)), "{public}");
        }
    }

    #[test]
    fn the_server_itself_is_refused_in_every_dress() {
        let peers = peers(&[]);
        for own in [
            "8.8.4.4",
            "::ffff:8.8.4.4",
            "64:ff9b::8.8.4.4",
            "2002:808:404::1",
            "2600::4",
        ] {
            assert!(peers.refuses(ip(own)), "{own}");
        }
    }

    #[test]
    fn exceptions_hold_for_what_they_name_and_nothing_else() {
        let peers = peers(&["192.168.7.0/24", "fd00::/8", "127.0.0.1", "8.8.4.4/32"]);
        for allowed in [
            "192.168.7.0",
            "192.168.7.255",
            "fdff::1",
            "127.0.0.1",
            "8.8.4.4",
        ] {
            assert!(!peers.refuses(ip(allowed)), "{allowed}");
        }
        for refused in [
            "192.168.6.255",
            "192.168.8.0",
            "fc00::1",
            "127.0.0.2",
            "::ffff:127.0.0.1",
            "::ffff:192.168.7.1",
            "64:ff9b::192.168.7.1",
        ] {
            assert!(peers.refuses(ip(refused)), "{refused}");
        }
        let all = self::peers(&["0.0.0.0/0", "::/0"]);
        assert!(!all.refuses(ip("127.0.0.1")) && !all.refuses(ip("::1")));
    }

    #[test]
    fn networks_are_read_or_refused() {
        assert_eq!(
            "10.0.0.0/8".parse::<Network>().unwrap().to_string(),
            "10.0.0.0/8"
        );
        assert_eq!("::1".parse::<Network>().unwrap().to_string(), "::1/128");
        for wrong in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0/8",
            "10.0.0.0/",
            "10.0.0.0/-1",
        ] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    proptest! {
        /// Against a second opinion: what the standard library calls private or local is never reached.
        #[test]
        fn nothing_local_passes(bits: u32) {
            let address = Ipv4Addr::from_bits(bits);
            let local = address.is_private() || address.is_loopback() || address.is_link_local()
                || address.is_multicast() || address.is_broadcast() || address.is_unspecified()
                || address.is_documentation();
            let refused = peers(&[]).refuses(IpAddr::V4(address));
            prop_assert!(refused || !local);
            prop_assert!(peers(&[]).refuses(IpAddr::V6(address.to_ipv6_mapped())));
        }
    }
}
