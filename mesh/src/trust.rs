//! What this device holds of the people in one room: whom the person checked, muted or blocked, who
//! looks like whom, and who signed two histories.
//!
//! Pure state. Nothing of it is told to others, and nothing of it changes what is stored and relayed: a
//! blocked member's messages pass through like everybody's, or stores could never agree. It changes
//! what is shown. [`actor::trust`](crate::actor) keeps it on disk.
//!
//! ```text
//!  verified ---- name now, name then --> skeletons --+
//!  roster ------ names --------------> skeletons ----+--> lookalike, may_write_to
//!  fork proofs ----------------------> shows, end_of_log
//! ```

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};
use peddlenet_crypto::ForkProof;
use peddlenet_wire::{
    AuthorId, Hlc, Name, RoomTag, Seq, Skeleton, Stream, Timestamp, WireError, codec, event::Header,
};

use crate::{
    api::Lookalike,
    error::{Error, ErrorCode},
};

/// Events of each branch of a forked log that are taken and shown, from the place where it forks (count).
pub(crate) const BRANCH_MAX: u64 = 64;
/// One person's entry, encoded.
const ENTRY_MAX: usize = 1024;

/// What the person decided about one member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Entry {
    /// The keys were compared.
    #[n(0)]
    pub(crate) verified: Option<Verified>,
    #[cbor(n(1), default)]
    pub(crate) muted: bool,
    #[cbor(n(2), default)]
    pub(crate) blocked: bool,
    /// The name under which the person took this key for a verified person's new one, or for somebody else's.
    #[n(3)]
    pub(crate) confirmed: Option<Name>,
}

/// See [`Entry::verified`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Verified {
    #[n(0)]
    pub(crate) since: Timestamp,
    /// What they were called then.
    #[n(1)]
    pub(crate) name: Name,
}

impl Entry {
    /// The key in the store's `meta`.
    pub(crate) fn key(room: RoomTag, author: AuthorId) -> Vec<u8> {
        [&Self::prefix(room)[..], &author.0].concat()
    }

    pub(crate) fn prefix(room: RoomTag) -> Vec<u8> {
        [b"trust/", &room.0[..]].concat()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        codec::from_slice("trust", bytes, ENTRY_MAX)
    }

    /// The encoding; `None` when there is nothing to remember.
    pub(crate) fn to_bytes(&self) -> Option<Vec<u8>> {
        (*self != Self::default()).then(|| codec::to_vec(self))
    }
}

/// The key of a fork's proof in the store's `meta`.
pub(crate) fn fork_key(room: RoomTag, author: AuthorId) -> Vec<u8> {
    [&fork_prefix(room)[..], &author.0].concat()
}

pub(crate) fn fork_prefix(room: RoomTag) -> Vec<u8> {
    [b"fork/", &room.0[..]].concat()
}

/// The people of one room, as this device sees them.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    me: Option<AuthorId>,
    entries: BTreeMap<AuthorId, Entry>,
    forks: BTreeMap<AuthorId, ForkProof>,
    names: BTreeMap<AuthorId, (Name, Skeleton)>,
    /// Who goes by a name of that shape.
    shapes: BTreeMap<Skeleton, BTreeSet<AuthorId>>,
    /// Shapes of verified people's names, then and now, and of this person's own.
    trusted: BTreeMap<Skeleton, BTreeSet<AuthorId>>,
}

impl Trust {
    pub(crate) fn new(me: AuthorId) -> Self {
        Self {
            me: Some(me),
            ..Self::default()
        }
    }

    pub(crate) fn entry(&self, author: AuthorId) -> Option<&Entry> {
        self.entries.get(&author)
    }

    /// Changes an entry; the result is to be saved.
    pub(crate) fn change(&mut self, author: AuthorId, how: impl FnOnce(&mut Entry)) -> Entry {
        let mut entry = self.entries.get(&author).cloned().unwrap_or_default();
        how(&mut entry);
        self.insert(author, entry.clone());
        entry
    }

