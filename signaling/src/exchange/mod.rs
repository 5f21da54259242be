//! Several processes behind a load balancer, with Redis between them.
//!
//! ```text
//!  device ──> Hub ── who holds a tag here ──> their outboxes
//!              │ send, joined, left: bounded queues, never waited for
//!              v
//!           Exchange ── PUBLISH on the tag's channel ──> Redis ──> Exchange of another process ──> Hub::deliver
//!              └────── SUBSCRIBE while somebody here holds the tag; how many do, for `peers`
//! ```
//!
//! The hub is the truth for this process: the exchange asks it when it tells Redis of a tag, so a note that was lost is
//! mended by telling Redis of all tags. Own messages come back from Redis and are dropped by their sender's id. While Redis
//! is away devices on one process go on reaching each other, and nothing is kept for later.

mod names;
mod run;
mod session;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, oneshot};

use self::names::{Names, ProcessId};
pub(crate) use self::run::run;
use crate::ExchangeLimits;
use crate::frames::Tag;

/// The address of Redis is not one.
#[derive(Debug, thiserror::Error)]
#[error(
    "the address of Redis must look like redis://HOST:PORT or unix:///PATH; TLS to it is not spoken"
)]
pub struct BadUrl;

/// How many hold a tag on other processes.
pub(crate) type Elsewhere = oneshot::Receiver<usize>;

/// The hub's end.
pub(crate) struct Exchange {
    sends: mpsc::Sender<(Tag, String)>,
    changes: mpsc::Sender<Change>,
    missed: Arc<AtomicBool>,
}

/// A tag whose holders may have changed, and who wants to know how many there are elsewhere.
struct Change(Tag, Option<oneshot::Sender<usize>>);

impl Exchange {
    /// Passes a message to the other processes, if there is room for it.
    pub(crate) fn send(&self, tag: Tag, data: String) {
        if self.sends.try_send((tag, data)).is_err() {
            tracing::debug!("too much waits for Redis; a message stays on this process");
        }
    }

    /// Says that holders of a tag came or went.
    pub(crate) fn changed(&self, tag: Tag) {
        self.note(Change(tag, None));
    }

    /// Says so, and asks how many there are elsewhere. No answer comes when Redis is away.
    pub(crate) fn ask(&self, tag: Tag) -> Elsewhere {
        let (answer, elsewhere) = oneshot::channel();
        self.note(Change(tag, Some(answer)));
        elsewhere
    }

    fn note(&self, change: Change) {
        if self.changes.try_send(change).is_err() {
            self.missed.store(true, Ordering::Relaxed);
        }
    }
}

/// Everything that [`run`] needs.
pub(crate) struct Plan {
    client: redis::Client,
    names: Names,
    process: ProcessId,
    inbox: Inbox,
    limits: ExchangeLimits,
    /// Longer messages are not ours.
    message_bytes: usize,
}

/// The task's end.
struct Inbox {
    sends: mpsc::Receiver<(Tag, String)>,
    changes: mpsc::Receiver<Change>,
    missed: Arc<AtomicBool>,
}

/// What waited in the inbox.
enum Batch {
    Sends(Vec<(Tag, String)>),
    Changes(Vec<Change>),
}

/// Prepares an exchange over the Redis at `url`; nothing is connected yet.
///
/// # Errors
/// The URL is none, or the system gives no randomness.
pub(crate) fn plan(
    url: &str,
    secret: Option<&[u8]>,
    limits: &crate::Limits,
) -> Result<(Exchange, Plan), BadUrl> {
    let bounds = limits.exchange.clone();
    let (sends, to_send) = mpsc::channel(bounds.sends.max(1));
    let (changes, changed) = mpsc::channel(bounds.changes.max(1));
    let missed = Arc::new(AtomicBool::new(false));
    let plan = Plan {
        client: redis::Client::open(url).map_err(|_| BadUrl)?,
        names: Names::new(secret),
        process: ProcessId::random().map_err(|_| BadUrl)?,
        inbox: Inbox {
            sends: to_send,
            changes: changed,
            missed: Arc::clone(&missed),
        },
        limits: bounds,
        message_bytes: limits.message_bytes,
    };
    let exchange = Exchange {
        sends,
        changes,
        missed,
    };
    Ok((exchange, plan))
}

impl Inbox {
    /// Waits for something; `None` once the hub is gone. Nothing is lost when it is dropped halfway.
    async fn next(&mut self, most: usize) -> Option<Batch> {
        let (mut sends, mut changes) = (Vec::new(), Vec::new());
        let most = most.max(1);
        tokio::select! {
            taken = self.sends.recv_many(&mut sends, most) => (taken > 0).then_some(Batch::Sends(sends)),
            taken = self.changes.recv_many(&mut changes, most) => (taken > 0).then_some(Batch::Changes(changes)),
        }
    }

    /// Whether a note was lost since this was last asked.
    fn missed(&self) -> bool {
        self.missed.swap(false, Ordering::Relaxed)
    }

    /// Lets everything go while Redis is away; done once the hub is gone.
    async fn let_go(&mut self, most: usize) {
        while self.next(most).await.is_some() {}
    }
}
