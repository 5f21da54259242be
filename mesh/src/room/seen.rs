//! Who has seen how far: of each reader, up to which position of whose messages.

use std::{cmp::Reverse, collections::BTreeMap};

use peddlenet_wire::{
    AuthorId, Capped, Seq, Stream,
    record::{Receipts, SeenUpTo},
};

use super::Room;

impl Room {
    /// Notes that a reader has seen an author's stream 1 up to a position. Returns the position
    /// before when that is news.
    pub(crate) fn note_seen(
        &mut self,
        reader: AuthorId,
        author: AuthorId,
        seq: Seq,
    ) -> Option<Seq> {
        let at = self
            .seen
            .entry(reader)
            .or_default()
            .entry(author)
            .or_insert(Seq(0));
        (seq > *at).then(|| std::mem::replace(at, seq))
    }

    pub(crate) fn seen_up_to(&self, reader: AuthorId, author: AuthorId) -> Seq {
        self.seen
            .get(&reader)
            .and_then(|s| s.get(&author))
            .copied()
            .unwrap_or(Seq(0))
    }

    /// Members who have displayed a message, its author left out.
    pub(crate) fn seen_by(&self, author: AuthorId, seq: Seq) -> Vec<AuthorId> {
        let has = |s: &BTreeMap<AuthorId, Seq>| s.get(&author).is_some_and(|at| *at >= seq);
        self.seen
            .iter()
            .filter(|(r, s)| **r != author && has(s))
            .map(|(r, _)| *r)
            .collect()
    }

    /// What this device has displayed, as a record's body. Of more authors than fit, those who spoke last.
    pub(crate) fn receipts(&self) -> Receipts {
        let mine = self.seen.get(&self.me());
        let told = mine.into_iter().flatten();
        let mut told: Vec<_> = told
            .filter(|(author, _)| !self.trust.is_blocked(**author))
            .collect();
        let spoke = |author: &AuthorId| self.tips.get(author).map(|(clock, _)| *clock);
        told.sort_by_key(|(author, _)| Reverse(spoke(author)));
        let mut entries = told.into_iter().map(|(author, seq)| SeenUpTo {
            author: *author,
            stream: Stream::CONTENT,
            seq: *seq,
        });
        Receipts {
            seen: Capped::take_from(&mut entries),
        }
    }
}
