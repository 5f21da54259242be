//! What stream 0 says, kept for the fold: each act once, whatever came first.

use std::collections::{BTreeMap, BTreeSet};

use peddlenet_wire::{
    AuthorId, EventHash, Hlc, InviteKey, Seq, SignedEvent, Timestamp,
    codec::Name,
    content::{Admit, Membership},
    power::Backup,
};

/// When an act was said, ties by its hash: a total order that every device shares.
pub(crate) type Moment = (Hlc, EventHash);

/// One act, its signature checked and its author known.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    pub(crate) author: AuthorId,
    pub(crate) seq: Seq,
    pub(crate) at: Moment,
    pub(crate) event: SignedEvent,
    pub(crate) what: Membership,
}

impl Act {
    pub(crate) fn new(event: &SignedEvent, what: &Membership) -> Self {
        let header = event.header();
        Self {
            author: header.author,
            seq: header.seq,
            at: (header.clock, event.hash()),
            event: event.clone(),
            what: what.clone(),
        }
    }
}

/// A code that was made, by the first who said so.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    pub(crate) by: AuthorId,
    pub(crate) seq: Seq,
    pub(crate) at: Moment,
    pub(crate) expires: Timestamp,
    pub(crate) uses: u32,
    pub(crate) poster: bool,
}

/// Everything that was said in stream 0 but names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Acts {
    /// Admits, the earliest first: an honest admitter's own admit comes before those that it signed.
    pub(crate) admits: BTreeMap<Moment, (Act, Admit)>,
    /// Acts that change somebody's standing: role, remove, ban, move.
    pub(crate) powers: BTreeMap<Moment, Act>,
    pub(crate) opened: BTreeMap<InviteKey, Opened>,
    /// By whom, where in its log, when.
    pub(crate) revoked: BTreeMap<InviteKey, BTreeSet<(AuthorId, Seq, Hlc)>>,
    /// Closing and opening: by whom, where in its log, which.
    pub(crate) closes: BTreeMap<Moment, (AuthorId, Seq, bool)>,
    /// Whether copies are left with servers, and under which pass: by whom, where in its log, which.
    pub(crate) backups: BTreeMap<Moment, (AuthorId, Seq, Backup)>,
    /// Names of the room: by whom, where in its log, which.
    pub(crate) renames: BTreeMap<Moment, (AuthorId, Seq, Name)>,
}

impl Acts {
    /// Takes one in; false when it is here already or is none of those kept here.
    pub(crate) fn insert(&mut self, event: &SignedEvent, what: &Membership) -> bool {
        let act = Act::new(event, what);
        let (author, seq, at) = (act.author, act.seq, act.at);
        match what {
            Membership::Admit(admit) => {
                let admit = admit.clone();
                self.admits.insert(at, (act, admit)).is_none()
            }
            Membership::SetRole(_)
            | Membership::Remove(_)
            | Membership::Ban(_)
            | Membership::Move(_) => self.powers.insert(at, act).is_none(),
            Membership::Invite(invite) => {
                let opened = Opened {
                    by: author,
                    seq,
                    at,
                    expires: invite.expires,
                    uses: invite.uses,
                    poster: invite.poster.unwrap_or_default(),
                };
                let first = self
                    .opened
                    .entry(invite.key)
                    .or_insert_with(|| opened.clone());
                if opened.at < first.at {
                    *first = opened;
                }
                true
            }
            Membership::RevokeInvite(revoke) => self
                .revoked
                .entry(revoke.key)
                .or_default()
                .insert((author, seq, at.0)),
            Membership::Close(close) => self
                .closes
                .insert(at, (author, seq, close.closed))
                .is_none(),
            Membership::Backup(backup) => {
                let backup = backup.clone();
                self.backups.insert(at, (author, seq, backup)).is_none()
            }
            Membership::Rename(rename) => self
                .renames
                .insert(at, (author, seq, rename.room_name.clone()))
                .is_none(),
            _ => false,
        }
    }
}
