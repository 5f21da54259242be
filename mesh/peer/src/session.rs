//! A session: one link's view of the shared socket.
//!
//! ```text
//! shared socket --router--> inbox --poll_recv--> driver of one peer connection
//!        ^                                              |
//!        +------------------ poll_send -----------------+
//! ```
//!
//! The `runtime` module makes `webrtc` take a session for its socket.

mod inbox;
mod keeping;
mod rest;
mod role;

pub(crate) use inbox::Inbox;
pub(crate) use role::{Facts, Role};

use crate::Fingerprint;
use crate::bucket::Bucket;
use crate::gate::{S_PWD_LEN, ServerUfrag};
use crate::held::{HALF_OPEN_BYTES, Held, Pool};
use crate::keepalive::Keepalive;
use crate::paths::{Path, Paths};
use crate::socket::SharedSocket;
use crate::stats::Counters;
use crate::stun::{self, Class, TransactionId};
use bytes::Bytes;
use quinn_udp::Transmit;
use rest::Rest;
use role::{Check, Learned, note};
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Bytes that may wait for an open link's driver: twice what the other side may have in flight.
/// Beyond it datagrams are dropped, as a kernel would.
pub const INBOX_BYTES: usize = 512 << 10;
/// ICE checks a second that a link takes in, from the path in use and as many from all others. An
/// agent makes 67 to each of our addresses; a captured one can be repeated at line rate.
const CHECKS_A_SECOND: u32 = 200;

/// What the runtime trait calls a future.
pub(crate) type Task<T> = Pin<Box<dyn Future<Output = T> + Send>>;

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
    pub(crate) counters: Arc<Counters>,
    held: Held,
    /// See [`Session::asked_again`].
    recheck: Notify,
    epoch: Instant,
    /// Milliseconds after `epoch` at which a message last decrypted.
    heard_ms: AtomicU64,
    /// Of a link that is open.
    keepalive: OnceLock<Arc<Keepalive>>,
    rest: Rest,
}

/// What the sessions of an endpoint have in common.
#[derive(Debug, Clone, Default)]
pub(crate) struct Common {
    pub(crate) pool: Arc<Pool>,
    pub(crate) counters: Arc<Counters>,
}

impl Session {
    /// A session that will dial; it needs at least one socket.
    pub(crate) fn dialed(
        id: u64,
        sockets: Vec<Arc<SharedSocket>>,
        targets: Vec<SocketAddr>,
        expected: Fingerprint,
        common: &Common,
    ) -> Self {
        let shown = (Ipv4Addr::UNSPECIFIED, 0).into();
        let learned = Mutex::new(Learned::default());
        let role = Role::Dialed {
            expected,
            targets,
            learned,
            asked: Mutex::default(),
            check: OnceLock::new(),
        };
        Self::new(id, sockets, shown, role, common)
    }

    /// A session for whoever knocked from there.
    pub(crate) fn accepted(
        id: u64,
        socket: Arc<SharedSocket>,
        from: Path,
        ufrag: ServerUfrag,
        common: &Common,
    ) -> Self {
        let paths = Box::new(Mutex::new(Paths::new(from, Instant::now())));
        let checks = Box::new(Mutex::new([
            Bucket::new(CHECKS_A_SECOND),
            Bucket::new(CHECKS_A_SECOND),
        ]));
        let role = Role::Accepted {
            ufrag,
            paths,
            checks,
        };
        Self::new(id, vec![socket], unscoped(from.remote), role, common)
    }

    fn new(
        id: u64,
        sockets: Vec<Arc<SharedSocket>>,
        shown: SocketAddr,
        role: Role,
        common: &Common,
    ) -> Self {
        Self {
            id,
            role,
            sockets,
            shown,
            inbox: Mutex::default(),
            blocked: Mutex::new(None),
            facts: Facts::default(),
            counters: Arc::clone(&common.counters),
            held: Held::new(Arc::clone(&common.pool)),
            recheck: Notify::new(),
            epoch: Instant::now(),
            heard_ms: AtomicU64::new(0),
            keepalive: OnceLock::new(),
            rest: Rest::default(),
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
            Role::Dialed { learned, .. } => lock(learned)
                .current()
                .map_or(self.shown, |path| path.remote),
        }
    }

