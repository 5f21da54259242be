//! A store in memory that keeps the promises of the real one.

use std::collections::BTreeMap;

use peddlenet_gossip::{Held, Query};
use peddlenet_wire::{
    AuthorId, EventHash, Seq, SignedEvent, SignedRecord, Stream, record::RecordKind,
};

pub(crate) type Place = (AuthorId, Stream, Seq, EventHash);

#[derive(Default, Clone)]
pub(crate) struct Disk {
    pub(crate) events: BTreeMap<Place, (SignedEvent, u8)>,
    pub(crate) records: BTreeMap<(RecordKind, AuthorId), SignedRecord>,
}

impl Disk {
    pub(crate) fn held(&self) -> Vec<Held> {
        let mut held: BTreeMap<(AuthorId, Stream), Held> = BTreeMap::new();
        for &(author, stream, seq, hash) in self.events.keys() {
            let log = held.entry((author, stream)).or_insert(Held {
                author,
                stream,
                ranges: vec![],
                hash,
            });
            log.hash = hash;
            match log.ranges.last_mut() {
                Some((_, to)) if to.0 + 1 >= seq.0 => *to = seq,
                _ => log.ranges.push((seq, seq)),
            }
        }
        held.into_values().collect()
    }

    pub(crate) fn put(&mut self, event: &SignedEvent, hops: u8) {
        let h = event.header();
        self.events.insert(
            (h.author, h.stream, h.seq, event.hash()),
            (event.clone(), hops),
        );
    }

    pub(crate) fn load(&self, what: &Query) -> (Vec<(SignedEvent, u8)>, bool) {
        // The driver stops early now and then, as a store with a byte limit does.
        const MOST: usize = 100;
        let (all, limit): (Vec<_>, usize) = match *what {
            Query::Range {
                author,
                stream,
                from,
                to,
                limit,
                ..
            } => {
                let ends = (author, stream, from, EventHash::ZERO)
                    ..=(author, stream, to, EventHash([255; 32]));
                (
                    self.events.range(ends).map(|(_, e)| e.clone()).collect(),
                    limit,
                )
            }
            Query::Page { before, limit, .. } => {
                let mut all: Vec<_> = self
                    .events
                    .values()
                    .filter(|(e, _)| e.header().stream == Stream::CONTENT)
                    .filter(|(e, _)| {
                        before.is_none_or(|b| (e.header().clock, e.hash()) < (b.clock, b.hash))
                    })
                    .cloned()
                    .collect();
                all.sort_by_key(|(e, _)| std::cmp::Reverse((e.header().clock, e.hash())));
                (all, limit)
            }
        };
        let more = all.len() > limit.min(MOST);
        (all.into_iter().take(limit.min(MOST)).collect(), more)
    }
}
