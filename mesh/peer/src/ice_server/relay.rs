//! An allocation at the relay: who may send to it, and what goes either way.
//!
//! ```text
//!  peers[addr]   asked ---> permitted     by CreatePermission; what is sent meanwhile is held
//!  send_over     first as a Send indication, from the answer to ChannelBind on as ChannelData: 4 bytes more a datagram
//!  came_over     to the router, as if it had come to a socket of ours
//! ```

use super::{PEERS_MAX, RelayError, RelayReply, Task, UNUSED_FOR};
use crate::endpoint::Inner;
use crate::paths::Path;
use crate::session::lock;
use crate::socket::{Arrivals, SharedSocket};
use bytes::Bytes;
use rtc::stun::message::TransactionId;
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::sync::mpsc;

/// Datagrams to the relay that wait (count).
pub(super) const OUTBOX: usize = 512;
/// Datagrams to one other end that wait for its permission (count).
const HELD_MAX: usize = 32;

/// Who asked for several permissions, and is content with one.
#[derive(Clone)]
pub(super) struct Waiter(Arc<Mutex<Option<RelayReply>>>);

impl Waiter {
    fn new(reply: RelayReply) -> Self {
        Self(Arc::new(Mutex::new(Some(reply))))
    }

    /// One permission came, or did not.
    fn tell(self, outcome: &Result<SocketAddr, RelayError>) {
        if outcome.is_ok() || Arc::strong_count(&self.0) == 1 {
            let reply = lock(&self.0).take();
            reply.map(|reply| reply.send(outcome.clone()));
        }
    }
}

/// An allocation.
pub(super) struct Relay {
    addr: SocketAddr,
    socket: Arc<SharedSocket>,
    out: mpsc::Receiver<(SocketAddr, Bytes)>,
    peers: HashMap<SocketAddr, Peer>,
    asked: HashMap<TransactionId, SocketAddr>,
    used: Instant,
}

/// Another end.
#[derive(Default)]
pub(super) struct Peer {
    permitted: bool,
    held: VecDeque<Bytes>,
    waiting: Vec<Waiter>,
}

impl Relay {
    pub(super) fn new(id: u32, addr: SocketAddr, now: Instant) -> Self {
        let (out_tx, out) = mpsc::channel(OUTBOX);
        Self {
            addr,
            socket: Arc::new(SharedSocket::at_relay(id, addr, out_tx)),
            out,
            peers: HashMap::new(),
            asked: HashMap::new(),
            used: now,
        }
    }
}

impl Task {
    /// The allocation is there: asks for the permissions of those who wait.
    pub(super) fn permit_waiting(&mut self, now: Instant) {
        for (permit, reply) in std::mem::take(&mut self.waiting) {
            let Some(relay) = &mut self.relay else { return };
            relay.used = now;
            let same_family = |ip: &IpAddr| ip.is_ipv4() == relay.addr.is_ipv4();
            let ips: Vec<_> = permit.into_iter().filter(same_family).collect();
            let (addr, waiter) = (relay.addr, Waiter::new(reply));
            for ip in &ips {
                // The port says nothing: a permission is for an IP address.
                self.permit(SocketAddr::new(*ip, 9), Some(waiter.clone()), now);
            }
            if ips.is_empty() {
                waiter.tell(&Ok(addr));
            }
        }
    }

    /// Asks for a permission, once.
    fn permit(&mut self, peer: SocketAddr, waiter: Option<Waiter>, now: Instant) {
        let (Some(relay), Some(client)) = (&mut self.relay, &mut self.client) else {
            return;
        };
        let full = relay.peers.len() >= PEERS_MAX;
        let entry = match relay.peers.get_mut(&peer) {
            Some(known) => known,
            None if full => return,
            None => relay.peers.entry(peer).or_default(),
        };
        match waiter {
            Some(waiter) if entry.permitted => return waiter.tell(&Ok(relay.addr)),
            Some(waiter) => entry.waiting.push(waiter),
            None => {}
        }
        let asked = client
            .relay(relay.addr)
            .and_then(|mut own| own.create_permission(now, peer));
        if let Ok(Some(transaction)) = asked {
            relay.asked.insert(transaction, peer);
        }
    }

    pub(super) fn send_over(&mut self, to: SocketAddr, bytes: Bytes, now: Instant) {
        let (Some(relay), Some(client)) = (&mut self.relay, &mut self.client) else {
            return;
        };
        relay.used = now;
        match relay.peers.get_mut(&to) {
            Some(peer) if peer.permitted => {
                let sent = client
                    .relay(relay.addr)
                    .and_then(|mut own| own.send_to(now, &bytes, to));
                if let Err(error) = sent {
                    tracing::debug!(%error, "not relayed");
                }
            }
            Some(peer) if peer.held.len() < HELD_MAX => peer.held.push_back(bytes),
            _ => {}
        }
    }

    pub(super) fn permission_came(
        &mut self,
        transaction: &TransactionId,
        outcome: Result<(), RelayError>,
        now: Instant,
    ) {
        let Some(relay) = &mut self.relay else { return };
        let Some(addr) = relay.asked.remove(transaction) else {
            return;
        };
        let Some(peer) = relay.peers.get_mut(&addr) else {
            return;
        };
        peer.permitted = outcome.is_ok();
        let answer = outcome.map(|()| relay.addr);
        for waiter in peer.waiting.drain(..) {
            waiter.tell(&answer);
        }
        let held = std::mem::take(&mut peer.held);
        match answer {
            Ok(_) => held
                .into_iter()
                .for_each(|bytes| self.send_over(addr, bytes, now)),
            Err(_) => drop(relay.peers.remove(&addr)),
        }
    }

    /// Somebody sent to our address at the relay.
    pub(super) fn came_over(
        &mut self,
        peer: SocketAddr,
        bytes: &[u8],
        endpoint: &Arc<Inner>,
        now: Instant,
    ) {
        let Some(relay) = &mut self.relay else { return };
        relay.used = now;
        let socket = Arc::clone(&relay.socket);
        if !relay.peers.contains_key(&peer) {
            self.permit(peer, None, now);
        }
        let from = Path {
            remote: peer,
            local: None,
        };
        let arrivals = Arrivals {
            from,
            bytes,
            stride: bytes.len().max(1),
        };
        endpoint.router.deliver(&socket, &arrivals);
    }

    pub(super) fn give_back_unused(&mut self, now: Instant) {
        let Some(relay) = &mut self.relay else { return };
        // Links hold their sockets.
        if Arc::strong_count(&relay.socket) > 1 {
            relay.used = now;
        } else if now.saturating_duration_since(relay.used) > UNUSED_FOR {
            if let Some(client) = &mut self.client {
                let _ = client.relay(relay.addr).and_then(|mut own| own.close(now));
            }
            self.relay = None;
        }
    }
}

/// The next datagram to the relay; for ever none without one.
pub(super) async fn next_out(relay: &mut Option<Relay>) -> Option<(SocketAddr, Bytes)> {
    match relay {
        Some(relay) => relay.out.recv().await,
        None => std::future::pending().await,
    }
}
