//! Signature checks, off the actor's task: one thread, fed in order.
//!
//! What needs the room's state (is the author a member? does the voucher hold?) is judged on the
//! actor first, since it is cheap; only what passes costs an Ed25519 verification.

use std::sync::mpsc as blocking;

use peddlenet_gossip::{Input, Item, Ticket, Verdict};
use peddlenet_store::Write;
use peddlenet_wire::{AuthorId, RoomTag, SignedEvent};
use tokio::sync::mpsc;

use super::{Actor, Continue};
use crate::clock;
use peddlenet_room::Judgement;

pub(crate) struct Verifier(blocking::Sender<(Ticket, Item)>);

impl Verifier {
    pub(crate) fn spawn(results: mpsc::UnboundedSender<Continue>) -> Self {
        // Bounded by the engine, which keeps a limited number of tickets in flight.
        let (jobs, queue) = blocking::channel::<(Ticket, Item)>();
        let work = move || {
            for (ticket, item) in queue {
                let good = match &item {
                    Item::Event(event) => peddlenet_crypto::verify_event(event).is_ok(),
                    Item::Record(record) => peddlenet_crypto::verify_record(record).is_ok(),
                    Item::Beacon(room, beacon) => {
                        peddlenet_crypto::verify_beacon(*room, beacon).is_ok()
                    }
                };
                let then = move |actor: &mut Actor| actor.on_signature(ticket, &item, good);
                if results.send(Box::new(then)).is_err() {
                    return;
                }
            }
        };
        if let Err(e) = std::thread::Builder::new()
            .name("pn-verify".into())
            .spawn(work)
        {
            tracing::error!(error = %e, "no thread for signature checks");
        }
        Self(jobs)
    }
}

impl Actor {
    pub(super) fn verify(&mut self, ticket: Ticket, item: Item) {
        let verdict = match self.judge(&item) {
            Judgement::Accept => match self.verifier.0.send((ticket, item)) {
                Ok(()) => return,
                Err(_) => Verdict::Reject,
            },
            Judgement::Later => self.verdict_later(&item),
            Judgement::Drop => Verdict::Drop,
            Judgement::Reject => Verdict::Reject,
        };
        self.feed(Input::Verified { ticket, verdict });
    }

    fn on_signature(&mut self, ticket: Ticket, item: &Item, good: bool) {
        self.stats.verified += 1;
        // The room may have been left, or the author's standing changed, in the meantime.
        let verdict = match (good, self.judge(item)) {
            (true, Judgement::Accept) => Verdict::Accept,
            (true, Judgement::Later) => self.verdict_later(item),
            (_, Judgement::Drop) => Verdict::Drop,
            _ => Verdict::Reject,
        };
        if let (Verdict::Accept, Item::Event(event)) = (&verdict, item) {
            self.count_said(event);
        }
        self.feed(Input::Verified { ticket, verdict });
    }

    /// Counts what an author puts on this disk.
    pub(super) fn count_said(&mut self, event: &SignedEvent) {
        let room = self.rooms.get_mut(&event.header().room);
        let Some((key, value)) = room.and_then(|room| room.count_said(event, clock::now())) else {
            return;
        };
        let value = Some(value);
        let write = Write::Meta { key, value };
        self.save_quietly(write, "how much a member said was not saved");
    }

    /// Something is missing first: a member, or keys, and keys can be asked for.
    fn verdict_later(&mut self, item: &Item) -> Verdict {
        if let Item::Event(event) = item
            && let tag = event.header().room
            && self
                .rooms
                .get_mut(&tag)
                .is_some_and(|room| room.note_unopened(event))
        {
            self.ask_soon(tag);
        }
        Verdict::Later
    }

    fn judge_author(&self, room: RoomTag, author: AuthorId) -> Judgement {
        match self.rooms.get(&room) {
            Some(room) if room.roster.is_member(author) => Judgement::Accept,
            Some(room) if room.roster.gone(author).is_some() => Judgement::Drop,
            Some(_) => Judgement::Later,
            None => Judgement::Reject,
        }
    }

    fn judge(&self, item: &Item) -> Judgement {
        match item {
            Item::Event(event) => match self.rooms.get(&event.header().room) {
                Some(room) if room.is_too_old(event, clock::now()) => Judgement::Drop,
                Some(room) if room.is_over_quota(event, clock::now()) => Judgement::Drop,
                Some(room) => room.judge(event),
                None => Judgement::Reject,
            },
            Item::Record(record) => self.judge_author(record.header().room, record.header().author),
            Item::Beacon(room, beacon) => self.judge_author(*room, beacon.author),
        }
    }
}