    pub(crate) fn insert(&mut self, author: AuthorId, entry: Entry) {
        if entry == Entry::default() {
            self.entries.remove(&author);
        } else {
            self.entries.insert(author, entry);
        }
        self.refresh_trusted();
    }

    pub(crate) fn verified(&self, author: AuthorId) -> Option<&Verified> {
        self.entry(author)?.verified.as_ref()
    }

    pub(crate) fn is_muted(&self, author: AuthorId) -> bool {
        self.entry(author).is_some_and(|e| e.muted)
    }

    pub(crate) fn is_blocked(&self, author: AuthorId) -> bool {
        self.entry(author).is_some_and(|e| e.blocked)
    }

    /// Whether a message of theirs counts as unread and may call for attention.
    pub(crate) fn notifies(&self, author: AuthorId) -> bool {
        self.entry(author).is_none_or(|e| !e.muted && !e.blocked)
    }

    /// Whether what a member said is shown here. It is kept and passed on either way.
    pub(crate) fn shows(&self, header: &Header) -> bool {
        !self.is_blocked(header.author) && self.within_branch(header)
    }

    /// Of a frozen author: what belongs to either branch, or was said before.
    fn within_branch(&self, header: &Header) -> bool {
        let Some(proof) = self.forks.get(&header.author) else {
            return true;
        };
        if header.stream == proof.stream() {
            return header.seq.0 <= last_of_branch(proof).0;
        }
        // In other logs the signed clock tells before from after.
        header.stream == Stream::MEMBERSHIP || header.clock <= latest(proof)
    }

    // --- forks ---

    pub(crate) fn fork(&self, author: AuthorId) -> Option<&ForkProof> {
        self.forks.get(&author)
    }

    pub(crate) fn forks(&self) -> impl Iterator<Item = &ForkProof> {
        self.forks.values()
    }

    /// Takes a proof; of several of one author the one of the lowest place stays. `None` when it says
    /// nothing new, else whether it is the first of its author.
    pub(crate) fn take_fork(&mut self, proof: &ForkProof) -> Option<bool> {
        let known = self.forks.get(&proof.author());
        if known.is_some_and(|known| place(known) <= place(proof)) {
            return None;
        }
        let first = known.is_none();
        self.forks.insert(proof.author(), proof.clone());
        Some(first)
    }

    // --- names ---

    /// Notes what a member is called. Returns those whose marks may have changed by it, the member left out.
    pub(crate) fn note_name(&mut self, author: AuthorId, name: &Name) -> BTreeSet<AuthorId> {
        if self.names.get(&author).is_some_and(|(n, _)| n == name) {
            return BTreeSet::new();
        }
        let mut touched = self.forget_name(author);
        if let Some(shape) = name.skeleton() {
            let same = self.shapes.entry(shape.clone()).or_default();
            touched.extend(same.iter());
            same.insert(author);
            self.names.insert(author, (name.clone(), shape));
        }
        if self.me == Some(author) || self.verified(author).is_some() {
            self.refresh_trusted();
        }
        touched.remove(&author);
        touched
    }

    fn forget_name(&mut self, author: AuthorId) -> BTreeSet<AuthorId> {
        let Some((_, shape)) = self.names.remove(&author) else {
            return BTreeSet::new();
        };
        let Some(same) = self.shapes.get_mut(&shape) else {
            return BTreeSet::new();
        };
        same.remove(&author);
        let left = same.clone();
        if left.is_empty() {
            self.shapes.remove(&shape);
        }
        left
    }

    /// Members whose marks depend on what this one is called or was verified as.
    pub(crate) fn namesakes(&self, author: AuthorId) -> BTreeSet<AuthorId> {
        let now = self.names.get(&author).map(|(_, shape)| shape.clone());
        let then = self.verified(author).and_then(|v| v.name.skeleton());
        let shapes = now.into_iter().chain(then);
        let mut those: BTreeSet<_> = shapes
            .filter_map(|shape| self.shapes.get(&shape))
            .flatten()
            .copied()
            .collect();
        those.remove(&author);
        those
    }

