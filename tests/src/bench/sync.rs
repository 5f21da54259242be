//! `bench sync`: what two devices send until one has what it lacked, beside `negentropy` 0.5.
//!
//! Measured in virtual time by `peddlenet_sim::ours::reconcile`, which says what is counted.

use anyhow::{Result, ensure};
use peddlenet_sim::ours::reconcile;
use serde_json::{Value, json};

/// Every size of difference, ours and theirs by turns, with one seed.
///
/// # Errors
/// No row came out.
pub fn run(seed: u64) -> Result<Vec<Value>> {
    let rows = reconcile::rows(seed);
    ensure!(!rows.is_empty(), "nothing was measured");
    let row = |row: reconcile::Row| {
        json!({
            "bench": "sync",
            "system": row.system,
            "missing": row.missing,
            "where": if row.recent { "newest" } else { "anywhere" },
            "reconcile_bytes": row.reconcile_bytes,
            "fetch_bytes": row.fetch_bytes,
            "round_trips": row.round_trips,
        })
    };
    Ok(rows.into_iter().map(row).collect())
}
