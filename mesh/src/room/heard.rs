//! Signs of life: when each member was heard last, and this device's own.

use std::time::Duration;

use peddlenet_wire::{AuthorId, Hlc, Seq, SignedRecord, Stream, Timestamp};

use super::Room;

/// A member's last sign of life.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard {
    /// When it was signed, by the member's clock.
    signed: Timestamp,
    /// When one arrived that was fresh, by this device's clock.
    pub(crate) at: Option<Timestamp>,
    /// Links it crossed.
    pub(crate) hops: u8,
}

impl Room {
    /// Notes a sign of life, unless it is an old one that sync brought. It is fresh when it was signed
    /// within `span` of now; or, where clocks disagree, when it is the second since this device started.
    pub(crate) fn hear(&mut self, record: &SignedRecord, hops: u8, now: Timestamp, span: Duration) {
        let signed = record.header().clock.timestamp();
        let before = self.heard.get(&record.header().author).copied();
        if before.is_some_and(|b| b.signed >= signed) {
            return;
        }
        let fresh = now.since(signed) < span && signed.since(now) < span;
        let at = if fresh || before.is_some() {
            Some(now)
        } else {
            None
        };
        self.heard
            .insert(record.header().author, Heard { signed, at, hops });
    }

    /// Notes a sign of life that the engine found to be newer than those before.
    pub(crate) fn hear_beacon(&mut self, author: AuthorId, hops: u8, now: Timestamp) {
        let signed = self.heard.get(&author).map_or(Timestamp(0), |h| h.signed);
        let at = Some(now);
        self.heard.insert(author, Heard { signed, at, hops });
    }

    /// The link to a member broke: others may still hear it, which shows at its next sign of life. Without
    /// one within `soon` it counts as away.
    pub(crate) fn lost_touch(
        &mut self,
        author: AuthorId,
        now: Timestamp,
        span: Duration,
        soon: Duration,
    ) {
        if let Some(Heard { at: Some(at), .. }) = self.heard.get_mut(&author) {
            *at = (*at).min(now.before(span.saturating_sub(soon)));
        }
    }

    /// The clock of this device's next sign of life, and where its content log ends.
    pub(crate) fn next_beacon(&mut self, now: Timestamp) -> (Hlc, Seq) {
        self.clock = self.clock.tick(now);
        let end = self.own.get(&Stream::CONTENT);
        (self.clock, end.map_or(Seq(0), |(seq, _)| *seq))
    }
}
