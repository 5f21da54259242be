//! Letting somebody in who is about to dial: a firewall or a router on our side lets through what answers us, so we send first.

use super::{ADDRS_MAX, Endpoint, Inner};
use crate::session::lock;
use crate::stun;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a packet goes to who is about to dial.
const EXPECT_EVERY: Duration = Duration::from_millis(250);
/// Addresses from which somebody is expected at a time (count): each costs a packet every [`EXPECT_EVERY`].
const EXPECTED_MAX: usize = 256;

impl Endpoint {
    /// Somebody is about to dial from there: packets of ours go there for a while, so that a firewall that
    /// lets in only what was asked for takes theirs for answers. An address that is awaited already is awaited for
    /// longer, and gets no more packets: whoever passes a request on may repeat it.
    pub fn expect(&self, addrs: Vec<SocketAddr>, span: Duration) {
        let mut fresh = self.0.newly_expected(addrs, Instant::now() + span);
        if fresh.is_empty() {
            return;
        }
        let inner = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            loop {
                {
                    let Some(inner) = inner.upgrade() else { return };
                    fresh.retain(|addr| inner.is_expected(addr));
                    fresh.iter().for_each(|addr| inner.send_opener(*addr));
                }
                if fresh.is_empty() {
                    return;
                }
                tokio::time::sleep(EXPECT_EVERY).await;
            }
        });
    }
}

impl Inner {
    /// Notes from where somebody comes, and gives those addresses that nobody looks after yet.
    fn newly_expected(&self, addrs: Vec<SocketAddr>, until: Instant) -> Vec<SocketAddr> {
        let mut expected = lock(&self.expected);
        let mut fresh = Vec::new();
        for addr in addrs.into_iter().take(ADDRS_MAX) {
            if let Some(known) = expected.get_mut(&addr) {
                *known = until.max(*known);
            } else if expected.len() < EXPECTED_MAX {
                expected.insert(addr, until);
                fresh.push(addr);
            }
        }
        fresh
    }

    /// Whether somebody still is; asked by whoever looks after that address, which ends with it.
    fn is_expected(&self, addr: &SocketAddr) -> bool {
        let mut expected = lock(&self.expected);
        let is = expected
            .get(addr)
            .is_some_and(|until| *until > Instant::now());
        if !is {
            expected.remove(addr);
        }
        is
    }

    /// What fails is sent again in a moment.
    fn send_opener(&self, destination: SocketAddr) {
        let mut transaction = [0; 12];
        let _ = getrandom::fill(&mut transaction);
        if let Some(socket) = self.sockets.iter().find(|s| s.reaches(&destination)) {
            let _ = socket.try_send(&quinn_udp::Transmit {
                destination,
                ecn: None,
                contents: &stun::indication(transaction),
                segment_size: None,
                src_ip: None,
            });
        }
    }
}
