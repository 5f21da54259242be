//! Tests and benchmarks that cross crates.

pub mod bench;
pub mod hostile;
pub mod lab;
pub mod node_process;
mod programs;
pub mod raw;
pub mod sealed;
pub mod server_process;
