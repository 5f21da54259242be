//! Handles on those who talk with servers: one task for each address, however often it is asked for.
//!
//! ```text
//!  enter(addr)  nobody talks with it --> a task begins
//!               a task does          --> one handle more on that task
//!  leave(addr)  no handle, no allocation --> the task ends
//! ```
//!
//! A task outlives its handles while a link goes over its relay. A second client on our one port would be refused an
//! allocation then (437, RFC 8656, 7.2), and take the answers that the first one waits for.

use super::{
    ANSWER_WITHIN, COMMANDS, Command, INBOX, IceServerConfig, RELAY_WITHIN, RelayError, Task,
    TurnLogin,
};
use crate::endpoint::Inner;
use crate::session::lock;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, Weak};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

/// A handle on the task that talks with the server. Links over its relay live on when the last one is dropped.
#[derive(Debug)]
pub struct IceServer {
    commands: mpsc::Sender<Command>,
    seen_as: Arc<Mutex<Option<SocketAddr>>>,
    /// The task counts its handles by it; there until this one is dropped.
    counted: Option<Arc<()>>,
}

impl Drop for IceServer {
    fn drop(&mut self) {
        drop(self.counted.take());
        // A full queue is as good: after each command the task counts.
        let _ = self.commands.try_send(Command::Count);
    }
}

impl IceServer {
    pub(crate) fn start(inner: &Arc<Inner>, config: IceServerConfig) -> Self {
        let (commands, told) = mpsc::channel(COMMANDS);
        let seen_as = Arc::new(Mutex::new(None));
        let handles = Arc::new(());
        let (in_tx, inbox) = mpsc::channel(INBOX);
        inner.router.set_server(config.addr, in_tx);
        let task = Task {
            endpoint: Arc::downgrade(inner),
            addr: config.addr,
            turn: config.turn,
            handles: Arc::clone(&handles),
            client: None,
            seen_as: Arc::clone(&seen_as),
            first: Vec::new(),
            ask_at: Instant::now(),
            allocating: None,
            waiting: Vec::new(),
            relay: None,
        };
        tokio::spawn(task.run(told, inbox));
        Self {
            commands,
            seen_as,
            counted: Some(handles),
        }
    }

    /// How the server sees the shared port, by its last answer.
    pub fn seen_as(&self) -> Option<SocketAddr> {
        *lock(&self.seen_as)
    }

    /// The same, once it has answered; `None` when it doesn't.
    pub async fn wait_seen_as(&self) -> Option<SocketAddr> {
        let (reply, answered) = oneshot::channel();
        if self.commands.try_send(Command::SeenAs(reply)).is_ok() {
            let _ = tokio::time::timeout(ANSWER_WITHIN, answered).await;
        }
        self.seen_as()
    }

    /// An address at the relay that these may send to; the one there is, if there is one.
    ///
    /// # Errors
    /// See [`RelayError`]; none comes later than 3 s.
    pub async fn relay(&self, permit: Vec<IpAddr>) -> Result<SocketAddr, RelayError> {
        let (reply, answer) = oneshot::channel();
        let asked = self.commands.send(Command::Relay(permit, reply)).await;
        asked.map_err(|_| RelayError::NoAnswer)?;
        match tokio::time::timeout(RELAY_WITHIN, answer).await {
            Ok(Ok(outcome)) => outcome,
            _ => Err(RelayError::NoAnswer),
        }
    }

    /// The network changed: what the server said before is void, and it is asked now.
    pub fn moved(&self) {
        let _ = self.commands.try_send(Command::Moved);
    }

    /// New credentials, for what exists as well.
    pub fn renew(&self, turn: Option<TurnLogin>) {
        // A full queue means that it is about to end.
        let _ = self.commands.try_send(Command::Renew(turn));
    }
}

/// The tasks of an endpoint. No more than its user has servers at a time, and those that a link still goes over.
#[derive(Debug, Default)]
pub(crate) struct Running(Mutex<HashMap<SocketAddr, Entry>>);

#[derive(Debug)]
struct Entry {
    commands: mpsc::Sender<Command>,
    seen_as: Arc<Mutex<Option<SocketAddr>>>,
    handles: Weak<()>,
}

impl Running {
    /// A handle on who talks with that server; begins to where nobody does.
    pub(crate) fn enter(&self, inner: &Arc<Inner>, config: IceServerConfig) -> IceServer {
        let mut running = lock(&self.0);
        if let Some(entry) = running.get(&config.addr)
            && let Some(handles) = entry.handles.upgrade()
        {
            let server = IceServer {
                commands: entry.commands.clone(),
                seen_as: Arc::clone(&entry.seen_as),
                counted: Some(handles),
            };
            server.renew(config.turn);
            return server;
        }
        let addr = config.addr;
        let server = IceServer::start(inner, config);
        let entry = Entry {
            commands: server.commands.clone(),
            seen_as: Arc::clone(&server.seen_as),
            handles: server
                .counted
                .as_ref()
                .map(Arc::downgrade)
                .unwrap_or_default(),
        };
        running.insert(addr, entry);
        server
    }

    /// Whether a task may end: nobody can take a handle on it any more.
    pub(super) fn leave(&self, inner: &Inner, task: &Task) -> bool {
        let mut running = lock(&self.0);
        let last = !task.has_handles();
        if last {
            running.remove(&task.addr);
            inner.router.forget_server(task.addr);
        }
        last
    }
}
