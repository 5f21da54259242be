//! Who holds which tag on this process. The only shared state; kept in memory, never across an await. With an
//! [`Exchange`] it also says what other processes should know, and never waits for them.
//!
//! Invariant: a client is in the list of a tag exactly when the tag is in the client's list, and no list of
//! a tag is empty. So the size of everything follows from the number of clients and their limits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use tokio::sync::mpsc;

use crate::Limits;
use crate::exchange::{Elsewhere, Exchange};
use crate::frames::{Refusal, Reply, Tag};
use crate::space::{Lent, Space};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClientId(u64);

impl ClientId {
    /// A part of `period`, another for each client and evenly spread over all: the golden ratio's multiples.
    pub(crate) fn part_of(self, period: Duration) -> Duration {
        // 2^64 divided by the golden ratio, rounded to odd (Knuth, TAOCP 3, 6.4).
        let spread = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let thousandth = (spread >> 32).wrapping_mul(1000) >> 32;
        period.mul_f64(f64::from(u32::try_from(thousandth).unwrap_or(0)) / 1000.0)
    }
}

pub(crate) struct Hub {
    outbox: usize,
    outbox_bytes: usize,
    /// What waits in all outboxes.
    waiting: Arc<Space>,
    tags_per_connection: usize,
    subscribers_per_tag: usize,
    exchange: Option<Exchange>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entered: u64,
    clients: HashMap<ClientId, Client>,
    tags: HashMap<Tag, Vec<ClientId>>,
}

struct Client {
    /// Dropping it ends the connection: its task sees the end of the outbox.
    outbox: mpsc::Sender<Waiting>,
    space: Arc<Space>,
    tags: Vec<Tag>,
}

/// A frame in an outbox, and its space there.
pub(crate) struct Waiting {
    frame: Utf8Bytes,
    _space: Lent,
}

impl Waiting {
    /// The frame, which waits no more.
    pub(crate) fn into_frame(self) -> Utf8Bytes {
        self.frame
    }
}

impl Client {
    /// False where there is no room, or nobody reads any more.
    fn give(&self, frame: &Utf8Bytes) -> bool {
        self.space.lend(frame.len()).is_some_and(|space| {
            let frame = frame.clone();
            let waiting = Waiting {
                frame,
                _space: space,
            };
            self.outbox.try_send(waiting).is_ok()
        })
    }
}

