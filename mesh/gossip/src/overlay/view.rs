//! Candidates of a room, and those that were lost.
//!
//! Each device ranks members by a salted hash, so that devices choose differently and nobody can
//! choose to be chosen. The 48 best ranked stay; whom a neighbour is linked with comes before others,
//! and who could not be reached comes last. Names that only a neighbour gave are few among them and go
//! at the first failure: the driver dials members only, and says so by failing.

use std::{collections::BTreeMap, time::Duration};

use peddlenet_wire::{AuthorId, RoomTag, Stream, Timestamp, record::RecordKind};

use super::scramble;
use crate::{engine::Engine, limits, recent::elapsed, room::spread};

/// How this device came to know of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The driver can dial it.
    Known,
    /// The driver sees its device on this network.
    Near,
    /// It said something that was accepted.
    Seen,
    /// It gave a sign of life.
    Heard,
    /// A neighbour named it.
    Told,
}

/// Members of one room that could be linked with; none of them is, now.
#[derive(Debug, Default)]
pub(super) struct View {
    passive: BTreeMap<AuthorId, Candidate>,
    /// When each was lost, and when it was tried last.
    lost: BTreeMap<AuthorId, (Timestamp, Timestamp)>,
    me: Option<AuthorId>,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    /// Where the device's own dice put it; the lower the better.
    rank: u64,
    /// Its last sign of life.
    heard: Option<Timestamp>,
    /// When a neighbour named it last.
    told: Option<Timestamp>,
    /// Only a neighbour named it.
    hearsay: bool,
    failed: u8,
    /// When it was tried last, and how long it rests since.
    tried: Option<(Timestamp, Duration)>,
}

impl Candidate {
    fn is_alive(&self, now: Timestamp) -> bool {
        let lately = |at: Timestamp| !elapsed(at, now, limits::ALIVE_FOR);
        self.heard.is_some_and(lately) || self.told.is_some_and(lately)
    }

    /// The lower, the sooner it is dialled and the later it is let go. Neighbours name different
    /// members to everybody, so these may well come first; a sign of life is heard by all.
    fn value(&self, now: Timestamp) -> (u8, u8, u64) {
        let told = |span| self.told.is_some_and(|at| !elapsed(at, now, span));
        let class = match () {
            () if told(limits::TOLD_JUST_NOW) => 0,
            () if told(limits::ALIVE_FOR) => 1,
            () => 2,
        };
        let heard = self
            .heard
            .is_some_and(|at| !elapsed(at, now, limits::ALIVE_FOR));
        (self.failed, class, self.rank >> u8::from(heard))
    }

    fn is_rested(&self, now: Timestamp) -> bool {
        self.tried.is_none_or(|(at, rest)| elapsed(at, now, rest))
    }
}

impl View {
    /// Takes a candidate in if it is better than the worst; true if it is new.
    fn offer(
        &mut self,
        author: AuthorId,
        source: Source,
        hearsay: bool,
        rank: u64,
        now: Timestamp,
    ) -> bool {
        if self.me == Some(author) {
            return false;
        }
        let heard = (source == Source::Heard).then_some(now);
        // What was seen is as good as a neighbour's word.
        let told = matches!(source, Source::Told | Source::Near).then_some(now);
        if let Some(held) = self.passive.get_mut(&author) {
            held.hearsay &= hearsay;
            held.heard = heard.or(held.heard);
            held.told = told.or(held.told);
            match source {
                Source::Known => {
                    held.failed = 0;
                    held.tried = held.tried.map(|(at, r)| (at, r.min(limits::KNOWN_REST)));
                }
                Source::Near => (held.failed, held.tried) = (0, None),
                _ => {}
            }
            return false;
        }
        let new = Candidate {
            rank,
            heard,
            told,
            hearsay,
            failed: 0,
            tried: None,
        };
        self.insert(author, new, now)
    }

    fn insert(&mut self, author: AuthorId, new: Candidate, now: Timestamp) -> bool {
        let told = self.passive.values().filter(|c| c.hearsay).count();
        let crowded = new.hearsay && told >= limits::HEARSAY_MAX;
        if crowded || self.passive.len() >= limits::PASSIVE_MAX {
            let rivals = self.passive.iter().filter(|(_, c)| c.hearsay || !crowded);
            let Some((worst, value)) = rivals
                .map(|(&a, c)| (a, c.value(now)))
                .max_by_key(|&(_, value)| value)
            else {
                return false;
            };
            if value <= new.value(now) {
                return false;
            }
            self.passive.remove(&worst);
        }
        self.passive.insert(author, new);
        true
    }

    pub(super) fn is_me(&mut self, author: AuthorId) {
        self.me = Some(author);
        self.passive.remove(&author);
        self.lost.remove(&author);
    }

    pub(super) fn linked(&mut self, author: AuthorId) {
        self.passive.remove(&author);
        self.lost.remove(&author);
    }

    pub(super) fn forget(&mut self, author: AuthorId) {
        self.linked(author);
    }

    fn is_known(&self, author: AuthorId) -> bool {
        let listed = self.passive.get(&author).is_some_and(|c| !c.hearsay);
        listed || self.lost.contains_key(&author)
    }

    /// Notes a dial that came to nothing; `keep` says whether failures are remembered.
    pub(super) fn failed(&mut self, author: AuthorId, keep: bool, jitter: u64, now: Timestamp) {
        if let Some((_, tried)) = self.lost.get_mut(&author) {
            *tried = now;
        }
        let Some(one) = self.passive.get_mut(&author) else {
            return;
        };
        if one.hearsay || !keep {
            self.passive.remove(&author);
            return;
        }
        let times = 1_u32.checked_shl(one.failed.into()).unwrap_or(u32::MAX);
        let rest = limits::REST.saturating_mul(times).min(limits::REST_MAX);
        one.failed = one.failed.saturating_add(1).min(limits::FAILURES_COUNTED);
        one.tried = Some((now, jittered(rest, jitter)));
    }

