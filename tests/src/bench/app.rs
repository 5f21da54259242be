//! `bench app`: how soon the app is there, what it costs while nobody touches it, and how smooth a long room
//! scrolls.
//!
//! The release app runs on a screen that nobody sees (Xvfb), as people start it: no driver, no automation.
//! When it is there is read off the screen's pixels. Beside it, in turn, two empty windows of the same Tauri: what any
//! page costs on this system, as Tauri paints by itself, and as the app makes it paint. Scrolling alone takes a web
//! driver, which tells the page to scroll; beside it the same page left alone for a while. `tests/e2e/bench/app.js` does the looking.

mod room;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

/// What the script is called, from this crate's folder.
const SCRIPT: &str = "e2e/bench/app.js";
/// Programs that it takes.
const PROGRAMS: [&str; 4] = ["node", "Xvfb", "WebKitWebDriver", "dbus-run-session"];

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How often everything is measured.
    pub runs: usize,
    /// Messages of the long room.
    pub messages: usize,
    /// Where its profile is, or is made; a folder that goes when `None`.
    pub profile: Option<PathBuf>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            runs: 5,
            messages: 100_000,
            profile: None,
        }
    }
}

/// Whether all that this bench takes is here.
///
/// # Errors
/// A sentence that says what is missing.
pub fn ready() -> Result<()> {
    ensure!(
        cfg!(target_os = "linux"),
        "bench app reads /proc and an X screen: it runs on Linux only"
    );
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let missing: Vec<_> = PROGRAMS
        .into_iter()
        .filter(|program| !folders.iter().any(|folder| folder.join(program).is_file()))
        .collect();
    ensure!(
        missing.is_empty(),
        "bench app needs {}: scripts/need.sh test installs what the tests take",
        missing.join(", ")
    );
    for program in [app()?, empty()?] {
        if !program.is_file() {
            bail!(
                "{} is missing: cargo build --release -p peddlenet --bin peddlenet --example empty",
                program.display()
            );
        }
    }
    Ok(())
}

