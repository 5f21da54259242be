//! Messages to one member that are kept: own ones until they are delivered, others' while the
//! recipient is away.
//!
//! An own message stays here from `SendTo` on. When nobody can pass it on, up to three neighbours
//! are asked to keep a copy (`keepers`). Whoever keeps one tries again at each sign of life of its
//! recipient, who takes it once and says so to each; who wrote it tells the others that it arrived.
//!
//! All of this is memory of the engine. A device that restarts has neither its own messages nor
//! others' any more: a message outlasts its writer's restart if a keeper stays up, and else it is lost.

use peddlenet_wire::{AuthorId, RoomTag, Timestamp, limits::UNICAST_MAX, route::Answer};

use crate::{
    api::{Action, Outcome, PeerId, UnicastId},
    engine::{Due, Engine},
    limits,
    recent::elapsed,
    room::spread,
    unicast::{Key, State, sum_of},
};

/// One message that is kept.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) to: AuthorId,
    pub(crate) payload: Vec<u8>,
    /// The last attempt that was begun.
    pub(crate) attempt: u8,
    pub(crate) phase: Phase,
    /// The ring's timer that counts.
    pub(crate) turn: u32,
    since: Timestamp,
    /// When it set out last.
    tried: Timestamp,
    /// Attempts since the last sign of life.
    pub(crate) tries: u32,
    /// When the next attempt is due.
    next: Option<Timestamp>,
    /// How often it waited without a sign of life.
    waits: u32,
    /// Neighbours that were asked to keep a copy.
    pub(crate) asked: Vec<PeerId>,
    /// Of those, who keep one.
    pub(crate) keepers: Vec<PeerId>,
    /// Copies that were given away, as far as they were not refused.
    pub(crate) copies: usize,
    /// Whether the app knows that it takes longer.
    pub(crate) told: bool,
}

/// How far a kept message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// On a known route.
    Direct,
    /// Its recipient is searched for, in this ring.
    Searching(usize),
    /// On the way that this ring found.
    Found(usize),
    /// Until there is a sign of life.
    Resting,
}

impl Kept {
    fn new(to: AuthorId, payload: Vec<u8>, now: Timestamp) -> Self {
        Self {
            to,
            payload,
            attempt: 0,
            phase: Phase::Direct,
            turn: 0,
            since: now,
            tried: now,
            tries: 0,
            next: None,
            waits: 0,
            asked: Vec::new(),
            keepers: Vec::new(),
            copies: 0,
            told: false,
        }
    }

    /// Kept for somebody else, who made so many attempts.
    pub(crate) fn for_other(to: AuthorId, payload: Vec<u8>, attempt: u8, now: Timestamp) -> Self {
        Self {
            attempt,
            phase: Phase::Resting,
            ..Self::new(to, payload, now)
        }
    }

    /// Whether one more neighbour is to be asked, once the first ones were.
    pub(crate) fn lacks_keepers(&self) -> bool {
        self.keepers.len() < limits::KEEPERS
    }
}

impl Engine {
    pub(crate) fn send_to(
        &mut self,
        tag: RoomTag,
        to: AuthorId,
        id: UnicastId,
        payload: Vec<u8>,
        now: Timestamp,
    ) {
        self.sweep_kept(tag, now);
        let own = |key: &Key| key.1.is_none();
        let key = (id, None, sum_of(&payload));
        let Some(unicast) = self.unicast(tag) else {
            return self.done(tag, id, Outcome::Failed);
        };
        if unicast.kept.keys().any(|known| own(known) && known.0 == id) {
            return;
        }
        let count = unicast.kept.keys().filter(|key| own(key)).count();
        if payload.len() > UNICAST_MAX || count >= limits::OUTBOX_MAX {
            return self.done(tag, id, Outcome::Failed);
        }
        unicast.kept.insert(key, Kept::new(to, payload, now));
        self.launch(tag, key, now);
    }

    /// Nobody could pass it on: it waits.
    pub(crate) fn rest(&mut self, tag: RoomTag, key: Key, now: Timestamp) {
        let custody = self.config.controls.custody;
        let Some(kept) = self.unicast(tag).and_then(|u| u.kept.get_mut(&key)) else {
            return;
        };
        kept.phase = Phase::Resting;
        if custody {
            return self.rest_again(tag, key, now);
        }
        self.forget_kept(tag, key);
        self.done(tag, key.0, Outcome::Failed);
    }

    /// It waits again: others are asked to keep it, too. Signs of life get lost, so one more attempt is
    /// due in any case, later and later.
    pub(crate) fn rest_again(&mut self, tag: RoomTag, key: Key, now: Timestamp) {
        let Some(kept) = self.unicast(tag).and_then(|u| u.kept.get_mut(&key)) else {
            return;
        };
        let mut wait = limits::REDELIVER_EVERY;
        if kept.tries == 0 || kept.tries >= limits::REDELIVER_TRIES {
            let doubled = 1_u32.checked_shl(kept.waits).unwrap_or(u32::MAX);
            wait = limits::REDELIVER_SLOWLY.saturating_mul(doubled);
            wait = wait.min(limits::REDELIVER_SLOWEST);
            kept.waits = kept.waits.saturating_add(1);
        }
        let ask = key.1.is_none() && kept.asked.is_empty();
        self.redeliver_at(tag, key, now.after(wait));
        if ask {
            for _ in 0..limits::KEEPERS {
                self.ask_keeper(tag, key, now);
            }
            self.arm(Due::Keepers(tag, key), now.after(limits::KEEPERS_WITHIN));
        }
    }

