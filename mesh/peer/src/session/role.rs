//! Which way a session was opened, and what it has seen of the other side since.

use crate::Fingerprint;
use crate::bucket::Bucket;
use crate::gate::{S_PWD_LEN, ServerUfrag};
use crate::paths::{Path, Paths};
use crate::stun::TransactionId;
use std::collections::VecDeque;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, OnceLock};
use tokio::sync::Notify;

/// Which way a session was opened.
#[derive(Debug)]
pub(crate) enum Role {
    /// We dial; the fingerprint is the listener's. Local addresses are learned per remote one.
    Dialed {
        expected: Fingerprint,
        /// Where we dial. An ICE agent's candidates have no scope; these do, where they need one.
        targets: Vec<SocketAddr>,
        learned: Mutex<Learned>,
        /// Checks we sent: only the answer to one of these can be a refusal.
        asked: Mutex<VecDeque<TransactionId>>,
        /// A check that shows the listener where we are, should a NAT have moved us.
        check: OnceLock<Check>,
    },
    /// A dialer knocked. Its source may change, its fragment does not.
    Accepted {
        ufrag: ServerUfrag,
        paths: Box<Mutex<Paths>>,
        /// Checks from the path in use, and from the others.
        checks: Box<Mutex<[Bucket; 2]>>,
    },
}

/// Remote addresses that answered a dial, and the one that its link came to use. Few: a dial has few.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    /// The newest stands last.
    paths: Vec<Path>,
    used: Option<SocketAddr>,
}

impl Learned {
    /// An answer came that way.
    pub(super) fn learn(&mut self, from: Path) {
        self.paths.retain(|path| path.remote != from.remote);
        self.paths.push(from);
    }

    /// The local address that what goes there comes back to.
    pub(super) fn local(&self, remote: SocketAddr) -> Option<IpAddr> {
        self.known(remote).and_then(|path| path.local)
    }

    /// The link's own packets go there.
    pub(super) fn using(&mut self, remote: SocketAddr) {
        self.used = Some(remote);
    }

    /// The way that the link uses; before it uses one, the newest.
    pub(super) fn current(&self) -> Option<Path> {
        let used = self.used.and_then(|remote| self.known(remote));
        used.or(self.paths.last()).copied()
    }

    fn known(&self, remote: SocketAddr) -> Option<&Path> {
        self.paths.iter().find(|path| path.remote == remote)
    }
}

/// Checks whose refusal would be believed: those of the last second or so.
const ASKED_MAX: usize = 64;

/// A check was sent.
pub(super) fn note(asked: &mut VecDeque<TransactionId>, transaction: TransactionId) {
    asked.truncate(ASKED_MAX - 1);
    asked.push_front(transaction);
}

/// What a dialer shows of itself.
pub(crate) struct Check {
    pub(super) transaction: TransactionId,
    pub(super) packet: Vec<u8>,
    /// The listener's, under which it signs what it answers.
    pub(super) password: [u8; S_PWD_LEN],
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Check(..)")
    }
}

impl Drop for Check {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.password);
    }
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
    /// A member's device has another certificate by now, and says which.
    pub(crate) moved: Mutex<Option<Fingerprint>>,
    /// Something above changed that ends the session early.
    pub(crate) changed: Notify,
}
