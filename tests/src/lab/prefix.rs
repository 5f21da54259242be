//! Which addresses a network gives out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The addresses of a network. Interfaces have an IPv6 link-local address beside them, as everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    v4: Option<[u8; 3]>,
    v6: Option<u16>,
    /// Whether the access point is where the way out leads.
    routed: bool,
    /// The access point's number; its guests' follow.
    first: u8,
}

impl Prefix {
    /// IPv4 alone: `a.b.c.0/24`.
    pub const fn v4(a: u8, b: u8, c: u8) -> Self {
        Self {
            v4: Some([a, b, c]),
            v6: None,
            routed: true,
            first: 1,
        }
    }

    /// IPv6 alone: `fd00:n::/64`.
    pub const fn v6(n: u16) -> Self {
        Self {
            v4: None,
            v6: Some(n),
            routed: true,
            first: 1,
        }
    }

    /// The same with these IPv6 addresses beside.
    pub const fn and_v6(self, n: u16) -> Self {
        Self {
            v6: Some(n),
            ..self
        }
    }

    /// The same with numbers from there on, for a second access point of one network.
    pub const fn starting_at(self, first: u8) -> Self {
        Self { first, ..self }
    }

    /// The access point's number.
    pub(super) fn first(&self) -> u8 {
        self.first
    }

    /// Nothing but what IPv6 interfaces give themselves.
    pub const fn link_local_v6() -> Self {
        Self {
            v4: None,
            v6: None,
            routed: false,
            first: 1,
        }
    }

    /// What IPv4 hosts give themselves where nobody gives them an address: `169.254.n.0`.
    pub const fn link_local_v4(n: u8) -> Self {
        Self {
            v4: Some([169, 254, n]),
            v6: None,
            routed: false,
            first: 1,
        }
    }

    /// The n-th device's addresses with their prefix lengths, as `ip` takes them.
    pub(super) fn of(&self, n: u8) -> Vec<String> {
        let length = if self.is_link_local() { 16 } else { 24 };
        let v4 = self.v4_of(n).map(|addr| format!("{addr}/{length}"));
        let v6 = self.v6_of(n).map(|addr| format!("{addr}/64"));
        v4.into_iter().chain(v6).collect()
    }

    /// The n-th device's address: IPv4 where there is one.
    pub(super) fn address(&self, n: u8) -> Option<IpAddr> {
        let v4 = self.v4_of(n).map(IpAddr::from);
        v4.or(self.v6_of(n).map(IpAddr::from))
    }

    /// The access point's address, as [`address`](Self::address).
    pub(super) fn access_point(&self) -> Option<IpAddr> {
        self.address(self.first)
    }

    /// The access point's addresses, as [`of`](Self::of).
    pub(super) fn of_access_point(&self) -> Vec<String> {
        self.of(self.first)
    }

    /// Where the way out leads.
    pub(super) fn gateways(&self) -> Vec<IpAddr> {
        if !self.routed {
            return Vec::new();
        }
        let v4 = self.v4_of(self.first).map(IpAddr::from);
        v4.into_iter()
            .chain(self.v6_of(self.first).map(IpAddr::from))
            .collect()
    }

    fn v4_of(&self, n: u8) -> Option<Ipv4Addr> {
        let [a, b, c] = self.v4?;
        Some(Ipv4Addr::new(a, b, c, n))
    }

    fn v6_of(&self, n: u8) -> Option<Ipv6Addr> {
        let net = self.v6?;
        Some(Ipv6Addr::new(0xfd00, net, 0, 0, 0, 0, 0, n.into()))
    }

    fn is_link_local(&self) -> bool {
        matches!(self.v4, Some([169, 254, _]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_as_ip_takes_them() {
        let both = Prefix::v4(10, 7, 0).and_v6(7);
        assert_eq!(both.of(2), ["10.7.0.2/24", "fd00:7::2/64"]);
        assert_eq!(both.gateways().len(), 2);
        assert_eq!(Prefix::v6(9).of(3), ["fd00:9::3/64"]);
        assert_eq!(Prefix::link_local_v4(4).of(5), ["169.254.4.5/16"]);
        assert!(Prefix::link_local_v4(4).gateways().is_empty());
        assert!(Prefix::link_local_v6().of(2).is_empty());
        assert_eq!(Prefix::link_local_v6().address(2), None);
    }
}
