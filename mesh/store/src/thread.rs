//! A store on a thread of its own, for programs that must not block.
//!
//! ```text
//!  handle.commit(..) --+                          +-- check each, merge, one Store::commit --> replies
//!  handle.commit(..) --+--> queue (QUEUE_MAX) --> |
//!  handle.read(..)   --+                          +-- a read runs between commits, in order
//! ```
//!
//! Requests are served in the order they came. Whatever commits are waiting share one fsync. The
//! replies are plain futures, no runtime is needed; [`Reply::wait`] blocks instead.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    task::{Context, Poll, Waker},
    thread,
};

use crate::{
    Store, StoreError, Write,
    limits::{COMMIT_BYTES_MAX, COMMIT_WRITES_MAX, QUEUE_MAX},
};

type Result<T> = std::result::Result<T, StoreError>;

type Errand = Box<dyn FnOnce(&mut dyn Store) + Send>;

enum Request {
    Commit(Vec<Write>, Promise<()>),
    Run(Errand),
}

/// Sends requests to a store's thread. The thread ends, and the store is closed, once the last
/// handle is gone and the queue is empty.
#[derive(Debug, Clone)]
pub struct StoreHandle {
    queue: SyncSender<Request>,
}

/// Moves a store to a thread of its own. Join the second value to wait until it is closed.
pub fn spawn(store: Box<dyn Store>) -> Result<(StoreHandle, thread::JoinHandle<()>)> {
    let (queue, requests) = sync_channel(QUEUE_MAX);
    let thread = thread::Builder::new()
        .name("store".into())
        .spawn(move || serve(store, &requests))
        .map_err(|source| StoreError::io("the store thread", source))?;
    Ok((StoreHandle { queue }, thread))
}

impl StoreHandle {
    /// Commits; the reply comes when it is durable. A full queue answers [`StoreError::Busy`].
    pub fn commit(&self, writes: Vec<Write>) -> Reply<()> {
        let (promise, reply) = promise();
        self.send(Request::Commit(writes, promise.clone()), &promise);
        reply
    }

    /// Runs a closure on the store after the commits before it.
    pub fn read<R: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Store) -> Result<R> + Send + 'static,
    ) -> Reply<R> {
        self.run(move |store| read(store))
    }

    /// Like [`Self::read`], for what changes the store otherwise ([`Store::drop_room`]).
    pub fn run<R: Send + 'static>(
        &self,
        run: impl FnOnce(&mut dyn Store) -> Result<R> + Send + 'static,
    ) -> Reply<R> {
        let (promise, reply) = promise();
        let answer = promise.clone();
        self.send(
            Request::Run(Box::new(move |store| answer.keep(run(store)))),
            &promise,
        );
        reply
    }

    fn send<R>(&self, request: Request, promise: &Promise<R>) {
        match self.queue.try_send(request) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => promise.keep(Err(StoreError::Busy)),
            Err(TrySendError::Disconnected(_)) => promise.keep(Err(StoreError::Closed)),
        }
    }
}

fn serve(mut store: Box<dyn Store>, requests: &Receiver<Request>) {
    let mut next = requests.recv().ok();
    while let Some(request) = next.take() {
        match request {
            Request::Run(run) => run(store.as_mut()),
            Request::Commit(writes, promise) => {
                let mut group = Group::default();
                group.add(store.as_ref(), writes, promise);
                while let Ok(request) = requests.try_recv() {
                    match request {
                        Request::Commit(writes, promise) if group.has_room(&writes) => {
                            group.add(store.as_ref(), writes, promise);
                        }
                        other => {
                            next = Some(other);
                            break;
                        }
                    }
                }
                group.commit(store.as_mut());
            }
        }
        next = next.or_else(|| requests.recv().ok());
    }
}

/// Commits that share an fsync.
#[derive(Default)]
struct Group {
    writes: Vec<Write>,
    bytes: usize,
    promises: Vec<Promise<()>>,
}

