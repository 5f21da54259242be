//! Tests and benchmarks that cross crates.

pub mod bench;
