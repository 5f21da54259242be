//! The table of README.md from raw rows: no figure in it is written by hand.
//!
//! Reads lines as `bench gossip --json`, `sim --json` and `sim mobility --json` print them. Times and
//! copies are medians over seeds; what must hold is the worst seed's. Other lines are left out.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::Value;

use crate::scenario::short;

/// The systems that have a column.
const COLUMNS: [&str; 5] = ["peddlenet", "flood", "gossipsub", "iroh-5", "iroh-8"];
/// Nodes of the main table.
const NODES: u64 = 1_000;

/// How the seeds' figures become one.
#[derive(Clone, Copy)]
enum Over {
    Median,
    /// The worst, where more is worse.
    Most,
    /// The worst, where less is worse.
    Least,
}

use Over::{Least, Median, Most};

/// A line of the table: row, what is to be reached, what the cells say, and their figures.
type Line = (
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, Over)],
);

const LINES: [Line; 13] = [
    (
        "steady",
        "RMR <= .05, last <= 140 ms",
        "delivered · RMR · last ms",
        &[
            ("delivered_ratio", Least),
            ("rmr_ratio", Median),
            ("last_ms", Median),
        ],
    ),
    (
        "cold",
        "RMR <= 6 once, <= 135 ms",
        "delivered · RMR · last ms",
        &[
            ("delivered_ratio", Least),
            ("rmr_ratio", Median),
            ("last_ms", Median),
        ],
    ),
    (
        "loss",
        ">= .99999 in 1 s, p99 <= 280 ms, 100 % <= 15 s",
        "in 1 s · p99 ms · delivered",
        &[
            ("in_1s_ratio", Least),
            ("p99_ms", Most),
            ("delivered_ratio", Least),
        ],
    ),
    (
        "fail50",
        ">= .99 in 2 s, 100 % <= 15 s",
        "first in 2 s · first to all ms · delivered",
        &[
            ("first_in_2s_ratio", Least),
            ("first_all_ms", Most),
            ("delivered_ratio", Least),
        ],
    ),
    (
        "fail80",
        "one component <= 15 s, 100 % <= 30 s",
        "one component ms · first to all ms · delivered",
        &[
            ("one_component_ms", Most),
            ("first_all_ms", Most),
            ("delivered_ratio", Least),
        ],
    ),
    (
        "partition",
        "merged <= 35 s, converged <= 60 s",
        "merged ms · converged ms · delivered",
        &[
            ("merged_ms", Most),
            ("converged_ms", Most),
            ("delivered_ratio", Least),
        ],
    ),
    (
        "churn",
        "stayed >= .999 in 1 s, nothing lost",
        "stayed in 1 s · stayed · delivered to all",
        &[
            ("stayed_in_1s_ratio", Least),
            ("stayed_ratio", Least),
            ("delivered_ratio", Least),
        ],
    ),
    (
        "droppers",
        ">= .999 in 1 s",
        "in 1 s",
        &[("in_1s_ratio", Least)],
    ),
    ("idle", "<= 600 B/s", "B/s", &[("sent_bytes_s", Most)]),
    (
        "unicast",
        ">= .99 in 2 s, stretch <= 1.5",
        "in 2 s · stretch",
        &[("in_2s_ratio", Least), ("stretch_ratio", Most)],
    ),
    (
        "custody",
        "<= 5 s after return",
        "in 5 s · slowest ms",
        &[("in_5s_ratio", Least), ("return_max_ms", Most)],
    ),
    (
        "slow",
        "bytes <= 1/4 of the median, last <= 1.3x",
        "bytes · last x",
        &[("slow_forward_ratio", Most), ("last_growth_ratio", Most)],
    ),
    (
        "parent-kill",
        "0 lost, gap p99 <= 500 ms",
        "lost · gap p99 ms",
        &[("lost", Most), ("gap_p99_ms", Most)],
    ),
];

/// The tables as Markdown: the rows at a thousand nodes, larger rooms, crowds.
///
/// # Errors
/// A line is no JSON.
pub fn table(jsonl: &str) -> Result<String, serde_json::Error> {
    let lines = jsonl.lines().filter(|line| !line.is_empty());
    let rows: Vec<Value> = lines.map(serde_json::from_str).collect::<Result<_, _>>()?;
    let parts = [main(&rows), larger(&rows), crowds(&rows)];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    Ok(parts.collect::<Vec<_>>().join("\n"))
}

fn main(rows: &[Value]) -> String {
    let of = |scenario, system| -> Vec<&Value> {
        let fits = |row: &&Value| {
            row["scenario"] == scenario && row["system"] == system && row["nodes"] == NODES
        };
        rows.iter().filter(fits).collect()
    };
    let mut text = String::new();
    for (scenario, goal, what, figures) in LINES {
        let cells = COLUMNS.map(|system| cell(&of(scenario, system), figures));
        if cells.iter().all(|cell| cell == NOTHING) {
            continue;
        }
        let seeds = of(scenario, COLUMNS[0]).len();
        let _ = writeln!(
            text,
            "| {scenario} | {goal} | {what} | {seeds} | {} |",
            cells.join(" | ")
        );
    }
    if !text.is_empty() {
        let head = format!(
            "| row | to be reached | figures | seeds | {} |\n|{}\n",
            COLUMNS.join(" | "),
            "---|".repeat(COLUMNS.len() + 4)
        );
        text.insert_str(0, &head);
    }
    text
}

