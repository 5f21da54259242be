//! Rooms that grew from one code, as whole `peddlenet-node` processes: thirty of them, and one with
//! a long past. A program of its own, so that nothing else runs beside it.
//!
//! What is asserted are outcomes under generous deadlines; the times are printed.

mod town;

mod long_past;
mod thirty;

use std::sync::Mutex;

/// One test at a time: each fills the machine.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> std::sync::MutexGuard<'static, ()> {
    // A test that failed under the lock has left nothing behind.
    ALONE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
