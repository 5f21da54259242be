//! A session: one link's view of the shared socket.
//!
//! ```text
//! shared socket --router--> inbox --poll_recv--> driver of one peer connection
//!        ^                                              |
//!        +------------------ poll_send -----------------+
//! ```
//!
//! The `runtime` module makes `webrtc` take a session for its socket.

use crate::Fingerprint;
use crate::gate::ServerUfrag;
use crate::paths::{Path, Paths};
use crate::socket::SharedSocket;
use crate::stun::{self, Class, TransactionId};
use bytes::Bytes;
use quinn_udp::Transmit;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Bytes that may wait for a driver. Beyond it datagrams are dropped, as a kernel would.
const INBOX_BYTES: usize = 2 << 20;
/// Checks whose refusal would be believed: those of the last second or so.
const ASKED_MAX: usize = 64;

/// What the runtime trait calls a future.
pub(crate) type Task<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Which way a session was opened.
#[derive(Debug)]
pub(crate) enum Role {
    /// We dial; the fingerprint is the listener's. Local addresses are learned per remote one.
    Dialed {
        expected: Fingerprint,
        learned: Mutex<Vec<Path>>,
        /// Checks we sent: only the answer to one of these can be a refusal.
        asked: Mutex<VecDeque<TransactionId>>,
        /// A check that shows the listener where we are, should a NAT have moved us.
        check: OnceLock<(TransactionId, Vec<u8>)>,
    },
    /// A dialer knocked. Its source may change, its fragment does not.
    Accepted {
        ufrag: ServerUfrag,
        paths: Box<Mutex<Paths>>,
    },
}

/// One link on a shared socket.
pub(crate) struct Session {
    pub(crate) id: u64,
    pub(crate) role: Role,
    /// One for an accepted link; one of each family for a dial.
    pub(crate) sockets: Vec<Arc<SharedSocket>>,
    /// What the ICE agent takes for the remote address of an accepted link.
    shown: SocketAddr,
    pub(crate) inbox: Mutex<Inbox>,
    /// Present while the kernel's send queue is full.
    pub(crate) blocked: Mutex<Option<Task<io::Result<()>>>>,
    pub(crate) facts: Facts,
    epoch: Instant,
    /// Milliseconds after `epoch` at which a message last decrypted.
    heard_ms: AtomicU64,
}

/// What a dial has seen so far, to say afterwards why it failed.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// A check was answered by somebody who knows our key.
    pub(crate) answered: AtomicBool,
    /// A check was answered with 401.
    pub(crate) refused: AtomicBool,
    /// The link is open and in use.
    pub(crate) open: AtomicBool,
    /// Our DTLS client turned the listener's certificate down.
    pub(crate) mistrusted: AtomicBool,
    /// The other side's dial won.
    pub(crate) superseded: AtomicBool,
    /// Something above changed that ends the session early.
    pub(crate) changed: Notify,
}

/// Datagrams that wait for the driver.
#[derive(Default)]
pub(crate) struct Inbox {
    /// Whether the ICE agent is ready: before it has its local candidate it would throw away the
    /// very packet that opened the session, and the dialer would lose a check interval.
    released: bool,
    queue: VecDeque<(Bytes, SocketAddr)>,
    bytes: usize,
    pub(crate) waker: Option<Waker>,
}

impl Inbox {
    /// The next datagram, and where it seems to come from.
    pub(crate) fn pop(&mut self) -> Option<(Bytes, SocketAddr)> {
        if !self.released {
            return None;
        }
        let next = self.queue.pop_front()?;
        self.bytes = self.bytes.saturating_sub(next.0.len());
        Some(next)
    }
}

impl Session {
    /// A session that will dial; it needs at least one socket.
    pub(crate) fn dialed(id: u64, sockets: Vec<Arc<SharedSocket>>, expected: Fingerprint) -> Self {
        let shown = (Ipv4Addr::UNSPECIFIED, 0).into();
        let learned = Mutex::new(Vec::new());
        let role = Role::Dialed {
            expected,
            learned,
            asked: Mutex::default(),
            check: OnceLock::new(),
        };
        Self::new(id, sockets, shown, role)
    }

