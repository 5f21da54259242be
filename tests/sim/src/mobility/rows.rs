//! The crowd row of every system, over one trace.

use super::{Linking, Outcome, Scenario, Trace, TraceError, run};
use crate::{
    baselines::{WithSystem, with_system},
    scenario::{OurEngine, Row, System},
};

/// Which systems are compared, and who makes their links. What dials for itself is not given links on top; ours is shown both ways.
const COMPARED: [(&str, Linking); 7] = [
    ("peddlenet", Linking::Dialled),
    ("peddlenet", Linking::Given),
    ("flood", Linking::Given),
    ("flood-clamped", Linking::Given),
    ("gossipsub", Linking::Given),
    ("iroh-5", Linking::Dialled),
    ("iroh-8", Linking::Dialled),
];

/// Runs every system over a trace; `scenario` says all but who makes the links.
///
/// # Errors
/// The trace is too short for the warm-up and the deadline.
pub fn rows(
    trace: &Trace,
    scenario: &Scenario,
    seed: u64,
    ours: &OurEngine,
) -> Result<Vec<Row>, TraceError> {
    let rows = COMPARED.map(|(name, linking)| {
        let scenario = &Scenario {
            linking,
            ..*scenario
        };
        let over = Over {
            trace,
            scenario,
            seed,
        };
        with_system(name, ours, over)
            .unwrap_or_else(|| Err(TraceError::new(format!("no system {name}"))))
    });
    rows.into_iter().collect()
}

struct Over<'a> {
    trace: &'a Trace,
    scenario: &'a Scenario,
    seed: u64,
}

impl WithSystem for Over<'_> {
    type Output = Result<Row, TraceError>;

    fn with<S: System>(self, system: &S) -> Result<Row, TraceError> {
        let outcome = run(system, self.trace, self.scenario, self.seed)?;
        let people = self.trace.people();
        let person_seconds = (people * self.trace.steps()) as f64;
        let Outcome { traffic, .. } = &outcome;
        let figures = vec![
            ("range_m", f64::from(self.scenario.range_m)),
            ("reachable", outcome.reachable as f64),
            ("of_oracle_percent", 100.0 * outcome.ratio()),
            ("lag_p50_ms", outcome.lag_ms.0 as f64),
            ("lag_p99_ms", outcome.lag_ms.1 as f64),
            ("latency_p50_ms", outcome.latency_ms.0 as f64),
            ("latency_p99_ms", outcome.latency_ms.1 as f64),
            (
                "copies_per_delivery",
                traffic.copies_in as f64 / outcome.delivered as f64,
            ),
            (
                "sent_bytes_per_s",
                (traffic.payload + traffic.control) as f64 / person_seconds,
            ),
            ("most_links", outcome.most_links as f64),
        ];
        Ok(Row {
            scenario: match self.scenario.linking {
                Linking::Given => "crowd, links given",
                Linking::Dialled => "crowd, own dials",
            },
            system: system.name(),
            nodes: people as u32,
            seed: self.seed,
            figures,
            violations: outcome.violations,
            trace: outcome.trace,
        })
    }
}
