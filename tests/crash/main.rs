//! What survives a SIGKILL and a power cut.
//!
//! ```text
//!  crash_child --(LD_PRELOAD shim.c)--> log of writes, fsyncs, names, ACKs
//!                                          |  replay, cut anywhere
//!                                          v
//!                                       disk.rs --> image --> crash_child check, a fresh process
//! ```
//!
//! Linux only: elsewhere there is no such recorder.

#![cfg(target_os = "linux")]

mod disk;
mod log;
mod power_cut;
mod sigkill;
#[expect(dead_code, reason = "shared with the child, each side uses a part")]
mod workload;

/// A number of rounds or a seed from the environment.
fn number_from_env(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}")),
        Err(_) => default,
    }
}
