//! Node: one task that owns the state and drives the pure crates.
