//! The wall clock: the one place of the mesh that reads it. Everything else is handed the time.

use std::time::{SystemTime, UNIX_EPOCH};

use peddlenet_wire::Timestamp;

/// Now, by this device's clock; the epoch itself when the clock stands before it.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
