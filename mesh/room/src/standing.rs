//! The fold: from everything that was ever said in stream 0 to who stands where.
//!
//! Acts are decided one by one. Of those not decided yet whose author may do what it says, the next is
//! the one of the highest author: higher role, then earlier admit, then lower key; of one author, the
//! earlier. A removal that was decided cuts its target's log: what lies beyond the cut decides nothing.
//!
//! ```text
//!  owner creates, admits M and N, makes both moderators
//!  M removes N, cut at 3    ||    N removes M, cut at 5        (two partitions, neither knew)
//!  decided: M's act, since M came earlier; N's act lies beyond N's cut at 3 and never counts
//! ```
//!
//! So of two who remove each other one stays, on every device the same one. What was decided stands,
//! also when its author is removed later by somebody lower: removing the remover undoes nothing.
//!
//! The result depends on the set of acts alone. It needs all of them, those beyond a cut included, so
//! nothing of stream 0 is ever refused for its author's standing; only content is (see
//! [`Roster::cut`](crate::Roster::cut)). After the idea of "strong removal" in p2panda-auth and Matrix's
//! state resolution, with positions in hash-chained logs in place of clocks.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use peddlenet_wire::{
    AuthorId, EventHash, Hlc, InviteKey, Seq,
    content::{Membership, Role},
    power::Cut,
};

use crate::acts::{Act, Acts, Moment};

/// How somebody came in.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    /// The act that let them in; none for the creator.
    pub(crate) by: Option<Moment>,
    /// The invite it names.
    pub(crate) invite: Option<InviteKey>,
    initial: Role,
}

/// How somebody's membership ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone {
    /// What of theirs still counts.
    pub cut: Cut,
    /// Who decided so first.
    pub by: AuthorId,
    /// That act.
    pub act: EventHash,
    /// Whether what they said is shown no more.
    pub banned: bool,
    /// The key they go on under.
    pub moved: Option<AuthorId>,
}

impl Gone {
    /// Whether they left by themselves.
    pub fn left(&self, author: AuthorId) -> bool {
        self.by == author && self.moved.is_none()
    }
}

/// A change of somebody's role.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub(crate) after: Seq,
    pub(crate) at: Moment,
    role: Role,
}

/// Who stands where.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    creator: Option<AuthorId>,
    inviters: Inviters,
    /// Everyone who ever was a member.
    pub(crate) came: BTreeMap<AuthorId, Came>,
    /// Those of them who are no more.
    pub(crate) gone: BTreeMap<AuthorId, Gone>,
    pub(crate) turns: BTreeMap<AuthorId, Vec<Turn>>,
    decided: BTreeSet<Moment>,
    /// Acts that count for nothing so far, admits included: another act may change that.
    pub(crate) idle: usize,
    /// How many came in by each invite.
    pub(crate) used: BTreeMap<InviteKey, u32>,
    /// The acts that ended somebody's membership.
    pub(crate) ended_by: BTreeMap<AuthorId, Vec<EventHash>>,
    /// The latest removal that somebody else decided: codes from before it are closed.
    pub(crate) last_removal: Hlc,
}

/// The role that inviting takes; everyone may by default.
#[derive(Debug, Clone, Copy)]
struct Inviters(Role);

impl Default for Inviters {
    fn default() -> Self {
        Self(Role::Member)
    }
}

impl Standing {
    /// Folds everything anew.
    pub(crate) fn fold(creator: AuthorId, inviters: Role, acts: &Acts) -> Self {
        let mut standing = Self {
            creator: Some(creator),
            inviters: Inviters(inviters),
            ..Self::default()
        };
        let owner = Came {
            by: None,
            invite: None,
            initial: Role::Owner,
        };
        standing.came.insert(creator, owner);
        standing.let_in(acts);
        while let Some(act) = standing.next(acts) {
            standing.decide(act);
            standing.let_in_again(acts);
        }
        let idle = |at: &&Moment| !standing.decided.contains(*at);
        let undecided = acts.powers.keys().filter(idle).count();
        standing.idle = standing.idle.saturating_add(undecided);
        for came in standing.came.values() {
            if let Some(invite) = came.invite {
                let used = standing.used.entry(invite).or_default();
                *used = used.saturating_add(1);
            }
        }
        standing
    }

    /// Whether somebody belongs now.
    pub(crate) fn is_member(&self, author: AuthorId) -> bool {
        self.came.contains_key(&author) && !self.gone.contains_key(&author)
    }

    /// What somebody may do with the event at that place of its stream 0; `None`: nothing at all.
    pub(crate) fn role_at(&self, author: AuthorId, seq: Seq) -> Option<Role> {
        let came = self.came.get(&author)?;
        if self
            .gone
            .get(&author)
            .is_some_and(|gone| seq > gone.cut.membership)
        {
            return None;
        }
        Some(self.turned(author, seq, came.initial))
    }

    /// What somebody may do now, were it still a member.
    pub(crate) fn role(&self, author: AuthorId) -> Option<Role> {
        let came = self.came.get(&author)?;
        Some(self.turned(author, Seq(u64::MAX), came.initial))
    }

