//! Every bound of the server.

use std::time::Duration;

/// What strangers may make the server keep and do. The default is for a small machine: at worst, with every outbox full of
/// the largest messages, [`Limits::message_bytes`] times [`Limits::outbox`] a connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Devices connected at a time. Further ones are answered with 503.
    pub connections: usize,
    /// TCP connections beyond those, for health checks and for saying no. Further ones wait unaccepted.
    pub spare_sockets: usize,
    /// Devices from one network address: an IPv4 address, or a /64 of IPv6. A carrier's or a festival's NAT has many behind one.
    pub connections_per_address: usize,
    /// TCP connections from one address beyond those.
    pub spare_sockets_per_address: usize,
    /// New connections a second from one address, in the long run.
    pub new_per_second: u32,
    /// New connections from one address at once after a silence.
    pub burst_new: u32,
    /// Whether the bounds for one address hold for 127.0.0.0/8 and ::1 too. Not by default: there stand proxies.
    pub counts_loopback: bool,
    /// From a TCP connection to the answer or the WebSocket.
    pub request: Duration,
    /// Over how long the goodbyes are spread when the server stops, so that not all devices turn to the next one at once.
    pub drain: Duration,
    /// Tags that one device holds at a time.
    pub tags_per_connection: usize,
    /// Devices that hold one tag.
    pub subscribers_per_tag: usize,
    /// One message, as JSON text. Up to twice this is answered with an error, more ends the connection.
    pub message_bytes: usize,
    /// Messages a second from one device, in the long run. Refused ones count too.
    pub messages_per_second: u32,
    /// Messages that a device may send at once after a silence.
    pub burst: u32,
    /// Messages in a row refused for their rate, after which the connection ends.
    pub refused_in_a_row: u32,
    /// Messages that wait for a device that reads slowly; when one more comes, its connection ends.
    pub outbox: usize,
    /// How often a device is pinged.
    pub ping_every: Duration,
    /// A device from which nothing came for this long, not even a pong, is gone.
    pub idle: Duration,
    /// Writing one message to a device may take this long.
    pub write: Duration,
    /// The bounds of STUN and TURN.
    pub turn: TurnLimits,
}

/// What strangers may make STUN and TURN keep and do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TurnLimits {
    /// Relays in all: a socket, a task and about 4 KiB each.
    pub allocations: usize,
    /// Relays for one username, that is for one device: it may have a few networks, and a link that is being replaced.
    pub allocations_per_user: usize,
    /// Relays for devices of one address, as behind the NAT of a carrier or of a festival's Wi-Fi.
    pub allocations_per_address: usize,
    /// Permissions of one relay, and channels: a task each.
    pub peers_per_allocation: usize,
    /// Bytes a second through one relay, both directions together, in the long run.
    pub bytes_per_second: u32,
    /// Bytes through one relay at once after a silence.
    pub burst_bytes: u32,
    /// A relay that isn't refreshed ends after this.
    pub lifetime: Duration,
    /// How long a credential is good for a new relay.
    pub credential_ttl: Duration,
    /// How long after that it is still good to keep a relay that there is.
    pub grace: Duration,
    /// How long a nonce is good.
    pub nonce_ttl: Duration,
    /// Requests a second from one address that are answered, in the long run. Data doesn't count.
    pub requests_per_second: u32,
    /// Requests from one address that are answered at once after a silence.
    pub burst_requests: u32,
    /// Addresses whose rates are remembered one by one; about 100 bytes each.
    pub addresses: usize,
}

impl Default for TurnLimits {
    fn default() -> Self {
        Self {
            allocations: 1024,
            allocations_per_user: 4,
            allocations_per_address: 128,
            peers_per_allocation: 64,
            bytes_per_second: 1024 * 1024,
            burst_bytes: 2 * 1024 * 1024,
            lifetime: Duration::from_secs(600),
            credential_ttl: Duration::from_secs(3600),
            grace: Duration::from_secs(3 * 3600),
            nonce_ttl: Duration::from_secs(3600),
            requests_per_second: 100,
            burst_requests: 300,
            addresses: 4096,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            spare_sockets: 512,
            connections_per_address: 512,
            spare_sockets_per_address: 32,
            new_per_second: 20,
            burst_new: 200,
            counts_loopback: false,
            request: Duration::from_secs(8),
            drain: Duration::ZERO,
            tags_per_connection: 64,
            subscribers_per_tag: 64,
            message_bytes: 64 * 1024,
            messages_per_second: 20,
            burst: 60,
            refused_in_a_row: 64,
            outbox: 16,
            ping_every: Duration::from_secs(20),
            idle: Duration::from_secs(60),
            write: Duration::from_secs(10),
            turn: TurnLimits::default(),
        }
    }
}
