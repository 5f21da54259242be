//! What every backend must do, asked of each the same way.

use std::path::Path;

use super::check::made::{self, DayPass};
use super::keeper::Question;
use super::shelf::Shelf;
use super::*;

/// Both backends; the one in memory can't be opened again.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Backend {
    Memory,
    Disk,
}

fn shelf(backend: Backend, folder: &Path) -> Shelf {
    match backend {
        Backend::Memory => Shelf::in_memory().unwrap(),
        Backend::Disk => Shelf::on_disk(folder).unwrap(),
    }
}

fn open(backend: Backend, folder: &Path, limits: &ParcelLimits) -> Parcels {
    Parcels::over(shelf(backend, folder), folder, limits).unwrap()
}

/// Runs a story on each backend, in a folder of its own.
fn each(story: impl Fn(Backend, &Path)) {
    for backend in [Backend::Memory, Backend::Disk] {
        println!("{backend:?}");
        let folder = tempfile::tempdir().unwrap();
        story(backend, folder.path());
    }
}

fn put(parcels: &Parcels, seed: u8, data: &[u8]) -> Result<u64, Refusal> {
    let answer = parcels.put(made::put(seed, unix_now() + 3600, data))?;
    answer.answered.blocking_recv().unwrap()
}

fn put_under(parcels: &Parcels, pass: &DayPass, seed: u8, data: &[u8]) -> Result<u64, Refusal> {
    let put = made::put_under(pass, seed, unix_now() + 3600, data);
    parcels.put(put)?.answered.blocking_recv().unwrap()
}

fn carrier() -> BoxKey {
    BoxKey::from_seed([8; 32])
}

/// Today, of the pass that `holder` has.
fn day_pass(holder: u8, space_kib: u32) -> DayPass {
    let today = u32::try_from(unix_now() / 86_400).unwrap();
    DayPass::by(&carrier(), holder, today, space_kib)
}

fn fetch(parcels: &Parcels, seed: u8, after: u64) -> Page {
    let tag = made::put(seed, 0, b"").tag;
    let answer = parcels.fetch(tag, after).unwrap();
    answer.answered.blocking_recv().unwrap().unwrap()
}

fn all(parcels: &Parcels, seed: u8) -> Vec<(u64, Vec<u8>)> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let page = fetch(parcels, seed, after);
        after = page.parcels.last().map_or(after, |(n, _)| *n);
        all.extend(page.parcels);
        if !page.more {
            return all;
        }
    }
}

#[test]
fn what_was_put_is_fetched_in_order_and_once() {
    each(|backend, folder| {
        let parcels = open(backend, folder, &ParcelLimits::default());
        let large = vec![7; 32 * 1024];
        assert_eq!(put(&parcels, 1, b"first"), Ok(1));
        assert_eq!(put(&parcels, 2, b"first"), Ok(2));
        assert_eq!(put(&parcels, 1, &large), Ok(3));
        assert_eq!(put(&parcels, 1, b""), Ok(4));
        assert_eq!(put(&parcels, 1, b"first"), Ok(1), "again");
        let expected = [(1, b"first".to_vec()), (3, large), (4, vec![])];
        assert_eq!(all(&parcels, 1), expected);
        assert_eq!(fetch(&parcels, 1, 3).parcels, [(4, vec![])]);
        assert_eq!(all(&parcels, 3), []);
        parcels.close();
        parcels.close();
        assert_eq!(put(&parcels, 1, b"late"), Err(Refusal::NoBackup));
    });
}

#[test]
fn a_long_past_comes_in_pages() {
    each(|backend, folder| {
        let parcels = open(backend, folder, &ParcelLimits::default());
        for byte in 0..20 {
            put(&parcels, 1, &[byte; 9000]).unwrap();
        }
        assert!(fetch(&parcels, 1, 0).more);
        let all = all(&parcels, 1);
        assert!(all.iter().map(|(n, _)| *n).eq(1..=20));
        assert!(
            all.iter()
                .zip(0..)
                .all(|((_, data), byte)| *data == [byte; 9000])
        );
    });
}

