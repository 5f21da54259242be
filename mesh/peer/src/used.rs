//! Fragments that have opened a link once, so that a captured first packet opens no second one.

use crate::GateId;
use crate::gate::ServerUfrag;
use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

/// Fragments remembered at most; beyond it the oldest is forgotten.
const USED_MAX: usize = 4096;
/// A gate that outlives this re-admits a capture, which then costs one half-open link of 5 s.
const USED_FOR: Duration = Duration::from_secs(24 * 3600);

/// Fragments used within the last day, while their gate stands.
#[derive(Debug, Default)]
pub(crate) struct UsedUfrags {
    set: HashSet<ServerUfrag>,
    queue: VecDeque<(Instant, GateId, ServerUfrag)>,
}

impl UsedUfrags {
    pub(crate) fn contains(&self, ufrag: &ServerUfrag) -> bool {
        self.set.contains(ufrag)
    }

    pub(crate) fn insert(&mut self, now: Instant, gate: GateId, ufrag: ServerUfrag) {
        while self.queue.front().is_some_and(|(since, ..)| {
            self.queue.len() >= USED_MAX || now.saturating_duration_since(*since) >= USED_FOR
        }) {
            if let Some((_, _, old)) = self.queue.pop_front() {
                self.set.remove(&old);
            }
        }
        if self.set.insert(ufrag) {
            self.queue.push_back((now, gate, ufrag));
        }
    }

    /// Forgets what belongs to gates that are gone: their packets open nothing any more.
    pub(crate) fn keep_gates(&mut self, stands: impl Fn(GateId) -> bool) {
        let set = &mut self.set;
        self.queue.retain(|(_, gate, ufrag)| {
            let keep = stands(*gate);
            if !keep {
                set.remove(ufrag);
            }
            keep
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ufrag(n: usize) -> ServerUfrag {
        let mut ufrag = [0; 69];
        ufrag[..8].copy_from_slice(&(n as u64).to_be_bytes());
        ufrag
    }

    #[test]
    fn memory_is_bounded_and_the_newest_stay() {
        let (mut used, now) = (UsedUfrags::default(), Instant::now());
        for n in 0..USED_MAX + 10 {
            used.insert(now, GateId(1), ufrag(n));
        }
        assert_eq!(used.set.len(), USED_MAX);
        assert!(!used.contains(&ufrag(9)));
        assert!(used.contains(&ufrag(10)));
    }

    #[test]
    fn a_gone_gate_takes_its_fragments_along() {
        let (mut used, now) = (UsedUfrags::default(), Instant::now());
        used.insert(now, GateId(1), ufrag(1));
        used.insert(now, GateId(2), ufrag(2));
        used.keep_gates(|gate| gate == GateId(2));
        assert!(!used.contains(&ufrag(1)));
        assert!(used.contains(&ufrag(2)));
    }

    #[test]
    fn a_day_later_it_is_forgotten() {
        let (mut used, now) = (UsedUfrags::default(), Instant::now());
        used.insert(now, GateId(1), ufrag(1));
        used.insert(now + USED_FOR, GateId(1), ufrag(2));
        assert!(!used.contains(&ufrag(1)));
    }
}
