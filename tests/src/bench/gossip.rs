//! `bench gossip [--nodes N] [--seeds S] [--scenario X] [--full]`: the table of gossip.md, simulated.
//!
//! Every system runs the same rows with the same seeds and links in `peddlenet-sim`, which says what a
//! row does and what its figures mean. Without arguments: the main rows at a thousand nodes, one seed.
//! `--full`: all rows over three seeds, and five thousand nodes once for the rows where it matters. The
//! others idle for one seed only: that takes the longest and hardly differs.
//! Each row goes to stderr as soon as it is done, too, with the seconds that it took.

use std::sync::Mutex;

use anyhow::{Result, ensure};
use peddlenet_sim::{
    baselines::{self, SYSTEMS},
    scenario::{MAIN, OurEngine, Row, SCENARIOS},
};
use serde_json::{Value, json};

/// Nodes unless others are asked for.
pub const NODES: u32 = 1_000;
/// Seeds of `--full`.
const FULL_SEEDS: u64 = 3;
/// Rows of `--full` that run once more with so many nodes.
const LARGE: (u32, [&str; 1]) = (5_000, ["steady"]);
/// Rows at a time: simulations share nothing.
const WORKERS: usize = 2;

/// What to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many nodes.
    pub nodes: u32,
    /// Seeds 1 to this; `None`: one, or those of `--full`.
    pub seeds: Option<u64>,
    /// One row only.
    pub scenario: Option<String>,
    /// Every row.
    pub full: bool,
}

struct Job {
    scenario: &'static str,
    system: &'static str,
    nodes: u32,
    seed: u64,
}

/// Runs the plan; a row for each scenario, system and seed.
///
/// # Errors
/// There is no row of that name, or an invariant was broken.
pub fn run(plan: &Plan) -> Result<Vec<Value>> {
    let jobs = jobs(plan)?;
    let rows: Mutex<Vec<(usize, Row)>> = Mutex::default();
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(job) = jobs.get(at) else { break };
                    let ours = OurEngine::default();
                    let started = std::time::Instant::now();
                    let row = baselines::run(job.system, &ours, job.scenario, job.nodes, job.seed);
                    if let Some(row) = row {
                        eprintln!("{} s: {}", started.elapsed().as_secs(), row.json());
                        let mut rows = rows
                            .lock()
                            .expect("a simulation that panicked ends the bench");
                        rows.push((at, row));
                    }
                }
            });
        }
    });
    let mut rows = rows.into_inner().expect("all workers are done");
    rows.sort_by_key(|&(at, _)| at);
    for (_, row) in &rows {
        ensure!(
            row.violations.is_empty(),
            "{} of {} with seed {}: {}",
            row.scenario,
            row.system,
            row.seed,
            row.violations.join("; ")
        );
    }
    Ok(rows.iter().map(|(_, row)| cells(row)).collect())
}

fn jobs(plan: &Plan) -> Result<Vec<Job>> {
    let names: Vec<&'static str> = match &plan.scenario {
        Some(one) => SCENARIOS.into_iter().filter(|name| name == one).collect(),
        None if plan.full => SCENARIOS.into_iter().filter(|&n| n != "memory").collect(),
        None => MAIN.to_vec(),
    };
    ensure!(
        !names.is_empty(),
        "no such scenario; there are {}",
        SCENARIOS.join(", ")
    );
    let seeds = plan.seeds.unwrap_or(if plan.full { FULL_SEEDS } else { 1 });
    let mut jobs = Vec::new();
    let mut add = |scenario, nodes, seeds| {
        for seed in 1..=seeds {
            let others = SYSTEMS.into_iter().skip(1);
            let others = others.filter(|_| scenario != "idle" || seed == 1);
            let all = SYSTEMS.into_iter().take(1).chain(others);
            jobs.extend(all.map(|system| Job {
                scenario,
                system,
                nodes,
                seed,
            }));
        }
    };
    names.iter().for_each(|name| add(name, plan.nodes, seeds));
    if plan.full {
        LARGE.1.iter().for_each(|name| add(name, LARGE.0, 1));
    }
    Ok(jobs)
}

fn cells(row: &Row) -> Value {
    let mut cells = json!({
        "bench": "gossip",
        "scenario": row.scenario,
        "system": row.system,
        "nodes": row.nodes,
        "seed": row.seed,
    });
    for &(name, value) in &row.figures {
        // What did not happen in time is null.
        cells[name] = json!(value.is_finite().then_some((value * 1e5).round() / 1e5));
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_system_has_a_line_in_every_row_and_unknown_rows_are_refused() {
        let mut plan = Plan {
            nodes: 20,
            seeds: None,
            scenario: Some("cold".to_owned()),
            full: false,
        };
        let rows = run(&plan).unwrap();
        assert_eq!(rows.len(), SYSTEMS.len());
        assert!(rows.iter().all(|row| row["scenario"] == "cold"));
        plan.scenario = Some("warm".to_owned());
        assert!(run(&plan).is_err());
    }
}