const NOTHING: &str = "–";

fn cell(rows: &[&Value], figures: &[(&str, Over)]) -> String {
    if rows.is_empty() {
        return NOTHING.to_owned();
    }
    let figures = figures.iter().map(|&(name, over)| {
        let values = rows.iter().map(|row| number(&row[name])).collect();
        short(round(merge(values, over), over))
    });
    figures.collect::<Vec<_>>().join(" · ")
}

/// What did not happen in time is null, and worse than anything that did.
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

fn merge(mut values: Vec<f64>, over: Over) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = match over {
        Median => values.len() / 2,
        Most => values.len() - 1,
        Least => 0,
    };
    values[at]
}

/// Four digits behind the point, never to our advantage in what must hold.
fn round(value: f64, over: Over) -> f64 {
    let cut = match over {
        Median => f64::round,
        Most => f64::ceil,
        Least => f64::floor,
    };
    cut(value * 1e4) / 1e4
}

fn larger(rows: &[Value]) -> String {
    let mut text = String::new();
    for row in rows
        .iter()
        .filter(|row| row["nodes"].as_u64() > Some(NODES))
    {
        let figure = |name: &str, over| short(round(number(&row[name]), over));
        let memory = match row["resident_bytes"].as_f64() {
            Some(bytes) => format!("{} KB", short((bytes / 1e3).round())),
            None => NOTHING.to_owned(),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {memory} | {} |",
            row["nodes"],
            row["scenario"].as_str().unwrap_or_default(),
            row["system"].as_str().unwrap_or_default(),
            figure("delivered_ratio", Least),
            figure("rmr_ratio", Median),
            figure("last_ms", Median),
            short(number(&row["cpu_us"]).round()),
        );
    }
    if !text.is_empty() {
        text.insert_str(
            0,
            "| nodes | row | system | delivered | RMR | last ms | memory a node | CPU µs a message and node |\n|---|---|---|---|---|---|---|---|\n",
        );
    }
    text
}

/// Percent of the oracle's reach: the median over seeds, and the least.
fn crowds(rows: &[Value]) -> String {
    type Key<'a> = (&'a str, u64);
    let mut all: BTreeMap<Key<'_>, BTreeMap<String, Vec<f64>>> = BTreeMap::new();
    let mut columns: Vec<String> = Vec::new();
    for row in rows {
        let (Some(file), Some(percent)) = (row["file"].as_str(), row["of_oracle_percent"].as_f64())
        else {
            continue;
        };
        let own = row["scenario"]
            .as_str()
            .is_some_and(|s| s.ends_with("own dials"));
        let system = row["system"].as_str().unwrap_or_default();
        let column = match own {
            true => system.to_owned(),
            false => format!("{system}, links given"),
        };
        if !columns.contains(&column) {
            columns.push(column.clone());
        }
        let range = row["range_m"].as_f64().unwrap_or_default();
        #[expect(clippy::cast_sign_loss, reason = "metres")]
        let key = (file, range as u64);
        let of_key = all.entry(key).or_default();
        of_key.entry(column).or_default().push(percent);
    }
    if all.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "| crowd | m | seeds | {} |\n|{}\n",
        columns.join(" | "),
        "---|".repeat(columns.len() + 3)
    );
    for ((file, range), of_key) in all {
        let seeds = of_key.values().map(Vec::len).max().unwrap_or(0);
        let cells = columns.iter().map(|column| match of_key.get(column) {
            Some(values) => {
                let [median, least] = [Median, Least].map(|over| merge(values.clone(), over));
                match values.len() {
                    1 => format!("{median:.1}"),
                    _ => format!("{median:.1} ({least:.1})"),
                }
            }
            None => NOTHING.to_owned(),
        });
        let cells: Vec<String> = cells.collect();
        let file = file.trim_end_matches(".npy");
        let _ = writeln!(
            text,
            "| {file} | {range} | {seeds} | {} |",
            cells.join(" | ")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

    fn read(name: &str) -> String {
        let path = std::path::Path::new(HERE).with_file_name(name);
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    #[test]
    fn the_readme_has_the_tables_of_the_raw_rows() {
        let tables = table(&read("full.jsonl")).unwrap();
        let readme = read("README.md");
        for line in tables.lines() {
            assert!(
                readme.contains(line),
                "missing in README.md, see `sim table`:\n{line}"
            );
        }
    }

    #[test]
    fn what_never_happened_is_the_worst_seed() {
        let row = |seed: u64, ms: &str| {
            format!(
                r#"{{"scenario":"custody","system":"peddlenet","nodes":1000,"seed":{seed},"in_5s_ratio":0.{seed},"return_max_ms":{ms}}}"#
            )
        };
        let text = [row(7, "12.5"), row(8, "null"), row(9, "3")].join("\n");
        let table = table(&text).unwrap();
        assert!(
            table.contains(
                "| custody | <= 5 s after return | in 5 s · slowest ms | 3 | 0.7 · never |"
            ),
            "{table}"
        );
    }
}
