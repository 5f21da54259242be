//! Every bound of the server.

use std::time::Duration;

/// What strangers may make the server keep and do. [`Limits::worst_bytes`] says what that comes to; `bench signaling` measures
/// what quiet devices take.
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
    /// Bytes read from a device at a time; each connection keeps as many.
    pub read_buffer: usize,
    /// Messages a second from one device, in the long run. Refused ones count too.
    pub messages_per_second: u32,
    /// Messages that a device may send at once after a silence.
    pub burst: u32,
    /// Messages in a row refused for their rate, after which the connection ends.
    pub refused_in_a_row: u32,
    /// Messages that wait for a device that reads slowly; when one more comes, its connection ends. A sender's burst
    /// and somewhat more.
    pub outbox: usize,
    /// Bytes of the messages that wait for one device, likewise.
    pub outbox_bytes: usize,
    /// Bytes of the messages that wait for all devices together, counted for each; beyond it a device for which one more
    /// comes is ended.
    pub waiting_bytes: usize,
    /// How often a device is pinged.
    pub ping_every: Duration,
    /// A device from which nothing came for this long, not even a pong, is gone.
    pub idle: Duration,
    /// Writing one message to a device may take this long.
    pub write: Duration,
    /// The bounds of STUN and TURN.
    pub turn: TurnLimits,
    /// The sealed backup's own bounds.
    pub parcels: ParcelLimits,
    /// Bounds of what goes between processes.
    pub exchange: ExchangeLimits,
}

/// Tasks, buckets and socket buffers of ours for one device, rounded up: `bench signaling` measures 9 KiB.
const QUIET_BYTES: usize = 16 * 1024;
/// A relay with all its permissions and channels, rounded up.
const RELAY_BYTES: usize = 64 * 1024;
/// An entry of the parcels' index in its list, which has twice the room at worst.
const INDEX_BYTES: usize = 128;
/// The program, its database's cache and the runtime.
const FIXED_BYTES: usize = 64 * 1024 * 1024;

impl Limits {
    /// Memory at worst, when everybody is hostile at once, in bytes. For each of [`Limits::connections`]: the halves of a message as it comes
    /// in (up to twice [`Limits::message_bytes`]), and the largest message that was written to it, of which the WebSocket keeps the buffer. For all of
    /// them [`Limits::waiting_bytes`], relays, and the parcels' index. TLS by files adds its own buffers, and a carrier box its node.
    #[must_use]
    pub fn worst_bytes(&self) -> usize {
        let device = self
            .message_bytes
            .saturating_mul(2)
            .saturating_add(self.message_bytes.max(self.parcels.page_bytes))
            .saturating_add(self.read_buffer)
            .saturating_add(QUIET_BYTES);
        let spare = self.spare_sockets.saturating_mul(QUIET_BYTES);
        let parcels = self.parcels.count.saturating_add(self.parcels.passes_count);
        let queue = self.parcels.queue.saturating_mul(self.parcels.data_bytes);
        self.connections
            .saturating_mul(device)
            .saturating_add(spare)
            .saturating_add(self.waiting_bytes)
            .saturating_add(self.turn.allocations.saturating_mul(RELAY_BYTES))
            .saturating_add(parcels.saturating_mul(INDEX_BYTES))
            .saturating_add(queue)
            .saturating_add(FIXED_BYTES)
    }
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

/// What strangers may leave in the sealed backup, and what asking may cost.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ParcelLimits {
    /// Sealed bytes of one parcel.
    pub data_bytes: usize,
    /// Bytes of all parcels together. Each counts its sealed bytes and [`ParcelLimits::overhead_bytes`].
    pub pool_bytes: u64,
    /// Bytes of one tag's parcels, counted likewise.
    pub tag_bytes: u64,
    /// What a parcel counts beside its sealed bytes.
    pub overhead_bytes: u64,
    /// Parcels in all: about 60 bytes of memory each, whatever their size.
    pub count: usize,
    /// Parcels of one tag. A put looks through as many digests.
    pub count_per_tag: usize,
    /// Bytes of all parcels under carry passes together, counted likewise. A carrier box takes them beside the open pool.
    pub passes_bytes: u64,
    /// Parcels under passes, in all: about 60 bytes of memory each, as those of the open pool.
    pub passes_count: usize,
    /// Parcels under one day of a pass.
    pub count_per_pass: usize,
    /// Bytes that parcels under passes leave free on the disk.
    pub disk_reserve: u64,
    /// How far ahead a parcel may expire; what lies beyond is cut to it.
    pub ttl: Duration,
    /// How often expired parcels are removed. They are not handed out meanwhile.
    pub sweep_every: Duration,
    /// Puts and fetches a second from one device, in the long run. A put costs a check of a signature.
    pub per_second: u32,
    /// Puts and fetches that a device may send at once after a silence.
    pub burst: u32,
    /// Signatures checked or made a second for all devices together: about a tenth of a core. A put under a pass takes three.
    pub checks_per_second: u32,
    /// Puts and fetches that wait for the disk. Beyond it they are refused.
    pub queue: usize,
    /// JSON text of one answer to a fetch, unless its one parcel is larger.
    pub page_bytes: usize,
    /// How long a device waits for the disk before it is refused.
    pub wait: Duration,
}

