//! Now and then another link is tried; of the two the clearly better one stays.
//!
//! Links are costly, so trials are rare, one at a time, and rarer each time that one brought nothing.

use std::time::Duration;

use peddlenet_wire::Timestamp;

use super::dials::WhatFor;
use crate::{api::PeerId, engine::Engine, limits, recent::elapsed};

/// When a link is tried next, and the one that is tried now.
#[derive(Debug, Default)]
pub(super) struct Trial {
    link: Option<(PeerId, Timestamp)>,
    next: Option<Timestamp>,
    pause: Duration,
}

impl Trial {
    pub(super) fn begun(&mut self, peer: PeerId, now: Timestamp) {
        self.link = Some((peer, now));
    }

    pub(super) fn ended(&mut self, peer: PeerId) {
        if self.link.is_some_and(|(tried, _)| tried == peer) {
            self.link = None;
        }
    }
}

impl Engine {
    pub(super) fn weigh_trial(&mut self, now: Timestamp) {
        match self.overlay.trial.link {
            Some((peer, since)) if elapsed(since, now, limits::TRIAL_FOR) => {
                self.overlay.trial.link = None;
                self.end_trial(peer, now);
            }
            Some(_) => {}
            None => self.begin_trial(now),
        }
    }

    fn begin_trial(&mut self, now: Timestamp) {
        let Some(at) = self.overlay.trial.next else {
            return self.next_trial(limits::TRIAL_EVERY, now);
        };
        if now < at || self.standing().count() != self.config.degree.active {
            return;
        }
        let pause = self.overlay.trial.pause.saturating_mul(2);
        self.next_trial(pause.min(limits::TRIAL_EVERY_MAX), now);
        let best = self.rooms.keys().find_map(|&room| {
            let view = self.overlay.views.get(&room)?;
            let (author, _) = view.best(now, true, |author| self.is_free(room, author))?;
            Some((room, author))
        });
        if let Some((room, author)) = best {
            self.dial(room, author, WhatFor::Trial, now);
        }
    }

    /// The swap: at most one a trial, and only for a link that is 1.3 times better.
    fn end_trial(&mut self, tried: PeerId, now: Timestamp) {
        if !self.overlay.links.contains_key(&tried) {
            return;
        }
        let new = self.known_cost(tried);
        if self.standing().count() <= self.config.degree.active {
            return;
        }
        let up = self.overlay.links.get(&tried).map(|ends| ends.up);
        let worst = self.least_needed(now, |ends| Some(ends.up) != up);
        let old = worst.map(|peer| self.known_cost(peer));
        match (worst, old) {
            (Some(worst), Some(old))
                if new.saturating_mul(limits::SWAP_GAIN_PERCENT) / 100 < old =>
            {
                self.next_trial(limits::TRIAL_EVERY, now);
                self.part_from(worst, now);
            }
            _ => self.part_from(tried, now),
        }
    }

    fn next_trial(&mut self, pause: Duration, now: Timestamp) {
        self.overlay.trial.pause = pause;
        self.overlay.trial.next = Some(now.after(self.jittered(pause)));
    }
}
