//! What came of each way into a room, told once a join: for Diagnostics.
//!
//! ```text
//!  began --> failed .. --> end(a way) --+--> that way: opened
//!                                       +--> others: failed before, or beaten
//!                          end(a code) ----> all: failed
//!                          dropped --------> all: cancelled
//! ```

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::Ways;
use crate::{
    actor::{Ended, LAN, SERVER, TURN},
    error::ErrorCode,
};

/// The ways of one join.
pub(super) struct Rungs<F: Fn(&'static str, Duration, Ended)> {
    note: F,
    began: Instant,
    /// Where devices are looked for.
    sought: Vec<&'static str>,
    tried: BTreeMap<&'static str, Rung>,
    end: Option<Result<&'static str, ErrorCode>>,
}

struct Rung {
    began: Instant,
    /// Dials, and questions over links that opened (count).
    under_way: usize,
    failed: Option<(ErrorCode, Duration)>,
}

impl<F: Fn(&'static str, Duration, Ended)> Rungs<F> {
    pub(super) fn new(note: F, ways: &Ways) -> Self {
        let near = ways.near.is_some().then_some(LAN);
        let there = ways.there.is_some().then_some(SERVER);
        Self {
            note,
            began: Instant::now(),
            sought: near.into_iter().chain(there).collect(),
            tried: BTreeMap::new(),
            end: None,
        }
    }

    /// A device is dialled.
    pub(super) fn began(&mut self, via: &'static str) {
        let rung = self.tried.entry(via).or_insert_with(|| Rung {
            began: Instant::now(),
            under_way: 0,
            failed: None,
        });
        rung.under_way += 1;
    }

    /// The dial failed, or whoever answered didn't let this device in.
    pub(super) fn failed(&mut self, via: &'static str, why: ErrorCode) {
        if let Some(rung) = self.tried.get_mut(via) {
            rung.under_way = rung.under_way.saturating_sub(1);
            rung.failed = Some((why, rung.began.elapsed()));
        }
    }

    /// The join ends: by a way, or without.
    pub(super) fn end(&mut self, end: Result<&'static str, ErrorCode>) {
        self.end = Some(end);
    }
}

impl<F: Fn(&'static str, Duration, Ended)> Drop for Rungs<F> {
    fn drop(&mut self) {
        for (via, rung) in &self.tried {
            let (ended, took) = match (self.end, rung.failed) {
                (Some(Ok(way)), _) if way == *via => (Ended::Opened, rung.began.elapsed()),
                (_, Some((why, took))) if rung.under_way == 0 => (Ended::Failed(why), took),
                (Some(Ok(_)), _) => (Ended::Beaten, rung.began.elapsed()),
                (Some(Err(why)), _) => (Ended::Failed(why), rung.began.elapsed()),
                (None, _) => (Ended::Failed(ErrorCode::Cancelled), rung.began.elapsed()),
            };
            (self.note)(via, took, ended);
        }
        let why = match self.end {
            Some(Ok(_)) => return,
            Some(Err(_)) => ErrorCode::NobodyNear,
            None => ErrorCode::Cancelled,
        };
        let found = |via: &str| {
            self.tried.contains_key(via) || via == SERVER && self.tried.contains_key(TURN)
        };
        for via in self.sought.iter().filter(|via| !found(via)) {
            (self.note)(via, self.began.elapsed(), Ended::Failed(why));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tokio::sync::mpsc;

    use super::*;
    use crate::actor::DIRECT;

    /// What a join that looks around on this network tells.
    fn told(
        act: impl FnOnce(&mut Rungs<&dyn Fn(&'static str, Duration, Ended)>),
    ) -> Vec<(&'static str, Ended)> {
        let all = RefCell::new(Vec::new());
        let note = |via, _, ended| all.borrow_mut().push((via, ended));
        let (_to, near) = mpsc::channel(1);
        let ways = Ways {
            near: Some(near),
            there: None,
        };
        let mut rungs = Rungs::new(&note as &dyn Fn(&'static str, Duration, Ended), &ways);
        act(&mut rungs);
        drop(rungs);
        all.into_inner()
    }

    #[test]
    fn every_way_of_a_join_is_told_once() {
        let won = told(|rungs| {
            rungs.began(DIRECT);
            rungs.began(DIRECT);
            rungs.began(TURN);
            rungs.failed(DIRECT, ErrorCode::NoAnswer);
            rungs.began(SERVER);
            rungs.failed(SERVER, ErrorCode::WrongHost);
            rungs.end(Ok(TURN));
        });
        let server = Ended::Failed(ErrorCode::WrongHost);
        assert_eq!(
            won,
            [
                (DIRECT, Ended::Beaten),
                (SERVER, server),
                (TURN, Ended::Opened)
            ]
        );
    }

    #[test]
    fn where_nobody_was_found_is_told_and_what_was_cancelled() {
        let nobody = Ended::Failed(ErrorCode::NobodyNear);
        let poster = told(|rungs| rungs.end(Err(ErrorCode::NobodyNear)));
        assert_eq!(poster, [(LAN, nobody)]);
        let cancelled = Ended::Failed(ErrorCode::Cancelled);
        let given_up = told(|rungs| rungs.began(DIRECT));
        assert_eq!(given_up, [(DIRECT, cancelled), (LAN, cancelled)]);
    }
}