impl Default for ParcelLimits {
    fn default() -> Self {
        Self {
            data_bytes: 32 * 1024,
            pool_bytes: 64 * 1024 * 1024,
            tag_bytes: 4 * 1024 * 1024,
            overhead_bytes: 64,
            count: 256 * 1024,
            count_per_tag: 16 * 1024,
            passes_bytes: 1024 * 1024 * 1024,
            passes_count: 512 * 1024,
            count_per_pass: 64 * 1024,
            disk_reserve: 256 * 1024 * 1024,
            ttl: Duration::from_secs(72 * 3600),
            sweep_every: Duration::from_secs(20),
            per_second: 10,
            burst: 30,
            checks_per_second: 1000,
            queue: 256,
            page_bytes: 64 * 1024,
            wait: Duration::from_secs(10),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16_384,
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
            read_buffer: 2 * 1024,
            messages_per_second: 20,
            burst: 60,
            refused_in_a_row: 64,
            outbox: 96,
            outbox_bytes: 512 * 1024,
            waiting_bytes: 128 * 1024 * 1024,
            ping_every: Duration::from_secs(20),
            idle: Duration::from_secs(60),
            write: Duration::from_secs(10),
            turn: TurnLimits::default(),
            parcels: ParcelLimits::default(),
            exchange: ExchangeLimits::default(),
        }
    }
}

/// What goes between several processes through Redis.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExchangeLimits {
    /// Messages on their way to Redis; further ones reach only devices on this process.
    pub sends: usize,
    /// Tags that were joined or left and of which Redis was not told yet. When one more comes, Redis is told of all
    /// anew.
    pub changes: usize,
    /// Tags that Redis is told of in one step.
    pub step: usize,
    /// How long Redis may take for an answer before the connection counts as lost.
    pub wait: Duration,
    /// How often a process says that it lives.
    pub beat_every: Duration,
    /// A process that hasn't said so for this long counts no more.
    pub life: Duration,
    /// How often Redis is told of all tags anew.
    pub retell_every: Duration,
    /// How long Redis remembers what it was told of a tag.
    pub memory: Duration,
    /// The pause before the first attempt to connect again; it doubles with each one.
    pub pause_least: Duration,
    /// The longest such pause.
    pub pause_most: Duration,
}

impl Default for ExchangeLimits {
    fn default() -> Self {
        Self {
            sends: 256,
            changes: 4096,
            step: 512,
            wait: Duration::from_secs(2),
            beat_every: Duration::from_secs(4),
            life: Duration::from_secs(12),
            retell_every: Duration::from_secs(15 * 60),
            memory: Duration::from_secs(60 * 60),
            pause_least: Duration::from_millis(100),
            pause_most: Duration::from_secs(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    /// The value of a line `NAME=…` of a unit, in MiB.
    fn memory_max(unit: &str) -> usize {
        let line = unit
            .lines()
            .find_map(|line| line.strip_prefix("MemoryMax="));
        let (number, unit) = line.map(|max| max.split_at(max.len() - 1)).unwrap();
        let number: usize = number.parse().unwrap();
        match unit {
            "M" => number * MIB,
            "G" => number * 1024 * MIB,
            _ => panic!("{unit}"),
        }
    }

    /// `--connections N` of the line that starts the program.
    fn limits_of(unit: &str) -> Limits {
        let start = unit.lines().find(|line| line.starts_with("ExecStart="));
        let mut words = start.unwrap().split_whitespace();
        let mut limits = Limits::default();
        if words.any(|word| word == "--connections") {
            limits.connections = words.next().unwrap().parse().unwrap();
        }
        limits
    }

    #[test]
    fn the_units_give_as_much_memory_as_hostile_devices_can_take() {
        let server = include_str!("../deploy/peddlenet-signaling.service");
        let carrier = include_str!("../deploy/peddlenet-box.service");
        // A box's node has links to a dozen devices, and a room's log of its own.
        for (unit, beside) in [(server, 0), (carrier, 128 * MIB)] {
            let worst = limits_of(unit).worst_bytes() + beside;
            let max = memory_max(unit);
            assert!(worst <= max, "{} of {} MiB", worst / MIB, max / MIB);
            assert!(max / 2 < worst, "far more than it can need");
        }
    }
}