#[test]
fn a_full_pool_takes_no_more_and_loses_nothing() {
    each(|backend, folder| {
        let limits = ParcelLimits {
            pool_bytes: 3 * (1000 + 64),
            tag_bytes: 2 * (1000 + 64),
            ..ParcelLimits::default()
        };
        let parcels = open(backend, folder, &limits);
        put(&parcels, 1, &[1; 1000]).unwrap();
        put(&parcels, 1, &[2; 1000]).unwrap();
        assert_eq!(
            put(&parcels, 1, &[3; 1000]),
            Err(Refusal::Quota),
            "the tag's"
        );
        put(&parcels, 2, &[1; 1000]).unwrap();
        assert_eq!(
            put(&parcels, 3, &[1; 1000]),
            Err(Refusal::Quota),
            "the pool's"
        );
        assert_eq!(all(&parcels, 1).len() + all(&parcels, 2).len(), 3);
        if backend == Backend::Disk {
            parcels.close();
            drop(parcels);
            let parcels = open(backend, folder, &limits);
            assert_eq!(
                put(&parcels, 1, &[3; 1000]),
                Err(Refusal::Quota),
                "reopened"
            );
            assert_eq!(
                put(&parcels, 3, &[1; 1000]),
                Err(Refusal::Quota),
                "reopened"
            );
            assert_eq!(put(&parcels, 1, &[2; 1000]), Ok(2));
        }
    });
}

#[test]
fn a_pass_has_space_of_its_own_also_after_reopening() {
    each(|backend, folder| {
        let limits = ParcelLimits {
            pool_bytes: 1000 + 64,
            ..ParcelLimits::default()
        };
        let parcels = open(backend, folder, &limits).with_key(carrier());
        // 3 KiB: two parcels of 1064 over two tags.
        let pass = day_pass(1, 3);
        put(&parcels, 1, &[1; 1000]).unwrap();
        assert_eq!(put(&parcels, 1, &[2; 1000]), Err(Refusal::Quota), "open");
        assert_eq!(put_under(&parcels, &pass, 1, &[2; 1000]), Ok(2));
        assert_eq!(put_under(&parcels, &pass, 2, &[2; 1000]), Ok(3));
        let full = |parcels: &Parcels| {
            let third = put_under(parcels, &pass, 3, &[2; 1000]);
            assert_eq!(third, Err(Refusal::Quota));
            assert_eq!(put(parcels, 4, &[2; 1000]), Err(Refusal::Quota), "open");
        };
        full(&parcels);
        let again = put_under(&parcels, &pass, 2, &[2; 1000]);
        assert_eq!(again, Ok(3));
        if backend == Backend::Disk {
            parcels.close();
            drop(parcels);
            let parcels = open(backend, folder, &limits).with_key(carrier());
            full(&parcels);
            assert_eq!(put_under(&parcels, &day_pass(2, 3), 3, &[2; 1000]), Ok(4));
            assert_eq!(all(&parcels, 1), [(1, vec![1; 1000]), (2, vec![2; 1000])]);
        }
    });
}

#[test]
fn a_server_that_is_no_box_takes_no_pass_and_proves_nothing() {
    let parcels = open(Backend::Memory, Path::new(""), &ParcelLimits::default());
    let under = put_under(&parcels, &day_pass(1, 3), 1, b"sealed");
    assert_eq!(under, Err(Refusal::BadPass));
    assert_eq!(parcels.prove(&[7; 16]), Err(Refusal::NoBox));
    let parcels = parcels.with_key(carrier());
    let (key, _) = parcels.prove(&[7; 16]).unwrap();
    assert_eq!(key, carrier().public());
    assert!(put_under(&parcels, &day_pass(1, 3), 1, b"sealed").is_ok());
}

