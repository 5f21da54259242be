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
mod tests;
