//! The store, seen from the actor: requests go out, their results come back as continuations.
//!
//! The store blocks and therefore lives on a thread of its own, which groups the commits that wait.
//! A result is a closure over the actor and runs on the actor's task, so no state is ever shared.
//! One pump task awaits the replies in the order of the requests, which is the order in which the
//! store serves them, so results never overtake each other.
//!
//! How many requests can be under way is bounded by the engine's tickets and by
//! [`PENDING_MAX`](crate::actor::PENDING_MAX), well below the store's own queue.

use std::{future::Future, pin::Pin};

use peddlenet_store::{Store, StoreError, StoreHandle, Write, limits::COMMIT_WRITES_MAX};
use peddlenet_wire::RoomTag;
use tokio::sync::mpsc;

use crate::{
    actor::{Actor, Continue, bases_of, drafts_of, left_of, prefs_of, server_of},
    room::{SavedRoom, carried_of, epochs_of, next_key, said_of},
    trust::{Entry, fork_prefix},
};

type Pending = Pin<Box<dyn Future<Output = Continue> + Send>>;

pub(crate) struct Disk {
    store: StoreHandle,
    pump: mpsc::UnboundedSender<Pending>,
}

impl Disk {
    pub(crate) fn new(store: StoreHandle, results: mpsc::UnboundedSender<Continue>) -> Self {
        let (pump, mut replies) = mpsc::unbounded_channel::<Pending>();
        tokio::spawn(async move {
            while let Some(reply) = replies.recv().await {
                if results.send(reply.await).is_err() {
                    return;
                }
            }
        });
        Self { store, pump }
    }

    /// Makes the writes durable, then goes on with `then`.
    pub(crate) fn commit(
        &self,
        writes: Vec<Write>,
        then: impl FnOnce(&mut Actor, Result<(), StoreError>) + Send + 'static,
    ) {
        self.go_on(self.store.commit(writes), then);
    }

    /// Reads on the store's thread, then goes on with `then`.
    pub(crate) fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
        then: impl FnOnce(&mut Actor, Result<T, StoreError>) + Send + 'static,
    ) {
        self.go_on(self.store.read(read), then);
    }

    /// Reads and commits in one step on the store's thread, then goes on with `then`.
    pub(crate) fn update<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut dyn Store) -> Result<T, StoreError> + Send + 'static,
        then: impl FnOnce(&mut Actor, Result<T, StoreError>) + Send + 'static,
    ) {
        self.go_on(self.store.run(run), then);
    }

    /// Forgets a room and what the person decided about its members, then goes on with `then`.
    pub(crate) fn drop_room(
        &self,
        room: RoomTag,
        then: impl FnOnce(&mut Actor, Result<(), StoreError>) + Send + 'static,
    ) {
        let forget = Write::Meta {
            key: SavedRoom::key(room),
            value: None,
        };
        let run = move |store: &mut dyn Store| {
            let mut writes = vec![forget];
            let all = [
                Entry::prefix,
                fork_prefix,
                epochs_of,
                said_of,
                carried_of,
                next_key,
                drafts_of,
                bases_of,
                prefs_of,
                server_of,
                left_of,
            ];
            for prefix in all.map(|prefix| prefix(room)) {
                let keys = store.meta_under(&prefix)?.into_iter().map(|(key, _)| key);
                writes.extend(keys.map(|key| Write::Meta { key, value: None }));
            }
            for part in writes.chunks(COMMIT_WRITES_MAX) {
                store.commit(part)?;
            }
            store.drop_room(room)
        };
        self.go_on(self.store.run(run), then);
    }

    fn go_on<T: Send + 'static>(
        &self,
        reply: impl Future<Output = Result<T, StoreError>> + Send + 'static,
        then: impl FnOnce(&mut Actor, Result<T, StoreError>) + Send + 'static,
    ) {
        let go_on = async move {
            let outcome = reply.await;
            Box::new(move |actor: &mut Actor| then(actor, outcome)) as Continue
        };
        // The pump ends with the actor; nobody waits for a result then.
        let _ = self.pump.send(Box::pin(go_on));
    }
}