/// Measures.
///
/// # Errors
/// Something is missing, the room can't be made, or a window does not come.
pub fn run(plan: &Plan) -> Result<Vec<Value>> {
    ready()?;
    ensure!(plan.runs > 0, "at least one run");
    let scratch = tempfile::tempdir()?;
    let kept = |folder: &Path| std::path::absolute(folder);
    let profile = match &plan.profile {
        Some(folder) => kept(folder)?,
        None => scratch.path().join("profile"),
    };
    let others = tempfile::tempdir()?;
    room::make(&profile, others.path(), plan.messages)?;
    drop(others);
    let (app, empty) = (app()?, empty()?);
    let asked = json!({"app": app, "empty": empty, "profile": profile, "runs": plan.runs});
    let output = Command::new("dbus-run-session")
        .args(["--", "node", SCRIPT, &asked.to_string()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(
        output.status.success(),
        "{SCRIPT} failed: {}",
        output.status
    );
    let measured = said(&String::from_utf8_lossy(&output.stdout))?;
    let mut rows = rows(plan, &measured)?;
    rows.push(json!({
        "bench": "app", "scenario": "size",
        "subject": "the program, its page inside",
        "binary_bytes": app.metadata()?.len(),
    }));
    Ok(rows)
}

/// The figures among what was printed: services that the session bus starts print there, too.
fn said(printed: &str) -> Result<Value> {
    let figures = printed.lines().rfind(|line| line.starts_with('{'));
    let figures = figures.context("the script printed no figures")?;
    serde_json::from_str(figures).context("what the script says")
}

/// The release build beside this program.
fn app() -> Result<PathBuf> {
    Ok(folder()?.join("peddlenet"))
}

fn empty() -> Result<PathBuf> {
    Ok(folder()?.join("examples").join("empty"))
}

fn folder() -> Result<PathBuf> {
    let bench = std::env::current_exe()?;
    let folder = bench.parent().context("this program has no folder")?;
    Ok(folder.to_owned())
}

fn rows(plan: &Plan, measured: &Value) -> Result<Vec<Value>> {
    let long = format!("a room of {} messages", plan.messages);
    let subjects = [
        ("plain", "empty window as Tauri makes it"),
        ("empty", "empty window that paints as the app does"),
        ("new", "new profile"),
        ("room", long.as_str()),
    ];
    let figure = |subject: &str, key: &str| -> Result<f64> {
        median(&measured[subject][key]).with_context(|| format!("no {key} of {subject}"))
    };
    let (plain, empty) = (figure("plain", "pss_bytes")?, figure("empty", "pss_bytes")?);
    let mut rows = Vec::new();
    for (subject, words) in subjects {
        let pss = figure(subject, "pss_bytes")?;
        rows.push(json!({
            "bench": "app", "scenario": "at rest", "subject": words, "runs": plan.runs,
            "start_ms": figure(subject, "start_ms")?.round(),
            "start_worst_ms": worst(&measured[subject]["start_ms"])?.round(),
            "idle_cpu_percent": (figure(subject, "idle_cpu_percent")? * 1e3).round() / 1e3,
            "pss_bytes": pss,
            "above_plain_bytes": pss - plain,
            "above_empty_bytes": pss - empty,
        }));
    }
    for (subject, words) in [
        ("still", "the same page left alone"),
        ("scroll", long.as_str()),
    ] {
        rows.push(json!({
            "bench": "app", "scenario": "scrolling", "subject": words, "runs": plan.runs,
            "messages": figure(subject, "messages")?,
            "frames": figure(subject, "frames")?,
            "frame_cpu_ms": (figure(subject, "frame_cpu_ms")? * 10.0).round() / 10.0,
            "gap_p50_ms": figure(subject, "gap_p50_ms")?,
            "gap_p99_ms": figure(subject, "gap_p99_ms")?,
            "gap_worst_ms": figure(subject, "gap_worst_ms")?,
        }));
    }
    Ok(rows)
}

fn numbers(values: &Value) -> Option<Vec<f64>> {
    let mut values: Vec<f64> = values
        .as_array()?
        .iter()
        .map(Value::as_f64)
        .collect::<Option<_>>()?;
    values.sort_by(f64::total_cmp);
    Some(values)
}

fn median(values: &Value) -> Option<f64> {
    let values = numbers(values)?;
    values.get(values.len() / 2).copied()
}

fn worst(values: &Value) -> Result<f64> {
    numbers(values)
        .and_then(|values| values.last().copied())
        .context("no figures")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_medians_and_stand_beside_the_empty_windows() {
        let at_rest = |pss: u64| json!({"start_ms": [300, 100, 200], "idle_cpu_percent": [0, 0.1, 5], "pss_bytes": [pss, pss, 0]});
        let frames = json!({"messages": [1], "frames": [2], "frame_cpu_ms": [9], "gap_p50_ms": [3], "gap_p99_ms": [4], "gap_worst_ms": [5]});
        let measured = json!({
            "plain": at_rest(140), "empty": at_rest(100), "new": at_rest(120), "room": at_rest(150), "still": frames, "scroll": frames,
        });
        let rows = rows(&Plan::default(), &measured).unwrap();
        assert_eq!(rows.len(), 6);
        assert_eq!(rows[3]["above_empty_bytes"], 50.0);
        assert_eq!(rows[3]["above_plain_bytes"], 10.0);
        assert_eq!(
            (&rows[3]["start_ms"], &rows[3]["start_worst_ms"]),
            (&json!(200.0), &json!(300.0))
        );
        assert_eq!(rows[3]["idle_cpu_percent"], 0.1);
        assert_eq!(rows[5]["gap_p99_ms"], 4.0);
    }

    #[test]
    fn figures_are_found_among_what_services_print() {
        let printed = "SpiRegistry daemon is running\n{\"empty\":{}}\n";
        assert_eq!(said(printed).unwrap(), json!({"empty": {}}));
        assert!(said("SpiRegistry daemon is running\n").is_err());
    }

    #[test]
    fn a_figure_that_is_missing_is_an_error() {
        let problem = rows(&Plan::default(), &json!({"plain": {"pss_bytes": []}})).unwrap_err();
        assert!(
            problem.to_string().contains("pss_bytes of plain"),
            "{problem}"
        );
    }
}