    /// Keeps the names of these members only.
    pub(crate) fn retain_names(&mut self, is_member: impl Fn(AuthorId) -> bool) {
        let gone: Vec<_> = self
            .names
            .keys()
            .copied()
            .filter(|a| !is_member(*a))
            .collect();
        for author in gone {
            self.forget_name(author);
        }
    }

    fn refresh_trusted(&mut self) {
        let mut trusted: BTreeMap<Skeleton, BTreeSet<AuthorId>> = BTreeMap::new();
        let mut add = |shape: Option<Skeleton>, author| {
            if let Some(shape) = shape {
                trusted.entry(shape).or_default().insert(author);
            }
        };
        let now = |author| self.names.get(&author).map(|(_, shape)| shape.clone());
        for (author, entry) in &self.entries {
            if let Some(verified) = &entry.verified {
                add(verified.name.skeleton(), *author);
                add(now(*author), *author);
            }
        }
        if let Some(me) = self.me {
            add(now(me), me);
        }
        self.trusted = trusted;
    }

    /// Whether a member's name could be taken for somebody else's.
    pub(crate) fn lookalike(&self, author: AuthorId) -> Lookalike {
        if self.me == Some(author) || self.verified(author).is_some() {
            return Lookalike::No;
        }
        let Some((_, shape)) = self.names.get(&author) else {
            return Lookalike::No;
        };
        if let Some(who) = self.trusted.get(shape).and_then(|those| those.first()) {
            return Lookalike::Imitates(*who);
        }
        match self.shapes.get(shape) {
            Some(those) if those.len() > 1 => Lookalike::Alike,
            _ => Lookalike::No,
        }
    }

    /// The verified person whose name this other key now goes by, unless the person confirmed the key.
    pub(crate) fn key_changed(&self, author: AuthorId) -> Option<AuthorId> {
        let entry = self.entry(author);
        if self.me == Some(author) || entry.is_some_and(|e| e.verified.is_some()) {
            return None;
        }
        let (name, shape) = self.names.get(&author)?;
        if entry
            .and_then(|e| e.confirmed.as_ref())
            .is_some_and(|confirmed| confirmed.looks_like(name))
        {
            return None;
        }
        let those = self.trusted.get(shape)?;
        those.iter().copied().find(|who| self.me != Some(*who))
    }

    /// Whether this device may write to a member alone, or take them for verified: refused with
    /// [`ErrorCode::KeyChanged`] where they go by the name of a verified person under another key,
    /// until [`Node::confirm_key`](crate::Node::confirm_key).
    pub(crate) fn may_write_to(&self, author: AuthorId) -> Result<(), Error> {
        let Some(who) = self.key_changed(author) else {
            return Ok(());
        };
        let name = self
            .verified(who)
            .map(|v| v.name.as_str())
            .unwrap_or_default();
        Err(Error::new(
            ErrorCode::KeyChanged,
            format!(
                "This isn't the key that you verified as “{name}”: a new device, or somebody who took the name. \
                 Compare the numbers with them first, then confirm the new key."
            ),
        ))
    }
}

/// The last place of a forked log that is taken.
pub(crate) fn last_of_branch(proof: &ForkProof) -> Seq {
    Seq(proof.seq().0.saturating_add(BRANCH_MAX - 1))
}

fn latest(proof: &ForkProof) -> Hlc {
    let [one, other] = proof.events().map(|e| e.header().clock);
    one.max(other)
}

fn place(proof: &ForkProof) -> (Stream, Seq) {
    (proof.stream(), proof.seq())
}

#[cfg(test)]
mod tests {
    use peddlenet_crypto::{AuthorKey, Draft, EpochKeys, seal_event};
    use peddlenet_wire::{Capped, EventHash, SignedEvent, ids::Digest};

    use super::*;

