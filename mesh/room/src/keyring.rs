//! The epochs of a room: which keys this device holds, and which of them may still be spoken under.
//!
//! ```text
//!  first epoch e0 (made with the room)
//!    +-- rekey e1 after e0, knows "X removed"
//!    |     +-- rekey e3 after e1, knows "Y removed"    -> e3 knows both
//!    +-- rekey e2 after e0, knows "Y removed"          another partition
//!
//!  clean: its maker is not gone, and knew of a removal of everyone who is and of none that came to
//!         nothing; and where the past is not shared, nobody came in since.    X and Y gone: e3 alone is
//!  spoken under: of the clean ones the latest by (clock, hash) whose content key is held
//! ```
//!
//! A sender that has no clean epoch makes one before it says anything, so what is said after a removal
//! was known to the sender is sealed under keys that the removed was never given. Everything older
//! stays open to who holds it: concurrent epochs all decrypt.
//!
//! Of two rekeys that claim one epoch both must know of a removal for it to count: the second can take
//! trust away, never add it.
//!
//! Keys are also given from hand to hand, to members who were not there when an epoch began. A holder
//! who lacks one of the removals that the epoch's maker knew of can't tell whom it must keep out, and
//! gives no content key till it has them; and none to whom one of them was meant for, even if it came to
//! nothing: what was said while others took somebody for removed stays closed to them. k_member is given
//! to whoever is a member for all that the holder knows: it opens who belongs, and stream 0 must open for
//! all, or they could not agree.

use std::collections::{BTreeMap, BTreeSet};

use peddlenet_crypto::{AuthorKey, EpochKeys, open_box, seal_epoch};
use peddlenet_wire::{
    AuthorId, Capped, EpochId, EventHash, EventShort, RoomTag, SignedEvent,
    content::{History, Membership},
    join::EpochGrant,
    limits,
    power::{Boxes, KeyBoxes, Rekey},
};
use zeroize::Zeroizing;

use crate::{acts::Moment, roster::Roster};

/// Rekeys that may claim one epoch (count); an honest one has one.
const CLAIMS_MAX: usize = 4;
/// Epochs with keys or rekeys (count); beyond it new ones are not taken.
const EPOCHS_KNOWN_MAX: usize = 4_096;

/// A rekey, as its maker said.
#[derive(Debug, Clone)]
pub struct Minted {
    /// When.
    pub at: Moment,
    /// By whom.
    pub by: AuthorId,
    after: EpochId,
    known: Vec<EventShort>,
}

/// See the module's documentation.
#[derive(Debug, Clone)]
pub struct Keyring {
    room: RoomTag,
    /// The epoch that the room began with: no rekey names it.
    first: Option<EpochId>,
    /// What a joiner was told to be the newest, spoken under till its rekey or a removal is here.
    told: Option<EpochId>,
    keys: BTreeMap<EpochId, EpochKeys>,
    claims: BTreeMap<EpochId, Vec<Minted>>,
}

impl Keyring {
    /// The keys of a room that was made or joined, the newest last.
    pub fn new(room: RoomTag, keys: Vec<EpochKeys>) -> Self {
        Self {
            room,
            first: None,
            told: keys.last().map(EpochKeys::id),
            keys: keys.into_iter().map(|keys| (keys.id(), keys)).collect(),
            claims: BTreeMap::new(),
        }
    }

    /// Stream 0 is here as far as a neighbour has it: the rekey of what this device was told to be the
    /// newest epoch came with it, or nobody else knows it either, and it is spoken under no more.
    pub fn settle(&mut self) {
        self.told = None;
    }

    /// The keys of one epoch.
    pub fn keys(&self, epoch: EpochId) -> Option<&EpochKeys> {
        self.keys.get(&epoch)
    }

    /// All keys, the newest epoch first.
    pub fn newest_first(&self) -> Vec<&EpochKeys> {
        let mut all: Vec<_> = self.keys.values().collect();
        all.sort_by_key(|keys| std::cmp::Reverse(self.moment(keys.id())));
        all
    }

    /// The newest epoch whose keys are held; its gate is knocked at, its k_member seals records.
    pub fn newest(&self) -> Option<&EpochKeys> {
        let begun = self.keys.values().filter(|keys| self.has_begun(keys.id()));
        let newest = begun.max_by_key(|keys| self.moment(keys.id()));
        newest.or_else(|| self.keys.values().next_back())
    }

    /// Whether an epoch is the room's first, was begun by a rekey that is here, or was given with the
    /// room. Keys whose rekey was never saved, since this device was killed, open nothing.
    fn has_begun(&self, epoch: EpochId) -> bool {
        let named = [self.first, self.told].contains(&Some(epoch));
        named || self.claims.contains_key(&epoch)
    }

    /// When an epoch began; `None` for the first.
    pub fn minted(&self, epoch: EpochId) -> Option<&Minted> {
        self.claims.get(&epoch)?.iter().min_by_key(|claim| claim.at)
    }

