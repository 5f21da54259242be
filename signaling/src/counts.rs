//! What is counted for the metrics and the status page. Sums only: no address, no tag, nothing per person.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::parcels::Sum;

/// Cheap to clone: all clones count together.
#[derive(Clone, Default)]
pub(crate) struct Counts {
    /// Devices connected now.
    pub(crate) devices: Gauge,
    /// Devices that came.
    pub(crate) arrivals: Counter,
    /// Messages heard from devices.
    pub(crate) messages: Counter,
    /// Messages passed on, each counted once however many hear it.
    pub(crate) relayed: Counter,
    /// Parcels that were kept, without and with a pass.
    pub(crate) kept: Family<Place, Counter>,
    /// Requests that were refused, by error code.
    pub(crate) refusals: Family<Code, Counter>,
    /// Connections that ended, by reason.
    pub(crate) ends: Family<Reason, Counter>,
    /// TCP connections closed at once, because their address holds or opens too many.
    pub(crate) turned_away: Counter,
}

/// What the backup keeps. Cheap to clone: all clones are one.
#[derive(Clone, Default)]
pub(crate) struct Stock {
    parcels: Family<Place, Gauge>,
    bytes: Family<Place, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Place {
    place: &'static str,
}

impl Place {
    fn of(under_pass: bool) -> Self {
        let place = if under_pass { "passes" } else { "open" };
        Self { place }
    }
}

impl Stock {
    /// The open pool, and all passes together.
    pub(crate) fn note(&self, used: [Sum; 2]) {
        for (under_pass, sum) in [false, true].into_iter().zip(used) {
            let place = Place::of(under_pass);
            let count = i64::try_from(sum.count).unwrap_or(i64::MAX);
            self.parcels.get_or_create(&place).set(count);
            let bytes = i64::try_from(sum.bytes).unwrap_or(i64::MAX);
            self.bytes.get_or_create(&place).set(bytes);
        }
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        let help = "Parcels kept now, in the open pool and under passes";
        registry.register("parcels", help, self.parcels.clone());
        let help = "Bytes that those count";
        registry.register("parcel_bytes", help, self.bytes.clone());
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Code {
    pub(crate) code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Reason {
    pub(crate) reason: &'static str,
}

impl Counts {
    pub(crate) fn kept(&self, under_pass: bool) {
        self.kept.get_or_create(&Place::of(under_pass)).inc();
    }

    pub(crate) fn refused(&self, code: &'static str) {
        self.refusals.get_or_create(&Code { code }).inc();
    }

    pub(crate) fn ended(&self, reason: &'static str) {
        self.ends.get_or_create(&Reason { reason }).inc();
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("devices", "Devices connected now", self.devices.clone());
        registry.register("arrivals", "Devices that came", self.arrivals.clone());
        registry.register(
            "messages",
            "Messages heard from devices",
            self.messages.clone(),
        );
        registry.register("relayed", "Messages passed on", self.relayed.clone());
        let help = "Parcels put and kept, doubles included";
        registry.register("parcels_kept", help, self.kept.clone());
        registry.register("refusals", "Requests refused", self.refusals.clone());
        registry.register("ends", "Connections that ended", self.ends.clone());
        let help = "TCP connections closed at once for their address";
        registry.register("turned_away", help, self.turned_away.clone());
    }
}