impl Hub {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            outbox: limits.outbox.max(1),
            outbox_bytes: limits.outbox_bytes,
            waiting: Space::new(limits.waiting_bytes),
            tags_per_connection: limits.tags_per_connection,
            subscribers_per_tag: limits.subscribers_per_tag,
            exchange: None,
            state: Mutex::default(),
        }
    }

    /// Makes it one of several.
    pub(crate) fn join_others(&mut self, exchange: Exchange) {
        self.exchange = Some(exchange);
    }

    /// A new client and what is to be written to it. The caller owes a [`Hub::exit`].
    pub(crate) fn enter(&self) -> (ClientId, mpsc::Receiver<Waiting>) {
        let (outbox, waiting) = mpsc::channel(self.outbox);
        let mut state = self.state();
        state.entered += 1;
        let id = ClientId(state.entered);
        let client = Client {
            outbox,
            space: self.waiting.part(self.outbox_bytes),
            tags: Vec::new(),
        };
        state.clients.insert(id, client);
        (id, waiting)
    }

    /// Forgets a client and its tags. Doing it twice is fine.
    pub(crate) fn exit(&self, id: ClientId) {
        let gone = self.state().forget(id);
        self.changed(&gone);
    }

    /// Puts a client on a tag; returns how many others hold it here. Joining again changes nothing.
    pub(crate) fn join(&self, id: ClientId, tag: Tag) -> Result<usize, Refusal> {
        let mut state = self.state();
        let State { clients, tags, .. } = &mut *state;
        let client = clients.get_mut(&id).ok_or(Refusal::TooSlow)?;
        let holders = tags.get(&tag).map_or(0, Vec::len);
        if client.tags.contains(&tag) {
            return Ok(holders.saturating_sub(1));
        }
        if client.tags.len() >= self.tags_per_connection {
            return Err(Refusal::TooManyTags);
        }
        if holders >= self.subscribers_per_tag {
            return Err(Refusal::TagFull);
        }
        client.tags.push(tag);
        tags.entry(tag).or_default().push(id);
        Ok(holders)
    }

    /// Asks how many hold a tag on other processes, after a join; `None` where there are no others.
    pub(crate) fn elsewhere(&self, tag: Tag) -> Option<Elsewhere> {
        self.exchange.as_ref().map(|exchange| exchange.ask(tag))
    }

    /// Takes a client off a tag; fine when it isn't on it.
    pub(crate) fn leave(&self, id: ClientId, tag: Tag) {
        let mut state = self.state();
        if let Some(client) = state.clients.get_mut(&id) {
            client.tags.retain(|held| *held != tag);
        }
        state.take_off(id, tag);
        drop(state);
        self.changed(&[tag]);
    }

    /// Hands a frame out to everybody else on the tag here.
    pub(crate) fn relay(&self, id: ClientId, tag: Tag, frame: &Utf8Bytes) -> Result<(), Refusal> {
        let mut state = self.state();
        let client = state.clients.get(&id).ok_or(Refusal::TooSlow)?;
        if !client.tags.contains(&tag) {
            return Err(Refusal::NotJoined);
        }
        let gone = state.hand_out(tag, Some(id), frame);
        drop(state);
        self.changed(&gone);
        Ok(())
    }

    /// Passes on what was relayed here, to holders on other processes.
    pub(crate) fn publish(&self, tag: Tag, data: String) {
        if let Some(exchange) = &self.exchange {
            exchange.send(tag, data);
        }
    }

    /// Hands out what was sent on another process.
    pub(crate) fn deliver(&self, tag: Tag, data: &str) {
        let frame = Reply::Data { tag, data }.to_json().into();
        let gone = self.state().hand_out(tag, None, &frame);
        self.changed(&gone);
    }

    /// How many hold a tag here.
    pub(crate) fn holders(&self, tag: Tag) -> usize {
        self.state().tags.get(&tag).map_or(0, Vec::len)
    }

    /// How many tags are held here.
    pub(crate) fn tag_count(&self) -> usize {
        self.state().tags.len()
    }

    /// All tags that are held here.
    pub(crate) fn tags(&self) -> Vec<Tag> {
        self.state().tags.keys().copied().collect()
    }

    fn changed(&self, tags: &[Tag]) {
        if let Some(exchange) = &self.exchange {
            tags.iter().for_each(|tag| exchange.changed(*tag));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics halfway through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns the tags that the client held.
    fn forget(&mut self, id: ClientId) -> Vec<Tag> {
        let tags = self
            .clients
            .remove(&id)
            .map_or(Vec::new(), |gone| gone.tags);
        for tag in &tags {
            self.take_off(id, *tag);
        }
        tags
    }

    /// Puts a frame into the outbox of everybody on the tag but one. Who doesn't keep up is thrown out, so that
    /// it knows that it missed something; returns the tags they held.
    fn hand_out(&mut self, tag: Tag, but: Option<ClientId>, frame: &Utf8Bytes) -> Vec<Tag> {
        let holders = self.tags.get(&tag).into_iter().flatten();
        let slow: Vec<ClientId> = holders
            .filter(|holder| Some(**holder) != but)
            .filter(|holder| {
                self.clients
                    .get(holder)
                    .is_some_and(|holder| !holder.give(frame))
            })
            .copied()
            .collect();
        let mut gone = Vec::new();
        for client in slow {
            tracing::debug!(client = client.0, "too slow, thrown out");
            gone.extend(self.forget(client));
        }
        gone
    }

    fn take_off(&mut self, id: ClientId, tag: Tag) {
        if let Some(holders) = self.tags.get_mut(&tag) {
            holders.retain(|holder| *holder != id);
            if holders.is_empty() {
                self.tags.remove(&tag);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub() -> Hub {
        Hub::new(&Limits {
            outbox: 2,
            tags_per_connection: 2,
            subscribers_per_tag: 2,
            ..Limits::default()
        })
    }

    #[test]
    fn a_frame_goes_to_the_others_on_its_tag_only() {
        let hub = hub();
        let [(a, mut to_a), (b, mut to_b), (c, mut to_c)] = [hub.enter(), hub.enter(), hub.enter()];
        assert_eq!(hub.join(a, Tag::of(1)), Ok(0));
        assert_eq!(hub.join(b, Tag::of(1)), Ok(1));
        assert_eq!(hub.join(b, Tag::of(1)), Ok(1), "again");
        assert_eq!(hub.join(c, Tag::of(2)), Ok(0));
        let hello = Utf8Bytes::from("hello");
        assert_eq!(hub.relay(a, Tag::of(1), &hello), Ok(()));
        assert_eq!(hub.relay(a, Tag::of(2), &hello), Err(Refusal::NotJoined));
        assert_eq!(to_b.try_recv().unwrap().into_frame(), hello);
        assert!(to_a.try_recv().is_err() && to_b.try_recv().is_err() && to_c.try_recv().is_err());
    }

    #[test]
    fn clients_that_come_together_are_pinged_at_different_times() {
        let period = Duration::from_secs(20);
        let mut parts: Vec<_> = (1..=100).map(|id| ClientId(id).part_of(period)).collect();
        parts.sort_unstable();
        assert!(parts.last().unwrap() < &period);
        let gaps = parts.windows(2).map(|two| two[1] - two[0]);
        assert!(gaps.max().unwrap() < Duration::from_secs(1), "{parts:?}");
    }

    #[test]
    fn tags_and_holders_are_limited() {
        let hub = hub();
        let [(a, _a), (b, _b), (c, _c)] = [hub.enter(), hub.enter(), hub.enter()];
        assert!(hub.join(a, Tag::of(1)).is_ok() && hub.join(a, Tag::of(2)).is_ok());
        assert_eq!(hub.join(a, Tag::of(3)), Err(Refusal::TooManyTags));
        assert!(hub.join(b, Tag::of(1)).is_ok());
        assert_eq!(hub.join(c, Tag::of(1)), Err(Refusal::TagFull));
        hub.leave(a, Tag::of(1));
        assert_eq!(hub.join(c, Tag::of(1)), Ok(1));
        assert_eq!(hub.join(a, Tag::of(3)), Ok(0));
    }

    #[test]
    fn nothing_is_left_of_who_has_gone() {
        let hub = hub();
        let (a, _outbox) = hub.enter();
        hub.join(a, Tag::of(1)).unwrap();
        hub.exit(a);
        hub.exit(a);
        assert_eq!(hub.join(a, Tag::of(1)), Err(Refusal::TooSlow));
        let state = hub.state();
        assert!(state.clients.is_empty() && state.tags.is_empty());
    }

    #[test]
    fn a_slow_reader_is_thrown_out_and_the_others_go_on() {
        let hub = hub();
        let [(a, _a), (b, mut to_b)] = [hub.enter(), hub.enter()];
        assert!(hub.join(a, Tag::of(1)).is_ok() && hub.join(b, Tag::of(1)).is_ok());
        for _ in 0..3 {
            assert_eq!(hub.relay(a, Tag::of(1), &"x".into()), Ok(()));
        }
        assert_eq!(hub.join(a, Tag::of(1)), Ok(0), "alone now");
        let waiting = std::iter::from_fn(|| to_b.try_recv().ok()).count();
        assert_eq!(waiting, 2, "what fitted is still there");
        assert!(to_b.is_closed());
    }

    #[test]
    fn waiting_bytes_are_bounded_for_one_and_for_all() {
        let hub = Hub::new(&Limits {
            outbox_bytes: 100,
            waiting_bytes: 150,
            ..Limits::default()
        });
        let [(a, _a), (b, mut to_b), (c, mut to_c)] = [hub.enter(), hub.enter(), hub.enter()];
        for id in [a, b, c] {
            hub.join(id, Tag::of(1)).unwrap();
        }
        let frame = Utf8Bytes::from("x".repeat(70));
        hub.relay(a, Tag::of(1), &frame).unwrap();
        assert_eq!(hub.holders(Tag::of(1)), 3);
        // B reads and C doesn't: a second frame is too much for C alone.
        drop(to_b.try_recv().unwrap());
        hub.relay(a, Tag::of(1), &frame).unwrap();
        assert_eq!(hub.holders(Tag::of(1)), 2);
        assert!(to_b.try_recv().is_ok(), "B has read and goes on");
        // What C never read is given back with it.
        while to_c.try_recv().is_ok() {}
        assert!(to_c.is_closed());
        let [(d, _d), (e, _e)] = [hub.enter(), hub.enter()];
        for id in [d, e] {
            hub.join(id, Tag::of(1)).unwrap();
        }
        // B, D and E would be 210 bytes.
        hub.relay(a, Tag::of(1), &frame).unwrap();
        assert_eq!(hub.holders(Tag::of(1)), 3, "one of the three is too much");
    }
}
