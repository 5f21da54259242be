//! What STUN and TURN did since the start, counted for the metrics. Sums only.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

/// Cheap to clone: all clones count together.
#[derive(Clone, Default)]
pub(crate) struct Traffic {
    /// Requests for the own address that were answered.
    pub(crate) bindings: Counter,
    /// Relays handed out.
    pub(crate) relays: Counter,
    /// Bytes from and to peers.
    pub(crate) bytes: Counter,
    /// Datagrams lost to the rate of a relay or a busy network.
    pub(crate) dropped: Counter,
    /// Peers and datagrams that the refusal list stopped.
    pub(crate) refused: Counter,
    /// Requests with a wrong or an old credential.
    pub(crate) unauthorized: Counter,
    /// Requests unanswered because their address asks too often.
    pub(crate) flooding: Counter,
}

impl Traffic {
    pub(crate) fn register(&self, registry: &mut Registry) {
        for (name, help, counter) in [
            (
                "stun_bindings",
                "Requests for the own address answered",
                &self.bindings,
            ),
            ("turn_relays", "Relays handed out", &self.relays),
            (
                "turn_bytes",
                "Bytes from and to peers of relays",
                &self.bytes,
            ),
            (
                "turn_dropped",
                "Datagrams lost to a relay's rate or a busy network",
                &self.dropped,
            ),
            (
                "turn_refused",
                "Peers and datagrams that the refusal list stopped",
                &self.refused,
            ),
            (
                "turn_unauthorized",
                "Requests with a wrong or an old credential",
                &self.unauthorized,
            ),
            (
                "turn_flooding",
                "Requests unanswered because their address asks too often",
                &self.flooding,
            ),
        ] {
            registry.register(name, help, counter.clone());
        }
    }
}
