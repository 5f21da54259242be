//! What a session sends beside its driver, which knows nothing of it: keep-alives, and the dialer's own checks.

use super::role::note;
use super::{Role, Session, lock};
use crate::keepalive::{Heard, Keepalive, Packet};
use crate::paths::Path;
use quinn_udp::Transmit;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

impl Session {
    /// The link is established: from now on its ends hear each other's keep-alives.
    pub(crate) fn keep_alive(&self, keepalive: Arc<Keepalive>) {
        let _ = self.keepalive.set(keepalive);
    }

    /// Asks the other end whether it is there. `false` once it can't any more.
    pub(crate) fn ask(&self) -> bool {
        let question = self.keepalive.get().and_then(|k| k.ask(Instant::now()));
        if let Some(question) = &question {
            self.send_beside(question);
        }
        question.is_some()
    }

    /// Takes in a Binding Indication; gives what to answer. One that is no keep-alive opened a firewall on its way.
    pub(super) fn on_indication(&self, from: Path, packet: &[u8], now: Instant) -> Option<Packet> {
        let heard = self.keepalive.get()?.take(packet, now)?;
        // What holds for records holds here: who comes from elsewhere waits for its turn.
        if let Role::Accepted { paths, .. } = &self.role
            && !lock(paths).on_record(from, now)
        {
            return None;
        }
        self.on_message();
        match heard {
            Heard::Question(answer) => answer,
            Heard::Answer => None,
        }
    }

    /// Sends a packet the way that the link's own go. What fails is a packet lost: the next one shows it.
    pub(super) fn send_beside(&self, packet: &[u8]) {
        let path = match &self.role {
            Role::Accepted { paths, .. } => Some(lock(paths).current()),
            Role::Dialed { learned, .. } => lock(learned).current(),
        };
        if let Some(path) = path {
            self.send_along(packet, path);
        }
    }

    fn send_along(&self, packet: &[u8], path: Path) {
        if let Some(socket) = self.socket_to(&path.remote) {
            let _ = socket.try_send(&Transmit {
                destination: path.remote,
                ecn: None,
                contents: packet,
                segment_size: None,
                src_ip: path.local,
            });
        }
    }

    /// Shows the listener where we are. Nothing to do for an accepted session.
    pub(crate) fn send_check(&self) {
        let Role::Dialed { learned, check, .. } = &self.role else {
            return;
        };
        if let (Some(check), Some(path)) = (check.get(), lock(learned).current()) {
            // The address we had may be what is gone: the system chooses the source anew.
            let remote = path.remote;
            self.send_along(
                &check.packet,
                Path {
                    remote,
                    local: None,
                },
            );
        }
    }

    /// Shows the check at an address that nobody has answered from, and believes what is answered to it.
    pub(crate) fn ask_at(&self, remote: SocketAddr) {
        let Role::Dialed { check, asked, .. } = &self.role else {
            return;
        };
        if let Some(check) = check.get() {
            note(&mut lock(asked), check.transaction);
            self.send_along(
                &check.packet,
                Path {
                    remote,
                    local: None,
                },
            );
        }
    }

    /// Whether the other side has been silent for so long beyond the pause between keep-alives.
    pub(crate) fn is_silent_for(&self, span: Duration) -> bool {
        let pause = self.keepalive.get().map(|k| k.pace()).unwrap_or_default();
        self.silence() >= pause.saturating_add(span)
    }

    /// Time since a message of the other end last decrypted.
    pub(crate) fn silence(&self) -> Duration {
        let heard = Duration::from_millis(self.heard_ms.load(Ordering::Relaxed));
        self.epoch.elapsed().saturating_sub(heard)
    }
}
