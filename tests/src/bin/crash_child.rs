//! The process that the crash tests kill, and the fresh one that looks at what it left.
//!
//! ```text
//! crash_child plain DIR COUNT        COUNT commits to a store that is not sealed
//! crash_child store DIR COUNT        sealed: OPENING, OPEN last, then commits: ACK n after each; 0 is for ever
//! crash_child check DIR ACKED        exit 0 when every commit up to ACKED is there, and takes one more
//! crash_child stock DIR COUNT        the same on sled as it comes, acknowledged after flush()
//! crash_child check-stock DIR ACKED
//! ```
//!
//! Standard output carries those lines only: under the power-cut recorder they are the record of
//! what was acknowledged.

#[path = "../../crash/workload.rs"]
mod workload;

use std::{
    io::{self, Write as _},
    path::Path,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use peddlenet_crypto::vault::MasterKey;
use peddlenet_store::{Opened, Options, SledStore, Store};

/// The commit after which a counted run writes its database anew.
const COMPACT_AT: u64 = 150;
/// Commits between two pauses, in which sled's own thread cleans and flushes.
const PAUSE_EVERY: u64 = 40;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [mode, folder, number] = args.as_slice() else {
        bail!("crash_child MODE DIR NUMBER")
    };
    let (folder, number) = (Path::new(folder), number.parse().context("NUMBER")?);
    match mode.as_str() {
        "plain" => plain(folder, number),
        "store" => store(folder, number),
        "check" => check(folder, number),
        "stock" => stock(folder, number),
        "check-stock" => check_stock(folder, number),
        other => bail!("no mode {other}"),
    }
}

/// Stores are sealed, as they are in the app.
fn options() -> Options {
    peddlenet_tests::sealed::options(&MasterKey::from_bytes([0x5e; 32]))
}

/// A store from before there was sealing.
fn plain(folder: &Path, count: u64) -> Result<()> {
    let (mut store, _) = SledStore::open_in(folder, Options::default())?;
    (1..=count).try_for_each(|n| Ok(store.commit(&workload::commit(n))?))
}

fn store(folder: &Path, count: u64) -> Result<()> {
    say("OPENING")?;
    let (mut store, opened) = SledStore::open_in(folder, options())?;
    ensure!(
        !matches!(opened, Opened::Quarantined { .. }),
        "quarantined: {opened:?}"
    );
    let last = workload::last(&store)?;
    say(&format!("OPEN {last}"))?;
    let mut done = 0;
    while count == 0 || done < count {
        done += 1;
        let n = last + done;
        store.commit(&workload::commit(n))?;
        say(&format!("ACK {n}"))?;
        if count > 0 && n == COMPACT_AT {
            store.compact()?;
        }
        if count > 0 && n.is_multiple_of(PAUSE_EVERY) {
            std::thread::sleep(Duration::from_millis(120));
        }
    }
    Ok(())
}

fn check(folder: &Path, acked: u64) -> Result<()> {
    for again in 0..2 {
        let (mut store, opened) = SledStore::open_in(folder, options())?;
        ensure!(
            !matches!(opened, Opened::Quarantined { .. }),
            "quarantined: {opened:?}"
        );
        workload::check(&store, acked + again)?;
        let last = workload::last(&store)?;
        store
            .commit(&workload::commit(last + 1))
            .context("a commit after the crash")?;
    }
    Ok(())
}

fn stock(folder: &Path, count: u64) -> Result<()> {
    say("OPENING")?;
    let db = sled::open(folder)?;
    say("OPEN 0")?;
    for n in 1..=count {
        db.insert(n.to_be_bytes(), workload::stock_value(n))?;
        db.flush()?;
        say(&format!("ACK {n}"))?;
        if n.is_multiple_of(PAUSE_EVERY) {
            std::thread::sleep(Duration::from_millis(120));
        }
    }
    Ok(())
}

fn check_stock(folder: &Path, acked: u64) -> Result<()> {
    let db = sled::open(folder)?;
    for n in 1..=acked {
        let value = db
            .get(n.to_be_bytes())?
            .with_context(|| format!("{n} of {acked} is missing"))?;
        ensure!(value == workload::stock_value(n), "{n} differs");
    }
    Ok(())
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes())?;
    out.flush()
}
