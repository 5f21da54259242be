//! Rows of the table without a WebRTC build: `sim SCENARIO.. [--nodes N] [--seeds S] [--seed FIRST] [--system NAME].. [--off CONTROL].. [--json]`.
//!
//! `sim mobility FILE.npy`: the crowd row. `sim table FILE.jsonl..`: README.md's tables from raw rows.
//!
//! Systems: ours unless others are named, `all` for all of them. Of the scenarios `all` stands for every row, `main` for those that `bench gossip` runs by itself.

use std::process::ExitCode;

use peddlenet_gossip::Controls;
use peddlenet_sim::{
    baselines::{self, SYSTEMS},
    mobility::{Scenario, Trace, rows},
    scenario::{self, MAIN, OurEngine, Row, SCENARIOS},
};

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("mobility") => return mobility(),
        Some("table") => return table(),
        _ => {}
    }
    let mut scenarios: Vec<String> = Vec::new();
    let (mut nodes, mut seeds, mut first, mut json) = (200, 1, 1, false);
    let mut controls = Controls::default();
    let mut systems: Vec<String> = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|n| n.parse::<u32>().ok());
        let mut known = Some(());
        match arg.as_str() {
            "--nodes" => known = number().map(|n| nodes = n),
            "--seeds" => known = number().map(|n| seeds = n),
            "--seed" => known = number().map(|n| first = n),
            "--off" => {
                known = args
                    .next()
                    .and_then(|name| switch_off(&mut controls, &name))
            }
            "--system" => {
                let name = args.next().unwrap_or_default();
                match name.as_str() {
                    "all" => systems.extend(SYSTEMS.map(String::from)),
                    one if SYSTEMS.contains(&one) => systems.push(name),
                    _ => known = None,
                }
            }
            "--json" => json = true,
            "all" => scenarios.extend(SCENARIOS.map(String::from)),
            "main" => scenarios.extend(MAIN.map(String::from)),
            name if SCENARIOS.contains(&name) => scenarios.push(arg),
            _ => known = None,
        }
        if known.is_none() {
            eprintln!(
                "sim SCENARIO.. [--nodes N] [--seeds S] [--seed FIRST] [--system NAME].. [--off CONTROL].. [--json]"
            );
            eprintln!("scenarios: all main {}", SCENARIOS.join(" "));
            eprintln!("systems: all {}", SYSTEMS.join(" "));
            return ExitCode::FAILURE;
        }
    }
    if systems.is_empty() {
        systems.push(SYSTEMS[0].to_owned());
    }
    let ours = OurEngine { controls };
    let mut clean = true;
    for name in &scenarios {
        for seed in first..first + seeds {
            for system in &systems {
                let started = std::time::Instant::now();
                let Some(row) = baselines::run(system, &ours, name, nodes, seed.into()) else {
                    continue;
                };
                clean &= row.violations.is_empty();
                print(&row, json, started.elapsed().as_secs_f64());
            }
        }
    }
    if clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// `sim mobility FILE.npy [--range-m 20] [--seeds S] [--json]`: the crowd row of every system.
fn mobility() -> ExitCode {
    let (mut file, mut json, mut seeds) = (None, false, 1);
    let mut scenario = Scenario::default();
    let mut args = std::env::args().skip(2);
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|n| n.parse::<u16>().ok());
        let mut known = Some(());
        match arg.as_str() {
            "--json" => json = true,
            "--range-m" => known = number().map(|n| scenario.range_m = f32::from(n)),
            "--seeds" => known = number().map(|n| seeds = n.into()),
            _ => file = Some(arg),
        }
        if known.is_none() {
            file = None;
            break;
        }
    }
    let Some(file) = file else {
        eprintln!("sim mobility FILE.npy [--range-m 20] [--seeds S] [--json]");
        return ExitCode::FAILURE;
    };
    let result = Trace::read(file.as_ref()).and_then(|trace| {
        for seed in 1..=seeds {
            for row in rows(&trace, &scenario, seed, &OurEngine::default())? {
                print(&row, json, 0.0);
            }
        }
        Ok(())
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

/// `sim table FILE.jsonl..`: README.md's tables.
fn table() -> ExitCode {
    let mut raw = String::new();
    for file in std::env::args().skip(2) {
        match std::fs::read_to_string(&file) {
            Ok(text) => raw += &text,
            Err(e) => {
                eprintln!("{file}: {e}");
                return ExitCode::FAILURE;
            }
        }
    }
    match peddlenet_sim::table::table(&raw) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

fn switch_off(controls: &mut Controls, name: &str) -> Option<()> {
    let switch = match name {
        "sync" => &mut controls.sync,
        "lost_peers" => &mut controls.lost_peers,
        "prune" => &mut controls.prune,
        "lazy" => &mut controls.lazy,
        "alternates" => &mut controls.alternates,
        "custody" => &mut controls.custody,
        "load" => &mut controls.load,
        _ => return None,
    };
    *switch = false;
    Some(())
}

fn print(row: &Row, json: bool, took_s: f64) {
    if json {
        println!("{}", row.json());
        return;
    }
    println!(
        "{} {} N={} seed={} ({took_s:.1} s, trace {:016x})",
        row.scenario, row.system, row.nodes, row.seed, row.trace
    );
    let cells: Vec<String> = row
        .figures
        .iter()
        .map(|(key, value)| format!("{key} {}", scenario::short(*value)))
        .collect();
    println!("    {}", cells.join(" · "));
    row.violations
        .iter()
        .take(5)
        .for_each(|violation| println!("    VIOLATION {violation}"));
}
