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
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            spare_sockets: 64,
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
        }
    }
}