    fn moment(&self, epoch: EpochId) -> (Option<Moment>, EpochId) {
        (self.minted(epoch).map(|minted| minted.at), epoch)
    }

    /// Takes keys in that were given, and says whether they are more than was held.
    pub fn add(&mut self, keys: EpochKeys) -> bool {
        let held = self.keys.get(&keys.id());
        let more = held.is_none_or(|held| keys.opens_content() && !held.opens_content());
        let fits = held.is_some() || self.keys.len() < EPOCHS_KNOWN_MAX;
        if more && fits {
            self.keys.insert(keys.id(), keys);
        }
        more && fits
    }

    /// Reads an accepted event of stream 0: who is left out of which epoch, and this device's own box.
    /// Gives the keys that were in it and not held before.
    pub fn read(
        &mut self,
        me: &AuthorKey,
        event: &SignedEvent,
        opened: &Membership,
    ) -> Option<EpochId> {
        let header = event.header();
        let (epoch, boxes) = match opened {
            Membership::Create(_) => {
                self.first = Some(header.epoch);
                return None;
            }
            Membership::Rekey(rekey) => {
                if self.claims.len() < EPOCHS_KNOWN_MAX || self.claims.contains_key(&rekey.epoch) {
                    let claims = self.claims.entry(rekey.epoch).or_default();
                    let at = (header.clock, event.hash());
                    if claims.len() < CLAIMS_MAX && claims.iter().all(|claim| claim.at != at) {
                        claims.push(Minted {
                            at,
                            by: header.author,
                            after: rekey.after,
                            known: rekey.known.to_vec(),
                        });
                    }
                }
                (rekey.epoch, &rekey.boxes)
            }
            Membership::KeyBoxes(more) => (more.epoch, &more.boxes),
            _ => return None,
        };
        let mine = me.id().short();
        let mine = boxes.iter().filter(|one| one.to == mine);
        for sealed in mine {
            if let Ok(keys) = open_box(me, self.room, epoch, sealed)
                && self.add(keys)
            {
                return Some(epoch);
            }
        }
        None
    }

    /// Epochs that were begun and whose keys are not held, the newest first.
    pub fn missing(&self) -> Vec<EpochId> {
        let lacks = |epoch: &&EpochId| !self.keys.contains_key(epoch);
        let mut missing: Vec<_> = self.claims.keys().filter(lacks).copied().collect();
        missing.sort_by_key(|epoch| std::cmp::Reverse(self.moment(*epoch)));
        missing
    }

    /// The removals that an epoch's maker knew of for certain, and the epoch where the trace ends.
    fn known_to(&self, epoch: EpochId) -> (BTreeSet<EventShort>, EpochId) {
        let mut known = BTreeSet::new();
        let (mut at, mut seen) = (epoch, BTreeSet::new());
        while let Some(claims) = self.claims.get(&at)
            && seen.insert(at)
        {
            let mut claims = claims.iter();
            let Some(first) = claims.next() else { break };
            let mut here: BTreeSet<_> = first.known.iter().copied().collect();
            let mut same = true;
            for other in claims {
                here.retain(|act| other.known.contains(act));
                same &= other.after == first.after;
            }
            known.append(&mut here);
            if !same {
                break;
            }
            at = first.after;
        }
        (known, at)
    }

    /// Whether an epoch's content key may go to somebody, for all that this device knows: every rekey
    /// back to the room's first epoch is here and every removal that they name, and none of those is
    /// of that somebody, whatever came of it.
    fn was_meant_for(&self, epoch: EpochId, to: AuthorId, roster: &Roster) -> bool {
        let (known, end) = self.known_to(epoch);
        let other = |act: &EventShort| roster.target_of(*act).is_some_and(|target| target != to);
        self.first == Some(end) && known.iter().all(other)
    }

    /// Whether nobody who is gone was given an epoch's keys by who made it or by anyone honest since,
    /// and nobody who belongs is kept from them.
    pub fn is_clean(&self, epoch: EpochId, roster: &Roster) -> bool {
        if !self.has_begun(epoch) {
            return false;
        }
        // Who made it holds it, whatever it knew.
        let mut makers = self.claims.get(&epoch).into_iter().flatten();
        if makers.any(|claim| roster.gone(claim.by).is_some()) {
            return false;
        }
        // Where the past is not shared, who came after an epoch began is given no part in it.
        let from_join = roster
            .policy()
            .is_some_and(|p| p.history == History::FromJoin);
        let began = self.minted(epoch).map(|minted| minted.at.0);
        if from_join && roster.last_admitted() > began {
            return false;
        }
        let (known, _) = self.known_to(epoch);
        let mut gone = roster.all_gone();
        known.iter().all(|act| roster.has_ended(*act))
            && gone.all(|(_, acts)| acts.iter().any(|act| known.contains(&act.short())))
    }

