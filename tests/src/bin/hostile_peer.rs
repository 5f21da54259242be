//! The attacking process of the hostile runs: `hostile_peer ATTACK CODE SECONDS`.
//!
//! Ends when the time is over or its input ends, and prints what it sent. Attacks, and who drives
//! them: `peddlenet_tests::hostile`.

use std::{
    io::Read as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [attack, code, seconds] = args.as_slice() else {
        bail!("hostile_peer ATTACK CODE SECONDS")
    };
    let span = Duration::from_secs(seconds.parse().context("SECONDS")?);
    let seed = std::env::var("PEDDLENET_SEED").ok();
    let seed = seed.and_then(|s| s.parse().ok()).unwrap_or(1);
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        stopped.store(true, Ordering::Relaxed);
    });
    let sent = peddlenet_tests::hostile::attack::run(attack, code, span, seed, &stop)?;
    println!("{sent}");
    // Links of an attacker say no goodbye.
    std::process::exit(0)
}
