//! A stranger, a holder of a photographed code and a member, each at line rate against a real node,
//! while two honest devices chat through it.
//!
//! `PEDDLENET_HOSTILE_S` sets how long each attack lasts; `make soak ONLY=hostile N=60` is the
//! promise of 60 s. Nothing here asserts a time: what is printed are the figures, and what is asserted
//! is that everything said was heard, that memory stayed within bounds and that no stranger reached
//! the disk. Linux only, since memory is read from /proc.
#![cfg(target_os = "linux")]

use std::path::Path;

use peddlenet_tests::hostile::{Attack, Report, run};

/// What an attack may cost in memory (security.md: caps).
const GROWTH_MAX: u64 = 32 << 20;

fn attacked_by(attack: Attack) -> Report {
    let seconds = std::env::var("PEDDLENET_HOSTILE_S").ok();
    let seconds = seconds.and_then(|s| s.parse().ok()).unwrap_or(4);
    let attacker = Path::new(env!("CARGO_BIN_EXE_hostile_peer"));
    let report = run(attacker, attack, seconds).unwrap();
    println!("{}\n{}", report.row(), report.counters);
    assert_eq!(report.heard, report.said, "messages were lost");
    assert!(
        report.growth() <= GROWTH_MAX,
        "{} took {} bytes",
        attack.name(),
        report.growth()
    );
    report
}

#[test]
fn a_stranger_at_line_rate_costs_little_and_reaches_no_disk() {
    let report = attacked_by(Attack::Stranger);
    assert_eq!(report.disk, 0);
    let away = &report.counters["turned_away"];
    for kind in ["garbage", "wrong_key", "replayed"] {
        assert!(away[kind].as_u64() > Some(0), "no {kind} came: {away}");
    }
}

#[test]
fn a_photo_of_a_code_gets_no_more_than_its_slots() {
    let report = attacked_by(Attack::Photo);
    assert_eq!(report.disk, 0);
    assert!(report.counters["turned_away"]["half_open_failed"].as_u64() > Some(0));
}

#[test]
fn a_member_that_floods_is_sent_away_and_the_others_chat_on() {
    let report = attacked_by(Attack::Member);
    let expelled = report.counters["expelled"].as_object().unwrap();
    assert!(
        expelled.values().any(|count| count.as_u64() > Some(0)),
        "{expelled:?}"
    );
}
