//! Sources that are refused for what they did on a link.
//!
//! One offence refuses that address and port: a device dials from the port that it listens on. Who
//! comes back from other ports has the whole address refused, but shortly, since others may share it.
//! Links that exist are not touched, and both tables are bounded.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

/// How long one address and port is refused.
pub const REFUSED_FOR: Duration = Duration::from_secs(600);
/// How long every port of an address is refused after [`OFFENCES`] of its ports were.
pub const ADDRESS_REFUSED_FOR: Duration = Duration::from_secs(60);
/// See [`ADDRESS_REFUSED_FOR`].
pub const OFFENCES: u32 = 8;
/// Sources, and as many addresses, that are remembered; beyond it the one that ends soonest goes.
const REMEMBERED: usize = 256;

/// Who is refused, and until when.
#[derive(Debug, Default)]
pub(crate) struct Bans {
    sources: HashMap<SocketAddr, Instant>,
    addresses: HashMap<IpAddr, Offences>,
}

#[derive(Debug, Clone, Copy)]
struct Offences {
    count: u32,
    /// Until then an offence counts, and from [`OFFENCES`] on the address is refused.
    until: Instant,
}

impl Bans {
    /// A link from there misbehaved.
    pub(crate) fn refuse(&mut self, source: SocketAddr, now: Instant) {
        make_room(&mut self.sources, now, |until| *until);
        self.sources.insert(source, now + REFUSED_FOR);
        make_room(&mut self.addresses, now, |offences| offences.until);
        let fresh = Offences {
            count: 0,
            until: now,
        };
        let offences = self.addresses.entry(network(source.ip())).or_insert(fresh);
        if offences.until <= now {
            *offences = fresh;
        }
        offences.count = offences.count.saturating_add(1);
        offences.until = now + ADDRESS_REFUSED_FOR;
    }

    /// Whether nothing from there may open a link now.
    pub(crate) fn refuses(&self, source: SocketAddr, now: Instant) -> bool {
        let one = self.sources.get(&source).is_some_and(|until| *until > now);
        one || self
            .addresses
            .get(&network(source.ip()))
            .is_some_and(|o| o.count >= OFFENCES && o.until > now)
    }
}

/// An IPv6 host has a whole network of addresses to choose from.
pub(crate) fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn make_room<K: Hash + Eq + Copy, V>(
    map: &mut HashMap<K, V>,
    now: Instant,
    until: impl Fn(&V) -> Instant,
) {
    if map.len() < REMEMBERED {
        return;
    }
    map.retain(|_, value| until(value) > now);
    if map.len() >= REMEMBERED
        && let Some(key) = map
            .iter()
            .min_by_key(|(_, value)| until(value))
            .map(|(key, _)| *key)
    {
        map.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(host: u8, port: u16) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, host], port))
    }

    #[test]
    fn one_offence_refuses_one_port_for_a_while() {
        let (mut bans, now) = (Bans::default(), Instant::now());
        bans.refuse(source(1, 1), now);
        assert!(bans.refuses(source(1, 1), now));
        assert!(!bans.refuses(source(1, 2), now), "its neighbour at home");
        assert!(!bans.refuses(source(1, 1), now + REFUSED_FOR));
    }

    #[test]
    fn who_comes_from_port_after_port_has_the_address_refused_shortly() {
        let (mut bans, now) = (Bans::default(), Instant::now());
        for port in 0..u16::try_from(OFFENCES).unwrap() {
            assert!(!bans.refuses(source(1, 999), now));
            bans.refuse(source(1, port), now);
        }
        assert!(bans.refuses(source(1, 999), now));
        assert!(!bans.refuses(source(2, 999), now));
        assert!(!bans.refuses(source(1, 999), now + ADDRESS_REFUSED_FOR));
    }

    #[test]
    fn a_network_of_ipv6_addresses_counts_as_one() {
        let (mut bans, now) = (Bans::default(), Instant::now());
        let at = |last| SocketAddr::from(([0xfd00, 0, 0, 1, 0, 0, 0, last], 1));
        (0..OFFENCES).for_each(|n| bans.refuse(at(u16::try_from(n).unwrap()), now));
        assert!(bans.refuses(at(500), now));
    }

    #[test]
    fn memory_is_bounded_and_the_newest_stay() {
        let (mut bans, now) = (Bans::default(), Instant::now());
        for n in 0..2000u16 {
            let [high, low] = n.to_be_bytes();
            let at = SocketAddr::from(([10, 9, high, low], n));
            bans.refuse(at, now + Duration::from_millis(n.into()));
        }
        assert!(bans.sources.len() <= REMEMBERED && bans.addresses.len() <= REMEMBERED);
        let newest = SocketAddr::from(([10, 9, 7, 207], 1999));
        assert!(bans.refuses(newest, now + Duration::from_secs(3)));
    }
}