    /// Milliseconds since the session began.
    fn age_ms(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A message decrypted on this link.
    pub(crate) fn on_message(&self) {
        self.heard_ms.store(self.age_ms(), Ordering::Relaxed);
        if let Role::Accepted { paths, .. } = &self.role {
            let mut paths = lock(paths);
            if paths.on_trial() {
                paths.on_message(Instant::now());
            }
        }
    }

    /// Gives a dialing session its check: ICE's own come every 10 s, which is too late to save a
    /// link whose NAT has moved.
    pub(crate) fn arm_check(
        &self,
        transaction: TransactionId,
        username: &[u8],
        password: [u8; S_PWD_LEN],
    ) {
        if let Role::Dialed { check, .. } = &self.role {
            let packet = stun::request(transaction, username, &password);
            let _ = check.set(Check {
                transaction,
                packet,
                password,
            });
        }
    }

    /// The next datagram for the driver, unless too much of what it was given waits for readers.
    pub(crate) fn next_datagram(&self, inbox: &mut Inbox) -> Option<(Bytes, SocketAddr)> {
        if !inbox.released || inbox.queue.is_empty() {
            return None;
        }
        if !self.held.may_take(self.is_open()) {
            if !std::mem::replace(&mut inbox.held_up, true) {
                self.counters.held_up.one();
                self.held.ask_again();
                self.recheck.notify_waiters();
            }
            return None;
        }
        inbox.held_up = false;
        let next = inbox.pop()?;
        self.packet_passed();
        self.held.took(&next.0);
        Some(next)
    }

    /// The link is open and its readers run.
    pub(crate) fn opened(&self) {
        self.facts.open.store(true, Ordering::Relaxed);
        self.wake_driver();
    }

    pub(crate) fn is_open(&self) -> bool {
        self.facts.open.load(Ordering::Relaxed)
    }

    /// A reliable lane's reader has read all there is.
    pub(crate) fn reader_idle(&self, lane: u8) {
        if self.held.idle(lane) {
            self.wake_driver();
        }
    }

    /// Readers that have nothing to read are asked again whether that is so, since what came in since
    /// may have been for none of them: acknowledgements alone would hold up a link that only sends.
    /// To be enabled before [`reader_idle`](Self::reader_idle).
    pub(crate) fn asked_again(&self) -> Notified<'_> {
        self.recheck.notified()
    }

    /// A reliable lane's reader has read something.
    pub(crate) fn reader_busy(&self, lane: u8) {
        self.held.busy(lane);
    }

    fn wake_driver(&self) {
        let waker = lock(&self.inbox).waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Takes in datagrams that the router found to be this session's.
    pub(crate) fn deliver(&self, from: Path, bytes: &[u8], stride: usize, now: Instant) {
        let mut taken: Option<Bytes> = None;
        let most = match self.is_open() {
            true => INBOX_BYTES,
            false => HALF_OPEN_BYTES,
        };
        let mut answer = None;
        let mut inbox = lock(&self.inbox);
        for (index, datagram) in bytes.chunks(stride.max(1)).enumerate() {
            if matches!(stun::classify(datagram), Some((Class::Indication, _))) {
                answer = self.on_indication(from, datagram, now).or(answer);
                continue;
            }
            let Some(shown) = self.admit(from, datagram, now) else {
                continue;
            };
            if inbox.bytes + datagram.len() > most {
                self.counters.inbox_full.one();
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
        let waker = taken.and_then(|_| inbox.waker.take());
        drop(inbox);
        if let Some(waker) = waker {
            waker.wake();
        }
        if let Some(answer) = answer {
            self.send_beside(&answer);
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
                        if check
                            .get()
                            .is_some_and(|own| own.transaction == transaction) =>
                    {
                        return None;
                    }
                    Some((Class::Success, _)) => {
                        lock(learned).learn(from);
                        self.facts.answered.store(true, Ordering::Relaxed);
                    }
                    Some((Class::Error, transaction)) => {
                        if lock(asked).contains(&transaction) {
                            self.on_refusal(datagram, check.get());
                        }
                        return None;
                    }
                    Some(_) | None => {}
                }
                Some(unscoped(from.remote))
            }
            Role::Accepted { paths, checks, .. } => {
                let mut paths = lock(paths);
                match class {
                    Some((Class::Request, transaction)) => {
                        let [current, others] = &mut *lock(checks);
                        let from_current = from.remote == paths.current().remote;
                        let bucket = if from_current { current } else { others };
                        if !bucket.take(1, now) {
                            self.counters.checks_excess.one();
                            return None;
                        }
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

    /// One of our checks was turned down; a member may be told why under the password that both know.
    fn on_refusal(&self, packet: &[u8], check: Option<&Check>) {
        if let Some(fingerprint) = check.and_then(|own| stun::read_moved(packet, &own.password)) {
            *lock(&self.facts.moved) = Some(fingerprint);
            self.facts.changed.notify_one();
        } else if !self.facts.refused.swap(true, Ordering::Relaxed) {
            self.facts.changed.notify_one();
        }
    }

    /// Where a packet of the ICE agent really goes.
    pub(crate) fn route(&self, transmit: &Transmit<'_>) -> Path {
        self.packet_passed();
        match &self.role {
            Role::Dialed {
                targets,
                learned,
                asked,
                ..
            } => {
                if let Some((Class::Request, transaction)) = stun::classify(transmit.contents) {
                    note(&mut lock(asked), transaction);
                }
                if is_certificate_alert(transmit.contents) {
                    self.facts.mistrusted.store(true, Ordering::Relaxed);
                    self.facts.changed.notify_one();
                }
                let meant = |target: &&SocketAddr| unscoped(**target) == transmit.destination;
                let remote = targets.iter().find(meant).copied();
                let remote = remote.unwrap_or(transmit.destination);
                let mut learned = lock(learned);
                if stun::classify(transmit.contents).is_none() {
                    learned.using(remote);
                }
                Path {
                    remote,
                    local: learned.local(remote),
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

/// An address as ICE knows it: without the number that this system gave the interface.
fn unscoped(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip(), addr.port())
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
