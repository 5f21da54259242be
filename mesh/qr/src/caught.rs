//! Runs foreign code that may panic, and says nothing on stderr when it does.
//!
//! rqrr 0.11 asserts inside `detect_grids` on some photographs. A camera feeds it 10 frames a
//! second, so the usual panic message would flood the log. The message is printed by the process-wide
//! panic hook; ours, put in front of the old one on first use, stays quiet on a thread that is inside
//! [`caught`] and hands every other panic to the hook that was there. A program that sets a hook of its
//! own afterwards replaces ours: then the messages are back, and nothing else changes.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// The result of `run`, or `None` when it panicked. Whatever `run` borrows mutably must not be used after
/// a panic: every caller here drops it.
pub(crate) fn caught<T>(what: &str, run: impl FnOnce() -> T) -> Option<T> {
    install_hook();
    let outer = INSIDE.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    INSIDE.set(outer);
    result
        .inspect_err(|panic| tracing::debug!(what, reason = reason(&**panic), "gave up"))
        .ok()
}

fn install_hook() {
    static INSTALLED: Once = Once::new();
    // `take_hook` itself panics on a thread that is already unwinding.
    if std::thread::panicking() {
        return;
    }
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // No thread-local any more while a thread ends: then it is not inside `caught`.
            if !INSIDE.try_with(Cell::get).unwrap_or(false) {
                previous(info);
            }
        }));
    });
}

fn reason(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no reason given")
}
