//! The codes that let somebody in, and what closes them.

use peddlenet_wire::{AuthorId, Hlc, InviteKey, Timestamp, content::Role};

use super::Roster;
use crate::acts::Opened;

/// One invite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InviteEntry {
    /// Who made the code.
    pub by: AuthorId,
    /// When it ends.
    pub expires: Timestamp,
    /// How many it lets in.
    pub uses: u32,
    /// How many it let in so far.
    pub used: u32,
    /// Whether it hangs somewhere, printed.
    pub poster: bool,
    /// Whether it was closed: by its maker, by a moderator, by any removal since, or because its
    /// maker no longer belongs.
    pub revoked: bool,
}

impl Roster {
    /// One invite.
    pub fn invite(&self, key: InviteKey) -> Option<InviteEntry> {
        let opened = self.acts.opened.get(&key)?;
        if !self.standing.may_admit(opened.by, opened.seq) {
            return None;
        }
        let revoked = self.revokes(key, opened).next().is_some()
            || !self.is_member(opened.by)
            || self.standing.last_removal > opened.at.0;
        Some(InviteEntry {
            by: opened.by,
            expires: opened.expires,
            uses: opened.uses,
            poster: opened.poster,
            used: self.standing.used.get(&key).copied().unwrap_or(0),
            revoked,
        })
    }

    /// When an invite was closed by somebody who may.
    fn revokes(&self, key: InviteKey, opened: &Opened) -> impl Iterator<Item = Hlc> {
        let revokes = self.acts.revoked.get(&key).into_iter().flatten();
        revokes.filter_map(|(author, seq, at)| {
            let role = self.standing.role_at(*author, *seq);
            let may = role >= Some(Role::Moderator) || (role.is_some() && *author == opened.by);
            may.then_some(*at)
        })
    }

    /// The clock of the last act that closed an invite which still let somebody in; acts after `until` aside.
    pub fn last_revoked(&self, until: Timestamp) -> Option<Hlc> {
        let revokes = self.acts.opened.iter().flat_map(|(key, opened)| {
            let in_time = |at: &Hlc| at.timestamp() < opened.expires.min(until);
            self.revokes(*key, opened).filter(in_time)
        });
        revokes.max()
    }

    /// All invites.
    pub fn invites(&self) -> impl Iterator<Item = (InviteKey, InviteEntry)> + '_ {
        let keys = self.acts.opened.keys();
        keys.filter_map(|key| Some((*key, self.invite(*key)?)))
    }
}
