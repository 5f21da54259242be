//! Power cuts: record a run, cut anywhere, look at what a fresh process finds.
//!
//! `PEDDLENET_IMAGES=N` sets the number of images (20 without it), `PEDDLENET_COMMITS=N` the length of
//! the run they are cut from (300), `PEDDLENET_SEED=S` the seed.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    disk::Survival,
    log::{Op, Recording, child},
    number_from_env,
    workload::Random,
};

const COMMITS: u64 = 300;
/// Every n-th image is itself run and cut again: power cuts come in series.
const AGAIN_EVERY: u64 = 4;
const COMMITS_AGAIN: u64 = 25;
/// Commits in a plain store that is to be sealed.
const COMMITS_PLAIN: u64 = 120;
/// A check that takes longer hangs.
const CHECK_TIME: Duration = Duration::from_secs(60);

#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let (images, seed) = (number_from_env("PEDDLENET_IMAGES", 20), seed());
    let failures = cut_all("store", "check", images, seed).unwrap();
    assert!(
        failures.is_empty(),
        "seed {seed}: {} of {images} images: {failures:#?}",
        failures.len()
    );
}

/// The first sealed opening of a store from before there was sealing writes it anew.
#[test]
fn a_power_cut_while_an_older_store_is_sealed_loses_nothing() {
    let (images, seed) = (number_from_env("PEDDLENET_IMAGES", 20), seed());
    println!("{images} images, seed {seed} (PEDDLENET_SEED={seed} repeats it)");
    let plain = tempfile::tempdir().unwrap();
    let written = Command::new(child())
        .args(["plain".as_ref(), plain.path().join("store").as_os_str()])
        .arg(COMMITS_PLAIN.to_string())
        .status()
        .unwrap();
    assert!(written.success());
    let recording = Recording::of("store", 3, Some(plain.path())).unwrap();
    let swap = |op: &Op| matches!(op, Op::Rename { to, .. } if to.ends_with("sled.old"));
    let swap = recording.ops.iter().position(swap);
    let swap = swap.expect("the store was written anew");
    let mut random = Random(seed);
    let mut failures = Vec::new();
    for number in 0..images {
        // A third of the cuts comes around the swap.
        let cut = match number % 3 {
            0 => swap + usize::try_from(number / 3 % 12).unwrap(),
            _ => usize::try_from(random.next()).unwrap() % recording.ops.len(),
        };
        let cut = cut.min(recording.ops.len());
        let mut disk = recording.disk().unwrap();
        let mut acked = COMMITS_PLAIN;
        for op in &recording.ops[..cut] {
            disk.replay(op).unwrap();
            acked = acked_by(op).unwrap_or(acked);
        }
        let survival =
            [Survival::Synced, Survival::InOrder, Survival::Sectors][(number / 3 % 3) as usize];
        let image = tempfile::tempdir().unwrap();
        disk.cut(survival, &mut random, image.path()).unwrap();
        if let Err(error) = look("check", image.path(), acked) {
            failures.push(format!(
                "image {number}, {survival:?}, cut at {cut} of {} (swap at {swap}), {acked} acknowledged: {error:#}",
                recording.ops.len()
            ));
        }
    }
    assert!(failures.is_empty(), "seed {seed}: {failures:#?}");
}

#[test]
fn the_harness_finds_what_stock_sled_loses() {
    let (images, seed) = (number_from_env("PEDDLENET_IMAGES", 20).min(40), seed());
    let failures = cut_all("stock", "check-stock", images, seed).unwrap();
    println!(
        "stock sled 0.34.7: {} of {images} images lost data or did not open",
        failures.len()
    );
    assert!(
        !failures.is_empty(),
        "seed {seed}: the harness found nothing in {images} images of stock sled"
    );
}

#[test]
fn replaying_everything_gives_what_is_on_disk() {
    let recording = Recording::of("store", 160, None).unwrap();
    let mut disk = recording.disk().unwrap();
    for op in &recording.ops {
        disk.replay(op).unwrap();
    }
    let replayed = tempfile::tempdir().unwrap();
    disk.whole(replayed.path()).unwrap();
    assert_same(&recording.root, replayed.path());
    let counted = |wanted: fn(&Op) -> bool| recording.ops.iter().filter(|op| wanted(op)).count();
    assert!(
        counted(|op| matches!(op, Op::SyncFileRange)) > 0,
        "sled's own flush was not seen"
    );
    assert!(
        counted(|op| matches!(op, Op::SyncEnd { .. })) >= 320,
        "the wrapper's fsyncs were not seen"
    );
    assert!(
        counted(|op| matches!(op, Op::Rename { .. })) >= 2,
        "the swap was not seen"
    );
}

