//! `bench mobility FILE.npy`: chat in a crowd that moves, beside TTL-7 flood and what any protocol could reach.
//!
//! The traces are people's positions, a step a second; peddlenet-sim runs every system over them in
//! virtual time. `of_oracle_percent` is the figure to look at: of the (message, person) pairs that
//! time-respecting flooding over all contacts reaches within 300 s, the part that the system delivered by then.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use peddlenet_sim::{
    mobility::{Scenario, Trace, rows},
    scenario::OurEngine,
};
use serde_json::{Value, json};

/// How far a device hears unless the caller says otherwise, in metres.
pub const RANGE_M: usize = 20;
/// Seeds of a trace unless the caller says otherwise.
pub const SEEDS: usize = 1;

/// Runs every system over a trace, or over each trace of a folder.
///
/// # Errors
/// A file is no trace, or too short.
pub fn run(path: &Path, range_m: usize, seeds: usize) -> Result<Vec<Value>> {
    let range_m = u16::try_from(range_m).context("a range beyond 65 km")?;
    let scenario = Scenario {
        range_m: range_m.into(),
        ..Scenario::default()
    };
    let mut all = Vec::new();
    for file in traces(path)? {
        let trace = Trace::read(&file)?;
        for seed in 1..=seeds as u64 {
            for row in rows(&trace, &scenario, seed, &OurEngine::default())? {
                let mut value: Value = serde_json::from_str(&row.json())?;
                value["bench"] = json!("mobility");
                value["file"] = json!(file.file_name().map(|name| name.to_string_lossy()));
                all.push(value);
            }
        }
    }
    Ok(all)
}

/// The file, or the traces of a folder by name.
fn traces(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = path
        .read_dir()
        .with_context(|| path.display().to_string())?;
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| file.extension().is_some_and(|kind| kind == "npy"))
        .collect();
    files.sort();
    ensure!(!files.is_empty(), "no .npy in {}", path.display());
    Ok(files)
}
