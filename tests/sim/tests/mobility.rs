//! A crowd that moves: what reaches whom, beside what could.

use std::path::Path;

use peddlenet_sim::{
    Net, NodeId, SECOND, World,
    baselines::{Flood, FloodSystem, flood::Clamp},
    mobility::{Linking, Outcome, Scenario, Trace, rows, run},
    scenario::{OurEngine, System},
};

const SEED: u64 = 1;
const FLOOD: FloodSystem = FloodSystem(Clamp::None);
const AWAY: [f32; 2] = [9_000.0, 0.0];

fn ours() -> OurEngine {
    OurEngine::default()
}

fn walk<S: System>(system: &S, trace: &Trace, scenario: &Scenario) -> Outcome {
    let outcome = run(system, trace, scenario, SEED).unwrap();
    println!(
        "{}, seed {SEED}: {:.4} {outcome:?}",
        system.name(),
        outcome.ratio()
    );
    assert!(outcome.violations.is_empty(), "{:?}", outcome.violations);
    outcome
}

/// Ten people stand together, ten elsewhere, and one walks from the first to the others.
fn messenger() -> Trace {
    let place = |n: u8, x: f32| [x + f32::from(n % 5), f32::from(n / 5)];
    let people = |walker: f32| -> Vec<[f32; 2]> {
        let here = (0..10).map(|n| place(n, 0.0));
        here.chain((0..10).map(|n| place(n, 500.0)))
            .chain([[walker, 0.0]])
            .collect()
    };
    let mut trace = Trace::still(&people(0.0), 60);
    for metre in (0u16..500).step_by(5) {
        trace = trace.then(&Trace::still(&people(f32::from(metre)), 1));
    }
    trace.then(&Trace::still(&people(500.0), 160))
}

/// All is said before the messenger arrives.
fn early() -> Scenario {
    Scenario {
        messages: 20,
        deadline_s: 250,
        ..Scenario::default()
    }
}

#[test]
fn a_crowd_that_stands_still_hears_everything_from_every_system() {
    let grid: Vec<_> = (0u8..30)
        .map(|n| [f32::from(n % 6) * 3.0, f32::from(n / 6) * 3.0])
        .collect();
    let scenario = Scenario {
        messages: 20,
        deadline_s: 30,
        ..Scenario::default()
    };
    for row in rows(&Trace::still(&grid, 120), &scenario, SEED, &ours()).unwrap() {
        let clamped = row.system == "flood-clamped";
        let least = if clamped { 80.0 } else { 100.0 };
        assert!(row.figure("of_oracle_percent") >= least, "{row:?}");
        assert!(row.violations.is_empty(), "{row:?}");
    }
}

#[test]
fn a_person_on_the_way_carries_messages_from_one_crowd_to_the_other() {
    for linking in [Linking::Given, Linking::Dialled] {
        let scenario = Scenario { linking, ..early() };
        let outcome = walk(&ours(), &messenger(), &scenario);
        assert!(outcome.ratio() >= 0.98, "{linking:?}");
    }
    let flood = walk(&FLOOD, &messenger(), &early());
    assert!(flood.ratio() < 0.9, "who was not there has missed it");
}

#[test]
fn given_links_keep_to_the_cap() {
    let crowd: Vec<_> = (0u8..20).map(|n| [f32::from(n), 0.0]).collect();
    let scenario = Scenario {
        cap: 5,
        messages: 5,
        deadline_s: 20,
        ..Scenario::default()
    };
    let outcome = walk(&FLOOD, &Trace::still(&crowd, 60), &scenario);
    assert_eq!(outcome.most_links, 5);
}

#[test]
fn the_same_seed_walks_the_same_way() {
    let scenario = early();
    assert_eq!(
        walk(&ours(), &messenger(), &scenario),
        walk(&ours(), &messenger(), &scenario)
    );
}

#[test]
fn a_trace_shorter_than_the_deadline_is_refused() {
    let error = run(
        &FLOOD,
        &Trace::still(&[AWAY], 40),
        &Scenario::default(),
        SEED,
    )
    .unwrap_err();
    assert!(
        error.to_string().contains("40 steps are too short"),
        "{error}"
    );
}

#[test]
fn a_link_out_of_range_is_found_dead_after_three_seconds_and_kept_before() {
    let mut world = World::new(
        Net::default(),
        SEED,
        (0..2)
            .map(|n| Flood::new(NodeId(n), SEED, Clamp::None))
            .collect(),
    );
    world.set_in_range([(1, 0)]);
    world.start_all(&[(0, 1)]);
    world.set_in_range([]);
    let lost = world.publish(0, 10);
    world.run_for(2 * SECOND);
    world.set_in_range([(0, 1)]);
    let heard = world.publish(0, 10);
    world.run_for(10 * SECOND);
    assert!(world.is_linked(0, 1), "back within three seconds");
    assert_eq!(world.tally.message(lost).took(1), None);
    assert!(world.tally.message(heard).took(1).is_some());
    world.set_in_range([]);
    world.run_for(4 * SECOND);
    assert!(!world.is_linked(0, 1));
    assert_eq!(world.degree(0), 0);
}

#[test]
fn in_amigos_human_chain_ours_reaches_what_can_be_reached() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/mobility");
    if !folder.is_dir() {
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "there is no {}",
            folder.display()
        );
        eprintln!("skipped: there is no {}", folder.display());
        return;
    }
    // At 10 m the chain falls apart now and then, and is more hops long than a flood goes.
    let scenario = Scenario {
        range_m: 10.0,
        messages: 20,
        deadline_s: 200,
        linking: Linking::Dialled,
        ..Scenario::default()
    };
    let trace = Trace::read(&folder.join("chain-50.npy")).unwrap();
    assert_eq!((trace.steps(), trace.people()), (1835, 50));
    let trace = trace.first(600);
    let ours = walk(&ours(), &trace, &scenario);
    assert!(ours.reachable > 900);
    assert!(ours.ratio() >= 0.98);
    let given = Scenario {
        linking: Linking::Given,
        ..scenario
    };
    assert!(walk(&FLOOD, &trace, &given).ratio() < 0.9);
}