/// Records one run and checks images of it; tells what went wrong in which.
fn cut_all(run: &str, check: &str, images: u64, seed: u64) -> Result<Vec<String>> {
    println!("{run}: {images} images, seed {seed} (PEDDLENET_SEED={seed} repeats it)");
    let recording = Recording::of(run, number_from_env("PEDDLENET_COMMITS", COMMITS), None)?;
    let mut random = Random(seed);
    let mut cuts: Vec<usize> = (0..images)
        .map(|_| cut_point(&recording, &mut random))
        .collect();
    // In order, so that one pass over the log serves all.
    cuts.sort_unstable();
    let mut disk = recording.disk()?;
    let mut acked = 0;
    let mut replayed = 0;
    let mut failures = Vec::new();
    for (number, cut) in (0..images).zip(cuts) {
        for op in &recording.ops[replayed..cut] {
            disk.replay(op)?;
            acked = acked_by(op).unwrap_or(acked);
        }
        replayed = cut;
        let survival =
            [Survival::Synced, Survival::InOrder, Survival::Sectors][(number % 3) as usize];
        let image = tempfile::tempdir()?;
        disk.cut(survival, &mut random, image.path())?;
        let label = format!(
            "image {number}, {survival:?}, cut at {cut} of {}, {acked} acknowledged",
            recording.ops.len()
        );
        let mut outcome = Ok(());
        if run == "store" && number % AGAIN_EVERY == 1 {
            outcome = cut_again(run, check, image.path(), survival, acked, &mut random);
        }
        let outcome = outcome.and_then(|()| look(check, image.path(), acked));
        if let Err(error) = outcome {
            failures.push(format!("{label}: {error:#}"));
        }
    }
    Ok(failures)
}

/// Runs on an image, cuts that run's power too, and checks.
fn cut_again(
    run: &str,
    check: &str,
    image: &Path,
    survival: Survival,
    acked: u64,
    random: &mut Random,
) -> Result<()> {
    let recording =
        Recording::of(run, COMMITS_AGAIN, Some(image)).context("the run on the image")?;
    let cut = cut_point(&recording, random);
    let mut disk = recording.disk()?;
    let mut acked = acked;
    for op in &recording.ops[..cut] {
        disk.replay(op)?;
        acked = acked_by(op).unwrap_or(acked);
    }
    let second = tempfile::tempdir()?;
    disk.cut(survival, random, second.path())?;
    look(check, second.path(), acked).with_context(|| {
        format!(
            "cut again at {cut} of {}, {acked} acknowledged",
            recording.ops.len()
        )
    })
}

/// Half of the cuts come right after an acknowledgement, the others anywhere.
fn cut_point(recording: &Recording, random: &mut Random) -> usize {
    let mut any =
        |limit: usize| usize::try_from(random.next() % limit as u64).expect("below a usize");
    let acks: Vec<usize> = (0..recording.ops.len())
        .filter(|at| acked_by(&recording.ops[*at]).is_some())
        .collect();
    if any(2) == 0 {
        any(recording.ops.len()) + 1
    } else {
        acks[any(acks.len())] + 1
    }
}

fn acked_by(op: &Op) -> Option<u64> {
    let Op::Ack(text) = op else { return None };
    text.lines()
        .filter_map(|line| line.strip_prefix("ACK ")?.parse().ok())
        .next_back()
}

/// Has a fresh process look at an image.
fn look(check: &str, image: &Path, acked: u64) -> Result<()> {
    let mut process = Command::new(child())
        .args([
            check,
            image
                .join("store")
                .to_str()
                .context("a path that is not text")?,
            &acked.to_string(),
        ])
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let until = Instant::now() + CHECK_TIME;
    while process.try_wait()?.is_none() {
        if Instant::now() > until {
            process.kill()?;
            process.wait()?;
            bail!("the check hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = process.wait_with_output()?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    bail!(
        "{}: {}",
        output.status,
        text.lines().take(3).collect::<Vec<_>>().join(" | ")
    )
}

fn assert_same(one: &Path, other: &Path) {
    let list = |folder: &Path| {
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    assert_eq!(list(one), list(other), "{}", one.display());
    for name in list(one) {
        let (one, other) = (one.join(&name), other.join(&name));
        if one.is_dir() {
            assert_same(&one, &other);
        } else {
            assert!(
                std::fs::read(&one).unwrap() == std::fs::read(&other).unwrap(),
                "{} differs",
                one.display()
            );
        }
    }
}

fn seed() -> u64 {
    number_from_env("PEDDLENET_SEED", 0x5eed)
}
