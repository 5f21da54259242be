//! Where an accepted link's other end is, and when that changes.
//!
//! ICE-lite and DTLS inside `webrtc` see one unchanging address. This module maps it to the real
//! one. After a NAT rebind the dialer's checks come from a new source with the fragment we know:
//! the source becomes a candidate, and it gets its checks answered, nothing more. It becomes the
//! link's path only when
//!
//! 1. the current path has been silent for [`SILENCE`], and
//! 2. a message that decrypted came while this candidate alone had the turn to deliver records.
//!
//! So somebody who replays a captured check from his own address gets 100 bytes back per packet,
//! and never the link.

use crate::stun::TransactionId;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// Sources a link may have at a time, the current one included.
pub(crate) const SOURCES_MAX: usize = 4;
/// How long the current path must be silent before another may take over.
const SILENCE: Duration = Duration::from_secs(1);
/// How long one candidate alone may deliver records before the next gets its turn.
const TURN: Duration = Duration::from_secs(1);
/// Checks whose response has not been sent yet.
const CHECKS_MAX: usize = 16;

/// A remote address, and the local one that its packets come in on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) remote: SocketAddr,
    pub(crate) local: Option<IpAddr>,
}

/// The state of one link's paths.
#[derive(Debug)]
pub(crate) struct Paths {
    current: Path,
    heard: Instant,
    candidates: Vec<Path>,
    turn: Option<(SocketAddr, Instant)>,
    /// Ring of checks: a response goes to where its request came from.
    checks: [Option<(TransactionId, SocketAddr)>; CHECKS_MAX],
    next_check: usize,
}

impl Paths {
    pub(crate) fn new(current: Path, now: Instant) -> Self {
        Self {
            current,
            heard: now,
            candidates: Vec::new(),
            turn: None,
            checks: [None; CHECKS_MAX],
            next_check: 0,
        }
    }

    pub(crate) fn current(&self) -> Path {
        self.current
    }

    /// All sources of this link.
    pub(crate) fn sources(&self) -> impl Iterator<Item = SocketAddr> {
        std::iter::once(self.current)
            .chain(self.candidates.iter().copied())
            .map(|path| path.remote)
    }

    /// Takes in a source whose check authenticated. When there are too many, the oldest candidate
    /// goes, and is returned: somebody who replays captured checks can't fill the places for good.
    pub(crate) fn add(&mut self, path: Path) -> Option<SocketAddr> {
        if self.sources().any(|known| known == path.remote) {
            return None;
        }
        let mut gone = None;
        if self.candidates.len() + 1 >= SOURCES_MAX {
            let holder = self.turn.map(|(holder, _)| holder);
            let mut candidates = self.candidates.iter();
            let oldest = candidates.position(|known| Some(known.remote) != holder);
            gone = Some(self.candidates.remove(oldest.unwrap_or(0)).remote);
        }
        self.candidates.push(path);
        gone
    }

    /// A check came in; its response is to go back the same way.
    pub(crate) fn on_check(&mut self, transaction: TransactionId, from: Path) {
        if self.current.remote == from.remote {
            self.current.local = from.local;
        }
        if let Some(slot) = self.checks.get_mut(self.next_check) {
            *slot = Some((transaction, from.remote));
        }
        self.next_check = (self.next_check + 1) % CHECKS_MAX;
    }

    /// Where to send the response to that check.
    pub(crate) fn response_to(&self, transaction: &TransactionId) -> Path {
        let asked = self
            .checks
            .iter()
            .flatten()
            .find(|(id, _)| id == transaction);
        asked
            .and_then(|(_, remote)| self.candidates.iter().find(|path| path.remote == *remote))
            .copied()
            .unwrap_or(self.current)
    }

