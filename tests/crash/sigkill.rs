//! SIGKILL at random moments, on one store, again and again; a new store after fifty.
//!
//! `PEDDLENET_KILLS=N` sets the number of rounds (50 without it), `PEDDLENET_SEED=S` the seed.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use crate::{log::child, number_from_env, workload::Random};

/// Rounds on one store; its checks take longer as it grows.
const STORE_ROUNDS: u64 = 50;

#[test]
fn a_kill_loses_nothing_that_was_acknowledged() {
    let (rounds, seed) = (
        number_from_env("PEDDLENET_KILLS", 50),
        number_from_env("PEDDLENET_SEED", 0x5eed),
    );
    println!("{rounds} kills, seed {seed} (PEDDLENET_SEED={seed} repeats the moments)");
    let mut folder = tempfile::tempdir().unwrap();
    let mut random = Random(seed);
    let (mut acked, mut while_opening, mut committed) = (0, 0, 0);
    for round in 0..rounds {
        if round > 0 && round % STORE_ROUNDS == 0 {
            folder = tempfile::tempdir().unwrap();
            acked = 0;
        }
        let before = acked;
        // A third of the kills hits the opening, which takes some milliseconds.
        let limit = if round % 3 == 0 { 12_000 } else { 250_000 };
        let delay = Duration::from_micros(random.next() % limit);
        let (last_acked, opened) = run_and_kill(folder.path(), delay);
        acked = last_acked.unwrap_or(acked);
        while_opening += u64::from(!opened);
        assert!(acked >= before);
        committed += acked - before;
        let output = check(folder.path(), acked);
        assert!(
            output.status.success(),
            "round {round}, seed {seed}, {acked} acknowledged: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        // The check has committed twice itself.
        acked += 2;
    }
    println!("{committed} commits, {while_opening} of {rounds} kills while opening");
    assert!(
        committed > rounds,
        "nothing was committed between the kills"
    );
    assert!(rounds < 20 || while_opening > 0, "no kill hit an opening");
}

/// The last acknowledged commit, if any, and whether the store had opened.
fn run_and_kill(folder: &Path, delay: Duration) -> (Option<u64>, bool) {
    let mut process = Command::new(child())
        .args([
            "store".as_ref(),
            folder.join("store").as_os_str(),
            "0".as_ref(),
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "OPENING");
    let killer = std::thread::spawn(move || {
        std::thread::sleep(delay);
        // SIGKILL, on Unix.
        process.kill().unwrap();
        process.wait().unwrap()
    });
    let (mut acked, mut opened) = (None, false);
    // A line that the kill cut off acknowledges nothing.
    for line in lines.map_while(Result::ok) {
        opened |= line.starts_with("OPEN ");
        acked = line
            .strip_prefix("ACK ")
            .and_then(|n| n.parse().ok())
            .or(acked);
    }
    let status = killer.join().unwrap();
    assert!(
        !status.success() && status.code().is_none(),
        "the child ended by itself: {status}"
    );
    (acked, opened)
}

fn check(folder: &Path, acked: u64) -> std::process::Output {
    Command::new(child())
        .args([
            "check".as_ref(),
            folder.join("store").as_os_str(),
            acked.to_string().as_ref(),
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap()
}
