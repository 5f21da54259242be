//! What is counted for each network address: an IPv4 address, or the /64 that one IPv6 customer has.

use std::collections::HashMap;
use std::net::IpAddr;

use tokio::time::Instant;

use crate::bucket::Bucket;

/// Whom a limit is about. Its `Debug` keeps it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Address {
    V4(u32),
    /// The upper half.
    V6(u64),
}

impl Address {
    /// IPv4 that arrives dressed as IPv6 is IPv4.
    pub(crate) fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self::V4(ip.to_bits()),
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments().map(u64::from);
                Self::V6(a << 48 | b << 32 | c << 16 | d)
            }
        }
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Address(..)")
    }
}

/// A bucket for each address, for a bounded number of them.
pub(crate) struct Rates {
    per_second: u32,
    burst: u32,
    most: usize,
    buckets: HashMap<Address, Bucket>,
    /// Of all further addresses together, while too many are remembered: strangers who invent addresses slow
    /// newcomers down, and nobody who is known.
    others: Bucket,
}

impl Rates {
    pub(crate) fn new(per_second: u32, burst: u32, most: usize, now: Instant) -> Self {
        Self {
            per_second,
            burst,
            most,
            buckets: HashMap::new(),
            others: Bucket::full(per_second, burst, now),
        }
    }

    /// Whether the address may once more.
    pub(crate) fn take(&mut self, address: Address, now: Instant) -> bool {
        if let Some(bucket) = self.buckets.get_mut(&address) {
            return bucket.take(now);
        }
        if self.buckets.len() >= self.most {
            self.buckets.retain(|_, bucket| !bucket.is_full(now));
        }
        if self.buckets.len() >= self.most {
            return self.others.take(now);
        }
        let mut bucket = Bucket::full(self.per_second, self.burst, now);
        let taken = bucket.take(now);
        self.buckets.insert(address, bucket);
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn address(ip: &str) -> Address {
        Address::of(ip.parse().unwrap())
    }

    #[test]
    fn an_address_is_what_one_customer_has() {
        assert_eq!(address("1.2.3.4"), address("::ffff:1.2.3.4"));
        assert_ne!(address("1.2.3.4"), address("1.2.3.5"));
        assert_eq!(address("2600:1:2:3::1"), address("2600:1:2:3:ffff::9"));
        assert_ne!(address("2600:1:2:3::1"), address("2600:1:2:4::1"));
        assert_eq!(format!("{:?}", address("1.2.3.4")), "Address(..)");
    }

    #[test]
    fn each_address_has_a_rate_of_its_own_and_inventing_many_helps_nobody() {
        let start = Instant::now();
        let mut rates = Rates::new(1, 2, 3, start);
        let known = address("1.1.1.1");
        assert!(rates.take(known, start) && rates.take(known, start));
        assert!(!rates.take(known, start), "used up");
        let granted = (0..100_u32)
            .filter(|n| rates.take(Address::V4(*n), start))
            .count();
        assert_eq!(granted, 2 + 2, "two remembered, and a burst of the others");
        assert_eq!(rates.buckets.len(), 3);
        let later = start + Duration::from_secs(1);
        assert!(rates.take(known, later), "not slowed down by them");
        let much_later = start + Duration::from_secs(9);
        assert!(rates.take(Address::V4(77), much_later));
        assert!(rates.buckets.len() <= 3);
    }
}