    /// The keys to say the next thing under; `None`: an epoch must be made first.
    pub fn to_speak(&self, roster: &Roster) -> Option<&EpochKeys> {
        let unnamed = |told: &EpochId| !self.claims.contains_key(told) && self.first != Some(*told);
        let told = self
            .told
            .filter(unnamed)
            .and_then(|told| self.keys.get(&told));
        // It says nothing of who was left out, so it serves while nobody is known to be.
        let nobody_gone = roster.all_gone().next().is_none();
        if let Some(told) = told.filter(|keys| nobody_gone && keys.opens_content()) {
            return Some(told);
        }
        let clean = |keys: &&EpochKeys| keys.opens_content() && self.is_clean(keys.id(), roster);
        let clean = self.keys.values().filter(clean);
        clean.max_by_key(|keys| self.moment(keys.id()))
    }

    /// Makes an epoch for everyone who belongs now: its keys, and what to say in stream 0, in this
    /// order, sealed under `under`, whose holders can open it. `None` when no keys are held at all.
    ///
    /// `seed` and `fresh` are 32 fresh random bytes each. Nothing changes here: the events come back
    /// through [`read`](Self::read) like any other.
    pub fn mint(
        &self,
        seed: [u8; 32],
        fresh: [u8; 32],
        roster: &Roster,
        under: EpochId,
    ) -> Option<(EpochKeys, Vec<Membership>)> {
        let (seed, fresh) = (Zeroizing::new(seed), Zeroizing::new(fresh));
        self.keys.get(&under)?;
        // What the epoch before knew is taken over only as a whole, and only where it is so here, too:
        // or this epoch would claim to leave out somebody who is given a box.
        let ended_all = |epoch: &EpochId| {
            let (known, end) = self.known_to(*epoch);
            self.first == Some(end) && known.iter().all(|act| roster.has_ended(*act))
        };
        let epochs = self.keys.keys().copied().filter(ended_all);
        let after = epochs
            .max_by_key(|epoch| self.moment(*epoch))
            .or(self.first)?;
        let (before, _) = self.known_to(after);
        let ended = roster.all_gone().flat_map(|(_, acts)| acts);
        let mut news = ended
            .map(EventHash::short)
            .filter(|act| !before.contains(act));
        let known = Capped::take_from(&mut news);
        let (keys, boxes) = seal_epoch(&seed, &fresh, self.room, roster.members());
        let mut groups = Boxes::groups(&boxes).into_iter();
        let rekey = Membership::Rekey(Rekey {
            epoch: keys.id(),
            after,
            known,
            boxes: groups.next().unwrap_or_default(),
        });
        let more = groups.map(|boxes| {
            Membership::KeyBoxes(KeyBoxes {
                epoch: keys.id(),
                boxes,
            })
        });
        let said = [rekey].into_iter().chain(more).collect();
        Some((keys, said))
    }

    /// As much of an epoch as somebody may have: nothing for who does not belong; no content key for a
    /// past that is not shared, nor where this device lacks a removal that the epoch's maker knew of.
    pub fn grant(&self, epoch: EpochId, to: AuthorId, roster: &Roster) -> Option<EpochGrant> {
        let keys = self.keys.get(&epoch)?;
        if !roster.is_member(to) {
            return None;
        }
        let policy = roster.policy()?;
        let there = match (roster.admitted(to), self.minted(epoch)) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(came), Some(minted)) => minted.at.0 >= came,
        };
        if self.was_meant_for(epoch, to, roster) && (there || policy.history == History::Shared) {
            Some(keys.to_grant())
        } else {
            Some(keys.without_content().to_grant())
        }
    }

    /// k_member of an epoch for somebody who is gone, so that it can read who decided so. Only of an
    /// epoch that it was meant to have: its maker knew of nothing that ended this membership.
    pub fn parting_grant(
        &self,
        epoch: EpochId,
        to: AuthorId,
        roster: &Roster,
    ) -> Option<EpochGrant> {
        let keys = self.keys.get(&epoch)?;
        let (known, _) = self.known_to(epoch);
        let mut gone = roster.all_gone().filter(|(author, _)| *author == to);
        let meant = gone.all(|(_, acts)| acts.iter().all(|act| !known.contains(&act.short())));
        meant.then(|| keys.without_content().to_grant())
    }

    /// What a joiner is given: the newest epochs that fit, oldest first.
    pub fn grants(
        &self,
        to: AuthorId,
        roster: &Roster,
        most: usize,
    ) -> Capped<EpochGrant, { limits::EPOCHS_MAX }> {
        let newest = self.newest_first();
        let mut grants: Vec<_> = newest
            .iter()
            .filter_map(|keys| self.grant(keys.id(), to, roster))
            .take(most)
            .collect();
        grants.reverse();
        Capped::take_from(&mut grants.into_iter())
    }
}
