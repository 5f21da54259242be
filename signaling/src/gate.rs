//! How much one network address may take: sockets, devices, and new sockets a second.
//!
//! This machine's own connections are not counted: they are a proxy that was not announced, or the operator's.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::HeaderMap;
use tokio::time::Instant;

use crate::Limits;
use crate::addresses::{Address, Rates};

/// Counts what each address holds. Invariant: no count is 0, so the maps are as large as what is held.
pub(crate) struct Gate {
    devices: usize,
    sockets: usize,
    counts_loopback: bool,
    held: Mutex<Held>,
}

struct Held {
    by: HashMap<(Address, Kind), usize>,
    rates: Rates,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Socket,
    Device,
}

/// What an address holds, until it is dropped. Nothing for addresses that aren't counted.
pub(crate) struct Pass(Option<(Arc<Gate>, Address, Kind)>);

impl Gate {
    pub(crate) fn new(limits: &Limits) -> Self {
        let rates = Rates::new(
            limits.new_per_second,
            limits.burst_new,
            limits.connections,
            Instant::now(),
        );
        let by = HashMap::new();
        Self {
            devices: limits.connections_per_address,
            sockets: limits
                .connections_per_address
                .saturating_add(limits.spare_sockets_per_address),
            counts_loopback: limits.counts_loopback,
            held: Mutex::new(Held { by, rates }),
        }
    }

    /// A TCP connection. `None`: the address holds too many or opens them too fast.
    pub(crate) fn socket(self: &Arc<Self>, ip: IpAddr) -> Option<Pass> {
        self.enter(ip, Kind::Socket, self.sockets, true)
    }

    /// A device behind an address. `opens`: its TCP connection was not counted, because it is the proxy's.
    pub(crate) fn device(self: &Arc<Self>, ip: IpAddr, opens: bool) -> Option<Pass> {
        self.enter(ip, Kind::Device, self.devices, opens)
    }

    fn enter(self: &Arc<Self>, ip: IpAddr, kind: Kind, most: usize, opens: bool) -> Option<Pass> {
        if ip.to_canonical().is_loopback() && !self.counts_loopback {
            return Some(Pass(None));
        }
        let address = Address::of(ip);
        let mut held = self.held();
        if opens && !held.rates.take(address, Instant::now()) {
            return None;
        }
        let count = held.by.get(&(address, kind)).copied().unwrap_or(0);
        if count >= most {
            return None;
        }
        held.by.insert((address, kind), count + 1);
        Some(Pass(Some((Arc::clone(self), address, kind))))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing in here panics halfway through a change.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let Some((gate, address, kind)) = &self.0 else {
            return;
        };
        let mut held = gate.held();
        if let Some(count) = held.by.get_mut(&(*address, *kind)) {
            *count -= 1;
            if *count == 0 {
                held.by.remove(&(*address, *kind));
            }
        }
    }
}

/// Whom a proxy speaks for: the last address in X-Forwarded-For, which is the one that the proxy itself added. What
/// stands before it is what the device claims.
pub(crate) fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?;
    let last = last.to_str().ok()?.rsplit(',').next()?.trim();
    last.parse().ok().or_else(|| {
        // Some proxies add the port.
        let with_port: std::net::SocketAddr = last.parse().ok()?;
        Some(with_port.ip())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(change: impl FnOnce(&mut Limits)) -> Arc<Gate> {
        let mut limits = Limits::default();
        change(&mut limits);
        Arc::new(Gate::new(&limits))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_takes_its_share_and_leaves_the_rest() {
        let gate = gate(|limits| {
            limits.connections_per_address = 2;
            limits.spare_sockets_per_address = 1;
        });
        let [here, there] = [ip("2600::1"), ip("2600:0:0:1::1")];
        let mut held: Vec<_> = (0..2).map(|_| gate.device(here, false)).collect();
        assert!(held.iter().all(Option::is_some));
        assert!(gate.device(ip("2600::2"), false).is_none(), "the same /64");
        assert!(gate.device(there, false).is_some(), "another one");
        let sockets: Vec<_> = (0..4).map(|_| gate.socket(here)).collect();
        assert_eq!(sockets.iter().filter(|socket| socket.is_some()).count(), 3);
        held.pop();
        assert!(gate.device(here, false).is_some());
        drop((held, sockets));
        assert!(gate.held().by.is_empty());
    }

    #[test]
    fn new_ones_come_at_a_rate_and_this_machine_is_not_counted() {
        let gate = gate(|limits| limits.burst_new = 3);
        let opened = |ip| (0..9).filter(|_| gate.socket(ip).is_some()).count();
        assert_eq!(opened(ip("9.9.9.9")), 3);
        assert_eq!(opened(ip("9.9.9.8")), 3);
        assert_eq!(opened(ip("127.0.0.1")), 9);
        assert_eq!(opened(ip("::ffff:127.0.0.1")), 9);
    }

    #[test]
    fn only_what_the_proxy_added_is_believed() {
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("x-forwarded-for", value.parse().unwrap());
            }
            forwarded_for(&headers)
        };
        assert_eq!(read(&["9.9.9.9"]), Some(ip("9.9.9.9")));
        assert_eq!(read(&["1.1.1.1, 9.9.9.9"]), Some(ip("9.9.9.9")));
        assert_eq!(read(&["1.1.1.1", "2600::1"]), Some(ip("2600::1")));
        assert_eq!(read(&["9.9.9.9:80"]), Some(ip("9.9.9.9")));
        assert_eq!(read(&["[2600::1]:80"]), Some(ip("2600::1")));
        assert_eq!(read(&["nobody"]), None);
        assert_eq!(read(&[]), None);
    }
}
