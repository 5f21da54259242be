//! From the node's events to the one page that listens.
//!
//! ```text
//!   Node ──Event──> feed task ──Batch every <= 33 ms──> Channel ──> ui/state
//!                      ^ attach, seq, link      and what the desktop is told of: alerts
//!                   commands::session
//! ```
//!
//! A page that loads subscribes with a channel, which replaces the one before. It takes its
//! snapshot after that, so every event is in the snapshot or in a later batch, and may be in both:
//! the page puts them where they belong by id.

use std::time::Instant;

use peddlenet_mesh::{Event, Events, RoomId};
use tauri::ipc::Channel;
use tokio::sync::{mpsc, oneshot};

use crate::alerts::Alerts;
use crate::batcher::Batcher;
use crate::dto::{Batch, UiEvent};
use crate::error::UiError;
use crate::link::Link;

/// Questions to the feed that may wait; the page asks one at a time.
const MAX_ASKS: usize = 8;

/// The shell's end of the feed task.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    asks: mpsc::Sender<Ask>,
}

enum Ask {
    /// From now on batches go here. Answered with the number of the last batch before.
    Attach(Channel<Batch>, oneshot::Sender<u64>),
    /// The number of the last batch.
    Seq(oneshot::Sender<u64>),
    /// A link that was opened outside: for the page, or for the next one; so is a room to show.
    Link(String),
    /// A room that the person wants to see.
    Show(RoomId),
}

impl Feed {
    /// Starts the task; it ends with the node.
    pub(crate) fn start(events: Events, alerts: Alerts) -> Self {
        let (asks, questions) = mpsc::channel(MAX_ASKS);
        tauri::async_runtime::spawn(run(events, questions, alerts));
        Self { asks }
    }

    pub(crate) async fn attach(&self, channel: Channel<Batch>) -> Result<u64, UiError> {
        self.ask(|answer| Ask::Attach(channel, answer)).await
    }

    pub(crate) async fn seq(&self) -> Result<u64, UiError> {
        self.ask(Ask::Seq).await
    }

    pub(crate) fn link(&self, link: &Link) {
        if self
            .asks
            .try_send(Ask::Link(link.as_str().to_owned()))
            .is_err()
        {
            tracing::warn!("too many links at once: one was dropped");
        }
    }

    pub(crate) fn show(&self, room: RoomId) {
        if self.asks.try_send(Ask::Show(room)).is_err() {
            tracing::warn!("the page is too slow to go to a room");
        }
    }

    async fn ask(&self, ask: impl FnOnce(oneshot::Sender<u64>) -> Ask) -> Result<u64, UiError> {
        let (answer, reply) = oneshot::channel();
        let closed = || UiError::from(peddlenet_mesh::ErrorCode::Closed);
        self.asks.send(ask(answer)).await.map_err(|_| closed())?;
        reply.await.map_err(|_| closed())
    }
}

async fn run(mut events: Events, mut asks: mpsc::Receiver<Ask>, alerts: Alerts) {
    let mut batcher = Batcher::new(Instant::now());
    let mut page: Option<Channel<Batch>> = None;
    let mut wanted = None;
    loop {
        let due = batcher.due().map(tokio::time::Instant::from_std);
        // In this order: a batch takes along what has already happened.
        let batch = tokio::select! {
            biased;
            Some(ask) = asks.recv() => {
                answer(ask, &mut batcher, &mut page, &mut wanted);
                // Kept until a page listens; the last one counts.
                let wanted = wanted.take_if(|_| page.is_some());
                wanted.and_then(|wanted| batcher.push(wanted, Instant::now()))
            }
            event = events.recv() => match event {
                Some(event) => {
                    alerts.event(&event);
                    on_event(event, &mut batcher)
                }
                None => break,
            },
            () = tokio::time::sleep_until(due.unwrap_or_else(tokio::time::Instant::now)), if due.is_some() => {
                batcher.take(Instant::now())
            }
        };
        if let Some((batch, channel)) = batch.zip(page.as_ref())
            && let Err(problem) = channel.send(batch)
        {
            tracing::warn!(%problem, "the page no longer listens");
            page = None;
        }
    }
    tracing::debug!("the node closed; the feed ends");
}

fn answer(
    ask: Ask,
    batcher: &mut Batcher,
    page: &mut Option<Channel<Batch>>,
    wanted: &mut Option<UiEvent>,
) {
    // A page that stopped waiting for the answer is gone; there is nobody to tell.
    match ask {
        Ask::Attach(channel, answer) => {
            *page = Some(channel);
            let _ = answer.send(batcher.restart());
        }
        Ask::Seq(answer) => {
            let _ = answer.send(batcher.seq());
        }
        Ask::Link(link) => *wanted = Some(UiEvent::Link { link }),
        // A link asks the person something, and they chose the room already: it goes before.
        Ask::Show(_) if matches!(wanted, Some(UiEvent::Link { .. })) => {}
        Ask::Show(room) => {
            *wanted = Some(UiEvent::Show {
                room: room.to_string(),
            });
        }
    }
}

fn on_event(event: Event, batcher: &mut Batcher) -> Option<Batch> {
    let now = Instant::now();
    match event {
        // What is this person's own changed: the page asks for a snapshot as after missed events.
        Event::Lagged | Event::Moved { .. } => Some(batcher.skip(now)),
        Event::Quarantined { .. } => {
            tracing::error!("the data folder was damaged and set aside");
            None
        }
        event => batcher.push(UiEvent::of(event)?, now),
    }
}