    /// A session for whoever knocked from there.
    pub(crate) fn accepted(
        id: u64,
        socket: Arc<SharedSocket>,
        from: Path,
        ufrag: ServerUfrag,
    ) -> Self {
        let paths = Box::new(Mutex::new(Paths::new(from, Instant::now())));
        Self::new(
            id,
            vec![socket],
            from.remote,
            Role::Accepted { ufrag, paths },
        )
    }

    fn new(id: u64, sockets: Vec<Arc<SharedSocket>>, shown: SocketAddr, role: Role) -> Self {
        Self {
            id,
            role,
            sockets,
            shown,
            inbox: Mutex::default(),
            blocked: Mutex::new(None),
            facts: Facts::default(),
            epoch: Instant::now(),
            heard_ms: AtomicU64::new(0),
        }
    }

    /// Loopback addresses for `webrtc` to bind and lose: one of each family in use.
    pub(crate) fn throwaways(&self) -> Vec<SocketAddr> {
        let uses = |v4| {
            self.sockets
                .iter()
                .any(|socket| socket.bound().is_ipv4() == v4)
        };
        let v4 = uses(true).then_some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let v6 = uses(false).then_some(SocketAddr::from((Ipv6Addr::LOCALHOST, 0)));
        v4.into_iter().chain(v6).collect()
    }

    /// Ends the session early: its owner sees [`Facts::superseded`] and closes.
    pub(crate) fn supersede(&self) {
        self.facts.superseded.store(true, Ordering::Relaxed);
        self.facts.changed.notify_one();
    }

    pub(crate) fn socket_to(&self, remote: &SocketAddr) -> Option<&Arc<SharedSocket>> {
        self.sockets.iter().find(|socket| socket.reaches(remote))
    }

    /// Where the other end is now.
    pub(crate) fn remote(&self) -> SocketAddr {
        match &self.role {
            Role::Accepted { paths, .. } => lock(paths).current().remote,
            Role::Dialed { learned, .. } => {
                lock(learned).last().map_or(self.shown, |path| path.remote)
            }
        }
    }

    /// A message decrypted on this link.
    pub(crate) fn on_message(&self) {
        let now = Instant::now();
        let ms = now.saturating_duration_since(self.epoch).as_millis();
        self.heard_ms
            .store(u64::try_from(ms).unwrap_or(u64::MAX), Ordering::Relaxed);
        if let Role::Accepted { paths, .. } = &self.role {
            let mut paths = lock(paths);
            if paths.on_trial() {
                paths.on_message(now);
            }
        }
    }

    /// Gives a dialing session its check: ICE's own come every 10 s, which is too late to save a
    /// link whose NAT has moved.
    pub(crate) fn arm_check(&self, transaction: TransactionId, username: &[u8], password: &[u8]) {
        if let Role::Dialed { check, .. } = &self.role {
            let packet = stun::request(transaction, username, password);
            let _ = check.set((transaction, packet));
        }
    }

    /// Shows the listener where we are. Nothing to do for an accepted session.
    pub(crate) fn send_check(&self) {
        let Role::Dialed { learned, check, .. } = &self.role else {
            return;
        };
        let (Some((_, packet)), Some(path)) = (check.get(), lock(learned).last().copied()) else {
            return;
        };
        if let Some(socket) = self.socket_to(&path.remote) {
            // The address we had may be what is gone: the system chooses the source anew.
            let _ = socket.try_send(&Transmit {
                destination: path.remote,
                ecn: None,
                contents: packet,
                segment_size: None,
                src_ip: None,
            });
        }
    }

    /// Time since a message last decrypted.
    pub(crate) fn silence(&self) -> Duration {
        let heard = Duration::from_millis(self.heard_ms.load(Ordering::Relaxed));
        self.epoch.elapsed().saturating_sub(heard)
    }