#[test]
fn expired_parcels_are_not_handed_out_and_their_space_comes_back() {
    each(|backend, folder| {
        let limits = ParcelLimits {
            pool_bytes: 1000 + 64,
            sweep_every: Duration::from_millis(50),
            ..ParcelLimits::default()
        };
        let parcels = open(backend, folder, &limits);
        // Checked in the past, so that its time is over already.
        let past = made::parcel(1, 1000, &[1; 1000], 10);
        let asked = parcels.keeper.ask(|answer| Question::Put(past, answer));
        assert_eq!(asked.unwrap().answered.blocking_recv().unwrap(), Ok(1));
        assert_eq!(all(&parcels, 1), []);
        let until = std::time::Instant::now() + Duration::from_secs(10);
        while put(&parcels, 2, &[2; 1000]).is_err() {
            assert!(std::time::Instant::now() < until, "nothing was swept");
            std::thread::sleep(Duration::from_millis(20));
        }
        if backend == Backend::Disk {
            parcels.close();
            drop(parcels);
            // Its number is not given again though nothing under it is left.
            let parcels = open(backend, folder, &ParcelLimits::default());
            assert_eq!(put(&parcels, 1, &[1; 1000]), Ok(3));
        }
    });
}

#[test]
fn a_lot_that_expires_at_once_is_swept_while_others_are_served() {
    each(|backend, folder| {
        let limits = ParcelLimits {
            count: 400,
            sweep_every: Duration::from_millis(50),
            queue: 1024,
            ..ParcelLimits::default()
        };
        let parcels = open(backend, folder, &limits);
        let asked = (0..400_u32).map(|at| {
            let past = made::parcel(1, 1000, &at.to_be_bytes(), 10);
            parcels.keeper.ask(|answer| Question::Put(past, answer))
        });
        let asked: Vec<_> = asked.map(Result::unwrap).collect();
        for asked in asked {
            asked.answered.blocking_recv().unwrap().unwrap();
        }
        let until = std::time::Instant::now() + Duration::from_secs(10);
        let mut free = 0;
        while free < 400 {
            assert!(std::time::Instant::now() < until, "{free} were free");
            match put(&parcels, 2, &u32::to_be_bytes(free)) {
                Ok(_) => free += 1,
                Err(refusal) => {
                    assert_eq!(refusal, Refusal::Quota);
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        }
    });
}

#[test]
fn puts_at_once_share_commits_and_each_is_answered() {
    each(|backend, folder| {
        let parcels = open(backend, folder, &ParcelLimits::default());
        let asked: Vec<_> = (0..200_u8)
            .map(|byte| {
                let put = made::put(1, unix_now() + 60, &[byte / 2; 3000]);
                parcels.put(put).unwrap()
            })
            .collect();
        let numbers = asked
            .into_iter()
            .map(|asked| asked.answered.blocking_recv().unwrap());
        let numbers: Vec<u64> = numbers.map(Result::unwrap).collect();
        assert!(numbers.chunks(2).all(|double| double[0] == double[1]));
        assert_eq!(all(&parcels, 1).len(), 100);
    });
}

#[test]
fn signatures_are_checked_at_a_bounded_rate() {
    let limits = ParcelLimits {
        checks_per_second: 1,
        ..ParcelLimits::default()
    };
    let parcels = open(Backend::Memory, Path::new(""), &limits);
    put(&parcels, 1, b"first").unwrap();
    assert_eq!(put(&parcels, 1, b"second"), Err(Refusal::RateLimited));
    let limits = ParcelLimits {
        checks_per_second: 2,
        ..ParcelLimits::default()
    };
    let parcels = open(Backend::Memory, Path::new(""), &limits).with_key(carrier());
    let under = put_under(&parcels, &day_pass(1, 3), 1, b"sealed");
    assert_eq!(under, Err(Refusal::RateLimited), "it takes three");
}

#[test]
fn one_folder_has_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let _held = open(Backend::Disk, folder.path(), &ParcelLimits::default());
    let second = Parcels::open(folder.path(), &ParcelLimits::default()).err();
    let second = second.unwrap().to_string();
    assert!(second.contains("another process"), "{second}");
}