    const ME: AuthorId = AuthorId([1; 32]);
    const ADA: AuthorId = AuthorId([2; 32]);
    const BEA: AuthorId = AuthorId([3; 32]);
    const CYD: AuthorId = AuthorId([4; 32]);

    fn people(names: &[(AuthorId, &str)]) -> Trust {
        let mut trust = Trust::new(ME);
        for (author, name) in names {
            trust.note_name(*author, &Name::new(name));
        }
        trust
    }

    fn verify(trust: &mut Trust, author: AuthorId, name: &str) {
        trust.change(author, |e| {
            e.verified = Some(Verified {
                since: Timestamp(7),
                name: Name::new(name),
            });
        });
    }

    #[test]
    fn two_names_of_one_shape_are_both_marked_and_nobody_else() {
        let mut trust = people(&[(ME, "Me"), (ADA, "Ada"), (BEA, "Bea")]);
        assert_eq!(trust.lookalike(ADA), Lookalike::No);
        let touched = trust.note_name(CYD, &Name::new("Аdа"));
        assert_eq!(touched, BTreeSet::from([ADA]));
        assert_eq!(trust.lookalike(ADA), Lookalike::Alike);
        assert_eq!(trust.lookalike(CYD), Lookalike::Alike);
        assert_eq!(trust.lookalike(BEA), Lookalike::No);
        let touched = trust.note_name(CYD, &Name::new("Cyd"));
        assert_eq!(touched, BTreeSet::from([ADA]));
        assert_eq!(trust.lookalike(ADA), Lookalike::No);
        trust.note_name(CYD, &Name::new("bea"));
        trust.retain_names(|author| author != CYD);
        assert_eq!(trust.lookalike(BEA), Lookalike::No);
    }

    #[test]
    fn a_verified_member_is_never_marked_and_who_imitates_them_is_strongly() {
        let mut trust = people(&[(ME, "Me"), (ADA, "Ada"), (CYD, "Аdа"), (BEA, "me.")]);
        verify(&mut trust, ADA, "Ada");
        assert_eq!(trust.lookalike(ADA), Lookalike::No);
        assert_eq!(trust.lookalike(CYD), Lookalike::Imitates(ADA));
        assert_eq!(trust.lookalike(BEA), Lookalike::Imitates(ME));
        trust.note_name(ADA, &Name::new("Ada Lovelace"));
        assert_eq!(
            trust.lookalike(CYD),
            Lookalike::Imitates(ADA),
            "the name of then counts, too"
        );
        verify(&mut trust, CYD, "Аdа");
        assert_eq!(trust.lookalike(CYD), Lookalike::No);
    }

    #[test]
    fn writing_to_another_key_under_a_verified_name_waits_for_a_confirmation() {
        let mut trust = people(&[(ME, "Me"), (ADA, "Ada"), (BEA, "Bea")]);
        assert_eq!(trust.may_write_to(ADA), Ok(()));
        verify(&mut trust, ADA, "Ada");
        assert_eq!(trust.may_write_to(ADA), Ok(()));
        trust.note_name(BEA, &Name::new("ADA"));
        let refused = trust.may_write_to(BEA).expect_err("another key");
        assert_eq!(refused.code, ErrorCode::KeyChanged);
        assert!(refused.message.contains("“Ada”"), "{}", refused.message);

        trust.change(BEA, |e| e.confirmed = Some(Name::new("ADA")));
        assert_eq!(trust.may_write_to(BEA), Ok(()));
        trust.note_name(CYD, &Name::new("Cyd"));
        verify(&mut trust, CYD, "Cyd");
        trust.note_name(BEA, &Name::new("Cyd"));
        let again = trust
            .may_write_to(BEA)
            .expect_err("confirmed under another name");
        assert_eq!(again.code, ErrorCode::KeyChanged);
        trust.note_name(BEA, &Name::new("Me"));
        assert_eq!(
            trust.may_write_to(BEA),
            Ok(()),
            "my own name is nobody's I verified"
        );
    }

