//! Who holds which tag. The only shared state; kept in memory, never across an await.
//!
//! Invariant: a client is in the list of a tag exactly when the tag is in the client's list, and no list of
//! a tag is empty. So the size of everything follows from the number of clients and their limits.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::mpsc;

use crate::Limits;
use crate::frames::{Refusal, Tag};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClientId(u64);

pub(crate) struct Hub {
    outbox: usize,
    tags_per_connection: usize,
    subscribers_per_tag: usize,
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
    outbox: mpsc::Sender<Utf8Bytes>,
    tags: Vec<Tag>,
}

impl Hub {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            outbox: limits.outbox.max(1),
            tags_per_connection: limits.tags_per_connection,
            subscribers_per_tag: limits.subscribers_per_tag,
            state: Mutex::default(),
        }
    }

    /// A new client and what is to be written to it. The caller owes a [`Hub::exit`].
    pub(crate) fn enter(&self) -> (ClientId, mpsc::Receiver<Utf8Bytes>) {
        let (outbox, waiting) = mpsc::channel(self.outbox);
        let mut state = self.state();
        state.entered += 1;
        let id = ClientId(state.entered);
        let tags = Vec::new();
        state.clients.insert(id, Client { outbox, tags });
        (id, waiting)
    }

    /// Forgets a client and its tags. Doing it twice is fine.
    pub(crate) fn exit(&self, id: ClientId) {
        self.state().forget(id);
    }

    /// Puts a client on a tag; returns how many others hold it. Joining again changes nothing.
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

    /// Takes a client off a tag; fine when it isn't on it.
    pub(crate) fn leave(&self, id: ClientId, tag: Tag) {
        let mut state = self.state();
        if let Some(client) = state.clients.get_mut(&id) {
            client.tags.retain(|held| *held != tag);
        }
        state.take_off(id, tag);
    }

    /// Puts a frame into the outbox of everybody else on the tag. Who doesn't keep up is thrown out, so that
    /// it knows that it missed something.
    pub(crate) fn relay(&self, id: ClientId, tag: Tag, frame: &Utf8Bytes) -> Result<(), Refusal> {
        let mut state = self.state();
        let client = state.clients.get(&id).ok_or(Refusal::TooSlow)?;
        if !client.tags.contains(&tag) {
            return Err(Refusal::NotJoined);
        }
        let others = state.tags.get(&tag).into_iter().flatten();
        let slow: Vec<ClientId> = others
            .filter(|other| **other != id)
            .filter(|other| {
                state
                    .clients
                    .get(other)
                    .is_some_and(|other| other.outbox.try_send(frame.clone()).is_err())
            })
            .copied()
            .collect();
        for other in slow {
            tracing::debug!(client = other.0, "too slow, thrown out");
            state.forget(other);
        }
        Ok(())
    }

    /// Tags that somebody holds.
    pub(crate) fn tags(&self) -> usize {
        self.state().tags.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics halfway through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget(&mut self, id: ClientId) {
        let Some(client) = self.clients.remove(&id) else {
            return;
        };
        for tag in client.tags {
            self.take_off(id, tag);
        }
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
        assert_eq!(to_b.try_recv(), Ok(hello));
        assert!(to_a.try_recv().is_err() && to_b.try_recv().is_err() && to_c.try_recv().is_err());
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
}
