//! Dialling: too few links bring dials, a failed dial brings the next one.
//!
//! Half of what is missing is dialled at a time, for the others dial, too. A dial that takes long
//! hangs, most likely, and no longer counts as half a link: so a wave of dials that hang for seconds
//! delays a refill by one, while [`limits::DIALS_MAX`] bounds what is under way, [`limits::DIALS_ALONE`] for a
//! device without any link.

use std::time::Duration;

use peddlenet_wire::{AuthorId, RoomTag, Timestamp};

use crate::{api::Action, engine::Engine, limits, links::Bucket, recent::elapsed};

/// A dial under way.
#[derive(Debug)]
pub(super) struct Dialing {
    since: Timestamp,
    what_for: WhatFor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WhatFor {
    Refill,
    Probe,
    Trial,
}

impl Dialing {
    pub(super) fn is_probe(&self) -> bool {
        self.what_for == WhatFor::Probe
    }

    pub(super) fn is_trial(&self) -> bool {
        self.what_for == WhatFor::Trial
    }
}

impl Engine {
    pub(crate) fn on_dial_failed(&mut self, room: RoomTag, author: AuthorId, now: Timestamp) {
        self.overlay.dials.remove(&(room, author));
        let jitter = self.roll();
        let keep = self.config.controls.lost_peers;
        if let Some(view) = self.overlay.views.get_mut(&room) {
            view.failed(author, keep, jitter, now);
        }
        self.refill(now);
    }

    pub(crate) fn on_moved(&mut self, now: Timestamp) {
        for view in self.overlay.views.values_mut() {
            view.forget_failures();
        }
        self.refill(now);
    }

    /// Dials until enough is under way.
    pub(crate) fn refill(&mut self, now: Timestamp) {
        while let Some((room, author)) = self.next_dial(now) {
            if !self.dial(room, author, WhatFor::Refill, now) {
                break;
            }
        }
    }

    /// False if there is no room for another dial.
    pub(super) fn dial(
        &mut self,
        room: RoomTag,
        author: AuthorId,
        what_for: WhatFor,
        now: Timestamp,
    ) -> bool {
        let tokens = self
            .overlay
            .dial_tokens
            .get_or_insert_with(|| Bucket::new(limits::DIALS_A_SECOND, now));
        if self.overlay.dials.len() >= limits::DIALS_ALONE || !tokens.take(now) {
            return false;
        }
        let dialing = Dialing {
            since: now,
            what_for,
        };
        self.overlay.dials.insert((room, author), dialing);
        tracing::debug!(?room, ?author, ?what_for, "dial");
        self.out.push(Action::Dial { room, author });
        true
    }

    fn next_dial(&self, now: Timestamp) -> Option<(RoomTag, AuthorId)> {
        let degree = self.config.degree;
        let links = self.standing().count();
        let under_way = self.overlay.dials.len();
        let most = if links == 0 {
            limits::DIALS_ALONE
        } else {
            limits::DIALS_MAX.min(degree.cap.saturating_sub(links))
        };
        let early = now < self.overlay.begin_at && self.overlay.ticking;
        if early || under_way >= most {
            return None;
        }
        let mut rooms: Vec<_> = self.rooms.keys().map(|&r| (self.have(r), r)).collect();
        rooms.sort_unstable();
        rooms.into_iter().find_map(|(have, room)| {
            let missing = degree
                .floor
                .saturating_sub(have)
                .max(degree.active.saturating_sub(links));
            // Nobody to lose time with, unless all have just begun.
            let begun = elapsed(self.overlay.begin_at, now, limits::BEGINNING);
            let at_once = if have == 0 && begun {
                missing
            } else {
                missing.div_ceil(2)
            };
            let fresh = self
                .overlay
                .dials
                .iter()
                .filter(|((of, _), d)| *of == room && !elapsed(d.since, now, limits::DIAL_FRESH))
                .count();
            if fresh >= at_once {
                return None;
            }
            let view = self.overlay.views.get(&room)?;
            let free = |author| self.is_free(room, author);
            view.best(now, false, free)
                .map(|(author, _)| (room, author))
        })
    }

    /// Neither linked with nor being dialled.
    pub(super) fn is_free(&self, room: RoomTag, author: AuthorId) -> bool {
        !self.overlay.dials.contains_key(&(room, author)) && !self.is_linked(room, author)
    }

    /// A dial that was never answered failed.
    pub(super) fn give_up_dials(&mut self, now: Timestamp) {
        let hung = |d: &Dialing| elapsed(d.since, now, limits::DIAL_GIVE_UP);
        let over: Vec<_> = self
            .overlay
            .dials
            .iter()
            .filter(|(_, d)| hung(d))
            .map(|(&key, _)| key)
            .collect();
        for (room, author) in over {
            self.on_dial_failed(room, author, now);
        }
    }

    /// One lost peer that came into sight is dialled at once.
    pub(super) fn probe_near(&mut self, room: RoomTag, authors: &[AuthorId], now: Timestamp) {
        let under_way = self.overlay.dials.values().any(Dialing::is_probe);
        let Some(view) = self.overlay.views.get(&room) else {
            return;
        };
        let lost = |author: &&AuthorId| view.was_lost(**author) && self.is_free(room, **author);
        let first = authors.iter().find(lost).copied();
        if let Some(author) = first.filter(|_| !under_way) {
            self.probe(room, author, now);
        }
    }

    fn probe(&mut self, room: RoomTag, author: AuthorId, now: Timestamp) {
        if self.dial(room, author, WhatFor::Probe, now)
            && let Some(view) = self.overlay.views.get_mut(&room)
        {
            view.probed(author, now);
        }
    }

    /// One lost peer every 30 s, however many links there are: it may be the way to another half.
    pub(super) fn probe_lost(&mut self, now: Timestamp) {
        if !self.config.controls.lost_peers {
            return;
        }
        let at = match self.overlay.probe_at {
            Some(at) => at,
            // Spread over the whole span, for many lose somebody at the same time.
            None => {
                let span = u64::try_from(limits::PROBE_EVERY.as_millis()).unwrap_or(u64::MAX);
                let within = self.roll().checked_rem(span).unwrap_or(0);
                now.after(Duration::from_millis(within))
            }
        };
        self.overlay.probe_at = Some(at);
        if now < at && now.after(limits::PROBE_EVERY.saturating_mul(2)) > at {
            return;
        }
        self.overlay.probe_at = Some(now.after(self.jittered(limits::PROBE_EVERY)));
        let rooms: Vec<RoomTag> = self.rooms.keys().copied().collect();
        let mut longest = None;
        for room in rooms {
            // Taken out for a moment, so that the rest of the engine can be asked.
            let Some(mut view) = self.overlay.views.remove(&room) else {
                continue;
            };
            let found = view.longest_lost(now, |author| self.is_free(room, author));
            self.overlay.views.insert(room, view);
            if let Some((tried, author)) = found
                && longest.is_none_or(|(before, _, _)| tried < before)
            {
                longest = Some((tried, room, author));
            }
        }
        if let Some((_, room, author)) = longest {
            self.probe(room, author, now);
        }
    }
}