    #[test]
    fn an_entry_survives_its_encoding_and_an_empty_one_is_forgotten() {
        let entry = Entry {
            verified: Some(Verified {
                since: Timestamp(9),
                name: Name::new("Ada"),
            }),
            muted: true,
            blocked: false,
            confirmed: Some(Name::new("Bea")),
        };
        let bytes = entry.to_bytes().expect("something to remember");
        assert_eq!(Entry::from_bytes(&bytes), Ok(entry));
        assert_eq!(Entry::default().to_bytes(), None);
        assert_eq!(Entry::from_bytes(&[0xa0]), Ok(Entry::default()));
        assert!(Entry::from_bytes(&[0; ENTRY_MAX + 1]).is_err());
    }

    fn event(key: &AuthorKey, seq: u64, clock: u64, text: &str) -> SignedEvent {
        let previous = match seq {
            1 => EventHash::ZERO,
            _ => EventHash([8; 32]),
        };
        let draft = Draft {
            room: RoomTag([4; 16]),
            stream: Stream::CONTENT,
            seq: Seq(seq),
            previous,
            clock: Hlc::at(Timestamp(clock)),
            parents: Capped::default(),
            membership: Digest::ZERO,
        };
        let epoch = EpochKeys::from_seeds([2; 32], [3; 32]);
        seal_event(&draft, key, &epoch, [9; 24], text.as_bytes()).expect("it can be sealed")
    }

    #[test]
    fn of_a_frozen_author_both_branches_are_shown_up_to_their_end() {
        let key = AuthorKey::from_seed([5; 32]);
        let fork = |seq, clock| {
            let (l, r) = ("left", "right");
            ForkProof::new(&event(&key, seq, clock, l), &event(&key, seq, clock, r))
                .expect("a proof")
        };
        let mut trust = Trust::new(ME);
        let shows = |trust: &Trust, stream, seq, clock| {
            let mut header = event(&key, seq, clock, "x").header().clone();
            header.stream = stream;
            trust.shows(&header)
        };
        assert!(shows(&trust, Stream::CONTENT, 500, 500));
        assert_eq!(trust.take_fork(&fork(10, 100)), Some(true));
        assert_eq!(trust.take_fork(&fork(10, 100)), None, "told once");
        assert!(shows(&trust, Stream::CONTENT, 9, 90));
        assert!(shows(&trust, Stream::CONTENT, 73, 900));
        assert!(!shows(&trust, Stream::CONTENT, 74, 900));
        assert!(shows(&trust, Stream(2), 3, 100) && !shows(&trust, Stream(2), 4, 101));
        assert!(
            shows(&trust, Stream::MEMBERSHIP, 4, 101),
            "the fold of membership judges its own"
        );

        assert_eq!(
            trust.take_fork(&fork(5, 50)),
            Some(false),
            "an earlier place counts"
        );
        assert!(shows(&trust, Stream::CONTENT, 68, 900));
        assert!(!shows(&trust, Stream::CONTENT, 69, 900));
        assert_eq!(trust.take_fork(&fork(20, 200)), None);
        assert_eq!(trust.fork(key.id()).map(ForkProof::seq), Some(Seq(5)));
    }

    #[test]
    fn a_blocked_member_is_not_shown_and_a_muted_one_does_not_notify() {
        let key = AuthorKey::from_seed([5; 32]);
        let said = event(&key, 1, 1, "hello");
        let mut trust = Trust::new(ME);
        assert!(trust.shows(said.header()) && trust.notifies(key.id()));
        trust.change(key.id(), |e| e.muted = true);
        assert!(trust.shows(said.header()) && !trust.notifies(key.id()));
        trust.change(key.id(), |e| e.blocked = true);
        assert!(!trust.shows(said.header()));
        trust.change(key.id(), |e| *e = Entry::default());
        assert!(trust.shows(said.header()) && trust.notifies(key.id()));
    }
}