    /// A record (anything but STUN) came in. Says whether it may go on to DTLS.
    pub(crate) fn on_record(&mut self, from: Path, now: Instant) -> bool {
        if from.remote == self.current.remote {
            self.current.local = from.local;
            self.heard = now;
            self.turn = None;
            return true;
        }
        let known = self
            .candidates
            .iter()
            .any(|path| path.remote == from.remote);
        if !known || now.saturating_duration_since(self.heard) < SILENCE {
            return false;
        }
        match self.turn {
            Some((holder, since)) if now.saturating_duration_since(since) < TURN => {
                holder == from.remote
            }
            // The last holder waits, so that a talkative impostor cannot keep the turn.
            Some((holder, since))
                if holder == from.remote && now.saturating_duration_since(since) < TURN * 2 =>
            {
                false
            }
            _ => {
                self.turn = Some((from.remote, now));
                true
            }
        }
    }

    /// Whether [`on_message`](Self::on_message) would change anything.
    pub(crate) fn on_trial(&self) -> bool {
        self.turn.is_some()
    }

    /// A message decrypted. While a candidate has the turn it can have come from nowhere else.
    pub(crate) fn on_message(&mut self, now: Instant) {
        let Some((holder, since)) = self.turn else {
            return;
        };
        if now.saturating_duration_since(since) >= TURN {
            return;
        }
        if let Some(path) = self
            .candidates
            .iter_mut()
            .find(|path| path.remote == holder)
        {
            std::mem::swap(path, &mut self.current);
            self.heard = now;
            self.turn = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(port: u16) -> Path {
        Path {
            remote: SocketAddr::from(([10, 0, 0, 1], port)),
            local: None,
        }
    }

    #[test]
    fn a_rebound_dialer_takes_its_link_along() {
        let start = Instant::now();
        let mut paths = Paths::new(path(1), start);
        assert_eq!(paths.add(path(2)), None);
        assert!(
            !paths.on_record(path(2), start + SILENCE / 2),
            "the old path may be alive"
        );
        assert!(paths.on_record(path(2), start + SILENCE));
        assert_eq!(paths.current(), path(1), "nothing has decrypted yet");
        paths.on_message(start + SILENCE);
        assert_eq!(paths.current(), path(2));
    }

    #[test]
    fn a_live_path_is_never_taken_over() {
        let start = Instant::now();
        let mut paths = Paths::new(path(1), start);
        paths.add(path(2));
        for tick in 0..100u32 {
            let now = start + SILENCE / 2 * tick;
            assert!(paths.on_record(path(1), now));
            assert!(!paths.on_record(path(2), now));
            paths.on_message(now);
        }
        assert_eq!(paths.current(), path(1));
    }

    #[test]
    fn an_impostor_that_floods_does_not_keep_the_turn() {
        let start = Instant::now();
        let mut paths = Paths::new(path(1), start);
        paths.add(path(2));
        paths.add(path(3));
        let mut now = start + SILENCE;
        // 2 floods; 3 is real: what of its records passes, decrypts.
        for _ in 0..40 {
            paths.on_record(path(2), now);
            if paths.on_record(path(3), now) {
                paths.on_message(now);
            }
            now += TURN / 8;
        }
        assert_eq!(paths.current(), path(3));
    }

    #[test]
    fn sources_are_capped_and_the_oldest_candidate_goes() {
        let mut paths = Paths::new(path(1), Instant::now());
        assert!((2..=4).all(|port| paths.add(path(port)).is_none()));
        assert_eq!(paths.add(path(3)), None, "a known one is no new one");
        assert_eq!(paths.add(path(5)), Some(path(2).remote));
        assert_eq!(paths.sources().count(), SOURCES_MAX);
        assert!(!paths.on_record(path(2), Instant::now() + SILENCE * 3));
    }

    #[test]
    fn responses_go_where_the_check_came_from() {
        let mut paths = Paths::new(path(1), Instant::now());
        paths.add(path(2));
        paths.on_check([1; 12], path(1));
        paths.on_check([2; 12], path(2));
        assert_eq!(paths.response_to(&[1; 12]), path(1));
        assert_eq!(paths.response_to(&[2; 12]), path(2));
        assert_eq!(paths.response_to(&[9; 12]), path(1));
    }
}