    /// All may be dialled now, as if none had failed.
    pub(super) fn forget_failures(&mut self) {
        for one in self.passive.values_mut() {
            (one.failed, one.tried) = (0, None);
        }
    }

    /// The best that is rested, to be dialled now; `alive`: only of those heard of lately that never failed.
    pub(super) fn best(
        &self,
        now: Timestamp,
        alive: bool,
        mut free: impl FnMut(AuthorId) -> bool,
    ) -> Option<(AuthorId, (u8, u8, u64))> {
        self.passive
            .iter()
            .filter(|(_, c)| c.is_rested(now))
            .filter(|(_, c)| !alive || (c.failed == 0 && c.is_alive(now)))
            .map(|(&author, c)| (author, c.value(now)))
            .filter(|&(author, _)| free(author))
            .min_by_key(|&(_, value)| value)
    }

    /// The lost peer that was not tried for the longest time.
    pub(super) fn longest_lost(
        &mut self,
        now: Timestamp,
        mut free: impl FnMut(AuthorId) -> bool,
    ) -> Option<(Timestamp, AuthorId)> {
        self.lost
            .retain(|_, (since, _)| !elapsed(*since, now, limits::LOST_FOR));
        self.lost
            .iter()
            .filter(|&(&author, _)| free(author))
            .map(|(&author, &(_, tried))| (tried, author))
            .min()
    }

    pub(super) fn was_lost(&self, author: AuthorId) -> bool {
        self.lost.contains_key(&author)
    }

    pub(super) fn probed(&mut self, author: AuthorId, now: Timestamp) {
        if let Some((_, tried)) = self.lost.get_mut(&author) {
            *tried = now;
        }
    }

    /// Candidates that were heard of lately themselves, for neighbours that ask.
    pub(super) fn lively(&self, now: Timestamp) -> impl Iterator<Item = AuthorId> + '_ {
        self.passive
            .iter()
            .filter(move |(_, c)| {
                let lately = |at| !elapsed(at, now, limits::ALIVE_FOR);
                c.failed == 0 && c.heard.is_some_and(lately)
            })
            .map(|(&author, _)| author)
    }

    fn lose(&mut self, author: AuthorId, now: Timestamp) {
        if self.lost.len() >= limits::LOST_MAX {
            let oldest = self.lost.iter().map(|(&a, &(since, _))| (since, a)).min();
            if let Some((_, oldest)) = oldest {
                self.lost.remove(&oldest);
            }
        }
        self.lost.insert(author, (now, now));
    }
}

impl Engine {
    /// A member that could be linked with; true if it is a new candidate.
    pub(super) fn offer(
        &mut self,
        room: RoomTag,
        author: AuthorId,
        source: Source,
        now: Timestamp,
    ) -> bool {
        if self.is_linked(room, author) {
            return false;
        }
        let hearsay = source == Source::Told && !self.is_known(room, author);
        let rank = rank(self.config.salt, room, author);
        self.overlay
            .views
            .get_mut(&room)
            .is_some_and(|view| view.offer(author, source, hearsay, rank, now))
    }

    /// A neighbour is none any longer: it is a candidate again, and remembered if it was `lost`.
    pub(super) fn unlinked(&mut self, room: RoomTag, author: AuthorId, lost: bool, now: Timestamp) {
        let forget = lost && !self.config.controls.lost_peers;
        if forget || self.is_linked_elsewhere(room, author) {
            return;
        }
        let rest = if lost {
            limits::LOST_REST
        } else {
            limits::PARTED_REST
        };
        let rest = self.jittered(rest);
        let rank = rank(self.config.salt, room, author);
        let Some(view) = self.overlay.views.get_mut(&room) else {
            return;
        };
        if lost {
            view.lose(author, now);
        }
        let candidate = Candidate {
            rank,
            heard: None,
            told: None,
            hearsay: false,
            failed: u8::from(lost),
            tried: Some((now, rest)),
        };
        view.insert(author, candidate, now);
    }

    /// A second link to the same member may still be there.
    fn is_linked_elsewhere(&self, room: RoomTag, author: AuthorId) -> bool {
        self.standing()
            .any(|(_, link, _)| link.rooms.get(&room).is_some_and(|s| s.author == author))
    }

    /// Whether this device has more than a neighbour's word for it that this is a member.
    fn is_known(&self, tag: RoomTag, author: AuthorId) -> bool {
        let logs = (author, Stream(0))..=(author, Stream(u32::MAX));
        let view = self.overlay.views.get(&tag);
        view.is_some_and(|view| view.is_known(author))
            || self.rooms.get(&tag).is_some_and(|room| {
                room.logs.range(logs).next().is_some()
                    || room
                        .records
                        .contains_key(&(RecordKind::WHEREABOUTS, author))
            })
    }
}

/// A span, give or take a fifth.
pub(super) fn jittered(span: Duration, roll: u64) -> Duration {
    let permille = 800_u64.saturating_add(roll % 400);
    let ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(ms.saturating_mul(permille) / 1_000)
}

fn rank(salt: u64, room: RoomTag, author: AuthorId) -> u64 {
    author
        .0
        .chunks(8)
        .map(|part| part.iter().fold(0, |n: u64, &b| (n << 8) | u64::from(b)))
        .fold(scramble(spread(salt, room, 0)), |n, part| {
            scramble(n ^ part)
        })
}
