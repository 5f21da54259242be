//! What was tried, what came of it and how long it took: the figures behind Diagnostics. Counted
//! always, kept in memory, told to nobody by itself.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use peddlenet_wire::EventHash;

use super::Actor;
use crate::{
    api::{Attempts, Delivery, Diagnostics, Failure, LanState},
    clock,
    error::ErrorCode,
};

/// Durations of one kind that are kept (count).
const SAMPLES: usize = 128;
/// Failures that are kept (count).
const FAILURES: usize = 20;
/// Own messages that wait for their first receipt (count).
const UNSEEN: usize = 256;
/// Failures on a network in a row, without a link, after which it is taken to keep devices apart (count).
const APART_AFTER: u32 = 3;

/// The last durations of something.
#[derive(Debug, Default)]
struct Samples(VecDeque<Duration>);

impl Samples {
    fn add(&mut self, took: Duration) {
        if self.0.len() >= SAMPLES {
            self.0.pop_front();
        }
        self.0.push_back(took);
    }

    /// Of a hundred so many took no longer.
    fn percentile(&self, percent: usize) -> Option<Duration> {
        let mut sorted: Vec<_> = self.0.iter().copied().collect();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        sorted.get((last * percent).div_ceil(100)).copied()
    }
}

#[derive(Debug, Default)]
struct Tally {
    tried: u64,
    opened: u64,
    beaten: u64,
    took: Samples,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With a link.
    Opened,
    /// Another way was there first.
    Beaten,
    /// Without one.
    Failed(ErrorCode),
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Record {
    began: Instant,
    tallies: BTreeMap<&'static str, Tally>,
    failures: VecDeque<Failure>,
    /// Devices nearby that were dialled in vain since one answered.
    unanswered: u32,
    sent: u64,
    unseen: VecDeque<(EventHash, Instant)>,
    seen: Samples,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            tallies: BTreeMap::new(),
            failures: VecDeque::new(),
            unanswered: 0,
            sent: 0,
            unseen: VecDeque::new(),
            seen: Samples::default(),
        }
    }
}

impl Record {
    /// An attempt ended after so long.
    pub(crate) fn attempt(&mut self, via: &'static str, took: Duration, ended: Ended) {
        let tally = self.tallies.entry(via).or_default();
        tally.tried += 1;
        match ended {
            Ended::Beaten => tally.beaten += 1,
            Ended::Opened => {
                tally.opened += 1;
                tally.took.add(took);
                self.unanswered = 0;
            }
            Ended::Failed(reason) => {
                if via == super::LAN && reason == ErrorCode::NoAnswer {
                    self.unanswered = self.unanswered.saturating_add(1);
                }
                if self.failures.len() >= FAILURES {
                    self.failures.pop_back();
                }
                let at = clock::now();
                self.failures.push_front(Failure {
                    via,
                    reason,
                    took,
                    at,
                });
            }
        }
    }

    /// An own message is on disk.
    pub(super) fn sent(&mut self, message: EventHash) {
        self.sent += 1;
        if self.unseen.len() >= UNSEEN {
            self.unseen.pop_front();
        }
        self.unseen.push_back((message, Instant::now()));
    }

    /// Somebody has seen it.
    pub(super) fn seen(&mut self, message: EventHash) {
        if let Some(at) = self.unseen.iter().position(|(hash, _)| *hash == message)
            && let Some((_, since)) = self.unseen.remove(at)
        {
            self.seen.add(since.elapsed());
        }
    }

    /// This device is on another network.
    pub(super) fn moved(&mut self) {
        self.unanswered = 0;
    }

    fn attempts(&self) -> Vec<Attempts> {
        let one = |(via, tally): (&&'static str, &Tally)| Attempts {
            via,
            tried: tally.tried,
            opened: tally.opened,
            beaten: tally.beaten,
            p50: tally.took.percentile(50),
            p95: tally.took.percentile(95),
        };
        self.tallies.iter().map(one).collect()
    }
}

impl Actor {
    pub(crate) fn diagnostics(&self) -> Diagnostics {
        let (lan, near) = self.near.state();
        let (device, engine) = self.counters();
        let record = &self.record;
        let links = self.link_infos().into_iter();
        let links = links.map(|info| {
            let (names, up) = self.whose_link(info.peer);
            (info, names, up)
        });
        Diagnostics {
            up: record.began.elapsed(),
            tasks: tokio::runtime::Handle::current()
                .metrics()
                .num_alive_tasks(),
            lan,
            near,
            addresses: self.endpoint.local_addrs(),
            servers: self.servers.states(),
            apart: lan == LanState::On
                && near > 0
                && self.link_count() == 0
                && record.unanswered >= APART_AFTER,
            attempts: record.attempts(),
            failures: record.failures.iter().copied().collect(),
            links: links.collect(),
            delivery: Delivery {
                sent: record.sent,
                p50: record.seen.percentile(50),
                p95: record.seen.percentile(95),
            },
            device,
            engine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_last_ones() {
        let mut samples = Samples::default();
        assert_eq!(samples.percentile(50), None);
        samples.add(Duration::from_secs(900));
        for ms in 1..=SAMPLES as u64 {
            samples.add(Duration::from_millis(ms));
        }
        assert_eq!(samples.0.len(), SAMPLES);
        assert_eq!(samples.percentile(0), Some(Duration::from_millis(1)));
        assert_eq!(samples.percentile(50), Some(Duration::from_millis(65)));
        assert_eq!(samples.percentile(100), Some(Duration::from_millis(128)));
    }

    #[test]
    fn attempts_are_counted_by_way_and_failures_kept_for_a_while() {
        let mut record = Record::default();
        let took = Duration::from_millis(40);
        record.attempt("direct", took, Ended::Opened);
        record.attempt("direct", took, Ended::Beaten);
        for _ in 0..50 {
            record.attempt("lan", took, Ended::Failed(ErrorCode::NoAnswer));
        }
        let attempts = record.attempts();
        assert_eq!((attempts[0].tried, attempts[0].opened), (2, 1));
        assert_eq!(attempts[0].beaten, 1);
        assert!(record.failures.iter().all(|failure| failure.took == took));
        assert_eq!((attempts[1].tried, attempts[1].opened), (50, 0));
        assert_eq!(record.failures.len(), FAILURES);
        assert_eq!(record.unanswered, 50);
        record.attempt("direct", took, Ended::Opened);
        assert_eq!(record.unanswered, 0, "something answers here");
    }

    #[test]
    fn a_message_is_seen_once() {
        let mut record = Record::default();
        for n in 0..300u16 {
            let mut hash = [0; 32];
            hash[..2].copy_from_slice(&n.to_be_bytes());
            record.sent(EventHash(hash));
        }
        assert_eq!((record.sent, record.unseen.len()), (300, UNSEEN));
        let mut last = [0; 32];
        last[..2].copy_from_slice(&299u16.to_be_bytes());
        record.seen(EventHash(last));
        record.seen(EventHash(last));
        assert_eq!(record.seen.0.len(), 1);
    }
}