    /// Takes in datagrams that the router found to be this session's.
    pub(crate) fn deliver(&self, from: Path, bytes: &[u8], stride: usize, now: Instant) {
        let mut taken: Option<Bytes> = None;
        let mut inbox = lock(&self.inbox);
        for (index, datagram) in bytes.chunks(stride.max(1)).enumerate() {
            let Some(shown) = self.admit(from, datagram, now) else {
                continue;
            };
            if inbox.bytes + datagram.len() > INBOX_BYTES {
                break;
            }
            // One copy for the whole batch, however many datagrams it holds.
            let batch = taken.get_or_insert_with(|| Bytes::copy_from_slice(bytes));
            let start = index * stride;
            inbox.bytes += datagram.len();
            inbox
                .queue
                .push_back((batch.slice(start..start + datagram.len()), shown));
        }
        if taken.is_some()
            && let Some(waker) = inbox.waker.take()
        {
            drop(inbox);
            waker.wake();
        }
    }

    /// Lets the driver have what waits in the inbox.
    pub(crate) fn release(&self) {
        let mut inbox = lock(&self.inbox);
        inbox.released = true;
        if let Some(waker) = inbox.waker.take() {
            drop(inbox);
            waker.wake();
        }
    }

    /// Notes what a datagram tells, and says from which address to show it to the ICE agent.
    fn admit(&self, from: Path, datagram: &[u8], now: Instant) -> Option<SocketAddr> {
        let class = stun::classify(datagram);
        match &self.role {
            Role::Dialed {
                learned,
                asked,
                check,
                ..
            } => {
                match class {
                    Some((Class::Success, transaction))
                        if check.get().is_some_and(|(own, _)| *own == transaction) =>
                    {
                        return None;
                    }
                    Some((Class::Success, _)) => {
                        learn(&mut lock(learned), from);
                        self.facts.answered.store(true, Ordering::Relaxed);
                    }
                    Some((Class::Error, transaction)) => {
                        if lock(asked).contains(&transaction)
                            && !self.facts.refused.swap(true, Ordering::Relaxed)
                        {
                            self.facts.changed.notify_one();
                        }
                        return None;
                    }
                    Some(_) | None => {}
                }
                Some(from.remote)
            }
            Role::Accepted { paths, .. } => {
                let mut paths = lock(paths);
                match class {
                    Some((Class::Request, transaction)) => {
                        paths.on_check(transaction, from);
                        Some(self.shown)
                    }
                    // `rtc` checks back although it is lite, and waits for the answer.
                    Some((Class::Success, _)) => Some(self.shown),
                    Some(_) => None,
                    None => paths.on_record(from, now).then_some(self.shown),
                }
            }
        }
    }

    /// Where a packet of the ICE agent really goes.
    pub(crate) fn route(&self, transmit: &Transmit<'_>) -> Path {
        match &self.role {
            Role::Dialed { learned, asked, .. } => {
                if let Some((Class::Request, transaction)) = stun::classify(transmit.contents) {
                    let mut asked = lock(asked);
                    asked.truncate(ASKED_MAX - 1);
                    asked.push_front(transaction);
                }
                if is_certificate_alert(transmit.contents) {
                    self.facts.mistrusted.store(true, Ordering::Relaxed);
                    self.facts.changed.notify_one();
                }
                let learned = lock(learned);
                let known = learned
                    .iter()
                    .find(|path| path.remote == transmit.destination);
                Path {
                    remote: transmit.destination,
                    local: known.and_then(|path| path.local),
                }
            }
            Role::Accepted { paths, .. } => match stun::classify(transmit.contents) {
                Some((_, transaction)) => lock(paths).response_to(&transaction),
                None => lock(paths).current(),
            },
        }
    }
}

/// A fatal `bad_certificate` alert in clear (RFC 5246, 7.2). `webrtc` reports a certificate that
/// does not match nowhere but in its log; the alert it then sends says so too.
fn is_certificate_alert(datagram: &[u8]) -> bool {
    const ALERT: u8 = 21;
    const FATAL: u8 = 2;
    const BAD_CERTIFICATE: u8 = 42;
    matches!(
        datagram,
        [
            ALERT,
            _,
            _,
            0,
            0,
            _,
            _,
            _,
            _,
            _,
            _,
            0,
            2,
            FATAL,
            BAD_CERTIFICATE,
            ..
        ]
    )
}

/// Remote addresses that answered are few; the newest stands last.
fn learn(learned: &mut Vec<Path>, from: Path) {
    learned.retain(|path| path.remote != from.remote);
    learned.push(from);
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({})", self.id)
    }
}

/// State that a panic elsewhere cannot leave half-written: every critical section is a few moves.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
