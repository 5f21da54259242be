//! The members, invites and rules of one room as this device knows them.

mod invites;
mod proofs;

pub use invites::InviteEntry;

use std::collections::{BTreeMap, BTreeSet};

use peddlenet_crypto::{verify_move, verify_voucher};
use peddlenet_wire::{
    AuthorId, EventHash, EventShort, Hlc, Pass, RoomId, RoomTag, Seq, SignedEvent, Stream,
    Timestamp,
    codec::Name,
    content::{Admit, Create, History, Membership, Role},
    limits,
    power::Backup,
};

use crate::{
    acts::{Act, Acts, Moment},
    standing::{Gone, Standing},
};

/// What was laid down when the room was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Who made it.
    pub creator: AuthorId,
    /// Whether a joiner is given the past.
    pub history: History,
    /// Who may make codes and let joiners in: that role and those above.
    pub inviters: Role,
    /// After how many seconds messages are let go; `None`: never.
    pub retention_s: Option<u32>,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberEntry {
    /// What it may do.
    pub role: Role,
    /// What it wants to be called. Untrusted; empty until it said so.
    pub name: Name,
    /// When it was let in, or went on under this key, by the clock of who did that; the creator's, when the room was
    /// made.
    pub since: Option<Timestamp>,
}

/// What is said to an event of stream 0 whose signature holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// It counts, or will be weighed against the others.
    Accept,
    /// Its author isn't known yet.
    Later,
    /// It lies beyond where its author's log was cut: nobody's fault, and of no use.
    Drop,
    /// It never will count, and who made it knows.
    Reject,
}

/// What an event changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// Who belongs now and did not before.
    pub came: Vec<AuthorId>,
    /// Who did before and does no longer.
    pub gone: Vec<AuthorId>,
    /// Whose name or role is another.
    pub changed: Vec<AuthorId>,
    /// Logs are cut elsewhere than before.
    pub cuts: bool,
    /// Codes were made or closed.
    pub invites: bool,
    /// An owner decided about copies with servers.
    pub backup: bool,
}

/// See the [crate]'s documentation.
#[derive(Debug, Clone)]
pub struct Roster {
    room: RoomId,
    tag: RoomTag,
    name: Name,
    policy: Option<Policy>,
    create: Option<SignedEvent>,
    /// The creator, and everyone whom somebody known has ever let in, whatever came of it: whose
    /// events of stream 0 are kept. It only grows, so all devices come to know the same.
    known: BTreeSet<AuthorId>,
    names: BTreeMap<AuthorId, (Moment, Name)>,
    /// Acts that would end a membership, and whose.
    endings: BTreeMap<EventShort, AuthorId>,
    acts: Acts,
    standing: Standing,
}

impl Roster {
    /// A room of which nothing is known yet.
    pub fn new(room: RoomId, tag: RoomTag) -> Self {
        Self {
            room,
            tag,
            name: Name::default(),
            policy: None,
            create: None,
            known: BTreeSet::new(),
            names: BTreeMap::new(),
            endings: BTreeMap::new(),
            acts: Acts::default(),
            standing: Standing::default(),
        }
    }

    /// What the room is called: the latest name that a moderator gave it; empty before its `create` is here.
    pub fn room_name(&self) -> &Name {
        let mut latest = self.acts.renames.values().rev();
        let counts = latest.find(|(author, seq, _)| self.moderates(*author, *seq));
        counts.map_or(&self.name, |(_, _, name)| name)
    }

    /// The event that made the room.
    pub fn create(&self) -> Option<&SignedEvent> {
        self.create.as_ref()
    }

    /// The room's rules; `None` before its `create` is here.
    pub fn policy(&self) -> Option<Policy> {
        self.policy
    }

    /// Whether somebody belongs now.
    pub fn is_member(&self, author: AuthorId) -> bool {
        self.standing.is_member(author)
    }

