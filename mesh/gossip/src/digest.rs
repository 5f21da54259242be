//! A digest of all heads that costs little to keep up to date.
//!
//! Heads change with every event, and a room may have ten thousand logs. So the sorted logs are cut
//! into runs of about thirty, each with a hash of its own, and only runs that changed are hashed
//! again. Where a run begins depends on nothing but the logs that are held: equal logs, equal cuts.

use std::collections::BTreeMap;

use peddlenet_wire::{AuthorId, Stream, event::sha256, ids::Digest, sketch::Summary};

use crate::{
    recent::LogKey,
    room::{Log, Logs, fnv1a},
};

/// One log in so many begins a run.
const RUN: u64 = 32;
/// The first run begins here, whatever is held.
const START: LogKey = (AuthorId::ZERO, Stream(0));

/// The hashes of a room's runs, by where they begin; `None` where something changed.
#[derive(Debug)]
pub(crate) struct Digests {
    runs: BTreeMap<LogKey, Option<(Digest, u64)>>,
    whole: Option<Summary>,
}

impl Default for Digests {
    fn default() -> Self {
        Self {
            runs: BTreeMap::from([(START, None)]),
            whole: None,
        }
    }
}

impl Digests {
    /// Something in a log became durable.
    pub(crate) fn touch(&mut self, log: LogKey) {
        self.whole = None;
        if begins_a_run(log) && !self.runs.contains_key(&log) {
            // What stood before it in the same run does so no longer with what stood behind.
            self.forget(log);
            self.runs.insert(log, None);
        }
        self.forget(log);
    }

    fn forget(&mut self, log: LogKey) {
        if let Some((_, run)) = self.runs.range_mut(..=log).next_back() {
            *run = None;
        }
    }

    pub(crate) fn summary(&mut self, logs: &Logs) -> Summary {
        if let Some(whole) = self.whole {
            return whole;
        }
        let starts: Vec<LogKey> = self.runs.keys().copied().collect();
        let mut ends = starts.iter().skip(1).copied();
        for (start, run) in &mut self.runs {
            let end = ends.next();
            if run.is_none() {
                let held = logs.range(*start..);
                let held = held.take_while(|(log, _)| end.is_none_or(|end| **log < end));
                *run = Some(of_logs(held));
            }
        }
        let parts = self.runs.values().flatten();
        let mut bytes = Vec::with_capacity(self.runs.len().saturating_mul(Digest::LEN));
        let mut events = 0u64;
        for (digest, count) in parts {
            bytes.extend_from_slice(digest.as_bytes());
            events = events.saturating_add(*count);
        }
        let mut digest = [0; 12];
        let hash = sha256(&bytes);
        let from = hash.as_bytes().iter();
        digest
            .iter_mut()
            .zip(from)
            .for_each(|(to, from)| *to = *from);
        let most = u64::from(Summary::EVENTS_MAX);
        let whole = Summary {
            events: u32::try_from(events.min(most)).unwrap_or(Summary::EVENTS_MAX),
            digest,
        };
        self.whole = Some(whole);
        whole
    }
}

/// SHA-256 over heads, and how many events they stand for.
pub(crate) fn of_logs<'a>(logs: impl Iterator<Item = (&'a LogKey, &'a Log)>) -> (Digest, u64) {
    let (mut bytes, mut events) = (Vec::new(), 0u64);
    for (&key, log) in logs {
        events = events.saturating_add(log.stored.count());
        for head in log.lines(key) {
            bytes.extend_from_slice(head.author.as_bytes());
            bytes.extend_from_slice(&head.stream.0.to_be_bytes());
            bytes.extend_from_slice(&head.base.0.to_be_bytes());
            bytes.extend_from_slice(&head.seq.0.to_be_bytes());
            bytes.extend_from_slice(head.hash.as_bytes());
        }
    }
    (sha256(&bytes), events)
}

/// By FNV-1a over the author: ids may be ground to have a common beginning, or be test data.
fn begins_a_run((author, stream): LogKey) -> bool {
    let hash = fnv1a(author.0.into_iter().chain(stream.0.to_be_bytes()));
    (hash >> 32).checked_rem(RUN) == Some(0)
}

#[cfg(test)]
mod tests {
    use peddlenet_wire::{EventHash, Seq};
    use proptest::prelude::*;

    use super::*;

    fn log_key(n: u8) -> LogKey {
        (AuthorId([n; 32]), Stream(u32::from(n % 3)))
    }

    proptest! {
        /// Whatever the order in which events came, and whenever the digest was asked for.
        #[test]
        fn the_digest_depends_on_what_is_held_alone(
            places in prop::collection::vec((any::<u8>(), 1u64..5, any::<bool>()), 1..200),
        ) {
            let (mut logs, mut digests) = (Logs::new(), Digests::default());
            for &(n, seq, look) in &places {
                let log: &mut Log = logs.entry(log_key(n)).or_default();
                log.stored.insert(Seq(seq));
                let top = log.stored.last().unwrap();
                log.head = Some((top, EventHash([n; 32])));
                digests.touch(log_key(n));
                if look {
                    digests.summary(&logs);
                }
            }
            let mut fresh = Digests::default();
            logs.keys().rev().for_each(|&log| fresh.touch(log));
            let summary = digests.summary(&logs);
            prop_assert_eq!(summary, fresh.summary(&logs));
            let events = logs.values().map(|l| l.stored.count()).sum::<u64>();
            prop_assert_eq!(u64::from(summary.events), events);
            // One more event makes another digest.
            let (&key, _) = logs.iter().next().unwrap();
            logs.get_mut(&key).unwrap().stored.insert(Seq(99));
            digests.touch(key);
            prop_assert_ne!(summary, digests.summary(&logs));
        }
    }
}