    /// An attempt is due then, unless one is due before.
    fn redeliver_at(&mut self, tag: RoomTag, key: Key, at: Timestamp) {
        if let Some(kept) = self.unicast(tag).and_then(|u| u.kept.get_mut(&key))
            && kept.next.is_none_or(|next| at < next)
        {
            kept.next = Some(at);
            self.arm(Due::Redeliver(tag, key), at);
        }
    }

    /// A member gave a sign of life: what is kept for it sets out again.
    pub(crate) fn heard_of(&mut self, tag: RoomTag, author: AuthorId, now: Timestamp) {
        let Some(unicast) = self.unicast(tag).filter(|u| !u.kept.is_empty()) else {
            return;
        };
        let waits = |kept: &Kept| kept.to == author && kept.phase == Phase::Resting;
        let due: Vec<Key> = unicast
            .kept
            .iter_mut()
            .filter(|(_, kept)| waits(kept))
            .map(|(&key, kept)| {
                (kept.tries, kept.waits) = (0, 0);
                key
            })
            .collect();
        for key in due {
            self.redeliver_soon(tag, key, now);
        }
    }

    pub(crate) fn redeliver_soon(&mut self, tag: RoomTag, key: Key, now: Timestamp) {
        // Keepers that hear it at the same time don't all set out at the same time.
        let jitter = match key.1 {
            None => 0,
            Some(_) => {
                spread(self.config.salt, tag, u64::from_be_bytes(key.0.0))
                    % limits::REDELIVER_JITTER_MS
            }
        };
        let Some(kept) = self.unicast(tag).and_then(|u| u.kept.get(&key)) else {
            return;
        };
        let mut at = Timestamp(now.0.saturating_add(jitter));
        if kept.attempt > 0 && !elapsed(kept.tried, at, limits::REDELIVER_EVERY) {
            at = kept.tried.after(limits::REDELIVER_EVERY);
        }
        self.redeliver_at(tag, key, at);
    }

    pub(crate) fn on_redeliver_due(&mut self, tag: RoomTag, key: Key, now: Timestamp) {
        self.sweep_kept(tag, now);
        let Some(unicast) = self.unicast(tag) else {
            return;
        };
        let passed = unicast.passages.get(&key);
        let (passed, arrived) = (
            passed.map_or(0, |p| p.attempt),
            passed.is_some_and(|p| p.state == State::Delivered),
        );
        let Some(kept) = unicast.kept.get_mut(&key) else {
            return;
        };
        // Another attempt was due before this timer, or is due after it.
        if kept.next.is_none_or(|next| now < next) {
            return;
        }
        kept.next = None;
        if arrived {
            return self.delivered(tag, key);
        }
        // The last attempt that the format can name is not made twice.
        let Some(attempt) = kept.attempt.max(passed).checked_add(1) else {
            return;
        };
        kept.attempt = attempt;
        kept.tries = kept.tries.saturating_add(1);
        kept.tried = now;
        self.launch(tag, key, now);
    }

    /// A kept message arrived. For an own one, those who keep a copy may let it go.
    pub(crate) fn delivered(&mut self, tag: RoomTag, key: Key) {
        let Some(kept) = self.forget_kept(tag, key) else {
            return;
        };
        if key.1.is_some() {
            return;
        }
        for peer in kept.asked {
            // Who keeps it knows from the link whose it is.
            if self.author_at(peer, tag).is_some() {
                let nobody = AuthorId::ZERO.short();
                self.reply(peer, tag, (key.0, nobody, kept.attempt), Answer::Delivered);
            }
        }
        self.done(tag, key.0, Outcome::Delivered);
    }

    fn forget_kept(&mut self, tag: RoomTag, key: Key) -> Option<Kept> {
        self.unicast(tag)?.kept.remove(&key)
    }

    /// What was kept for too long goes.
    pub(crate) fn sweep_kept(&mut self, tag: RoomTag, now: Timestamp) {
        let Some(unicast) = self.unicast(tag) else {
            return;
        };
        let mut own = Vec::new();
        unicast.kept.retain(|key, kept| {
            // A clock that jumped back makes nothing old.
            let old = now >= kept.since && elapsed(kept.since, now, limits::KEPT_FOR);
            if old && key.1.is_none() {
                own.push(key.0);
            }
            !old
        });
        for id in own {
            self.done(tag, id, Outcome::Failed);
        }
    }

    pub(crate) fn done(&mut self, room: RoomTag, id: UnicastId, outcome: Outcome) {
        tracing::debug!(?id, ?outcome, "message to one member");
        self.out.push(Action::UnicastDone { room, id, outcome });
    }
}
