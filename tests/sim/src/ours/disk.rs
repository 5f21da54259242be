//! A store in memory that keeps the promises of the real one. Two events for one place do not come
//! up here: mesh/gossip's own tests have forks.

use std::collections::BTreeMap;

use peddlenet_gossip::{Held, Query};
use peddlenet_wire::{Seq, SignedEvent, Stream};

use super::make::{author, node_of};
use crate::NodeId;

/// Events that one question brings at most: a store stops early now and then.
const MOST: usize = 256;

/// What is durable.
#[derive(Default)]
pub(super) struct Disk {
    events: BTreeMap<(u32, Stream, Seq), (SignedEvent, u8)>,
}

impl Disk {
    pub(super) fn put(&mut self, event: SignedEvent, hops: u8) {
        let header = event.header();
        let place = (node_of(header.author).0, header.stream, header.seq);
        self.events.insert(place, (event, hops));
    }

    pub(super) fn events(&self) -> impl Iterator<Item = &SignedEvent> {
        self.events.values().map(|(event, _)| event)
    }

    /// The last event of a log.
    pub(super) fn tip(&self, node: NodeId, stream: Stream) -> Option<&SignedEvent> {
        let log = (node.0, stream, Seq(0))..=(node.0, stream, Seq(u64::MAX));
        let (_, (event, _)) = self.events.range(log).next_back()?;
        Some(event)
    }

    pub(super) fn held(&self) -> Vec<Held> {
        let mut held: Vec<Held> = Vec::new();
        for (&(node, stream, seq), (event, _)) in &self.events {
            let author = author(NodeId(node));
            match held.last_mut() {
                Some(log) if log.author == author && log.stream == stream => {
                    log.hash = event.hash();
                    match log.ranges.last_mut() {
                        Some((_, to)) if to.0 + 1 == seq.0 => *to = seq,
                        _ => log.ranges.push((seq, seq)),
                    }
                }
                _ => held.push(Held {
                    author,
                    stream,
                    ranges: vec![(seq, seq)],
                    hash: event.hash(),
                }),
            }
        }
        held
    }

    /// Answers a question: events, and whether there are more.
    pub(super) fn load(&self, what: &Query) -> (Vec<(SignedEvent, u8)>, bool) {
        let (mut all, limit): (Vec<_>, usize) = match *what {
            Query::Range {
                author,
                stream,
                from,
                to,
                limit,
                ..
            } => {
                let node = node_of(author).0;
                let range = self.events.range((node, stream, from)..=(node, stream, to));
                let limit = limit.min(MOST);
                (
                    range.map(|(_, e)| e.clone()).take(limit + 1).collect(),
                    limit,
                )
            }
            Query::Page { before, limit, .. } => {
                let older = |(e, _): &&(SignedEvent, u8)| {
                    e.header().stream == Stream::CONTENT
                        && before.is_none_or(|b| (e.header().clock, e.hash()) < (b.clock, b.hash))
                };
                let mut all: Vec<_> = self.events.values().filter(older).cloned().collect();
                all.sort_by_key(|(e, _)| std::cmp::Reverse((e.header().clock, e.hash())));
                (all, limit.min(MOST))
            }
        };
        let more = all.len() > limit;
        all.truncate(limit);
        (all, more)
    }

    /// About the bytes that this takes, events shared by all nodes left out.
    pub(super) fn memory(&self) -> usize {
        self.events.len() * 48
    }
}