    /// A member; `None` for everyone else, former members included.
    pub fn member(&self, author: AuthorId) -> Option<MemberEntry> {
        self.is_member(author).then(|| MemberEntry {
            role: self.standing.role(author).unwrap_or(Role::Member),
            name: self.name_of(author),
            since: self.since(author).map(Hlc::timestamp),
        })
    }

    /// Everyone who belongs now.
    pub fn members(&self) -> impl Iterator<Item = AuthorId> + '_ {
        let came = self.standing.came.keys().copied();
        came.filter(|author| !self.standing.gone.contains_key(author))
    }

    /// How many belong now (count).
    pub fn len(&self) -> usize {
        let gone = self.standing.gone.keys();
        let gone = gone.filter(|author| self.standing.came.contains_key(author));
        self.standing.came.len().saturating_sub(gone.count())
    }

    /// Whether nobody does: nothing is known yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether no more fit in.
    pub fn is_full(&self) -> bool {
        self.len() >= limits::MEMBERS_MAX || self.known.len() >= limits::AUTHORS_MAX
    }

    /// What somebody wanted to be called last, member or not; empty when they never said.
    pub fn name_of(&self, author: AuthorId) -> Name {
        self.names
            .get(&author)
            .map_or_else(Name::default, |(_, name)| name.clone())
    }

    /// How somebody's membership ended.
    pub fn gone(&self, author: AuthorId) -> Option<&Gone> {
        self.standing.gone.get(&author)
    }

    /// Everyone whose membership ended, and the acts that each would have ended it.
    pub fn all_gone(&self) -> impl Iterator<Item = (AuthorId, &[EventHash])> + '_ {
        let ended = self.standing.ended_by.iter();
        ended.map(|(author, acts)| (*author, acts.as_slice()))
    }

    /// Whom an act would put out, whatever came of it; `None` when this device doesn't hold it.
    pub fn target_of(&self, act: EventShort) -> Option<AuthorId> {
        self.endings.get(&act).copied()
    }

    /// Whether an act did end somebody's membership, for all that this device knows.
    pub fn has_ended(&self, act: EventShort) -> bool {
        let acts = self
            .target_of(act)
            .and_then(|t| self.standing.ended_by.get(&t));
        acts.into_iter().flatten().any(|hash| hash.short() == act)
    }

    /// Logs of content that end before their last event: the last position that counts, and its event.
    pub fn cuts(&self) -> impl Iterator<Item = (AuthorId, Seq, EventHash)> + '_ {
        let gone = self.standing.gone.iter();
        let gone = gone.map(|(author, gone)| (*author, gone.cut.content, gone.cut.content_hash));
        let never = self.known.iter();
        let never = never.filter(|author| !self.standing.came.contains_key(author));
        let never = never.map(|author| (*author, Seq(0), EventHash::ZERO));
        gone.chain(never)
    }

    /// Whether somebody may make codes and let joiners in now.
    pub fn may_invite(&self, author: AuthorId) -> bool {
        self.is_member(author) && self.standing.may_admit(author, Seq(u64::MAX))
    }

    /// Whether somebody may remove or ban somebody else now.
    pub fn may_remove(&self, author: AuthorId, target: AuthorId) -> bool {
        let role = self
            .standing
            .role(author)
            .filter(|_| self.is_member(author));
        let other = self.standing.role(target);
        let creator = self.policy.is_some_and(|p| p.creator == target);
        author != target && !creator && role >= Some(Role::Moderator) && other <= role
    }

    /// Whether the room takes no joiners at present.
    pub fn is_closed(&self) -> bool {
        let mut latest = self.acts.closes.values().rev();
        latest
            .find(|(author, seq, _)| self.moderates(*author, *seq))
            .is_some_and(|(_, _, closed)| *closed)
    }

    /// Whether sealed copies of what is said may be left with servers.
    pub fn is_backed_up(&self) -> bool {
        self.backup().is_some_and(|backup| backup.on)
    }

    /// By what a carrier box keeps copies of this room beyond its open pool. None where none are to be left, or where this
    /// build can't read it.
    pub fn pass(&self) -> Option<Pass> {
        let backup = self.backup().filter(|backup| backup.on)?;
        backup.pass.as_ref()?.open()
    }

    /// What an owner said last of copies.
    fn backup(&self) -> Option<&Backup> {
        let owned = |author, seq| self.standing.role_at(author, seq) == Some(Role::Owner);
        let mut latest = self.acts.backups.values().rev();
        let found = latest.find(|(author, seq, _)| owned(*author, *seq));
        found.map(|(_, _, backup)| backup)
    }

    /// Whether somebody was a moderator, or more, as they said that in stream 0.
    fn moderates(&self, author: AuthorId, seq: Seq) -> bool {
        self.standing.role_at(author, seq) >= Some(Role::Moderator)
    }

    /// The clock of the event that let somebody in; none for the creator.
    pub fn admitted(&self, author: AuthorId) -> Option<Hlc> {
        let (clock, _) = self.standing.came.get(&author)?.by?;
        Some(clock)
    }

    /// Since when somebody counts: the clock of that event; of the room's first for the creator, and for those whom
    /// nobody let in.
    pub fn since(&self, author: AuthorId) -> Option<Hlc> {
        let made = || Some(self.create()?.header().clock);
        self.admitted(author).or_else(made)
    }

    /// The clock of the latest event that let anybody in who still belongs; none while the creator is
    /// alone.
    pub fn last_admitted(&self) -> Option<Hlc> {
        self.members()
            .filter_map(|member| self.admitted(member))
            .max()
    }

    /// Judges an event of stream 0 whose signature holds; `opened` is its decoded body.
    pub fn judge(&self, event: &SignedEvent, opened: &Membership) -> Judgement {
        let header = event.header();
        if header.room != self.tag
            || header.stream != Stream::MEMBERSHIP
            || header.seq.0 > limits::MEMBERSHIP_EVENTS_MAX
        {
            return Judgement::Reject;
        }
        if let Membership::Create(_) = opened {
            let ours = event.hash().0.starts_with(&self.room.0);
            return if ours {
                Judgement::Accept
            } else {
                Judgement::Reject
            };
        }
        if !self.known.contains(&header.author) {
            return Judgement::Later;
        }
        let (joiner, vouched) = match opened {
            Membership::Admit(admit) => (Some(admit.author), self.voucher_holds(admit)),
            Membership::Move(moved) => {
                let consent = verify_move(moved.from, self.room, moved.to, &moved.consent);
                (Some(moved.to), consent.is_ok())
            }
            _ => (None, true),
        };
        match joiner {
            _ if !vouched => Judgement::Reject,
            Some(joiner)
                if !self.known.contains(&joiner) && self.known.len() >= limits::AUTHORS_MAX =>
            {
                Judgement::Later
            }
            _ => Judgement::Accept,
        }
    }

    /// Judges an event of another stream by who wrote it and where in its log it stands.
    pub fn judge_content(&self, author: AuthorId, seq: Seq) -> Judgement {
        match self.standing.gone.get(&author) {
            Some(gone) if seq > gone.cut.content => Judgement::Drop,
            _ if self.standing.came.contains_key(&author) => Judgement::Accept,
            _ => Judgement::Later,
        }
    }

    fn voucher_holds(&self, admit: &Admit) -> bool {
        admit.role == Role::Member
            && verify_voucher(admit.invite, self.room, admit.author, &admit.voucher).is_ok()
    }

    /// Takes an accepted event in. Idempotent, and independent of order.
    pub fn apply(&mut self, event: &SignedEvent, opened: &Membership) -> News {
        let mut news = News::default();
        match opened {
            Membership::Create(create) => self.begin(event, create),
            Membership::Profile(profile) => {
                let author = event.header().author;
                let at = (event.header().clock, event.hash());
                let newer = self.names.get(&author).is_none_or(|(old, _)| at > *old);
                if newer {
                    self.names.insert(author, (at, profile.name.clone()));
                    news.changed.push(author);
                }
                return news;
            }
            _ if !self.acts.insert(event, opened) => return news,
            Membership::Admit(admit) => {
                self.note(event, opened);
                let act = Act::new(event, opened);
                if self.standing.admit_only(&act, admit.author, admit.invite) {
                    news.came.push(admit.author);
                    return news;
                }
            }
            Membership::Rename(_) => return news,
            Membership::Backup(_) => {
                news.backup = true;
                return news;
            }
            Membership::Invite(_) | Membership::RevokeInvite(_) | Membership::Close(_) => {
                news.invites = true;
                return news;
            }
            _ => self.note(event, opened),
        }
        self.settle()
    }

    /// Comes to know whom an accepted event names, so that their own can be judged before
    /// [`apply_all`](Self::apply_all) folds them all.
    pub fn meet(&mut self, event: &SignedEvent, opened: &Membership) {
        match opened {
            Membership::Create(create) => self.begin(event, create),
            _ => self.note(event, opened),
        }
    }

    /// The same for many, folded once at the end.
    pub fn apply_all<'a>(
        &mut self,
        events: impl IntoIterator<Item = (&'a SignedEvent, &'a Membership)>,
    ) -> News {
        for (event, opened) in events {
            match opened {
                Membership::Create(create) => self.begin(event, create),
                Membership::Profile(_) => drop(self.apply(event, opened)),
                _ if !self.acts.insert(event, opened) => {}
                _ => self.note(event, opened),
            }
        }
        self.settle()
    }

    /// Whom an act names: somebody to be known from now on, or whose membership it would end.
    fn note(&mut self, event: &SignedEvent, opened: &Membership) {
        let act = event.hash().short();
        match opened {
            Membership::Admit(admit) => drop(self.known.insert(admit.author)),
            Membership::Move(moved) => {
                self.known.insert(moved.to);
                self.endings.insert(act, moved.from);
            }
            Membership::Remove(removal) | Membership::Ban(removal) => {
                self.endings.insert(act, removal.author);
            }
            _ => {}
        }
    }

    fn begin(&mut self, event: &SignedEvent, create: &Create) {
        let author = event.header().author;
        self.name = create.room_name.clone();
        self.create = Some(event.clone());
        self.policy = Some(Policy {
            creator: author,
            history: create.history,
            inviters: create.inviters.unwrap_or(Role::Member),
            retention_s: create.retention_s,
        });
        self.known.insert(author);
        self.names.entry(author).or_insert((
            (event.header().clock, event.hash()),
            create.owner_name.clone(),
        ));
    }

    fn settle(&mut self) -> News {
        let Some(policy) = self.policy else {
            return News::default();
        };
        let new = Standing::fold(policy.creator, policy.inviters, &self.acts);
        let old = std::mem::replace(&mut self.standing, new);
        let new = &self.standing;
        let members = |of: &Standing| -> BTreeSet<AuthorId> {
            let came = of.came.keys().copied();
            came.filter(|author| !of.gone.contains_key(author))
                .collect()
        };
        let (before, after) = (members(&old), members(new));
        let other_role = |author: &&AuthorId| old.role(**author) != new.role(**author);
        News {
            came: after.difference(&before).copied().collect(),
            gone: before.difference(&after).copied().collect(),
            changed: after
                .intersection(&before)
                .filter(other_role)
                .copied()
                .collect(),
            cuts: old.gone != new.gone
                || old.came.len() != new.came.len()
                || self.known.len() != new.came.len(),
            invites: old.last_removal != new.last_removal || old.gone != new.gone,
            backup: false,
        }
    }
}
