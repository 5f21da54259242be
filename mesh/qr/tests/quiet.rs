//! A detector's panic says nothing on stderr; everybody else's is still reported.
//!
//! Alone in its own process, because the panic hook belongs to the whole process.

use std::panic;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Instant;

use peddlenet_qr::{Detector, Found, Luma, decode_with};

static REPORTED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Panics itself while another thread panics for reasons of its own.
struct PanicsBesideAnother;

impl Detector for PanicsBesideAnother {
    fn name(&self) -> &'static str {
        "panics beside another"
    }

    fn detect(&self, _: &Luma<'_>, _: Instant) -> Found {
        let (started, wait) = mpsc::channel();
        let other = thread::spawn(move || {
            started.send(()).unwrap();
            panic!("another thread");
        });
        wait.recv().unwrap();
        assert!(other.join().is_err());
        panic!("inside the detector");
    }
}

#[test]
fn only_the_detectors_own_panic_is_quiet() {
    panic::set_hook(Box::new(|info| {
        REPORTED.lock().unwrap().push(info.to_string());
    }));
    let picture = Luma::new(1, 1, vec![0]).unwrap();
    assert!(decode_with(&[&PanicsBesideAnother], &picture).is_empty());
    let afterwards = panic::catch_unwind(|| panic!("same thread, afterwards"));
    assert!(afterwards.is_err());

    let reported = REPORTED.lock().unwrap();
    assert_eq!(reported.len(), 2, "{reported:?}");
    assert!(reported[0].contains("another thread"));
    assert!(reported[1].contains("same thread, afterwards"));
}