impl Group {
    fn has_room(&self, writes: &[Write]) -> bool {
        self.writes.len().saturating_add(writes.len()) <= COMMIT_WRITES_MAX
            && self.bytes.saturating_add(size(writes)) <= COMMIT_BYTES_MAX
    }

    /// A commit that would be refused is answered at once and spoils no other's.
    fn add(&mut self, store: &dyn Store, writes: Vec<Write>, promise: Promise<()>) {
        let so_far = self.writes.len();
        self.bytes = self.bytes.saturating_add(size(&writes));
        self.writes.extend(writes);
        // Two own events of one position may be fine apart and not together, so both are checked.
        let alone = store.check(self.writes.get(so_far..).unwrap_or_default());
        match alone.and_then(|()| store.check(&self.writes)) {
            Ok(()) => self.promises.push(promise),
            Err(error) => {
                self.bytes = self
                    .bytes
                    .saturating_sub(size(self.writes.get(so_far..).unwrap_or_default()));
                self.writes.truncate(so_far);
                promise.keep(Err(error));
            }
        }
    }

    fn commit(self, store: &mut dyn Store) {
        if self.promises.is_empty() {
            return;
        }
        tracing::trace!(
            commits = self.promises.len(),
            writes = self.writes.len(),
            "group commit"
        );
        let done = store.commit(&self.writes);
        for promise in self.promises {
            promise.keep(done.clone());
        }
    }
}

fn size(writes: &[Write]) -> usize {
    writes
        .iter()
        .fold(0, |sum: usize, write| sum.saturating_add(write.size()))
}

/// The answer to a request: await it, or [`wait`](Self::wait).
#[must_use = "a request may have failed"]
pub struct Reply<R>(Arc<Slot<R>>);

struct Slot<R> {
    state: Mutex<State<R>>,
    kept: Condvar,
}

enum State<R> {
    Waiting(Option<Waker>),
    Kept(Result<R>),
    Taken,
}

/// The other end of a [`Reply`]. Dropping the last one unkept answers `Closed`.
struct Promise<R>(Arc<Owed<R>>);

struct Owed<R>(Arc<Slot<R>>);

impl<R> Clone for Promise<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

fn promise<R>() -> (Promise<R>, Reply<R>) {
    let slot = Arc::new(Slot {
        state: Mutex::new(State::Waiting(None)),
        kept: Condvar::new(),
    });
    (Promise(Arc::new(Owed(Arc::clone(&slot)))), Reply(slot))
}

impl<R> Promise<R> {
    fn keep(&self, answer: Result<R>) {
        self.0.0.keep(answer);
    }
}

impl<R> Drop for Owed<R> {
    fn drop(&mut self) {
        self.0.keep(Err(StoreError::Closed));
    }
}

impl<R> Slot<R> {
    /// The first answer counts.
    fn keep(&self, answer: Result<R>) {
        let mut state = self.lock();
        if let State::Waiting(waker) = &mut *state {
            let waker = waker.take();
            *state = State::Kept(answer);
            drop(state);
            self.kept.notify_all();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    /// Nothing under this lock panics, and a poisoned one would still hold a whole state.
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R> State<R> {
    fn take(&mut self) -> Option<Result<R>> {
        match std::mem::replace(self, Self::Taken) {
            Self::Kept(answer) => Some(answer),
            Self::Taken => Some(Err(StoreError::Closed)),
            waiting @ Self::Waiting(_) => {
                *self = waiting;
                None
            }
        }
    }
}

impl<R> Reply<R> {
    /// Blocks until the answer is there. Never call it on an async runtime's thread.
    pub fn wait(self) -> Result<R> {
        let mut state = self.0.lock();
        loop {
            if let Some(answer) = state.take() {
                return answer;
            }
            state = self
                .0
                .kept
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<R> Future for Reply<R> {
    type Output = Result<R>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<R>> {
        let mut state = self.0.lock();
        if let Some(answer) = state.take() {
            return Poll::Ready(answer);
        }
        *state = State::Waiting(Some(context.waker().clone()));
        Poll::Pending
    }
}

#[cfg(test)]
mod tests;