    fn turned(&self, author: AuthorId, seq: Seq, initial: Role) -> Role {
        let turns = self.turns.get(&author).into_iter().flatten();
        let before = turns.filter(|turn| turn.after < seq);
        before
            .max_by_key(|turn| turn.at)
            .map_or(initial, |turn| turn.role)
    }

    /// Whether an admit that was said there counts.
    pub(crate) fn may_admit(&self, author: AuthorId, seq: Seq) -> bool {
        self.role_at(author, seq)
            .is_some_and(|role| role >= self.inviters.0)
    }

    /// An admit that can change nothing but who is in. False when everything is to be folded anew.
    pub(crate) fn admit_only(&mut self, act: &Act, joiner: AuthorId, invite: InviteKey) -> bool {
        let plain = self.idle == 0
            && !self.came.contains_key(&joiner)
            && self.may_admit(act.author, act.seq);
        if plain {
            self.came.insert(joiner, came(act.at, invite));
            let used = self.used.entry(invite).or_default();
            *used = used.saturating_add(1);
        }
        plain
    }

    /// Follows admits from who is in until nobody new is.
    fn let_in(&mut self, acts: &Acts) {
        loop {
            let before = self.came.len();
            self.idle = 0;
            for (act, admit) in acts.admits.values() {
                if !self.may_admit(act.author, act.seq) {
                    self.idle = self.idle.saturating_add(1);
                } else {
                    let come = || came(act.at, admit.invite);
                    self.came.entry(admit.author).or_insert_with(come);
                }
            }
            if self.came.len() == before {
                return;
            }
        }
    }

    /// After a decision: who was let in by somebody who could not is out, and so are those after.
    fn let_in_again(&mut self, acts: &Acts) {
        let root = |(author, came): (&AuthorId, &Came)| {
            let moved = came.invite.is_none();
            moved.then(|| (*author, came.clone()))
        };
        self.came = self.came.iter().filter_map(root).collect();
        self.let_in(acts);
    }

    /// The next act to decide.
    fn next<'a>(&self, acts: &'a Acts) -> Option<&'a Act> {
        acts.powers
            .iter()
            .filter(|(at, _)| !self.decided.contains(at))
            .filter_map(|(_, act)| Some((self.precedence(act)?, act)))
            .min_by_key(|(precedence, _)| *precedence)
            .map(|(_, act)| act)
    }

    /// Where an act stands among those that may be decided; `None` when its author may not do this.
    fn precedence(&self, act: &Act) -> Option<impl Ord + Copy + use<>> {
        let role = self.role_at(act.author, act.seq)?;
        let rank = |author: AuthorId| self.role(author).filter(|_| Some(author) != self.creator);
        let below = |target: AuthorId| rank(target).is_some_and(|other| other <= role);
        let moderates = role >= Role::Moderator;
        let allowed = match &act.what {
            Membership::SetRole(set) => role == Role::Owner && rank(set.author).is_some(),
            Membership::Remove(removal) => {
                removal.author == act.author || (moderates && below(removal.author))
            }
            Membership::Ban(removal) => {
                moderates && removal.author != act.author && below(removal.author)
            }
            // The old key agreed, so its rank doesn't matter.
            Membership::Move(moved) => {
                moderates && self.is_member(moved.from) && !self.came.contains_key(&moved.to)
            }
            _ => false,
        };
        let came = self.came.get(&act.author)?;
        allowed.then_some((Reverse(role), came.by, act.author, act.seq, act.at))
    }

    fn decide(&mut self, act: &Act) {
        self.decided.insert(act.at);
        match &act.what {
            Membership::SetRole(set) => {
                let turn = Turn {
                    after: set.after,
                    at: act.at,
                    role: set.role,
                };
                self.turns.entry(set.author).or_default().push(turn);
            }
            Membership::Remove(removal) => self.end(act, removal.author, removal.cut, None, false),
            Membership::Ban(removal) => self.end(act, removal.author, removal.cut, None, true),
            Membership::Move(moved) => {
                let role = self.role(moved.from).unwrap_or(Role::Member);
                let came = Came {
                    by: Some(act.at),
                    invite: None,
                    initial: role,
                };
                self.came.insert(moved.to, came);
                self.end(act, moved.from, moved.cut, Some(moved.to), false);
            }
            _ => {}
        }
    }

    fn end(
        &mut self,
        act: &Act,
        author: AuthorId,
        cut: Cut,
        moved: Option<AuthorId>,
        banned: bool,
    ) {
        if act.author != author && moved.is_none() {
            self.last_removal = self.last_removal.max(act.at.0);
        }
        self.ended_by.entry(author).or_default().push(act.at.1);
        let gone = self.gone.entry(author).or_insert(Gone {
            cut,
            by: act.author,
            act: act.at.1,
            banned,
            moved,
        });
        // Concurrent cuts: the most of each.
        gone.cut.membership = gone.cut.membership.max(cut.membership);
        let most = (gone.cut.content, gone.cut.content_hash).max((cut.content, cut.content_hash));
        (gone.cut.content, gone.cut.content_hash) = most;
        gone.banned |= banned;
    }
}

fn came(at: Moment, invite: InviteKey) -> Came {
    Came {
        by: Some(at),
        invite: Some(invite),
        initial: Role::Member,
    }
}
