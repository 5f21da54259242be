//! What one device shows another that knows less: why somebody belongs, or does not.

use std::collections::{BTreeMap, BTreeSet};

use peddlenet_wire::{AuthorId, SignedEvent, limits};

use super::Roster;
use crate::acts::Moment;

impl Roster {
    /// What leads from the creator to somebody, oldest first: admits, and the roles of who admitted
    /// and of the one itself. `None` for strangers, and for more than [`limits::CREDENTIALS_MAX`].
    pub fn credentials(&self, author: AuthorId) -> Option<Vec<SignedEvent>> {
        let mut needed: BTreeMap<Moment, SignedEvent> = BTreeMap::new();
        let (mut todo, mut seen) = (vec![author], BTreeSet::new());
        while let Some(author) = todo.pop() {
            if !seen.insert(author) {
                continue;
            }
            let came = self.standing.came.get(&author)?;
            let turns = self.standing.turns.get(&author).into_iter().flatten();
            for at in came.by.into_iter().chain(turns.map(|turn| turn.at)) {
                let admit = self.acts.admits.get(&at).map(|(act, _)| act);
                let act = admit.or_else(|| self.acts.powers.get(&at))?;
                needed.insert(at, act.event.clone());
                todo.push(act.author);
            }
            if needed.len() > limits::CREDENTIALS_MAX {
                return None;
            }
        }
        Some(needed.into_values().collect())
    }

    /// Why somebody is out, for themselves to check: what leads to the member who ended their
    /// membership, or that of somebody through whom they came after it was cut, and every act that
    /// changes anybody's standing, the newest that fit a frame. `None` for members and for those never
    /// heard of.
    pub fn proof_of_removal(&self, author: AuthorId) -> Option<Vec<SignedEvent>> {
        let (mut todo, mut seen) = (vec![author], BTreeSet::new());
        while let Some(author) = todo.pop() {
            if !seen.insert(author) || self.is_member(author) {
                continue;
            }
            if let Some(gone) = self.gone(author) {
                let mut proof = self.credentials(gone.by)?;
                for act in self.powers() {
                    if proof.len() < limits::CREDENTIALS_MAX && !proof.contains(&act) {
                        proof.push(act);
                    }
                }
                return Some(proof);
            }
            let admits = self.acts.admits.values();
            let theirs = admits.filter(|(_, admit)| admit.author == author);
            todo.extend(theirs.map(|(act, _)| act.author));
        }
        None
    }

    /// Every act that changes somebody's standing, the newest that fit a frame: what somebody shows who
    /// was told to be out and knows better, since of two who remove each other one stays.
    pub fn powers(&self) -> Vec<SignedEvent> {
        let newest = self.acts.powers.values().rev();
        let newest = newest.take(limits::CREDENTIALS_MAX);
        newest.map(|act| act.event.clone()).collect()
    }
}
